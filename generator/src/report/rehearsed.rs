//! The reports of a rehearsal and of `redo`.

use serde::Serialize;

use super::{
    Applied, AppliedMigration, Report,
    style::{GOOD, WARNING, columns},
};
use crate::{migrations::apply::Rehearsal, words::count};

/// The result of a rehearsal.
#[derive(Debug, Serialize)]
pub struct Rehearsed {
    /// The migrations that ran and were rolled back.
    pub migrations: Vec<AppliedMigration>,
    /// The migration that could not be tried, and none after it was.
    pub stopped_at: Option<String>,
    /// Why.
    pub because: Option<&'static str>,
}

impl From<Rehearsal> for Rehearsed {
    fn from(rehearsal: Rehearsal) -> Self {
        let (stopped_at, because) = rehearsal
            .stopped
            .map(|stopped| (stopped.name, stopped.because))
            .unzip();
        Self {
            migrations: rehearsal.ran.into_iter().map(Into::into).collect(),
            stopped_at,
            because,
        }
    }
}

impl Report for Rehearsed {
    fn text(&self) -> String {
        let row = |one: &AppliedMigration| [format!("{GOOD}runs{GOOD:#}"), one.name.clone()];
        let mut text = columns(0, &self.migrations.iter().map(row).collect::<Vec<_>>());
        if let (Some(name), Some(because)) = (&self.stopped_at, self.because) {
            text += &format!(
                "{WARNING}not tried{WARNING:#}  {name} and what comes after it: {because}\n"
            );
        }
        let ran = count(self.migrations.len(), "migration");
        text + &format!("{ran} tried and rolled back: the database is as it was\n")
    }
}

/// Migrations that were taken back and applied again.
#[derive(Debug, Serialize)]
pub struct Redone {
    /// The way back.
    pub back: Applied,
    /// The way there.
    pub again: Applied,
}

impl Report for Redone {
    fn text(&self) -> String {
        self.back.rows() + &self.again.text()
    }
}
