//! Migrations that were squashed into one: what a database has of them.
//!
//! The one that stands for them has the version of the last, so a database that has them all has it recorded already.

use diesel::prelude::*;

use super::ApplyError;
use super::record::Record;
use crate::migration::Migration;

/// The applied versions but for those that an applied migration stands for.
#[must_use]
pub fn without_replaced(migrations: &[Migration], applied: &[String]) -> Vec<String> {
    let replaced = replaced(migrations, applied);
    let rest = applied.iter().filter(|version| !replaced.contains(version));
    rest.cloned().collect()
}

/// Takes those out of Diesel's record that an applied migration stands for, and returns the rest. A database that has some of
/// them and not the last is at a place to which no migration here leads.
pub(super) fn forget_replaced(
    connection: &mut PgConnection,
    migrations: &[Migration],
    applied: &[String],
) -> Result<Vec<String>, ApplyError> {
    for migration in migrations {
        let others = others(migration, applied);
        let mut direct = migration.header.iter().flat_map(|header| &header.replaces);
        let has_all = direct.all(|one| applied.contains(&one.version));
        // One that has forgotten the others, or never had them, has the one itself at most.
        if !others.is_empty() && !has_all {
            return Err(ApplyError::Halfway {
                name: migration.name.clone(),
                has: others.into_iter().cloned().collect(),
            });
        }
    }
    let replaced = replaced(migrations, applied);
    let record = Record::find(connection)?;
    let forgotten = connection.transaction(|connection| {
        for (version, record) in replaced.iter().zip(record.iter().cycle()) {
            record.remove(connection, version)?;
        }
        QueryResult::Ok(())
    });
    forgotten.map_err(ApplyError::bookkeeping)?;
    Ok(without_replaced(migrations, applied))
}

fn replaced<'a>(migrations: &[Migration], applied: &'a [String]) -> Vec<&'a String> {
    migrations
        .iter()
        .filter(|migration| applied.contains(&migration.version))
        .flat_map(|migration| others(migration, applied))
        .collect()
}

/// The applied versions that a migration stands for, without its own.
fn others<'a>(migration: &Migration, applied: &'a [String]) -> Vec<&'a String> {
    applied
        .iter()
        .filter(|version| **version != migration.version && migration.replaces(version).is_some())
        .collect()
}
