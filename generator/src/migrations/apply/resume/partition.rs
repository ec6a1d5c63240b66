//! A partition that was being detached.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use super::{EDITED, Left};
use crate::migrations::apply::journal::Entry;

const ATTACHED: &str = "attached";
const DETACHED: &str = "detached";
const PENDING: &str = "pending";
const MISSING: &str = "missing";

/// The first of the two transactions of DETACH CONCURRENTLY marks the partition, and whoever is cut off before the second
/// leaves it marked.
pub(super) fn attachment(
    connection: &mut PgConnection,
    parent: &str,
    partition: &str,
) -> QueryResult<&'static str> {
    #[derive(QueryableByName)]
    struct There {
        #[diesel(sql_type = Bool)]
        both: bool,
        #[diesel(sql_type = Nullable<Bool>)]
        pending: Option<bool>,
    }
    let there: There = diesel::sql_query(
        "SELECT pg_catalog.to_regclass($1) IS NOT NULL AND pg_catalog.to_regclass($2) IS NOT NULL AS both,
                (SELECT inhdetachpending FROM pg_catalog.pg_inherits
                 WHERE inhparent = pg_catalog.to_regclass($1) AND inhrelid = pg_catalog.to_regclass($2)) AS pending",
    )
    .bind::<Text, _>(parent)
    .bind::<Text, _>(partition)
    .get_result(connection)?;
    Ok(match (there.both, there.pending) {
        (_, Some(true)) => PENDING,
        (_, Some(false)) => ATTACHED,
        (true, None) => DETACHED,
        (false, None) => MISSING,
    })
}

pub(super) fn before_detaching(
    connection: &mut PgConnection,
    parent: &str,
    partition: &str,
    entry: &Entry,
    is_same: bool,
) -> QueryResult<Left> {
    let now = attachment(connection, parent, partition)?;
    if now == entry.was {
        return Ok(Left::Nothing);
    }
    if !is_same {
        return Ok(Left::Unclear(EDITED));
    }
    if entry.was != ATTACHED {
        return Ok(Left::Nothing);
    }
    if now == PENDING {
        connection.batch_execute(&format!(
            "ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"
        ))?;
        return Ok(Left::Finished(format!(
            "an earlier run had begun to detach {partition}: that is finished now"
        )));
    }
    if now == DETACHED {
        return Ok(Left::Finished(format!(
            "an earlier run had detached {partition} already; that is recorded now"
        )));
    }
    Ok(Left::Nothing)
}
