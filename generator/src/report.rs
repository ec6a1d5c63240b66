//! Output of a command: one report, as text or as JSON.
//!
//! The result of a command goes to stdout and all remarks about it to stderr, so that what is piped is the result alone.
//! Nothing else in this workspace prints.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use anstream::{AutoStream, stream::RawStream};
use serde::Serialize;

use crate::{Error, ErrorKind, postgres::secrets};

mod applied;
mod changed;
mod check;
mod counted;
mod current;
mod database;
mod doctor;
mod drafted;
mod failure;
mod github;
mod health;
mod history;
mod initialized;
mod models;
mod progress;
mod proved;
mod rehearsed;
mod seeded;
mod shown;
mod size;
mod stamped;
mod status;
mod style;
mod terminal;

pub use applied::{Applied, AppliedMigration, Direction};
pub use changed::Changed;
pub use check::CheckReport;
pub(crate) use counted::by_kind;
pub use counted::{kinds, unread_by_kind};
pub use current::Current;
pub use database::{DatabaseDone, What};
pub use doctor::{Doctor, Programs, SettingFound};
pub use drafted::{Drafted, DraftedMigration, Written};
pub use history::{History, Listed};
pub use initialized::Initialized;
pub use models::Models;
pub use progress::Progress;
pub use proved::{NamedProof, ProvedReport};
pub use rehearsed::{Redone, Rehearsed};
pub use seeded::{SeedRun, Seeded};
pub use shown::Shown;
pub use stamped::Stamped;
pub use status::{Heads, Recorded, Status};

use style::{NOTE, WARNING};
use terminal::neutral;

/// Something a command found or did, which says itself as text and, through serde, as JSON.
pub trait Report: Serialize {
    /// The text for a terminal, with ANSI styles, which are taken out where they are not wanted.
    fn text(&self) -> String;

    /// The same without styles, for a report that is SQL or has SQL in it: piped, that stays as it is.
    fn verbatim(&self) -> Option<String> {
        None
    }
}

/// The format of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// The amount of remarks beside the result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Verbosity {
    /// The result alone.
    Quiet,
    /// Also remarks and the next step.
    #[default]
    Normal,
    /// Also where things come from.
    Verbose,
}

/// The use of colours in text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Color {
    /// On a terminal that can, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The reader of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reader {
    /// A person, at a terminal or in a log.
    #[default]
    Person,
    /// GitHub Actions, which takes some lines for commands, on stdout and on stderr.
    Github,
}

/// The output of a command, on stdout and stderr.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Output {
    /// The use of colours.
    pub color: Color,
    /// The amount of remarks.
    pub verbosity: Verbosity,
    /// The reader.
    pub reader: Reader,
}

impl Output {
    /// Writes a command's result to stdout.
    pub fn report(self, report: &impl Report, format: Format) -> Result<(), Error> {
        match format {
            Format::Text => match report.verbatim() {
                // A runner of GitHub's reads a pipe too.
                Some(text) if self.reader == Reader::Person && !io::stdout().is_terminal() => {
                    self.data(&text)
                }
                Some(_) | None => self.result(&report.text()),
            },
            Format::Json => {
                let json = serde_json::to_string_pretty(report).map_err(|error| {
                    Error::caused(ErrorKind::Defect, "cannot write the JSON", error)
                })?;
                self.json(&(secrets::hidden_in_json(&json) + "\n"))
            }
        }
    }

    /// Writes text for people to stdout: what is no style of ours is shown, and does nothing to a terminal.
    pub fn result(self, text: &str) -> Result<(), Error> {
        Self::written(self.stream(io::stdout()), &self.shown(text))
    }

    /// Writes annotations for GitHub, which are commands by intent, and then text, of which nothing is a command.
    pub fn annotated(self, annotations: &str, text: &str) -> Result<(), Error> {
        let annotations = neutral(&secrets::hidden(annotations)).into_owned();
        Self::written(
            self.stream(io::stdout()),
            &(annotations + &self.shown(text)),
        )
    }

    /// Writes SQL for a program to read to stdout: every byte as it is, but for a terminal.
    ///
    /// SQL that lacks a word of its own is another statement. So a secret in it stays, and that is said.
    pub fn data(self, text: &str) -> Result<(), Error> {
        self.raw(text)?;
        self.warn_of_secrets(text, "SQL");
        Ok(())
    }

    /// Writes JSON to stdout, in which GitHub finds no command.
    pub fn json(self, text: &str) -> Result<(), Error> {
        match self.reader {
            Reader::Person => self.raw(text),
            Reader::Github => self.raw(&github::no_command_in_json(text)),
        }?;
        self.warn_of_secrets(text, "JSON");
        Ok(())
    }

    fn warn_of_secrets(self, text: &str, what: &str) {
        if secrets::are_in(text) && !io::stdout().is_terminal() {
            self.warning(format!(
                "the {what} has a password of this run in it: keep it where others cannot read it"
            ));
        }
    }

    fn raw(self, text: &str) -> Result<(), Error> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return self.result(text);
        }
        Self::written(stdout, text)
    }

    fn written(mut stdout: impl Write, text: &str) -> Result<(), Error> {
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            // Whoever read it has had enough, as `head` has.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| {
                Error::caused(ErrorKind::Environment, "cannot write to stdout", error)
            }),
        }
    }

    /// Remarks on the result, on stderr.
    pub fn note(self, text: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.remark(&format!("{NOTE}note:{NOTE:#} {}\n", style::hang(&text, 6)));
        }
    }

    /// Writes the next step to stderr.
    pub fn next(self, text: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            self.remark(&format!("{NOTE}next:{NOTE:#} {}\n", style::hang(&text, 6)));
        }
    }

    /// Writes a detail, such as a setting's source, to stderr if the output is verbose.
    pub fn detail(self, text: impl Display) {
        if self.verbosity == Verbosity::Verbose {
            self.remark(&format!("{NOTE}{text}{NOTE:#}\n"));
        }
    }

    /// Writes an error to stderr, even if quiet.
    pub fn failure(self, error: &Error) {
        self.remark(&failure::text(error));
    }

    /// Writes a warning before a question to stderr, even if quiet.
    pub fn warning(self, text: impl Display) {
        self.remark(&format!(
            "{WARNING}warning:{WARNING:#} {}\n",
            style::hang(&text, 9)
        ));
    }

    /// A refusal that says itself, on stderr.
    pub fn refusal(self, text: &str) {
        self.remark(text);
    }

    /// Somebody who cannot be told cannot be told that either.
    fn remark(self, text: &str) {
        let _ = self
            .stream(io::stderr())
            .write_all(self.shown(text).as_bytes());
    }

    /// The text as people may see it: without secrets, and without anything that a terminal or GitHub obeys.
    #[must_use]
    pub fn shown(self, text: &str) -> String {
        let text = secrets::hidden(text);
        let text = neutral(&text);
        match self.reader {
            Reader::Person => text.into_owned(),
            Reader::Github => github::no_command(&text),
        }
    }

    /// A question in one line, as [`Output::shown`] gives it: for programs that ask by themselves.
    #[must_use]
    pub fn question(self, text: &str) -> String {
        self.shown(&text.replace(['\n', '\t'], " "))
    }

    fn stream<S: RawStream>(self, raw: S) -> AutoStream<S> {
        match self.color {
            Color::Auto => AutoStream::auto(raw),
            Color::Always => AutoStream::always_ansi(raw),
            Color::Never => AutoStream::never(raw),
        }
    }
}
