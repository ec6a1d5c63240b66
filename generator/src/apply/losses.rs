//! What ways back take with them: the rows and values that are there now of what they drop, as Postgres' own parser reads
//! the SQL.

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    sql_query,
    sql_types::{BigInt, Bool, Text},
};
use pg_query::{
    NodeEnum,
    protobuf::{AlterTableType, Node, ObjectType, RangeVar},
};
use serde::Serialize;
use trueup::name::quoted_ident;

use crate::migration::Migration;

/// The longest that one count takes, in milliseconds.
const EACH: u64 = 2_000;
/// As many rows as are counted.
const MANY: i64 = 1_000;

/// What goes for good.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Loss {
    /// The table, or the column of one.
    pub what: String,
    /// How many rows or values, up to a thousand; `None` where that took too long.
    pub rows: Option<i64>,
    /// Whether there are more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Rows of a table, or values of a column.
    pub of: &'static str,
}

impl Loss {
    /// `public.users.fax: 3 values`.
    #[must_use]
    pub fn words(&self) -> String {
        let Self {
            what,
            rows,
            more,
            of,
        } = self;
        match rows {
            None => format!("{what}: its {of}s, which took too long to count"),
            Some(1) => format!("{what}: 1 {of}"),
            Some(rows) if *more => format!("{what}: more than {rows} {of}s"),
            Some(rows) => format!("{what}: {rows} {of}s"),
        }
    }
}

/// What the downs of these migrations would lose of what is there now, each thing once. What is empty is no loss.
pub(super) fn losses(
    connection: &mut PgConnection,
    migrations: &[&Migration],
) -> QueryResult<Vec<Loss>> {
    let mut seen = Vec::new();
    for down in migrations.iter().filter_map(|one| one.down.as_deref()) {
        for gone in dropped(down) {
            if !seen.contains(&gone) {
                seen.push(gone);
            }
        }
    }
    let mut losses = Vec::new();
    for (table, column) in seen {
        losses.extend(counted(connection, &table, column.as_deref())?);
    }
    Ok(losses)
}

/// The tables that SQL drops or empties, and the columns that it drops, quoted.
fn dropped(sql: &str) -> Vec<(String, Option<String>)> {
    let Ok(parsed) = pg_query::parse(sql, pg_query::ParserOptions::default()) else {
        return Vec::new();
    };
    let statements = parsed.protobuf.stmts.into_iter();
    let nodes = statements.filter_map(|statement| statement.stmt?.node);
    nodes.flat_map(|node| of_statement(&node)).collect()
}

fn of_statement(node: &NodeEnum) -> Vec<(String, Option<String>)> {
    if let NodeEnum::DropStmt(drop) = node
        && drop.remove_type() == ObjectType::ObjectTable
    {
        let lists = drop.objects.iter().filter_map(list);
        return lists.map(|name| (name, None)).collect();
    }
    if let NodeEnum::AlterTableStmt(alter) = node {
        let Some(table) = alter.relation.as_ref().map(named) else {
            return Vec::new();
        };
        let columns = alter.cmds.iter().filter_map(|command| match &command.node {
            Some(NodeEnum::AlterTableCmd(command))
                if command.subtype() == AlterTableType::AtDropColumn =>
            {
                Some(quoted_ident(&command.name))
            }
            Some(_) | None => None,
        });
        return columns
            .map(|column| (table.clone(), Some(column)))
            .collect();
    }
    if let NodeEnum::TruncateStmt(truncate) = node {
        let tables = truncate.relations.iter().filter_map(|one| match &one.node {
            Some(NodeEnum::RangeVar(table)) => Some(named(table)),
            Some(_) | None => None,
        });
        return tables.map(|table| (table, None)).collect();
    }
    Vec::new()
}

/// A name as DROP has it.
fn list(node: &Node) -> Option<String> {
    let Some(NodeEnum::List(list)) = &node.node else {
        return None;
    };
    let parts = list.items.iter().map(|part| match &part.node {
        Some(NodeEnum::String(text)) => Some(quoted_ident(&text.sval)),
        Some(_) | None => None,
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("."))
}

fn named(table: &RangeVar) -> String {
    let parts = [&table.schemaname, &table.relname];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts
        .map(|part| quoted_ident(part))
        .collect::<Vec<_>>()
        .join(".")
}

#[derive(QueryableByName)]
struct Here {
    #[diesel(sql_type = Bool)]
    here: bool,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

fn counted(
    connection: &mut PgConnection,
    table: &str,
    column: Option<&str>,
) -> QueryResult<Option<Loss>> {
    AnsiTransactionManager::begin_transaction(connection)?;
    let done = count(connection, table, column);
    AnsiTransactionManager::rollback_transaction(connection)?;
    done
}

fn count(
    connection: &mut PgConnection,
    table: &str,
    column: Option<&str>,
) -> QueryResult<Option<Loss>> {
    connection.batch_execute(&format!(
        "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {EACH}; SET LOCAL lock_timeout = 500"
    ))?;
    let here = sql_query("SELECT pg_catalog.to_regclass($1) IS NOT NULL AS here")
        .bind::<Text, _>(table)
        .get_result::<Here>(connection)?;
    if !here.here {
        return Ok(None);
    }
    let (what, of, only) = match column {
        None => (table.to_owned(), "row", String::new()),
        Some(column) => (
            format!("{table}.{column}"),
            "value",
            format!(" WHERE {column} IS NOT NULL"),
        ),
    };
    let counts = format!(
        "SELECT pg_catalog.count(*) AS rows FROM (SELECT FROM {table}{only} LIMIT {}) found",
        MANY + 1
    );
    let loss = |rows: Option<i64>| Loss {
        what,
        rows: rows.map(|rows| rows.min(MANY)),
        more: rows.is_some_and(|rows| rows > MANY),
        of,
    };
    // A column that only another migration in between has is not there to be counted.
    if connection
        .batch_execute(&format!("EXPLAIN {counts}"))
        .is_err()
    {
        return Ok(None);
    }
    Ok(match sql_query(counts).get_result::<Counted>(connection) {
        Ok(Counted { rows: 0 }) => None,
        Ok(Counted { rows }) => Some(loss(Some(rows))),
        Err(_) => Some(loss(None)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_read_from_the_tree() {
        let sql = "DROP TABLE IF EXISTS public.\"A b\", c; -- DROP TABLE d
            ALTER TABLE ONLY s.t DROP COLUMN x, DROP COLUMN \"Y\" CASCADE, ADD z int;
            TRUNCATE e; DROP VIEW v; SELECT 'DROP TABLE f';";
        let all = dropped(sql);
        let words: Vec<String> = all
            .iter()
            .map(|(table, column)| format!("{table} {}", column.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(
            words,
            ["public.\"A b\" -", "c -", "s.t x", "s.t \"Y\"", "e -"]
        );
    }
}
