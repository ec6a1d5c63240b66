//! Objects of kinds that no room reads: named, and compared by a hash of their catalog content.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Hashes of the catalog's content about it and its parts; `None` where this session may not read all of it, or trueup
    /// does not know the catalog.
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

/// Prefix of a role's name in [`Unread::says`]; the name follows in hexadecimal.
pub const ROLE: &str = "@";

impl Unread {
    /// Its `says` with the roles as they compare with those of another schema.
    fn said(&self, role: &impl Fn(&str) -> String) -> Option<String> {
        let words = self.says.as_deref()?.split(' ');
        let mut words: Vec<String> = words
            .map(|word| named_role(word).map_or_else(|| word.to_owned(), |name| role(&name)))
            .collect();
        words.sort();
        Some(words.join(" "))
    }

    /// Its name, with the role of a user mapping as it compares with those of another schema.
    fn called(&self, role: &impl Fn(&str) -> String) -> String {
        let rest = self.what.strip_prefix("user mapping ");
        let mut roles = self
            .says
            .iter()
            .flat_map(|says| says.split(' ').filter_map(named_role));
        match (rest, roles.next()) {
            (Some(rest), Some(name)) => match rest.strip_prefix(name.as_str()) {
                Some(rest) => format!("user mapping {}{rest}", role(&name)),
                None => self.what.clone(),
            },
            (_, _) => self.what.clone(),
        }
    }
}

fn named_role(word: &str) -> Option<String> {
    let digits = word.strip_prefix(ROLE)?.as_bytes();
    let bytes = digits.chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

/// Compares two lists, each with the names of its roles as they are compared with those of the other.
pub(super) fn differences<'a>(
    (from, from_role): (&'a [Unread], &impl Fn(&str) -> String),
    (to, to_role): (&'a [Unread], &impl Fn(&str) -> String),
) -> Vec<UnreadDelta<'a>> {
    let mut pairs: BTreeMap<String, [Option<&'a Unread>; 2]> = BTreeMap::new();
    for old in from {
        pairs.entry(old.called(from_role)).or_default()[0] = Some(old);
    }
    for new in to {
        pairs.entry(new.called(to_role)).or_default()[1] = Some(new);
    }
    let deltas = pairs.into_values().filter_map(|pair| match pair {
        [Some(old), Some(new)] => {
            let (was, is) = (old.said(from_role), new.said(to_role));
            (was.is_none() || was != is).then_some(UnreadDelta::Change(old, new))
        }
        [Some(old), None] => Some(UnreadDelta::Remove(old)),
        [None, Some(new)] => Some(UnreadDelta::Create(new)),
        [None, None] => None,
    });
    deltas.collect()
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
        let plain = |role: &str| role.to_owned();
        let found = differences((&one, &plain), (&other, &plain));
        let names: Vec<&str> = found
            .iter()
            .map(|delta| delta.unread().what.as_str())
            .collect();
        assert_eq!(names, ["b", "c", "d"]);
        assert!(found[0].is_unknown() && found[0].is_change());
        assert!(!found[1].is_unknown());
    }

    #[test]
    fn the_role_that_migrates_is_the_same_everywhere() {
        let mapping = |role: &str, hex: &str| {
            let says = format!("1 {ROLE}{hex}");
            unread(&format!("user mapping {role} on server s"), Some(&says))
        };
        let (one, other) = ([mapping("me", "6d65")], [mapping("you", "796f75")]);
        let plain = |role: &str| role.to_owned();
        assert_eq!(differences((&one, &plain), (&other, &plain)).len(), 2);
        let same = |role: &str| {
            if ["me", "you"].contains(&role) {
                "the migrating role".to_owned()
            } else {
                role.to_owned()
            }
        };
        assert!(differences((&one, &same), (&other, &same)).is_empty());
    }
}
