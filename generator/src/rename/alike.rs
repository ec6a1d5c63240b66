//! Look-alikes: objects that go while a similar one comes, and that may have been renamed.

use std::cmp::Reverse;

use trueup::{Entry, Guidance, Id, Schema};

use super::{
    Task,
    asked::{Refused, spell},
    trying::goes_along,
    turns::Thing,
};
use crate::{
    Error,
    diff::{Delta, diff},
    shell,
    words::likeness,
};

/// Something that goes, and what comes that could be it.
#[derive(Clone, Debug)]
pub struct LookAlike {
    gone: Thing,
    /// The object's spelling on the command line.
    spelled: String,
    /// The candidates, the most similar first.
    come: Vec<Thing>,
}

impl LookAlike {
    /// The object that goes, for people.
    #[must_use]
    pub fn gone(&self) -> String {
        self.gone.to_string()
    }

    /// The names of the candidates, the most similar first.
    #[must_use]
    pub fn choices(&self) -> Vec<String> {
        self.come.iter().map(|come| self.target(come)).collect()
    }

    /// The rename that one of the choices means.
    #[must_use]
    pub fn task(&self, choice: usize) -> Option<Task> {
        let come = self.come.get(choice)?;
        let mut task = Task::of(&self.gone, &come.name())?;
        task.namespace = self.namespace(come);
        task.by = format!("--rename {}={}", self.spelled, self.target(come));
        Some(task)
    }

    /// The namespace of what comes, where it is another.
    fn namespace(&self, come: &Thing) -> Option<String> {
        let (old, new) = (self.gone.path(), come.path());
        let namespace = new.first().filter(|_| new.len() == 2)?;
        (old.first() != Some(namespace)).then(|| namespace.clone())
    }

    fn target(&self, come: &Thing) -> String {
        let namespace = self.namespace(come);
        trueup::name::dotted(namespace.iter().chain([&come.name()]))
    }

    /// The options that confirm and deny the rename.
    fn answers(&self) -> [String; 2] {
        let choices = self.choices();
        let best = choices.first().map_or("", String::as_str);
        [
            format!(
                "--rename {}",
                shell::argument(&format!("{}={best}", self.spelled))
            ),
            format!("--no-rename {}", shell::argument(&self.spelled)),
        ]
    }
}

/// Finds what looks like a rename between the renamed start and the target, and was not said to be none. `from` is the start
/// itself, by whose names people speak.
#[must_use]
pub fn look_alikes(
    from: &Schema,
    renamed: &Schema,
    to: &Schema,
    guidance: &Guidance,
    refused: &[Refused],
) -> Vec<LookAlike> {
    let deltas = diff(renamed, to);
    let created: Vec<&Entry> = deltas
        .iter()
        .filter_map(|(_, delta)| match delta {
            Delta::Create(entry) => Some(*entry),
            Delta::Remove(_) | Delta::Change { .. } => None,
        })
        .collect();
    let mut found = Vec::new();
    let candidates = deltas.iter().flat_map(|(id, delta)| match delta {
        Delta::Create(_) => Vec::new(),
        Delta::Remove(gone) => vec![(Thing::whole(gone), alike(gone, &created, renamed, to))],
        Delta::Change { from, to } => {
            let gone = parts(from, to).into_iter();
            gone.filter(|(gone, _)| {
                gone.part
                    .as_ref()
                    .is_none_or(|part| !guidance.replaces(id, part))
            })
            .collect()
        }
    });
    for (gone, come) in candidates {
        let before = as_it_was(&gone, from);
        let is_none = refused.iter().any(|refused| refused.is_about(&before));
        if !come.is_empty() && !is_none {
            found.push(LookAlike {
                spelled: spell(&before, from),
                gone,
                come,
            });
        }
    }
    found
}

/// New objects under the same parent that resemble the one that goes.
fn alike(gone: &Entry, created: &[&Entry], renamed: &Schema, to: &Schema) -> Vec<Thing> {
    let parent = gone.parent();
    if goes_along(gone, renamed) {
        return Vec::new();
    }
    let stays = |parent: &Id| renamed.entry(parent).is_some() && to.entry(parent).is_some();
    if gone.rename("x").is_none() || !parent.as_ref().is_none_or(stays) {
        return Vec::new();
    }
    let mut alike: Vec<&Entry> = created
        .iter()
        .copied()
        .filter(|come| {
            come.id().kind() == gone.id().kind()
                && come.parent() == parent
                && gone.resembles(renamed, come, to)
        })
        .collect();
    let name = |entry: &Entry| Thing::whole(entry).name();
    let (gone_place, gone_name) = (place(gone, renamed), name(gone));
    alike.sort_by_cached_key(|come| {
        let elsewhere = place(come, to) != gone_place;
        (
            elsewhere,
            Reverse(likeness(&gone_name, &name(come))),
            come.id(),
        )
    });
    alike.into_iter().map(Thing::whole).collect()
}

/// The position of an object among its siblings.
fn place(entry: &Entry, schema: &Schema) -> usize {
    let kind = entry.id().kind();
    let parent = entry.parent();
    let siblings = parent.iter().flat_map(|parent| schema.children(parent));
    let before = siblings.filter(|id| {
        let sibling = schema.entry(id).filter(|_| id.kind() == kind);
        sibling.is_some_and(|sibling| sibling.position() < entry.position())
    });
    before.count()
}

/// The parts that go, each with those that come: the one at its place first, then the most alike.
fn parts(from: &Entry, to: &Entry) -> Vec<(Thing, Vec<Thing>)> {
    let only = |of: &Entry, other: &Entry| -> Vec<(usize, String)> {
        let all = of.parts().iter().cloned().enumerate();
        all.filter(|(_, part)| !other.parts().contains(part))
            .collect()
    };
    let part = |entry: &Entry, part: &str| Thing {
        entry: entry.clone(),
        part: Some(part.to_owned()),
    };
    let come = only(to, from);
    let gone = only(from, to).into_iter();
    gone.map(|(place, gone)| {
        let mut come: Vec<&(usize, String)> = come.iter().collect();
        come.sort_by_cached_key(|(other, name)| {
            (*other != place, Reverse(likeness(&gone, name)), *other)
        });
        let come = come.into_iter().map(|(_, name)| part(to, name));
        (part(from, &gone), come.collect())
    })
    .collect()
}

/// The thing as it was before anything was renamed.
fn as_it_was(thing: &Thing, from: &Schema) -> Thing {
    let address = thing.entry.address();
    let ids = from.by_address();
    let id = address.and_then(|address| ids.get(&address).copied());
    let entry = id.and_then(|id| from.entry(id));
    entry.map_or_else(
        || thing.clone(),
        |entry| Thing {
            entry: Entry::clone(entry),
            part: thing.part.clone(),
        },
    )
}

/// The error if nobody can be asked.
#[must_use]
pub fn refuse(look_alikes: &[LookAlike]) -> Error {
    let lines: Vec<String> = look_alikes
        .iter()
        .map(|look_alike| {
            let choices = look_alike.choices();
            format!(
                "{} goes, and {} comes",
                look_alike.gone(),
                choices.join(" or ")
            )
        })
        .collect();
    let mut error = Error::input(format!(
        "this looks like a rename; nothing was written\n{}",
        lines.join("\n")
    ));
    for look_alike in look_alikes {
        let [rename, no_rename] = look_alike.answers();
        error = error.hint(format!("where it is one: {rename}"));
        error = error.hint(format!(
            "where it is none, and the old goes with all that is in it: {no_rename}"
        ));
    }
    error
}
