//! Column settings that need the column to exist: storage, compression and statistics target.

use super::partition::tables;
use super::{statement, table_of};
use crate::model::declaration::{Decision, Declaration, Rank};
use crate::model::definition::{ColumnDef, ModelDef};
use crate::name::quoted_ident;
use crate::objects::{Registered, column::Column};
use crate::{Detail, Member, Name};

/// One statement for each column with settings, in the table and in each of its partitions: not every setting is inherited.
pub(super) fn settings(model: &ModelDef) -> Vec<Declaration> {
    let tables = tables(model);
    let columns = model.columns.iter();
    let all = columns.flat_map(|column| {
        let one = |table| of_column(model, table, column);
        tables.iter().filter_map(one)
    });
    all.collect()
}

fn of_column(model: &ModelDef, table: &Name, column: &ColumnDef) -> Option<Declaration> {
    let settings = [
        (
            Detail::Storage,
            column.storage.map(|word| format!("STORAGE {word}")),
        ),
        (
            Detail::Compression,
            column.compression.map(|word| format!("COMPRESSION {word}")),
        ),
        (
            Detail::Statistics,
            column
                .statistics
                .map(|number| format!("STATISTICS {number}")),
        ),
    ];
    let id = Column::id(Member::new(table.clone(), column.name));
    let name = quoted_ident(column.name);
    let mut clauses = Vec::new();
    let mut decides = Vec::new();
    for (detail, clause) in settings {
        let Some(clause) = clause else { continue };
        clauses.push(format!("ALTER COLUMN {name} SET {clause}"));
        decides.push(Decision {
            id: id.clone(),
            detail,
        });
    }
    let sql = format!("ALTER TABLE ONLY {table} {}", clauses.join(", "));
    (!clauses.is_empty()).then(|| Declaration {
        decides,
        ..statement(
            table_of(model),
            None,
            Rank::Column,
            model.namespace,
            sql,
            model.item.origin_at(column.place),
        )
    })
}
