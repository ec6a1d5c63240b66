//! Migrations that are there already become others: moved, joined, squashed. Each is proved again before a file changes.

mod merge;
mod rebase;
mod squash;
mod touch;

pub use merge::{Merged, merge};
pub use rebase::{Rebased, rebase};
pub use squash::{How, Squashed, squash};
pub use touch::Shared;

use trueup::Schema;

use crate::{
    Error, ErrorKind, Project,
    diff::{Delta, diff},
    scratch::Scratch,
    source::Side,
    witness,
};

/// What differs between two databases on the scratch, as we read them and as `pg_dump` sees them: at most five lines.
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
        let dumps = [one, other].map(|side| witness::dump(&pg_dump, &side.url));
        let [one, other] = dumps;
        found = match witness::agree(&one?, &other?) {
            Ok(()) => Vec::new(),
            Err(differences) => differences.iter().map(ToString::to_string).collect(),
        };
    }
    found.truncate(5);
    Ok(found)
}

fn words(one: &Schema, other: &Schema) -> Vec<String> {
    let word = |delta: Delta<'_>| match delta {
        Delta::Create(_) => "is missing",
        Delta::Remove(_) => "should not be there",
        Delta::Change { .. } => "is different",
    };
    diff(one, other)
        .into_iter()
        .map(|(id, delta)| format!("{id} {}", word(delta)))
        .collect()
}

/// How a proof on this scratch begins, and whether `pg_dump` was there.
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
