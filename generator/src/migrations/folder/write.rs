//! Writing new migrations behind those that are there.

use std::path::{Path, PathBuf};

use chrono::Utc;

use super::change::{Folder, change};
use super::version::version_after;
use super::{Header, Migration, MigrationError, Parent, slug, version_of};
use super::{header::is_unwritten, history::hash_of};

/// A migration that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMigration {
    /// The change, in the author's words.
    pub message: String,
    /// The statements of `up.sql`, without a header.
    pub up: String,
    /// The statements of `down.sql`.
    pub down: String,
    /// True if both run inside a transaction.
    pub run_in_transaction: bool,
    /// A summary: a few lines of a word and a text each.
    pub summary: Vec<(&'static str, String)>,
    /// The proved properties and the Postgres version, one sentence a line.
    pub proof: Vec<String>,
}

/// Writes migrations behind those in `dir`, each the parent of the next, and returns their folders. Nothing is written if
/// `after` is given and differs from the versions in `dir`.
pub fn write(
    dir: &Path,
    after: Option<&[String]>,
    migrations: &[NewMigration],
) -> Result<Vec<PathBuf>, MigrationError> {
    replace(dir, after, &[], migrations)
}

/// Does what [`write()`] does, in place of the migrations of some versions, which go.
pub fn replace(
    dir: &Path,
    after: Option<&[String]>,
    removed: &[String],
    migrations: &[NewMigration],
) -> Result<Vec<PathBuf>, MigrationError> {
    change(dir, after, removed, |stay| behind(stay, migrations))
}

fn behind(
    existing: &[Migration],
    migrations: &[NewMigration],
) -> Result<Vec<Folder>, MigrationError> {
    let mut parent = existing.last().map(Parent::of);
    let mut folders = Vec::new();
    for migration in migrations {
        let newest = parent.as_ref().map_or("", |parent| &parent.version);
        let begin = version_after(newest, Utc::now());
        let name = [begin, slug(&migration.message)?].join("_");
        let header = Header {
            message: migration.message.clone(),
            parents: parent.into_iter().collect(),
            summary: migration
                .summary
                .iter()
                .map(|(word, text)| ((*word).to_owned(), text.clone()))
                .collect(),
            by_hand: migration.proof.iter().any(|one| is_unwritten(one)),
            proof: migration.proof.clone(),
            ..Header::default()
        };
        parent = Some(Parent {
            version: version_of(&name),
            hash: hash_of(&migration.up),
        });
        let folder = Folder {
            name,
            up: migration.up.clone(),
            down: Some(migration.down.clone()),
            run_in_transaction: migration.run_in_transaction,
        };
        folders.push(folder.under(header));
    }
    Ok(folders)
}
