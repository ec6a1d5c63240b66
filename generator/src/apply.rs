//! Applying migrations, with Diesel's own harness and bookkeeping, and with the care that Diesel leaves to its callers: one
//! at a time, in order, and with a failure that names file, line and statement.

use std::path::Path;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel_migrations::MigrationHarness;

use crate::migration::{self, Migration};
use crate::scratch::{Database, ScratchError};

mod branches;
mod error;
mod lock;
mod options;
mod patience;
mod redo;
mod rehearse;
mod remembered;
mod replaced;
mod resume;
mod run;
mod script;
mod steering;
mod target;
#[cfg(test)]
mod tests;
mod watch;

pub use error::ApplyError;
pub use options::{Event, Listener, Options, Timeouts};
pub use redo::redo;
pub use rehearse::{Rehearsal, Stopped, rehearse};
pub use remembered::{edited, history};
pub use replaced::without_replaced;
pub use script::script;
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
    /// How long it took.
    pub took: Duration,
}

/// Whether there is a record, and whether it is for this user to read. A search path leaves out what is in a namespace that one may not
/// use, so that a record there would look like none.
const RECORD: &str = "
    SELECT current_user::text AS user, found.record IS NOT NULL AS is_there,
        CASE WHEN found.record IS NOT NULL THEN NOT pg_catalog.has_column_privilege(found.record, 'version', 'SELECT')
            ELSE EXISTS (SELECT FROM pg_catalog.pg_class c
                WHERE c.relname = '__diesel_schema_migrations' AND c.relkind = 'r'
                    AND NOT pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'))
        END AS is_hidden
    FROM (SELECT pg_catalog.to_regclass('__diesel_schema_migrations')::pg_catalog.oid) found(record)";

#[derive(QueryableByName)]
struct Record {
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Bool)]
    is_there: bool,
    #[diesel(sql_type = Bool)]
    is_hidden: bool,
}

/// The versions that Diesel has recorded as applied, oldest first; it does not make Diesel's table.
pub fn applied(connection: &mut PgConnection) -> Result<Vec<String>, ApplyError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let record: Record = diesel::sql_query(RECORD)
        .get_result(connection)
        .map_err(ApplyError::bookkeeping)?;
    if record.is_hidden {
        return Err(ApplyError::Hidden { user: record.user });
    }
    if !record.is_there {
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
    let migrations = migration::read(dir)?;
    with_lock(connection, options, |connection| {
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
    let applied = make_and_read(connection)?;
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
    let migrations = migration::read(dir)?;
    with_lock(connection, options, |connection| {
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
    let migrations = migration::read(dir)?;
    let applied = without_replaced(&migrations, &applied(connection)?);
    Ok(target.choose(&migrations, &applied)?.to_vec())
}

/// The applied migrations after `target`, newest first; all are looked at before the first one is run.
fn to_take_back<'a>(
    connection: &mut PgConnection,
    migrations: &'a [Migration],
    target: &DownTarget,
) -> Result<Vec<&'a Migration>, ApplyError> {
    let applied = applied(connection)?;
    let applied = forget_replaced(connection, migrations, &applied)?;
    let mut chosen = Vec::new();
    for version in target.choose(migrations, &applied)?.iter().rev() {
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

/// Records what is applied without running anything, so that an existing database can start; returns the versions that are
/// recorded then. Applied versions without a folder stay as they are unless they are newer than the target.
pub fn stamp(
    connection: &mut PgConnection,
    dir: &Path,
    target: &StampTarget,
    options: Options<'_>,
) -> Result<Vec<String>, ApplyError> {
    let migrations = migration::read(dir)?;
    with_lock(connection, options, |connection| {
        let old = make_and_read(connection)?;
        let Stamping { recorded, removed } = stamping(&migrations, target, &old)?;
        let new = recorded.clone();
        let done = connection.transaction(|connection| {
            for version in removed {
                diesel::sql_query("DELETE FROM __diesel_schema_migrations WHERE version = $1")
                    .bind::<Text, _>(version)
                    .execute(connection)?;
            }
            for version in recorded {
                diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ($1)")
                    .bind::<Text, _>(version)
                    .execute(connection)?;
            }
            QueryResult::Ok(())
        });
        done.map_err(ApplyError::bookkeeping)?;
        remembered::prepare(connection);
        for migration in &migrations {
            if new.contains(&migration.version) {
                remembered::remember(connection, migration);
            }
        }
        applied(connection)
    })
}

/// What a stamp records and what it removes from the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamping {
    /// The versions that count as applied then and do not now.
    pub recorded: Vec<String>,
    /// The versions that count as applied now and will not then.
    pub removed: Vec<String>,
}

impl Stamping {
    /// Whether the record is as it should be already.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.recorded.is_empty() && self.removed.is_empty()
    }
}

/// What [`stamp`] would do.
pub fn would_stamp(
    connection: &mut PgConnection,
    dir: &Path,
    target: &StampTarget,
) -> Result<Stamping, ApplyError> {
    stamping(&migration::read(dir)?, target, &applied(connection)?)
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
    make_and_read(connection)?;
    for (migration, next) in fitted.iter().zip(migrations) {
        before(connection, next);
        let done = run::run(connection, migration, Direction::Up);
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

/// What to do where a statement makes an extension that the scratch server does not have.
fn missing_extension(connection: &mut PgConnection, statement: &str) -> Option<String> {
    let parsed = pg_query::parse(statement, pg_query::ParserOptions::default()).ok()?;
    let node = parsed.protobuf.stmts.into_iter().next()?.stmt?.node?;
    let pg_query::NodeEnum::CreateExtensionStmt(create) = node else {
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
        let done = run::run(connection, migration, Direction::Down);
        done.map_err(|failed| failed.into_error(migration, Direction::Down, Vec::new()))?;
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
    for migration in migrations {
        steering::check(migration, direction)?;
    }
    options.timeouts.set(connection)?;
    if direction == Direction::Up && !migrations.is_empty() {
        remembered::prepare(connection);
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
        if direction == Direction::Up {
            remembered::remember(connection, migration);
        }
        reports.push(AppliedReport {
            version: migration.version.clone(),
            name: migration.name.clone(),
            took: begun.elapsed(),
        });
    }
    Ok(reports)
}
