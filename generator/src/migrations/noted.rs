//! Notes in a database beside Diesel's record: JSON, in the comment of a view.
//!
//! The rows of a table would be published by a publication FOR ALL TABLES, and a subscriber that has no such table stops
//! replicating there. A comment is also read without running anything of its owner's, and without a lock.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Nullable, Text};
use serde::{Serialize, de::DeserializeOwned};
use trueup::name::{literal, quoted_ident};

/// The condition that role `o` is this user, a superuser, the owner of the database, or a role that this user is a member of.
/// A superuser counts as a member of all.
pub(crate) const IS_TRUSTED: &str = "(o.rolsuper OR o.rolname = current_user
    OR o.oid = (SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    OR pg_catalog.pg_has_role(o.oid, 'USAGE')
        AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user))";

/// Whoever may make a view may note something, and so have a `down.sql` run. The owner of the record may have it run anyway.
const FIND: &str = "
        OR EXISTS (SELECT FROM pg_catalog.pg_class r
                   WHERE r.relname = '__diesel_schema_migrations' AND r.relkind = 'r' AND r.relowner = o.oid) AS is_trusted,
        pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
        o.rolname::text AS owner
    FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
    WHERE c.relname = $1 AND c.relkind = 'v' AND c.relpersistence <> 't'
    ORDER BY is_trusted, name LIMIT 1";

/// A view with notes.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Noted {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    owner: String,
    #[diesel(sql_type = Bool)]
    is_trusted: bool,
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Noted {
    /// The view of this name in a namespace, which need not be there.
    pub(crate) fn within(namespace: &str, view: &str) -> Self {
        Self {
            name: format!("{}.{}", quoted_ident(namespace), quoted_ident(view)),
            owner: String::new(),
            is_trusted: true,
        }
    }

    /// Finds the view of this name, wherever it is; an error where it is somebody's who is not believed.
    pub(crate) fn find(connection: &mut PgConnection, view: &str) -> QueryResult<Option<Self>> {
        let found = Self::anybodys(connection, view)?;
        match found.as_ref().and_then(Self::foreign) {
            Some(foreign) => Err(Error::QueryBuilderError(foreign.into())),
            None => Ok(found),
        }
    }

    /// Finds it, whoever has made it.
    pub(crate) fn anybodys(connection: &mut PgConnection, view: &str) -> QueryResult<Option<Self>> {
        diesel::sql_query(format!("SELECT {IS_TRUSTED} {FIND}"))
            .bind::<Text, _>(view)
            .get_result(connection)
            .optional()
    }

    /// Says whose it is, where it does not count.
    pub(crate) fn foreign(&self) -> Option<String> {
        let Self { name, owner, .. } = self;
        (!self.is_trusted).then(|| {
            format!(
                "{name} belongs to {owner}, who owns neither this database nor its record of migrations, and is not believed: \
                 DROP VIEW {name}"
            )
        })
    }

    /// All that is noted; nothing where the view is not there.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        connection: &mut PgConnection,
    ) -> QueryResult<Vec<T>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            written: Option<String>,
        }
        let query = "SELECT pg_catalog.obj_description(c.oid, 'pg_class') AS written
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'v' AND pg_catalog.format('%I.%I', n.nspname, c.relname) = $1";
        let row: Option<Row> = diesel::sql_query(query)
            .bind::<Text, _>(&self.name)
            .get_result(connection)
            .optional()?;
        let Some(row) = row else {
            return Ok(Vec::new());
        };
        serde_json::from_str(&row.written.unwrap_or_default()).map_err(|error| {
            let why = format!("the comment of {self} is not what was noted there: {error}");
            Error::DeserializationError(why.into())
        })
    }

    /// Notes this and nothing else. It is one message to the server, and so all or nothing, within a transaction or without one.
    pub(crate) fn write<T: Serialize>(
        &self,
        connection: &mut PgConnection,
        all: &[T],
    ) -> QueryResult<()> {
        if all.is_empty() {
            return connection.batch_execute(&format!("DROP VIEW {self}"));
        }
        let written =
            serde_json::to_string(all).map_err(|error| Error::SerializationError(error.into()))?;
        let name = literal(&self.name);
        connection.batch_execute(&format!(
            "CREATE OR REPLACE VIEW {self} AS
                 SELECT pg_catalog.obj_description(pg_catalog.to_regclass({name}), 'pg_class') AS noted;
             COMMENT ON VIEW {self} IS {}",
            literal(&written)
        ))
    }
}
