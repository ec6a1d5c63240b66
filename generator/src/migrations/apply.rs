//! Applying migrations, with Diesel's own record of them, and with the care that Diesel leaves to its callers: one
//! at a time, in order, and with a failure that names file, line and statement.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::migrations::folder::{self, Migration};
use crate::postgres::connection::first_node;
use crate::postgres::scratch::{Database, ScratchError};

mod branches;
mod error;
mod journal;
mod leftovers;
mod lock;
mod losses;
mod options;
mod patience;
mod record;
mod redo;
mod rehearse;
mod remembered;
mod replaced;
mod resume;
mod run;
mod script;
mod stamp;
mod steering;
mod target;
#[cfg(test)]
mod tests;
mod unfinished;
mod watch;

pub use error::{ApplyError, CutOff};
pub use leftovers::{Leftovers, begun};
pub use losses::Loss;
pub use options::{Event, Listener, Options, Timeouts};
pub use record::Record;
pub use redo::redo;
pub(crate) use rehearse::try_all;
pub use rehearse::{Rehearsal, Stopped, rehearse};
pub use remembered::{edited, history};
pub use replaced::{Halfway, halfway, without_replaced};
pub use script::script;
pub use stamp::{Stamping, stamp, would_stamp};
pub use steering::Steers;
pub use target::{DownTarget, StampTarget, UpTarget, find};

use branches::{is_merged, refuse_two_heads};
pub(crate) use lock::with_lock;
use replaced::forget_replaced;
use run::Direction;

/// A migration that was run, up or down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedReport {
    /// Its version.
    pub version: String,
    /// Its folder's name.
    pub name: String,
    /// The duration of the run.
    pub took: Duration,
}

/// The versions that are recorded as applied, oldest first; it does not make the record.
pub fn applied(connection: &mut PgConnection) -> Result<Vec<String>, ApplyError> {
    match Record::find(connection)? {
        Some(record) => record.versions(connection),
        None => Ok(Vec::new()),
    }
}

/// The migrations that are not applied.
#[must_use]
pub fn pending<'a>(migrations: &'a [Migration], applied: &[String]) -> Vec<&'a Migration> {
    migrations
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .collect()
}

/// The applied versions of which no migration is here.
#[must_use]
pub fn unknown(migrations: &[Migration], applied: Vec<String>) -> Vec<String> {
    let mut unknown = applied;
    unknown.retain(|version| {
        migrations
            .iter()
            .all(|migration| migration.version != *version)
    });
    unknown
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
    let migrations = folder::read(dir)?;
    with_lock(connection, options, |connection| {
        unfinished::before_upgrade(connection, &migrations, options)?;
        let chosen = to_apply(connection, &migrations, target, options)?;
        run_all(connection, &chosen, Direction::Up, options)
    })
}

/// The pending migrations up to `target`, where nothing is against them.
fn to_apply<'a>(
    connection: &mut PgConnection,
    migrations: &'a [Migration],
    target: &UpTarget,
    options: Options<'_>,
) -> Result<Vec<&'a Migration>, ApplyError> {
    let record = Record::make(connection)?;
    let applied = record.versions(connection)?;
    let applied = forget_replaced(connection, migrations, &applied)?;
    let chosen = target.choose(migrations, pending(migrations, &applied))?;
    if options.allow_out_of_order {
        return Ok(chosen);
    }
    let late: Vec<_> = out_of_order(migrations, &applied)
        .into_iter()
        .filter(|late| chosen.contains(late) && !is_merged(migrations, &applied, late))
        .map(|late| late.name.clone())
        .collect();
    if let Some(newest) = applied.last().filter(|_| !late.is_empty()) {
        let folder = migrations.iter().find(|one| one.version == *newest);
        return Err(ApplyError::OutOfOrder {
            names: late,
            newest: folder.map_or(newest, |folder| &folder.name).clone(),
        });
    }
    refuse_two_heads(migrations, &applied, &chosen)?;
    Ok(chosen)
}

/// Takes applied migrations back to `target`, newest first, and says which.
pub fn downgrade(
    connection: &mut PgConnection,
    dir: &Path,
    target: &DownTarget,
    options: Options<'_>,
) -> Result<Vec<AppliedReport>, ApplyError> {
    let migrations = folder::read(dir)?;
    with_lock(connection, options, |connection| {
        unfinished::before_downgrade(connection, &migrations, options)?;
        let chosen = to_take_back(connection, &migrations, target)?;
        run_all(connection, &chosen, Direction::Down, options)
    })
}

/// The versions that [`downgrade`] would take back, oldest first.
pub fn would_take_back(
    connection: &mut PgConnection,
    dir: &Path,
    target: &DownTarget,
) -> Result<Vec<String>, ApplyError> {
    let migrations = folder::read(dir)?;
    chosen(connection, &migrations, target)
}

fn chosen(
    connection: &mut PgConnection,
    migrations: &[Migration],
    target: &DownTarget,
) -> Result<Vec<String>, ApplyError> {
    let applied = without_replaced(migrations, &applied(connection)?);
    Ok(target.choose(migrations, &applied)?.to_vec())
}

/// Existing rows and values that [`downgrade`] would destroy.
pub fn would_lose(
    connection: &mut PgConnection,
    dir: &Path,
    target: &DownTarget,
) -> Result<Vec<Loss>, ApplyError> {
    let migrations = folder::read(dir)?;
    let chosen = chosen(connection, &migrations, target)?;
    let those = chosen.iter().rev();
    let those = those.filter_map(|version| migrations.iter().find(|one| one.version == *version));
    Ok(losses::losses(connection, &those.collect::<Vec<_>>()))
}

/// The applied migrations after `target`, newest first; all are looked at before the first one is run.
fn to_take_back<'a>(
    connection: &mut PgConnection,
    migrations: &'a [Migration],
    target: &DownTarget,
) -> Result<Vec<&'a Migration>, ApplyError> {
    let applied = applied(connection)?;
    let applied = forget_replaced(connection, migrations, &applied)?;
    with_down(migrations, target.choose(migrations, &applied)?)
}

/// The migrations of these versions, newest first, where each has a folder and a way back.
fn with_down<'a>(
    migrations: &'a [Migration],
    versions: &[String],
) -> Result<Vec<&'a Migration>, ApplyError> {
    let mut chosen = Vec::new();
    for version in versions.iter().rev() {
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
    Ok(chosen)
}

/// Runs migrations on a scratch database as `upgrade` would on a live one.
pub fn replay(database: &Database, migrations: &[Migration]) -> Result<(), ApplyError> {
    replay_watched(database, migrations, |_, _| {})
}

/// The same, with something to be done before each migration.
pub(crate) fn replay_watched(
    database: &Database,
    migrations: &[Migration],
    mut before: impl FnMut(&mut PgConnection, &Migration),
) -> Result<(), ApplyError> {
    let fitted = fitted(database, migrations)?;
    let connection = &mut database.connect().map_err(ScratchError::from)?;
    // Diesel's record needs a namespace, and the one that sessions have may be for a migration to make.
    diesel::sql_query(
        "SELECT pg_catalog.set_config('search_path',
             pg_catalog.concat_ws(', ', nullif(pg_catalog.current_setting('search_path'), ''), 'public'), false)
         WHERE pg_catalog.current_schema() IS NULL",
    )
    .execute(connection)
    .map_err(ApplyError::bookkeeping)?;
    Record::make(connection)?;
    for (migration, next) in fitted.iter().zip(migrations) {
        before(connection, next);
        let done = run::run(connection, migration, Direction::Up, None);
        match done.map_err(|failed| failed.into_error(migration, Direction::Up, Vec::new())) {
            Ok(()) => {}
            Err(
                ApplyError::Failed { name, failure, .. } | ApplyError::Partly { name, failure, .. },
            ) => {
                let lacks = failure
                    .statement
                    .as_deref()
                    .and_then(|statement| missing_extension(connection, statement));
                return Err(ApplyError::NoReplay {
                    name,
                    failure,
                    lacks,
                });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// The advice for a CREATE EXTENSION of an extension that is not available on the scratch server.
fn missing_extension(connection: &mut PgConnection, statement: &str) -> Option<String> {
    let pg_query::NodeEnum::CreateExtensionStmt(create) = first_node(statement)? else {
        return None;
    };
    let name = create.extname;
    let query = "SELECT count(*) AS there, pg_catalog.current_setting('server_version_num')::int4 / 10000 AS major
         FROM pg_catalog.pg_available_extensions WHERE name::text = $1";
    let found: Available = diesel::sql_query(query)
        .bind::<Text, _>(&name)
        .get_result(connection)
        .ok()?;
    (found.there == 0).then(|| {
        format!(
            "the scratch server lacks the extension {name}: install it on that machine (on Debian and Ubuntu mostly the package \
             postgresql-{}-{name}), or name a server that has it with --scratch-url; to do without, create it only where \
             pg_available_extensions has it",
            found.major
        )
    })
}

#[derive(QueryableByName)]
struct Available {
    #[diesel(sql_type = BigInt)]
    there: i64,
    #[diesel(sql_type = Integer)]
    major: i32,
}

/// The migrations as they run on a scratch.
fn fitted(database: &Database, migrations: &[Migration]) -> Result<Vec<Migration>, ApplyError> {
    let texts: Vec<&str> = migrations
        .iter()
        .flat_map(|one| [&*one.up, one.down.as_deref().unwrap_or_default()])
        .collect();
    let mut texts = database.fit(&texts)?.into_iter();
    let fitted = migrations.iter().map(|one| {
        let (up, down) = (texts.next(), texts.next());
        Migration {
            up: up.unwrap_or_default(),
            down: one.down.as_ref().and(down),
            ..one.clone()
        }
    });
    Ok(fitted.collect())
}

/// Takes migrations back on a scratch database, newest first.
pub fn replay_back(database: &Database, migrations: &[Migration]) -> Result<(), ApplyError> {
    let migrations = fitted(database, migrations)?;
    let connection = &mut database.connect().map_err(ScratchError::from)?;
    for migration in migrations.iter().rev() {
        let done = run::run(connection, migration, Direction::Down, None);
        done.map_err(|failed| failed.into_error(migration, Direction::Down, Vec::new()))?;
    }
    Ok(())
}

fn run_all(
    connection: &mut PgConnection,
    migrations: &[&Migration],
    direction: Direction,
    options: Options<'_>,
) -> Result<Vec<AppliedReport>, ApplyError> {
    for migration in migrations {
        steering::check(migration, direction)?;
    }
    options.timeouts.set(connection)?;
    if direction == Direction::Up
        && !migrations.is_empty()
        && let Some(record) = Record::find(connection)?
    {
        remembered::prepare(connection, &record);
    }
    let mut reports: Vec<AppliedReport> = Vec::new();
    for (number, migration) in migrations.iter().enumerate() {
        options.listener.tell(&Event::Begins {
            name: &migration.name,
            number: number + 1,
            of: migrations.len(),
        });
        if let Some(what) = steering::left_out(migration, direction) {
            let name = &migration.name;
            options
                .listener
                .tell(&Event::LeavesOut { name, what: &what });
        }
        let begun = Instant::now();
        let done = || reports.iter().map(|report| report.name.clone()).collect();
        patience::run(connection, migration, direction, options)
            .map_err(|failed| failed.into_error(migration, direction, done()))?;
        reports.push(AppliedReport {
            version: migration.version.clone(),
            name: migration.name.clone(),
            took: begun.elapsed(),
        });
    }
    Ok(reports)
}
