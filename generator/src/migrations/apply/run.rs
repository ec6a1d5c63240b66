//! One migration and its record, as Diesel's harness does it, but for the name of the record.

use std::error::Error;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Failure};

use super::ApplyError;
use super::journal::{self, Journal};
use super::record::{self, Record};
use super::resume::fits_in_transaction;
use super::steering::{self, Notes, Partly, Refused};
use crate::migrations::folder::Migration;
use crate::postgres::connection::{self, Code, SqlError, Steering, is_one_transaction, run_sql};

/// Which of the two files is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Direction {
    /// The file that is run.
    pub(super) fn sql(self, migration: &Migration) -> &str {
        match self {
            Self::Up => &migration.up,
            Self::Down => migration.down.as_deref().unwrap_or_default(),
        }
    }

    /// The path of that file.
    pub(super) fn path(self, migration: &Migration) -> String {
        let file = match self {
            Self::Up => "up.sql",
            Self::Down => "down.sql",
        };
        migration.dir.join(file).to_string_lossy().into_owned()
    }
}

/// Why a migration did not run.
pub(super) enum Failed {
    /// A statement, the record, or the commit failed.
    Harness(Box<dyn Error + Send + Sync>),
    /// An earlier run of it was cut off, or there is no journal.
    Before(ApplyError),
    /// Others had what it needed, each time.
    Blocked { holder: Option<String>, times: u32 },
}

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self::Harness(Box::new(error))
    }
}

impl Failed {
    /// True if it failed for lack of a lock and is worth a retry. The server's message may be in any language; then a blocker
    /// seen by a second session decides.
    pub(super) fn is_for_want_of_a_lock(&self, was_blocked: bool) -> bool {
        let Self::Harness(error) = self else {
            return false;
        };
        let Some(error) = error.downcast_ref::<SqlError>() else {
            return false;
        };
        let says = |words| error.message.contains(words);
        says("lock timeout")
            || says("deadlock detected")
            || was_blocked && error.code == Code::Unnamed && !says("statement timeout")
    }

    /// True if a statement may have failed for no other reason than the transaction around it. Diesel has no name for these codes
    /// (2D000, 25001), nor for many others, and the words are in the server's language.
    pub(super) fn wants_no_transaction(&self) -> bool {
        let Self::Harness(error) = self else {
            return false;
        };
        let Some(error) = error.downcast_ref::<SqlError>() else {
            return false;
        };
        let waited = ["lock timeout", "deadlock detected", "statement timeout"];
        error.code == Code::Unnamed && !waited.iter().any(|words| error.message.contains(words))
    }

    /// True if a statement of the migration itself failed, and not what comes behind it.
    pub(super) fn is_of_a_statement(&self) -> bool {
        let Self::Harness(error) = self else {
            return false;
        };
        error.is::<SqlError>() || error.is::<Partly>() || error.is::<Refused>()
    }

    pub(super) fn into_error(
        self,
        migration: &Migration,
        direction: Direction,
        done: Vec<String>,
    ) -> ApplyError {
        let name = migration.name.clone();
        let rolled_back = runs_in_transaction(migration, direction);
        let error = match self {
            Self::Blocked { holder, times } => {
                return ApplyError::Blocked {
                    name,
                    holder,
                    times,
                    done,
                };
            }
            Self::Before(error) => return error,
            Self::Harness(error) => error,
        };
        let error = match error.downcast::<SqlError>() {
            Ok(failure) => {
                return ApplyError::Failed {
                    name,
                    failure,
                    in_transaction: migration.run_in_transaction,
                    rolled_back,
                    done,
                };
            }
            Err(other) => other,
        };
        let error = match error.downcast::<Partly>() {
            Ok(partly) => {
                let Partly {
                    failure,
                    line,
                    noted,
                } = *partly;
                return ApplyError::Partly {
                    name,
                    failure,
                    line,
                    noted,
                    done,
                };
            }
            Err(other) => other,
        };
        match error.downcast::<Refused>() {
            Ok(refused) => {
                let Refused { why, statement } = *refused;
                ApplyError::Steers {
                    name,
                    why,
                    statement,
                }
            }
            Err(other) => at_its_end(name, rolled_back, &*other),
        }
    }
}

/// The error of a failure after the last statement: at the record, or at the commit.
fn at_its_end(
    name: String,
    rolled_back: bool,
    error: &(dyn Error + Send + Sync + 'static),
) -> ApplyError {
    let message = error.to_string();
    let error = match error.downcast_ref::<Failure>() {
        Some(Failure::RollbackErrorOnCommit { commit_error, .. }) => Some(&**commit_error),
        other => other,
    };
    match error {
        Some(Failure::DatabaseError(DatabaseErrorKind::ClosedConnection, _)) => {
            ApplyError::Lost { name, message }
        }
        Some(Failure::DatabaseError(_, said))
            if said
                .table_name()
                .is_some_and(|table| table != record::TABLE) =>
        {
            ApplyError::Deferred { name, message }
        }
        Some(_) | None => ApplyError::NotRecorded {
            name,
            rolled_back,
            message,
        },
    }
}

/// The journal position of a migration that commits in its middle.
pub(super) struct Behind {
    pub(super) journal: Journal,
    /// The number of its transactions that are committed.
    pub(super) done: usize,
}

/// Runs one migration and records it, in one transaction unless it cannot run in one.
pub(super) fn run(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
    behind: Option<&Behind>,
) -> Result<(), Failed> {
    let in_transaction = runs_in_transaction(migration, direction);
    run_so(connection, migration, direction, in_transaction, behind)
}

/// The same, in a transaction or not.
pub(super) fn run_so(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
    in_transaction: bool,
    behind: Option<&Behind>,
) -> Result<(), Failed> {
    let done = if in_transaction {
        connection.transaction(|connection| {
            send(connection, migration, direction, in_transaction, behind)?;
            record(connection, migration, direction)
        })
    } else {
        send(connection, migration, direction, in_transaction, behind)
            .and_then(|()| connection.transaction(|it| record(it, migration, direction)))
    };
    done.map_err(Failed::Harness)
}

/// True if a migration is all or nothing, together with its record.
pub(super) fn runs_in_transaction(migration: &Migration, direction: Direction) -> bool {
    let sql = direction.sql(migration);
    migration.run_in_transaction || is_one_transaction(sql) || fits_in_transaction(sql)
}

/// Records a migration that was run, or no longer is. It may have moved the record.
pub(super) fn record(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let found = record::candidates(connection)?;
    let record = Record::only(connection, found)?;
    let record = record.ok_or("it is gone: the migration dropped it")?;
    match direction {
        Direction::Up => record.add(connection, migration)?,
        Direction::Down => record.remove(connection, &migration.version)?,
    }
    Ok(journal::close(connection, migration, direction)?)
}

/// Tries to record a migration, and takes that back. What runs outside of a transaction stays where its record fails.
pub(super) fn try_record(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> Result<(), Failed> {
    let mut tried = Ok(());
    let rolled_back = connection.transaction(|connection| {
        tried = record(connection, migration, direction);
        Err::<(), _>(Failure::RollbackTransaction)
    });
    match (tried, rolled_back) {
        (Ok(()), Err(Failure::RollbackTransaction) | Ok(())) => Ok(()),
        (Ok(()), Err(error)) => Err(error.into()),
        (Err(error), _) => Err(Failed::Before(ApplyError::Unrecordable {
            name: migration.name.clone(),
            message: error.to_string(),
        })),
    }
}

/// Sends the statements one by one, so that Postgres says which one failed.
fn send(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
    in_transaction: bool,
    behind: Option<&Behind>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (sql, path) = (direction.sql(migration), direction.path(migration));
    if let Some(refused) = steering::refused(sql, &path, in_transaction) {
        return Err(Box::new(refused));
    }
    match connection::steering(sql) {
        Some(Steering::Several(all)) => {
            let notes = behind.map(|behind| Notes {
                journal: &behind.journal,
                migration,
                direction,
                done: behind.done,
            });
            steering::run_several(connection, sql, &path, &all, notes.as_ref())
        }
        Some(Steering::One { .. } | Steering::Broken(..)) | None => {
            Ok(run_sql(connection, sql, &path)?)
        }
    }
}
