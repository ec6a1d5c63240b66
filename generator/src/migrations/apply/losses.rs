//! Data that down migrations destroy: the existing rows of dropped tables and values of dropped columns, with the SQL read by
//! Postgres' own parser.

use std::fmt::{self, Display, Formatter};

use diesel::PgConnection;
use pg_query::{
    NodeEnum,
    protobuf::{AlterTableType, ObjectType},
};
use trueup::name::quoted_ident;

use super::resume::{names, qualified};
use crate::{
    migrations::folder::Migration,
    rows::{self, Answer, Found},
};

/// Rows or values that are destroyed for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    /// The table, or the column of one.
    what: String,
    /// The number of rows or values; `None` if counting took too long.
    found: Option<Found>,
    /// `row`, of a table, or `value`, of a column.
    of: &'static str,
}

impl Display for Loss {
    /// `public.users.fax: 3 values`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { what, found, of } = self;
        match found {
            None => write!(f, "{what}: its {of}s, which took too long to count"),
            Some(found) => write!(f, "{what}: {}", found.words(of)),
        }
    }
}

/// The existing data that the downs of these migrations destroy, each table or column once. An empty one is no loss.
pub(super) fn losses(connection: &mut PgConnection, migrations: &[&Migration]) -> Vec<Loss> {
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
        losses.extend(counted(connection, &table, column.as_deref()));
    }
    losses
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
        return names(drop).into_iter().map(|name| (name, None)).collect();
    }
    if let NodeEnum::AlterTableStmt(alter) = node {
        let Some(table) = alter.relation.as_ref().map(qualified) else {
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
            Some(NodeEnum::RangeVar(table)) => Some(qualified(table)),
            Some(_) | None => None,
        });
        return tables.map(|table| (table, None)).collect();
    }
    Vec::new()
}

/// The rows or values of a table or column; `None` if it does not exist or is empty.
fn counted(connection: &mut PgConnection, table: &str, column: Option<&str>) -> Option<Loss> {
    let (what, of, only) = match column {
        None => (table.to_owned(), "row", String::new()),
        Some(column) => (
            format!("{table}.{column}"),
            "value",
            format!(" WHERE {column} IS NOT NULL"),
        ),
    };
    let found = match rows::answer(connection, &format!("SELECT FROM {table}{only}"), false) {
        Answer::None | Answer::NotThere => return None,
        Answer::Rows(found, _) => Some(found),
        Answer::Fails(_) | Answer::Unknown(_) => None,
    };
    Some(Loss { what, found, of })
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
