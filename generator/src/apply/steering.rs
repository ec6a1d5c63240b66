//! Migrations that begin and end transactions themselves.
//!
//! Diesel runs a migration in a transaction together with its record. A COMMIT in it ends that transaction: what follows is
//! kept or undone by itself, and the record no longer says what is so. Such a migration is refused before any of it runs. A
//! BEGIN and a COMMIT around all of it are left out, since they say what is so anyway.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::ApplyError;
use super::run::Direction;
use crate::connection::{Broken, Part, SqlError, Steering, Transaction, steering, unwrapped};
use crate::migration::Migration;

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

/// Runs the transactions of a text one after the other.
pub(super) fn run_several(
    connection: &mut PgConnection,
    sql: &str,
    path: &str,
    transactions: &[Transaction<'_>],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut line = None;
    for transaction in transactions {
        if let Err((part, error)) = run_one(connection, transaction) {
            // The transaction failed, so nothing but its end is possible.
            let _ = connection.batch_execute("ROLLBACK");
            let failure = Box::new(SqlError::new(path, sql, part, &error));
            return Err(match line {
                Some(line) => Box::new(Partly { failure, line }),
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
    // Without AND CHAIN: the next one begins by itself.
    run(*commit, "COMMIT")
}

/// The text of a migration as it runs within a transaction that others begin and end.
pub(super) fn within(migration: &Migration, direction: Direction) -> Result<String, ApplyError> {
    check(migration, direction)?;
    Ok(unwrapped(direction.sql(migration)).into_owned())
}
