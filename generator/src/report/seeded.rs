//! The report of `seed`.

use std::time::Duration;

use serde::Serialize;

use super::{
    Report,
    applied::duration,
    style::{DIM, GOOD, columns},
};
use crate::words::count;

/// Seeds that were run.
#[derive(Debug, Serialize)]
pub struct Seeded {
    /// In the order in which they were run.
    pub seeds: Vec<SeedRun>,
    /// The files that were not run, since this database has them as they are.
    pub known: Vec<String>,
    /// The folder that was searched.
    pub folder: String,
    /// The environment whose seeds were run beside those that are for everywhere.
    pub environment: String,
}

/// A seed that was run.
#[derive(Debug, Serialize)]
pub struct SeedRun {
    /// Its file.
    pub file: String,
    /// The duration in milliseconds.
    pub milliseconds: u64,
}

impl SeedRun {
    /// A seed that took so long.
    #[must_use]
    pub fn new(file: String, took: Duration) -> Self {
        Self {
            file,
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Report for Seeded {
    fn text(&self) -> String {
        let Self {
            seeds,
            known,
            folder,
            environment,
        } = self;
        if seeds.is_empty() && !known.is_empty() {
            return format!(
                "nothing to seed: {} for {environment} ran here before\n",
                count(known.len(), "seed")
            );
        }
        if seeds.is_empty() {
            return format!(
                "nothing to seed: no .sql files in {folder} or {folder}/{environment}\n"
            );
        }
        let row = |seed: &SeedRun| {
            [
                format!("{GOOD}seeded{GOOD:#}"),
                seed.file.clone(),
                format!("{DIM}{}{DIM:#}", duration(seed.milliseconds)),
            ]
        };
        let rows: Vec<_> = seeds.iter().map(row).collect();
        columns(0, &rows) + &format!("{} for {environment}\n", count(seeds.len(), "seed"))
    }
}
