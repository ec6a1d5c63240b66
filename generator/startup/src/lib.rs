//! Check for an application to make when it starts: is the database the one that it was written for?
//!
//! ```no_run
//! # use diesel::{Connection, PgConnection};
//! # use diesel_migrations::{EmbeddedMigrations, embed_migrations};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
//! # let migrations = diesel_migrations::FileBasedMigrations::find_migrations_directory()?;
//! let mut connection = PgConnection::establish("postgres://localhost/shop")?;
//! trueup_startup::require(&mut connection, &migrations)?;
//! # Ok(())
//! # }
//! ```
//!
//! It depends on Diesel alone, and it changes nothing: applying migrations is for whoever deploys. Whether somebody changed
//! the database by hand takes a Postgres to replay the migrations on, which `trueup check` has and an application does
//! not; but a table or a column that a query needs and that is gone is found: see [`Needs`].

use std::collections::BTreeSet;

use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// Reason for which an application should not start on this database.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It lacks migrations that the application was built with.
    #[error("the database is behind: {} not applied; run `trueup upgrade`", .pending.join(", "))]
    Behind {
        /// Their versions.
        pending: Vec<String>,
    },
    /// It has migrations that the application does not know: a newer release was here.
    #[error("the database is ahead: it has {}, which this release does not know; start a newer one", .unknown.join(", "))]
    Ahead {
        /// Their versions.
        unknown: Vec<String>,
    },
    /// Something was changed by hand.
    #[error("the database was changed by hand: {} not there; `trueup check` tells more", .missing.join(", "))]
    Drifted {
        /// Tables and columns that are missing.
        missing: Vec<String>,
    },
    /// It has more than one record of applied migrations, and which one counts depends on the search path.
    #[error("the database has more than one record of applied migrations: {}; drop the one that is not right", .records.join(", "))]
    Records {
        /// Their qualified names.
        records: Vec<String>,
    },
    /// It could not be asked.
    #[error("the database cannot be asked what it has: {0}")]
    Database(#[from] diesel::result::Error),
    /// The migrations cannot be read.
    #[error("the migrations cannot be read: {0}")]
    Migrations(Box<dyn std::error::Error + Send + Sync>),
}

/// Answer to a database that is ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Newer {
    /// A database that a newer release has migrated is refused too.
    #[default]
    Refused,
    /// It is taken: for releases that replace each other one by one, where every migration suits the one before it.
    Accepted,
}

/// A table that the application reads or writes, and its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs<'a> {
    /// The table, with its namespace where that is not on the search path: `shop.orders`.
    pub table: &'a str,
    /// The columns.
    pub columns: &'a [&'a str],
}

/// Refuses a database that does not have exactly these migrations.
pub fn require(
    connection: &mut PgConnection,
    migrations: &impl MigrationSource<Pg>,
) -> Result<(), NotReady> {
    require_with(connection, migrations, Newer::Refused, &[])
}

/// Refuses a database that lacks one of these migrations, or one of these tables and columns.
pub fn require_with(
    connection: &mut PgConnection,
    migrations: &impl MigrationSource<Pg>,
    newer: Newer,
    needs: &[Needs<'_>],
) -> Result<(), NotReady> {
    let known = migrations.migrations().map_err(NotReady::Migrations)?;
    let known: BTreeSet<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = applied(connection)?;
    let without = |some: &BTreeSet<String>, others: &BTreeSet<String>| -> Vec<String> {
        some.difference(others).cloned().collect()
    };
    let pending = without(&known, &applied);
    if !pending.is_empty() {
        return Err(NotReady::Behind { pending });
    }
    let unknown = without(&applied, &known);
    if newer == Newer::Refused && !unknown.is_empty() {
        return Err(NotReady::Ahead { unknown });
    }
    let missing = missing(connection, needs)?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(NotReady::Drifted { missing })
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Record {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The condition that relation `c` is one in which Diesel records, in whatever namespace, or a view that stands in for one. A view
/// that reads another of these shows the same rows, and is what somebody leaves behind who moves the record. Temporary ones are
/// for one session only.
#[doc(hidden)]
pub const IS_RECORD: &str = "
    c.relname = '__diesel_schema_migrations' AND c.relkind IN ('r', 'p', 'v', 'f') AND c.relpersistence <> 't'
        AND NOT (c.relkind = 'v' AND EXISTS (
            SELECT FROM pg_catalog.pg_rewrite r
                JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
            WHERE r.ev_class = c.oid AND t.oid <> c.oid AND t.relname = c.relname AND t.relkind IN ('r', 'p', 'f')))";

/// The recorded versions; the table of the record is not made where it is not there.
fn applied(connection: &mut PgConnection) -> Result<BTreeSet<String>, NotReady> {
    let records = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE {IS_RECORD} ORDER BY 1"
    );
    let records: Vec<Record> = diesel::sql_query(records).load(connection)?;
    let record = match records.as_slice() {
        [] => return Ok(BTreeSet::new()),
        [one] => &one.name,
        [..] => {
            let records = records.into_iter().map(|one| one.name).collect();
            return Err(NotReady::Records { records });
        }
    };
    let query = format!("SELECT version::text FROM {record}");
    let rows: Vec<Row> = diesel::sql_query(query).load(connection)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn missing(connection: &mut PgConnection, needs: &[Needs<'_>]) -> QueryResult<Vec<String>> {
    let mut missing = Vec::new();
    for Needs { table, columns } in needs {
        for column in *columns {
            let there = diesel::dsl::sql::<Bool>(
                "EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE NOT attisdropped AND attrelid = pg_catalog.to_regclass(",
            )
            .bind::<Text, _>(*table)
            .sql(") AND attname = ")
            .bind::<Text, _>(*column)
            .sql(")");
            if !diesel::select(there).get_result::<bool>(connection)? {
                missing.push(format!("{table}.{column}"));
            }
        }
    }
    Ok(missing)
}
