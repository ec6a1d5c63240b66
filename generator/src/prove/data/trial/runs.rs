//! Hazards that the statements of a run declare.

use std::collections::BTreeSet;

use trueup::{Hazard, Id, Statement};

use crate::prove::data::Run;

pub(super) fn losses(runs: &[Run]) -> impl Iterator<Item = (&Id, &str)> {
    told(runs).filter_map(|hazard| match hazard {
        Hazard::LosesData { of, what, .. } => Some((of, what.as_str())),
        Hazard::ChangesValues { .. }
        | Hazard::DropsAlong { .. }
        | Hazard::LeavesType { .. }
        | Hazard::RunsCode { .. }
        | Hazard::WritesRows { .. }
        | Hazard::RewritesTable { .. }
        | Hazard::ScansTable { .. }
        | Hazard::UpdatesRows { .. }
        | Hazard::Locks { .. }
        | Hazard::MayFail { .. }
        | Hazard::FailsOn { .. }
        | Hazard::BreaksDeployed { .. }
        | Hazard::MayBreakCode { .. }
        | Hazard::BreaksCode { .. } => None,
    })
}

/// Objects whose values may be gone or changed.
pub(super) fn hazards(runs: &[Run]) -> BTreeSet<&Id> {
    told(runs)
        .filter_map(|hazard| match hazard {
            Hazard::LosesData { of, .. }
            | Hazard::ChangesValues { of, .. }
            | Hazard::WritesRows { of, .. } => Some(of),
            Hazard::DropsAlong { .. }
            | Hazard::LeavesType { .. }
            | Hazard::RunsCode { .. }
            | Hazard::RewritesTable { .. }
            | Hazard::ScansTable { .. }
            | Hazard::UpdatesRows { .. }
            | Hazard::Locks { .. }
            | Hazard::MayFail { .. }
            | Hazard::FailsOn { .. }
            | Hazard::BreaksDeployed { .. }
            | Hazard::MayBreakCode { .. }
            | Hazard::BreaksCode { .. } => None,
        })
        .collect()
}

fn told(runs: &[Run]) -> impl Iterator<Item = &Hazard> {
    let statements = runs.iter().flat_map(|run| &run.statements);
    statements.flat_map(Statement::hazards)
}

/// The number of statements up to and including the last that respells values, as a renamed enum label does.
pub(super) fn after_respelling(runs: &[Run]) -> usize {
    let all = runs.iter().flat_map(|run| &run.statements);
    let last = all
        .enumerate()
        .filter(|(_, one)| one.is_respelling())
        .last();
    last.map_or(0, |(place, _)| place + 1)
}

/// The number of statements before the first that respells values, as a renamed enum label does.
pub(super) fn before_respelling(runs: &[Run]) -> usize {
    let mut all = runs.iter().flat_map(|run| &run.statements);
    all.position(Statement::is_respelling).unwrap_or(usize::MAX)
}

/// So many statements, and the rest.
pub(super) fn parted(runs: &[Run], count: usize) -> (Vec<Run>, Vec<Run>) {
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    let mut left = count;
    for run in runs {
        let at = left.min(run.statements.len());
        left -= at;
        let part = |statements: &[Statement]| Run {
            statements: statements.to_vec(),
            in_transaction: run.in_transaction,
        };
        let (before, after) = run.statements.split_at(at);
        head.extend((!before.is_empty()).then(|| part(before)));
        tail.extend((!after.is_empty()).then(|| part(after)));
    }
    (head, tail)
}
