//! The record is told what a database has, and nothing is run.

use std::path::Path;

use diesel::prelude::*;

use super::record::Record;
use super::{ApplyError, Options, StampTarget, applied, journal, lock::with_lock, remembered};
use crate::migrations::folder::{self, Migration};

/// Records what is applied without running anything, so that an existing database can start; returns the versions that are
/// recorded then. Applied versions without a folder stay as they are unless they are newer than the target.
pub fn stamp(
    connection: &mut PgConnection,
    dir: &Path,
    target: &StampTarget,
    options: Options<'_>,
) -> Result<Vec<String>, ApplyError> {
    let migrations = folder::read(dir)?;
    with_lock(connection, options, |connection| {
        let record = Record::make(connection)?;
        let old = record.versions(connection)?;
        let Stamping { recorded, removed } = stamping(&migrations, target, &old)?;
        remembered::prepare(connection, &record);
        let done = connection.transaction(|connection| {
            for version in &removed {
                record.remove(connection, version)?;
            }
            for migration in &migrations {
                if recorded.contains(&migration.version) {
                    record.add(connection, migration)?;
                }
            }
            // A stamped state is by definition not interrupted.
            journal::forget(connection)
        });
        done.map_err(ApplyError::bookkeeping)?;
        record.versions(connection)
    })
}

/// The changes to the record that a stamp makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamping {
    /// The versions that count as applied then and do not now.
    pub recorded: Vec<String>,
    /// The versions that count as applied now and will not then.
    pub removed: Vec<String>,
}

impl Stamping {
    /// True if the record needs no change.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.recorded.is_empty() && self.removed.is_empty()
    }
}

/// The changes that [`stamp`] would make.
pub fn would_stamp(
    connection: &mut PgConnection,
    dir: &Path,
    target: &StampTarget,
) -> Result<Stamping, ApplyError> {
    stamping(&folder::read(dir)?, target, &applied(connection)?)
}

fn stamping(
    migrations: &[Migration],
    target: &StampTarget,
    applied: &[String],
) -> Result<Stamping, ApplyError> {
    let (wanted, limit) = target.choose(migrations)?;
    let beyond = |version: &&String| limit.is_none_or(|limit| **version > *limit);
    let recorded = wanted.into_iter().filter(|one| !applied.contains(one));
    Ok(Stamping {
        recorded: recorded.cloned().collect(),
        removed: applied.iter().filter(beyond).cloned().collect(),
    })
}
