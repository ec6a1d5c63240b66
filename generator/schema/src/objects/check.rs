//! Check constraints of tables.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{COLUMNS, RELATION, expression, table},
    inheritance::{
        Descending, Descent, Leading, inherits, lasting_parents, leading_parents,
        only_unless_partitioned,
    },
    key_constraint::{contradicts, rename_constraint},
    table::Table,
};
use crate::{
    Action, Alter, Clause, Hazard, Id, Keeping, Lead, Member, Name, Pass, Schema, Server, Slot,
    Statement,
    name::{chosen, quoted_ident},
    object::{Metadata, Object},
};

/// A row of `pg_constraint` with `contype = 'c'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    relation: Name,
    name: String,
    expression: String,
    /// The columns that it mentions.
    columns: Metadata<Vec<String>>,
    no_inherit: bool,
    validated: bool,
    enforced: bool,
    descent: Descent,
}

impl Object for Check {
    const NAME: &'static str = "check constraint";

    type Key = Member;

    fn traces() -> String {
        "pg_catalog.pg_constraint WHERE contype = 'c'".to_owned()
    }

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
                    'expression', {expression},
                    'columns', {COLUMNS},
                    'no_inherit', k.connoinherit,
                    'validated', k.convalidated,
                    'enforced', {enforced},
                    'descent', {descent}) AS object
            FROM pg_catalog.pg_constraint k
                JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype = 'c' AND {}",
            table(),
            expression = expression("k.conbin", "k.conrelid"),
            descent = Descent::json("k.conislocal", "k.coninhcount"),
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.relation.clone()))
    }

    fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        if !self.descent.is_inherited() {
            return Vec::new();
        }
        leading_parents(&self.relation, from, to)
            .into_iter()
            .map(|parent| Lead {
                leader: Self::id(Member::new(parent.name.clone(), &self.name)),
                comes: self.descent.comes(),
                goes: parent.goes(),
                is_namesake: true,
            })
            .collect()
    }

    fn follow(&self, leader: &Self, _within: &Schema) -> Vec<Statement> {
        let validates = self.validated && self.enforced && !leader.validated;
        validates.then(|| self.validate()).into_iter().collect()
    }

    fn designation(key: &Member) -> String {
        format!("CONSTRAINT {} ON {}", key.ident(), key.relation)
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Constraint(self.key())]
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let table = &self.relation;
        let says = format!(
            "Add check constraint {} to {table}",
            quoted_ident(&self.name)
        );
        let words = format!("ADD {}", self.definition());
        let mut add = if self.validated && self.enforced {
            Statement::of(says, Action::new(table, Pass::Constrain, words))
        } else {
            Statement::new(says, format!("ALTER TABLE {table} {words}"))
        };
        if self.enforced {
            add = add.hazard(contradicts(Self::NAME, &self.key(), &self.columns, within));
        }
        if !self.validated {
            return vec![add];
        }
        vec![add.hazard(self.contradicted())]
    }

    /// In CREATE TABLE a NOT VALID would be ignored: there is nothing to validate.
    fn clause(&self, within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        if self.descent.is_only_inherited() && !inherits(&self.relation, within).is_empty() {
            return Some(Clause::essential(""));
        }
        (self.validated || !self.enforced).then(|| Clause::cosmetic(self.definition()))
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let name = quoted_ident(&self.name);
        let table = only_unless_partitioned(&self.relation, within);
        vec![Statement::new(
            format!("Drop check constraint {name} of {}", self.relation),
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        )]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        let Self {
            relation,
            name,
            expression,
            columns: _,
            no_inherit,
            validated,
            enforced,
            descent,
        } = self;
        let Self {
            relation: _,
            name: _,
            expression: to_expression,
            columns: _,
            no_inherit: to_no_inherit,
            validated: to_validated,
            enforced: to_enforced,
            descent: to_descent,
        } = next;
        let same =
            expression == to_expression && no_inherit == to_no_inherit && enforced == to_enforced;
        if !same {
            return Alter::Replace;
        }
        let leads = |parent: &Name| {
            let key = Member::new(parent.clone(), name);
            let is_in = |schema: &Schema| schema.get::<Self>(&key).is_some();
            Leading {
                had: is_in(from),
                has: is_in(to),
            }
        };
        match descent.change(*to_descent, relation, from, to, leads) {
            Descending::ByItself => {}
            Descending::Anew => return Alter::Replace,
            Descending::Not(why) => return Alter::NotYet(why),
        }
        if validated == to_validated || self.changes_along(from, to) {
            return Alter::InPlace(Vec::new());
        }
        if *to_validated {
            return Alter::InPlace(vec![self.validate()]);
        }
        Alter::Replace
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            relation,
            name,
            expression,
            columns,
            no_inherit,
            validated,
            enforced,
            descent,
        } = self;
        Self {
            relation: relation.clone(),
            name: name.clone(),
            expression: expression.clone(),
            columns: columns.clone(),
            no_inherit: *no_inherit,
            validated: *validated,
            enforced: *enforced,
            descent: descent.keep(there.descent, relation, keeping.within),
        }
    }

    fn keyed(&self, Member { relation, name }: Member) -> Option<Self> {
        Some(Self {
            relation,
            name,
            ..self.clone()
        })
    }

    fn rename(key: &Member, to: &str) -> Statement {
        rename_constraint(key, to)
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
}

impl Check {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// True if NOT VALID: rows older than the constraint may violate it.
    pub(super) fn is_unasked(&self) -> bool {
        self.enforced && !self.validated
    }

    fn validate(&self) -> Statement {
        let (table, name) = (&self.relation, quoted_ident(&self.name));
        Statement::of(
            format!("Validate check constraint {name} of {table}"),
            Action::validate(table, &name),
        )
        .hazard(self.contradicted())
    }

    fn contradicted(&self) -> Hazard {
        let (table, expression) = (&self.relation, &self.expression);
        Hazard::finds(format!("SELECT * FROM {table} WHERE NOT ({expression})"))
    }

    /// True if a parent's constraint gets validated or NOT VALID in the same migration, and this one along with it.
    fn changes_along(&self, from: &Schema, to: &Schema) -> bool {
        self.descent.is_inherited()
            && lasting_parents(&self.relation, from, to)
                .into_iter()
                .any(|parent| {
                    let leader = Member::new(parent.name.clone(), &self.name);
                    match (from.get::<Self>(&leader), to.get::<Self>(&leader)) {
                        (Some(old), Some(new)) => old.validated != new.validated,
                        (None | Some(_), None) | (None, Some(_)) => false,
                    }
                })
    }

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
