//! Targets of `upgrade`, `downgrade` and `stamp`.

use std::cmp::Reverse;

use super::ApplyError;
use crate::migrations::folder::{Migration, version_of};

/// The target of `upgrade`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpTarget {
    /// All that is pending.
    Head,
    /// So many of the pending ones.
    Plus(usize),
    /// All pending ones up to this one: its name, its version, or the beginning of it.
    Version(String),
}

/// The target of `downgrade`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownTarget {
    /// So many of the applied ones.
    Minus(usize),
    /// All that is applied.
    Base,
    /// All applied ones after this one, which stays.
    Version(String),
}

/// The target of `stamp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StampTarget {
    /// All migrations that are there.
    Head,
    /// None.
    Base,
    /// This one and all before it.
    Version(String),
}

impl UpTarget {
    pub(super) fn choose<'a>(
        &self,
        all: &'a [Migration],
        pending: Vec<&'a Migration>,
    ) -> Result<Vec<&'a Migration>, ApplyError> {
        match self {
            Self::Head => Ok(pending),
            Self::Plus(asked) if *asked > pending.len() => Err(ApplyError::TooFew {
                asked: *asked,
                there: pending.len(),
            }),
            Self::Plus(asked) => Ok(pending.into_iter().take(*asked).collect()),
            Self::Version(version) => {
                let last = find(all, version)?;
                Ok(pending
                    .into_iter()
                    .filter(|migration| migration.version <= last.version)
                    .collect())
            }
        }
    }
}

impl DownTarget {
    pub(super) fn choose<'a>(
        &self,
        all: &[Migration],
        applied: &'a [String],
    ) -> Result<&'a [String], ApplyError> {
        match self {
            Self::Base => Ok(applied),
            Self::Minus(asked) => {
                let first = applied.len().checked_sub(*asked);
                let first = first.ok_or(ApplyError::TooFew {
                    asked: *asked,
                    there: applied.len(),
                })?;
                Ok(&applied[first..])
            }
            Self::Version(version) => {
                let last = find(all, version)?;
                let at = applied.iter().position(|version| *version == last.version);
                let at = at.ok_or_else(|| ApplyError::NotApplied {
                    name: last.name.clone(),
                })?;
                Ok(&applied[at + 1..])
            }
        }
    }
}

impl StampTarget {
    /// The versions to record, and the newest one that may stay recorded.
    pub(super) fn choose<'a>(
        &self,
        all: &'a [Migration],
    ) -> Result<(Vec<&'a String>, Option<&'a String>), ApplyError> {
        let last = match self {
            Self::Head => all.last(),
            Self::Base => None,
            Self::Version(version) => Some(find(all, version)?),
        };
        let Some(last) = last.map(|migration| &migration.version) else {
            return Ok((Vec::new(), None));
        };
        Ok((
            all.iter()
                .map(|migration| &migration.version)
                .filter(|version| *version <= last)
                .collect(),
            Some(last),
        ))
    }
}

/// Finds a migration by its folder's name, its version, or a beginning of it that no other has.
pub fn find<'a>(all: &'a [Migration], version: &str) -> Result<&'a Migration, ApplyError> {
    let wanted = version_of(version);
    let exact = all
        .iter()
        .find(|migration| migration.name == version || migration.version == wanted);
    if let Some(found) = exact {
        return Ok(found);
    }
    let begins =
        |migration: &&Migration| !wanted.is_empty() && migration.version.starts_with(&wanted);
    let found: Vec<_> = all.iter().filter(begins).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(ApplyError::Unknown {
            version: version.to_owned(),
            near: near(all, &wanted),
        }),
        many => {
            let names = many
                .iter()
                .map(|migration| migration.name.clone())
                .collect();
            Err(ApplyError::Ambiguous {
                version: version.to_owned(),
                names,
            })
        }
    }
}

/// The three names that have most in common with what was asked for.
fn near(all: &[Migration], wanted: &str) -> Vec<String> {
    let common = |migration: &&Migration| {
        migration
            .version
            .bytes()
            .zip(wanted.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let mut all: Vec<_> = all.iter().rev().collect();
    all.sort_by_key(|migration| Reverse(common(migration)));
    all.into_iter()
        .take(3)
        .map(|migration| migration.name.clone())
        .collect()
}
