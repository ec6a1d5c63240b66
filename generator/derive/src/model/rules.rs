//! Cross-checks between attributes; one function a rule.

use std::collections::BTreeMap;

use syn::{Error, Ident, LitStr};

use super::Model;
use super::field::Field;
use super::index_key::Indexed;
use crate::diesel::Namespace;
use crate::mistakes::Mistakes;
use crate::place::unraw;
use crate::renamed_from::each_from_another;

/// Checks a model against every rule.
pub(crate) fn check(model: &Model, mistakes: &Mistakes) {
    has_a_table(model, mistakes);
    says_the_same_as_diesel(model, mistakes);
    has_a_known_namespace(model, mistakes);
    skipped_fields_say_nothing(model, mistakes);
    columns_have_one_name_each(model, mistakes);
    columns_are_filled_one_way(model, mistakes);
    serial_decides_the_type(model, mistakes);
    rules_belong_to_a_reference(model, mistakes);
    embedded_fields_are_skipped(model, mistakes);
    one_primary_key(model, mistakes);
    listed_columns_exist(model, mistakes);
    model.container.layout.check(&model.column_names, mistakes);
    renamed_from_another_name(model, mistakes);
    what_is_partitioned_stores_nothing(model, mistakes);
}

fn what_is_partitioned_stores_nothing(model: &Model, mistakes: &Mistakes) {
    let container = &model.container;
    if let (Some((word, _)), true) = (&container.parameters, container.layout.is_partitioned()) {
        mistakes.at(
            word,
            "a partitioned table stores no rows, so it has no storage parameters",
        );
    }
}

/// A name that is derived from a Rust type changes with it, and takes the table along.
fn has_a_table(model: &Model, mistakes: &Mistakes) {
    let container = &model.container;
    if container.table.is_none() && container.diesel.table_name.is_none() {
        mistakes.at(
            &model.ident,
            "which table is this? Write #[model(table = \"…\")], or #[diesel(table_name = …)] as Diesel reads it; \
             the name is never taken from the struct",
        );
    }
}

/// Taken for `public`, a table of another namespace would be made there anew.
fn has_a_known_namespace(model: &Model, mistakes: &Mistakes) {
    let container = &model.container;
    if let (None, Namespace::Unknown(modules)) = (&container.namespace, &container.diesel.namespace)
    {
        mistakes.at(
            &container.diesel.table_name,
            format!(
                "which namespace is this table in? The module `{modules}` does not tell: write #[model(namespace = \"public\")], or \
                 the one that it is in. `schema::…` is public, and `schema::shop::…` is shop"
            ),
        );
    }
}

fn says_the_same_as_diesel(model: &Model, mistakes: &Mistakes) {
    let container = &model.container;
    same(
        "table",
        container.table.as_ref(),
        container.diesel.table_name.as_ref(),
        mistakes,
    );
    for field in &model.fields {
        same(
            "column",
            field.column.as_ref(),
            field.diesel.column_name.as_ref(),
            mistakes,
        );
    }
}

fn same(what: &str, ours: Option<&LitStr>, diesels: Option<&LitStr>, mistakes: &Mistakes) {
    if let (Some(ours), Some(diesels)) = (ours, diesels)
        && ours.value() != diesels.value()
    {
        let (here, there) = (ours.value(), diesels.value());
        let message =
            format!("#[model] says that this {what} is `{here}`, #[diesel] that it is `{there}`");
        conflict(ours.span(), diesels.span(), message, mistakes);
    }
}

fn skipped_fields_say_nothing(model: &Model, mistakes: &Mistakes) {
    for field in &model.fields {
        let Some(skip) = &field.skip else { continue };
        let says_something = !(field.column.is_none()
            && field.sql_type.is_none()
            && field.collation.is_none()
            && field.not_null.is_none()
            && field.storage.is_none()
            && field.compression.is_none()
            && field.statistics.is_none()
            && field.comment.is_none()
            && field.fillings.is_empty()
            && field.primary_key.is_none()
            && field.uniques.is_empty()
            && field.indexes.is_empty()
            && field.checks.is_empty()
            && field.reference.is_none()
            && field.rules.is_none()
            && field.using.is_none()
            && field.fill.is_none()
            && field.renamed_from.is_none());
        if says_something {
            mistakes.at(
                skip,
                "a skipped field is no column, so nothing else can be said about it",
            );
        }
    }
}

fn columns_have_one_name_each(model: &Model, mistakes: &Mistakes) {
    let mut seen: BTreeMap<String, &Ident> = BTreeMap::new();
    for field in model.columns() {
        let name = field.column_name();
        if name.is_empty() {
            continue;
        }
        match seen.get(&name) {
            Some(first) => {
                let message = format!("two fields are column `{name}`");
                conflict(first.span(), field.ident.span(), message, mistakes);
            }
            None => {
                seen.insert(name, &field.ident);
            }
        }
    }
}

fn columns_are_filled_one_way(model: &Model, mistakes: &Mistakes) {
    for field in model.columns() {
        if let [first, second, ..] = field.fillings.as_slice() {
            let message = format!(
                "a column has either `{}` or `{}`",
                first.name(),
                second.name()
            );
            conflict(first.span(), second.span(), message, mistakes);
        }
    }
}

fn serial_decides_the_type(model: &Model, mistakes: &Mistakes) {
    for field in model.columns() {
        let is_serial = field
            .fillings
            .iter()
            .any(|filling| filling.name() == "serial");
        if let (true, Some(sql_type)) = (is_serial, &field.sql_type) {
            mistakes.at(
                sql_type,
                "`serial` takes its type from the field: i16, i32 or i64; leave `sql_type` out",
            );
        }
    }
}

fn rules_belong_to_a_reference(model: &Model, mistakes: &Mistakes) {
    for field in model.columns() {
        let Some((word, _)) = &field.rules else {
            continue;
        };
        match &field.reference {
            None => mistakes.at(
                word,
                format!("`{word}` says how a reference behaves; add `references = Other::field`"),
            ),
            Some(reference) if reference.is_list => {
                mistakes.at(
                    word,
                    format!("write `{word}` into the parentheses of `references(…)`"),
                );
            }
            Some(_) => {}
        }
    }
}

fn embedded_fields_are_skipped(model: &Model, mistakes: &Mistakes) {
    for field in model.columns() {
        if let Some(embed) = &field.diesel.embed {
            mistakes.at(embed, "an embedded struct has no columns here: write #[model(skip)] and its fields yourself");
        }
    }
}

fn one_primary_key(model: &Model, mistakes: &Mistakes) {
    let on_struct = model.container.primary_key.as_ref();
    let mut on_fields = model
        .columns()
        .filter_map(|field| field.primary_key.as_ref());
    let first_field = on_fields.next();
    if let (Some(on_struct), Some(on_field)) = (on_struct, first_field) {
        let message = "the primary key is written on the struct and on a field";
        conflict(on_struct.place.span, on_field.place.span, message, mistakes);
    }
    if let (Some(first), Some(second)) = (first_field, on_fields.next()) {
        let message = "a primary key of several columns is written on the struct: #[model(primary_key(a, b))]";
        conflict(first.place.span, second.place.span, message, mistakes);
        return;
    }
    let Some(diesels) = model.container.diesel_primary_key() else {
        return;
    };
    if let Some(ours) = on_struct.or(first_field)
        && model.column_names.names(&ours.columns) != model.column_names.names(diesels)
    {
        let there: Vec<String> = diesels.iter().map(unraw).collect();
        let message = format!(
            "#[diesel(primary_key({}))] names another primary key",
            there.join(", ")
        );
        let span = diesels.first().map_or(ours.place.span, Ident::span);
        conflict(ours.place.span, span, message, mistakes);
    }
}

fn listed_columns_exist(model: &Model, mistakes: &Mistakes) {
    let (container, names) = (&model.container, &model.column_names);
    let on_fields = model
        .columns()
        .flat_map(|field| field.uniques.iter().chain(&field.primary_key));
    for key in container
        .uniques
        .iter()
        .chain(&container.primary_key)
        .chain(on_fields)
    {
        names.check(key.columns.iter().chain(&key.include), mistakes);
    }
    for index in model.indexes() {
        // An index may hold a column twice, say with two operator classes.
        for column in index.keys.iter().filter_map(|key| key.what.column()) {
            names.check([column], mistakes);
        }
        names.check(&index.shape.include, mistakes);
    }
    for exclude in &container.excludes {
        let keys = exclude.keys.iter();
        for column in keys.filter_map(|compared| compared.key.what.column()) {
            names.check([column], mistakes);
        }
        names.check(&exclude.shape.include, mistakes);
    }
    for statistics in &container.statistics {
        names.check(statistics.on.iter().filter_map(Indexed::column), mistakes);
    }
    let references = model.columns().filter_map(Field::foreign_key);
    for foreign_key in references.chain(container.foreign_keys.iter().cloned()) {
        foreign_key.check(names, mistakes);
    }
    names.check(container.diesel_primary_key().unwrap_or_default(), mistakes);
}

fn renamed_from_another_name(model: &Model, mistakes: &Mistakes) {
    let container = &model.container;
    if let Some(renamed_from) = &container.renamed_from {
        let (namespace, table) = (container.namespace(), container.table_name());
        renamed_from.differs_from(&table, mistakes);
        renamed_from.differs_from(&format!("{namespace}.{table}"), mistakes);
    }
    for field in model.columns() {
        if let Some(renamed_from) = &field.renamed_from {
            renamed_from.differs_from(&field.column_name(), mistakes);
        }
    }
    let renamed = model
        .columns()
        .filter_map(|field| field.renamed_from.as_ref());
    each_from_another(renamed, mistakes);
}

/// A mistake that lies between two places is shown at both.
fn conflict(
    one: proc_macro2::Span,
    other: proc_macro2::Span,
    message: impl std::fmt::Display,
    mistakes: &Mistakes,
) {
    let mut both = Error::new(one, &message);
    both.combine(Error::new(other, &message));
    mistakes.push(both);
}
