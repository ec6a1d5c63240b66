//! Changing the folders of a directory: all of a change or nothing, and never two processes at once.
//!
//! New folders are written under names that nobody reads. Then one small file lists the folders that go and come: from there on
//! the change is made, and whoever reads the directory after a kill finishes it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{Header, Migration, MigrationError, Seal, read};
use crate::files::lock;
use crate::postgres::connection::parts;

/// Diesel's own lock, which `diesel migration generate` takes.
pub(super) const LOCK: &str = ".diesel_lock";

/// Prefix of a folder that is incomplete or being removed. Diesel does not look into folders with a leading dot.
pub(super) const UNFINISHED: &str = ".trueup-unfinished-";

/// The file that says what is being changed. It may have come with the checkout, and so nothing that it says is believed
/// unless a command of ours could have written it.
const CHANGE: &str = ".trueup-change";

/// No change names so many folders that the file is longer.
const LONGEST: u64 = 1 << 20;

/// The file that has git leave out what stands beside migrations for a moment, or for one machine.
const IGNORE: &str = ".gitignore";

/// A folder that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// The text of `up.sql`.
    pub up: String,
    /// The text of `down.sql`, where there is one.
    pub down: Option<String>,
    /// True if both run inside a transaction.
    pub run_in_transaction: bool,
}

impl Folder {
    /// The same folder with a header above its `up.sql`, sealed where something was proved.
    #[must_use]
    pub fn under(self, header: Header) -> Self {
        let seal = Seal::of(&self.up, self.down.as_deref(), self.run_in_transaction);
        let header = Header {
            seal: header.is_proved().then_some(seal),
            ..header
        };
        Self {
            up: header.render() + &self.up,
            ..self
        }
    }
}

/// Held while folders are half-written.
static WRITING: Mutex<()> = Mutex::new(());

/// Waits until no folder is half-written, and keeps this process from beginning another while the guard lives: for whoever
/// is about to end the process.
pub fn hold_writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the migrations of these versions and writes those that `make` makes of the others. Returns the new folders. Nothing
/// is changed if `after` is given and differs from the versions in `dir`.
pub fn change(
    dir: &Path,
    after: Option<&[String]>,
    removed: &[String],
    make: impl FnOnce(&[Migration]) -> Result<Vec<Folder>, MigrationError>,
) -> Result<Vec<PathBuf>, MigrationError> {
    fs::create_dir_all(dir).map_err(MigrationError::at(dir))?;
    let _lock = lock(dir).map_err(MigrationError::at(&dir.join(LOCK)))?;
    ignore(dir).map_err(MigrationError::at(&dir.join(IGNORE)))?;
    finish(dir)?;
    remove_unfinished(dir).map_err(MigrationError::at(dir))?;
    let existing = read(dir)?;
    if let Some(after) = after {
        unchanged(after, &existing)?;
    }
    let (go, stay): (Vec<_>, Vec<_>) = existing
        .into_iter()
        .partition(|migration| removed.contains(&migration.version));
    let folders = make(&stay)?;
    for folder in &folders {
        not_empty("up.sql", &folder.up)?;
        not_empty("down.sql", folder.down.as_deref().unwrap_or("SELECT 1;"))?;
    }
    let plan = Plan {
        remove: go.into_iter().map(|migration| migration.name).collect(),
        add: folders.iter().map(|folder| folder.name.clone()).collect(),
    };
    plan.check(dir)?;
    let _writing = hold_writing();
    prepare(dir, &folders, &plan).map_err(MigrationError::at(dir))?;
    finish(dir)?;
    Ok(plan.add.iter().map(|name| dir.join(name)).collect())
}

/// Finishes what a command that was killed had begun.
pub(super) fn finish_interrupted(dir: &Path) -> Result<(), MigrationError> {
    if fs::symlink_metadata(dir.join(CHANGE)).is_err() {
        sweep(dir);
        return Ok(());
    }
    // Most likely somebody is at it this moment: then it is gone once the lock is free.
    let _lock = lock(dir).map_err(MigrationError::at(&dir.join(LOCK)))?;
    let _writing = hold_writing();
    finish(dir)
}

/// Removes unfinished folders of a killed command, unless a command is running. A failure does not concern mere readers.
fn sweep(dir: &Path) {
    let is_left = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    };
    let left = fs::read_dir(dir).is_ok_and(|mut entries| entries.any(is_left));
    if !left {
        return;
    }
    let Ok(file) = lock::open(&dir.join(LOCK)) else {
        return;
    };
    let is_ours = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    // The folders of a pending change are unfinished too.
    if is_ours && fs::symlink_metadata(dir.join(CHANGE)).is_err() {
        let _ = remove_unfinished(dir);
    }
}

/// The names of the folders that go and come.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Plan {
    remove: Vec<String>,
    add: Vec<String>,
}

impl Plan {
    /// Fails on anything but names of folders in `dir`: a path or a link would lead out of it.
    fn check(&self, dir: &Path) -> Result<(), MigrationError> {
        let strays = |name: &str, why| {
            Err(MigrationError::Strays {
                path: dir.join(CHANGE),
                name: name.to_owned(),
                why,
            })
        };
        for name in self.remove.iter().chain(&self.add) {
            let mut parts = Path::new(name).components();
            let is_name = matches!(
                (parts.next(), parts.next()),
                (Some(Component::Normal(part)), None) if part == name.as_str()
            );
            if !is_name || name.starts_with('.') || name.contains('\0') {
                return strays(name, "no name of a folder of migrations");
            }
        }
        // A migration may be a link to a folder: then the link goes, and what it leads to stays.
        let here = self.remove.iter().map(|name| (dir.join(name), true));
        let gone = self.remove.iter().map(|name| (going(dir, name), true));
        let made = self.add.iter().map(|name| (unfinished(dir, name), false));
        for (path, may_be_link) in here.chain(gone).chain(made) {
            if let Ok(found) = fs::symlink_metadata(&path)
                && !found.is_dir()
                && !(may_be_link && found.is_symlink() && path.is_dir())
            {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                return strays(&name, "a file or a link, and no folder");
            }
        }
        Ok(())
    }
}

fn unfinished(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{UNFINISHED}{name}"))
}

fn going(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{UNFINISHED}going-{name}"))
}

/// Writes what is new under names that nobody reads, and then the file that says so.
fn prepare(dir: &Path, folders: &[Folder], plan: &Plan) -> io::Result<()> {
    for folder in folders {
        let path = unfinished(dir, &folder.name);
        fs::create_dir(&path)?;
        write_file(&path.join("up.sql"), &folder.up)?;
        if let Some(down) = &folder.down {
            write_file(&path.join("down.sql"), down)?;
        }
        let metadata = format!("run_in_transaction = {}\n", folder.run_in_transaction);
        write_file(&path.join("metadata.toml"), &metadata)?;
        File::open(&path)?.sync_all()?;
    }
    let noted = unfinished(dir, "change");
    write_file(&noted, &serde_json::to_string(plan)?)?;
    fs::rename(noted, dir.join(CHANGE))?;
    File::open(dir)?.sync_all()
}

/// Does what the file says, from wherever the last one who tried got to. Only who holds the lock may.
fn finish(dir: &Path) -> Result<(), MigrationError> {
    let path = dir.join(CHANGE);
    let interrupted = |message: String| MigrationError::Interrupted {
        path: path.clone(),
        message,
    };
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(MigrationError::at(&path)(error)),
        Ok(found) if !found.is_file() => {
            return Err(interrupted("it is no file, or a link".to_owned()));
        }
        Ok(_) => {}
    }
    let mut text = String::new();
    File::open(&path)
        .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
        .map_err(MigrationError::at(&path))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| interrupted(error.to_string()))?;
    plan.check(dir)?;
    carry_out(dir, &plan).map_err(MigrationError::at(dir))
}

fn carry_out(dir: &Path, plan: &Plan) -> io::Result<()> {
    for name in &plan.remove {
        let (here, gone) = (dir.join(name), going(dir, name));
        // If both exist, `here` is already the new folder of that name.
        if here.exists() && !gone.exists() {
            fs::rename(here, gone)?;
        }
    }
    for name in &plan.add {
        let new = unfinished(dir, name);
        if new.exists() {
            fs::rename(new, dir.join(name))?;
        }
    }
    File::open(dir)?.sync_all()?;
    fs::remove_file(dir.join(CHANGE))?;
    remove_unfinished(dir)
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
        // SQL that does not parse may be valid for another major's parser.
        Some(_) | None => Ok(()),
    }
}

/// Waits for and takes the lock, which ends with the file.
pub(super) fn lock(dir: &Path) -> io::Result<File> {
    lock::take(&dir.join(LOCK))
}

/// Has git ignore Diesel's lock and what is unfinished, where nobody has said what git is to ignore here.
fn ignore(dir: &Path) -> io::Result<()> {
    let path = dir.join(IGNORE);
    if fs::symlink_metadata(&path).is_ok_and(|found| found.len() > 0) {
        return Ok(());
    }
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(dir)?;
    write!(file, "{LOCK}\n{CHANGE}\n{UNFINISHED}*\n")?;
    file.persist(path)?;
    Ok(())
}

/// Nobody else writes while we hold the lock: what is unfinished was left by a run that was killed.
fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.starts_with(UNFINISHED) {
            true if path.is_dir() => fs::remove_dir_all(path)?,
            true => fs::remove_file(path)?,
            false => {}
        }
    }
    Ok(())
}
