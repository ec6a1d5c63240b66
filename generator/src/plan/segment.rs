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
    /// True if it runs in one transaction.
    pub in_transaction: bool,
}

impl Segment {
    fn new() -> Self {
        Self {
            steps: Vec::new(),
            in_transaction: true,
        }
    }

    /// The statements, in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.steps.iter().flat_map(|step| &step.statements)
    }
}

pub(super) fn segments(steps: Vec<Step>) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut current = Segment::new();
    let mut uncommitted: BTreeSet<Id> = BTreeSet::new();
    // The number of the current segment's steps that a commit must follow before other steps run.
    let mut first = 0;
    for step in steps.into_iter().filter(|step| !step.statements.is_empty()) {
        let alone = step.statements.iter().any(Statement::is_alone);
        if step.needs.iter().any(|need| uncommitted.contains(need)) {
            // The remaining steps move to the next segment: objects that they drop are then recreated by the same migration.
            let rest = current.steps.split_off(first);
            segments.push(std::mem::replace(&mut current, Segment::new()));
            current.steps = rest;
            uncommitted.clear();
        }
        if (alone || !current.in_transaction) && !current.steps.is_empty() {
            segments.push(std::mem::replace(&mut current, Segment::new()));
            uncommitted.clear();
        }
        let needs_commit = step.statements.iter().any(Statement::needs_commit);
        if needs_commit {
            uncommitted.extend(step.ids.first().cloned());
        }
        current.in_transaction = !alone;
        current.steps.push(step);
        if needs_commit {
            first = current.steps.len();
        }
    }
    if !current.steps.is_empty() {
        segments.push(current);
    }
    segments
}
