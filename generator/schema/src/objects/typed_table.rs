//! Link of a table to the composite type that it is OF. An object of its own: while the link exists, the table can get,
//! lose and change no column.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{RELATION, table},
    column::Column,
    table::Table,
};
use crate::{Alter, Clause, Id, Name, Schema, Server, Statement, object::Object};

/// The `OF` of a table: `pg_class.reloftype`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypedTable {
    table: Name,
    /// As `format_type` prints it.
    of_type: String,
    /// The names, types and collations of the type's attributes. No room reads the type itself.
    attributes: Vec<String>,
}

impl Object for TypedTable {
    const NAME: &'static str = "typed table";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_class WHERE reloftype <> 0".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY[]::int8[] AS addresses,
                0 AS position,
                json_build_object(
                    'table', {RELATION},
                    'of_type', format_type(c.reloftype, NULL),
                    'attributes', ARRAY(
                        SELECT concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                            NULLIF(a.attcollation, 0)::regcollation)
                        FROM pg_catalog.pg_attribute a
                        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                        ORDER BY a.attnum)) AS object
            FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_type t ON t.oid = c.reloftype
            WHERE {}",
            table()
        )
    }

    fn key(&self) -> Name {
        self.table.clone()
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.table.clone()))
    }

    fn ties(&self) -> Vec<Id> {
        self.parent().into_iter().collect()
    }

    fn designation(key: &Name) -> String {
        Table::designation(key)
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self { table, of_type, .. } = self;
        vec![Statement::new(
            format!("Let {table} be of type {of_type}"),
            format!("ALTER TABLE {table} OF {of_type}"),
        )]
    }

    /// The table says it, before the parentheses.
    fn clause(&self, within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        made_of(&self.table, within).map(|_| Clause::essential(""))
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let Self { table, of_type, .. } = self;
        vec![Statement::new(
            format!("Let {table} not be of type {of_type}"),
            format!("ALTER TABLE {table} NOT OF"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self {
            table: _,
            of_type,
            attributes,
        } = self;
        if *of_type == next.of_type && *attributes != next.attributes {
            return Alter::NotYet(format!(
                "type {of_type} has other attributes there, and trueup does not read composite types; change them in a \
                 migration by hand, with ALTER TYPE {of_type} … CASCADE"
            ));
        }
        Alter::Replace
    }
}

/// The type that a table is OF, where CREATE TABLE can say so: not where a column is generated or counts by itself.
pub(super) fn made_of<'a>(table: &Name, within: &'a Schema) -> Option<&'a str> {
    let typed = within.get::<TypedTable>(table)?;
    let id = Table::id(table.clone());
    let mut columns = within.parts::<Column>(&id);
    (!columns.any(Column::fills_itself)).then_some(typed.of_type.as_str())
}
