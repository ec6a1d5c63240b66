//! Which migration made what: autogen drops what its own migrations made, and leaves alone what a person's did.
//!
//! Postgres numbers what is made in the order in which it is made. So a number taken between two migrations tells which of
//! them made an object, whatever it was called then.

use std::collections::BTreeSet;

use diesel::{PgConnection, QueryResult, RunQueryDsl, dsl::sql, sql_types::BigInt};
use trueup::{Id, Schema};

use super::{Side, empty, side};
use crate::{
    Error, Project,
    migrations::{
        apply,
        folder::{HistoryProblem, Migration, history_problems},
    },
};

/// A number between those of what was made before and after.
struct Mark {
    /// `None` where the server would not tell.
    number: Option<i64>,
    /// True if autogen wrote the migrations that follow.
    drafted: bool,
}

/// Replays these migrations, in this order, on an empty scratch database, and tells which top-level objects of the result were
/// made by a migration that autogen wrote and nobody edited since.
pub(crate) fn replay(
    project: &Project,
    migrations: &[Migration],
) -> Result<(Side, BTreeSet<Id>), Error> {
    let texts = migrations.iter().map(|migration| migration.up.as_str());
    let database = empty(project, texts)?;
    let edited = edited(migrations);
    let mut marks: Vec<Mark> = Vec::new();
    apply::replay_watched(&database, migrations, |connection, next| {
        let drafted = next.is_drafted() && !edited.contains(&next.name);
        if marks.last().is_none_or(|mark| mark.drafted != drafted) {
            let number = next_number(connection).ok();
            marks.push(Mark { number, drafted });
        }
    })?;
    let side = side(database)?;
    let made = made(&marks, &side.schema);
    Ok((side, made))
}

/// The same of migrations that were replayed already, where all of them were written alike; else `None`.
pub(crate) fn without_replay(
    project: &Project,
    migrations: &[Migration],
    schema: &Schema,
) -> Result<Option<BTreeSet<Id>>, Error> {
    let edited = edited(migrations);
    let drafted = |one: &&Migration| one.is_drafted() && !edited.contains(&one.name);
    Ok(match migrations.iter().filter(drafted).count() {
        0 => Some(BTreeSet::new()),
        all if all == migrations.len() => Some(tops(project, schema)?),
        _ => None,
    })
}

fn edited(migrations: &[Migration]) -> BTreeSet<String> {
    let names = history_problems(migrations)
        .into_iter()
        .filter_map(|problem| match problem {
            HistoryProblem::Edited { name, .. }
            | HistoryProblem::EditedSince { name }
            | HistoryProblem::EditedSinceProved { name, .. } => Some(name),
            HistoryProblem::ParentMissing { .. } | HistoryProblem::TwoChildren { .. } => None,
        });
    names.collect()
}

/// The objects that autogen's migrations made; none if that is uncertain.
fn made(marks: &[Mark], schema: &Schema) -> BTreeSet<Id> {
    // The numbers of a long-lived server begin anew after four thousand million.
    let numbers: Option<Vec<i64>> = marks.iter().map(|mark| mark.number).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.is_sorted()) else {
        return BTreeSet::new();
    };
    let is_drafted = |number: i64| {
        let after = numbers.partition_point(|mark| *mark <= number);
        after > 0 && marks[after - 1].drafted
    };
    let entries = schema.entries().filter(|(_, entry)| {
        let address = entry.address().filter(|_| entry.clear().is_some());
        address.is_some_and(|address| is_drafted(address.object))
    });
    entries.map(|(id, _)| id.clone()).collect()
}

/// The number that the next object gets, or one that is a little smaller.
fn next_number(connection: &mut PgConnection) -> QueryResult<i64> {
    // A large object takes one, and is gone again at once.
    let query = sql::<BigInt>("SELECT pg_catalog.lo_create(0)::int8");
    let number: i64 = query.get_result(connection)?;
    diesel::select(sql::<diesel::sql_types::Integer>(&format!(
        "pg_catalog.lo_unlink({number}::oid)"
    )))
    .get_result::<i32>(connection)?;
    Ok(number)
}

/// The top-level objects that models could declare.
///
/// Those that the project's prelude makes are the platform's.
pub(crate) fn tops(project: &Project, schema: &Schema) -> Result<BTreeSet<Id>, Error> {
    let made_before = project.made_before()?;
    Ok(schema
        .entries()
        .filter(|(id, entry)| entry.clear().is_some() && !made_before.contains(id))
        .map(|(id, _)| id.clone())
        .collect())
}
