//! Checks that the migrations still follow each other as they did when they were made.

use std::collections::BTreeMap;
use std::fmt;

use super::lineage::stands_for;
use super::{Lineage, Migration, Proved};
use crate::files::hash::short_hash;

/// A place where the history is not what the headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryProblem {
    /// An `up.sql` was changed after a later migration was made on it.
    Edited {
        /// The folder that was changed.
        name: String,
        /// The folder that was made on what it was before.
        child: String,
    },
    /// An `up.sql` was changed after it was applied to the database.
    EditedSince {
        /// The folder that was changed.
        name: String,
    },
    /// A migration is no longer what was proved.
    EditedSinceProved {
        /// The folder that was changed.
        name: String,
        /// Its version.
        version: String,
        /// The files in it that were changed.
        files: Vec<&'static str>,
    },
    /// A migration was made on one that is not there.
    ParentMissing {
        /// The folder.
        name: String,
        /// The version it was made on.
        parent: String,
    },
    /// Two migrations were made on one: most likely on two branches that knew nothing of each other.
    TwoChildren {
        /// The folder that both were made on; nothing where both are a first one.
        parent: Option<String>,
        /// The folders that were made on it.
        children: Vec<String>,
    },
}

impl fmt::Display for HistoryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { name, child } => {
                write!(f, "{name}/up.sql was edited after {child} was made on it")
            }
            Self::EditedSince { name } => {
                write!(
                    f,
                    "{name}/up.sql was edited after it was applied to the database"
                )
            }
            Self::EditedSinceProved {
                name,
                version,
                files,
            } => {
                write!(
                    f,
                    "{name}: {} {} edited since it was proved: run `trueup prove {version}`",
                    files.join(" and "),
                    if files.len() == 1 { "was" } else { "were" }
                )
            }
            Self::ParentMissing { name, parent } => {
                write!(f, "{name} was made on {parent}, which is not there")
            }
            Self::TwoChildren {
                parent: Some(parent),
                children,
            } => {
                write!(
                    f,
                    "{} were all made on {parent}, without knowing of each other",
                    children.join(" and ")
                )
            }
            Self::TwoChildren {
                parent: None,
                children,
            } => {
                write!(
                    f,
                    "{} were all made as the first migration",
                    children.join(" and ")
                )
            }
        }
    }
}

/// The hash of an `up.sql` that a child's header holds. Line ends do not count, since git changes them.
#[must_use]
pub(super) fn hash_of(up: &str) -> String {
    let text = up
        .strip_prefix('\u{feff}')
        .unwrap_or(up)
        .replace("\r\n", "\n");
    short_hash(text.as_bytes())
}

/// Compares what the headers say with what is there. Migrations without a header say nothing and are no problem.
#[must_use]
pub fn history_problems(migrations: &[Migration]) -> Vec<HistoryProblem> {
    let mut problems = Vec::new();
    let mut children: BTreeMap<Option<&str>, Vec<&Migration>> = BTreeMap::new();
    for migration in migrations {
        let Some(header) = &migration.header else {
            continue;
        };
        if let Proved::Edited(files) = migration.proved() {
            problems.push(HistoryProblem::EditedSinceProved {
                name: migration.name.clone(),
                version: migration.version.clone(),
                files,
            });
        }
        if header.parents.is_empty() && header.says_its_line() {
            children.entry(None).or_default().push(migration);
        }
        for parent in header.parents.iter().chain(&header.after) {
            let Some(found) = stands_for(migrations, parent) else {
                problems.push(HistoryProblem::ParentMissing {
                    name: migration.name.clone(),
                    parent: parent.version.clone(),
                });
                continue;
            };
            if header.says_its_line() {
                children
                    .entry(Some(&found.name))
                    .or_default()
                    .push(migration);
            }
            if !found.is_still(parent) {
                problems.push(HistoryProblem::Edited {
                    name: found.name.clone(),
                    child: migration.name.clone(),
                });
            }
        }
    }
    let lineage = Lineage::of(migrations);
    for (parent, mut children) in children {
        let all = children.clone();
        let apart = |one: &&Migration, other: &&Migration| {
            one.version != other.version && !lineage.are_joined(&one.version, &other.version)
        };
        children.retain(|one| all.iter().any(|other| apart(one, other)));
        if !children.is_empty() {
            problems.push(HistoryProblem::TwoChildren {
                parent: parent.map(str::to_owned),
                children: children.into_iter().map(|one| one.name.clone()).collect(),
            });
        }
    }
    problems
}
