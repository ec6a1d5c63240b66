//! What an earlier run left of a migration that cannot run in a transaction.
//!
//! Such a migration is one statement, and whoever was killed while it ran, or between its end and the record of it, left
//! something that can be told: an INVALID index, an index that is there already, one that is gone already, a partition that
//! is half detached.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Nullable, Text};
use pg_query::protobuf::{AlterTableStmt, DropStmt, IndexStmt, ObjectType, RangeVar};
use pg_query::{DeparseOptions, NodeEnum, ParserOptions};
use trueup::name::quoted_ident;

use super::run::Direction;
use crate::connection::parts;
use crate::migration::Migration;

/// What there was to do before it can run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// Something was in the way and is gone now.
    Cleaned(String),
    /// All of it was done, and only the record is missing.
    Finished(String),
}

impl Left {
    pub(super) fn words(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Cleaned(words) | Self::Finished(words) => Some(words),
        }
    }
}

/// A statement that Postgres runs outside of transactions only, and that knows what it would leave.
enum Alone {
    Creates(Box<IndexStmt>),
    Drops(Vec<String>),
    Detaches { parent: String, partition: String },
}

/// Looks what an earlier run left, and takes away what would be in the way.
pub(super) fn tidy(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> QueryResult<Left> {
    match alone(migration, direction) {
        None => Ok(Left::Nothing),
        Some(Alone::Creates(statement)) => before_creating(connection, &statement),
        Some(Alone::Detaches { parent, partition }) => {
            before_detaching(connection, &parent, &partition)
        }
        Some(Alone::Drops(names)) => {
            for name in &names {
                let there = diesel::dsl::sql::<Bool>("pg_catalog.to_regclass(")
                    .bind::<Text, _>(name)
                    .sql(") IS NOT NULL");
                if diesel::select(there).get_result(connection)? {
                    return Ok(Left::Nothing);
                }
            }
            Ok(Left::Finished(format!(
                "an earlier run had dropped {} already; that is recorded now",
                names.join(", ")
            )))
        }
    }
}

/// Whether it may wait for its locks as long as it takes: others go on reading and writing meanwhile, and what it waits
/// for is the end of old transactions, after which nothing would be gained by beginning anew.
pub(super) fn disturbs_nobody(migration: &Migration, direction: Direction) -> bool {
    alone(migration, direction).is_some()
}

fn alone(migration: &Migration, direction: Direction) -> Option<Alone> {
    if migration.run_in_transaction {
        return None;
    }
    let sql = direction.sql(migration);
    let [only] = parts(sql)?.try_into().ok()?;
    let parsed = pg_query::parse(only.sql, ParserOptions::default()).ok()?;
    let node = parsed.protobuf.stmts.into_iter().next()?.stmt?.node?;
    if let NodeEnum::IndexStmt(statement) = node {
        return (statement.concurrent && !statement.idxname.is_empty())
            .then_some(Alone::Creates(statement));
    }
    if let NodeEnum::AlterTableStmt(statement) = node {
        return detaches(&statement);
    }
    if let NodeEnum::DropStmt(statement) = node {
        let is_index = statement.remove_type() == ObjectType::ObjectIndex;
        return (statement.concurrent && is_index).then(|| Alone::Drops(names(&statement)));
    }
    None
}

fn detaches(statement: &AlterTableStmt) -> Option<Alone> {
    let [command] = statement.cmds.as_slice() else {
        return None;
    };
    let Some(NodeEnum::AlterTableCmd(command)) = &command.node else {
        return None;
    };
    let Some(NodeEnum::PartitionCmd(detached)) = command.def.as_ref()?.node.as_ref() else {
        return None;
    };
    detached.concurrent.then_some(())?;
    Some(Alone::Detaches {
        parent: qualified(statement.relation.as_ref()?),
        partition: qualified(detached.name.as_ref()?),
    })
}

/// The first of its two transactions marks the partition, and whoever is cut off before the second leaves it marked.
fn before_detaching(
    connection: &mut PgConnection,
    parent: &str,
    partition: &str,
) -> QueryResult<Left> {
    #[derive(QueryableByName)]
    struct There {
        #[diesel(sql_type = Bool)]
        both: bool,
        #[diesel(sql_type = Nullable<Bool>)]
        pending: Option<bool>,
    }
    let there: There = diesel::sql_query(
        "SELECT pg_catalog.to_regclass($1) IS NOT NULL AND pg_catalog.to_regclass($2) IS NOT NULL AS both,
                (SELECT inhdetachpending FROM pg_catalog.pg_inherits
                 WHERE inhparent = pg_catalog.to_regclass($1) AND inhrelid = pg_catalog.to_regclass($2)) AS pending",
    )
    .bind::<Text, _>(parent)
    .bind::<Text, _>(partition)
    .get_result(connection)?;
    match (there.both, there.pending) {
        (_, Some(true)) => {
            connection.batch_execute(&format!(
                "ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"
            ))?;
            Ok(Left::Finished(format!(
                "an earlier run had begun to detach {partition}: that is finished now"
            )))
        }
        (true, None) => Ok(Left::Finished(format!(
            "an earlier run had detached {partition} already; that is recorded now"
        ))),
        (_, Some(false)) | (false, None) => Ok(Left::Nothing),
    }
}

/// The names in a `DROP`, quoted.
fn names(statement: &DropStmt) -> Vec<String> {
    let name = |node: &pg_query::protobuf::Node| {
        let Some(NodeEnum::List(list)) = &node.node else {
            return None;
        };
        let words: Option<Vec<String>> = list
            .items
            .iter()
            .map(|item| match &item.node {
                Some(NodeEnum::String(word)) => Some(quoted_ident(&word.sval)),
                Some(_) | None => None,
            })
            .collect();
        words.map(|words| words.join("."))
    };
    statement.objects.iter().filter_map(name).collect()
}

fn qualified(relation: &RangeVar) -> String {
    let name = quoted_ident(&relation.relname);
    if relation.schemaname.is_empty() {
        name
    } else {
        format!("{}.{name}", quoted_ident(&relation.schemaname))
    }
}

fn before_creating(connection: &mut PgConnection, statement: &IndexStmt) -> QueryResult<Left> {
    #[derive(QueryableByName)]
    struct There {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Bool)]
        valid: bool,
    }
    let Some(relation) = &statement.relation else {
        return Ok(Left::Nothing);
    };
    let table = qualified(relation);
    let there: Option<There> = diesel::sql_query(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, i.indisvalid AND i.indisready AS valid
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE i.indrelid = pg_catalog.to_regclass($1) AND c.relname = $2",
    )
    .bind::<Text, _>(&table)
    .bind::<Text, _>(&statement.idxname)
    .get_result(connection)
    .optional()?;
    let Some(There { name, valid }) = there else {
        return Ok(Left::Nothing);
    };
    if !valid {
        connection.batch_execute(&format!("DROP INDEX CONCURRENTLY {name}"))?;
        return Ok(Left::Cleaned(format!(
            "an earlier run was cut off and left the INVALID index {name}: it is dropped and made again"
        )));
    }
    if is_the_same(connection, statement, &table, &name)? {
        return Ok(Left::Finished(format!(
            "an earlier run had made the index {name} already; that is recorded now"
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

/// Whether an index is what the statement would make: it makes one on an empty table of the same columns, and Postgres
/// prints both.
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
