//! Which seeds a database has: by name and hash, in a table beside Diesel's record.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use trueup::name::quoted_ident;

use crate::apply::Record;

/// Where it is recorded; a table whose name begins so is no part of a schema.
const TABLE: &str = "__trueup_seeds";

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The table of the seeds that a database has.
#[derive(Debug)]
pub struct Remembered(String);

impl Remembered {
    /// Finds the table beside Diesel's record, or makes it; `None` where this user may not.
    pub fn prepare(connection: &mut PgConnection) -> Option<Self> {
        let namespace = if let Some(record) = Record::find(connection).ok()? {
            record.namespace().to_owned()
        } else {
            let query = "SELECT pg_catalog.current_schema()::text AS name";
            let found: Named = diesel::sql_query(query).get_result(connection).ok()?;
            found.name
        };
        let table = format!("{}.{TABLE}", quoted_ident(&namespace));
        let made = connection.transaction(|connection| {
            let there = diesel::dsl::sql::<Bool>("pg_catalog.to_regclass(")
                .bind::<Text, _>(&table)
                .sql(") IS NOT NULL");
            if !diesel::select(there).get_result::<bool>(connection)? {
                diesel::sql_query(format!(
                    "CREATE TABLE {table} (name text, hash text, ran_at timestamptz DEFAULT now() NOT NULL, PRIMARY KEY (name, hash))"
                ))
                .execute(connection)?;
            }
            let query = format!("SELECT name::text FROM {table} LIMIT 0");
            diesel::sql_query(query).load::<Named>(connection)
        });
        made.is_ok().then_some(Self(table))
    }

    /// True if a seed of this name ran with exactly this text.
    pub fn has(&self, connection: &mut PgConnection, name: &str, hash: &str) -> QueryResult<bool> {
        let query = format!(
            "SELECT name::text FROM {} WHERE name = $1 AND hash = $2",
            self.0
        );
        let found: Option<Named> = diesel::sql_query(query)
            .bind::<Text, _>(name)
            .bind::<Text, _>(hash)
            .get_result(connection)
            .optional()?;
        Ok(found.is_some())
    }

    pub(super) fn add(
        &self,
        connection: &mut PgConnection,
        name: &str,
        hash: &str,
    ) -> QueryResult<()> {
        let query = format!(
            "INSERT INTO {} (name, hash) VALUES ($1, $2) ON CONFLICT (name, hash) DO UPDATE SET ran_at = now()",
            self.0
        );
        diesel::sql_query(query)
            .bind::<Text, _>(name)
            .bind::<Text, _>(hash)
            .execute(connection)
            .map(|_| ())
    }
}

/// Forgets all seeds of a database.
pub(crate) fn forget(connection: &mut PgConnection) -> QueryResult<()> {
    let query = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relname = '__trueup_seeds' AND c.relkind = 'r' AND c.relpersistence <> 't'";
    let tables: Vec<Named> = diesel::sql_query(query).load(connection)?;
    for Named { name } in tables {
        diesel::sql_query(format!("DELETE FROM {name}")).execute(connection)?;
    }
    Ok(())
}
