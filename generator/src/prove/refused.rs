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

/// No statement does what was wanted: Postgres does not rewrite a table whose rows a column holds, say.
const NOT_SUPPORTED: &str = "0A000";

/// A failure, as PL/pgSQL tells it to a handler.
#[derive(Deserialize)]
struct Failure {
    message: String,
    state: String,
    context: String,
}

/// Why no other statement would have helped.
pub(super) enum Cause {
    /// Code or an expression of the database's own fails, there and with these words.
    Code(String),
    /// Postgres does not support the change, in its words.
    Unsupported(String),
}

impl Cause {
    /// The code or the expression that fails, where it is one.
    pub(super) fn in_code(self) -> Option<String> {
        match self {
            Self::Code(says) => Some(says),
            Self::Unsupported(_) => None,
        }
    }
}

/// The cause of the failure of `statement`, once those before it have run; `None` where the statement itself is at fault. Changes
/// nothing.
pub(super) fn cause<'a>(
    connection: &mut PgConnection,
    before: impl IntoIterator<Item = &'a str>,
    statement: &str,
) -> Option<Cause> {
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
        return Some(Cause::Code(format!("{innermost}: {message}")));
    }
    if state == NOT_SUPPORTED && message.ends_with("uses its row type") {
        return Some(Cause::Unsupported(message));
    }
    // 22 is what goes wrong with values, and 22023 with the words of a statement.
    let is_of_values = state.starts_with("22") && state != "22023";
    is_of_values.then(|| Cause::Code(format!("an expression in it cannot be computed: {message}")))
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
