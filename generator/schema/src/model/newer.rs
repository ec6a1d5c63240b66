//! Declarations that older servers do not support: they would report a syntax error, or ignore them silently.

use super::declaration::Newer;
use super::definition::{Enforcement, Filling, ForeignKeyDef, ModelDef, Place};
use super::gathered::Gathered;
use crate::objects::{Registered, table::Table};

/// A clause, and the first major version that supports it.
type Word = (&'static str, u32, Place);

/// All such declarations, in the order of the files.
pub(super) fn newer(gathered: &Gathered) -> Vec<Newer> {
    let of_model = |model: &&'static ModelDef| {
        let model = *model;
        words(model)
            .into_iter()
            .map(move |(what, since, place)| Newer {
                of: Table::id(model.name()),
                what,
                since,
                origin: model.item.origin_at(place),
            })
    };
    gathered.models.iter().flat_map(of_model).collect()
}

fn words(model: &ModelDef) -> Vec<Word> {
    let is_partitioned = model.partition_by.is_some();
    let mut words = Vec::new();
    for column in model.columns {
        if let Some(Filling::Generated {
            is_virtual: true, ..
        }) = column.filling
        {
            words.push(("a virtual column", 18, column.place));
        }
    }
    for key in model.primary_key.iter().chain(model.uniques) {
        if key.without_overlaps {
            words.push(("`without_overlaps`", 18, key.place));
        }
        if key.nulls_not_distinct {
            words.push(("`nulls_not_distinct`", 15, key.place));
        }
    }
    for check in model.checks {
        if check.enforcement == Enforcement::Never {
            words.push(("`not_enforced`", 18, check.place));
        }
    }
    for exclude in model.excludes.iter().filter(|_| is_partitioned) {
        words.push(("`exclude` on a partitioned table", 17, exclude.place));
    }
    for index in model.indexes.iter().filter(|one| one.nulls_not_distinct) {
        words.push(("`nulls_not_distinct`", 15, index.place));
    }
    for key in model.foreign_keys {
        words.extend(words_of_foreign_key(key, is_partitioned));
    }
    words
}

fn words_of_foreign_key(key: &ForeignKeyDef, is_partitioned: bool) -> impl Iterator<Item = Word> {
    let place = key.place;
    let said = [
        (key.period, "`period`", 18),
        (key.enforcement == Enforcement::Never, "`not_enforced`", 18),
        (
            key.enforcement == Enforcement::OnNewRows && is_partitioned,
            "a `not_valid` foreign key of a partitioned table",
            18,
        ),
        (
            !key.set.is_empty(),
            "`on_delete` for some of the columns",
            15,
        ),
    ];
    let said = said.into_iter().filter(|(is_said, ..)| *is_said);
    said.map(move |(_, what, since)| (what, since, place))
}
