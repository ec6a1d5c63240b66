//! Neighbouring actions of ALTER TABLE on one table become one statement, so that Postgres rewrites or scans the table once.
//!
//! Postgres runs the actions of one statement in passes, and computes the values of all columns at its end. So an action joins
//! others only where it depends on none of them, or runs later all the same.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Pass, Statement};

use super::{Act, sorting::Precedence};
use crate::plan::Step;

/// A step whose last action others may still join.
pub(super) struct Group<'s> {
    table: &'s str,
    /// The roots of the steps in it, each with the pass of what it begins with.
    members: Vec<(usize, Pass)>,
    /// True if statements follow that a joining action would overtake.
    is_followed: bool,
}

impl<'s> Group<'s> {
    /// The group that a step begins: `None` where nothing may join it.
    pub(super) fn begin(root: usize, step: &'s Step) -> Option<Self> {
        let place = step
            .statements
            .iter()
            .rposition(|one| one.table().is_some())?;
        let (open, rest) = step.statements[place..].split_first()?;
        let ((pass, _), table) = (open.passes()?, open.table()?);
        rest.iter().all(may_be_overtaken).then(|| Self {
            table,
            members: vec![(root, pass)],
            is_followed: !rest.is_empty(),
        })
    }

    /// True if the step begins with an action that may join. `unlocks`: what waits for what.
    fn admits(&self, root: usize, step: &Step, unlocks: &BTreeMap<usize, BTreeSet<usize>>) -> bool {
        let Some((table, first)) = offer(step) else {
            return false;
        };
        let waits = |member: &usize| unlocks.get(member).is_some_and(|all| all.contains(&root));
        let mut needs = self.members.iter().filter(|(member, _)| waits(member));
        table == self.table
            && needs.all(|(_, pass)| match pass {
                // No type and no value depends on a constraint.
                Pass::Constrain | Pass::Validate => true,
                // Columns are added in the order in which they stand there.
                Pass::AddColumn => first >= Pass::AddColumn && !self.is_followed,
                Pass::Retype => first > Pass::Retype && !self.is_followed,
            })
    }

    /// The group with one more step; `None` where that ends it.
    pub(super) fn with(mut self, root: usize, step: &Step) -> Option<Self> {
        let (open, rest) = step.statements.split_first()?;
        let (pass, _) = open.passes()?;
        self.members.push((root, pass));
        self.is_followed |= !rest.is_empty();
        rest.iter().all(may_be_overtaken).then_some(self)
    }
}

/// An expression that a person wrote may read what an action changes.
fn may_be_overtaken(statement: &Statement) -> bool {
    statement.origin().is_none() && !statement.is_update()
}

/// The table and the pass of the action that a step begins with.
fn offer(step: &Step) -> Option<(&str, Pass)> {
    let first = step.statements.first()?;
    Some((first.table()?, first.passes()?.0))
}

/// The steps that could come next and join others, and those that must not be overtaken.
#[derive(Default)]
pub(super) struct Candidates<'a, 's> {
    offers: BTreeMap<&'s str, BTreeSet<(Precedence<'a>, usize)>>,
    barriers: BTreeSet<(Precedence<'a>, usize)>,
}

impl<'a, 's> Candidates<'a, 's> {
    pub(super) fn insert(&mut self, one: (Precedence<'a>, usize), step: &'s Step) {
        if let Some((table, _)) = offer(step) {
            self.offers.entry(table).or_default().insert(one);
        }
        if !step.statements.iter().all(may_be_overtaken) {
            self.barriers.insert(one);
        }
    }

    pub(super) fn remove(&mut self, one: (Precedence<'a>, usize), step: &Step) {
        if let Some((table, _)) = offer(step)
            && let Some(offers) = self.offers.get_mut(table)
        {
            offers.remove(&one);
        }
        self.barriers.remove(&one);
    }

    /// The first that may join the group. `all`: the steps that could come next.
    pub(super) fn next(
        &self,
        group: &Group<'_>,
        last: Precedence<'a>,
        all: &BTreeSet<(Precedence<'a>, usize)>,
        steps: &BTreeMap<usize, Step>,
        unlocks: &BTreeMap<usize, BTreeSet<usize>>,
    ) -> Option<(Precedence<'a>, usize)> {
        let (stage, _, _, whole, ..) = last;
        let barrier = self
            .barriers
            .iter()
            .find(|((other_stage, _, _, other, ..), _)| (*other_stage, *other) == (stage, whole));
        let offers = self.offers.get(group.table)?.iter();
        let mut reachable = offers.take_while(|one| barrier.is_none_or(|barrier| *one < barrier));
        let joins = |((other_stage, ..), root): &&(Precedence<'a>, usize)| {
            let step = steps.get(root);
            *other_stage == stage && step.is_some_and(|step| group.admits(*root, step, unlocks))
        };
        reachable
            .find(|one| joins(one) && !overtakes(one.0, all))
            .copied()
    }
}

/// True if an object would come before a sibling of a lower position: columns stay in order.
fn overtakes<'a>(one: Precedence<'a>, all: &BTreeSet<(Precedence<'a>, usize)>) -> bool {
    let (stage, act, rank, whole, kind, position, id) = one;
    let first = ((stage, act, rank, whole, kind, i32::MIN, id), 0);
    let sibling = all.range(first..).next();
    act == Act::Come && sibling.is_some_and(|((.., earlier, _), _)| *earlier < position)
}

/// The steps in their order, with those that join another in it. Each comes with its root, and whether it joins the one before.
pub(super) fn joined(
    steps: &mut BTreeMap<usize, Step>,
    order: impl IntoIterator<Item = (usize, bool)>,
) -> Vec<Step> {
    let mut all: Vec<Step> = Vec::new();
    for (root, joins) in order {
        let Some(step) = steps.remove(&root) else {
            continue;
        };
        match all.last_mut().filter(|_| joins) {
            Some(group) => join(group, step),
            None => all.push(step),
        }
    }
    all
}

fn join(group: &mut Step, step: Step) {
    let mut statements = step.statements.into_iter();
    let open = group
        .statements
        .iter_mut()
        .rfind(|one| one.table().is_some());
    if let (Some(open), Some(first)) = (open, statements.next()) {
        match open.join(&first) {
            Some(joined) => *open = joined,
            None => group.statements.push(first),
        }
    }
    group.statements.extend(statements);
    group.ids.extend(step.ids);
    group.needs.extend(step.needs);
}

/// The statements of one step, with neighbours as one where Postgres then does the same.
pub(super) fn neighbours(statements: impl IntoIterator<Item = Statement>) -> Vec<Statement> {
    let mut all: Vec<Statement> = Vec::new();
    for next in statements {
        let joined = all.last().and_then(|last| {
            let ((_, before), (after, _)) = (last.passes()?, next.passes()?);
            last.join(&next).filter(|_| before <= after)
        });
        match (all.last_mut(), joined) {
            (Some(last), Some(joined)) => *last = joined,
            (Some(_) | None, None) | (None, Some(_)) => all.push(next),
        }
    }
    all
}
