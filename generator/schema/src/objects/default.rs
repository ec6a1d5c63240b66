//! Column defaults. A generated column's expression is a part of the column, not a default.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::table,
    column::Column,
    inheritance::{leading_parents, only},
    sequence::Sequence,
};
use crate::{
    Alter, Clause, Hazard, Id, Lead, Member, Schema, Server, Statement, Turn, object::Object,
};

/// A row of `pg_attrdef`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Default {
    column: Member,
    expression: String,
}

impl Object for Default {
    const NAME: &'static str = "default";

    type Key = Member;

    fn traces() -> String {
        "pg_catalog.pg_attrdef".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_attrdef'::regclass::int8, d.oid::int8, 0] AS addresses,
                a.attnum::int4 AS position,
                json_build_object(
                    'column', json_build_object(
                        'relation', json_build_object('namespace', n.nspname, 'name', c.relname),
                        'name', a.attname),
                    'expression', pg_get_expr(d.adbin, d.adrelid)) AS object
            FROM pg_catalog.pg_attrdef d
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attgenerated = '' AND {}",
            table()
        )
    }

    fn key(&self) -> Member {
        self.column.clone()
    }

    fn parent(&self) -> Option<Id> {
        Some(Column::id(self.column.clone()))
    }

    /// A column that comes along with its parent's has its default.
    fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        let Member { relation, name } = &self.column;
        leading_parents(relation, from, to)
            .into_iter()
            .filter_map(|parent| {
                let leader = Member::new(parent.name.clone(), name);
                let same = to.get::<Self>(&leader)?.expression == self.expression;
                same.then(|| Lead {
                    leader: Self::id(leader),
                    comes: Turn::After,
                    goes: Turn::After,
                    is_namesake: true,
                })
            })
            .collect()
    }

    fn designation(key: &Member) -> String {
        Column::designation(key)
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let relation = only(&self.column.relation, within);
        let set = Statement::new(
            format!("Set the default of {}", self.column),
            format!(
                "ALTER TABLE {relation} ALTER COLUMN {} SET DEFAULT {}",
                self.column.ident(),
                self.expression
            ),
        );
        vec![match self.fails_at_first(within) {
            Some(message) => {
                set.because(format!("the rows that are there do not get it: {message}"))
            }
            None => set,
        }]
    }

    /// ADD COLUMN … DEFAULT fills the rows that are there; SET DEFAULT afterwards leaves NULLs in them.
    fn clause(&self, within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        if self.fails_at_first(within).is_some() {
            return None;
        }
        Some(Clause::essential(format!("DEFAULT {}", self.expression)))
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let drop = drop_default(&self.column, within);
        // After a default that called a sequence, something else numbers the rows.
        let numbers = || {
            let id = Self::id(self.column.clone());
            let mut needs = within.needs(&id);
            needs.any(|on| on.kind() == Sequence::kind())
        };
        let column = within.get::<Column>(&self.column);
        let is_required = column.is_some_and(Column::is_required);
        vec![if is_required && !numbers() {
            let leaves_out = Hazard::breaks_deployed("leaves out", &self.column, Vec::new());
            drop.hazard(leaves_out)
        } else {
            drop
        }]
    }

    fn alter(&self, next: &Self, _from: &Schema, to: &Schema) -> Alter {
        let Self {
            column: _,
            expression: _,
        } = self;
        Alter::InPlace(next.create(to, &[]))
    }
}

/// The statement after which a column has no default.
pub(super) fn drop_default(column: &Member, within: &Schema) -> Statement {
    Statement::new(
        format!("Drop the default of {column}"),
        format!(
            "ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT",
            only(&column.relation, within),
            column.ident()
        ),
    )
}

impl Default {
    /// Postgres' message where ADD COLUMN fails with this default.
    fn fails_at_first<'a>(&self, within: &'a Schema) -> Option<&'a str> {
        within.get::<Column>(&self.column)?.fails_by_default(within)
    }

    /// True if both have the same expression, whatever the column.
    pub(super) fn says_what(&self, other: &Self) -> bool {
        self.expression == other.expression
    }

    /// True if its expression is this one.
    pub(super) fn reads(&self, expression: &str) -> bool {
        self.expression == expression
    }

    /// The expression.
    pub(super) fn expression(&self) -> &str {
        &self.expression
    }
}
