//! Locks in files, which end with the process that holds them.
//!
//! Invariant: nobody but the files' owner can hold one. A lock needs no right to write, so a file that others may read is one
//! that they may hold for ever.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::postgres::scratch::account::own_uid;

/// The longest wait for a lock that another process holds: an action under one takes seconds.
const PATIENCE: Duration = Duration::from_mins(2);
const TICK: Duration = Duration::from_millis(5);

/// Opens the file of a lock, and keeps it from other users. A link of that name is an error.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    let found = file.metadata()?;
    if found.uid() == own_uid() && found.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Waits for and takes a lock. One that is held for minutes is an error that says so.
pub(crate) fn take(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    let begun = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => {}
            Err(error) => return Err(error.into()),
        }
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "another process has had its lock for minutes",
            ));
        }
        std::thread::sleep(TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_others_could_read_is_closed_to_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gate");
        std::fs::write(&path, "").expect("a file");
        let open_to_all = Permissions::from_mode(0o666);
        std::fs::set_permissions(&path, open_to_all).expect("a mode");
        let held = take(&path).expect("a lock");
        let mode = held.metadata().expect("a file").mode();
        assert_eq!(mode & 0o777, 0o600);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("planted"), &link).expect("a link");
        assert!(take(&link).is_err());
        assert!(!folder.path().join("planted").exists());
    }
}
