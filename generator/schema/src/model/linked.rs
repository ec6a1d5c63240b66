//! Models linked into the program, consistent or not: for diagnosing a missing model.

use serde::Serialize;

use super::definition::{Item, Submitted};
use crate::name::quoted_ident;

/// A model that is linked into the program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Linked {
    /// The source file, as `file!()` gives it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The module.
    pub module: &'static str,
    /// The struct, the enum or the macro.
    pub item: &'static str,
    /// Kind of object it declares: `table`, `enum type`, `extension` or `sequence`.
    pub what: &'static str,
    /// The name of that in the database.
    pub name: String,
    /// Number of columns or labels.
    pub parts: usize,
}

/// Finds what is linked into the program, in the order of files and lines.
#[must_use]
pub fn linked() -> Vec<Linked> {
    let mut all: Vec<Linked> = inventory::iter::<Submitted>().map(of).collect();
    all.sort();
    all
}

fn of(submitted: &Submitted) -> Linked {
    let found = |item: &Item, what, name, parts| Linked {
        file: item.file,
        line: item.line,
        module: item.module,
        item: item.name,
        what,
        name,
        parts,
    };
    match submitted {
        Submitted::Model(model) => found(
            &model.item,
            "table",
            model.name().to_string(),
            model.columns.len(),
        ),
        Submitted::Enum(labels) => found(
            &labels.item,
            "enum type",
            labels.name().to_string(),
            labels.labels.len(),
        ),
        Submitted::Extension(extension) => found(
            &extension.item,
            "extension",
            quoted_ident(extension.name),
            0,
        ),
        Submitted::Sequence(sequence) => found(
            &sequence.item,
            "sequence",
            sequence.qualified().to_string(),
            0,
        ),
    }
}
