//! Cuts a plan into migrations: where something needs what the same plan made and a commit must come between, and around
//! what cannot run in a transaction.

use std::collections::BTreeSet;

use trueup::{Id, Statement};

use super::Step;

/// The part of a plan that is one migration.
#[derive(Clone, Default, Debug)]
pub struct Segment {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Whether it runs in one transaction.
    pub in_transaction: bool,
}

impl Segment {
    /// The statements, in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.steps.iter().flat_map(|step| &step.statements)
    }
}

pub(super) fn segments(steps: Vec<Step>) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut current = Segment {
        steps: Vec::new(),
        in_transaction: true,
    };
    let mut uncommitted: BTreeSet<Id> = BTreeSet::new();
    for step in steps.into_iter().filter(|step| !step.statements.is_empty()) {
        let alone = step.statements.iter().any(Statement::is_alone);
        let waits = step.needs.iter().any(|need| uncommitted.contains(need));
        if (alone || waits || !current.in_transaction) && !current.steps.is_empty() {
            segments.push(std::mem::replace(
                &mut current,
                Segment {
                    steps: Vec::new(),
                    in_transaction: true,
                },
            ));
            uncommitted.clear();
        }
        if step.statements.iter().any(Statement::needs_commit) {
            uncommitted.extend(step.ids.first().cloned());
        }
        current.in_transaction = !alone;
        current.steps.push(step);
    }
    if !current.steps.is_empty() {
        segments.push(current);
    }
    segments
}
