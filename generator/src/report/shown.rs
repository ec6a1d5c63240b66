//! One migration with its files.

use anstream::adapter::strip_str;
use anstyle::Style;
use serde::Serialize;

use super::{Listed, Output, Report, style::HEADING};
use crate::migrations::folder::Migration;

/// One migration with its files.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Its description.
    #[serde(flatten)]
    pub listed: Listed,
    /// The text of `up.sql`.
    pub up: String,
    /// The text of `down.sql`.
    pub down: Option<String>,
}

impl Shown {
    /// All of a migration; `applied` are the versions that a database has.
    #[must_use]
    pub fn new(migration: &Migration, applied: Option<&[String]>) -> Self {
        Self {
            listed: Listed::new(migration, applied),
            up: migration.up.clone(),
            down: migration.down.clone(),
        }
    }
}

impl Shown {
    fn files(&self, heading: Style) -> String {
        let file = |name: &str, sql: &str| {
            format!("\n{heading}-- {name}{heading:#}\n\n{}\n", sql.trim_end())
        };
        let mut text = String::new();
        text += &file("up.sql", crate::migrations::folder::Header::body(&self.up));
        if let Some(down) = &self.down {
            text += &file("down.sql", down);
        }
        text
    }
}

impl Report for Shown {
    fn text(&self) -> String {
        self.listed.full() + &self.files(HEADING)
    }

    fn verbatim(&self) -> Option<String> {
        let about = Output::default().shown(&strip_str(&self.listed.full()).to_string());
        Some(about + &self.files(Style::new()))
    }
}
