//! Sizes of tables and indexes and their state of maintenance: a view over the statistics that Postgres keeps.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use serde::Serialize;

/// A database and what takes room in it.
#[derive(Debug, Serialize)]
pub struct Sizes {
    /// All of it, in bytes.
    pub bytes: i64,
    /// The tables, the largest first.
    pub tables: Vec<TableSize>,
    /// The indexes, the largest first.
    pub indexes: Vec<IndexSize>,
}

/// A table.
#[derive(Debug, QueryableByName, Serialize)]
pub struct TableSize {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// With what it stores elsewhere, without its indexes.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
    /// All its indexes.
    #[diesel(sql_type = BigInt)]
    pub index_bytes: i64,
    /// Rows, as Postgres estimates.
    #[diesel(sql_type = BigInt)]
    pub rows: i64,
    /// Rows that were deleted or replaced and still take room.
    #[diesel(sql_type = BigInt)]
    pub dead_rows: i64,
}

/// An index.
#[derive(Debug, QueryableByName, Serialize)]
pub struct IndexSize {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its table's.
    #[diesel(sql_type = Text)]
    pub table: String,
    /// Its size.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
    /// The number of index scans since statistics were last reset.
    #[diesel(sql_type = BigInt)]
    pub scans: i64,
    /// True if it backs a constraint or is unique: then it is of use without being scanned.
    #[diesel(sql_type = Bool)]
    pub guards: bool,
    /// True if queries may use it; if not, its creation was interrupted.
    #[diesel(sql_type = Bool)]
    pub valid: bool,
}

impl IndexSize {
    /// True if it could be dropped without loss.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.scans == 0 && !self.guards
    }
}

#[derive(QueryableByName)]
struct Whole {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Looks how large everything is.
pub fn sizes(connection: &mut PgConnection) -> QueryResult<Sizes> {
    let whole = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes";
    let whole: Whole = diesel::sql_query(whole).get_result(connection)?;
    let tables = "
        SELECT pg_catalog.format('%I.%I', s.schemaname, s.relname) AS name,
               pg_catalog.pg_table_size(s.relid) AS bytes,
               pg_catalog.pg_indexes_size(s.relid) AS index_bytes,
               CASE WHEN c.reltuples < 0 THEN s.n_live_tup ELSE c.reltuples::int8 END AS rows,
               s.n_dead_tup AS dead_rows
        FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
        ORDER BY pg_catalog.pg_total_relation_size(s.relid) DESC, 1";
    let indexes = "
        SELECT pg_catalog.format('%I.%I', s.schemaname, s.indexrelname) AS name,
               pg_catalog.format('%I.%I', s.schemaname, s.relname) AS table,
               pg_catalog.pg_relation_size(s.indexrelid) AS bytes,
               s.idx_scan AS scans,
               i.indisunique OR i.indisreplident
                   OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = s.indexrelid) AS guards,
               i.indisvalid AS valid
        FROM pg_catalog.pg_stat_user_indexes s JOIN pg_catalog.pg_index i ON i.indexrelid = s.indexrelid
        ORDER BY 3 DESC, 1";
    Ok(Sizes {
        bytes: whole.bytes,
        tables: diesel::sql_query(tables).load(connection)?,
        indexes: diesel::sql_query(indexes).load(connection)?,
    })
}
