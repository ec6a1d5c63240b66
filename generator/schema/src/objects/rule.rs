//! Rules that rewrite what is done to a table or a view. The one that holds a view's query is a part of the view.

use serde::{Deserialize, Serialize};

use super::{
    catalog::{RELATION, RelationKind, table, view},
    reads::Reads,
};
use crate::{
    Alter, Clause, Id, Member, Name, Schema, Server, Statement, name::quoted_ident, object::Object,
};

/// A row of `pg_rewrite`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    relation: Name,
    on: RelationKind,
    name: String,
    /// Output of `pg_get_ruledef` after AS, without the semicolon.
    definition: String,
    reads: Reads,
    enabled: Enabled,
}

/// `pg_rewrite.ev_enabled`: in which sessions it fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Enabled {
    #[serde(rename = "O")]
    Origin,
    #[serde(rename = "D")]
    Nowhere,
    #[serde(rename = "R")]
    Replica,
    #[serde(rename = "A")]
    Always,
}

impl Object for Rule {
    const NAME: &'static str = "rule";

    type Key = Member;

    fn traces() -> String {
        "pg_catalog.pg_rewrite WHERE ev_type <> '1'".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_rewrite'::regclass::int8, r.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'relation', {RELATION},
                    'on', {},
                    'name', r.rulename,
                    'definition', rtrim(substr(pg_get_ruledef(r.oid),
                        length('CREATE RULE ' || quote_ident(r.rulename) || ' AS') + 1), ';'),
                    'reads', {},
                    'enabled', r.ev_enabled) AS object
            FROM pg_catalog.pg_rewrite r
                JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE r.ev_type <> '1' AND ({} OR {})",
            RelationKind::JSON,
            Reads::JSON,
            table(),
            view()
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(self.on.id(&self.relation))
    }

    fn also_needs(&self) -> Vec<Id> {
        self.reads.also_needs()
    }

    fn designation(key: &Member) -> String {
        format!("RULE {} ON {}", key.ident(), key.relation)
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            relation,
            on: _,
            name,
            definition,
            reads: _,
            enabled,
        } = self;
        let mut statements = vec![Statement::new(
            format!("Create rule {} on {relation}", quoted_ident(name)),
            format!("CREATE RULE {} AS{definition}", quoted_ident(name)),
        )];
        statements.extend(self.enable(Enabled::Origin, *enabled));
        statements
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let (name, relation) = (quoted_ident(&self.name), &self.relation);
        vec![Statement::new(
            format!("Drop rule {name} on {relation}"),
            format!("DROP RULE {name} ON {relation}"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self {
            relation,
            on,
            name,
            definition,
            reads,
            enabled,
        } = self;
        if *on != next.on {
            return Alter::Replace;
        }
        let mut statements = Vec::new();
        if *definition != next.definition || *reads != next.reads {
            let name = quoted_ident(name);
            statements.push(Statement::new(
                format!("Change rule {name} on {relation}"),
                format!("CREATE OR REPLACE RULE {name} AS{}", next.definition),
            ));
        }
        statements.extend(self.enable(*enabled, next.enabled));
        Alter::InPlace(statements)
    }

    fn declarable(&self, _within: &Schema) -> bool {
        false
    }

    fn holds_on(&self) -> bool {
        true
    }

    fn lists_columns(&self) -> bool {
        true
    }
}

impl Rule {
    fn enable(&self, from: Enabled, to: Enabled) -> Option<Statement> {
        let (says, word) = match to {
            _ if from == to => return None,
            Enabled::Origin => ("in ordinary sessions", "ENABLE"),
            Enabled::Nowhere => ("nowhere", "DISABLE"),
            Enabled::Replica => ("in sessions that replicate", "ENABLE REPLICA"),
            Enabled::Always => ("in every session", "ENABLE ALWAYS"),
        };
        let (name, relation) = (quoted_ident(&self.name), &self.relation);
        Some(Statement::new(
            format!("Let rule {name} on {relation} fire {says}"),
            format!("ALTER TABLE {relation} {word} RULE {name}"),
        ))
    }
}
