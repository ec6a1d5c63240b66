//! Extensions. Their members belong to them and are read by no room.

use serde::{Deserialize, Serialize};

use super::{Registered, comment::Comment};
use crate::{
    Alter, Clause, Keeping, Schema, Server, Statement,
    name::{literal, quoted_ident},
    object::Object,
};

/// A row of `pg_extension`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extension {
    name: String,
    namespace: String,
    version: String,
    /// The version that CREATE EXTENSION installs on this server when none is written.
    default_version: Option<String>,
    /// The comment that CREATE EXTENSION gives it on this server.
    default_comment: Option<String>,
    /// The versions that it can be updated to on this server.
    updates: Vec<String>,
}

impl Object for Extension {
    const NAME: &'static str = "extension";

    type Key = String;

    fn traces() -> String {
        "pg_catalog.pg_extension".to_owned()
    }

    fn catalog(_server: Server) -> String {
        "SELECT ARRAY['pg_catalog.pg_extension'::regclass::int8, e.oid::int8, 0] AS addresses,
            0 AS position,
            json_build_object('name', e.extname, 'namespace', n.nspname, 'version', e.extversion,
            'default_version', control.default_version, 'default_comment', control.comment,
            -- An extension outlives its files, and then the server says no more of it.
            'updates', CASE WHEN control.name IS NOT NULL THEN
                ARRAY(SELECT u.target FROM pg_catalog.pg_extension_update_paths(e.extname) u
                    WHERE u.source = e.extversion AND u.path IS NOT NULL ORDER BY u.target)
                ELSE '{}' END) AS object
        FROM pg_catalog.pg_extension e
            JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
            -- Reads the control files of everything that is installed, so not for what every database has.
            LEFT JOIN LATERAL (SELECT * FROM pg_catalog.pg_available_extensions() WHERE e.extname <> 'plpgsql') control
                ON control.name = e.extname"
            .to_owned()
    }

    fn key(&self) -> String {
        self.name.clone()
    }

    fn designation(key: &String) -> String {
        format!("EXTENSION {}", quoted_ident(key))
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let name = quoted_ident(&self.name);
        let sql = format!("CREATE EXTENSION {}", self.definition());
        let create = Statement::new(format!("Create extension {name}"), sql);
        let id = Self::id(self.name.clone());
        let mut comments = within.parts::<Comment>(&id);
        if self.default_comment.is_none() || comments.next().is_some() {
            return vec![create];
        }
        let silence = Statement::new(
            format!("Drop the comment that extension {name} comes with"),
            format!("COMMENT ON EXTENSION {name} IS NULL"),
        );
        vec![create, silence]
    }

    fn create_if_absent(&self, _within: &Schema) -> Option<Statement> {
        Some(Statement::new(
            format!(
                "Create extension {} where it is not there yet",
                quoted_ident(&self.name)
            ),
            format!("CREATE EXTENSION IF NOT EXISTS {}", self.definition()),
        ))
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let name = quoted_ident(&self.name);
        vec![Statement::new(
            format!("Drop extension {name}"),
            format!("DROP EXTENSION {name}"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        // Available versions are facts about the server, not about the extension.
        let Self {
            name: _,
            namespace,
            version,
            default_version: _,
            default_comment: _,
            updates,
        } = self;
        let Self {
            name,
            namespace: to_namespace,
            version: to_version,
            default_version: _,
            default_comment: _,
            updates: _,
        } = next;
        let name = quoted_ident(name);
        let mut statements = Vec::new();
        if namespace != to_namespace {
            statements.push(Statement::new(
                format!("Move extension {name}"),
                format!(
                    "ALTER EXTENSION {name} SET SCHEMA {}",
                    quoted_ident(to_namespace)
                ),
            ));
        }
        if version != to_version {
            if !updates.contains(to_version) {
                return Alter::NotYet(format!(
                    "it cannot be updated from version {version} to {to_version} on this server"
                ));
            }
            statements.push(Statement::new(
                format!("Update extension {name} from {version} to {to_version}"),
                format!("ALTER EXTENSION {name} UPDATE TO {}", literal(to_version)),
            ));
        }
        Alter::InPlace(statements)
    }

    fn keep(&self, there: &Self, _keeping: &Keeping<'_>) -> Self {
        let Self {
            name,
            namespace,
            version: _,
            default_version,
            default_comment,
            updates: _,
        } = self;
        Self {
            name: name.clone(),
            namespace: namespace.clone(),
            version: there.version.clone(),
            default_version: default_version.clone(),
            default_comment: default_comment.clone(),
            // The update paths start from that version.
            updates: there.updates.clone(),
        }
    }

    /// A dump does not say which version it is. Where the copy's server has another build of the extension, it may not have
    /// this version, and then the one that it has must do.
    fn dumped(&self) -> Option<[String; 2]> {
        if !self.is_of_another_version() {
            return None;
        }
        let (name, namespace) = (quoted_ident(&self.name), quoted_ident(&self.namespace));
        let line = format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {namespace}");
        let body = format!(
            "BEGIN {line} VERSION {}; EXCEPTION WHEN invalid_parameter_value THEN {line}; END",
            literal(&self.version)
        );
        Some([format!("{line};\n"), format!("DO {};\n", literal(&body))])
    }

    fn package(&self) -> Option<String> {
        Some(self.name.clone())
    }

    fn is_shared(&self) -> bool {
        true
    }
}

impl Extension {
    /// The words after CREATE EXTENSION.
    fn definition(&self) -> String {
        let (name, namespace) = (quoted_ident(&self.name), quoted_ident(&self.namespace));
        let mut sql = format!("{name} WITH SCHEMA {namespace}");
        if self.is_of_another_version() {
            sql += &format!(" VERSION {}", literal(&self.version));
        }
        sql
    }

    /// True if CREATE EXTENSION alone gives it this comment.
    pub(super) fn comes_with(&self, comment: &str) -> bool {
        self.default_comment.as_deref() == Some(comment)
    }

    /// True if CREATE EXTENSION without a version would install another one.
    fn is_of_another_version(&self) -> bool {
        let default = self.default_version.as_ref();
        default.is_some_and(|default| *default != self.version)
    }
}
