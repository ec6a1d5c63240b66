//! Foreign keys. Which of two equal keys of the other table one rests on is Postgres' choice and no part of it.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{COLUMNS, RELATION, chosen_name, table},
    key_constraint::{TIMING, rename_constraint},
    table::Table,
};
use crate::{
    Alter, Clause, Hazard, Id, LockMode, Member, Name, Schema, Server, Slot, Statement,
    name::quoted_ident,
    object::{Beside, Object},
};

/// A row of `pg_constraint` with `contype = 'f'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForeignKey {
    relation: Name,
    name: String,
    referenced: Name,
    /// What `pg_get_constraintdef` prints up to the actions.
    definition: String,
    columns: Beside<Vec<String>>,
    deferrable: bool,
    deferred: bool,
    validated: bool,
    enforced: bool,
}

impl Object for ForeignKey {
    const NAME: &'static str = "foreign key";

    type Key = Member;

    fn catalog(server: Server) -> String {
        let enforced = if server.at_least(18) {
            "k.conenforced"
        } else {
            "true"
        };
        format!(
            "SELECT ARRAY['pg_catalog.pg_constraint'::regclass::int8, k.oid::int8, 0] AS addresses,
                k.conkey[1]::int4 AS position,
                json_build_object(
                    'relation', {RELATION},
                    'name', k.conname,
                    'referenced', json_build_object('namespace', rn.nspname, 'name', r.relname),
                    'definition', left(def.text, length(def.text) - length({TIMING} || CASE
                        WHEN NOT {enforced} THEN ' NOT ENFORCED'
                        WHEN NOT k.convalidated THEN ' NOT VALID' ELSE '' END)),
                    'columns', {COLUMNS},
                    'deferrable', k.condeferrable,
                    'deferred', k.condeferred,
                    'validated', k.convalidated,
                    'enforced', {enforced}) AS object
            FROM pg_catalog.pg_constraint k
                JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
                JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
                CROSS JOIN LATERAL (SELECT pg_get_constraintdef(k.oid, true) AS text) def
            WHERE k.contype = 'f' AND k.conparentid = 0 AND {}",
            table()
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.relation.clone()))
    }

    /// The catalog knows the columns and the key that it rests on.
    fn also_needs(&self) -> Vec<Id> {
        vec![Table::id(self.referenced.clone())]
    }

    fn designation(key: &Member) -> String {
        format!("CONSTRAINT {} ON {}", key.ident(), key.relation)
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Constraint(self.key())]
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let (table, other) = (&self.relation, &self.referenced);
        let add = Statement::new(
            format!(
                "Add foreign key {} from {table} to {other}",
                quoted_ident(&self.name)
            ),
            format!("ALTER TABLE {table}\n    ADD {}", self.definition()),
        )
        .hazard(Hazard::Locks {
            table: format!("{table} and {other}"),
            mode: LockMode::Writes,
        });
        if !self.validated {
            return vec![add];
        }
        vec![add.hazard(self.may_fail())]
    }

    /// In CREATE TABLE a NOT VALID would be ignored: there is nothing to validate.
    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        (self.validated || !self.enforced).then(|| Clause::cosmetic(self.definition()))
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let (table, name) = (&self.relation, quoted_ident(&self.name));
        vec![Statement::new(
            format!("Drop foreign key {name} of {table}"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self {
            relation,
            name,
            referenced,
            definition,
            columns: _,
            deferrable,
            deferred,
            validated,
            enforced,
        } = self;
        let loosened = *validated && !next.validated && next.enforced;
        if *referenced != next.referenced
            || *definition != next.definition
            || loosened
            || *enforced != next.enforced
        {
            return Alter::Replace;
        }
        let quoted = quoted_ident(name);
        let mut statements = Vec::new();
        if *deferrable != next.deferrable || *deferred != next.deferred {
            statements.push(Statement::new(
                format!("Change when foreign key {quoted} of {relation} is checked"),
                format!(
                    "ALTER TABLE {relation} ALTER CONSTRAINT {quoted} {}",
                    next.timing()
                ),
            ));
        }
        if *validated != next.validated {
            statements.push(
                Statement::new(
                    format!("Validate foreign key {quoted} of {relation}"),
                    format!("ALTER TABLE {relation} VALIDATE CONSTRAINT {quoted}"),
                )
                .hazard(self.may_fail()),
            );
        }
        Alter::InPlace(statements)
    }

    fn rename(&self, to: &str) -> Option<Vec<Statement>> {
        Some(vec![rename_constraint(&self.key(), to)])
    }

    fn naming(&self, _within: &Schema) -> Option<(Id, String)> {
        Some((self.parent()?, self.name.clone()))
    }

    fn chosen_name(&self, _within: &Schema) -> Option<String> {
        Some(chosen_name(&self.relation, &self.columns, "fkey"))
    }

    fn named(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }
}

impl ForeignKey {
    fn definition(&self) -> String {
        let mut sql = format!(
            "CONSTRAINT {} {}",
            quoted_ident(&self.name),
            self.definition
        );
        if self.deferrable {
            sql += &format!(" {}", self.timing());
        }
        if !self.enforced {
            sql += " NOT ENFORCED";
        } else if !self.validated {
            sql += " NOT VALID";
        }
        sql
    }

    fn timing(&self) -> &'static str {
        match (self.deferrable, self.deferred) {
            (false, _) => "NOT DEFERRABLE",
            (true, false) => "DEFERRABLE INITIALLY IMMEDIATE",
            (true, true) => "DEFERRABLE INITIALLY DEFERRED",
        }
    }

    fn may_fail(&self) -> Hazard {
        let Self {
            relation,
            referenced,
            ..
        } = self;
        Hazard::MayFail {
            because: format!("while a row of {relation} points to no row of {referenced}"),
        }
    }
}
