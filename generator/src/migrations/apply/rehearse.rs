//! Trying pending migrations on the database itself, without leaving anything.

use std::path::Path;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;

use super::lock::with_lock;
use super::record::Record;
use super::run::{Direction, run};
use super::{AppliedReport, ApplyError, Options, UpTarget, to_apply};
use crate::migrations::folder::{self, Migration};

/// The result of a rehearsal.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// The migrations that ran and were rolled back.
    pub ran: Vec<AppliedReport>,
    /// The migration that ended it before the target.
    pub stopped: Option<Stopped>,
}

/// The migration that a rehearsal could not go past, which is no fault of the migration.
#[derive(Debug)]
pub struct Stopped {
    /// Its folder's name.
    pub name: String,
    /// Why.
    pub because: &'static str,
}

/// Runs what `upgrade` would run, in one transaction that is rolled back.
pub fn rehearse(
    connection: &mut PgConnection,
    dir: &Path,
    target: &UpTarget,
    options: Options<'_>,
) -> Result<Rehearsal, ApplyError> {
    let migrations = folder::read(dir)?;
    with_lock(connection, options, |connection| {
        let mut found = None;
        let rolled_back = connection.transaction(|connection| {
            found = Some(
                to_apply(connection, &migrations, target, options)
                    .and_then(|chosen| run_each(connection, &chosen)),
            );
            Err::<(), _>(RollbackTransaction)
        });
        match (found, rolled_back) {
            (Some(found), Err(RollbackTransaction)) => found,
            (_, Err(error)) => Err(ApplyError::bookkeeping(error)),
            (_, Ok(())) => Err(ApplyError::bookkeeping("the rehearsal was not rolled back")),
        }
    })
}

/// Tries all migrations in the transaction that is open, as far as they run in one, and takes them back: an error where they do
/// not apply to what is there.
pub(crate) fn try_all(connection: &mut PgConnection, dir: &Path) -> Result<(), ApplyError> {
    let migrations = folder::read(dir)?;
    let all: Vec<&Migration> = migrations.iter().collect();
    let mut tried = Ok(());
    let rolled_back = connection.transaction(|connection| {
        // What ends a trial is known by its words. Not everybody may choose their language.
        let _ = connection
            .transaction(|connection| connection.batch_execute("SET LOCAL lc_messages = 'C'"));
        tried = Record::make(connection)
            .and_then(|_| run_each(connection, &all))
            .map(|_| ());
        Err::<(), _>(RollbackTransaction)
    });
    match rolled_back {
        // In one transaction they hold all their locks at once.
        Err(RollbackTransaction) if matches!(&tried, Err(ApplyError::Rehearsed { failure, .. }) if failure.message.contains(MANY_LOCKS)) => {
            Ok(())
        }
        Err(RollbackTransaction) => tried,
        Ok(()) => Err(ApplyError::bookkeeping("the trial was not rolled back")),
        Err(error) => Err(ApplyError::bookkeeping(error)),
    }
}

fn run_each(
    connection: &mut PgConnection,
    migrations: &[&Migration],
) -> Result<Rehearsal, ApplyError> {
    let mut rehearsal = Rehearsal::default();
    for migration in migrations {
        let stopped = |because| Stopped {
            name: migration.name.clone(),
            because,
        };
        if !migration.run_in_transaction {
            rehearsal.stopped = Some(stopped("it does not run in a transaction"));
            return Ok(rehearsal);
        }
        let begun = Instant::now();
        let done = run(connection, migration, Direction::Up, None);
        match done.map_err(|failed| failed.into_error(migration, Direction::Up, Vec::new())) {
            Ok(()) => {}
            // Each migration is committed before the next, and here none is.
            Err(ApplyError::Failed { failure, .. }) if failure.message.contains(NEW_LABEL) => {
                let because = "it uses an enum label that an earlier one adds, which has to be committed first";
                rehearsal.stopped = Some(stopped(because));
                return Ok(rehearsal);
            }
            Err(ApplyError::Failed { name, failure, .. }) => {
                return Err(ApplyError::Rehearsed { name, failure });
            }
            Err(other) => return Err(other),
        }
        check_deferred(connection).map_err(|error| ApplyError::Deferred {
            name: migration.name.clone(),
            message: error.to_string(),
        })?;
        rehearsal.ran.push(AppliedReport {
            version: migration.version.clone(),
            name: migration.name.clone(),
            took: begun.elapsed(),
        });
    }
    Ok(rehearsal)
}

/// The beginning of the message of error 55P04, whose code Diesel does not pass on.
const NEW_LABEL: &str = "unsafe use of new value";

/// The beginning of the message of error 53200, where a server has no room for more locks.
const MANY_LOCKS: &str = "out of shared memory";

/// Checks deferred constraints as a commit would. Rolling back to the savepoint also restores the constraints' modes.
fn check_deferred(connection: &mut PgConnection) -> QueryResult<()> {
    let checked = connection.transaction(|connection| {
        connection.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
        Err::<(), _>(RollbackTransaction)
    });
    match checked {
        Ok(()) | Err(RollbackTransaction) => Ok(()),
        Err(error) => Err(error),
    }
}
