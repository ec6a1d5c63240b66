//! Which migration was made on which, as the headers say.
//!
//! A migration without a header says nothing. It counts as made on the one before it, so that it breaks no line, and it is
//! never taken for the end of a line of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{Migration, Parent};

/// Which migration was made on which.
#[derive(Debug)]
pub struct Lineage<'a> {
    migrations: &'a [Migration],
    /// By version, what the header says; where it names one that was squashed, the one that stands for it.
    said: BTreeMap<&'a str, Vec<&'a str>>,
    /// By version, the one before it, where the header says nothing that is there.
    implied: BTreeMap<&'a str, &'a str>,
}

/// The migrations that lead to one head and to no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch<'a> {
    /// Oldest first.
    pub migrations: Vec<&'a Migration>,
}

impl<'a> Lineage<'a> {
    /// Reads the headers.
    #[must_use]
    pub fn of(migrations: &'a [Migration]) -> Self {
        let mut lineage = Self {
            migrations,
            said: BTreeMap::new(),
            implied: BTreeMap::new(),
        };
        let mut before = None;
        for migration in migrations {
            let version = migration.version.as_str();
            let header = migration.header.as_ref();
            let named = header
                .filter(|header| header.says_its_line())
                .map(|header| &header.parents);
            let there: Vec<&str> = named
                .into_iter()
                .flatten()
                .filter_map(|parent| Some(stands_for(migrations, parent)?.version.as_str()))
                .collect();
            let is_first = named.is_some_and(Vec::is_empty);
            match before {
                Some(before) if there.is_empty() && !is_first => {
                    lineage.implied.insert(version, before);
                }
                Some(_) | None => {
                    lineage.said.insert(version, there);
                }
            }
            before = Some(version);
        }
        lineage
    }

    /// The migrations that no other was made on: more than one where branches know nothing of each other.
    #[must_use]
    pub fn heads(&self) -> Vec<&'a Migration> {
        let made_on: BTreeSet<&str> = self
            .said
            .values()
            .flatten()
            .chain(self.implied.values())
            .copied()
            .collect();
        let newest = self.migrations.last().map(|newest| &newest.version);
        self.migrations
            .iter()
            .filter(|one| !made_on.contains(one.version.as_str()))
            .filter(|one| says_its_line(one) || Some(&one.version) == newest)
            .collect()
    }

    /// The migrations that lead to each head alone. With one head, that is one branch of all that lead to it.
    #[must_use]
    pub fn branches(&self) -> Vec<Branch<'a>> {
        let heads = self.heads();
        let before: Vec<BTreeSet<&str>> = heads
            .iter()
            .map(|head| self.before(&head.version))
            .collect();
        let alone = |at: usize, version: &str| {
            let mut others = before.iter().enumerate();
            before[at].contains(version)
                && !others.any(|(other, line)| other != at && line.contains(version))
        };
        (0..heads.len())
            .map(|at| Branch {
                migrations: self
                    .migrations
                    .iter()
                    .filter(|one| alone(at, &one.version))
                    .collect(),
            })
            .collect()
    }

    /// The migration and all that were made on it, directly or not.
    #[must_use]
    pub fn from(&self, version: &str) -> Vec<&'a Migration> {
        self.migrations
            .iter()
            .filter(|one| self.before(&one.version).contains(version))
            .collect()
    }

    /// The versions that a migration leads back to, and its own.
    #[must_use]
    pub fn before(&self, version: &str) -> BTreeSet<&'a str> {
        self.line(version, |version| self.parents(version))
    }

    /// True if two migrations have diverged and a third one was made on both.
    #[must_use]
    pub fn are_joined(&self, one: &str, other: &str) -> bool {
        let said = |version: &str| {
            self.line(version, |version| {
                self.said.get(version).cloned().unwrap_or_default()
            })
        };
        !said(one).contains(other)
            && !said(other).contains(one)
            && self.migrations.iter().any(|third| {
                let line = said(&third.version);
                line.contains(one) && line.contains(other)
            })
    }

    fn parents(&self, version: &str) -> Vec<&'a str> {
        let said = self.said.get(version).into_iter().flatten();
        said.chain(self.implied.get(version)).copied().collect()
    }

    /// A version and all that it leads back to.
    fn line(&self, version: &str, parents: impl Fn(&str) -> Vec<&'a str>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let start = self.migrations.iter().find(|one| one.version == version);
        let mut open: Vec<&str> = start.into_iter().map(|one| one.version.as_str()).collect();
        while let Some(version) = open.pop() {
            if found.insert(version) {
                open.extend(parents(version));
            }
        }
        found
    }
}

fn says_its_line(migration: &Migration) -> bool {
    let header = migration.header.as_ref();
    header.is_some_and(super::Header::says_its_line)
}

/// The migration of a parent's version, or the one that it was squashed into.
pub(super) fn stands_for<'a>(
    migrations: &'a [Migration],
    parent: &Parent,
) -> Option<&'a Migration> {
    let itself = migrations.iter().find(|one| one.version == parent.version);
    itself.or_else(|| {
        migrations
            .iter()
            .find(|one| one.replaces(&parent.version).is_some())
    })
}
