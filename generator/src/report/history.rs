//! The migrations of a folder.

use chrono::NaiveDateTime;
use serde::Serialize;

use super::{
    Report,
    style::{DIM, GOOD, WARNING, columns},
};
use crate::migrations::folder::Migration;

/// The migrations of a folder, oldest first.
#[derive(Debug, Default, Serialize)]
pub struct History {
    /// One after the other.
    pub migrations: Vec<Listed>,
    /// The versions that the database has applied and no folder has.
    pub unknown: Vec<String>,
    /// True if the text shows every detail.
    #[serde(skip)]
    pub verbose: bool,
}

/// One migration.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The version, as Diesel records it.
    pub version: String,
    /// The folder's name.
    pub name: String,
    /// True if it is applied; `None` without a database.
    pub applied: Option<bool>,
    /// The time at which it was written, in UTC, from its version.
    pub date: Option<String>,
    /// The author's words; nothing where trueup did not write it.
    pub message: Option<String>,
    /// The versions that it was made after.
    pub parents: Vec<String>,
    /// The versions that it stands for.
    pub replaces: Vec<String>,
    /// The risks that its up.sql names.
    pub hazards: Vec<String>,
    /// The proof.
    pub proof: Vec<String>,
    /// True if it runs in a transaction.
    pub run_in_transaction: bool,
    /// True if it has a `down.sql`.
    pub has_down: bool,
}

impl Listed {
    /// The description of a migration; `applied` are the versions that a database has.
    #[must_use]
    pub fn new(migration: &Migration, applied: Option<&[String]>) -> Self {
        let header = migration.header.as_ref();
        let parents = header
            .iter()
            .flat_map(|header| header.parents.iter().chain(&header.after));
        Self {
            version: migration.version.clone(),
            name: migration.name.clone(),
            applied: applied.map(|applied| applied.contains(&migration.version)),
            date: date(&migration.version),
            message: header.map(|header| header.message.clone()),
            parents: parents.map(|parent| parent.version.clone()).collect(),
            replaces: migration
                .stands_for()
                .map(|replaced| replaced.version.clone())
                .collect(),
            hazards: hazards(&migration.up),
            proof: header.map_or_else(Vec::new, |header| header.proof.clone()),
            run_in_transaction: migration.run_in_transaction,
            has_down: migration.down.is_some(),
        }
    }

    /// All there is to say, under its name.
    pub(super) fn full(&self) -> String {
        let line = format!("{}  {}", self.name, self.state());
        format!("{}\n{}", line.trim_end(), self.details())
    }

    pub(super) fn state(&self) -> String {
        match self.applied {
            Some(true) => format!("{GOOD}applied{GOOD:#}"),
            Some(false) => format!("{WARNING}pending{WARNING:#}"),
            None => String::new(),
        }
    }

    fn details(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |word: &str, text: &str| rows.push([word.to_owned(), text.to_owned()]);
        match &self.message {
            Some(message) => row("message", message),
            None => row("message", "(not written by trueup)"),
        }
        if let Some(date) = &self.date {
            row("date", date);
        }
        if self.parents.is_empty() {
            row("parent", "none");
        }
        for parent in &self.parents {
            row("parent", parent);
        }
        for replaced in &self.replaces {
            row("replaces", replaced);
        }
        for hazard in &self.hazards {
            row("hazard", hazard);
        }
        for proof in &self.proof {
            row("proved", proof);
        }
        if !self.run_in_transaction {
            row("runs", "outside of a transaction");
        }
        if !self.has_down {
            row("down", "none");
        }
        columns(2, &rows)
    }
}

/// The second that a version begins with, where it does.
fn date(version: &str) -> Option<String> {
    let digits = version.get(..14)?;
    let time = NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok()?;
    Some(time.format("%Y-%m-%d %H:%M:%S").to_string())
}

fn hazards(up: &str) -> Vec<String> {
    let named = up
        .lines()
        .filter_map(|line| line.strip_prefix("-- hazard: "));
    named.map(str::to_owned).collect()
}

impl Report for History {
    fn text(&self) -> String {
        let mut text = String::new();
        if self.verbose {
            for listed in &self.migrations {
                text += &listed.full();
            }
        } else {
            let rows: Vec<_> = self
                .migrations
                .iter()
                .map(|listed| [listed.name.clone(), listed.state()])
                .collect();
            text += &columns(0, &rows);
        }
        for version in &self.unknown {
            text += &format!("{version}  {GOOD}applied{GOOD:#} {DIM}(no folder here){DIM:#}\n");
        }
        text
    }
}
