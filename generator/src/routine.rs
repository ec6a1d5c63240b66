//! What jobs make: a partition for the next month is no drift, and no migration is about it.

use std::collections::BTreeSet;

use trueup::{Id, Schema};

use crate::{
    Error, ErrorKind,
    connection::run_sql,
    source::{self, Side, models::belongs},
};

/// What one schema alone has and something else than a migration is expected to make.
#[must_use]
pub fn only_in(there: &Schema, known: &Schema) -> BTreeSet<Id> {
    let entries = there.entries();
    let routine =
        entries.filter(|(id, entry)| entry.is_routine(there) && known.entry(id).is_none());
    routine.map(|(id, _)| id.clone()).collect()
}

/// A schema without some objects and their parts.
#[must_use]
pub fn schema_without(schema: &Schema, routine: &BTreeSet<Id>) -> Schema {
    schema.only(|id| !belongs(id, schema, routine))
}

/// A side on the scratch without some objects and their parts.
pub fn side_without(side: Side, routine: &BTreeSet<Id>) -> Result<Side, Error> {
    let entries = routine.iter().filter_map(|id| side.schema.entry(id));
    let statements: Vec<String> = entries.filter_map(|entry| entry.clear()).collect();
    if statements.is_empty() {
        return Ok(side);
    }
    let database = side.scratch.ok_or_else(|| {
        Error::new(
            ErrorKind::Defect,
            "what jobs make is left out on the scratch alone",
        )
    })?;
    run_sql(
        &mut database.connect()?,
        &statements.join(";\n"),
        "what jobs made",
    )?;
    Ok(Side {
        whole: side.whole,
        reprinted: side.reprinted,
        guidance: side.guidance,
        no_dump: side.no_dump,
        ..source::side(database)?
    })
}
