//! The way from one schema to another, both in SQL, as a draft that was proved.

use std::{collections::BTreeSet, path::PathBuf};

use generator::{
    Error,
    draft::{self, Draft, DraftOptions},
    rename::{self, Asked},
    source::{self, Side},
};

/// Drafts the way from one schema to what `change` makes of it; `renames` are as after `--rename`.
///
/// # Errors
///
/// Whatever is wrong with the way.
///
/// # Panics
///
/// If there is nothing to do.
pub fn drafted(from: &str, change: &str, renames: &[&str]) -> Result<Draft, Error> {
    let to = format!("{from}\n{change};");
    between(from, &to, renames, DraftOptions::default())
}

/// Drafts the way between two schemas; `renames` are as after `--rename`.
///
/// # Errors
///
/// Whatever is wrong with the way.
///
/// # Panics
///
/// If there is nothing to do.
pub fn between(
    from: &str,
    to: &str,
    renames: &[&str],
    options: DraftOptions,
) -> Result<Draft, Error> {
    let project = crate::project(PathBuf::from("no migrations"));
    let folder = tempfile::tempdir().expect("a folder");
    let side = |name: &str, sql: &str| -> Result<Side, Error> {
        let path = folder.path().join(name);
        std::fs::write(&path, sql).expect("a file");
        source::file(&project, &path)
    };
    let from_side = side("from.sql", from)?;
    let to = side("to.sql", to)?;
    let asked = renames.iter().map(|text| Asked::parse(text));
    let asked = asked.collect::<Result<Vec<_>, Error>>()?;
    let tasks = asked.iter().map(|asked| asked.task(&from_side.schema));
    let tasks = tasks.collect::<Result<Vec<_>, Error>>()?;
    let renames = rename::rename(&project, &from_side, &tasks, None, &BTreeSet::new())?;
    let draft = draft::after_renames(&project, from_side, &renames.renaming, to, options)?;
    Ok(draft.expect("something to do"))
}
