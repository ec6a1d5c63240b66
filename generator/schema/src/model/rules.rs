//! Rules across models that no single derive can check: against each other, and against the types' own properties.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{EnumDef, ExtensionDef, Filling, Item, ModelDef};
use super::error::ModelError;
use super::gathered::Gathered;
use super::renamed;
use super::sql::partitions;
use crate::{Name, Origin};

/// Postgres truncates a name to this many bytes.
const LONGEST_NAME: usize = 63;

/// All mistakes, in the order of the files.
pub(super) fn check(gathered: &Gathered) -> Vec<ModelError> {
    let mut errors = declared_twice(gathered);
    errors.extend(extensions_in_two_places(&gathered.extensions));
    errors.extend(names_too_long(gathered));
    errors.extend(renamed::mistakes(gathered));
    for model in &gathered.models {
        errors.extend(nullable_and_never_null(model));
        errors.extend(not_null_and_nullable(model));
    }
    errors.sort_by_key(place);
    errors
}

fn place(error: &ModelError) -> Origin {
    match error {
        ModelError::DeclaredTwice { second: origin, .. }
        | ModelError::TwoStructs { second: origin, .. }
        | ModelError::ExtensionInTwoPlaces { second: origin, .. }
        | ModelError::RenamedTwice { second: origin, .. }
        | ModelError::RenamedInACircle { origin, .. }
        | ModelError::NoName { origin, .. }
        | ModelError::NameTooLong { origin, .. }
        | ModelError::NoNotNull { origin }
        | ModelError::NeverNull { origin, .. } => origin.clone(),
    }
}

fn declared_twice(gathered: &Gathered) -> Vec<ModelError> {
    let models = gathered
        .models
        .iter()
        .map(|model| (model.name(), &model.item));
    let partitions = gathered.models.iter().flat_map(|model| {
        let names = partitions(model.partitions).into_iter();
        names.map(|partition| (Name::new(model.namespace, partition.name), &model.item))
    });
    let enums = gathered
        .enums
        .iter()
        .map(|pg_enum| (pg_enum.name(), &pg_enum.item));
    let sequences = gathered.sequences.iter();
    let sequences = sequences.map(|sequence| (sequence.qualified(), &sequence.item));
    let structs: BTreeSet<(Name, &Item)> = models.clone().collect();
    let mut seen: BTreeMap<Name, &Item> = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, item) in models.chain(partitions).chain(enums).chain(sequences) {
        if let Some(first) = seen.get(&name) {
            let are_structs = [*first, item].map(|item| structs.contains(&(name.clone(), item)));
            let (first, second) = (first.origin(), item.origin());
            errors.push(if are_structs == [true, true] {
                ModelError::TwoStructs {
                    name,
                    first,
                    second,
                }
            } else {
                ModelError::DeclaredTwice {
                    name,
                    first,
                    second,
                }
            });
        } else {
            seen.insert(name, item);
        }
    }
    errors
}

/// The same extension twice in the same place is no mistake: two models may each say that they need it.
fn extensions_in_two_places(extensions: &[&ExtensionDef]) -> Vec<ModelError> {
    let mut seen: BTreeMap<&str, &ExtensionDef> = BTreeMap::new();
    let mut errors = Vec::new();
    for extension in extensions {
        let first = seen.entry(extension.name).or_insert(extension);
        if first.namespace != extension.namespace {
            errors.push(ModelError::ExtensionInTwoPlaces {
                name: extension.name.to_owned(),
                first: first.item.origin(),
                second: extension.item.origin(),
            });
        }
    }
    errors
}

fn names_too_long(gathered: &Gathered) -> Vec<ModelError> {
    let models = gathered
        .models
        .iter()
        .flat_map(|model| names_of_model(model));
    let enums = gathered
        .enums
        .iter()
        .flat_map(|pg_enum| names_of_enum(pg_enum));
    let extensions = gathered.extensions.iter().flat_map(|extension| {
        let names = [Some(extension.name), extension.namespace];
        names
            .into_iter()
            .flatten()
            .map(|name| (name, extension.item.origin()))
    });
    let sequences = gathered.sequences.iter().flat_map(|sequence| {
        let names = [sequence.namespace, sequence.name];
        names.map(|name| (name, sequence.item.origin()))
    });
    let all = models.chain(enums).chain(extensions).chain(sequences);
    let too_long = all.filter(|(name, _)| name.len() > LONGEST_NAME);
    let errors = too_long.map(|(name, origin)| ModelError::NameTooLong {
        name: name.to_owned(),
        origin,
    });
    errors.collect()
}

fn names_of_model(model: &'static ModelDef) -> Vec<(&'static str, Origin)> {
    let of_table = [
        (model.namespace, model.item.origin()),
        (model.table, model.item.origin()),
    ];
    let columns = model
        .columns
        .iter()
        .flat_map(|column| [Some(column.name), column.not_null].map(|name| (name, column.place)));
    let keys = model
        .primary_key
        .iter()
        .chain(model.uniques)
        .map(|key| (key.name, key.place));
    let checks = model.checks.iter().map(|check| (check.name, check.place));
    let excludes = model.excludes.iter().map(|one| (one.name, one.place));
    let indexes = model.indexes.iter().map(|index| (index.name, index.place));
    let foreign_keys = model.foreign_keys.iter().map(|key| (key.name, key.place));
    let statistics = model.statistics.iter();
    let statistics = statistics.map(|one| (Some(one.name), one.place));
    let partitions = partitions(model.partitions).into_iter();
    let partitions = partitions.map(|partition| (Some(partition.name), partition.place));
    let within = columns
        .chain(keys)
        .chain(checks)
        .chain(excludes)
        .chain(indexes)
        .chain(foreign_keys)
        .chain(statistics)
        .chain(partitions);
    let within = within.filter_map(|(name, place)| Some((name?, model.item.origin_at(place))));
    of_table.into_iter().chain(within).collect()
}

fn names_of_enum(pg_enum: &'static EnumDef) -> Vec<(&'static str, Origin)> {
    let names = [pg_enum.namespace, pg_enum.name]
        .into_iter()
        .chain(pg_enum.labels.iter().copied());
    names.map(|name| (name, pg_enum.item.origin())).collect()
}

fn not_null_and_nullable(model: &ModelDef) -> impl Iterator<Item = ModelError> {
    let columns = model.columns.iter();
    let wrong = columns.filter(|column| column.nullable && column.not_null.is_some());
    wrong.map(|column| ModelError::NoNotNull {
        origin: model.item.origin_at(column.place),
    })
}

fn nullable_and_never_null(model: &ModelDef) -> Vec<ModelError> {
    let key = model
        .primary_key
        .as_ref()
        .map_or(&[][..], |key| key.columns);
    let nullable = model.columns.iter().filter(|column| column.nullable);
    let errors = nullable.filter_map(|column| {
        let because = match column.filling {
            _ if key.contains(&column.name) => "a column of the primary key",
            Some(Filling::Identity(_)) => "an identity column",
            Some(Filling::Serial(_)) => "a serial column",
            Some(Filling::Default(_) | Filling::Generated { .. }) | None => return None,
        };
        Some(ModelError::NeverNull {
            because,
            origin: model.item.origin_at(column.place),
        })
    });
    errors.collect()
}
