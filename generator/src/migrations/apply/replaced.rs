//! Migrations that were squashed into one: what a database has of them.
//!
//! The one that stands for them has the version of the last, so a database that has them all has it recorded already.

use std::fmt;

use diesel::prelude::*;
use serde::Serialize;

use super::ApplyError;
use super::record::Record;
use crate::migrations::folder::Migration;

/// The applied versions but for those that an applied migration stands for.
#[must_use]
pub fn without_replaced(migrations: &[Migration], applied: &[String]) -> Vec<String> {
    let replaced = replaced(migrations, applied);
    let rest = applied.iter().filter(|version| !replaced.contains(version));
    rest.cloned().collect()
}

/// A database that has some of the migrations that one stands for, and not all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Halfway {
    /// The folder's name of the one.
    pub name: String,
    /// The versions that the database has.
    pub has: Vec<String>,
    /// The advice for the user.
    pub advice: String,
}

impl fmt::Display for Halfway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, has, .. } = self;
        let has = has.join(", ");
        write!(
            f,
            "{name} stands for several migrations, and the database has only some of them: {has}"
        )
    }
}

/// The migrations of which a database has a part.
#[must_use]
pub fn halfway(migrations: &[Migration], applied: &[String]) -> Vec<Halfway> {
    let mut found = Vec::new();
    for (index, migration) in migrations.iter().enumerate() {
        let others = others(migration, applied);
        let direct = migration.header.iter().flat_map(|header| &header.replaces);
        let mut missing = direct.filter(|one| !applied.contains(&one.version));
        // One that has forgotten the others, or never had them, has the one itself at most.
        let Some(first) = missing.next().filter(|_| !others.is_empty()) else {
            continue;
        };
        let mut advice =
            "go to the commit before they were squashed, `trueup upgrade` there, and come back"
                .to_owned();
        // Another tool's way back runs the one's down.sql, and takes the one alone out of the record.
        if first.version == migration.version && missing.next().is_none() {
            let before = index
                .checked_sub(1)
                .and_then(|before| migrations.get(before));
            let before = before.map_or("base", |before| before.version.as_str());
            advice += &format!(
                ". Where `diesel migration revert` took all of it back: `trueup stamp {before}` records that, and `trueup upgrade` \
                 applies it again"
            );
        }
        found.push(Halfway {
            name: migration.name.clone(),
            has: others.into_iter().cloned().collect(),
            advice,
        });
    }
    found
}

/// Takes those out of Diesel's record that an applied migration stands for, and returns the rest. A database that has some of
/// them and not the last is at a place to which no migration here leads.
pub(super) fn forget_replaced(
    connection: &mut PgConnection,
    migrations: &[Migration],
    applied: &[String],
) -> Result<Vec<String>, ApplyError> {
    if let Some(halfway) = halfway(migrations, applied).into_iter().next() {
        return Err(ApplyError::Halfway(halfway));
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
