//! Branches that know nothing of each other: neither was tried where the other is.

use super::ApplyError;
use crate::migrations::folder::{Lineage, Migration};

/// Refuses migrations of which the database has, or would get, another branch too.
pub(super) fn refuse_two_heads(
    migrations: &[Migration],
    applied: &[String],
    chosen: &[&Migration],
) -> Result<(), ApplyError> {
    let is_chosen = |one: &&Migration| chosen.iter().any(|other| other.version == one.version);
    let branches = Lineage::of(migrations).branches();
    let met: Vec<_> = branches
        .iter()
        .filter(|branch| {
            let mut all = branch.migrations.iter();
            all.any(|one| is_chosen(one) || applied.contains(&one.version))
        })
        .collect();
    let new = met
        .iter()
        .any(|branch| branch.migrations.iter().any(is_chosen));
    if met.len() < 2 || !new {
        return Ok(());
    }
    let heads = met.iter().filter_map(|branch| branch.migrations.last());
    Err(ApplyError::TwoHeads {
        heads: heads.map(|head| head.name.clone()).collect(),
    })
}

/// True if a migration was tested both before and after every newer applied one.
pub(super) fn is_merged(migrations: &[Migration], applied: &[String], late: &Migration) -> bool {
    let lineage = Lineage::of(migrations);
    applied
        .iter()
        .filter(|version| **version > late.version)
        .all(|newer| lineage.are_joined(&late.version, newer))
}
