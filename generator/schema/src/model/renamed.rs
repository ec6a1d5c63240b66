//! Former names in the models: `renamed_from`.

use std::collections::BTreeSet;

use super::declaration::Renamed;
use super::definition::{Item, RenamedFromDef};
use super::error::ModelError;
use super::gathered::Gathered;
use crate::name::parse_dotted;
use crate::objects::{Registered, column::Column, enum_type::EnumType, table::Table};
use crate::{Id, Member, Name};

/// All renames, a container before its parts: by then it has its new name.
pub(super) fn renamed(gathered: &Gathered) -> Vec<Renamed> {
    let mut all = wholes(gathered);
    all.extend(columns(gathered));
    all.extend(labels(gathered));
    all
}

/// Mistakes in the former names.
pub(super) fn mistakes(gathered: &Gathered) -> Vec<ModelError> {
    let mut errors = Vec::new();
    for (item, from) in tables_and_types(gathered) {
        if old_name("", from).is_none() {
            errors.push(ModelError::NoName {
                name: from.name.to_owned(),
                origin: item.origin_at(from.place),
            });
        }
    }
    let all = renamed(gathered);
    for (place, second) in all.iter().enumerate() {
        let same = |first: &&Renamed| first.was == second.was && first.was_part == second.was_part;
        if let Some(first) = all[..place].iter().find(same) {
            errors.push(ModelError::RenamedTwice {
                name: second.old(),
                first: first.origin.clone(),
                second: second.origin.clone(),
            });
        } else if in_a_circle(second, &all) {
            errors.push(ModelError::RenamedInACircle {
                name: second.old(),
                origin: second.origin.clone(),
            });
        }
    }
    errors
}

/// True if the renames form a cycle: each old name is the new name of the next, back to the first.
fn in_a_circle(first: &Renamed, all: &[Renamed]) -> bool {
    let mut at = first;
    for _ in all {
        let before = |other: &&Renamed| other.id == at.was && other.part == at.was_part;
        match all.iter().find(before) {
            Some(next) if next.id == first.id && next.part == first.part => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

fn tables_and_types(gathered: &Gathered) -> impl Iterator<Item = (&'static Item, RenamedFromDef)> {
    let tables = gathered.models.iter();
    let tables = tables.filter_map(|model| Some((&model.item, model.renamed_from?)));
    let types = gathered.enums.iter();
    tables.chain(types.filter_map(|pg_enum| Some((&pg_enum.item, pg_enum.renamed_from?))))
}

/// The old name, in its own namespace or in one that is written.
fn old_name(namespace: &str, from: RenamedFromDef) -> Option<Name> {
    let mut names = parse_dotted(from.name)?;
    let name = names.pop()?;
    match names.as_slice() {
        [] => Some(Name::new(namespace, name)),
        [namespace] => Some(Name::new(namespace, name)),
        [_, _, ..] => None,
    }
}

fn wholes(gathered: &Gathered) -> Vec<Renamed> {
    let names = |namespace, from, item: &Item, name: Name, id: fn(Name) -> Id| {
        let was = id(old_name(namespace, from)?);
        Some((was, id(name), item.origin_at(from.place)))
    };
    let tables = gathered.models.iter().filter_map(|model| {
        let from = model.renamed_from?;
        names(model.namespace, from, &model.item, model.name(), Table::id)
    });
    let types = gathered.enums.iter().filter_map(|pg_enum| {
        let (from, name) = (pg_enum.renamed_from?, pg_enum.name());
        names(pg_enum.namespace, from, &pg_enum.item, name, EnumType::id)
    });
    let declared: BTreeSet<Id> = gathered
        .models
        .iter()
        .map(|model| Table::id(model.name()))
        .chain(gathered.enums.iter().map(|it| EnumType::id(it.name())))
        .collect();
    let all = tables.chain(types).map(|(was, id, origin)| Renamed {
        old_is_declared: declared.contains(&was),
        id,
        part: None,
        was,
        was_part: None,
        origin,
    });
    all.collect()
}

fn columns(gathered: &Gathered) -> impl Iterator<Item = Renamed> {
    gathered.models.iter().flat_map(|model| {
        let id = |name: &str| Column::id(Member::new(model.name(), name));
        model.columns.iter().filter_map(move |column| {
            let from = column.renamed_from?;
            Some(Renamed {
                id: id(column.name),
                part: None,
                was: id(from.name),
                was_part: None,
                old_is_declared: model.columns.iter().any(|other| other.name == from.name),
                origin: model.item.origin_at(from.place),
            })
        })
    })
}

fn labels(gathered: &Gathered) -> impl Iterator<Item = Renamed> {
    gathered.enums.iter().flat_map(|pg_enum| {
        pg_enum.renamed_labels.iter().map(|(from, label)| Renamed {
            id: EnumType::id(pg_enum.name()),
            part: Some((*label).to_owned()),
            was: EnumType::id(pg_enum.name()),
            was_part: Some(from.name.to_owned()),
            old_is_declared: pg_enum.labels.contains(&from.name),
            origin: pg_enum.item.origin_at(from.place),
        })
    })
}
