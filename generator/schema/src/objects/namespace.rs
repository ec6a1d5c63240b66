//! Namespaces: what Postgres' commands call schemas.

use serde::{Deserialize, Serialize};

use super::catalog::{USER_NAMESPACE, no_member};
use crate::{Alter, Clause, Hazard, Schema, Server, Statement, name::quoted_ident, object::Object};

/// A row of `pg_namespace`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}

impl Object for Namespace {
    const NAME: &'static str = "namespace";

    type Key = String;

    fn traces() -> String {
        "pg_catalog.pg_namespace".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_namespace'::regclass::int8, n.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object('name', n.nspname) AS object
            FROM pg_catalog.pg_namespace n
            WHERE {USER_NAMESPACE} AND {}",
            no_member("pg_namespace", "n.oid")
        )
    }

    fn key(&self) -> String {
        self.name.clone()
    }

    fn designation(key: &String) -> String {
        format!("SCHEMA {}", quoted_ident(key))
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let name = quoted_ident(&self.name);
        vec![Statement::new(
            format!("Create namespace {name}"),
            format!("CREATE SCHEMA {name}"),
        )]
    }

    fn create_if_absent(&self, _within: &Schema) -> Option<Statement> {
        let name = quoted_ident(&self.name);
        Some(Statement::new(
            format!("Create namespace {name} where it is not there yet"),
            format!("CREATE SCHEMA IF NOT EXISTS {name}"),
        ))
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let name = quoted_ident(&self.name);
        vec![Statement::new(
            format!("Drop namespace {name}"),
            format!("DROP SCHEMA {name}"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self { name: _ } = self;
        let Self { name: _ } = next;
        Alter::InPlace(Vec::new())
    }

    fn keyed(&self, name: String) -> Option<Self> {
        Some(Self { name })
    }

    fn rename(name: &String, to: &str) -> Statement {
        let (name, to) = (quoted_ident(name), quoted_ident(to));
        Statement::new(
            format!("Rename namespace {name} to {to}"),
            format!("ALTER SCHEMA {name} RENAME TO {to}"),
        )
        .hazard(Hazard::names(format!("namespace {name}")))
    }

    fn is_shared(&self) -> bool {
        true
    }
}
