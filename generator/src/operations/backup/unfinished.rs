//! A backup until it is whole: under a name of its own, which nobody takes for a backup.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};

use crate::postgres::scratch::live::{self, Registration};

/// The prefix of its name. The lock on the file tells the next backup that its owner is still alive.
const PREFIX: &str = ".trueup-backup-";

/// The number of attempts, since another process may sweep the file before it is locked.
const TRIES: usize = 10;

/// A file of this process alone, gone when this is dropped.
#[derive(Debug)]
pub(super) struct Unfinished {
    shared: Arc<Shared>,
    lock: File,
    _registration: Registration,
}

#[derive(Debug)]
pub(super) struct Shared {
    path: PathBuf,
    kept: Mutex<Kept>,
}

/// The state of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Nobody has a backup.
    Unfinished,
    /// It has its name.
    Whole,
}

impl Unfinished {
    /// Makes one beside the file that it is to become, after those are removed that killed commands left there.
    pub(super) fn beside(file: &Path) -> io::Result<Self> {
        let folder = folder(file);
        fs::create_dir_all(folder)?;
        sweep(folder);
        for _ in 0..TRIES {
            // For its user alone to read.
            let made = tempfile::Builder::new()
                .prefix(PREFIX)
                .tempfile_in(folder)?;
            let (lock, path) = made.keep().map_err(|error| error.error)?;
            let shared = Arc::new(Shared {
                path,
                kept: Mutex::new(Kept::Unfinished),
            });
            let remains = Arc::clone(&shared);
            let unfinished = Self {
                shared,
                lock,
                _registration: live::register(move || {
                    remains.give_up();
                }),
            };
            // Not every disk knows locks; then nobody sweeps there either.
            let _ = flock(&unfinished.lock, FlockOperation::LockExclusive);
            if unfinished.path().exists() {
                return Ok(unfinished);
            }
        }
        Err(io::Error::other(
            "another process removes what is written there",
        ))
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The shared state, for a signal handler that gives the file up.
    pub(super) fn kept(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Gives it its name, which must be nobody's yet.
    pub(super) fn keep_as(self, file: &Path) -> io::Result<()> {
        let mut kept = self
            .shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // pg_dump may have put another file there.
        File::open(self.path())?.sync_all()?;
        match fs::hard_link(self.path(), file) {
            // A hard link, other than a rename, never takes the place of a file that came meanwhile. Not every disk knows it.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !file.exists() => {
                fs::rename(self.path(), file)?;
            }
            linked => linked?,
        }
        *kept = Kept::Whole;
        drop(kept);
        let _ = fs::remove_file(self.path());
        File::open(folder(file))?.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.shared.give_up();
    }
}

impl Shared {
    /// Removes it, unless it has its name already: which of both is so.
    pub(super) fn give_up(&self) -> Kept {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = fs::remove_file(&self.path);
        *kept
    }
}

fn folder(file: &Path) -> &Path {
    let folder = file.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes what killed commands left.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|found| found.is_file());
        if !is_file || !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else {
            continue;
        };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_gets_its_name_when_it_is_whole_and_takes_nobodys() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.dump");
        drop(Unfinished::beside(&file).expect("a file"));
        assert_eq!(names(folder.path()), Vec::<String>::new());
        let whole = Unfinished::beside(&file).expect("a file");
        fs::write(whole.path(), "rows").expect("a file");
        whole.keep_as(&file).expect("kept");
        assert_eq!(names(folder.path()), ["a.dump"]);
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Unfinished::beside(&file).expect("a file");
        let refused = second.keep_as(&file).expect_err("it is there");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).expect("a file"), "rows");
        assert_eq!(names(folder.path()), ["a.dump"]);
    }

    #[test]
    fn what_a_signal_took_back_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.dump");
        let unfinished = Unfinished::beside(&file).expect("a file");
        assert_eq!(unfinished.kept().give_up(), Kept::Unfinished);
        assert!(unfinished.keep_as(&file).is_err());
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn only_what_nobody_is_at_is_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in [".trueup-backup-left", "mine.unfinished", ".trueup-backup"] {
            fs::write(at(name), "half").expect("a file");
        }
        let held = Unfinished::beside(&at("a.dump")).expect("a file");
        let name = held
            .path()
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let other = Unfinished::beside(&at("b.dump")).expect("a file");
        assert!(held.path().exists());
        drop(other);
        let mut left = vec![
            ".trueup-backup".to_owned(),
            name,
            "mine.unfinished".to_owned(),
        ];
        left.sort();
        assert_eq!(names(folder.path()), left);
    }
}
