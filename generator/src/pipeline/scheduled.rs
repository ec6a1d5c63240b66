//! Objects made by scheduled jobs: a partition for the next month is not drift and belongs to no migration.

use std::collections::BTreeSet;

use trueup::{Id, Schema};

use crate::{
    Error,
    postgres::{connection::run_sql, scratch::Scratch},
    rename,
    source::{self, Side, models::belongs},
};

/// Objects that are only in `there` and are usually made by a job rather than by a migration.
#[must_use]
pub fn only_in(there: &Schema, known: &Schema) -> BTreeSet<Id> {
    let entries = there.entries();
    let scheduled =
        entries.filter(|(id, entry)| entry.is_scheduled(there) && known.entry(id).is_none());
    scheduled.map(|(id, _)| id.clone()).collect()
}

/// Something that a job made in a live database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scheduled {
    /// The object.
    pub id: Id,
    /// The object that it is a part of and is dropped with.
    pub whole: Id,
}

/// Objects made by jobs, each with the object that it is a part of.
#[must_use]
pub fn hanging(scheduled: &BTreeSet<Id>, there: &Schema) -> Vec<Scheduled> {
    let ties = there.entries().filter_map(|(_, entry)| {
        let id = entry.parent().filter(|id| scheduled.contains(id))?;
        Some((id, entry.ties()))
    });
    let hanging = ties.flat_map(|(id, tied)| {
        let wholes = tied.into_iter().filter(|whole| !scheduled.contains(whole));
        wholes.map(move |whole| Scheduled {
            id: id.clone(),
            whole,
        })
    });
    hanging.collect()
}

/// Fails if an object that no migration made would be dropped, with its rows, because the object that it is a part of is
/// dropped or recreated.
pub fn refuse_drop(
    scheduled: &[Scheduled],
    from: &Schema,
    renamed: &Schema,
    to: &Schema,
) -> Result<(), Error> {
    let falls = |whole: &Id| {
        let whole = rename::ids_after(&BTreeSet::from([whole.clone()]), from, renamed);
        whole
            .iter()
            .any(|whole| match (renamed.entry(whole), to.entry(whole)) {
                (Some(old), Some(new)) => old.is_remade(new, renamed, to),
                (Some(_), None) => true,
                (None, _) => false,
            })
    };
    let falling = scheduled.iter().filter(|one| falls(&one.whole));
    let falling: Vec<String> = falling
        .map(|Scheduled { id, whole }| format!("{id}, a part of {whole}"))
        .collect();
    if falling.is_empty() {
        return Ok(());
    }
    Err(Error::input(format!(
        "the database has what no migration made and no model declares, and it would go with all its rows: {}",
        falling.join("; ")
    ))
    .hint("declare it in the model, or detach it or drop it in the database first; or keep the whole under another name: --rename old=new"))
}

/// A schema without some objects and their parts.
#[must_use]
pub fn schema_without(schema: &Schema, scheduled: &BTreeSet<Id>) -> Schema {
    schema.only(|id| !belongs(id, schema, scheduled))
}

/// A side on the scratch without some objects and their parts.
pub fn side_without(
    scratch: &Scratch,
    side: Side,
    scheduled: &BTreeSet<Id>,
) -> Result<Side, Error> {
    let entries = scheduled.iter().filter_map(|id| side.schema.entry(id));
    let statements: Vec<String> = entries.filter_map(|entry| entry.clear()).collect();
    if statements.is_empty() {
        return Ok(side);
    }
    let Side {
        whole,
        reprinted,
        guidance,
        no_dump,
        left_out,
        ..
    } = side.clone();
    let database = side.into_database(scratch)?;
    run_sql(
        &mut database.connect()?,
        &statements.join(";\n"),
        "what jobs made",
    )?;
    Ok(Side {
        whole,
        reprinted,
        guidance,
        no_dump,
        left_out,
        ..source::side(database)?
    })
}
