//! Errors: whose fault it is, what was being done, and what to do now.

use std::{error::Error as StdError, fmt};

/// Anything that stops a command.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    doing: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
}

/// Whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The command's arguments, or the given models, migrations or files.
    Input,
    /// The machine: a database out of reach, a missing program, a full disk.
    Environment,
    /// Something that trueup does not do yet.
    NotYet,
    /// trueup itself: what it wrote did not prove right.
    Defect,
}

impl Error {
    /// An error about something that was given.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// The chain of causes.
    pub fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |cause: &&'_ (dyn StdError + 'static)| {
            (*cause).source()
        })
    }

    /// All that it says, a line each, but for what it advises.
    #[must_use]
    pub fn full(&self) -> String {
        let causes = self.causes().map(ToString::to_string);
        let said: Vec<String> = std::iter::once(self.to_string()).chain(causes).collect();
        said.join("\n")
    }

    /// An error without a cause below it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            doing: message.into(),
            source: None,
            hints: Vec::new(),
        }
    }

    /// An error with the cause below it; `doing` is the message, as in "cannot read the live database".
    pub fn caused(
        kind: ErrorKind,
        doing: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            doing: doing.into(),
            source: Some(source.into()),
            hints: Vec::new(),
        }
    }

    /// One error that says this and then another, with the advice of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.doing = format!("{}\n{}", self.doing, other.doing);
        self.hints(other.hints)
    }

    /// Adds what to do now.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what to do now, where there is something.
    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The advice for the user.
    #[must_use]
    pub fn advice(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<crate::postgres::connection::ConnectError> for Error {
    fn from(error: crate::postgres::connection::ConnectError) -> Self {
        let hints = error.hint();
        Self::new(ErrorKind::Environment, error.to_string()).hints(hints)
    }
}

impl From<crate::postgres::scratch::ScratchError> for Error {
    fn from(error: crate::postgres::scratch::ScratchError) -> Self {
        let hints = error.hint();
        Self::new(ErrorKind::Environment, error.to_string()).hints(hints)
    }
}

impl From<crate::postgres::embedded::EmbeddedError> for Error {
    fn from(error: crate::postgres::embedded::EmbeddedError) -> Self {
        let hints = error.hint();
        Self::new(ErrorKind::Environment, error.to_string()).hints(hints)
    }
}

impl From<crate::postgres::binaries::BinariesError> for Error {
    fn from(error: crate::postgres::binaries::BinariesError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::Environment, error.to_string()).hint(hint)
    }
}

impl From<crate::postgres::catalog::ReadError> for Error {
    fn from(error: crate::postgres::catalog::ReadError) -> Self {
        Self::new(ErrorKind::Environment, error.to_string())
    }
}

impl From<crate::plan::PlanError> for Error {
    fn from(error: crate::plan::PlanError) -> Self {
        Self::new(ErrorKind::NotYet, error.to_string())
    }
}

impl From<crate::postgres::connection::SqlError> for Error {
    fn from(error: crate::postgres::connection::SqlError) -> Self {
        Self::new(ErrorKind::Input, error.to_string())
    }
}

impl From<trueup::ModelErrors> for Error {
    fn from(error: trueup::ModelErrors) -> Self {
        Self::new(ErrorKind::Input, error.to_string())
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::new(ErrorKind::Environment, error.to_string())
    }
}

impl From<crate::migrations::folder::MigrationError> for Error {
    fn from(error: crate::migrations::folder::MigrationError) -> Self {
        let hints = error.hint();
        Self::new(ErrorKind::Input, error.to_string()).hints(hints)
    }
}

impl From<crate::migrations::apply::ApplyError> for Error {
    fn from(error: crate::migrations::apply::ApplyError) -> Self {
        if let crate::migrations::apply::ApplyError::Scratch(error) = error {
            return error.into();
        }
        let hints = error.hint();
        Self::new(ErrorKind::Input, error.to_string()).hints(hints)
    }
}

impl From<crate::scope::ScopeError> for Error {
    fn from(error: crate::scope::ScopeError) -> Self {
        Self::new(ErrorKind::Input, error.to_string())
            .hint("in a pattern, * stands for any text and ? for one character")
    }
}

impl From<crate::postgres::dump::Barred> for Error {
    fn from(error: crate::postgres::dump::Barred) -> Self {
        let user = trueup::name::quoted_ident(&error.user);
        Self::new(ErrorKind::Environment, error.to_string()).hint(format!(
            "GRANT pg_read_all_data TO {user}; or use another user"
        ))
    }
}

impl From<crate::postgres::dump::WitnessError> for Error {
    fn from(error: crate::postgres::dump::WitnessError) -> Self {
        Self::new(ErrorKind::Environment, error.to_string())
    }
}
