//! Resolves a model's `renamed_from`, which stays in the model when the rename is done.

use std::collections::BTreeSet;

use trueup::{Entry, Id, Renamed, Schema};

use super::{Stale, Task, asked::near, siblings, turns::Thing};
use crate::Error;

/// The rename that a declaration requests.
pub(super) enum Declared {
    Wanted(Task),
    Stale(Stale),
    Nothing,
}

pub(super) fn depth(renamed: &Renamed) -> usize {
    renamed.id.path().len() + usize::from(renamed.part.is_some())
}

/// The rename that a model's `renamed_from` requests, given the objects in `schema`.
///
/// If both names exist, the old one may be a later object: then it is unmanaged, or the models declare it.
pub(super) fn declared_task(
    renamed: &Renamed,
    schema: &Schema,
    managed: &BTreeSet<Id>,
) -> Result<Declared, Error> {
    let thing = |id: &Id, part: &Option<String>| {
        let entry = schema.entry(id)?;
        let there = part
            .as_ref()
            .is_none_or(|part| entry.parts().contains(part));
        there.then(|| Thing {
            entry: Entry::clone(entry),
            part: part.clone(),
        })
    };
    let old = thing(&renamed.was, &renamed.was_part);
    let new = thing(&renamed.id, &renamed.part);
    let foreign = |old: &Thing| old.entry.clear().is_some() && !managed.contains(&old.entry.id());
    match (old, new) {
        (Some(old), Some(_)) if renamed.old_is_declared || foreign(&old) => {
            Ok(Declared::Stale(stale(renamed)))
        }
        (Some(old), _) => {
            let path = renamed.id.path();
            let name = renamed.part.as_deref().or(path.last().copied());
            let mut task = name.and_then(|name| Task::of(&old, name));
            if let Some(task) = &mut task {
                task.by = renamed.origin.to_string();
                let old_path = renamed.was.path();
                let moves = renamed.part.is_none() && path.len() == 2 && path[0] != old_path[0];
                task.namespace = moves.then(|| path[0].to_owned());
            }
            Ok(task.map_or(Declared::Nothing, Declared::Wanted))
        }
        (None, Some(_)) => Ok(Declared::Stale(stale(renamed))),
        (None, None) => missing(renamed, schema),
    }
}

fn stale(renamed: &Renamed) -> Stale {
    Stale {
        origin: renamed.origin.clone(),
        old: renamed.old(),
    }
}

/// Neither name exists. If their container does not exist either, all of it is new.
fn missing(renamed: &Renamed, schema: &Schema) -> Result<Declared, Error> {
    let path = renamed.was.path();
    let names = match schema.entry(&renamed.was) {
        Some(entry) if renamed.was_part.is_some() => entry.parts().to_vec(),
        None if path.len() > 2 => siblings(&renamed.was, schema),
        Some(_) | None => Vec::new(),
    };
    let old = renamed.was_part.as_deref().or(path.last().copied());
    if names.is_empty() {
        return Ok(Declared::Nothing);
    }
    Err(Error::input(format!(
        "{}: there is no {} to be renamed{}",
        renamed.origin,
        renamed.old(),
        near(old.unwrap_or_default(), &names)
    ))
    .hint("mend renamed_from, or remove it where this is new"))
}
