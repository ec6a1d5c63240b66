//! Diesel's record of applied migrations, by the one name that it has in the catalog.
//!
//! Diesel's own statements leave the namespace to `search_path`, which another session, a new namespace or a migration may
//! change: then they find an empty second record and apply everything again. So the record is looked up in the catalog, and
//! every statement here names its namespace. It is made by Diesel's own statement, where Diesel would make it.

use diesel::migration::MigrationConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Oid, Text};
use trueup::name::quoted_ident;
use trueup_startup::IS_RECORD;

use super::{ApplyError, journal};
use crate::migrations::folder::{Migration, Parent};
use crate::migrations::noted::IS_TRUSTED;

/// The name that Diesel gives it, in whatever namespace.
pub(super) const TABLE: &str = "__diesel_schema_migrations";

const CANDIDATES: &str = ", c.oid, n.nspname::text AS namespace, current_user::text AS user,
        EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attname = 'version' AND NOT attisdropped)
            AS has_version,
        pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND coalesce(
            (SELECT pg_catalog.has_column_privilege(c.oid, attnum, 'SELECT') FROM pg_catalog.pg_attribute
             WHERE attrelid = c.oid AND attname = 'version' AND NOT attisdropped), false) AS is_readable,
        c.relkind <> 'r' OR c.relhasrules OR c.relrowsecurity
            OR EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
            OR EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE c.oid IN (inhparent, inhrelid))
            OR EXISTS (
                -- Only what is not built in is a dependency: its columns' types, and what defaults, checks and indexes call.
                SELECT FROM pg_catalog.pg_depend d
                WHERE d.refclassid NOT IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_namespace'::pg_catalog.regclass,
                                           'pg_catalog.pg_constraint'::pg_catalog.regclass)
                    AND (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND (d.objid = c.oid OR d.objid IN (
                            SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = c.oid))
                        OR d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid IN (
                            SELECT oid FROM pg_catalog.pg_attrdef WHERE adrelid = c.oid)
                        OR d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid IN (
                            SELECT oid FROM pg_catalog.pg_constraint WHERE conrelid = c.oid))) AS runs_code,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind, o.rolname::text AS owner
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_roles o ON o.oid = c.relowner";

#[derive(QueryableByName)]
pub(super) struct Candidate {
    #[diesel(sql_type = Oid)]
    oid: u32,
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Bool)]
    has_version: bool,
    #[diesel(sql_type = Bool)]
    is_readable: bool,
    /// True if reading or writing it may run code of its owner's: triggers, rules, policies, functions.
    #[diesel(sql_type = Bool)]
    runs_code: bool,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Bool)]
    is_trusted: bool,
}

/// All relations that could be the record.
pub(super) fn candidates(connection: &mut PgConnection) -> QueryResult<Vec<Candidate>> {
    let query =
        format!("SELECT {IS_TRUSTED} AS is_trusted {CANDIDATES} WHERE {IS_RECORD} ORDER BY c.oid");
    diesel::sql_query(query).load(connection)
}

/// The record of this database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    oid: u32,
    namespace: String,
    user: String,
    is_readable: bool,
    /// True if its owner is one whose code may run in our name, as that of its rules and policies does.
    is_trusted: bool,
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{TABLE}", quoted_ident(&self.namespace))
    }
}

impl Record {
    /// Finds it; `None` where no migration was ever applied. Fails where there is more than one.
    pub fn find(connection: &mut PgConnection) -> Result<Option<Self>, ApplyError> {
        let found = candidates(connection).map_err(ApplyError::bookkeeping)?;
        Self::only(connection, found)
    }

    pub(super) fn only(
        connection: &mut PgConnection,
        found: Vec<Candidate>,
    ) -> Result<Option<Self>, ApplyError> {
        let mut records = Vec::new();
        for one in found {
            let record = Self {
                oid: one.oid,
                namespace: one.namespace,
                user: one.user,
                is_readable: one.is_readable,
                is_trusted: one.is_trusted,
            };
            if one.runs_code && !one.is_trusted {
                return Err(ApplyError::Foreign {
                    relation: record.to_string(),
                    kind: one.kind,
                    owner: one.owner,
                });
            }
            if !one.has_version {
                let relation = record.to_string();
                return Err(ApplyError::NoRecord { relation });
            }
            records.push(record);
        }
        if let [_, _, ..] = records.as_slice() {
            let versions = records.iter().map(|one| one.counted(connection)).collect();
            let records = records.iter().map(ToString::to_string).collect();
            return Err(ApplyError::Records { records, versions });
        }
        Ok(records.pop())
    }

    /// Finds it, or has Diesel make it.
    pub(super) fn make(connection: &mut PgConnection) -> Result<Self, ApplyError> {
        if let Some(record) = Self::find(connection)? {
            return Ok(record);
        }
        connection.setup().map_err(ApplyError::bookkeeping)?;
        // CREATE TABLE IF NOT EXISTS does nothing if another kind of relation has the name.
        Self::find(connection)?.ok_or_else(|| ApplyError::NoRecord {
            relation: TABLE.to_owned(),
        })
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// True if this user may read it.
    pub(super) fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// The versions in it, oldest first.
    pub(super) fn versions(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Vec<String>, ApplyError> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            version: String,
        }
        if !self.is_readable {
            return Err(ApplyError::Hidden {
                user: self.user.clone(),
                record: self.to_string(),
            });
        }
        let rows: Vec<Row> = diesel::sql_query(format!("SELECT version::text FROM {self}"))
            .load(connection)
            .map_err(ApplyError::bookkeeping)?;
        let mut versions: Vec<_> = rows.into_iter().map(|row| row.version).collect();
        // Here and not in the query: the database's collation may not be the order of bytes in which folders are sorted.
        versions.sort();
        Ok(versions)
    }

    /// Adds a migration, with the hash of what was applied where there is a column for it.
    pub(super) fn add(
        &self,
        connection: &mut PgConnection,
        migration: &Migration,
    ) -> QueryResult<()> {
        let was = Parent::of(migration);
        if self.takes_hashes(connection, "INSERT")? {
            let sql = format!("INSERT INTO {self} (version, trueup_hash) VALUES ($1, $2)");
            diesel::sql_query(sql)
                .bind::<Text, _>(&was.version)
                .bind::<Text, _>(&was.hash)
                .execute(connection)?;
        } else {
            diesel::sql_query(format!("INSERT INTO {self} (version) VALUES ($1)"))
                .bind::<Text, _>(&was.version)
                .execute(connection)?;
        }
        Ok(())
    }

    /// Takes a version out.
    pub(super) fn remove(&self, connection: &mut PgConnection, version: &str) -> QueryResult<()> {
        diesel::sql_query(format!("DELETE FROM {self} WHERE version = $1"))
            .bind::<Text, _>(version)
            .execute(connection)?;
        Ok(())
    }

    /// Takes all versions out, and what the journal has of them.
    pub(crate) fn clear(&self, connection: &mut PgConnection) -> QueryResult<()> {
        diesel::sql_query(format!("DELETE FROM {self}")).execute(connection)?;
        journal::forget(connection)
    }

    /// True if it has the column for hashes, and this user may use it so.
    pub(super) fn takes_hashes(
        &self,
        connection: &mut PgConnection,
        privilege: &str,
    ) -> QueryResult<bool> {
        let query = diesel::dsl::sql::<Bool>(
            "EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = ",
        )
        .bind::<Oid, _>(self.oid)
        .sql(
            " AND attname = 'trueup_hash' AND NOT attisdropped
               AND pg_catalog.has_column_privilege(attrelid, attnum, ",
        )
        .bind::<Text, _>(privilege)
        .sql("))");
        diesel::select(query).get_result(connection)
    }

    /// True if its rows go to other databases.
    pub(super) fn is_published(&self, connection: &mut PgConnection) -> QueryResult<bool> {
        let query = diesel::dsl::sql::<Bool>(
            "EXISTS (SELECT FROM pg_catalog.pg_publication p, pg_catalog.pg_get_publication_tables(p.pubname) t WHERE t.relid = ",
        )
        .bind::<Oid, _>(self.oid)
        .sql(")");
        diesel::select(query).get_result(connection)
    }

    /// The number of versions in it; `None` if this user may not read it.
    fn counted(&self, connection: &mut PgConnection) -> Option<i64> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        if !self.is_readable || !self.is_trusted {
            return None;
        }
        let query = format!("SELECT pg_catalog.count(*) AS count FROM {self}");
        let row: QueryResult<Row> = diesel::sql_query(query).get_result(connection);
        row.ok().map(|row| row.count)
    }
}
