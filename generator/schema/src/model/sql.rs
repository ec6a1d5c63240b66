//! Models as SQL. What the model left unnamed stays so: Postgres names it.

mod column;
mod comment;
mod index;
mod partition;
mod sequence;
mod statistics;
mod table;

use std::collections::BTreeMap;

pub(super) use self::partition::partitions;

use super::declaration::{Declaration, Rank};
use super::definition::{
    Deferral, Enforcement, EnumDef, ExtensionDef, ForeignKeyDef, Item, ModelDef,
};
use super::gathered::Gathered;
use crate::Id;
use crate::Member;
use crate::Name;
use crate::Origin;
use crate::name::{ident_list, literal, quoted_ident};
use crate::objects::Registered;
use crate::objects::{
    enum_type::EnumType, extension::Extension, foreign_key::ForeignKey, namespace::Namespace,
    table::Table,
};

/// Every declaration, in an order in which they can run.
pub(super) fn declare(gathered: &Gathered) -> Vec<Declaration> {
    let mut list = namespaces(gathered);
    list.extend(extensions(&gathered.extensions));
    list.extend(gathered.enums.iter().flat_map(|pg_enum| enum_type(pg_enum)));
    list.extend(
        gathered
            .models
            .iter()
            .flat_map(|model| model_declarations(model)),
    );
    let sequences = gathered.sequences.iter();
    list.extend(sequences.flat_map(|one| sequence::declare(one)));
    // Stable, so the order of the files and of the fields holds within a rank.
    list.sort_by_key(|declaration| declaration.rank);
    list
}

fn model_declarations(model: &ModelDef) -> Vec<Declaration> {
    let mut list = vec![table::declare(model)];
    list.extend(partition::declare(model));
    list.extend(table::declare_not_valid(model));
    list.extend(table::declare_merged(model));
    list.extend(table::of_type(model));
    list.extend(column::settings(model));
    list.extend(
        model
            .indexes
            .iter()
            .map(|index| index::declare(model, index)),
    );
    list.extend(model.foreign_keys.iter().map(|key| foreign_key(model, key)));
    let statistics = model.statistics.iter();
    list.extend(statistics.flat_map(|one| statistics::declare(model, one)));
    list.extend(comment::declare(model));
    list
}

/// The table that a struct declares.
fn table_of(model: &ModelDef) -> Id {
    Table::id(model.name())
}

/// Every namespace that something is declared in and that may not be there yet.
fn namespaces(gathered: &Gathered) -> Vec<Declaration> {
    let models = gathered
        .models
        .iter()
        .map(|model| (model.namespace, &model.item));
    let enums = gathered
        .enums
        .iter()
        .map(|pg_enum| (pg_enum.namespace, &pg_enum.item));
    let extensions = gathered
        .extensions
        .iter()
        .filter_map(|it| Some((it.namespace?, &it.item)));
    let sequences = gathered.sequences.iter();
    let sequences = sequences.map(|it| (it.namespace, &it.item));
    let mut first_mention: BTreeMap<&str, &Item> = BTreeMap::new();
    for (namespace, item) in models.chain(enums).chain(extensions).chain(sequences) {
        first_mention.entry(namespace).or_insert(item);
    }
    first_mention.retain(|namespace, _| *namespace != "public" && !namespace.starts_with("pg_"));
    let declare = |(namespace, item): (&str, &Item)| {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted_ident(namespace));
        let id = Namespace::id(namespace.to_owned());
        statement(
            id.clone(),
            Some(id),
            Rank::Namespace,
            namespace,
            sql,
            item.origin(),
        )
    };
    first_mention.into_iter().map(declare).collect()
}

fn extensions(extensions: &[&ExtensionDef]) -> Vec<Declaration> {
    let mut first_mention: BTreeMap<&str, &ExtensionDef> = BTreeMap::new();
    for extension in extensions {
        first_mention.entry(extension.name).or_insert(extension);
    }
    let declare = |extension: &ExtensionDef| {
        let namespace = extension.namespace.unwrap_or("public");
        let id = Extension::id(extension.name.to_owned());
        let mut sql = format!(
            "CREATE EXTENSION IF NOT EXISTS {}",
            quoted_ident(extension.name)
        );
        if let Some(namespace) = extension.namespace {
            sql = format!("{sql} SCHEMA {}", quoted_ident(namespace));
        }
        statement(
            id.clone(),
            Some(id),
            Rank::Extension,
            namespace,
            sql,
            extension.item.origin(),
        )
    };
    first_mention.into_values().map(declare).collect()
}

fn enum_type(pg_enum: &EnumDef) -> Vec<Declaration> {
    let (name, origin) = (pg_enum.name(), pg_enum.item.origin());
    let labels: Vec<String> = pg_enum.labels.iter().map(|label| literal(label)).collect();
    let sql = format!("CREATE TYPE {name} AS ENUM ({})", labels.join(", "));
    let target = format!("TYPE {name}");
    let id = EnumType::id(name);
    let mut list = vec![statement(
        id.clone(),
        Some(id.clone()),
        Rank::Enum,
        pg_enum.namespace,
        sql,
        origin.clone(),
    )];
    list.extend(
        pg_enum
            .comment
            .map(|text| comment::on(id, pg_enum.namespace, &target, text, origin)),
    );
    list
}

fn foreign_key(model: &ModelDef, key: &ForeignKeyDef) -> Declaration {
    let mut clauses = vec![format!("ALTER TABLE {} ADD", model.name())];
    clauses.extend(key.name.map(constraint));
    clauses.push(format!(
        "FOREIGN KEY ({})",
        with_period(key, key.columns.iter().copied())
    ));
    clauses.push(references(key));
    clauses.extend(key.match_full.then(|| "MATCH FULL".to_owned()));
    clauses.extend(
        key.on_delete
            .map(|action| format!("ON DELETE {}", table::action(action))),
    );
    clauses.extend((!key.set.is_empty()).then(|| format!("({})", ident_list(key.set))));
    clauses.extend(
        key.on_update
            .map(|action| format!("ON UPDATE {}", table::action(action))),
    );
    clauses.extend(deferral(key.deferral));
    clauses.extend(enforcement(key.enforcement));
    let id = key
        .name
        .map(|name| ForeignKey::id(Member::new(model.name(), name)));
    let (namespace, origin) = (model.namespace, model.item.origin_at(key.place));
    let other = key.references.first();
    Declaration {
        mentions: other.map(|column| Table::id(Name::new(column.namespace, column.table))),
        ..statement(
            table_of(model),
            id,
            Rank::ForeignKey,
            namespace,
            clauses.join(" "),
            origin,
        )
    }
}

fn references(key: &ForeignKeyDef) -> String {
    let columns = key.references;
    let table = columns
        .first()
        .map(|column| Name::new(column.namespace, column.table).to_string());
    let columns = with_period(key, columns.iter().map(|column| column.column));
    format!("REFERENCES {} ({columns})", table.unwrap_or_default())
}

/// The columns on one side of a foreign key, the last of which is a period where the key is over one.
fn with_period(key: &ForeignKeyDef, columns: impl Iterator<Item = &'static str>) -> String {
    let mut columns: Vec<String> = columns.map(quoted_ident).collect();
    if let (Some(last), true) = (columns.last_mut(), key.period) {
        last.insert_str(0, "PERIOD ");
    }
    columns.join(", ")
}

/// `CONSTRAINT name`
fn constraint(name: &str) -> String {
    format!("CONSTRAINT {}", quoted_ident(name))
}

fn deferral(deferral: Deferral) -> Option<String> {
    match deferral {
        Deferral::Never => None,
        Deferral::Deferrable => Some("DEFERRABLE".to_owned()),
        Deferral::InitiallyDeferred => Some("DEFERRABLE INITIALLY DEFERRED".to_owned()),
    }
}

fn enforcement(enforcement: Enforcement) -> Option<String> {
    match enforcement {
        Enforcement::OnAllRows => None,
        Enforcement::OnNewRows => Some("NOT VALID".to_owned()),
        Enforcement::Never => Some("NOT ENFORCED".to_owned()),
    }
}

/// A collation is named as `pg_collation` has it, or written as SQL with its quotes.
fn collation(name: &str) -> String {
    let written = if name.contains('"') {
        name.to_owned()
    } else {
        quoted_ident(name)
    };
    format!("COLLATE {written}")
}

/// A declaration without parts.
fn statement(
    of: Id,
    id: Option<Id>,
    rank: Rank,
    namespace: &str,
    sql: String,
    origin: Origin,
) -> Declaration {
    Declaration {
        id,
        of,
        mentions: None,
        rank,
        namespace: namespace.to_owned(),
        head: sql,
        parts: Vec::new(),
        tail: String::new(),
        decides: Vec::new(),
        origin,
    }
}
