//! Objects of kinds that no room reads: named, and compared by a hash of all that the catalog says about them.

use std::{cmp::Ordering, collections::BTreeSet, iter::Peekable, slice::Iter};

use serde::{Deserialize, Serialize};

use crate::{Id, Slot};

/// An object in the catalog that no room reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Unread {
    /// The object, in Postgres' words: `function public.touch()`.
    pub what: String,
    /// Its kind, in Postgres' words: `function`.
    #[serde(default)]
    pub kind: String,
    /// The objects that take it along when they are dropped: a trigger's table.
    #[serde(default)]
    pub part_of: BTreeSet<Id>,
    /// The statements that make it, where Postgres prints them; else none.
    #[serde(default)]
    pub definition: Vec<String>,
    /// The objects with a room that it needs.
    pub needs: BTreeSet<Id>,
    /// The objects with a room that need it: a column of a domain.
    #[serde(default)]
    pub needed_by: BTreeSet<Id>,
    /// The names it takes.
    #[serde(default)]
    pub occupies: Vec<Slot>,
    /// Hashes of what the catalog says about it and its parts; `None` where this session may not read all of it, or trueup does
    /// not know the catalog.
    #[serde(default)]
    pub says: Option<String>,
}

/// One unread object that differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnreadDelta<'a> {
    /// Only `to` has it.
    Create(&'a Unread),
    /// Only `from` has it.
    Remove(&'a Unread),
    /// Both have it, and not alike as far as can be told.
    Change(&'a Unread, &'a Unread),
}

impl<'a> UnreadDelta<'a> {
    /// The object.
    #[must_use]
    pub fn unread(self) -> &'a Unread {
        match self {
            Self::Create(unread) | Self::Remove(unread) | Self::Change(unread, _) => unread,
        }
    }

    /// True if both sides have it.
    #[must_use]
    pub fn is_change(self) -> bool {
        matches!(self, Self::Change(..))
    }

    /// True if this session could not read all of it, so that it may be equal.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Change(from, to) if from.says.is_none() || to.says.is_none())
    }
}

/// Compares two lists in the order of [`Unread`].
pub(super) fn differences<'a>(from: &'a [Unread], to: &'a [Unread]) -> Vec<UnreadDelta<'a>> {
    let mut deltas = Vec::new();
    let (mut olds, mut news) = (from.iter().peekable(), to.iter().peekable());
    while let Some(delta) = next(&mut olds, &mut news) {
        match delta {
            UnreadDelta::Change(old, new) if old.says.is_some() && old.says == new.says => {}
            UnreadDelta::Create(_) | UnreadDelta::Remove(_) | UnreadDelta::Change(..) => {
                deltas.push(delta);
            }
        }
    }
    deltas
}

fn next<'a>(
    olds: &mut Peekable<Iter<'a, Unread>>,
    news: &mut Peekable<Iter<'a, Unread>>,
) -> Option<UnreadDelta<'a>> {
    let order = match (olds.peek(), news.peek()) {
        (Some(old), Some(new)) => old.what.cmp(&new.what),
        (Some(_), None) => Ordering::Less,
        (None, _) => Ordering::Greater,
    };
    match order {
        Ordering::Less => olds.next().map(UnreadDelta::Remove),
        Ordering::Greater => news.next().map(UnreadDelta::Create),
        Ordering::Equal => Some(UnreadDelta::Change(olds.next()?, news.next()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(what: &str, says: Option<&str>) -> Unread {
        Unread {
            what: what.to_owned(),
            needs: BTreeSet::new(),
            occupies: Vec::new(),
            says: says.map(str::to_owned),
            ..Unread::default()
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_the_same() {
        let one = [
            unread("a", Some("1")),
            unread("b", None),
            unread("c", Some("1")),
        ];
        let other = [
            unread("a", Some("1")),
            unread("b", None),
            unread("d", Some("1")),
        ];
        let found = differences(&one, &other);
        let names: Vec<&str> = found
            .iter()
            .map(|delta| delta.unread().what.as_str())
            .collect();
        assert_eq!(names, ["b", "c", "d"]);
        assert!(found[0].is_unknown() && found[0].is_change());
        assert!(!found[1].is_unknown());
    }
}
