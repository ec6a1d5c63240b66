//! Collations. Postgres can change nothing about one but its name, so another one takes its place, and the columns that use it are
//! moved over. Models cannot declare them yet.

use serde::{Deserialize, Serialize};

use super::catalog::{USER_NAMESPACE, no_member};
use crate::{
    Alter, Clause, Hazard, Name, Schema, Server, Statement,
    name::{literal, quoted_ident, set_aside},
    object::Object,
};

/// A row of `pg_collation`. The version that the operating system gave it is a fact about the server, and no part of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Collation {
    name: Name,
    provider: Provider,
    /// Of the C library's alone, `LC_COLLATE` and `LC_CTYPE`.
    categories: Option<[String; 2]>,
    /// Of all others.
    locale: Option<String>,
    deterministic: bool,
    rules: Option<String>,
}

/// `pg_collation.collprovider`: who knows how to compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Provider {
    #[serde(rename = "c")]
    Libc,
    #[serde(rename = "i")]
    Icu,
    /// Postgres itself, from 17.
    #[serde(rename = "b")]
    Builtin,
}

impl Object for Collation {
    const NAME: &'static str = "collation";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_collation WHERE oid >= 16384".to_owned()
    }

    fn catalog(server: Server) -> String {
        let locale = if server.at_least(17) {
            "c.colllocale"
        } else if server.at_least(15) {
            "c.colliculocale"
        } else {
            "CASE WHEN c.collprovider = 'i' THEN c.collcollate END"
        };
        let rules = if server.at_least(16) {
            "c.collicurules"
        } else {
            "NULL"
        };
        format!(
            "SELECT ARRAY['pg_catalog.pg_collation'::regclass::int8, c.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'name', json_build_object('namespace', n.nspname, 'name', c.collname),
                    'provider', c.collprovider,
                    'categories', CASE WHEN c.collprovider = 'c' THEN ARRAY[c.collcollate, c.collctype] END,
                    'locale', {locale},
                    'deterministic', c.collisdeterministic,
                    'rules', {rules}) AS object
            FROM pg_catalog.pg_collation c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
            WHERE {USER_NAMESPACE} AND {}",
            no_member("pg_collation", "c.oid")
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn designation(key: &Name) -> String {
        format!("COLLATION {key}")
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            name,
            provider,
            categories,
            locale,
            deterministic,
            rules,
        } = self;
        let mut options = vec![format!("PROVIDER = {}", provider.word())];
        match categories {
            Some([collate, ctype]) if collate != ctype => {
                options.push(format!("LC_COLLATE = {}", literal(collate)));
                options.push(format!("LC_CTYPE = {}", literal(ctype)));
            }
            Some([both, _]) => options.push(format!("LOCALE = {}", literal(both))),
            None => {}
        }
        let locale = locale.iter().map(|locale| literal(locale));
        options.extend(locale.map(|locale| format!("LOCALE = {locale}")));
        if !deterministic {
            options.push("DETERMINISTIC = false".to_owned());
        }
        let rules = rules.iter().map(|rules| literal(rules));
        options.extend(rules.map(|rules| format!("RULES = {rules}")));
        vec![Statement::new(
            format!("Create collation {name}"),
            format!("CREATE COLLATION {name} ({})", options.join(", ")),
        )]
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        vec![
            Statement::new(
                format!("Drop collation {}", self.name),
                format!("DROP COLLATION {}", self.name),
            )
            .hazard(Hazard::names(&self.name)),
        ]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        let Self {
            name,
            provider: _,
            categories: _,
            locale: _,
            deterministic: _,
            rules: _,
        } = self;
        let taken = |aside: &str| {
            let aside = Name::new(&name.namespace, aside);
            [from, to]
                .iter()
                .any(|schema| schema.get::<Self>(&aside).is_some())
        };
        let aside = Name::new(&name.namespace, set_aside(&name.name, taken));
        Alter::Rebuild {
            aside: vec![Statement::new(
                format!("Set collation {name} aside: Postgres cannot change one"),
                format!(
                    "ALTER COLLATION {name} RENAME TO {}",
                    quoted_ident(&aside.name)
                ),
            )],
            create: next.create(to, &[]),
            drop: vec![Statement::new(
                format!("Drop the old collation {name}"),
                format!("DROP COLLATION {aside}"),
            )],
        }
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
        })
    }

    fn declarable(&self, _within: &Schema) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        true
    }
}

impl Collation {
    /// False if strings that differ may be equal in it.
    pub(super) fn is_deterministic(&self) -> bool {
        self.deterministic
    }
}

impl Provider {
    fn word(self) -> &'static str {
        match self {
            Self::Libc => "libc",
            Self::Icu => "icu",
            Self::Builtin => "builtin",
        }
    }
}
