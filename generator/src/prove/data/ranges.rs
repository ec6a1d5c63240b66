//! Which rows may be how bold: where a statement fails on wild ones and a hazard says that it may, they are made tamer.

use std::collections::BTreeMap;

use pg_query::{NodeEnum, protobuf::RangeVar};

use crate::postgres::connection::first_node;

use super::{
    shape::{Column, Shape},
    upcoming::Upcoming,
    values::Range,
};

/// The range of the rows of each table and of the values of each column.
#[derive(Clone, Default, Debug)]
pub(super) struct Ranges {
    /// By table and column; column 0 is the table as a whole.
    of_columns: BTreeMap<(i64, i32), Range>,
    /// Why a table goes without rows.
    pub(super) why: BTreeMap<i64, String>,
    /// The constraints that rows satisfy before the ups add them, with their tables.
    upcoming: Vec<(i64, Upcoming)>,
    /// The failure for which.
    upcoming_for: String,
}

impl Ranges {
    /// The mood of a column, or, with 0 for the column, of the table.
    pub(super) fn of(&self, table: i64, column: i32) -> Range {
        let one = |column| self.of_columns.get(&(table, column)).copied();
        one(0).max(one(column)).unwrap_or_default()
    }

    /// True if no column of the table is restricted.
    pub(super) fn are_extreme(&self, table: i64) -> bool {
        let mut upcoming = self.upcoming.iter();
        upcoming.all(|(of, _)| *of != table)
            && self
                .of_columns
                .range((table, 0)..=(table, i32::MAX))
                .next()
                .is_none()
    }

    /// The constraints that rows satisfy before the ups add them.
    pub(super) fn upcoming(&self) -> impl Iterator<Item = &Upcoming> {
        self.upcoming.iter().map(|(_, one)| one)
    }

    /// Lets rows satisfy what the ups add; `false` where they were to already.
    pub(super) fn satisfy(&mut self, upcoming: Vec<(i64, Upcoming)>, why: &str) -> bool {
        if !self.upcoming_for.is_empty() {
            return false;
        }
        self.upcoming = upcoming;
        why.clone_into(&mut self.upcoming_for);
        !self.upcoming.is_empty()
    }

    /// Takes the rows out of a table that has none which satisfies what is to come; `false` where nothing is.
    pub(super) fn give_up(&mut self, table: i64) -> bool {
        let why = self.upcoming_for.clone();
        let is_upcoming = self.upcoming.iter().any(|(of, _)| *of == table);
        self.upcoming.retain(|(of, _)| *of != table);
        is_upcoming && self.strip(table, &why)
    }

    /// Takes the rows out of a table; `false` where there were none to take.
    pub(super) fn strip(&mut self, table: i64, why: &str) -> bool {
        let old = self.of_columns.insert((table, 0), Range::None);
        if old == Some(Range::None) {
            return false;
        }
        self.why.insert(table, why.to_owned());
        true
    }

    /// Makes a column tamer, and the table empty where it cannot be.
    pub(super) fn restrict(&mut self, shape: &Shape, table: i64, column: i32, why: &str) -> bool {
        let concerned = |one: &&Column| column == 0 || one.number == column;
        let columns = shape.columns(table).iter().filter(concerned);
        let of_labels = columns.map(|column| column.type_oid).any(|oid| {
            let labels = |oid: i64| shape.types.get(&oid).filter(|one| !one.labels.is_empty());
            let of = shape.types.get(&oid).map_or(0, |one| one.of);
            labels(oid).or(labels(of)).is_some()
        });
        let next = match self.of(table, column) {
            Range::Extreme => Range::Plain,
            Range::Plain if of_labels => Range::PlainLast,
            Range::Plain | Range::PlainLast | Range::None => return self.strip(table, why),
        };
        self.of_columns.insert((table, column), next);
        true
    }
}

/// The name of a relation that a statement names with its namespace, quoted.
pub(super) fn qualified(relation: &RangeVar) -> String {
    let quoted = trueup::name::quoted_ident;
    format!(
        "{}.{}",
        quoted(&relation.schemaname),
        quoted(&relation.relname)
    )
}

/// The table and the columns that a statement is about, as far as Postgres' own parser tells: its namespace and name, and
/// the columns' names.
pub(super) struct Subject {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

impl Subject {
    /// The subject of `sql`, if it is about one table.
    pub(super) fn of(sql: &str) -> Option<Self> {
        let node = first_node(sql)?;
        let named = |relation: Option<RangeVar>| Some(qualified(&relation?));
        if let NodeEnum::AlterTableStmt(alter) = node {
            let commands = alter
                .cmds
                .into_iter()
                .filter_map(|command| match command.node {
                    Some(NodeEnum::AlterTableCmd(command)) => Some(command.name),
                    Some(_) | None => None,
                });
            let columns = commands.filter(|name| !name.is_empty()).collect();
            let table = named(alter.relation)?;
            return Some(Self { table, columns });
        }
        let relation = if let NodeEnum::IndexStmt(index) = node {
            index.relation
        } else if let NodeEnum::UpdateStmt(update) = node {
            update.relation
        } else {
            None
        };
        let table = named(relation)?;
        let columns = Vec::new();
        Some(Self { table, columns })
    }
}
