//! Compares the few models that changed since all agreed, on a database that holds what they are about and no more.
//!
//! Invariant: what it says is what a comparison of all models would say. Whatever could make the two differ is found by what
//! the schemas hold, and then nothing is said.

use std::collections::BTreeSet;

use trueup::{Declarations, Entry, Id, Schema, Slot};

use crate::{
    Error, Project,
    diff::{Delta, diff},
    postgres::scratch::{Locale, Scratch},
    prove::agreement::Changed,
    source::{
        self, Side,
        models::{belongs, settle},
    },
};

/// The maximum number of models to compare apart: with more, comparing all takes no more time.
const FEW: usize = 50;

/// The result of comparing some models.
enum Outcome {
    /// The migrations' schema of them, and the schema that they want in its place.
    Told(Box<(Side, Side)>),
    /// Others are concerned, and are to be compared as well.
    Concerns(BTreeSet<Id>),
    /// Only a comparison of everything can tell.
    Unclear,
}

/// The part of the migrations that the changed models are about, and what those want in its place; `None` where only a
/// comparison of everything can tell. `known` is what the migrations make and the models wanted.
pub(super) fn compare(
    project: &Project,
    scratch: &Scratch,
    known: &Schema,
    declarations: &Declarations,
    changed: Changed,
) -> Result<Option<(Side, Side)>, Error> {
    let Changed { mut of, mut named } = changed;
    // An expression may call an unread object, which cannot be recreated.
    while known.unread().is_empty() && of.len() <= FEW {
        let changed = declarations.only(|id| of.contains(id));
        named.extend(changed.ids().chain(&of).cloned());
        match attempt(project, scratch, known, &changed, &named)? {
            Outcome::Told(sides) => return Ok(Some(*sides)),
            Outcome::Unclear => return Ok(None),
            Outcome::Concerns(others) => {
                let before = of.len();
                let declaring = declarations.iter().filter(|declaration| {
                    declaration
                        .id
                        .as_ref()
                        .is_some_and(|id| others.contains(id))
                });
                of.extend(declaring.map(|declaration| declaration.of.clone()));
                if of.len() == before {
                    return Ok(None);
                }
            }
        }
    }
    Ok(None)
}

fn attempt(
    project: &Project,
    scratch: &Scratch,
    known: &Schema,
    changed: &Declarations,
    tops: &BTreeSet<Id>,
) -> Result<Outcome, Error> {
    let mine = |id: &Id| belongs(id, known, tops);
    let about = surroundings(known, changed, mine);
    let part = known.only(|id| about.contains(id));
    let database = scratch.create(&Locale::default())?;
    source::render(&database, &part)?;
    let base = source::side(database)?;
    let is_otherwise = |(id, delta): &(&Id, Delta<'_>)| match delta {
        Delta::Create(_) | Delta::Remove(_) => true,
        // An expression of a surrounding object may print differently when it is read again.
        Delta::Change { .. } => mine(id),
    };
    if diff(&part, &base.schema).iter().any(is_otherwise) {
        return Ok(Outcome::Unclear);
    }
    let settled = settle(project, &base, changed, tops, None)?;
    let (base, wanted) = source::alike(project, base, settled.side)?;
    let mut others = BTreeSet::new();
    for (id, delta) in diff(&base.schema, &wanted.schema) {
        match delta {
            Delta::Create(entry) if takes_names(entry, known, &about) => {
                return Ok(Outcome::Unclear);
            }
            Delta::Create(_) => {}
            Delta::Remove(_) | Delta::Change { .. } => {
                let concerned = std::iter::once(id).chain(known.needed_by(id));
                others.extend(
                    concerned
                        .filter(|id| !mine(id))
                        .filter_map(|id| known.line(id).last()),
                );
            }
        }
    }
    Ok(if others.is_empty() {
        Outcome::Told(Box::new((base, wanted)))
    } else {
        Outcome::Concerns(others)
    })
}

/// The objects that the few declare, what those need and what the few mention, with all parts of that which need nothing
/// else; and everything that does without data, such as types.
fn surroundings(
    known: &Schema,
    changed: &Declarations,
    mine: impl Fn(&Id) -> bool,
) -> BTreeSet<Id> {
    let mut about: BTreeSet<Id> = BTreeSet::new();
    for (id, entry) in known.entries() {
        if mine(id) {
            about.extend(all_needs(known, id));
        } else if entry.parent().is_none() {
            let needs = all_needs(known, id);
            let holds_data = |id| known.entry(id).is_some_and(|entry| entry.holds_data());
            if !needs.iter().any(holds_data) {
                about.extend(needs);
            }
        }
    }
    for mentioned in changed
        .iter()
        .filter_map(|declaration| declaration.mentions.as_ref())
    {
        if known.entry(mentioned).is_some() {
            about.extend(all_needs(known, mentioned));
        }
    }
    loop {
        let more: Vec<Id> = known
            .entries()
            .filter(|(id, _)| {
                !about.contains(*id)
                    && known
                        .line(id)
                        .nth(1)
                        .is_some_and(|above| about.contains(&above))
                    && known.needs(id).all(|need| about.contains(need))
            })
            .map(|(id, _)| id.clone())
            .collect();
        if more.is_empty() {
            return about;
        }
        about.extend(more);
    }
}

/// The object and all that it needs.
fn all_needs(within: &Schema, id: &Id) -> BTreeSet<Id> {
    let mut found = BTreeSet::from([id.clone()]);
    let mut left = vec![id.clone()];
    while let Some(id) = left.pop() {
        for need in within.needs(&id) {
            if found.insert(need.clone()) {
                left.push(need.clone());
            }
        }
    }
    found
}

/// True if a new object takes the name of one that was left out. In the same namespace that is impossible; in another one, the
/// name may resolve differently for others.
fn takes_names(entry: &Entry, known: &Schema, about: &BTreeSet<Id>) -> bool {
    let bare = |slot| match slot {
        Slot::Relation(name) | Slot::Type(name) => Some(name.name),
        // Unique on one relation alone.
        Slot::Constraint(_) => None,
    };
    let names: BTreeSet<String> = entry.occupies().into_iter().filter_map(bare).collect();
    let mut others = known.entries().filter(|(id, _)| !about.contains(*id));
    others.any(|(_, other)| {
        let mut taken = other.occupies().into_iter().filter_map(bare);
        taken.any(|name| names.contains(&name))
    })
}
