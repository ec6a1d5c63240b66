//! The code around the tables: functions, and what triggers, rules, policies, defaults and checks run. It is tried before
//! and after; what ran before must run afterwards.
//!
//! Every attempt is undone. A session of its own makes them, for PL/pgSQL keeps the plans and types of the tables that it
//! saw first, and a change under it would look like a fault of the change.

mod attempts;
mod bodies;
mod looked;
mod named;

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Formatter},
};

use serde::Serialize;
use trueup::{Hazard, name::dotted};

use crate::named::Named;

pub use attempts::{Attempt, Failure, Session};
pub use bodies::Bodies;
pub use looked::{Code, Findings};
pub use named::{Functions, Names, Suspect, untold};

/// The risk that functions, triggers or other code in the database fail afterwards.
pub const CODE_BREAKS: &str = "code-breaks";

/// The file of the way there.
pub const UP: &str = "up.sql";
/// The file of the way back.
pub const DOWN: &str = "down.sql";

/// Code that ran before and does not run after a file of the draft.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Broken {
    /// `up.sql` or `down.sql`.
    pub file: &'static str,
    /// The attempt: `INSERT INTO public.versions`, `compilation`.
    pub attempt: String,
    /// The function in which it fails, with its namespace and arguments, where it is one.
    pub function: Option<String>,
    /// The line in the function's body.
    pub line: Option<usize>,
    /// The triggers that call the function.
    pub triggers: Vec<String>,
    /// The kinds and paths by which a person may mean it: those of the function, and of its triggers.
    #[serde(skip)]
    pub paths: Vec<(&'static str, Vec<String>)>,
    /// The statement in the function.
    pub statement: Option<String>,
    /// The message of Postgres.
    pub message: String,
}

impl Broken {
    /// True if the name is that of the function, or of a trigger that calls it.
    #[must_use]
    pub fn is_of(&self, named: &Named) -> bool {
        self.paths.iter().any(|(kind, path)| named.is(kind, path))
    }

    /// The name of the function, where it is in one.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let (_, path) = self.paths.first()?;
        Some(dotted(path))
    }

    /// The code that fails, in words.
    #[must_use]
    pub fn code(&self) -> String {
        let attempt = || self.attempt.clone();
        let function = self
            .function
            .as_ref()
            .map(|name| format!("function {name}"));
        function.unwrap_or_else(attempt)
    }

    /// The risk that stands in the migration.
    #[must_use]
    pub fn hazard(&self) -> Hazard {
        let line = self
            .line
            .map_or(String::new(), |line| format!(" line {line}"));
        let tried = match self.function {
            Some(_) => format!(" ({})", self.attempt),
            None => String::new(),
        };
        Hazard::BreaksCode {
            code: format!("{}{line}{tried}", self.code()),
            because: self.message.clone(),
        }
    }
}

impl Display for Broken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after {}: {}", self.attempt, self.file, self.message)?;
        if let Some(function) = &self.function {
            write!(f, "\n    in function {function}")?;
            if let Some(line) = self.line {
                write!(f, " line {line}")?;
            }
            if !self.triggers.is_empty() {
                write!(f, ", called by {}", self.triggers.join(" and "))?;
            }
        }
        if let Some(statement) = &self.statement {
            write!(f, "\n    at {statement}")?;
        }
        Ok(())
    }
}

/// Begins the part of a proof that names the code which fails.
const FAILS: &str = "code that ran before fails: ";

/// The part of a proof that names code which fails and was allowed to; empty where there is none.
#[must_use]
pub fn allowed_to_fail(broken: &[Broken]) -> String {
    let names: BTreeSet<String> = broken.iter().map(Broken::code).collect();
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names.into_iter().collect();
    format!("; {FAILS}{}", names.join(", "))
}

/// True if a proof says that this code fails, which somebody allowed.
#[must_use]
pub fn is_said_to_fail(proof: &[String], code: &Broken) -> bool {
    let named = proof
        .iter()
        .filter_map(|sentence| sentence.split_once(FAILS));
    let name = code.code();
    named
        .flat_map(|(_, names)| names.split("; "))
        .any(|names| format!("{names}, ").contains(&format!("{name}, ")))
}

/// The argument of `--allow` that lets this code fail.
#[must_use]
pub fn allowing(broken: &[Broken]) -> String {
    let names: Option<BTreeSet<String>> = broken.iter().map(Broken::name).collect();
    let names = names.map_or(String::new(), |names| {
        format!("={}", names.into_iter().collect::<Vec<_>>().join(","))
    });
    format!("'{CODE_BREAKS}{names}'")
}
