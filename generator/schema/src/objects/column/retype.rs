//! Another type for a column that has values: which casts Postgres applies by itself, and what is lost.

use super::super::{
    Registered, default::Default as ColumnDefault, foreign_key::ForeignKey, table::scan,
};
use super::Column;
use crate::{CastContext, Hazard, Kind, Schema, Statement, name::quoted_ident};

/// How values come from one type to the other.
enum Way {
    /// By a cast that Postgres applies in any expression; or there is nothing to cast.
    Implicit,
    /// By a cast that Postgres applies when it stores a value.
    Assigned,
    /// By a cast that must be written.
    Written,
    /// By its text, from one enum to another.
    Label,
}

/// The statement that gives `from` the type and collation of `to`; `Err` where Postgres knows no way.
pub(super) fn retype(from: &Column, to: &Column, within: &Schema) -> Result<Statement, String> {
    let way = way(from, to, within).ok_or_else(|| {
        format!(
            "Postgres has no cast from {} to {} for column {}; write the migration by hand, with a USING expression",
            from.data_type,
            to.data_type,
            from.qualified()
        )
    })?;
    let (table, column) = (&to.relation, quoted_ident(&to.name));
    let mut sql = format!(
        "ALTER TABLE {table} ALTER COLUMN {column} TYPE {}",
        to.data_type
    );
    if let Some(collation) = &to.collation {
        sql += &format!(" COLLATE {collation}");
    }
    match way {
        Way::Implicit | Way::Assigned => {}
        Way::Written => sql += &format!(" USING {column}::{}", to.data_type),
        Way::Label => sql += &format!(" USING {column}::text{}::{}", array_of(to), to.data_type),
    }
    let says = format!(
        "Change the type of {} from {} to {}",
        to.qualified(),
        from.data_type,
        to.data_type
    );
    let statement = Statement::new(says, sql);
    if from.base_type == to.base_type {
        return Ok(statement.hazard(scan(table)));
    }
    let statement = statement
        .hazard(Hazard::RewritesTable {
            table: table.to_string(),
        })
        .disturbs(casualties());
    let hazard = match way {
        Way::Implicit => return Ok(statement),
        Way::Assigned if to.category == "S" => return Ok(statement),
        Way::Assigned => Hazard::LosesData {
            what: format!(
                "what of {} does not fit into {}",
                to.qualified(),
                to.data_type
            ),
        },
        Way::Written | Way::Label => Hazard::MayFail {
            because: format!("if a value of {} is no {}", to.qualified(), to.data_type),
        },
    };
    Ok(statement.hazard(hazard))
}

/// What cannot stay while a column gets another type: a default that has no cast of its own, and a foreign key whose other
/// side still has the old type.
fn casualties() -> [Kind; 2] {
    [ColumnDefault::kind(), ForeignKey::kind()]
}

/// The statement that moves the values of an enum column to a new type of the same name, by their labels.
pub(super) fn recast(column: &Column) -> Statement {
    let array = if column.data_type.ends_with("[]") {
        "[]"
    } else {
        ""
    };
    let (table, name, data_type) = (
        &column.relation,
        quoted_ident(&column.name),
        &column.data_type,
    );
    Statement::new(
        format!("Move {} over to the new {data_type}", column.qualified()),
        format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE {data_type} USING {name}::text{array}::{data_type}"),
    )
    .hazard(Hazard::RewritesTable { table: table.to_string() })
    .disturbs(casualties())
}

fn array_of(column: &Column) -> &'static str {
    if column.data_type.ends_with("[]") {
        "[]"
    } else {
        ""
    }
}

fn way(from: &Column, to: &Column, within: &Schema) -> Option<Way> {
    let (mut old, mut new) = (from.base_type.as_str(), to.base_type.as_str());
    if old == new {
        return Some(Way::Implicit);
    }
    // An array is cast as its elements are.
    if from.category == ENUM && to.category == ENUM {
        return Some(Way::Label);
    }
    let arrays = (old.strip_suffix("[]"), new.strip_suffix("[]"));
    let mut to_string = to.category == "S";
    let mut from_string = from.category == "S";
    if let (Some(old_element), Some(new_element)) = arrays {
        (old, new) = (old_element, new_element);
        to_string = is_string(new);
        from_string = is_string(old);
    }
    match within.casts().get(old, new) {
        Some(CastContext::Implicit) => Some(Way::Implicit),
        Some(CastContext::Assignment) => Some(Way::Assigned),
        Some(CastContext::Explicit) => Some(Way::Written),
        // Through the text form: to a string when a value is stored, from a string where it is written.
        None if to_string => Some(Way::Assigned),
        None if from_string => Some(Way::Written),
        None => None,
    }
}

/// `pg_type.typcategory` of enum types.
const ENUM: &str = "E";

fn is_string(base_type: &str) -> bool {
    matches!(
        base_type,
        "text" | "character varying" | "character" | "name"
    )
}
