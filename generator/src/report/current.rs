//! The report of `current`: a database's place in the migrations.

use serde::Serialize;

use super::{
    Report,
    style::{GOOD, HEADING, WARNING},
};
use crate::words::count;

/// A database's place in the migrations.
#[derive(Debug, Default, Serialize)]
pub struct Current {
    /// The newest migration that is applied: its folder's name, or its version where there is no folder.
    pub current: Option<String>,
    /// True if no migration is newer and none is pending.
    pub at_head: bool,
    /// The names of those that are not applied.
    pub pending: Vec<String>,
    /// The names of the pending ones that are older than an applied one.
    pub out_of_order: Vec<String>,
    /// The applied versions that no folder has.
    pub unknown: Vec<String>,
    /// The database; its password is not in it.
    pub database: String,
}

impl Report for Current {
    fn text(&self) -> String {
        let Self {
            current,
            at_head,
            pending,
            out_of_order,
            unknown,
            database: _,
        } = self;
        let name = current.as_deref().unwrap_or("base");
        let place = if *at_head {
            format!("{GOOD}head{GOOD:#}")
        } else if pending.is_empty() {
            format!("{WARNING}ahead of the migrations here{WARNING:#}")
        } else {
            format!(
                "{WARNING}{} pending{WARNING:#}",
                count(pending.len(), "migration")
            )
        };
        let mut text = format!("{HEADING}{name}{HEADING:#} ({place})\n");
        for (word, names) in [
            ("pending", pending),
            ("out of order", out_of_order),
            ("unknown", unknown),
        ] {
            for name in names {
                text += &format!("  {word}: {name}\n");
            }
        }
        text
    }
}
