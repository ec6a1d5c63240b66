//! Asks Postgres for the context of a statement's failure. If it ran code or computed an expression of the database's own, no
//! other statement would have helped.

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::Error as SqlError,
    sql_query,
    sql_types::{Nullable, Text},
};
use serde::Deserialize;
use trueup::name::literal;

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Nullable<Text>)]
    told: Option<String>,
}

/// A failure, as PL/pgSQL tells it to a handler.
#[derive(Deserialize)]
struct Failure {
    message: String,
    state: String,
    context: String,
}

/// The code or the expression of the database's that fails in `statement`, once those before it have run; `None` where the
/// statement itself is at fault. Changes nothing.
pub(super) fn cause<'a>(
    connection: &mut PgConnection,
    before: impl IntoIterator<Item = &'a str>,
    statement: &str,
) -> Option<String> {
    let mut found = None;
    let ended: QueryResult<()> = connection.transaction(|connection| {
        for sql in before {
            connection.batch_execute(sql)?;
        }
        found = failure(connection, statement)?;
        Err(SqlError::RollbackTransaction)
    });
    match ended {
        Ok(()) | Err(SqlError::RollbackTransaction) => {}
        Err(_) => return None,
    }
    let Failure {
        message,
        state,
        context,
    } = found?;
    // Innermost first, and the statement after all that ran in it.
    let around = format!("SQL statement \"{statement}\"");
    let within = context.split(around.as_str()).next().unwrap_or_default();
    if let Some(innermost) = within.lines().next().filter(|line| !line.is_empty()) {
        return Some(format!("{innermost}: {message}"));
    }
    // 22 is what goes wrong with values, and 22023 with the words of a statement.
    let is_of_values = state.starts_with("22") && state != "22023";
    is_of_values.then(|| format!("an expression in it cannot be computed: {message}"))
}

fn failure(connection: &mut PgConnection, statement: &str) -> QueryResult<Option<Failure>> {
    // A function for it would itself set off event triggers.
    let attempt = format!(
        "DECLARE state text; message text; context text;
        BEGIN
            EXECUTE {};
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
            PERFORM pg_catalog.set_config('trueup.failure', pg_catalog.jsonb_build_object('state', state, 'message', message,
                'context', context)::text, true);
        END",
        literal(statement)
    );
    connection.batch_execute(&format!("DO {}", literal(&attempt)))?;
    let told = sql_query("SELECT pg_catalog.current_setting('trueup.failure', true) AS told");
    let Told { told } = told.get_result(connection)?;
    Ok(told.and_then(|told| serde_json::from_str(&told).ok()))
}
