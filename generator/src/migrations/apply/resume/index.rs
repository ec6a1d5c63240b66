//! An index that was being made or dropped.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Nullable, Text};
use pg_query::protobuf::IndexStmt;
use pg_query::{DeparseOptions, NodeEnum};

use super::{Left, qualified};
use crate::migrations::apply::journal::Entry;

/// The indexes of a table before one more was made.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Before {
    pub(super) table: String,
    pub(super) there: Vec<String>,
}

impl Before {
    pub(super) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn read(entry: &Entry) -> Self {
        serde_json::from_str(&entry.was).unwrap_or_default()
    }
}

#[derive(QueryableByName)]
pub(super) struct Index {
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Text)]
    pub(super) qualified: String,
    #[diesel(sql_type = Bool)]
    pub(super) valid: bool,
}

pub(super) fn indexes(connection: &mut PgConnection, table: &str) -> QueryResult<Vec<Index>> {
    diesel::sql_query(
        "SELECT c.relname::text AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS qualified,
             i.indisvalid AND i.indisready AS valid
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE i.indrelid = pg_catalog.to_regclass($1)
         ORDER BY 1",
    )
    .bind::<Text, _>(table)
    .load(connection)
}

/// The indexes that the statement made, and nobody else: they were not there before, and have its name, or where it gives
/// none, are what it makes.
pub(super) fn made(
    connection: &mut PgConnection,
    statement: &IndexStmt,
    before: &Before,
) -> QueryResult<Vec<Index>> {
    let table = statement
        .relation
        .as_ref()
        .map(qualified)
        .unwrap_or_default();
    let mut made = Vec::new();
    if before.table != table {
        return Ok(made);
    }
    for index in indexes(connection, &table)? {
        if before.there.contains(&index.name) {
            continue;
        }
        let is_its_own = if statement.idxname.is_empty() || index.valid {
            is_the_same(connection, statement, &table, &index.qualified)?
        } else {
            true
        };
        if is_its_own && (statement.idxname.is_empty() || index.name == statement.idxname) {
            made.push(index);
        }
    }
    Ok(made)
}

pub(super) fn before_creating(
    connection: &mut PgConnection,
    statement: &IndexStmt,
    entry: &Entry,
    is_same: bool,
) -> QueryResult<Left> {
    let mut left = Left::Nothing;
    for Index {
        name: _,
        qualified: name,
        valid,
    } in made(connection, statement, &Before::read(entry))?
    {
        if !valid {
            connection.batch_execute(&format!("DROP INDEX CONCURRENTLY {name}"))?;
            left = Left::Cleaned(format!(
                "an earlier run was cut off and left the INVALID index {name}: it is dropped and made again"
            ));
        } else if is_same {
            return Ok(Left::Finished(format!(
                "an earlier run had made the index {name} already; that is recorded now"
            )));
        }
    }
    Ok(left)
}

/// The indexes that are there, and which of them are valid.
pub(super) fn validity(
    connection: &mut PgConnection,
    names: &[String],
) -> QueryResult<BTreeMap<String, bool>> {
    #[derive(QueryableByName)]
    struct There {
        #[diesel(sql_type = Bool)]
        valid: bool,
    }
    let mut found = BTreeMap::new();
    for name in names {
        let there: Option<There> = diesel::sql_query(
            "SELECT indisvalid AND indisready AS valid FROM pg_catalog.pg_index
             WHERE indexrelid = pg_catalog.to_regclass($1)",
        )
        .bind::<Text, _>(name)
        .get_result(connection)
        .optional()?;
        if let Some(there) = there {
            found.insert(name.clone(), there.valid);
        }
    }
    Ok(found)
}

pub(super) fn before_dropping(
    connection: &mut PgConnection,
    names: &[String],
    entry: &Entry,
    is_same: bool,
) -> QueryResult<Left> {
    let was: BTreeMap<String, bool> = serde_json::from_str(&entry.was).unwrap_or_default();
    let was_there = !was.is_empty() && names.iter().all(|name| was.contains_key(name));
    let is_gone = validity(connection, names)?.is_empty();
    if is_gone && was_there && is_same {
        return Ok(Left::Finished(format!(
            "an earlier run had dropped {} already; that is recorded now",
            names.join(", ")
        )));
    }
    Ok(Left::Nothing)
}

/// All that makes an index what it is, but for its name and its table's.
const DEFINITION: &str = "
    SELECT pg_catalog.jsonb_build_array(
               c.relam, c.reloptions, i.indisunique, i.indnkeyatts, i.indnatts, i.indoption::text, i.indcollation::text,
               i.indclass::text, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
               ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, n, false)
                     FROM pg_catalog.generate_series(1, i.indnatts) n),
               pg_catalog.to_jsonb(i) -> 'indnullsnotdistinct')::text AS definition
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid";

/// True if an index is the one that the statement would make. Makes one on an empty table of the same columns and compares the
/// two definitions that Postgres prints.
fn is_the_same(
    connection: &mut PgConnection,
    statement: &IndexStmt,
    table: &str,
    index: &str,
) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Printed {
        #[diesel(sql_type = Nullable<Text>)]
        definition: Option<String>,
    }
    let Some(twin) = on_twin(statement) else {
        return Ok(false);
    };
    let mut same = false;
    let tried = connection.transaction(|connection| {
        connection.batch_execute(&format!(
            "CREATE TEMPORARY TABLE trueup_twin (LIKE {table})"
        ))?;
        connection.batch_execute(&twin)?;
        let of_index = format!("{DEFINITION} WHERE i.indexrelid = pg_catalog.to_regclass($1)");
        let there: Printed = diesel::sql_query(of_index)
            .bind::<Text, _>(index)
            .get_result(connection)?;
        let of_twin =
            format!("{DEFINITION} WHERE i.indrelid = 'pg_temp.trueup_twin'::pg_catalog.regclass");
        let wanted: Printed = diesel::sql_query(of_twin).get_result(connection)?;
        same = there.definition.is_some() && there.definition == wanted.definition;
        Err::<(), _>(Error::RollbackTransaction)
    });
    match tried {
        Ok(()) | Err(Error::RollbackTransaction) => Ok(same),
        Err(error) => Err(error),
    }
}

/// The same statement for the twin.
fn on_twin(statement: &IndexStmt) -> Option<String> {
    let mut twin = statement.clone();
    twin.concurrent = false;
    twin.if_not_exists = false;
    twin.idxname = String::new();
    let relation = twin.relation.as_mut()?;
    "pg_temp".clone_into(&mut relation.schemaname);
    "trueup_twin".clone_into(&mut relation.relname);
    NodeEnum::IndexStmt(Box::new(twin))
        .deparse(DeparseOptions::default())
        .ok()
}
