//! A way back that says itself that there is none, by a RAISE: not the same as one that is broken.

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, result::Error as SqlError};
use diesel::{
    connection::SimpleConnection,
    sql_types::{Nullable, Text},
};
use pg_query::NodeEnum;

use crate::postgres::connection::{SqlError as Failure, first_node, parts};

/// Runs the statement in a setting, and notes down in another one if the block itself raised what it ended with.
///
/// The innermost line of the context names the block where that raised it, and what was run in it where Postgres did. Its
/// words may be translated, the names in it are not. A data step that is not written yet is no reason why there is no way back.
const NOTE: &str = r"
    DO $trueup$
    DECLARE
        state text;
        place text;
    BEGIN
        EXECUTE pg_catalog.current_setting('trueup.statement');
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, place = PG_EXCEPTION_CONTEXT;
        place := pg_catalog.split_part(place, E'\n', 1);
        IF state <> 'TU001' AND place LIKE '%inline_code_block%' AND (state = 'P0001' OR place LIKE '% RAISE') THEN
            PERFORM pg_catalog.set_config('trueup.raised', 'true', true);
        END IF;
    END
    $trueup$";

#[derive(QueryableByName)]
struct Noted {
    #[diesel(sql_type = Nullable<Text>)]
    raised: Option<String>,
}

/// True where a text failed because a block in it raised an exception on purpose. The database must be as it was before
/// the text ran, and is again afterwards.
pub(crate) fn raised(connection: &mut PgConnection, text: &str, failure: &Failure) -> bool {
    let Some(statement) = failure.statement.as_deref().filter(|sql| is_block(sql)) else {
        return false;
    };
    let Some(parts) = parts(text) else {
        return false;
    };
    let mut noted = None;
    // It fails in the end, so that nothing of it stays.
    let _ = connection.transaction(|connection| {
        for part in parts.iter().take_while(|part| part.sql != statement) {
            connection.batch_execute(part.sql)?;
        }
        diesel::sql_query("SELECT pg_catalog.set_config('trueup.statement', $1, true)")
            .bind::<Text, _>(statement)
            .execute(connection)?;
        connection.batch_execute(NOTE)?;
        let query = "SELECT pg_catalog.current_setting('trueup.raised', true) AS raised";
        noted = diesel::sql_query(query)
            .get_result::<Noted>(connection)?
            .raised;
        Err::<(), _>(SqlError::RollbackTransaction)
    });
    noted.as_deref() == Some("true")
}

fn is_block(sql: &str) -> bool {
    matches!(first_node(sql), Some(NodeEnum::DoStmt(_)))
}
