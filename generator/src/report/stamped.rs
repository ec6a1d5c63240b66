//! The report of `stamp`.

use serde::Serialize;

use super::{
    Report,
    style::{GOOD, WARNING, columns},
};

/// Versions that were recorded or no longer are.
#[derive(Debug, Serialize)]
pub struct Stamped {
    /// The versions that count as applied now and did not.
    pub recorded: Vec<String>,
    /// The versions that counted as applied and do not now.
    pub removed: Vec<String>,
    /// The newest migration that counts as applied now.
    pub now: Option<String>,
}

impl Report for Stamped {
    fn text(&self) -> String {
        let rows: Vec<_> = [
            ("recorded", GOOD, &self.recorded),
            ("removed", WARNING, &self.removed),
        ]
        .into_iter()
        .flat_map(|(word, style, versions)| {
            versions
                .iter()
                .map(move |version| [format!("{style}{word}{style:#}"), version.clone()])
        })
        .collect();
        let now = match &self.now {
            Some(name) => format!("the database counts as being at {name}"),
            None => "no migration counts as applied to the database".to_owned(),
        };
        let nothing = if rows.is_empty() {
            "nothing to record: "
        } else {
            ""
        };
        columns(0, &rows) + nothing + &now + "\n"
    }
}
