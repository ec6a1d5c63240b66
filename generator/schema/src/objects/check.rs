//! Check constraints of tables.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{COLUMNS, RELATION, table},
    key_constraint::rename_constraint,
    table::{Table, scan},
};
use crate::{
    Alter, Clause, Hazard, Id, Member, Name, Schema, Server, Slot, Statement,
    name::{chosen, quoted_ident},
    object::{Beside, Object},
};

/// A row of `pg_constraint` with `contype = 'c'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    relation: Name,
    name: String,
    expression: String,
    /// The columns that it mentions.
    columns: Beside<Vec<String>>,
    no_inherit: bool,
    validated: bool,
    enforced: bool,
}

impl Object for Check {
    const NAME: &'static str = "check constraint";

    type Key = Member;

    fn catalog(server: Server) -> String {
        let enforced = if server.at_least(18) {
            "k.conenforced"
        } else {
            "true"
        };
        format!(
            "SELECT ARRAY['pg_catalog.pg_constraint'::regclass::int8, k.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'relation', {RELATION},
                    'name', k.conname,
                    'expression', pg_get_expr(k.conbin, k.conrelid, true),
                    'columns', {COLUMNS},
                    'no_inherit', k.connoinherit,
                    'validated', k.convalidated,
                    'enforced', {enforced}) AS object
            FROM pg_catalog.pg_constraint k
                JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype = 'c' AND {}",
            table()
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.relation.clone()))
    }

    fn designation(key: &Member) -> String {
        format!("CONSTRAINT {} ON {}", key.ident(), key.relation)
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Constraint(self.key())]
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let table = &self.relation;
        let add = Statement::new(
            format!(
                "Add check constraint {} to {table}",
                quoted_ident(&self.name)
            ),
            format!("ALTER TABLE {table} ADD {}", self.definition()),
        );
        if !self.validated {
            return vec![add];
        }
        vec![add.hazard(scan(table)).hazard(Hazard::MayFail {
            because: format!(
                "while this finds a row: SELECT * FROM {table} WHERE NOT ({})",
                self.expression
            ),
        })]
    }

    /// In CREATE TABLE a NOT VALID would be ignored: there is nothing to validate.
    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        (self.validated || !self.enforced).then(|| Clause::cosmetic(self.definition()))
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let (table, name) = (&self.relation, quoted_ident(&self.name));
        vec![Statement::new(
            format!("Drop check constraint {name} of {table}"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self {
            relation,
            name,
            expression,
            columns: _,
            no_inherit,
            validated,
            enforced,
        } = self;
        let Self {
            relation: _,
            name: _,
            expression: to_expression,
            columns: _,
            no_inherit: to_no_inherit,
            validated: to_validated,
            enforced: to_enforced,
        } = next;
        let same =
            expression == to_expression && no_inherit == to_no_inherit && enforced == to_enforced;
        if same && *to_validated && !validated {
            let name = quoted_ident(name);
            return Alter::InPlace(vec![
                Statement::new(
                    format!("Validate check constraint {name} of {relation}"),
                    format!("ALTER TABLE {relation} VALIDATE CONSTRAINT {name}"),
                )
                .hazard(Hazard::MayFail {
                    because: format!(
                        "while this finds a row: SELECT * FROM {relation} WHERE NOT ({expression})"
                    ),
                }),
            ]);
        }
        Alter::Replace
    }

    fn rename(&self, to: &str) -> Option<Vec<Statement>> {
        Some(vec![rename_constraint(&self.key(), to)])
    }

    fn naming(&self, _within: &Schema) -> Option<(Id, String)> {
        Some((self.parent()?, self.name.clone()))
    }

    fn chosen_name(&self, _within: &Schema) -> Option<String> {
        let Self {
            relation, columns, ..
        } = self;
        Some(match columns.as_slice() {
            [column] => chosen(&relation.name, Some(column), "check"),
            _ => chosen(&relation.name, None, "check"),
        })
    }

    fn named(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }
}

impl Check {
    fn definition(&self) -> String {
        let mut sql = format!(
            "CONSTRAINT {} CHECK ({})",
            quoted_ident(&self.name),
            self.expression
        );
        if self.no_inherit {
            sql += " NO INHERIT";
        }
        if !self.enforced {
            sql += " NOT ENFORCED";
        } else if !self.validated {
            sql += " NOT VALID";
        }
        sql
    }
}
