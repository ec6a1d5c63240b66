//! The report of an action on a database, or on a file with one in it.

use serde::Serialize;

use super::{
    Report,
    style::{DIM, GOOD},
};

/// Something that was done with a database as a whole.
#[derive(Debug, Serialize)]
pub struct DatabaseDone {
    /// The action.
    pub done: What,
    /// With which database; its password is not in it.
    pub database: String,
    /// Further details.
    pub detail: String,
}

/// An action on a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new.
    Created,
    /// It is gone.
    Dropped,
    /// It was made anew.
    Recreated,
    /// It is as it was.
    Nothing,
    /// Its server runs.
    Started,
    /// Its server ended.
    Stopped,
    /// It is in a file.
    Saved,
    /// It was in a file.
    Restored,
}

impl Report for DatabaseDone {
    fn text(&self) -> String {
        let word = match self.done {
            What::Created => "created",
            What::Dropped => "dropped",
            What::Recreated => "made anew",
            What::Nothing => "nothing to do",
            What::Started => "started",
            What::Stopped => "stopped",
            What::Saved => "saved",
            What::Restored => "restored",
        };
        let Self {
            done: _,
            database,
            detail,
        } = self;
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!("{DIM}: {detail}{DIM:#}")
        };
        format!("{GOOD}{word}{GOOD:#}  {database}{detail}\n")
    }
}
