//! Writing new folders: whole or not at all, and never two processes at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use rustix::fs::{FlockOperation, flock};

use super::history::hash_of;
use super::version::version_after;
use super::{Header, Migration, MigrationError, Parent, read, slug, version_of};
use crate::connection::parts;

/// Diesel's own lock, which `diesel migration generate` takes.
const LOCK: &str = ".diesel_lock";

/// How a folder is called until it is complete; Diesel does not look into folders with a dot.
const UNFINISHED: &str = ".trueup-unfinished-";

/// A migration that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMigration {
    /// What changes, in the author's words.
    pub message: String,
    /// The statements of `up.sql`, without a header.
    pub up: String,
    /// The statements of `down.sql`.
    pub down: String,
    /// Whether both run inside a transaction.
    pub run_in_transaction: bool,
    /// What was proved and on which Postgres, one sentence a line.
    pub proof: Vec<String>,
}

/// Held while folders are half-written.
static WRITING: Mutex<()> = Mutex::new(());

/// Waits until no folder is half-written, and keeps this process from beginning another while the guard lives: for whoever
/// is about to end the process.
pub fn hold_writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes migrations behind those in `dir`, each the parent of the next, and returns their folders. Where `after` is given
/// and those in `dir` are of other versions by now, nothing is written.
pub fn write(
    dir: &Path,
    after: Option<&[String]>,
    migrations: &[NewMigration],
) -> Result<Vec<PathBuf>, MigrationError> {
    fs::create_dir_all(dir).map_err(MigrationError::at(dir))?;
    let _lock = lock(dir).map_err(MigrationError::at(&dir.join(LOCK)))?;
    remove_unfinished(dir).map_err(MigrationError::at(dir))?;
    let existing = read(dir)?;
    if let Some(after) = after {
        unchanged(after, &existing)?;
    }
    let mut parent = existing.last().map(parent_of);
    let mut folders = Vec::new();
    for migration in migrations {
        let name = [
            version_after(
                parent.as_ref().map_or("", |parent| &parent.version),
                Utc::now(),
            ),
            slug(&migration.message)?,
        ]
        .join("_");
        let header = Header {
            message: migration.message.clone(),
            parent,
            proof: migration.proof.clone(),
        };
        let up = header.render() + &migration.up;
        not_empty("up.sql", &up)?;
        not_empty("down.sql", &migration.down)?;
        parent = Some(Parent {
            version: version_of(&name),
            hash: hash_of(&up),
        });
        folders.push((name, up, migration));
    }
    write_all(dir, &folders).map_err(MigrationError::at(dir))
}

type Folder<'a> = (String, String, &'a NewMigration);

/// Writes all under names that nobody reads, and only then gives them theirs.
fn write_all(dir: &Path, folders: &[Folder<'_>]) -> io::Result<Vec<PathBuf>> {
    let _writing = hold_writing();
    let unfinished = |name: &str| dir.join(format!("{UNFINISHED}{name}"));
    for (name, up, migration) in folders {
        let folder = unfinished(name);
        fs::create_dir(&folder)?;
        write_file(&folder.join("up.sql"), up)?;
        write_file(&folder.join("down.sql"), &migration.down)?;
        write_file(
            &folder.join("metadata.toml"),
            &format!("run_in_transaction = {}\n", migration.run_in_transaction),
        )?;
        File::open(&folder)?.sync_all()?;
    }
    let mut written = Vec::new();
    for (name, ..) in folders {
        let folder = dir.join(name);
        fs::rename(unfinished(name), &folder)?;
        written.push(folder);
    }
    File::open(dir)?.sync_all()?;
    Ok(written)
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn unchanged(after: &[String], existing: &[Migration]) -> Result<(), MigrationError> {
    let come = existing
        .iter()
        .filter(|migration| !after.contains(&migration.version))
        .map(|migration| migration.name.as_str());
    let gone = after
        .iter()
        .filter(|version| existing.iter().all(|one| one.version != **version))
        .map(String::as_str);
    let names: Vec<_> = come.chain(gone).map(str::to_owned).collect();
    if names.is_empty() {
        Ok(())
    } else {
        Err(MigrationError::Meanwhile { names })
    }
}

fn not_empty(what: &'static str, sql: &str) -> Result<(), MigrationError> {
    match parts(sql) {
        Some(parts) if parts.is_empty() => Err(MigrationError::Empty { what }),
        // What only another major's parser knows is not for us to refuse.
        Some(_) | None => Ok(()),
    }
}

fn parent_of(migration: &Migration) -> Parent {
    Parent {
        version: migration.version.clone(),
        hash: hash_of(&migration.up),
    }
}

/// Waits for and takes the lock, which ends with the file.
fn lock(dir: &Path) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Nobody else writes while we hold the lock: what is unfinished was left by a run that was killed.
fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
