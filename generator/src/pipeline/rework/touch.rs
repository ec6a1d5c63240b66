//! Objects that migrations change, seen on the scratch: the differences after each of them.

use std::collections::BTreeSet;

use serde::Serialize;
use trueup::Id;

use crate::{
    Error,
    diff::{Delta, diff},
    migrations::{apply, folder::Migration},
    postgres::scratch::Scratch,
    source::{self, Side},
};

/// An object that two migrations change, neither of which knows of the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// The object, as in `column public.users.email`.
    pub object: String,
    /// The folders' names.
    pub migrations: [String; 2],
}

impl std::fmt::Display for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            object,
            migrations: [one, other],
        } = self;
        write!(f, "{object} is changed by {one} and by {other}")
    }
}

/// The objects that one migration changes.
pub(super) struct Touched {
    name: String,
    ids: BTreeSet<Id>,
    /// Those that go.
    gone: BTreeSet<Id>,
    /// Parents of those that come or change.
    parents: BTreeSet<Id>,
}

/// Runs migrations one after the other on a copy of `start`, which is on the scratch.
pub(super) fn touched(
    scratch: &Scratch,
    start: &Side,
    migrations: &[Migration],
) -> Result<Vec<Touched>, Error> {
    let mut side = copy(scratch, start)?;
    let mut all = Vec::new();
    for migration in migrations {
        let next = after(scratch, &side, std::slice::from_ref(migration))?;
        let mut touched = Touched {
            name: migration.name.clone(),
            ids: BTreeSet::new(),
            gone: BTreeSet::new(),
            parents: BTreeSet::new(),
        };
        for (id, delta) in diff(&side.schema, &next.schema) {
            touched.ids.insert(id.clone());
            match delta {
                Delta::Remove(_) => {
                    touched.gone.insert(id.clone());
                }
                Delta::Create(entry) | Delta::Change { to: entry, .. } => {
                    touched.parents.extend(entry.parent());
                }
            }
        }
        all.push(touched);
        side = next;
    }
    Ok(all)
}

/// Objects that both change, or that one removes while the other changes their parts.
pub(super) fn shared(ours: &[Touched], theirs: &[Touched]) -> Vec<Shared> {
    let mut found = Vec::new();
    for one in ours {
        for other in theirs {
            let both = one.ids.intersection(&other.ids);
            let under = one.parents.intersection(&other.gone);
            let over = one.gone.intersection(&other.parents);
            let ids: BTreeSet<&Id> = both.chain(under).chain(over).collect();
            found.extend(ids.into_iter().map(|id| Shared {
                object: id.to_string(),
                migrations: [one.name.clone(), other.name.clone()],
            }));
        }
    }
    found
}

/// A copy of a database on the scratch.
pub(super) fn copy(scratch: &Scratch, side: &Side) -> Result<Side, Error> {
    after(scratch, side, &[])
}

/// A copy of a database on the scratch, after migrations ran on it.
pub(super) fn after(
    scratch: &Scratch,
    side: &Side,
    migrations: &[Migration],
) -> Result<Side, Error> {
    let database = copied(scratch, side)?;
    apply::replay(&database, migrations)?;
    source::side(database)
}

/// A copy of a database on the scratch, after migrations were taken back on it.
pub(super) fn before(
    scratch: &Scratch,
    side: &Side,
    migrations: &[Migration],
) -> Result<Side, Error> {
    let database = copied(scratch, side)?;
    apply::replay_back(&database, migrations)?;
    source::side(database)
}

/// A copy of a database on the scratch that was not read.
pub(super) fn copied(
    scratch: &Scratch,
    side: &Side,
) -> Result<crate::postgres::scratch::Database, Error> {
    match &side.scratch {
        Some(database) => Ok(scratch.copy(database)?),
        None => Err(Error::new(
            crate::ErrorKind::Defect,
            "only what is on the scratch can be copied",
        )),
    }
}
