//! The migrations directory: what is in it, in the order and with the meaning that Diesel gives it, and writing to it.
//!
//! Stricter than Diesel where Diesel is silent: two folders of one version, and metadata that does not parse, are errors.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files;

mod change;
mod header;
mod history;
mod lineage;
mod prove;
mod seal;
mod version;
mod write;

pub use change::{Folder, change, hold_writing};
pub use header::{Header, KnownBy, Parent};
pub(crate) use header::{NO_PROOF, UNWRITTEN, UNWRITTEN_STATE};
pub use history::{HistoryProblem, history_problems};
pub use lineage::{Branch, Lineage};
pub use prove::{Reheaded, proved_header, rehead};
pub use seal::{Proved, Seal};
pub use version::{new_version, slug};
pub use write::{NewMigration, replace, write};

/// One folder of the migrations directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The version, as Diesel records it: the folder's name up to the first `_`, without dashes.
    pub version: String,
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// The text of `up.sql`.
    pub up: String,
    /// The text of `down.sql`, where there is one.
    pub down: Option<String>,
    /// True if Diesel runs it inside a transaction.
    pub run_in_transaction: bool,
    /// Our header at the top of `up.sql`, where there is one.
    pub header: Option<Header>,
}

/// An error in a migrations directory, or while writing to it.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// No such directory.
    #[error("there is no migrations directory {}", dir.display())]
    NoDirectory {
        /// The path that was looked for.
        dir: PathBuf,
    },
    /// A file or folder that could not be read or written.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A link to what is not there, or to itself.
    #[error("{} is a link that leads nowhere: {source}", path.display())]
    Link {
        /// Which one.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A folder that is no migration.
    #[error("{} has no up.sql; Diesel refuses the whole directory for that", dir.display())]
    NoUp {
        /// The folder.
        dir: PathBuf,
    },
    /// A name or a file that is no UTF-8.
    #[error("{} is not UTF-8", path.display())]
    NotUtf8 {
        /// Which one.
        path: PathBuf,
    },
    /// Diesel would silently take its default.
    #[error("{} does not parse: {message}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        message: String,
    },
    /// Diesel would silently leave one of them out.
    #[error("{first} and {second} have one version, {version}")]
    Duplicate {
        /// The version.
        version: String,
        /// The one folder.
        first: String,
        /// The other one.
        second: String,
    },
    /// The plan left by a killed command is not in our format.
    #[error("{} does not parse: {message}", path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
        /// The fault.
        message: String,
    },
    /// It names what no command of ours changes.
    #[error("{} names {name:?}, which is {why}; nothing was changed", path.display())]
    Strays {
        /// The file.
        path: PathBuf,
        /// The name in the plan.
        name: String,
        /// The reason that no command of ours may change it.
        why: &'static str,
    },
    /// Somebody wrote or removed migrations since what is to be written was drafted.
    #[error("{} came or went while this was being drafted; nothing was written", names.join(", "))]
    Meanwhile {
        /// The folders that came, and the versions that went.
        names: Vec<String>,
    },
    /// Somebody edited migrations since they were read to be proved.
    #[error("{} changed while this was being proved; nothing was written", names.join(", "))]
    Edited {
        /// The folders.
        names: Vec<String>,
    },
    /// A message of which no folder name can be made.
    #[error("the message {message:?} has no letter or digit to name a folder after")]
    Message {
        /// The message.
        message: String,
    },
    /// Our parser does not take it for SQL, or it has no statement.
    #[error("a migration without a statement: Diesel refuses to run {what}")]
    Empty {
        /// Which file.
        what: &'static str,
    },
}

impl MigrationError {
    /// The advice for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoDirectory { .. } => {
                Some("name it with --migrations, or make the first migration with autogen")
            }
            Self::Link { .. } => Some("mend it or remove it"),
            Self::NoUp { .. } => Some("add the file or remove the folder"),
            Self::Metadata { .. } => Some("it should say run_in_transaction = true or false"),
            Self::Duplicate { .. } => {
                Some("rename one of the folders, unless it is applied somewhere already")
            }
            Self::Edited { .. } => Some("run it again: it will prove what is there then"),
            Self::Meanwhile { .. } => Some("run it again: it will take them into account"),
            Self::Message { .. } => Some("say in a few words what changes"),
            Self::Empty { .. } => Some("SELECT 1; is a statement that does nothing"),
            Self::Interrupted { .. } => Some(
                "a command was killed while it changed several folders: compare them with your version control, and \
                 remove that file",
            ),
            Self::Strays { .. } => Some(
                "where you wrote no such file yourself, it came with the checkout: remove it; a link among the migrations \
                 is to be replaced by the folder itself",
            ),
            Self::Io { source, .. } => {
                let kind = source.kind();
                let hints = [
                    (
                        is_full(kind),
                        "make room on that disk, and run it again: nothing half-written is left",
                    ),
                    (
                        kind == io::ErrorKind::ReadOnlyFilesystem,
                        "nothing can be written there; --dry-run prints what would be",
                    ),
                    (
                        kind == io::ErrorKind::InvalidInput,
                        "a migration's files are files of text: put one there, or take the folder out",
                    ),
                    (
                        kind == io::ErrorKind::PermissionDenied,
                        "see who owns it and who may use it",
                    ),
                ];
                let found = hints.into_iter().find(|(is_it, _)| *is_it);
                found.map(|(_, hint)| hint)
            }
            Self::NotUtf8 { .. } => Some("save it as UTF-8, or give it a name that is"),
        }
    }

    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| {
            if source.kind() == io::ErrorKind::InvalidData {
                Self::NotUtf8 { path }
            } else {
                Self::Io { path, source }
            }
        }
    }
}

/// True if the error means that the disk or the quota is full.
pub(crate) fn is_full(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

#[derive(Deserialize)]
struct Metadata {
    /// Diesel's default, for a file that leaves it out; without a file it is true.
    #[serde(default)]
    run_in_transaction: bool,
}

/// Reads a migrations directory, in the order in which Diesel runs it.
pub fn read(dir: &Path) -> Result<Vec<Migration>, MigrationError> {
    if !dir.is_dir() {
        return Err(MigrationError::NoDirectory {
            dir: dir.to_owned(),
        });
    }
    change::finish_interrupted(dir)?;
    let mut found: BTreeMap<String, Migration> = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(MigrationError::at(dir))? {
        let path = entry.map_err(MigrationError::at(dir))?.path();
        let name = path.file_name().unwrap_or_default();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if !leads_to_folder(&path)? {
            continue;
        }
        let name = name
            .to_str()
            .ok_or_else(|| MigrationError::NotUtf8 { path: path.clone() })?;
        let migration = Migration::read(name, &path)?;
        if let Some(first) = found.get(&migration.version) {
            let mut names = [first.name.clone(), migration.name];
            names.sort();
            let [first, second] = names;
            return Err(MigrationError::Duplicate {
                version: migration.version,
                first,
                second,
            });
        }
        found.insert(migration.version.clone(), migration);
    }
    Ok(found.into_values().collect())
}

/// True for a folder, or a link to one. A dangling link is an error: its target cannot be guessed.
fn leads_to_folder(path: &Path) -> Result<bool, MigrationError> {
    let failed = match fs::metadata(path) {
        Ok(found) => return Ok(found.is_dir()),
        Err(error) => error,
    };
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(MigrationError::Link {
            path: path.to_owned(),
            source: failed,
        }),
        Ok(_) => Err(MigrationError::at(path)(failed)),
        // Somebody removed it meanwhile.
        Err(_) => Ok(false),
    }
}

impl Migration {
    fn read(name: &str, dir: &Path) -> Result<Self, MigrationError> {
        let up = read_if_there(&dir.join("up.sql"))?.ok_or_else(|| MigrationError::NoUp {
            dir: dir.to_owned(),
        })?;
        let metadata = dir.join("metadata.toml");
        let run_in_transaction = match read_if_there(&metadata)? {
            None => true,
            Some(text) => {
                let parsed: Result<Metadata, _> = toml::from_str(&text);
                parsed
                    .map_err(|error| MigrationError::Metadata {
                        path: metadata,
                        message: error.message().to_owned(),
                    })?
                    .run_in_transaction
            }
        };
        Ok(Self {
            version: version_of(name),
            name: name.to_owned(),
            dir: dir.to_owned(),
            header: Header::parse(&up),
            up,
            down: read_if_there(&dir.join("down.sql"))?,
            run_in_transaction,
        })
    }

    /// True if autogen wrote it alone: proved, not edited by hand, no merge and no squash.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.header.as_ref().is_some_and(|header| {
            !header.proof.is_empty()
                && !header.by_hand
                && header.parents.len() < 2
                && header.replaces.is_empty()
        })
    }

    /// True if autogen wrote all that it makes, it or each of those that it was squashed from, and nobody edited it since.
    #[must_use]
    pub fn is_drafted(&self) -> bool {
        let squashed = self.header.as_ref().is_some_and(|header| header.drafted);
        let edited = matches!(self.proved(), Proved::Edited(_));
        !edited && (squashed || self.is_generated())
    }

    /// The header's entry for a migration that this one stands for.
    #[must_use]
    pub fn replaces(&self, version: &str) -> Option<&Parent> {
        self.stands_for().find(|one| one.version == version)
    }

    /// The migrations that this one stands for, itself among them, as they were.
    pub fn stands_for(&self) -> impl Iterator<Item = &Parent> {
        let header = self.header.iter();
        header.flat_map(|header| header.replaces.iter().chain(&header.replaced))
    }

    /// True if it is unchanged since `then`, or stands for that migration.
    #[must_use]
    pub fn is_still(&self, then: &Parent) -> bool {
        self.stands_for().any(|one| one == then)
            || Parent::of(self) == *then
            || Parent::formerly(self).is_some_and(|formerly| formerly == *then)
    }

    /// As others may know it: as it is now, and as an earlier format had it.
    pub fn known_as(&self) -> impl Iterator<Item = Parent> + use<> {
        [Some(Parent::of(self)), Parent::formerly(self)]
            .into_iter()
            .flatten()
    }

    /// The words of the folder's name, after the version.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.split_once('_').map_or("", |(_, title)| title)
    }
}

/// The version that Diesel sees in a folder's name.
#[must_use]
pub fn version_of(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

fn read_if_there(path: &Path) -> Result<Option<String>, MigrationError> {
    match files::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => {
            let text = read.map_err(MigrationError::at(path))?;
            // Postgres takes a byte order mark for the beginning of a word.
            Ok(Some(
                text.strip_prefix('\u{feff}')
                    .map(str::to_owned)
                    .unwrap_or(text),
            ))
        }
    }
}

#[cfg(test)]
mod tests;
