//! The models that are linked into a program.

use serde::Serialize;
use trueup::Linked;

use super::{
    Report,
    style::{DIM, WARNING, columns},
};
use crate::words::count;

/// The models, and what is wrong with them.
#[derive(Debug, Serialize)]
pub struct Models {
    /// In the order of files and lines.
    pub models: Vec<Linked>,
    /// Why nothing can be made of them, where that is so.
    pub problem: Option<String>,
}

impl Report for Models {
    fn text(&self) -> String {
        let row = |found: &Linked| {
            let Linked {
                file,
                line,
                module,
                item,
                what,
                name,
                parts: _,
            } = found;
            [
                format!("{what} {name}"),
                format!("{module}::{item}"),
                format!("{DIM}{file}:{line}{DIM:#}"),
            ]
        };
        let rows: Vec<_> = self.models.iter().map(row).collect();
        let mut text = columns(0, &rows);
        if let Some(problem) = &self.problem {
            text += &format!("{WARNING}problem:{WARNING:#} {problem}\n");
        }
        text + &format!(
            "{} linked into this program\n",
            count(self.models.len(), "model")
        )
    }
}
