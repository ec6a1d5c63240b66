//! The queries of a statement's hazards, asked right before it runs: it fails while one of them finds a row, and not otherwise.

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl, connection::SimpleConnection,
    result::Error as SqlError, sql_query,
};
use trueup::{Hazard, Statement};

use crate::prove::data::generate::message;

/// The answers right before a statement.
pub(super) struct Asked<'a> {
    statement: &'a Statement,
    answers: Vec<(&'a str, bool)>,
    /// True if it may also fail for a reason that no query finds.
    may_fail_otherwise: bool,
}

impl<'a> Asked<'a> {
    /// True if there is anything to ask of a statement.
    pub(super) fn is_of(statement: &Statement) -> bool {
        let mut hazards = statement.hazards().iter();
        hazards.any(|hazard| matches!(hazard, Hazard::FailsOn { .. }))
    }

    /// Asks the queries of a statement; one about what is not there yet stays without an answer.
    pub(super) fn before(connection: &mut PgConnection, statement: &'a Statement) -> Self {
        let mut asked = Self {
            statement,
            answers: Vec::new(),
            may_fail_otherwise: statement.origin().is_some(),
        };
        for hazard in statement.hazards() {
            if let Hazard::FailsOn { query, fails, .. } = hazard {
                match finds(connection, query, *fails) {
                    Some(finds) => asked.answers.push((query, finds)),
                    None => asked.may_fail_otherwise = true,
                }
            }
            asked.may_fail_otherwise |= matches!(hazard, Hazard::MayFail { .. });
        }
        asked
    }

    /// The answer that the outcome contradicts.
    pub(super) fn contradicted(&self, outcome: &QueryResult<()>, file: &str) -> Option<String> {
        let Self {
            statement,
            answers,
            may_fail_otherwise,
        } = self;
        let sql = statement.sql();
        let found = answers.iter().find(|(_, finds)| *finds);
        match (outcome, found) {
            (Ok(()), Some((query, _))) => Some(format!(
                "{file}: `{sql}` runs, and its hazard says that it fails while this finds a row, as it did: {query}"
            )),
            (Err(error), None) if !answers.is_empty() && !may_fail_otherwise => {
                let queries: Vec<&str> = answers.iter().map(|(query, _)| *query).collect();
                Some(format!(
                    "{file}: `{sql}` fails ({}), and its hazards say that it fails while this finds a row, which it did not: {}",
                    message(error),
                    queries.join("; ")
                ))
            }
            (Ok(()), None) | (Err(_), Some(_) | None) => None,
        }
    }
}

/// True if a query finds a row, or `fails`, where it is to fail as the statement does.
fn finds(connection: &mut PgConnection, query: &str, fails: bool) -> Option<bool> {
    let explained =
        connection.transaction(|connection| connection.batch_execute(&format!("EXPLAIN {query}")));
    explained.ok()?;
    let limit = if fails { "" } else { "LIMIT 1" };
    // A whole row is asked for, so that no column of it is left out as unused.
    let rows = format!("SELECT row_to_json(one)::text FROM ({query}) one {limit}");
    let found = connection.transaction(|connection| sql_query(rows).execute(connection));
    match found {
        Ok(_) if fails => Some(false),
        Ok(rows) => Some(rows > 0),
        Err(SqlError::DatabaseError(..)) if fails => Some(true),
        Err(_) => None,
    }
}
