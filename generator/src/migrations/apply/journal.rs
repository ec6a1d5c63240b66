//! The journal of migrations that have begun and cannot be rolled back. A migration that runs outside of a transaction gets an
//! entry, committed before its first statement and removed together with its record; so does each that a `redo` is to apply
//! again.
//!
//! The record alone cannot tell an interrupted run from one that never began. If the two disagree, the record is right:
//! Diesel's own runner knows no journal.

use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use serde::{Deserialize, Serialize};

use super::ApplyError;
use super::record::Record;
use super::run::Direction;
use crate::migrations::folder::Migration;
use crate::migrations::noted::Noted;

/// Its name, in `public` or beside the record.
const VIEW: &str = "__trueup_journal";

/// The journal of this database.
#[derive(Debug, Clone)]
pub(super) struct Journal(Noted);

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) version: String,
    /// `up`, `down`, or `redo` for one that is to be taken back and applied again.
    pub(super) direction: String,
    pub(super) started: String,
    /// The number of its committed transactions.
    pub(super) statement: usize,
    /// The hash of what was to run, or of the part of it that is committed.
    pub(super) hash: String,
    /// The state of the affected objects before the run.
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
        self.statement
    }

    fn is_of(&self, version: &str, direction: &str) -> bool {
        self.version == version && self.direction == direction
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

impl Journal {
    /// Finds it, wherever it is; an error where it is somebody's who is not believed.
    pub(super) fn find(connection: &mut PgConnection) -> QueryResult<Option<Self>> {
        Ok(Noted::find(connection, VIEW)?.map(Self))
    }

    /// Finds it, whoever has made it.
    pub(super) fn anybodys(connection: &mut PgConnection) -> QueryResult<Option<Self>> {
        Ok(Noted::anybodys(connection, VIEW)?.map(Self))
    }

    /// Says whose it is, where it does not count.
    pub(super) fn foreign(&self) -> Option<String> {
        self.0.foreign()
    }

    /// Finds it, or says where it will be: it is there as long as it has entries.
    pub(super) fn make(connection: &mut PgConnection, record: &Record) -> Result<Self, ApplyError> {
        let new = |namespace: &str| Self(Noted::within(namespace, VIEW));
        let beside = new(record.namespace());
        // A migration may move the record out of a namespace and drop that.
        let may_be_public = diesel::dsl::sql::<Bool>(
            "EXISTS (SELECT FROM pg_catalog.pg_namespace
                     WHERE nspname = 'public' AND pg_catalog.has_schema_privilege(oid, 'CREATE'))",
        );
        let made = Self::find(connection).and_then(|found| {
            let is_public: bool = diesel::select(may_be_public).get_result(connection)?;
            let new = if is_public {
                new("public")
            } else {
                beside.clone()
            };
            Ok(found.unwrap_or(new))
        });
        made.map_err(|error| ApplyError::journal(&beside, &error))
    }

    /// The entries, the newest version first.
    pub(super) fn entries(&self, connection: &mut PgConnection) -> QueryResult<Vec<Entry>> {
        let mut entries: Vec<Entry> = self.0.read(connection)?;
        entries.sort_by(|a, b| b.version.cmp(&a.version));
        Ok(entries)
    }

    fn write(&self, connection: &mut PgConnection, entries: &[Entry]) -> QueryResult<()> {
        self.0.write(connection, entries)
    }

    /// Puts these in place of the entries of the same versions and directions.
    fn put(&self, connection: &mut PgConnection, new: Vec<Entry>) -> QueryResult<()> {
        let mut entries = self.entries(connection)?;
        entries.retain(|old| {
            !new.iter()
                .any(|new| new.is_of(&old.version, &old.direction))
        });
        entries.extend(new);
        self.write(connection, &entries)
    }

    /// Notes that a migration begins; what an earlier run has noted no longer counts.
    pub(super) fn begin(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
        direction: Direction,
        hash: &str,
        was: &str,
    ) -> QueryResult<()> {
        let entry = Entry {
            version: migration.version.clone(),
            direction: word(direction).to_owned(),
            started: now(connection)?,
            statement: 0,
            hash: hash.to_owned(),
            was: was.to_owned(),
        };
        self.put(connection, vec![entry])
    }

    /// Notes that migrations are to be taken back and applied again.
    pub(super) fn begin_redo(
        &self,
        connection: &mut PgConnection,
        migrations: &[&Migration],
    ) -> QueryResult<()> {
        let started = now(connection)?;
        let entry = |migration: &&Migration| Entry {
            version: migration.version.clone(),
            direction: REDO.to_owned(),
            started: started.clone(),
            statement: 0,
            hash: String::new(),
            was: String::new(),
        };
        self.put(connection, migrations.iter().map(entry).collect())
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
        let mut entries = self.entries(connection)?;
        for entry in &mut entries {
            if entry.is_of(&migration.version, word(direction)) {
                entry.statement = statement;
                hash.clone_into(&mut entry.hash);
            }
        }
        self.write(connection, &entries)
    }

    /// Keeps only some of the entries.
    fn retain(
        &self,
        connection: &mut PgConnection,
        keep: impl FnMut(&Entry) -> bool,
    ) -> QueryResult<()> {
        let mut entries = self.entries(connection)?;
        let before = entries.len();
        entries.retain(keep);
        if entries.len() == before {
            return Ok(());
        }
        self.write(connection, &entries)
    }

    pub(super) fn remove(&self, connection: &mut PgConnection, gone: &Entry) -> QueryResult<()> {
        self.retain(connection, |entry| {
            !entry.is_of(&gone.version, &gone.direction)
        })
    }

    /// Removes what was noted of a redo.
    pub(super) fn end_redo(
        &self,
        connection: &mut PgConnection,
        migrations: &[&Migration],
    ) -> QueryResult<()> {
        self.retain(connection, |entry| {
            let is_one = migrations.iter().any(|one| one.version == entry.version);
            entry.direction != REDO || !is_one
        })
    }
}

/// The server's time, for people.
fn now(connection: &mut PgConnection) -> QueryResult<String> {
    let query = diesel::dsl::sql::<Text>(
        "pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')",
    );
    diesel::select(query).get_result(connection)
}

/// The entry of a migration, where an earlier run was cut off.
pub(super) fn entry(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> QueryResult<Option<(Journal, Entry)>> {
    let Some(journal) = Journal::find(connection)? else {
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
    let Some(journal) = Journal::find(connection)? else {
        return Ok(());
    };
    journal.retain(connection, |entry| {
        let is_redone = direction == Direction::Up && entry.direction == REDO;
        entry.version != migration.version || !(entry.is(direction) || is_redone)
    })
}

/// Removes it: somebody has said what is so.
pub(super) fn forget(connection: &mut PgConnection) -> QueryResult<()> {
    Journal::find(connection)?.map_or(Ok(()), |journal| journal.retain(connection, |_| false))
}
