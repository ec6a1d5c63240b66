//! The statements of a node and of what goes along with it.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Clause, DataStep, Entry, Hazard, Id, Kind, Statement};

use super::{
    Act, Graph, Node,
    joining::{joined, neighbours},
    sorting::Stage,
    top,
};
use crate::plan::Step;

impl<'a> Graph<'a> {
    /// All steps, in order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..self.nodes.len() {
            members.entry(self.root(place)).or_default().push(place);
        }
        let steps = members.into_iter();
        let steps = steps.map(|(root, members)| (root, self.step(root, &members)));
        let mut steps: BTreeMap<usize, Step> = steps.collect();
        let unlocks = self.unlocks();
        let stages = self.stages(&unlocks, &steps);
        let put_off = self.beside_data(&mut steps, &stages);
        let mut order = self.sorted(&steps, &unlocks, &stages);
        let is_after = |(root, _): &(usize, bool)| comes_after_data(&stages, *root);
        let after = order.iter().position(is_after).unwrap_or(order.len());
        let after = order.split_off(after);
        let mut all = joined(&mut steps, order);
        all.extend(put_off);
        all.extend(joined(&mut steps, after));
        all
    }

    /// Marks where statements stand to a data step. Returns what comes after it though its step comes before.
    fn beside_data(
        &self,
        steps: &mut BTreeMap<usize, Step>,
        stages: &BTreeMap<usize, Stage>,
    ) -> Option<Step> {
        let mut put_off = Step {
            ids: Vec::new(),
            statements: Vec::new(),
            needs: Vec::new(),
        };
        for (root, step) in steps {
            let mark = if comes_after_data(stages, *root) {
                Some(DataStep::After)
            } else if self.makes_room(*root) {
                Some(DataStep::TakesRows)
            } else {
                None
            };
            for statement in std::mem::take(&mut step.statements) {
                match (statement.data_step(), mark) {
                    (Some(DataStep::After), None | Some(DataStep::TakesRows)) => {
                        put_off.ids.extend(step.ids.first().cloned());
                        put_off.needs.extend(step.needs.iter().cloned());
                        put_off.statements.push(statement);
                    }
                    (_, Some(mark)) => step.statements.push(statement.beside_data(mark)),
                    (None | Some(DataStep::TakesRows), None) => step.statements.push(statement),
                }
            }
        }
        put_off.statements = neighbours(put_off.statements);
        (!put_off.statements.is_empty()).then_some(put_off)
    }

    fn step(&self, root: usize, members: &[usize]) -> Step {
        let Node { id, act, .. } = &self.nodes[root];
        let statements = match act {
            Act::Go => self.removed(root, members),
            Act::Alter | Act::Clear => self.altered(root, members),
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
        let there = |id: &Id| self.from.entry(id).is_some();
        let statements =
            statements.map(|statement| statement.without(|hazard| hazard.is_of_nobody(there)));
        let statements = neighbours(statements);
        let mut ids: Vec<Id> = vec![(*id).clone()];
        ids.extend(
            members
                .iter()
                .filter(|place| **place != root)
                .map(|place| self.nodes[*place].id.clone()),
        );
        let needs = match act {
            Act::Go | Act::Clear => Vec::new(),
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
        // An object without data counts as new even if it is recreated: nobody can read it before the plan ends.
        (work.comes && !(work.goes && entry.holds_data())).then_some(entry)
    }

    /// The statements that drop an object. If they lose nothing by themselves, they declare the losses of other objects that
    /// are dropped along.
    fn removed(&self, root: usize, members: &[usize]) -> Vec<Statement> {
        let removes = |place: usize| self.from.entry(self.nodes[place].id);
        let Some(entry) = removes(root) else {
            return Vec::new();
        };
        let mut statements = entry.remove(self.from);
        if self.to.entry(self.nodes[root].id).is_some() {
            statements = statements
                .into_iter()
                .map(Statement::of_what_comes_back)
                .collect();
        }
        let is_bare = |last: &mut Statement| last.hazards().iter().all(Hazard::breaks_programs);
        if let Some(last) = statements.pop_if(is_bare) {
            let gone = members.iter().filter_map(|place| removes(*place));
            let losses = gone
                .filter(|gone| gone.parent().is_none())
                .flat_map(|gone| gone.remove(self.from))
                .flat_map(|statement| statement.hazards().to_vec())
                .filter(Hazard::loses_data);
            statements.push(losses.fold(last, Statement::hazard));
        }
        if let Some(last) = statements.pop() {
            let along = self.along(root, members);
            statements.push(along.fold(last, Statement::hazard));
        }
        statements
    }

    /// Unread objects that are dropped along.
    fn along(&self, root: usize, members: &[usize]) -> impl Iterator<Item = Hazard> {
        let places = std::iter::once(root).chain(members.iter().copied());
        let ids: BTreeSet<&Id> = places.map(|place| self.nodes[place].id).collect();
        let unread = self.from.unread().iter();
        unread
            .filter(move |unread| unread.part_of.iter().any(|owner| ids.contains(owner)))
            .filter(|unread| unread.goes_along(self.from, self.to))
            .map(|unread| Hazard::DropsAlong {
                what: unread.what.clone(),
            })
    }

    fn created(&self, root: usize, members: &[usize]) -> Vec<Statement> {
        let Some(entry) = self.to.entry(self.nodes[root].id) else {
            return Vec::new();
        };
        let clauses = self.clauses(root, members);
        let mut statements = entry.create(self.to, &clauses);
        let old = self.from.entry(self.nodes[root].id);
        if old == Some(entry) {
            let as_before = |one: Statement| one.without(Hazard::breaks_programs);
            statements = statements.into_iter().map(as_before).collect();
        }
        if old.is_some_and(|old| old.vouches(entry)) && !self.changes_what_it_needs(root) {
            let told = |one: Statement| one.without(Hazard::may_fail);
            statements = statements.into_iter().map(told).collect();
        }
        if let Some(loss) = old.and_then(|old| old.loss(entry, self.to))
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

    /// True if anything that an object needs is not as it was when it comes, or has got other rows.
    fn changes_what_it_needs(&self, place: usize) -> bool {
        let mut needs: BTreeSet<&Id> = BTreeSet::new();
        let mut next = vec![self.nodes[place].id];
        while let Some(id) = next.pop() {
            let more = self.from.needs(id).chain(self.to.needs(id));
            next.extend(more.filter(|on| needs.insert(on)));
        }
        let mut comes = self.work.iter().filter(|(_, work)| work.comes);
        let gets_rows = comes.any(|(tie, _)| {
            let ends = self.to.entry(tie).map(|entry| entry.ties());
            ends.into_iter().flatten().any(|end| needs.contains(&end))
        });
        gets_rows
            || needs
                .iter()
                .any(|on| self.from.entry(on) != self.to.entry(on))
    }

    /// The statements that alter an object and then those that alter along with it, and those that clear the old one away.
    fn altered(&self, root: usize, members: &[usize]) -> Vec<Statement> {
        let others = members.iter().filter(|member| **member != root);
        let mut statements: Vec<Statement> = std::iter::once(&root)
            .chain(others)
            .filter_map(|place| {
                let Node { id, act, .. } = &self.nodes[*place];
                let work = self.work.get(id)?;
                match act {
                    Act::Alter => work.alters.clone(),
                    Act::Clear => work.clears.clone(),
                    Act::Go | Act::Come => None,
                }
            })
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

/// True if a step comes after one in which a person moves rows.
fn comes_after_data(stages: &BTreeMap<usize, Stage>, root: usize) -> bool {
    stages
        .get(&root)
        .is_some_and(|stage| *stage >= Stage::AsksRows)
}
