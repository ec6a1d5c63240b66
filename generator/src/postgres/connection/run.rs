//! Running a text of SQL so that a failure names the statement.

use std::fmt;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use pg_query::{NodeEnum, ParserOptions};

use super::steering::{Steering, steering};

/// A statement that Postgres rejected, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// The source of the SQL: a file's path, or words.
    pub what: Box<str>,
    /// The line in it, from 1, where it is known.
    pub line: Option<usize>,
    /// The statement that failed, where it is known.
    pub statement: Option<Box<str>>,
    /// Postgres' message.
    pub message: Box<str>,
    /// Postgres' detail.
    pub detail: Option<Box<str>>,
    /// Postgres' hint.
    pub hint: Option<Box<str>>,
    /// The class of Postgres' error code, as far as Diesel tells it.
    pub code: Code,
}

/// Classes of error codes that Diesel tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A row of that key is there already.
    Duplicate,
    /// One that Diesel has no name for, as those for locks and time.
    Unnamed,
    /// Any other.
    Other,
}

impl std::error::Error for SqlError {}

/// The number of lines shown after the first of a statement: nobody reads more of an INSERT with data.
const LINES: usize = 30;

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(statement) = self.statement.as_deref() {
            let mut lines = statement.lines();
            write!(f, "\n  statement: {}", lines.next().unwrap_or_default())?;
            for line in lines.by_ref().take(LINES) {
                write!(f, "\n    {line}")?;
            }
            match lines.count() {
                0 => {}
                more => write!(f, "\n    … and {more} more lines")?,
            }
        }
        for (word, text) in [("detail", &self.detail), ("hint", &self.hint)] {
            if let Some(text) = text {
                write!(f, "\n  {word}: {text}")?;
            }
        }
        Ok(())
    }
}

impl SqlError {
    /// An error about a statement that was not sent.
    pub(crate) fn said(what: &str, text: &str, part: Part<'_>, message: &str) -> Self {
        Self {
            what: what.into(),
            line: Some(part.line(text)),
            statement: Some(part.sql.into()),
            message: message.into(),
            detail: None,
            hint: None,
            code: Code::Other,
        }
    }

    /// The error of `statement`, with its place in `text`.
    pub(crate) fn new(what: &str, text: &str, part: Option<Part<'_>>, error: &Error) -> Self {
        let mut this = Self {
            what: what.into(),
            line: None,
            statement: None,
            message: error.to_string().into(),
            detail: None,
            hint: None,
            code: Code::Other,
        };
        let mut position = None;
        if let Error::DatabaseError(kind, information) = error {
            this.code = if matches!(kind, DatabaseErrorKind::UniqueViolation) {
                Code::Duplicate
            } else if matches!(kind, DatabaseErrorKind::Unknown) {
                Code::Unnamed
            } else {
                Code::Other
            };
            this.message = information.message().into();
            this.detail = information.details().map(Into::into);
            this.hint = information.hint().map(Into::into);
            // It counts characters, from 1.
            position = information
                .statement_position()
                .and_then(|position| usize::try_from(position).ok());
        }
        let start = part.map_or(0, |part| part.start);
        let within = position.map(|position| {
            let sent = &text[start..];
            start
                + sent
                    .char_indices()
                    .nth(position.saturating_sub(1))
                    .map_or(sent.len(), |(byte, _)| byte)
        });
        let part = part.or_else(|| {
            parts(text)?
                .into_iter()
                .find(|part| within.is_some_and(|at| part.holds(at)))
        });
        this.statement = part.map(|part| part.sql.into());
        this.line = within
            .or(part.map(|part| part.start))
            .map(|at| text[..at].matches('\n').count() + 1);
        this
    }
}

/// One statement of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The byte at which it begins.
    pub(crate) start: usize,
    /// The statement, without the comments before it and the semicolon.
    pub(crate) sql: &'a str,
}

impl Part<'_> {
    /// The line of `text`, of which it is a part, on which it begins; from 1.
    pub(crate) fn line(&self, text: &str) -> usize {
        text[..self.start].matches('\n').count() + 1
    }

    fn holds(&self, at: usize) -> bool {
        (self.start..=self.start + self.sql.len()).contains(&at)
    }

    /// True if its first word is one that begins statements about transactions.
    pub(super) fn may_steer_transactions(&self) -> bool {
        const WORDS: &[&str] = &[
            "begin",
            "start",
            "commit",
            "end",
            "rollback",
            "abort",
            "savepoint",
            "release",
            "prepare",
        ];
        let word = self
            .sql
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        WORDS.contains(&word.to_ascii_lowercase().as_str())
    }
}

/// Runs `sql`, which may hold many statements, all or nothing; `what` is a file's path or words that say what this is.
///
/// Postgres gives no position for what fails at run time ("relation already exists"), so the statements are sent one by
/// one inside a transaction, which means the same as sending them at once; a BEGIN and a COMMIT around them are left out. A text
/// that commits in its middle or that our parser does not know goes out in one piece, and an error in it may then have no
/// line.
pub fn run_sql(connection: &mut PgConnection, sql: &str, what: &str) -> Result<(), SqlError> {
    let into_sql = |failed| match failed {
        Failed::Sql(error) => *error,
        Failed::Transaction(error) => SqlError::new(what, sql, None, &error),
    };
    if let Some(at) = sql.find('\0') {
        return Err(SqlError {
            what: what.into(),
            line: Some(sql[..at].matches('\n').count() + 1),
            statement: None,
            message: "a NUL character: PostgreSQL takes none, neither in names nor in text".into(),
            detail: None,
            hint: None,
            code: Code::Other,
        });
    }
    match steering(sql) {
        Some(Steering::One { parts, around }) if parts.len() > 1 || !around.is_empty() => {
            if AnsiTransactionManager::transaction_manager_status_mut(connection)
                .transaction_depth()
                .is_ok_and(|depth| depth.is_some())
            {
                return run_each(connection, sql, &parts, what).map_err(into_sql);
            }
            connection
                .transaction(|connection| run_each(connection, sql, &parts, what))
                .map_err(into_sql)
        }
        Some(Steering::One { parts, around: _ }) => {
            let only = parts.first().copied();
            connection
                .batch_execute(only.map_or(sql, |part| part.sql))
                .map_err(|error| SqlError::new(what, sql, only, &error))
        }
        Some(Steering::Several(_) | Steering::Broken(..)) | None => connection
            .batch_execute(sql)
            .map_err(|error| SqlError::new(what, sql, None, &error)),
    }
}

/// True if a text is all or nothing wherever it is run: Postgres runs several statements that are sent at once in one
/// transaction, unless one of them ends it.
pub(crate) fn is_one_transaction(sql: &str) -> bool {
    matches!(
        steering(sql),
        Some(Steering::One { parts, around }) if parts.len() > 1 || !around.is_empty()
    )
}

/// True if a text holds no statement at all: Postgres takes that for a mistake.
#[must_use]
pub fn holds_nothing(sql: &str) -> bool {
    parts(sql).is_some_and(|parts| parts.is_empty())
}

/// The parse tree of the first statement of a text; `None` where Postgres' parser rejects the text.
pub(crate) fn first_node(sql: &str) -> Option<NodeEnum> {
    let parsed = pg_query::parse(sql, ParserOptions::default()).ok()?;
    parsed.protobuf.stmts.into_iter().next()?.stmt?.node
}

/// The statements of `text`, or nothing where our parser, which is that of one Postgres major, does not know it.
pub(crate) fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let statements = pg_query::split_with_parser(text).ok()?;
    let begin = text.as_ptr().addr();
    let part = |statement: &'_ str| {
        let sql = without_comments(statement);
        (sql.as_ptr().addr() - begin, sql.trim_end().len())
    };
    Some(
        statements
            .into_iter()
            .map(part)
            .map(|(start, length)| Part {
                start,
                sql: &text[start..start + length],
            })
            .collect(),
    )
}

/// The text with a semicolon after its last statement and a line end after all, so that more may follow.
pub(crate) fn ended(text: &str) -> String {
    let text = text.trim_end();
    let is_ended = parts(text).is_some_and(|parts| {
        parts.last().is_some_and(|last| {
            let rest = &text[last.start + last.sql.len()..];
            without_comments(rest).starts_with(';')
        })
    });
    // The last line may be a comment.
    format!("{text}\n{}", if is_ended { "" } else { ";\n" })
}

/// `sql` from its first word on.
pub(crate) fn without_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let after = if rest.starts_with("--") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else {
            return rest;
        };
        rest = after.map_or("", |end| rest[end..].trim_start());
    }
}

/// The end of the comment that `text` begins with; comments nest.
fn block_comment(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let next = at + text[at..].find(['/', '*'])?;
        match text.get(next..next + 2) {
            Some("/*") => depth += 1,
            Some("*/") => depth -= 1,
            _ => {
                at = next + 1;
                continue;
            }
        }
        at = next + 2;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// An error inside Diesel's transaction, which requires a type that its own error converts into.
enum Failed {
    Sql(Box<SqlError>),
    Transaction(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

fn run_each(
    connection: &mut PgConnection,
    text: &str,
    parts: &[Part<'_>],
    what: &str,
) -> Result<(), Failed> {
    for part in parts {
        connection.batch_execute(part.sql).map_err(|error| {
            Failed::Sql(Box::new(SqlError::new(what, text, Some(*part), &error)))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_begin_at_their_first_word() {
        let text = "-- one; two\n/* a /* b */ ; */ SELECT 1 ; ;\n\nSELECT ';';\n-- end\n";
        let found: Vec<_> = parts(text)
            .expect("it parses")
            .into_iter()
            .map(|part| (part.start, part.sql))
            .collect();
        assert_eq!(found, [(30, "SELECT 1"), (44, "SELECT ';'")]);
        assert_eq!(parts("SELECT FROM WHERE"), None);
        assert_eq!(parts("-- nothing"), Some(Vec::new()));
    }

    #[test]
    fn every_statement_ends() {
        assert_eq!(ended("SELECT 1;"), "SELECT 1;\n");
        assert_eq!(ended("SELECT 1 ; -- done\n"), "SELECT 1 ; -- done\n");
        assert_eq!(ended("SELECT 1 /* ; */ ;"), "SELECT 1 /* ; */ ;\n");
        assert_eq!(ended("SELECT 1 -- done;"), "SELECT 1 -- done;\n;\n");
        assert_eq!(ended("SELECT ';'"), "SELECT ';'\n;\n");
    }
}
