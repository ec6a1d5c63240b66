//! Migrations that are there already become others: moved, joined, squashed. Each is proved again before a file changes.

mod merge;
mod rebase;
mod squash;
mod touch;

pub use merge::{Merged, merge};
pub use rebase::{Rebased, rebase};
pub use squash::{Drawn, Kept, Squashed, squash};
pub use touch::Shared;

use serde::Serialize;

use crate::{
    Error, ErrorKind, Project,
    diff::words,
    draft::{DraftOptions, draft},
    migrations::folder::{Header, Migration},
    postgres::{dump, scratch::Scratch},
    source::Side,
};

/// The way in which existing migrations became others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Drafted anew from what they are to give.
    Redrafted,
    /// Their texts, one behind the other, in one migration.
    Joined,
    /// Their texts, each in its own migration.
    Moved,
}

/// True if each of these migrations is exactly the draft from the schema before it to the schema after it: then drafting it
/// anew loses nothing.
fn as_drafted(project: &Project, start: &Side, migrations: &[Migration]) -> Result<bool, Error> {
    let scratch = project.scratch(None)?;
    let options = DraftOptions {
        prove: false,
        ..DraftOptions::default()
    };
    let mut side = touch::copy(scratch, start)?;
    for migration in migrations {
        let next = touch::after(scratch, &side, std::slice::from_ref(migration))?;
        let to = touch::copy(scratch, &next)?;
        let is_same = draft(project, side, to, options)?.is_some_and(|draft| {
            let [part] = draft.parts.as_slice() else {
                return false;
            };
            let down = migration.down.as_deref();
            is_same_sql(&part.up_sql(), Header::body(&migration.up))
                && down.is_some_and(|down| is_same_sql(&part.down_sql(), down))
                && part.in_transaction == migration.run_in_transaction
        });
        if !(migration.is_generated() && is_same) {
            return Ok(false);
        }
        side = next;
    }
    Ok(true)
}

/// True if two texts of ours are the same but for the hazards, which a proof finds.
fn is_same_sql(one: &str, other: &str) -> bool {
    let is_told = |line: &&str| !line.starts_with("-- hazard: ");
    one.lines()
        .filter(is_told)
        .eq(other.lines().filter(is_told))
}

/// Differences between two databases on the scratch, as we read them and as `pg_dump` sees them: at most five lines.
fn differences(
    project: &Project,
    scratch: &Scratch,
    one: &Side,
    other: &Side,
) -> Result<Vec<String>, Error> {
    let mut found = words(&one.schema, &other.schema);
    if found.is_empty()
        && let Ok(pg_dump) = project.binaries.pg_dump(scratch.major())
    {
        let dumps = [one, other].map(|side| dump::dump(&pg_dump, &side.url));
        let [one, other] = dumps;
        found = match dump::agree(&one?, &other?) {
            Ok(()) => Vec::new(),
            Err(differences) => differences.iter().map(ToString::to_string).collect(),
        };
    }
    found.truncate(5);
    Ok(found)
}

/// The beginning of a proof's sentence on this scratch, and its part about `pg_dump`.
fn on(project: &Project, scratch: &Scratch) -> (String, &'static str) {
    let witness = match project.binaries.pg_dump(scratch.major()) {
        Ok(_) => "; pg_dump agrees",
        Err(_) => "; no pg_dump was there to agree",
    };
    (
        format!("on PostgreSQL {}: ", scratch.version_text()),
        witness,
    )
}

/// A refusal: nothing was changed, and these lines say why.
fn refusal(what: &str, lines: &[String]) -> Error {
    let listed: Vec<String> = lines.iter().map(|line| format!("- {line}")).collect();
    Error::new(
        ErrorKind::Input,
        format!("{what}; nothing was changed\n{}", listed.join("\n")),
    )
}
