//! Enum types. A label can be added in place; to lose one or to change their order, the type is rebuilt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{USER_NAMESPACE, no_member},
};
use crate::{
    Alter, Clause, Hazard, Id, Name, Schema, Server, Slot, Statement,
    name::{literal, quoted_ident, set_aside},
    object::Object,
};

/// A row of `pg_type` with `typtype = 'e'`, and its labels in their order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnumType {
    name: Name,
    labels: Vec<String>,
}

impl Object for EnumType {
    const NAME: &'static str = "enum type";

    const PART: &'static str = "label";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_type WHERE typtype = 'e'".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_type'::regclass::int8, t.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'name', json_build_object('namespace', n.nspname, 'name', t.typname),
                    'labels', ARRAY(SELECT e.enumlabel FROM pg_catalog.pg_enum e
                        WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)) AS object
            FROM pg_catalog.pg_type t
                JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            WHERE t.typtype = 'e' AND {USER_NAMESPACE} AND {}",
            no_member("pg_type", "t.oid")
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn designation(key: &Name) -> String {
        format!("TYPE {key}")
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Type(self.name.clone())]
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let labels: Vec<String> = self.labels.iter().map(|label| literal(label)).collect();
        vec![Statement::new(
            format!("Create enum type {}", self.name),
            format!("CREATE TYPE {} AS ENUM ({})", self.name, labels.join(", ")),
        )]
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        vec![
            Statement::new(
                format!("Drop enum type {}", self.name),
                format!("DROP TYPE {}", self.name),
            )
            .hazard(Hazard::names(&self.name)),
        ]
    }

    fn alter(&self, next: &Self, _from: &Schema, to: &Schema) -> Alter {
        let Self { name, labels } = self;
        let Self {
            name: _,
            labels: wanted,
        } = next;
        if is_subsequence(labels, wanted) {
            return Alter::InPlace(additions(name, labels, wanted));
        }
        let aside = aside(name, to);
        let mut create = next.create(to, &[]);
        let lost = labels.iter().filter(|label| !wanted.contains(label));
        let lost: Vec<Hazard> = lost.map(|label| names_label(name, label)).collect();
        if let Some(first) = create.pop() {
            create.push(lost.into_iter().fold(first, Statement::hazard));
        }
        Alter::Rebuild {
            aside: vec![Statement::new(
                format!("Set enum type {name} aside: Postgres cannot remove or reorder labels"),
                format!("ALTER TYPE {name} RENAME TO {}", quoted_ident(&aside.name)),
            )],
            create,
            drop: vec![Statement::new(
                format!("Drop the old enum type {name}"),
                format!("DROP TYPE {aside}"),
            )],
        }
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
        })
    }

    fn parts(&self) -> &[String] {
        &self.labels
    }

    fn rename_part(&self, part: &str, to: &str) -> Option<(Self, Statement)> {
        let (name, old, new) = (&self.name, literal(part), literal(to));
        let mut renamed = self.clone();
        let label = renamed.labels.iter_mut().find(|label| *label == part)?;
        to.clone_into(label);
        let statement = Statement::new(
            format!("Rename label {old} of enum type {name} to {new}"),
            format!("ALTER TYPE {name} RENAME VALUE {old} TO {new}"),
        )
        .respells()
        .hazard(names_label(name, part));
        Some((renamed, statement))
    }

    fn resembles(&self, _within: &Schema, other: &Self, _others: &Schema) -> bool {
        self.labels == other.labels
    }

    fn clear(&self) -> Option<String> {
        Some(format!("DROP TYPE IF EXISTS {} CASCADE", self.name))
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// The dropped labels that rows may have, each with the one that replaces it.
pub(super) fn replaced(id: &Id, from: &Schema, to: &Schema) -> BTreeMap<String, String> {
    both(id, from, to).map_or_else(BTreeMap::new, |(old, new)| new.replaces(&old, to))
}

/// The dropped labels that no other one replaces.
pub(super) fn gone(id: &Id, from: &Schema, to: &Schema) -> Vec<String> {
    let Some((old, new)) = both(id, from, to) else {
        return Vec::new();
    };
    let replaced = new.replaces(&old, to);
    let gone = old.labels.into_iter();
    gone.filter(|label| !new.labels.contains(label) && !replaced.contains_key(label))
        .collect()
}

/// The enum type before and after.
fn both(id: &Id, from: &Schema, to: &Schema) -> Option<(EnumType, EnumType)> {
    let enum_type = |schema: &Schema| EnumType::of(&schema.entry(id)?.object).cloned();
    Some((enum_type(from)?, enum_type(to)?))
}

impl EnumType {
    fn replaces(&self, old: &Self, within: &Schema) -> BTreeMap<String, String> {
        let advice = within.advice(&Self::id(self.name.clone()));
        let wanted = advice.into_iter().flat_map(|advice| &advice.replaced);
        wanted
            .filter(|(label, _)| old.labels.contains(label) && !self.labels.contains(label))
            .map(|(label, new)| (label.clone(), new.clone()))
            .collect()
    }
}

/// The ALTER TYPE statements that add the labels of `wanted` that `labels` lacks, each at its place.
fn additions(name: &Name, labels: &[String], wanted: &[String]) -> Vec<Statement> {
    let mut have = labels.to_vec();
    let mut statements = Vec::new();
    for (place, label) in wanted.iter().enumerate() {
        if have.get(place) == Some(label) {
            continue;
        }
        let mut sql = format!("ALTER TYPE {name} ADD VALUE {}", literal(label));
        if let Some(next) = have.get(place) {
            sql += &format!(" BEFORE {}", literal(next));
        }
        have.insert(place, label.clone());
        statements.push(
            Statement::new(
                format!("Add label {} to enum type {name}", literal(label)),
                sql,
            )
            .after_commit(),
        );
    }
    statements
}

/// Nothing of the type is called so afterwards.
fn names_label(name: &Name, label: &str) -> Hazard {
    Hazard::names(format!("label {} of {name}", literal(label)))
}

/// A name for the old type that nothing has.
fn aside(name: &Name, within: &Schema) -> Name {
    let in_namespace = |aside: &str| Name::new(&name.namespace, aside);
    let taken = |aside: &str| {
        let slot = Slot::Type(in_namespace(aside));
        let mut entries = within.entries();
        entries.any(|(_, entry)| entry.occupies().contains(&slot))
    };
    in_namespace(&set_aside(&name.name, taken))
}

fn is_subsequence(few: &[String], many: &[String]) -> bool {
    let mut rest = many.iter();
    few.iter().all(|label| rest.any(|other| other == label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn labels_come_at_their_place() {
        let name = Name::new("public", "mood");
        let sql: Vec<String> = additions(&name, &labels("b d"), &labels("a b c d e"))
            .iter()
            .map(|statement| statement.sql().to_owned())
            .collect();
        assert_eq!(
            sql,
            [
                "ALTER TYPE public.mood ADD VALUE 'a' BEFORE 'b'",
                "ALTER TYPE public.mood ADD VALUE 'c' BEFORE 'd'",
                "ALTER TYPE public.mood ADD VALUE 'e'",
            ]
        );
    }

    #[test]
    fn a_lost_or_moved_label_is_no_addition() {
        assert!(is_subsequence(&labels("a c"), &labels("a b c")));
        assert!(!is_subsequence(&labels("a c"), &labels("c a")));
        assert!(!is_subsequence(&labels("a c"), &labels("a b")));
    }
}
