//! Constraints that the ups add, installed on the tables of the start while rows are made up: such rows satisfy the old schema
//! and the new one. Names of their own keep them from colliding with a constraint that one replaces.

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use pg_query::{
    DeparseOptions, NodeEnum,
    protobuf::{AlterTableType, ConstrType},
};
use trueup::{Statement, name::quoted_ident};

use super::ranges::qualified;
use crate::postgres::connection::first_node;

/// The beginning of their names.
pub(super) const PREFIX: &str = "trueup_upcoming_";

/// A constraint or a unique index that an up adds.
#[derive(Clone, Debug)]
pub(super) struct Upcoming {
    /// Its table, qualified and quoted.
    pub(super) table: String,
    add: String,
    drop: String,
}

/// The constraints and unique indexes that these statements add.
pub(super) fn of<'a>(statements: impl Iterator<Item = &'a Statement>) -> Vec<Upcoming> {
    let apart = statements.flat_map(Statement::apart).enumerate();
    let upcoming = apart.filter_map(|(number, one)| Upcoming::read(one.sql(), number));
    upcoming.collect()
}

/// True if the statement fails because of a constraint or of a unique index.
pub(super) fn is_about(sql: &str) -> bool {
    let validates = |node: &NodeEnum| {
        let NodeEnum::AlterTableStmt(alter) = node else {
            return false;
        };
        alter.cmds.iter().any(|command| {
            matches!(&command.node, Some(NodeEnum::AlterTableCmd(command))
                if command.subtype() == AlterTableType::AtValidateConstraint)
        })
    };
    first_node(sql).is_some_and(|node| validates(&node)) || Upcoming::read(sql, 0).is_some()
}

impl Upcoming {
    fn read(sql: &str, number: usize) -> Option<Self> {
        let mut node = first_node(sql)?;
        let name = format!("{PREFIX}{number}");
        let (table, drop) = if let NodeEnum::AlterTableStmt(alter) = &mut node {
            let [command] = alter.cmds.as_mut_slice() else {
                return None;
            };
            let Some(NodeEnum::AlterTableCmd(command)) = &mut command.node else {
                return None;
            };
            let Some(NodeEnum::Constraint(constraint)) =
                command.def.as_mut().and_then(|def| def.node.as_mut())
            else {
                return None;
            };
            // A primary key leaves its columns NOT NULL.
            let is_one = matches!(
                constraint.contype(),
                ConstrType::ConstrCheck
                    | ConstrType::ConstrForeign
                    | ConstrType::ConstrUnique
                    | ConstrType::ConstrExclusion
            );
            if !is_one || !constraint.indexname.is_empty() {
                return None;
            }
            constraint.conname.clone_from(&name);
            let table = qualified(alter.relation.as_ref()?);
            let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
            (table, drop)
        } else if let NodeEnum::IndexStmt(index) = &mut node {
            let relation = index.relation.as_ref()?;
            if !index.unique {
                return None;
            }
            index.concurrent = false;
            index.idxname.clone_from(&name);
            let table = qualified(relation);
            let drop = format!("DROP INDEX {}.{name}", quoted_ident(&relation.schemaname));
            (table, drop)
        } else {
            return None;
        };
        let add = node.deparse(DeparseOptions::default()).ok()?;
        Some(Self { table, add, drop })
    }
}

/// Installs those that the start has the columns for, and returns the statements that remove them.
pub(super) fn install<'a>(
    connection: &mut PgConnection,
    upcoming: impl Iterator<Item = &'a Upcoming>,
) -> Vec<&'a str> {
    let mut off = Vec::new();
    for one in upcoming {
        let done = connection.transaction(|connection| connection.batch_execute(&one.add));
        if done.is_ok() {
            off.push(one.drop.as_str());
        }
    }
    off
}
