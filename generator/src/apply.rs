//! Applying migrations, with Diesel's own harness and bookkeeping, and with the care that Diesel leaves to its callers: one
//! at a time, in order, and with a failure that names file, line and statement.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::MigrationHarness;

use crate::migration::{self, Migration};

mod error;
mod lock;
mod options;
mod patience;
mod resume;
mod run;
mod target;
#[cfg(test)]
mod tests;
mod watch;

pub use error::ApplyError;
pub use options::{Event, Listener, Options, Timeouts};
pub use target::{DownTarget, StampTarget, UpTarget, find};

use lock::with_lock;
use run::Direction;

/// A migration that was run, up or down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedReport {
    /// Its version.
    pub version: String,
    /// Its folder's name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

/// The versions that Diesel has recorded as applied, oldest first; it does not make Diesel's table.
pub fn applied(connection: &mut PgConnection) -> Result<Vec<String>, ApplyError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let exists = diesel::dsl::sql::<Bool>(
        "pg_catalog.to_regclass('__diesel_schema_migrations') IS NOT NULL",
    );
    if !diesel::select(exists)
        .get_result(connection)
        .map_err(ApplyError::bookkeeping)?
    {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = diesel::sql_query("SELECT version::text FROM __diesel_schema_migrations")
        .load(connection)
        .map_err(ApplyError::bookkeeping)?;
    let mut versions: Vec<_> = rows.into_iter().map(|row| row.version).collect();
    // Here and not in the query: the database's collation may not be the order of bytes in which folders are sorted.
    versions.sort();
    Ok(versions)
}

/// The migrations that are not applied.
#[must_use]
pub fn pending<'a>(migrations: &'a [Migration], applied: &[String]) -> Vec<&'a Migration> {
    migrations
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .collect()
}

/// The pending migrations that are older than an applied one.
#[must_use]
pub fn out_of_order<'a>(migrations: &'a [Migration], applied: &[String]) -> Vec<&'a Migration> {
    let newest = applied.iter().max();
    pending(migrations, applied)
        .into_iter()
        .filter(|migration| newest.is_some_and(|newest| migration.version < *newest))
        .collect()
}

/// Applies pending migrations up to `target` and says which.
pub fn upgrade(
    connection: &mut PgConnection,
    dir: &Path,
    target: &UpTarget,
    options: Options<'_>,
) -> Result<Vec<AppliedReport>, ApplyError> {
    let migrations = migration::read(dir)?;
    with_lock(connection, options.wait, |connection| {
        let applied = make_and_read(connection)?;
        let pending = target.choose(&migrations, pending(&migrations, &applied))?;
        let late = out_of_order(&migrations, &applied);
        let late: Vec<_> = late
            .iter()
            .filter(|late| pending.contains(late))
            .map(|late| late.name.clone())
            .collect();
        if let Some(newest) = applied
            .last()
            .filter(|_| !late.is_empty() && !options.allow_out_of_order)
        {
            return Err(ApplyError::OutOfOrder {
                names: late,
                newest: newest.clone(),
            });
        }
        run_all(connection, &pending, Direction::Up, options)
    })
}

/// Takes applied migrations back to `target`, newest first, and says which.
pub fn downgrade(
    connection: &mut PgConnection,
    dir: &Path,
    target: &DownTarget,
    options: Options<'_>,
) -> Result<Vec<AppliedReport>, ApplyError> {
    let migrations = migration::read(dir)?;
    with_lock(connection, options.wait, |connection| {
        let applied = applied(connection)?;
        // All are looked at before the first one is run.
        let mut chosen = Vec::new();
        for version in target.choose(&migrations, &applied)?.iter().rev() {
            let found = migrations
                .iter()
                .find(|migration| migration.version == *version);
            let found = found.ok_or_else(|| ApplyError::NoFolder {
                version: version.clone(),
            })?;
            if found.down.is_none() {
                return Err(ApplyError::NoDown {
                    name: found.name.clone(),
                });
            }
            chosen.push(found);
        }
        run_all(connection, &chosen, Direction::Down, options)
    })
}

/// Records what is applied without running anything, so that an existing database can start; returns the versions that are
/// recorded then. Applied versions without a folder stay as they are unless they are newer than the target.
pub fn stamp(
    connection: &mut PgConnection,
    dir: &Path,
    target: &StampTarget,
    options: Options<'_>,
) -> Result<Vec<String>, ApplyError> {
    let migrations = migration::read(dir)?;
    let (wanted, limit) = target.choose(&migrations)?;
    with_lock(connection, options.wait, |connection| {
        let old = make_and_read(connection)?;
        let gone = old
            .iter()
            .filter(|version| limit.is_none_or(|limit| **version > *limit));
        let come = wanted.iter().filter(|version| !old.contains(version));
        let recorded = connection.transaction(|connection| {
            for version in gone {
                diesel::sql_query("DELETE FROM __diesel_schema_migrations WHERE version = $1")
                    .bind::<Text, _>(version)
                    .execute(connection)?;
            }
            for version in come {
                diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ($1)")
                    .bind::<Text, _>(version)
                    .execute(connection)?;
            }
            QueryResult::Ok(())
        });
        recorded.map_err(ApplyError::bookkeeping)?;
        applied(connection)
    })
}

/// Runs migrations on a scratch database as `upgrade` would on a live one.
pub fn replay(connection: &mut PgConnection, migrations: &[Migration]) -> Result<(), ApplyError> {
    make_and_read(connection)?;
    for migration in migrations {
        let done = run::run(connection, migration, Direction::Up);
        match done.map_err(|failed| failed.into_error(migration, Vec::new())) {
            Ok(()) => {}
            Err(ApplyError::Failed { name, failure, .. }) => {
                return Err(ApplyError::NoReplay { name, failure });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Makes Diesel's table if need be: `run_migration` alone fails on a fresh database.
fn make_and_read(connection: &mut PgConnection) -> Result<Vec<String>, ApplyError> {
    connection
        .applied_migrations()
        .map_err(ApplyError::bookkeeping)?;
    applied(connection)
}

fn run_all(
    connection: &mut PgConnection,
    migrations: &[&Migration],
    direction: Direction,
    options: Options<'_>,
) -> Result<Vec<AppliedReport>, ApplyError> {
    options.timeouts.set(connection)?;
    let mut reports: Vec<AppliedReport> = Vec::new();
    for (number, migration) in migrations.iter().enumerate() {
        options.listener.tell(&Event::Begins {
            name: &migration.name,
            number: number + 1,
            of: migrations.len(),
        });
        let begun = Instant::now();
        let done = || reports.iter().map(|report| report.name.clone()).collect();
        patience::run(connection, migration, direction, options)
            .map_err(|failed| failed.into_error(migration, done()))?;
        reports.push(AppliedReport {
            version: migration.version.clone(),
            name: migration.name.clone(),
            took: begun.elapsed(),
        });
    }
    Ok(reports)
}
