//! The order of the steps: what the edges leave open is decided here, and always alike.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Hazard, Id, Statement};

use super::{
    Act, Graph, Node,
    joining::{Candidates, Group},
    top,
};
use crate::plan::{Step, segment::segments};

/// The precedence of a node among those that could come next: the parts of one object stay together.
pub(super) type Precedence<'a> = (Stage, Act, i16, &'a Id, i16, i32, &'a Id);

/// The part of a plan in which a node comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    /// It must be committed before something else uses it.
    Early,
    Middle,
    /// It waits for rows or values to go, or they go because something waits that can take rows.
    Blocked,
    /// Rows that a person moves could make it fail.
    AsksRows,
    /// Rows or values go, or it waits for that: by then there is all that can take them.
    Last,
}

impl<'a> Graph<'a> {
    /// True if one migration drops an object that only a later one, which may never run, recreates.
    pub(super) fn leaves_a_gap(&self, steps: &[Step]) -> bool {
        let mut statements = steps.iter().flat_map(|step| &step.statements);
        if !statements.any(Statement::needs_commit) {
            return false;
        }
        let mut taken_down: BTreeMap<Id, usize> = BTreeMap::new();
        for (number, segment) in segments(steps.to_vec()).into_iter().enumerate() {
            let ids = segment.steps.into_iter().flat_map(|step| step.ids);
            for id in ids.filter(|id| {
                self.work
                    .get(id)
                    .is_some_and(|work| work.goes && work.comes)
            }) {
                if *taken_down.entry(id).or_insert(number) != number {
                    return true;
                }
            }
        }
        false
    }

    /// Lets what must be committed before something else uses it come first, and what has to come before that.
    pub(super) fn hasten(&mut self) {
        let committed = self.nodes.iter().enumerate().filter(|(_, node)| {
            let alters = self.work.get(node.id).and_then(|work| work.alters.as_ref());
            node.act == Act::Alter
                && alters.is_some_and(|list| list.iter().any(Statement::needs_commit))
        });
        let mut next: Vec<usize> = committed.map(|(place, _)| self.root(place)).collect();
        let mut waits_for: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (first, second) in &self.edges {
            let (first, second) = (self.root(*first), self.root(*second));
            waits_for.entry(second).or_default().insert(first);
        }
        let mut early = BTreeSet::new();
        while let Some(root) = next.pop() {
            if early.insert(root) {
                next.extend(waits_for.get(&root).into_iter().flatten());
            }
        }
        let kept = self.wishes.iter().copied().filter(|(first, second)| {
            early.contains(&self.root(*first)) || !early.contains(&self.root(*second))
        });
        self.wishes = kept.collect();
        self.early = early;
    }

    /// Kahn's algorithm over the steps. If several could come next, [`next`] decides, so that the same input gives the same
    /// file. A step that joins the statement before it has precedence. Returns the roots of the steps, each with `true` if it
    /// joins the one before.
    pub(super) fn sorted(
        &self,
        steps: &BTreeMap<usize, Step>,
        unlocks: &BTreeMap<usize, BTreeSet<usize>>,
        stages: &BTreeMap<usize, Stage>,
    ) -> Vec<(usize, bool)> {
        let mut waits: BTreeMap<usize, usize> = steps.keys().map(|root| (*root, 0)).collect();
        for second in unlocks.values().flatten() {
            *waits.entry(*second).or_default() += 1;
        }
        let precedence = |root| self.precedence(root, stages);
        let mut ready = Ready {
            steps,
            all: BTreeSet::new(),
            candidates: Candidates::default(),
        };
        for (root, _) in waits.iter().filter(|(_, count)| **count == 0) {
            ready.insert(precedence(*root), *root);
        }
        let mut sorted = Vec::new();
        let mut last: Option<Precedence<'_>> = None;
        let mut group: Option<Group<'_>> = None;
        loop {
            let open = group.as_ref().zip(last);
            let joining = open.and_then(|(group, last)| {
                let candidates = &ready.candidates;
                candidates.next(group, last, &ready.all, steps, unlocks)
            });
            let Some(chosen) = joining.or_else(|| next(&ready.all, last)) else {
                return sorted;
            };
            ready.remove(chosen);
            let (place, root) = chosen;
            last = Some(place);
            for next in unlocks.get(&root).into_iter().flatten() {
                if let Some(count) = waits.get_mut(next) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(precedence(*next), *next);
                    }
                }
            }
            let step = steps.get(&root);
            group = match (step, group.filter(|_| joining.is_some())) {
                (Some(step), Some(group)) => group.with(root, step),
                (Some(step), None) => Group::begin(root, step),
                (None, Some(_) | None) => None,
            };
            sorted.push((root, joining.is_some()));
        }
    }

    /// The steps that wait for each step.
    pub(super) fn unlocks(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut unlocks: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (first, second) in self.precedents() {
            let (first, second) = (self.root(*first), self.root(*second));
            if first != second {
                unlocks.entry(first).or_default().insert(second);
            }
        }
        unlocks
    }

    /// The stages of the steps, but for those in the middle.
    ///
    /// Rows or values go last, after everything that can take them, but for those that something which can take rows waits for.
    /// Where a person moves rows, what those could make fail comes just before.
    pub(super) fn stages(
        &self,
        unlocks: &BTreeMap<usize, BTreeSet<usize>>,
        steps: &BTreeMap<usize, Step>,
    ) -> BTreeMap<usize, Stage> {
        let mut waits_for: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (first, all) in unlocks {
            for second in all {
                waits_for.entry(*second).or_default().insert(*first);
            }
        }
        let roots = || steps.keys().copied();
        let needed = reached(roots().filter(|root| self.makes_room(*root)), &waits_for);
        let asks_rows = |root: &usize| {
            let mut hazards = steps[root].statements.iter().flat_map(Statement::hazards);
            self.to.has_data_step() && hazards.any(Hazard::may_fail)
        };
        let losing = roots().filter(|root| self.loses(*root));
        let (blocking, last): (Vec<usize>, Vec<usize>) =
            losing.partition(|root| needed.contains(root));
        let asking = roots().filter(|root| !needed.contains(root) && asks_rows(root));
        let blocked = reached(blocking, unlocks).into_iter();
        let mut stages: BTreeMap<usize, Stage> =
            blocked.map(|root| (root, Stage::Blocked)).collect();
        for (seeds, stage) in [(asking.collect(), Stage::AsksRows), (last, Stage::Last)] {
            let all = reached(seeds, unlocks).into_iter();
            stages.extend(all.map(|root| (root, stage)));
        }
        stages.extend(self.early.iter().map(|root| (*root, Stage::Early)));
        stages
    }

    fn precedence(&self, place: usize, stages: &BTreeMap<usize, Stage>) -> Precedence<'a> {
        let Node { id, act, .. } = &self.nodes[place];
        let schema = self.schema(*act);
        let entry = schema.entry(id);
        let top = top(schema, id);
        let position = entry.map_or(0, |entry| entry.position());
        // Objects are dropped in the reverse order of creation.
        let sign = if *act == Act::Go { -1 } else { 1 };
        let stage = stages.get(&place).copied().unwrap_or(Stage::Middle);
        (
            stage,
            *act,
            sign * i16::from(top.kind().rank()),
            top,
            sign * i16::from(id.kind().rank()),
            position,
            id,
        )
    }
}

/// The steps that wait for nothing any more.
struct Ready<'a, 's> {
    steps: &'s BTreeMap<usize, Step>,
    all: BTreeSet<(Precedence<'a>, usize)>,
    candidates: Candidates<'a, 's>,
}

impl<'a> Ready<'a, '_> {
    fn insert(&mut self, precedence: Precedence<'a>, root: usize) {
        let one = (precedence, root);
        self.all.insert(one);
        if let Some(step) = self.steps.get(&root) {
            self.candidates.insert(one, step);
        }
    }

    fn remove(&mut self, one: (Precedence<'a>, usize)) {
        self.all.remove(&one);
        if let Some(step) = self.steps.get(&one.1) {
            self.candidates.remove(one, step);
        }
    }
}

/// These and all that edges lead to from there.
fn reached(
    from: impl IntoIterator<Item = usize>,
    edges: &BTreeMap<usize, BTreeSet<usize>>,
) -> BTreeSet<usize> {
    let mut next: Vec<usize> = from.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(root) = next.pop() {
        if reached.insert(root) {
            next.extend(edges.get(&root).into_iter().flatten());
        }
    }
    reached
}

/// The step to take next: one that is about the same outermost object as the last, else the one that precedes.
fn next<'a>(
    ready: &BTreeSet<(Precedence<'a>, usize)>,
    last: Option<Precedence<'a>>,
) -> Option<(Precedence<'a>, usize)> {
    let same = last.and_then(|(stage, act, rank, top, ..)| {
        // No rank is as low as that, so this stands before everything about the same object.
        let begin = ((stage, act, rank, top, i16::MIN, i32::MIN, top), 0);
        let found = ready.range(begin..).next();
        found.filter(|((other_stage, other_act, _, other_top, ..), _)| {
            (*other_stage, *other_act, *other_top) == (stage, act, top)
        })
    });
    same.or_else(|| ready.first()).copied()
}
