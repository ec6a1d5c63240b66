//! Folders that went and came.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    Report,
    style::{GOOD, WARNING, columns},
};
use crate::pipeline::rework::{How, Shared};

/// Changes that a command made to the folder of migrations.
#[derive(Debug, Default, Serialize)]
pub struct Changed {
    /// The names of the folders that went.
    pub removed: Vec<String>,
    /// The folders that came.
    pub written: Vec<PathBuf>,
    /// The proof and its Postgres version.
    pub proof: Option<String>,
    /// The proof of each new migration, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<String>,
    /// The folders that stay though they were in the range, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// The ways back that were drawn anew from the schemas, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drawn: Vec<String>,
    /// The objects that migrations of two branches change.
    pub shared: Vec<Shared>,
    /// The way in which several became one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// The result in a sentence.
    #[serde(skip)]
    pub summary: String,
}

impl Report for Changed {
    fn text(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |word: &str, style: anstyle::Style, text: String| {
            rows.push([format!("{style}{word}{style:#}"), text]);
        };
        for name in &self.removed {
            row("removed", WARNING, name.clone());
        }
        for folder in &self.written {
            row("written", GOOD, folder.display().to_string());
        }
        for shared in &self.shared {
            row("both", WARNING, shared.to_string());
        }
        for kept in &self.kept {
            row("kept", GOOD, kept.clone());
        }
        for line in self.drawn.iter().flat_map(|drawn| drawn.lines()) {
            let word = if line.starts_with(' ') { "" } else { "down" };
            row(word, WARNING, line.to_owned());
        }
        for proof in self.proof.iter().chain(&self.proofs) {
            row("proved", GOOD, proof.clone());
        }
        columns(0, &rows) + &self.summary + "\n"
    }
}
