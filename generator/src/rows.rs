//! The live database's own rows, asked what the hazards of a draft ask: a migration that fails on them is known before it is
//! applied.
//!
//! Nothing is claimed of rows that were not found: other rows may come, and row security or the bound on time may hide some.

use std::{
    fmt::{self, Display, Formatter},
    time::{Duration, Instant},
};

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use serde::Serialize;
use trueup::{Hazard, Statement};

use crate::{
    draft::{Draft, is_after},
    postgres::{
        connection::{ConnectError, connect},
        url::Url,
    },
    words::count,
};

/// The longest that one query takes, in milliseconds.
const EACH: u64 = 2_000;
/// The longest that all of them take together, but for the last.
const ALL: Duration = Duration::from_secs(5);
/// As many rows as are counted.
const MANY: usize = 1_000;

/// A statement that would fail on the rows of now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FailsNow {
    /// The statement in words.
    pub statement: String,
    /// The SELECT that finds the rows, or fails as the statement does.
    pub query: String,
    /// The number of rows that it finds; `None` if the query itself fails.
    #[serde(flatten)]
    pub found: Option<Found>,
    /// One of the rows as JSON, or what Postgres says. It shows data: for a person at a terminal alone.
    #[serde(skip)]
    pub sample: String,
}

impl FailsNow {
    /// The same with a row, for a person.
    #[must_use]
    pub fn with_sample(&self) -> String {
        let such_as = match self.found {
            Some(_) => format!("such as {}", self.sample),
            None => self.sample.clone(),
        };
        format!("{self}; {such_as}")
    }
}

impl Display for FailsNow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            statement,
            query,
            found,
            sample: _,
        } = self;
        let found = found.map_or_else(
            || "a value does not fit".to_owned(),
            |found| found.words("row"),
        );
        write!(f, "would fail now: {statement}: {found}: {query}")
    }
}

/// The number of rows that a query finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Found {
    /// Up to a thousand.
    rows: usize,
    /// True where there are more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

impl Found {
    fn new(rows: i64) -> Self {
        let rows = usize::try_from(rows).unwrap_or_default();
        Self {
            rows: rows.min(MANY),
            more: rows > MANY,
        }
    }

    /// `1 row`, `3 rows`, `more than 1000 rows`.
    pub(crate) fn words(self, thing: &str) -> String {
        let words = count(self.rows, thing);
        if self.more {
            format!("more than {words}")
        } else {
            words
        }
    }
}

/// The answers to all queries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// Statements that would fail.
    pub fails: Vec<FailsNow>,
    /// The queries that no answer came for, each with the reason.
    pub unanswered: Vec<(String, &'static str)>,
}

/// Asks the rows what the hazards of a draft ask, each in a transaction that can only read.
pub fn ask(url: &Url, draft: &Draft) -> Result<Answers, ConnectError> {
    let mut answers = Answers::default();
    let asked = questions(statements(draft));
    if asked.is_empty() {
        return Ok(answers);
    }
    let mut connection = connect(url)?;
    let begun = Instant::now();
    for (statement, query, fails) in asked {
        if begun.elapsed() > ALL {
            answers
                .unanswered
                .push((query.to_owned(), "no time was left"));
            continue;
        }
        let fails_now = |found, sample| FailsNow {
            statement: statement.says().to_owned(),
            query: query.to_owned(),
            found,
            sample,
        };
        match answer(&mut connection, query, fails) {
            Answer::None | Answer::NotThere => {}
            Answer::Unknown(why) => answers.unanswered.push((query.to_owned(), why)),
            Answer::Rows(found, sample) => answers.fails.push(fails_now(Some(found), sample)),
            Answer::Fails(message) => answers.fails.push(fails_now(None, message)),
        }
    }
    Ok(answers)
}

/// The statements of the ups, up to those of a person: what follows fails on rows that nobody has yet.
fn statements(draft: &Draft) -> impl Iterator<Item = &Statement> {
    let parts = draft.parts.iter();
    let statements = parts.flat_map(|part| part.up.iter().map(move |statement| (part, statement)));
    statements
        .take_while(|(part, statement)| part.steps.up.is_none() || !is_after(statement))
        .map(|(_, statement)| statement)
}

/// The queries of the hazards up to the first statement that makes other rows of those that are there, and whether they fail where
/// the statement does.
fn questions<'a>(
    statements: impl Iterator<Item = &'a Statement>,
) -> Vec<(&'a Statement, &'a str, bool)> {
    let mut questions = Vec::new();
    for statement in statements {
        for hazard in statement.hazards() {
            if let Hazard::FailsOn { query, fails, .. } = hazard {
                questions.push((statement, query.as_str(), *fails));
            }
        }
        let changes = statement.hazards().iter().any(|hazard| {
            matches!(
                hazard,
                Hazard::UpdatesRows { .. }
                    | Hazard::ChangesValues { .. }
                    | Hazard::WritesRows { .. }
                    | Hazard::RunsCode { .. }
            )
        });
        if changes || statement.is_update() {
            break;
        }
    }
    questions
}

/// The answer to one query.
pub(crate) enum Answer {
    /// No row is found.
    None,
    /// The query is about what does not exist yet.
    NotThere,
    /// So many rows are found, one of them like this.
    Rows(Found, String),
    /// The query fails, with this message.
    Fails(String),
    /// Nothing is known, for this reason.
    Unknown(&'static str),
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = Nullable<Text>)]
    sample: Option<String>,
}

/// Asks one query, in a read-only transaction with a time limit. `fails`: the query is to fail on the rows rather than to find
/// them.
pub(crate) fn answer(connection: &mut PgConnection, query: &str, fails: bool) -> Answer {
    let answer = in_transaction(connection, |connection| {
        // A query about an object that the migration itself makes fails here; there are no rows to ask about.
        if connection
            .batch_execute(&format!("EXPLAIN {query}"))
            .is_err()
        {
            return Answer::NotThere;
        }
        let begun = Instant::now();
        // A whole row is asked for, so that no column of it is left out as unused.
        let counted = format!(
            "SELECT count(found) AS rows, (array_agg(found.text))[1] AS sample
            FROM (SELECT row_to_json(one)::text AS text FROM ({query}) one LIMIT {}) found",
            if fails { usize::MAX >> 1 } else { MANY + 1 }
        );
        match sql_query(counted).get_result::<Counted>(connection) {
            Ok(_) if fails => Answer::None,
            Ok(Counted { rows: 0, .. }) => Answer::None,
            Ok(Counted { rows, sample }) => {
                Answer::Rows(Found::new(rows), sample.unwrap_or_default())
            }
            Err(_) if begun.elapsed() >= Duration::from_millis(EACH) => {
                Answer::Unknown("it took longer than 2 s")
            }
            Err(error) if fails => Answer::Fails(error.to_string()),
            Err(_) => Answer::Unknown("the query failed"),
        }
    });
    answer.unwrap_or(Answer::Unknown("the connection failed"))
}

fn in_transaction<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> T,
) -> QueryResult<T> {
    AnsiTransactionManager::begin_transaction(connection)?;
    connection.batch_execute(&format!(
        "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {EACH}; SET LOCAL lock_timeout = 500"
    ))?;
    let done = work(connection);
    AnsiTransactionManager::rollback_transaction(connection)?;
    Ok(done)
}
