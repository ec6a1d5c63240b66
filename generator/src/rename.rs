//! Renames: what was declared, asked for or answered becomes statements that run before everything else.
//!
//! Renames change the text that Postgres prints of checks, indexes and views. So nothing is rewritten here: they are done
//! on a copy of the start, which is read back, and the plan begins from there.
//!
//! Architecture invariant: names no kind. The rooms tell which objects can be renamed and moved, and whose names follow others.

mod alike;
mod asked;
mod declared;
mod trying;
mod turns;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Debug, Display, Formatter},
};

use serde::Serialize;
use trueup::{Address, Declarations, Entry, Id, Origin, Schema, Statement};

pub use alike::{LookAlike, look_alikes, refuse};
pub use asked::{Asked, Refused};

use crate::{
    Error, ErrorKind, Project,
    diff::{Delta, diff},
    pipeline::autogen::{Unfilled, Value},
    source::Side,
};
use asked::near;
use declared::{Declared, declared_task, depth};
use trying::{Trying, goes_along};
use turns::{Taken, Thing};

/// The statements of renames, in order, and those that undo them, in theirs.
#[derive(Clone, Default, Debug)]
pub struct Renaming {
    /// The way there.
    pub up: Vec<Statement>,
    /// The way back.
    pub down: Vec<Statement>,
}

impl Renaming {
    /// True if nothing is renamed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.up.is_empty()
    }
}

/// One thing that is to have another name, or another namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    address: Address,
    part: Option<String>,
    /// Its depth: containers are renamed first.
    level: usize,
    namespace: Option<String>,
    name: String,
    /// The origin of the request, for people.
    by: String,
}

/// Somebody who can be asked.
pub trait Ask: Debug {
    /// Which of the choices it was, or none.
    fn which(&self, look_alike: &LookAlike) -> Result<Option<usize>, Error>;

    /// What becomes of rows without a value for a column that requires one.
    fn value(&self, unfilled: &Unfilled) -> Result<Value, Error>;
}

/// The result of all renames.
#[derive(Debug, Default)]
pub struct Renames {
    /// The statements.
    pub renaming: Renaming,
    /// The start as it is after them; `None` where nothing is renamed.
    pub side: Option<Side>,
    /// The renames in words.
    pub told: Vec<Told>,
    /// Each `renamed_from` that is done already.
    pub stale: Vec<Stale>,
}

impl Renames {
    /// The side that comparisons begin from.
    #[must_use]
    pub fn base<'a>(&'a self, from: &'a Side) -> &'a Side {
        self.side.as_ref().unwrap_or(from)
    }
}

/// One thing that was renamed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The object under its old name.
    pub object: String,
    /// Its new name.
    pub to: String,
}

/// A `renamed_from` that has nothing to do any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stale {
    /// Its place in the source.
    pub origin: Origin,
    /// The old name.
    pub old: String,
}

impl Display for Stale {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { origin, old } = self;
        write!(
            f,
            "{origin}: renamed_from can be removed: {old} has its new name already"
        )
    }
}

/// Renames on a copy of `from` what was asked for and what models declare, and what Postgres would then call otherwise.
/// `managed` are the top-level objects that models declared before.
pub fn rename(
    project: &Project,
    from: &Side,
    asked: &[Task],
    declarations: Option<&Declarations>,
    managed: &BTreeSet<Id>,
) -> Result<Renames, Error> {
    let declared = declarations.map_or(&[][..], Declarations::renamed);
    let named: BTreeSet<&Id> = declarations.iter().flat_map(|all| all.named()).collect();
    let mut trying = Trying::new(project, from);
    let (mut told, mut stale) = (Vec::new(), Vec::new());
    for level in 1..=DEEPEST {
        let mut tasks: Vec<Task> = Vec::new();
        for renamed in declared.iter().filter(|renamed| depth(renamed) == level) {
            match declared_task(renamed, trying.schema(), managed)? {
                Declared::Wanted(task) => tasks.push(task),
                Declared::Stale(old) => stale.push(old),
                Declared::Nothing => {}
            }
        }
        tasks.extend(asked.iter().filter(|task| task.level == level).cloned());
        let tasks = without_conflicts(trying.schema(), tasks)?;
        told.extend(tasks.iter().filter_map(|task| task.told(trying.schema())));
        trying.moves(&tasks)?;
        trying.renames(&tasks, &Taken::ByAnybody)?;
    }
    // With models on the other side, auto-generated names follow the renames, except names that a model gives explicitly.
    if declarations.is_some() {
        trying.follow(&named)?;
    }
    let (side, renaming) = trying.finish();
    Ok(Renames {
        renaming,
        side,
        told,
        stale,
    })
}

/// A label of a type in a namespace; a column of a table in one.
const DEEPEST: usize = 3;

/// Does the renames on a copy of a start, and then those of what differs from `to` by its name alone. `None` where there is
/// nothing of either.
pub fn aligned(
    project: &Project,
    from: &Side,
    renaming: &Renaming,
    to: &Schema,
) -> Result<Option<(Side, Renaming)>, Error> {
    let mut trying = Trying::new(project, from);
    trying.repeat(renaming)?;
    // An object that refers to another by name equals its counterpart only after that one is renamed.
    loop {
        let before = trying.done();
        let (tasks, gone) = same_but_for_names(trying.schema(), to);
        match trying.renames(&tasks, &Taken::ByWhatGoes(gone)) {
            // The constraints that Postgres itself makes for partitions have names too: what cannot get its name while they
            // are there is made anew.
            Err(error) if error.kind() == ErrorKind::Input => break,
            done => done?,
        }
        if trying.done() == before {
            break;
        }
    }
    let (side, renaming) = trying.finish();
    Ok(side.map(|side| (side, renaming)))
}

/// True if something differs by its name alone.
#[must_use]
pub fn differ_by_names(from: &Schema, to: &Schema) -> bool {
    !same_but_for_names(from, to).0.is_empty()
}

/// Objects that `to` has under another name that Postgres could have chosen, as renames; and the objects that go. If several
/// are equal, each takes the next.
fn same_but_for_names(from: &Schema, to: &Schema) -> (Vec<Task>, BTreeSet<Id>) {
    let (mut olds, mut news): (Vec<&Entry>, Vec<&Entry>) = (Vec::new(), Vec::new());
    let mut gone = BTreeSet::new();
    for (id, delta) in diff(from, to) {
        let (old, new) = match delta {
            Delta::Remove(old) => {
                gone.insert(id.clone());
                (Some(old), None)
            }
            Delta::Create(new) => (None, Some(new)),
            // Two that have each other's names look like two that change.
            Delta::Change { from, to } => (Some(from), Some(to)),
        };
        olds.extend(old.filter(|old| old.naming(from).is_some() && !goes_along(old, from)));
        news.extend(new.filter(|new| new.naming(to).is_some()));
    }
    let mut tasks = Vec::new();
    for new in news {
        let equal = |old: &&Entry| new.same_but_for_name(to, old, from);
        if let Some(place) = olds.iter().position(equal)
            && let Some((_, name)) = new.naming(to)
        {
            tasks.extend(Task::of(&Thing::whole(olds.remove(place)), &name));
        }
    }
    (tasks, gone)
}

/// The ids of a schema as they are after renames.
#[must_use]
pub fn ids_after(ids: &BTreeSet<Id>, from: &Schema, renamed: &Schema) -> BTreeSet<Id> {
    let after = moved(from, renamed);
    ids.iter()
        .map(|id| after.get(id).unwrap_or(id).clone())
        .collect()
}

/// Objects whose id renames have changed: old id to new.
#[must_use]
pub fn moved(from: &Schema, renamed: &Schema) -> BTreeMap<Id, Id> {
    let after = renamed.by_address();
    let pairs = from.by_address().into_iter().filter_map(|(address, id)| {
        let now = *after.get(&address)?;
        (now != id).then(|| (id.clone(), now.clone()))
    });
    pairs.collect()
}

/// Objects that were renamed to free their name for a new one, and that no model declares by their new name.
#[must_use]
pub fn set_aside(
    tasks: &[Task],
    from: &Schema,
    renamed: &Schema,
    declarations: &Declarations,
) -> BTreeSet<Id> {
    let declared: BTreeSet<&Id> = declarations.ids().collect();
    let (old, new) = (from.by_address(), renamed.by_address());
    let whole = tasks.iter().filter(|task| task.part.is_none());
    let aside = whole.filter_map(|task| {
        let (old, new) = (old.get(&task.address)?, new.get(&task.address)?);
        let is_aside = declared.contains(old) && !declared.contains(new);
        is_aside.then(|| Id::clone(new))
    });
    let mut aside = with_heirs(aside.collect(), renamed);
    aside.retain(|id| !declared.contains(id));
    aside
}

/// These, and what inherits from them, at every depth.
#[must_use]
pub fn with_heirs(mut these: BTreeSet<Id>, within: &Schema) -> BTreeSet<Id> {
    loop {
        let ties = within.entries().map(|(_, entry)| entry);
        let ties = ties.filter(|entry| entry.ties().iter().any(|id| these.contains(id)));
        let of: BTreeSet<Id> = ties.filter_map(|entry| entry.parent()).collect();
        if of.is_subset(&these) {
            return these;
        }
        these.extend(of);
    }
}

/// Fails if a requested rename leads to a name that the other side does not have.
pub fn refuse_unmet(
    tasks: &[Task],
    renamed: &Schema,
    to: &Schema,
    other_side: &str,
) -> Result<(), Error> {
    let ids = renamed.by_address();
    for task in tasks {
        let Some(id) = ids.get(&task.address) else {
            continue;
        };
        let there = to.entry(id);
        let met = match (&task.part, there) {
            (Some(_), Some(entry)) => entry.parts().contains(&task.name),
            (None, Some(_)) => true,
            (Some(_) | None, None) => false,
        };
        if !met {
            let what = match &task.part {
                Some(_) => format!("{} {:?} of {id}", id.kind().part(), task.name),
                None => id.to_string(),
            };
            let names = match (&task.part, there) {
                (Some(_), Some(entry)) => entry.parts().to_vec(),
                (None | Some(_), _) => siblings(id, to),
            };
            return Err(Error::input(format!(
                "{}: there is no {what} in {other_side}{}",
                task.by,
                near(&task.name, &names)
            )));
        }
    }
    Ok(())
}

impl Task {
    fn of(thing: &Thing, name: &str) -> Option<Self> {
        Some(Self {
            address: thing.entry.address()?,
            part: thing.part.clone(),
            level: thing.path().len(),
            namespace: None,
            name: name.to_owned(),
            by: String::new(),
        })
    }

    /// The thing as it is now.
    fn thing(&self, schema: &Schema, ids: &BTreeMap<Address, &Id>) -> Option<Thing> {
        let entry = schema.entry(ids.get(&self.address)?)?;
        Some(Thing {
            entry: Entry::clone(entry),
            part: self.part.clone(),
        })
    }

    fn told(&self, schema: &Schema) -> Option<Told> {
        let thing = self.thing(schema, &schema.by_address())?;
        Some(Told {
            object: thing.to_string(),
            to: trueup::name::dotted(self.namespace.iter().chain([&self.name])),
        })
    }
}

/// The names of what is of the same kind and in the same place.
fn siblings(id: &Id, schema: &Schema) -> Vec<String> {
    let path = id.path();
    let Some((_, place)) = path.split_last() else {
        return Vec::new();
    };
    let same = schema.entries().filter(|(other, _)| {
        let other_path = other.path();
        let other_place = other_path.split_last().map(|(_, place)| place);
        other.kind() == id.kind() && other_place == Some(place)
    });
    same.filter_map(|(other, _)| Some((*other.path().last()?).to_owned()))
        .collect()
}

/// Refuses what contradicts itself, and takes what is said twice once.
fn without_conflicts(schema: &Schema, tasks: Vec<Task>) -> Result<Vec<Task>, Error> {
    let ids = schema.by_address();
    let mut kept: Vec<(Task, Vec<String>)> = Vec::new();
    for task in tasks {
        let Some(thing) = task.thing(schema, &ids) else {
            continue;
        };
        let mut target = thing.path();
        target.pop();
        if let (Some(namespace), [first, ..]) = (&task.namespace, target.as_mut_slice()) {
            first.clone_from(namespace);
        }
        target.push(task.name.clone());
        let already = target == thing.path();
        let said = kept
            .iter()
            .find(|(other, _)| other.address == task.address && other.part == task.part);
        if let Some((other, other_target)) = said {
            if *other_target != target {
                return Err(Error::input(format!(
                    "{thing} cannot have two new names: {} and {}",
                    other.by, task.by
                )));
            }
            continue;
        }
        if already {
            return Err(Error::input(format!(
                "{}: {thing} has that name already",
                task.by
            )));
        }
        let onto = kept.iter().find(|(other, other_target)| {
            let other_thing = other.thing(schema, &ids);
            let same_kind = other_thing.is_some_and(|other| other.kind() == thing.kind());
            same_kind && *other_target == target
        });
        if let Some((other, _)) = onto {
            return Err(Error::input(format!(
                "two things cannot both become {}: {} and {}",
                trueup::name::dotted(&target),
                other.by,
                task.by
            )));
        }
        kept.push((task, target));
    }
    Ok(kept.into_iter().map(|(task, _)| task).collect())
}
