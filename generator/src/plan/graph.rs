//! The order of the work: what needs what, and which children go along with their parents.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::{algo::tarjan_scc, graph::DiGraph};
use trueup::{Clause, Entry, Hazard, Id, Kind, Lead, Schema, Slot, Statement, Turn};

use super::{Folding, PlanError, Step, work::Work};

/// What happens to the object of a node. The order is the one in which nodes come when nothing else decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    Go,
    Alter,
    Come,
}

struct Node<'a> {
    id: &'a Id,
    act: Act,
    /// The node of the parent that this one falls or folds with.
    joins: Option<usize>,
    /// Whether it must not be parted from that.
    bound: bool,
    /// The one that it comes along with, as a like part of a table that inherits.
    along: Option<Id>,
}

struct Graph<'a> {
    work: &'a BTreeMap<Id, Work>,
    from: &'a Schema,
    to: &'a Schema,
    nodes: Vec<Node<'a>>,
    places: BTreeMap<(&'a Id, Act), usize>,
    edges: BTreeSet<(usize, usize)>,
}

/// Where a node stands among those that could all come next: the parts of one object stay together.
type Precedence<'a> = (Act, i16, &'a Id, i16, i32, &'a Id);

pub(super) fn order(
    work: &BTreeMap<Id, Work>,
    from: &Schema,
    to: &Schema,
    folding: Folding,
) -> Result<Vec<Step>, PlanError> {
    let mut graph = Graph {
        work,
        from,
        to,
        nodes: Vec::new(),
        places: BTreeMap::new(),
        edges: BTreeSet::new(),
    };
    graph.add_nodes();
    graph.add_edges();
    graph.add_slots();
    graph.fall();
    graph.fold(folding);
    graph.follow();
    graph.tie();
    graph.part_cycles()?;
    Ok(graph
        .sorted()
        .into_iter()
        .map(|(root, members)| graph.step(root, &members))
        .collect())
}

impl<'a> Graph<'a> {
    fn add_nodes(&mut self) {
        for (id, work) in self.work {
            let acts = [
                (work.goes, Act::Go),
                (work.alters.is_some(), Act::Alter),
                (work.comes, Act::Come),
            ];
            for (_, act) in acts.into_iter().filter(|(wanted, _)| *wanted) {
                self.places.insert((id, act), self.nodes.len());
                self.nodes.push(Node {
                    id,
                    act,
                    joins: None,
                    bound: false,
                    along: None,
                });
            }
        }
    }

    fn place(&self, id: &Id, act: Act) -> Option<usize> {
        self.places.get(&(id, act)).copied()
    }

    /// An edge from what is first to what is second, where both are there.
    fn edge(&mut self, first: Option<usize>, second: Option<usize>) {
        if let (Some(first), Some(second)) = (first, second)
            && first != second
        {
            self.edges.insert((first, second));
        }
    }

    fn add_edges(&mut self) {
        for id in self.work.keys() {
            let (go, alter, come) = (
                self.place(id, Act::Go),
                self.place(id, Act::Alter),
                self.place(id, Act::Come),
            );
            self.edge(go, come);
            for need in self.from.needs(id) {
                let still = self.to.needs(id).any(|other| other == need);
                self.edge(go, self.place(need, Act::Go));
                self.edge(go, self.place(need, Act::Alter));
                self.edge(alter, self.place(need, Act::Go));
                if !still {
                    self.edge(alter, self.place(need, Act::Alter));
                }
            }
            for need in self.to.needs(id) {
                for mine in [alter, come] {
                    self.edge(self.place(need, Act::Come), mine);
                    self.edge(self.place(need, Act::Alter), mine);
                }
            }
        }
    }

    /// A name must be free before it is taken.
    fn add_slots(&mut self) {
        let mut freed: BTreeMap<Slot, usize> = BTreeMap::new();
        let mut taken: Vec<(Slot, usize)> = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let had = slots(self.from, node.id);
            let has = slots(self.to, node.id);
            match node.act {
                Act::Go => freed.extend(had.into_iter().map(|slot| (slot, place))),
                Act::Come => taken.extend(has.into_iter().map(|slot| (slot, place))),
                Act::Alter => {
                    taken.extend(has.difference(&had).map(|slot| (slot.clone(), place)));
                    freed.extend(had.difference(&has).map(|slot| (slot.clone(), place)));
                }
            }
        }
        for (slot, place) in taken {
            self.edge(freed.get(&slot).copied(), Some(place));
        }
    }

    /// A child's removal is left to its parent's. What must go before the child then goes before the parent.
    fn fall(&mut self) {
        for place in 0..self.nodes.len() {
            let node = &self.nodes[place];
            if node.act == Act::Go {
                let above = self
                    .from
                    .entry(node.id)
                    .and_then(|entry| entry.falls_with(self.from));
                self.nodes[place].joins = above.and_then(|above| {
                    let rebuilt = self.work.get(&above).is_some_and(|work| work.rebuilt);
                    self.place(&above, if rebuilt { Act::Alter } else { Act::Go })
                });
            }
        }
    }

    /// A child's clause stands in its parent's CREATE.
    fn fold(&mut self, folding: Folding) {
        for place in 0..self.nodes.len() {
            let node = &self.nodes[place];
            if node.act != Act::Come {
                continue;
            }
            let Some(entry) = self.to.entry(node.id) else {
                continue;
            };
            let parent = entry
                .parent()
                .and_then(|parent| self.place(&parent, Act::Come));
            let (Some(parent), Some(clause)) = (parent, entry.clause(self.to, &[])) else {
                continue;
            };
            if clause.is_essential() || folding == Folding::Wherever {
                self.nodes[place].joins = Some(parent);
                self.nodes[place].bound = clause.is_essential();
            }
        }
    }

    /// What Postgres does to an object by itself, where it does it to the like object of a table that its own inherits from.
    fn follow(&mut self) {
        for place in 0..self.nodes.len() {
            let Node { id, act, .. } = self.nodes[place];
            let entries = match act {
                Act::Go => [self.from.entry(id), None],
                Act::Alter => [self.from.entry(id), self.to.entry(id)],
                Act::Come => [None, self.to.entry(id)],
            };
            let leads: Vec<Lead> = entries
                .into_iter()
                .flatten()
                .flat_map(|entry| entry.follows(self.from, self.to))
                .collect();
            for Lead {
                leader,
                comes,
                goes,
            } in leads
            {
                match act {
                    Act::Go => self.go_with(place, &leader, goes),
                    Act::Alter => self.alter_with(place, &leader, comes),
                    Act::Come => self.come_with(place, &leader, comes),
                }
            }
            if act == Act::Come {
                self.stand_alone(place);
            }
        }
    }

    fn go_with(&mut self, place: usize, leader: &Id, goes: Turn) {
        let Some(leading) = self.place(leader, Act::Go) else {
            return;
        };
        match goes {
            Turn::Before => self.edge(Some(place), Some(leading)),
            Turn::Along => self.join(place, leading, leader),
            Turn::After => self.edge(Some(leading), Some(place)),
        }
    }

    fn alter_with(&mut self, place: usize, leader: &Id, comes: Turn) {
        self.edge(self.place(leader, Act::Go), Some(place));
        let (altered, made) = (
            self.place(leader, Act::Alter),
            self.place(leader, Act::Come),
        );
        if comes == Turn::After {
            self.edge(altered, Some(place));
            self.edge(made, Some(place));
            self.edge_to_users(place, leader);
            return;
        }
        // What is to be one with the leader's must be like it before.
        self.edge(Some(place), made);
        if let Some(altered) = altered {
            self.join(place, altered, leader);
        }
    }

    fn come_with(&mut self, place: usize, leader: &Id, comes: Turn) {
        let above = self.above(place);
        // What comes with its own whole finds its leader there.
        let comes = match (above, comes) {
            (Some(_), Turn::Before) => Turn::Along,
            (None, Turn::Before) | (_, Turn::Along | Turn::After) => comes,
        };
        if comes != Turn::Before {
            self.edge(self.place(leader, Act::Alter), Some(place));
        }
        let Some(leading) = self.place(leader, Act::Come) else {
            return;
        };
        let along = match above {
            Some(above) => self.nodes[above].along.is_some() && self.nodes[leading].joins.is_some(),
            None => comes == Turn::Along,
        };
        if along {
            self.join(place, leading, leader);
            return;
        }
        match comes {
            Turn::Before => self.edge(Some(place), Some(leading)),
            Turn::Along => self.edge(Some(leading), Some(place)),
            Turn::After => {
                self.edge(Some(leading), Some(place));
                self.edge_to_users(place, leader);
            }
        }
    }

    /// What needs the leader may need that all who follow it are there.
    fn edge_to_users(&mut self, place: usize, leader: &Id) {
        let users: Vec<Id> = self.to.needed_by(leader).cloned().collect();
        for user in users {
            self.edge(Some(place), self.place(&user, Act::Come));
        }
    }

    /// A part of what comes along with another, and does not itself, has nothing to fold into.
    fn stand_alone(&mut self, place: usize) {
        let orphaned = self
            .above(place)
            .is_some_and(|above| self.nodes[above].along.is_some());
        if orphaned && self.nodes[place].along.is_none() {
            self.nodes[place].joins = None;
            self.nodes[place].bound = false;
        }
    }

    /// The node in which the whole comes that this one is a part of.
    fn above(&self, place: usize) -> Option<usize> {
        let parent = self.to.entry(self.nodes[place].id)?.parent()?;
        self.place(&parent, Act::Come)
    }

    fn join(&mut self, place: usize, leading: usize, leader: &Id) {
        if self.nodes[place].along.is_none() {
            let node = &mut self.nodes[place];
            node.joins = Some(leading);
            node.bound = true;
            node.along = Some(leader.clone());
        }
    }

    /// What ties objects to each other goes before anything is done to them, and comes when all is done.
    fn tie(&mut self) {
        let ends_of = |place: &usize| {
            let Node { id, act, .. } = &self.nodes[*place];
            let entry = self.schema(*act).entry(id);
            let ends: BTreeSet<Id> = entry
                .map(|entry| entry.ties())
                .into_iter()
                .flatten()
                .collect();
            (!ends.is_empty()).then_some((*place, ends))
        };
        let ties: BTreeMap<usize, BTreeSet<Id>> = (0..self.nodes.len())
            .filter_map(|place| ends_of(&place))
            .collect();
        if ties.is_empty() {
            return;
        }
        let mut below: BTreeMap<&Id, Vec<usize>> = BTreeMap::new();
        for (place, Node { id, act, .. }) in self.nodes.iter().enumerate() {
            if !ties.contains_key(&place) {
                below
                    .entry(top(self.schema(*act), id))
                    .or_default()
                    .push(place);
            }
        }
        let mut gone: BTreeMap<&Id, Vec<usize>> = BTreeMap::new();
        let mut edges = Vec::new();
        for (place, ends) in &ties {
            let goes = self.nodes[*place].act == Act::Go;
            // A clause comes before what comes after its statement.
            let folded = self.nodes[*place].bound;
            for id in ends {
                if goes {
                    gone.entry(id).or_default().push(*place);
                }
                for other in below.get(id).into_iter().flatten() {
                    if goes || self.comes_after(*other, *place) {
                        edges.push((*place, *other));
                    } else if !folded {
                        edges.push((*other, *place));
                    }
                }
            }
        }
        for (place, ends) in &ties {
            if self.nodes[*place].act != Act::Go {
                let before = ends.iter().filter_map(|id| gone.get(id)).flatten();
                edges.extend(before.map(|gone| (*gone, *place)));
            }
        }
        for (first, second) in edges {
            self.edge(Some(first), Some(second));
        }
    }

    /// Whether something is made only when the tie is there.
    fn comes_after(&self, place: usize, tie: usize) -> bool {
        let Node { id, act, .. } = &self.nodes[place];
        let entry = self.to.entry(id).filter(|_| *act == Act::Come);
        entry.is_some_and(|entry| entry.comes_after(self.to).contains(self.nodes[tie].id))
    }

    fn root(&self, place: usize) -> usize {
        let mut root = place;
        while let Some(above) = self.nodes[root].joins {
            root = above;
        }
        root
    }

    /// Parts children from their parents where going together would make steps wait for each other.
    fn part_cycles(&mut self) -> Result<(), PlanError> {
        loop {
            let mut graph: DiGraph<usize, ()> = DiGraph::new();
            let mut index_of = BTreeMap::new();
            for place in 0..self.nodes.len() {
                let root = self.root(place);
                index_of.entry(root).or_insert_with(|| graph.add_node(root));
            }
            for (first, second) in &self.edges {
                let (first, second) = (self.root(*first), self.root(*second));
                if first != second {
                    graph.update_edge(index_of[&first], index_of[&second], ());
                }
            }
            let cycles: Vec<Vec<usize>> = tarjan_scc(&graph)
                .into_iter()
                .filter(|component| component.len() > 1)
                .map(|component| component.into_iter().map(|index| graph[index]).collect())
                .collect();
            let Some(cycle) = cycles.first() else {
                return Ok(());
            };
            let parted = self.part(&cycles);
            if !parted {
                return Err(PlanError::Cycle(
                    cycle.iter().map(|place| self.describe(*place)).collect(),
                ));
            }
        }
    }

    /// Parts children whose own edges lead from one step of a cycle to another: those that need, rather than those that
    /// are needed, since a foreign key can stand alone more easily than the column it refers to. `false` where there is
    /// none.
    fn part(&mut self, cycles: &[Vec<usize>]) -> bool {
        let mut cycle_of: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, cycle) in cycles.iter().enumerate() {
            cycle_of.extend(cycle.iter().map(|root| (*root, number)));
        }
        let (mut needing, mut needed) = (BTreeSet::new(), BTreeSet::new());
        for (first, second) in &self.edges {
            let (one, other) = (self.root(*first), self.root(*second));
            let crosses = one != other
                && cycle_of
                    .get(&one)
                    .is_some_and(|cycle| cycle_of.get(&other) == Some(cycle));
            if crosses {
                // Who needs another goes before it, and comes after it.
                let goes = self.nodes[*first].act == Act::Go;
                needing.insert(if goes { *first } else { *second });
                needed.insert(if goes { *second } else { *first });
            }
        }
        let can_part =
            |place: &usize| self.nodes[*place].joins.is_some() && !self.nodes[*place].bound;
        needing.retain(can_part);
        needed.retain(can_part);
        let chosen = if needing.is_empty() { needed } else { needing };
        for place in &chosen {
            self.nodes[*place].joins = None;
        }
        !chosen.is_empty()
    }

    /// Kahn's algorithm over the steps; where several could come next, [`next`] says which, so that the same input gives
    /// the same file.
    fn sorted(&self) -> Vec<(usize, Vec<usize>)> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..self.nodes.len() {
            members.entry(self.root(place)).or_default().push(place);
        }
        let mut waits: BTreeMap<usize, usize> = members.keys().map(|root| (*root, 0)).collect();
        let mut unlocks: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (first, second) in &self.edges {
            let (first, second) = (self.root(*first), self.root(*second));
            if first != second && unlocks.entry(first).or_default().insert(second) {
                *waits.entry(second).or_default() += 1;
            }
        }
        let mut ready: BTreeSet<(Precedence<'_>, usize)> = waits
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(root, _)| (self.precedence(*root), *root))
            .collect();
        let mut sorted = Vec::new();
        let mut last: Option<Precedence<'_>> = None;
        while let Some(next) = next(&ready, last) {
            ready.remove(&next);
            let (precedence, root) = next;
            last = Some(precedence);
            for next in unlocks.get(&root).into_iter().flatten() {
                if let Some(count) = waits.get_mut(next) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert((self.precedence(*next), *next));
                    }
                }
            }
            sorted.push((root, members.remove(&root).unwrap_or_default()));
        }
        sorted
    }

    fn precedence(&self, place: usize) -> Precedence<'a> {
        let Node { id, act, .. } = &self.nodes[place];
        let schema = self.schema(*act);
        let entry = schema.entry(id);
        let top = top(schema, id);
        let position = entry.map_or(0, |entry| entry.position());
        // What came last goes first.
        let sign = if *act == Act::Go { -1 } else { 1 };
        (
            *act,
            sign * i16::from(top.kind().rank()),
            top,
            sign * i16::from(id.kind().rank()),
            position,
            id,
        )
    }

    fn schema(&self, act: Act) -> &'a Schema {
        match act {
            Act::Go => self.from,
            Act::Alter | Act::Come => self.to,
        }
    }

    fn describe(&self, place: usize) -> String {
        let Node { id, act, .. } = &self.nodes[place];
        match act {
            Act::Go => format!("drop {id}"),
            Act::Alter => format!("alter {id}"),
            Act::Come => format!("create {id}"),
        }
    }

    fn step(&self, root: usize, members: &[usize]) -> Step {
        let Node { id, act, .. } = &self.nodes[root];
        let statements = match act {
            Act::Go => self.removed(root, members),
            Act::Alter => self
                .work
                .get(id)
                .map(|_| self.altered(root, members))
                .unwrap_or_default(),
            Act::Come => self.created(root, members),
        };
        let statements: Vec<Statement> = statements
            .into_iter()
            .filter(|statement| {
                let is_between = statement.between().is_none_or(|(new, old)| {
                    self.place(new, Act::Come).is_some() && self.place(old, Act::Come).is_none()
                });
                let unless = statement.unless();
                is_between && unless.is_none_or(|id| self.place(id, Act::Come).is_none())
            })
            .collect();
        let new_parent = self.new_parent(id).filter(|_| *act != Act::Go);
        let statements = statements.into_iter().map(|statement| match new_parent {
            None => statement,
            Some(parent) if parent.holds_data() => self.in_peace(statement),
            // Its rows were computed when it came.
            Some(_) => statement.without(|hazard| !hazard.may_fail()),
        });
        let statements = statements.collect();
        let mut ids: Vec<Id> = vec![(*id).clone()];
        ids.extend(
            members
                .iter()
                .filter(|place| **place != root)
                .map(|place| self.nodes[*place].id.clone()),
        );
        let needs = match act {
            Act::Go => Vec::new(),
            Act::Alter | Act::Come => ids
                .iter()
                .flat_map(|id| self.to.needs(id).cloned())
                .collect(),
        };
        Step {
            ids,
            statements,
            needs,
        }
    }

    /// The statement without the risks that it has only where what it is about was there before.
    fn in_peace(&self, statement: Statement) -> Statement {
        statement.without_hazards(|id| self.from.entry(id).is_some())
    }

    /// The outermost object that the object is a part of, where that is made in the same plan: then nobody's work is at risk.
    fn new_parent(&self, id: &'a Id) -> Option<&'a Entry> {
        let top = top(self.to, id);
        let entry = self.to.entry(top).filter(|_| top != id)?;
        let work = self.work.get(top)?;
        // What holds no data is new whenever it comes: nobody can look at it before the plan ends.
        (work.comes && !(work.goes && entry.holds_data())).then_some(entry)
    }

    /// What drops an object. Where that loses nothing by itself, what goes with it and is no part of it tells its own loss.
    fn removed(&self, root: usize, members: &[usize]) -> Vec<Statement> {
        let removes = |place: usize| self.from.entry(self.nodes[place].id);
        let Some(entry) = removes(root) else {
            return Vec::new();
        };
        let mut statements = entry.remove(self.from);
        if let Some(last) = statements.pop_if(|last| last.hazards().is_empty()) {
            let gone = members.iter().filter_map(|place| removes(*place));
            let losses = gone
                .filter(|gone| gone.parent().is_none())
                .flat_map(|gone| gone.remove(self.from))
                .flat_map(|statement| statement.hazards().to_vec())
                .filter(Hazard::loses_data);
            statements.push(losses.fold(last, Statement::hazard));
        }
        statements
    }

    fn created(&self, root: usize, members: &[usize]) -> Vec<Statement> {
        let Some(entry) = self.to.entry(self.nodes[root].id) else {
            return Vec::new();
        };
        let clauses = self.clauses(root, members);
        let mut statements = entry.create(self.to, &clauses);
        let old = self.from.entry(self.nodes[root].id);
        if let Some(loss) = old.and_then(|old| old.loss(entry))
            && !statements.is_empty()
        {
            let first = statements.remove(0);
            statements.insert(0, first.hazard(loss));
        }
        let afterwards = clauses
            .iter()
            .flat_map(|clause| clause.afterwards().iter().cloned());
        if entry.parent().is_none() {
            statements.extend(afterwards.map(|statement| self.in_peace(statement)));
        } else {
            statements.extend(afterwards);
        }
        for member in members {
            let Node { id, along, .. } = &self.nodes[*member];
            let leader = along.as_ref().and_then(|leader| self.to.entry(leader));
            if let (Some(entry), Some(leader)) = (self.to.entry(id), leader) {
                statements.extend(entry.follow(leader, self.to));
            }
        }
        statements
    }

    /// What alters an object and then those that alter along with it.
    fn altered(&self, root: usize, members: &[usize]) -> Vec<Statement> {
        let others = members.iter().filter(|member| **member != root);
        let mut statements: Vec<Statement> = std::iter::once(&root)
            .chain(others)
            .filter_map(|place| self.work.get(self.nodes[*place].id)?.alters.clone())
            .flatten()
            .collect();
        statements.sort_by_key(|statement| !statement.is_ahead());
        statements
    }

    /// The clauses of what folds into a node, in the order in which a person would write them.
    fn clauses(&self, place: usize, members: &[usize]) -> Vec<Clause> {
        let mut children: Vec<(Kind, i32, usize)> = members
            .iter()
            .filter(|member| {
                let Node { joins, along, .. } = &self.nodes[**member];
                *joins == Some(place) && along.is_none()
            })
            .map(|member| {
                let id = self.nodes[*member].id;
                (
                    id.kind(),
                    self.to.entry(id).map_or(0, |entry| entry.position()),
                    *member,
                )
            })
            .collect();
        children.sort_unstable();
        children
            .into_iter()
            .filter_map(|(_, _, child)| {
                let inner = self.clauses(child, members);
                let entry: &Entry = self.to.entry(self.nodes[child].id)?;
                entry.clause(self.to, &inner)
            })
            .collect()
    }
}

/// The names that an object has in a schema.
fn slots(schema: &Schema, id: &Id) -> BTreeSet<Slot> {
    schema
        .entry(id)
        .map(|entry| entry.occupies().into_iter().collect())
        .unwrap_or_default()
}

/// The outermost object that the object is a part of.
pub(super) fn top<'a>(schema: &'a Schema, id: &'a Id) -> &'a Id {
    let mut top = id;
    while let Some((parent, _)) = schema
        .entry(top)
        .and_then(|entry| entry.parent())
        .and_then(|parent| schema.entries_at(&parent))
    {
        top = parent;
    }
    top
}

/// The step to take next: one that is about the same outermost object as the last, else the one that precedes.
fn next<'a>(
    ready: &BTreeSet<(Precedence<'a>, usize)>,
    last: Option<Precedence<'a>>,
) -> Option<(Precedence<'a>, usize)> {
    let same = last.and_then(|(act, rank, top, ..)| {
        // No rank is as low as that, so this stands before everything about the same object.
        let begin = ((act, rank, top, i16::MIN, i32::MIN, top), 0);
        let found = ready.range(begin..).next();
        found.filter(|((other_act, _, other_top, ..), _)| (*other_act, *other_top) == (act, top))
    });
    same.or_else(|| ready.first()).copied()
}
