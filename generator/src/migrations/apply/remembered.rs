//! The hash that an `up.sql` had when it was applied, in a column beside Diesel's own in Diesel's record.
//!
//! Diesel names the columns that it reads and writes, so it ignores this one, and a row that it deletes takes the hash along.
//! The statement that adds the row writes the hash. If Diesel applied a migration, or the table is somebody else's, nothing is
//! remembered or reported.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::ApplyError;
use super::record::Record;
use crate::migrations::folder::{HistoryProblem, Migration, Parent, history_problems};

/// Makes the column, where it is not there and may be made. Whoever is in the way is not waited for. The subscribers of a record
/// that is published do not have it, and would stop replicating at the next row.
pub(super) fn prepare(connection: &mut PgConnection, record: &Record) {
    if matches!(record.takes_hashes(connection, "INSERT"), Ok(true))
        || !matches!(record.is_published(connection), Ok(false))
    {
        return;
    }
    let _ = connection.transaction(|connection| {
        connection.batch_execute(&format!(
            "SET LOCAL lock_timeout = '500ms';
             ALTER TABLE {record} ADD COLUMN IF NOT EXISTS trueup_hash text"
        ))
    });
}

/// The names of the applied migrations whose `up.sql` is no longer what was applied, as far as that was remembered.
pub fn edited(
    connection: &mut PgConnection,
    migrations: &[Migration],
) -> Result<Vec<String>, ApplyError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        version: String,
        #[diesel(sql_type = Text)]
        hash: String,
    }
    let record = Record::find(connection)?.filter(Record::is_readable);
    let Some(record) = record else {
        return Ok(Vec::new());
    };
    let is_there = record.takes_hashes(connection, "SELECT");
    if !is_there.map_err(ApplyError::bookkeeping)? {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT version::text, trueup_hash::text AS hash FROM {record} WHERE trueup_hash IS NOT NULL"
    );
    let rows: Vec<Row> = diesel::sql_query(query)
        .load(connection)
        .map_err(ApplyError::bookkeeping)?;
    let was = |migration: &Migration| {
        let row = rows.iter().find(|row| row.version == migration.version)?;
        Some(Parent {
            version: row.version.clone(),
            hash: row.hash.clone(),
        })
    };
    let is_edited =
        |migration: &&Migration| was(migration).is_some_and(|was| !migration.is_still(&was));
    let edited = migrations.iter().filter(is_edited);
    Ok(edited.map(|migration| migration.name.clone()).collect())
}

/// Problems in the history, as far as the files and this database show them.
pub fn history(
    connection: &mut PgConnection,
    migrations: &[Migration],
) -> Result<Vec<HistoryProblem>, ApplyError> {
    let edited = edited(connection, migrations)?;
    let mut problems = history_problems(migrations);
    // Once is enough.
    problems.retain(
        |problem| !matches!(problem, HistoryProblem::Edited { name, .. } if edited.contains(name)),
    );
    let since = edited
        .into_iter()
        .map(|name| HistoryProblem::EditedSince { name });
    problems.extend(since);
    Ok(problems)
}
