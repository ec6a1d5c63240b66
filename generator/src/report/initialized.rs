//! The report of `init`.

use serde::Serialize;

use super::{Applied, Report, Seeded};

/// A database that one can work with.
#[derive(Debug, Serialize)]
pub struct Initialized {
    /// Which one; its password is not in it.
    pub database: String,
    /// True if the database was created.
    pub created: bool,
    /// The migrations that were run.
    pub applied: Applied,
    /// The seeds that were run; nothing where none were wanted.
    pub seeded: Option<Seeded>,
}

impl Report for Initialized {
    fn text(&self) -> String {
        let seeded = self.seeded.as_ref();
        self.applied.text() + &seeded.map_or_else(String::new, Report::text)
    }
}
