//! The report of `prove`.

use serde::Serialize;

use super::{
    Report,
    style::{DIM, GOOD, WARNING, columns},
};
use crate::{
    prove::migrations::{Outcome, Proving, Tried},
    words::count,
};

/// Migrations that were proved, or were not.
#[derive(Debug, Default, Serialize)]
pub struct ProvedReport {
    /// The outcome of each migration.
    pub tried: Vec<Tried>,
    /// The proofs that the headers hold now, by the folders' names.
    pub proofs: Vec<NamedProof>,
    /// The names of those whose header was written.
    pub written: Vec<String>,
}

/// The proof of a migration.
#[derive(Debug, Serialize)]
pub struct NamedProof {
    /// Its folder's name.
    pub name: String,
    /// The proof and its Postgres version.
    pub proof: String,
}

impl From<Proving> for ProvedReport {
    fn from(proving: Proving) -> Self {
        let named = |(name, proof)| NamedProof { name, proof };
        Self {
            tried: proving.tried,
            proofs: proving.sentences.into_iter().map(named).collect(),
            written: proving.written,
        }
    }
}

impl Report for ProvedReport {
    fn text(&self) -> String {
        if self.tried.is_empty() {
            return format!(
                "nothing to prove: all migrations are what was proved{DIM}; --all proves them anew{DIM:#}\n"
            );
        }
        let (mut rows, mut faults) = (Vec::new(), String::new());
        let mut failed = 0;
        for one in &self.tried {
            let proof = self.proofs.iter().find(|proof| proof.name == one.name);
            let (word, style) = match &one.outcome {
                Outcome::Returns => ("proved", GOOD),
                Outcome::Irreversible(_) => ("irreversible", GOOD),
                Outcome::Strays(_) | Outcome::Broken(_) => ("not proved", WARNING),
            };
            rows.push([format!("{style}{word}{style:#}"), one.name.clone()]);
            if let Some(proof) = proof {
                rows.push([String::new(), format!("{DIM}{}{DIM:#}", proof.proof)]);
            } else {
                failed += 1;
                faults += &one.says();
                faults.push('\n');
            }
        }
        let mut text = columns(0, &rows) + &faults;
        if failed > 0 {
            let its = if failed == 1 {
                "is not proved; its header stays as it was"
            } else {
                "are not proved; their headers stay as they were"
            };
            let said = count(failed, "migration");
            text += &format!("{WARNING}{said}{WARNING:#} {its}\n");
        }
        match self.written.len() {
            0 => text,
            many => text + &format!("{} written; the SQL is as it was\n", count(many, "header")),
        }
    }
}
