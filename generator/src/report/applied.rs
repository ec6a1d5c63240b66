//! The report of `upgrade` and `downgrade`.

use std::time::Duration;

use serde::Serialize;

use super::{
    Report,
    style::{DIM, GOOD, columns},
};
use crate::migrations::apply::AppliedReport;

/// Migrations that were run.
#[derive(Debug, Serialize)]
pub struct Applied {
    /// Which way.
    pub direction: Direction,
    /// In the order in which they were run.
    pub migrations: Vec<AppliedMigration>,
    /// The newest migration that is applied now.
    pub now: Option<String>,
}

/// Which way migrations are run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// There.
    Up,
    /// Back.
    Down,
}

/// A migration that was run.
#[derive(Debug, Serialize)]
pub struct AppliedMigration {
    /// The version, as Diesel records it.
    pub version: String,
    /// The folder's name.
    pub name: String,
    /// The duration in milliseconds.
    pub milliseconds: u64,
}

impl From<AppliedReport> for AppliedMigration {
    fn from(report: AppliedReport) -> Self {
        Self {
            version: report.version,
            name: report.name,
            milliseconds: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Applied {
    /// A line for each migration.
    pub(super) fn rows(&self) -> String {
        let verb = match self.direction {
            Direction::Up => "applied",
            Direction::Down => "taken back",
        };
        let row = |migration: &AppliedMigration| {
            [
                format!("{GOOD}{verb}{GOOD:#}"),
                migration.name.clone(),
                format!("{DIM}{}{DIM:#}", duration(migration.milliseconds)),
            ]
        };
        columns(0, &self.migrations.iter().map(row).collect::<Vec<_>>())
    }
}

impl Report for Applied {
    fn text(&self) -> String {
        let none = match self.direction {
            Direction::Up => "nothing to apply",
            Direction::Down => "nothing to take back",
        };
        let now = match &self.now {
            Some(name) => format!("the database is at {name}"),
            None => "no migration is applied to the database".to_owned(),
        };
        if self.migrations.is_empty() {
            return format!("{none}: {now}\n");
        }
        self.rows() + &format!("{now}\n")
    }
}

pub(super) fn duration(milliseconds: u64) -> String {
    if milliseconds < 1_000 {
        format!("{milliseconds} ms")
    } else {
        format!("{:.1} s", Duration::from_millis(milliseconds).as_secs_f64())
    }
}
