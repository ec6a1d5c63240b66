//! What was begun and cannot be rolled back: a row for each migration that runs outside of a transaction, committed before its
//! first statement and removed together with its record.
//!
//! The record alone cannot tell a run that was cut off from one that never began. Where the two disagree, the record is right:
//! Diesel's own runner knows no journal.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use trueup::name::quoted_ident;

use super::ApplyError;
use super::record::Record;
use super::run::Direction;
use crate::migration::Migration;

/// Its name, in the namespace in which the record is when it is made.
const TABLE: &str = "__trueup_journal";

const COLUMNS: &str = "
    version text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down', 'redo')),
    started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    statement integer NOT NULL,
    hash text NOT NULL,
    was text NOT NULL,
    PRIMARY KEY (version, direction)";

const FIND: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
        pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS is_readable
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = '__trueup_journal' AND c.relkind = 'r' AND c.relpersistence <> 't'
    ORDER BY 1 LIMIT 1";

/// The journal of this database.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Journal {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_readable: bool,
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(super) struct Entry {
    #[diesel(sql_type = Text)]
    pub(super) version: String,
    /// `up`, `down`, or `redo` for one that is to be taken back and applied again.
    #[diesel(sql_type = Text)]
    pub(super) direction: String,
    #[diesel(sql_type = Text)]
    pub(super) started: String,
    /// How many of its transactions are committed.
    #[diesel(sql_type = Integer)]
    pub(super) statement: i32,
    /// The hash of what was to run, or of the part of it that is committed.
    #[diesel(sql_type = Text)]
    pub(super) hash: String,
    /// How the objects that it is about were before.
    #[diesel(sql_type = Text)]
    pub(super) was: String,
}

/// The word for a migration that is to be taken back and applied again.
pub(super) const REDO: &str = "redo";

impl Entry {
    pub(super) fn is(&self, direction: Direction) -> bool {
        self.direction == word(direction)
    }

    /// The number of transactions that are committed.
    pub(super) fn done(&self) -> usize {
        usize::try_from(self.statement).unwrap_or_default()
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

impl Journal {
    /// Finds it, wherever it is.
    pub(super) fn find(connection: &mut PgConnection) -> QueryResult<Option<Self>> {
        diesel::sql_query(FIND).get_result(connection).optional()
    }

    /// Finds it, or makes it beside the record.
    pub(super) fn make(connection: &mut PgConnection, record: &Record) -> Result<Self, ApplyError> {
        let namespace = quoted_ident(record.namespace());
        let name = format!("{namespace}.{TABLE}");
        let failed = |error: diesel::result::Error| ApplyError::NoJournal {
            journal: name.clone(),
            namespace: namespace.clone(),
            message: error.to_string(),
        };
        if let Some(found) = Self::find(connection).map_err(failed)? {
            return Ok(found);
        }
        let made = connection.transaction(|connection| {
            connection.batch_execute(&format!(
                "SET LOCAL client_min_messages = warning; CREATE TABLE {name} ({COLUMNS})"
            ))
        });
        made.map_err(failed)?;
        Ok(Self {
            name,
            is_readable: true,
        })
    }

    /// The rows, the newest version first.
    pub(super) fn entries(&self, connection: &mut PgConnection) -> QueryResult<Vec<Entry>> {
        let query = format!(
            "SELECT version, direction, statement, hash, was,
                 pg_catalog.to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"') AS started
             FROM {self}"
        );
        let mut entries: Vec<Entry> = diesel::sql_query(query).load(connection)?;
        entries.sort_by(|a, b| b.version.cmp(&a.version));
        Ok(entries)
    }

    /// Notes that a migration begins, unless an earlier run of it has noted that.
    pub(super) fn begin(
        &self,
        connection: &mut PgConnection,
        version: &str,
        direction: &str,
        hash: &str,
        was: &str,
    ) -> QueryResult<()> {
        diesel::sql_query(format!(
            "INSERT INTO {self} (version, direction, statement, hash, was) VALUES ($1, $2, 0, $3, $4)
             ON CONFLICT (version, direction) DO NOTHING"
        ))
        .bind::<Text, _>(version)
        .bind::<Text, _>(direction)
        .bind::<Text, _>(hash)
        .bind::<Text, _>(was)
        .execute(connection)
        .map(|_| ())
    }

    /// Notes that a migration begins; what an earlier run has noted no longer counts.
    pub(super) fn begin_anew(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
        direction: Direction,
        hash: &str,
        was: &str,
    ) -> QueryResult<()> {
        let (version, word) = (&migration.version, word(direction));
        connection.transaction(|connection| {
            self.end(connection, version, word)?;
            self.begin(connection, version, word, hash, was)
        })
    }

    /// Notes how many transactions of a migration are committed, in the last of them.
    pub(super) fn advance(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
        direction: Direction,
        statement: usize,
        hash: &str,
    ) -> QueryResult<()> {
        diesel::sql_query(format!(
            "UPDATE {self} SET statement = $3, hash = $4 WHERE version = $1 AND direction = $2"
        ))
        .bind::<Text, _>(&migration.version)
        .bind::<Text, _>(word(direction))
        .bind::<Integer, _>(i32::try_from(statement).unwrap_or(i32::MAX))
        .bind::<Text, _>(hash)
        .execute(connection)
        .map(|_| ())
    }

    /// Removes a row.
    pub(super) fn end(
        &self,
        connection: &mut PgConnection,
        version: &str,
        direction: &str,
    ) -> QueryResult<()> {
        diesel::sql_query(format!(
            "DELETE FROM {self} WHERE version = $1 AND direction = $2"
        ))
        .bind::<Text, _>(version)
        .bind::<Text, _>(direction)
        .execute(connection)
        .map(|_| ())
    }

    pub(super) fn remove(&self, connection: &mut PgConnection, entry: &Entry) -> QueryResult<()> {
        self.end(connection, &entry.version, &entry.direction)
    }

    /// Removes all rows.
    pub(super) fn clear(&self, connection: &mut PgConnection) -> QueryResult<()> {
        diesel::sql_query(format!("DELETE FROM {self}"))
            .execute(connection)
            .map(|_| ())
    }
}

/// The row of a migration, where an earlier run was cut off.
pub(super) fn entry(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> QueryResult<Option<(Journal, Entry)>> {
    let Some(journal) = Journal::find(connection)?.filter(|journal| journal.is_readable) else {
        return Ok(None);
    };
    let entries = journal.entries(connection)?;
    let found = entries
        .into_iter()
        .find(|entry| entry.version == migration.version && entry.is(direction));
    Ok(found.map(|entry| (journal, entry)))
}

/// Removes what the journal has of a migration whose record is written in the same transaction.
pub(super) fn close(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> QueryResult<()> {
    let Some(journal) = Journal::find(connection)?.filter(|journal| journal.is_readable) else {
        return Ok(());
    };
    for entry in journal.entries(connection)? {
        let is_redone = direction == Direction::Up && entry.direction == REDO;
        if entry.version == migration.version && (entry.is(direction) || is_redone) {
            journal.remove(connection, &entry)?;
        }
    }
    Ok(())
}

/// Drops the journal where it is empty. Nobody is waited for: an empty one is in nobody's way.
pub(super) fn drop_empty(connection: &mut PgConnection) {
    let Ok(Some(journal)) = Journal::find(connection) else {
        return;
    };
    if !journal.entries(connection).is_ok_and(|all| all.is_empty()) {
        return;
    }
    let _ = connection.transaction(|connection| {
        connection.batch_execute(&format!(
            "SET LOCAL lock_timeout = '500ms'; DROP TABLE {journal}"
        ))
    });
}

/// Removes all rows: somebody has said what is so.
pub(super) fn forget(connection: &mut PgConnection) -> QueryResult<()> {
    Journal::find(connection)?.map_or(Ok(()), |journal| journal.clear(connection))
}
