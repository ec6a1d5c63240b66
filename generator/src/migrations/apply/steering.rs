//! Migrations that begin and end transactions themselves.
//!
//! Diesel runs a migration in a transaction together with its record. A COMMIT in it ends that transaction: what follows is
//! kept or undone by itself, and the record no longer says what is so. Such a migration is refused before any of it runs. A
//! BEGIN and a COMMIT around all of it are left out, since they say what is so anyway.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::ApplyError;
use super::journal::Journal;
use super::resume::hash_of_first;
use super::run::Direction;
use crate::migrations::folder::Migration;
use crate::postgres::connection::{
    Broken, Part, SqlError, Steering, Transaction, steering, unwrapped,
};

/// Why a migration that steers transactions is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steers {
    /// Its COMMIT would end the transaction that it runs in.
    Commits,
    /// Its ROLLBACK would undo it.
    Undoes,
    /// Its BEGIN has no COMMIT.
    LeavesOpen,
    /// Its PREPARE TRANSACTION leaves the end to somebody else.
    Hands,
}

impl Steers {
    fn message(self) -> &'static str {
        match self {
            Self::Commits => {
                "this ends the transaction that the migration runs in: what stands before it would be kept and what follows \
                 would not belong to it, whatever becomes of the record"
            }
            Self::Undoes => {
                "this undoes what stands before it, and the migration would be recorded as applied all the same"
            }
            Self::LeavesOpen => {
                "no COMMIT ends this transaction: it would be undone with the connection, and its record with it"
            }
            Self::Hands => {
                "this leaves it to another session whether the migration is kept, and the record cannot know that"
            }
        }
    }

    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Commits => {
                "remove BEGIN and COMMIT, since a migration is one transaction anyway; where it needs the commit, give each \
                 part a folder of its own, or write run_in_transaction = false into its metadata.toml"
            }
            Self::Undoes => "remove it, with what it undoes",
            Self::LeavesOpen => "remove BEGIN, or write the COMMIT where it belongs",
            Self::Hands => {
                "write COMMIT in its place, or nothing: a migration is one transaction anyway"
            }
        }
    }
}

/// A migration that is not run because of how it steers transactions.
#[derive(Debug, thiserror::Error)]
#[error("{statement}")]
pub(super) struct Refused {
    pub(super) why: Steers,
    pub(super) statement: Box<SqlError>,
}

/// A migration that commits in its middle and failed after that.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub(super) struct Partly {
    pub(super) failure: Box<SqlError>,
    /// The line of the last COMMIT that was reached.
    pub(super) line: usize,
    /// True if the next run goes on behind it.
    pub(super) noted: bool,
}

/// Fails where a migration must not be run.
pub(super) fn check(migration: &Migration, direction: Direction) -> Result<(), ApplyError> {
    let refused = refused(
        direction.sql(migration),
        &direction.path(migration),
        migration.run_in_transaction,
    );
    refused.map_or(Ok(()), |Refused { why, statement }| {
        Err(ApplyError::Steers {
            name: migration.name.clone(),
            why,
            statement,
        })
    })
}

/// Finds the statement because of which a text is not run.
pub(super) fn refused(sql: &str, path: &str, in_transaction: bool) -> Option<Refused> {
    let (why, part) = match steering(sql)? {
        Steering::One { .. } => return None,
        Steering::Several(_) if !in_transaction => return None,
        Steering::Several(all) => {
            let commit = all.into_iter().find_map(|one| one.commit)?;
            (Steers::Commits, commit)
        }
        Steering::Broken(Broken::Undoes, part) => (Steers::Undoes, part),
        Steering::Broken(Broken::LeavesOpen, part) => (Steers::LeavesOpen, part),
        Steering::Broken(Broken::Hands, part) => (Steers::Hands, part),
    };
    Some(Refused {
        why,
        statement: Box::new(SqlError::said(path, sql, part, why.message())),
    })
}

/// Says which statements of a migration are left out.
pub(super) fn left_out(migration: &Migration, direction: Direction) -> Option<String> {
    let sql = direction.sql(migration);
    let Some(Steering::One { around, .. }) = steering(sql) else {
        return None;
    };
    let words: Vec<String> = around
        .iter()
        .map(|part| format!("{} on line {}", part.sql, part.line(sql)))
        .collect();
    (!words.is_empty()).then(|| {
        let is = if words.len() == 1 { "is" } else { "are" };
        format!(
            "{} {is} left out: a migration and its record are one transaction anyway",
            words.join(" and ")
        )
    })
}

/// The journal that notes the committed transactions of a migration.
pub(super) struct Notes<'a> {
    pub(super) journal: &'a Journal,
    pub(super) migration: &'a Migration,
    pub(super) direction: Direction,
    /// The number of those that an earlier run has committed.
    pub(super) done: usize,
}

/// Runs the transactions of a text one after the other, and notes in each that it was committed.
pub(super) fn run_several(
    connection: &mut PgConnection,
    sql: &str,
    path: &str,
    transactions: &[Transaction<'_>],
    notes: Option<&Notes<'_>>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut line = None;
    let skipped = notes.map_or(0, |notes| notes.done);
    for (number, transaction) in transactions.iter().enumerate() {
        if number < skipped {
            line = transaction.commit.map(|commit| commit.line(sql)).or(line);
            continue;
        }
        let note = |connection: &mut PgConnection| {
            notes.map_or(Ok(()), |notes| {
                let hash = hash_of_first(transactions, number + 1);
                let Notes {
                    journal,
                    migration,
                    direction,
                    done: _,
                } = notes;
                journal.advance(connection, migration, *direction, number + 1, &hash)
            })
        };
        if let Err((part, error)) = run_one(connection, transaction, note) {
            // The transaction failed, so nothing but its end is possible.
            let _ = connection.batch_execute("ROLLBACK");
            let failure = Box::new(SqlError::new(path, sql, part, &error));
            return Err(match line {
                Some(line) => Box::new(Partly {
                    failure,
                    line,
                    noted: notes.is_some(),
                }),
                None => failure,
            });
        }
        line = transaction.commit.map(|commit| commit.line(sql)).or(line);
    }
    Ok(())
}

/// Runs one of them; an error comes with the statement that failed.
fn run_one<'a>(
    connection: &mut PgConnection,
    transaction: &Transaction<'a>,
    note: impl FnOnce(&mut PgConnection) -> QueryResult<()>,
) -> Result<(), (Option<Part<'a>>, diesel::result::Error)> {
    let Transaction {
        parts,
        begin,
        commit,
    } = transaction;
    let mut run = |part: Option<Part<'a>>, sql: &str| {
        let done = connection.batch_execute(sql);
        done.map_err(|error| (part, error))
    };
    run(*begin, begin.map_or("BEGIN", |part| part.sql))?;
    for part in parts {
        run(Some(*part), part.sql)?;
    }
    note(connection).map_err(|error| (*commit, error))?;
    // Without AND CHAIN: the next one begins by itself.
    connection
        .batch_execute("COMMIT")
        .map_err(|error| (*commit, error))
}

/// The text of a migration as it runs within a transaction that others begin and end.
pub(super) fn within(migration: &Migration, direction: Direction) -> Result<String, ApplyError> {
    check(migration, direction)?;
    Ok(unwrapped(direction.sql(migration)).into_owned())
}
