//! Leftovers of an interrupted run in a database, for read-only commands.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use serde::Serialize;

use super::journal::{Journal, REDO};
use super::lock::{NUMBER, holder};
use super::run::Direction;
use super::{ApplyError, Record};
use crate::migrations::folder::Migration;
use crate::scope::Scope;

/// Incomplete objects and migrations in a database. Each line names one and gives the remedy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// Migrations of which a run was cut off, and nobody has finished it.
    pub unfinished: Vec<String>,
    /// Indexes that are INVALID, and partitions that are half detached.
    pub invalid: Vec<String>,
    /// Constraints that are NOT VALID, which may be meant so.
    pub not_validated: Vec<String>,
}

/// INVALID indexes and half-detached partitions, except those that a session is building or dropping right now. An index of a
/// partitioned table is INVALID by itself until each partition has its own.
const INVALID: &str = "
    SELECT pg_catalog.format('index %1$I.%2$I of %3$s is INVALID: DROP INDEX CONCURRENTLY %1$I.%2$I, or REINDEX INDEX CONCURRENTLY '
               || '%1$I.%2$I where it is to be', n.nspname, c.relname, i.indrelid::pg_catalog.regclass) AS line,
        ARRAY[pg_catalog.format('index %I.%I', n.nspname, c.relname), pg_catalog.format('table %I.%I', tn.nspname, t.relname)] AS words
    FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
        JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready AND i.indislive)
        AND n.nspname NOT LIKE 'pg\\_%'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                        WHERE p.datname = pg_catalog.current_database() AND coalesce(p.relid = i.indrelid, true))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
                        WHERE l.relation = i.indexrelid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
                          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
    UNION ALL
    SELECT pg_catalog.format('partition %1$s of %2$s is half detached: ALTER TABLE %2$s DETACH PARTITION %1$s FINALIZE',
               inhrelid::pg_catalog.regclass, inhparent::pg_catalog.regclass),
        ARRAY(SELECT pg_catalog.format('table %I.%I', n.nspname, c.relname)
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.oid IN (inhrelid, inhparent))
    FROM pg_catalog.pg_inherits h
    WHERE inhdetachpending
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
                        WHERE l.relation = h.inhparent AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
                          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
    ORDER BY 1";

const NOT_VALIDATED: &str = "
    SELECT pg_catalog.format('constraint %I of %s is NOT VALID', k.conname, k.conrelid::pg_catalog.regclass) AS line,
        ARRAY[pg_catalog.format('%s %I.%I.%I', CASE k.contype WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check constraint' ELSE 'column' END,
                  n.nspname, t.relname, k.conname),
              pg_catalog.format('table %I.%I', n.nspname, t.relname)] AS words
    FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE NOT k.convalidated AND k.conrelid <> 0 AND k.conparentid = 0
        AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1";

/// The versions of which a run has begun and not ended; an error while one goes on.
pub fn begun(connection: &mut PgConnection) -> Result<Vec<String>, ApplyError> {
    if let Some(holder) = busy(connection)? {
        return Err(ApplyError::Busy { holder });
    }
    let found = Journal::find(connection).map_err(ApplyError::bookkeeping)?;
    let Some(journal) = found else {
        return Ok(Vec::new());
    };
    let entries = journal.entries(connection);
    let entries = entries.map_err(|error| ApplyError::journal(&journal, &error))?;
    Ok(entries.into_iter().map(|entry| entry.version).collect())
}

/// The session that applies migrations, in words.
fn busy(connection: &mut PgConnection) -> Result<Option<String>, ApplyError> {
    #[derive(QueryableByName)]
    struct Busy {
        #[diesel(sql_type = Bool)]
        yes: bool,
    }
    let busy: Busy = diesel::sql_query(IS_BUSY)
        .bind::<BigInt, _>(NUMBER)
        .get_result(connection)
        .map_err(ApplyError::bookkeeping)?;
    Ok(busy.yes.then(|| holder(connection)))
}

/// True while somebody applies migrations: what is begun is not cut off then.
const IS_BUSY: &str = "
    SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::int8 << 32) | l.objid::int8 = $1
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) AS yes";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    line: String,
    /// As patterns of a scope see it, and what it is a part of.
    #[diesel(sql_type = Array<Text>)]
    words: Vec<String>,
}

impl Leftovers {
    /// Looks for them. Of what a scope leaves out, only that of our own migrations is named.
    pub fn find(
        connection: &mut PgConnection,
        migrations: &[Migration],
        scope: &Scope,
    ) -> Result<Self, ApplyError> {
        let lines =
            |connection: &mut PgConnection, query: &str| -> Result<Vec<String>, ApplyError> {
                let rows: Vec<Row> = diesel::sql_query(query)
                    .load(connection)
                    .map_err(ApplyError::bookkeeping)?;
                let held = rows.into_iter().filter(|row| scope.holds_any(&row.words));
                Ok(held.map(|row| row.line).collect())
            };
        Ok(Self {
            unfinished: unfinished(connection, migrations)?,
            invalid: lines(connection, INVALID)?,
            not_validated: lines(connection, NOT_VALIDATED)?,
        })
    }

    /// All that is to be mended.
    pub fn broken(&self) -> impl Iterator<Item = &String> {
        self.unfinished.iter().chain(&self.invalid)
    }
}

fn unfinished(
    connection: &mut PgConnection,
    migrations: &[Migration],
) -> Result<Vec<String>, ApplyError> {
    let found = Journal::anybodys(connection).map_err(ApplyError::bookkeeping)?;
    let Some(journal) = found else {
        return Ok(Vec::new());
    };
    if busy(connection)?.is_some() {
        return Ok(Vec::new());
    }
    if let Some(foreign) = journal.foreign() {
        return Ok(vec![foreign]);
    }
    let entries = journal
        .entries(connection)
        .map_err(|error| ApplyError::journal(&journal, &error))?;
    let applied = match Record::find(connection)? {
        Some(record) if record.is_readable() => record.versions(connection)?,
        Some(_) | None => Vec::new(),
    };
    let lines = entries.iter().filter_map(|entry| {
        let found = migrations.iter().find(|one| one.version == entry.version);
        let name = found.map_or(&entry.version, |one| &one.name);
        let recorded = applied.contains(&entry.version);
        let advice = if entry.direction == REDO {
            "`trueup redo` finishes it, `trueup upgrade` applies what it took back"
        } else if entry.is(Direction::Up) {
            "`trueup upgrade` finishes it"
        } else {
            "`trueup downgrade` finishes it, `trueup upgrade` finishes it and applies it again"
        };
        // An entry that the record has overtaken is removed by the next run.
        let counts = entry.direction == REDO || recorded == entry.is(Direction::Down);
        counts.then(|| {
            format!(
                "{name}: a run ({}, begun {}) was cut off: {advice}",
                entry.direction, entry.started
            )
        })
    });
    Ok(lines.collect())
}
