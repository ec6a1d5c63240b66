//! The report of `autogen`: migrations that it wrote or would write.

use std::path::PathBuf;

use anstyle::Style;
use serde::Serialize;
use trueup::one_line;

use super::{
    Report,
    counted::risks,
    style::{ERROR, GOOD, HEADING, WARNING, columns},
};
use crate::{draft::Draft, pipeline::autogen::numbered, rows::FailsNow, summary::Summary};

/// Migrations that were written.
#[derive(Debug, Serialize)]
pub struct Written {
    /// The files, in the order in which they run; none where there was nothing to do.
    pub files: Vec<PathBuf>,
    /// A summary of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub summary: Vec<Summary>,
    /// The risks of the ups, in words.
    pub hazards: Vec<String>,
    /// The same in fewer lines.
    #[serde(skip)]
    pub risks: Vec<String>,
    /// Statements that would fail on the existing rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fails_now: Vec<FailsNow>,
    /// True if a sample row is shown.
    #[serde(skip)]
    pub shows_rows: bool,
    /// The proof and its Postgres version, or the reason why there was nothing to do.
    pub proof: String,
    /// True if anything was proved.
    pub proved: bool,
}

impl Written {
    /// The report if nothing had to be written.
    #[must_use]
    pub fn nothing(from: &str) -> Self {
        Self {
            files: Vec::new(),
            summary: Vec::new(),
            hazards: Vec::new(),
            risks: Vec::new(),
            fails_now: Vec::new(),
            shows_rows: false,
            proof: format!("nothing to do: the models and {from} agree"),
            proved: true,
        }
    }

    /// The report of a draft that was written to these folders.
    #[must_use]
    pub fn new(draft: &Draft, folders: &[PathBuf], fails_now: Vec<FailsNow>) -> Self {
        let files = ["up.sql", "down.sql"];
        Self {
            files: folders
                .iter()
                .flat_map(|folder| files.map(|file| folder.join(file)))
                .collect(),
            summary: draft
                .parts
                .iter()
                .filter_map(|part| part.summary.clone())
                .collect(),
            hazards: draft.hazards().map(ToString::to_string).collect(),
            risks: risks(&draft.hazards().cloned().collect::<Vec<_>>()),
            fails_now,
            shows_rows: false,
            proof: draft.proof.sentence(),
            proved: draft.proof.postgres.is_some() && !draft.proof.awaits_data_step,
        }
    }
}

impl Report for Written {
    fn text(&self) -> String {
        if self.files.is_empty() {
            return format!("{}\n", self.proof);
        }
        let files: Vec<_> = self
            .files
            .iter()
            .map(|file| [file.display().to_string()])
            .collect();
        let proof = if self.proved { GOOD } else { WARNING };
        let mut rows: Vec<[String; 2]> = Vec::new();
        for (number, summary) in self.summary.iter().enumerate() {
            for (word, text) in summary.lines() {
                let word = match self.summary.len() {
                    1 => word.to_owned(),
                    _ => format!("{word} {}", number + 1),
                };
                rows.push([word, text]);
            }
        }
        rows.extend(self.risks.iter().map(|hazard| {
            [
                format!("{WARNING}hazard{WARNING:#}"),
                hazard.replace('\n', " "),
            ]
        }));
        rows.push([format!("{proof}proved{proof:#}"), self.proof.clone()]);
        for fails in &self.fails_now {
            let text = if self.shows_rows {
                fails.with_sample()
            } else {
                fails.to_string()
            };
            rows.push([format!("{ERROR}fails{ERROR:#}"), text.replace('\n', " ")]);
        }
        columns(0, &files) + "\n" + &columns(0, &rows)
    }
}

/// Migrations that would be written.
#[derive(Debug, Serialize)]
pub struct Drafted {
    /// One after the other.
    pub migrations: Vec<DraftedMigration>,
    /// The proof and its Postgres version.
    pub proof: String,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct DraftedMigration {
    /// The change, in the author's words.
    pub message: String,
    /// A summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The statements of `up.sql`.
    pub up: String,
    /// The statements of `down.sql`.
    pub down: String,
    /// True if both run in a transaction.
    pub run_in_transaction: bool,
}

impl Drafted {
    /// The files that a draft would be.
    #[must_use]
    pub fn new(message: &str, draft: &Draft) -> Self {
        let of = draft.parts.len();
        let migrations = draft
            .parts
            .iter()
            .enumerate()
            .map(|(number, part)| DraftedMigration {
                message: numbered(message, number, of),
                summary: part.summary.clone(),
                up: part.up_text(),
                down: part.down_text(),
                run_in_transaction: part.in_transaction,
            });
        Self {
            migrations: migrations.collect(),
            proof: draft.proof.sentence(),
        }
    }
}

impl Drafted {
    fn files(&self, heading: Style) -> String {
        let mut files = Vec::new();
        for migration in &self.migrations {
            let DraftedMigration {
                message,
                summary,
                up,
                down,
                run_in_transaction: _,
            } = migration;
            let mut lines = String::new();
            for (word, text) in summary.iter().flat_map(Summary::lines) {
                lines += &format!("-- {word}: {text}\n");
            }
            for (name, lines, sql) in [("up.sql", lines, up), ("down.sql", String::new(), down)] {
                let message = one_line(message);
                files.push(format!(
                    "{heading}-- {name}: {message}{heading:#}\n{lines}\n{sql}"
                ));
            }
        }
        files.join("\n")
    }
}

impl Report for Drafted {
    fn text(&self) -> String {
        self.files(HEADING)
    }

    fn verbatim(&self) -> Option<String> {
        Some(self.files(Style::new()))
    }
}
