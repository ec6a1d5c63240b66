//! Folders that hold a server of ours while its lock is held, and are swept by the next run when it is not.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use rustix::fs::{FlockOperation, flock, statvfs};

use super::account::{Account, give, own_uid};
use super::{ScratchError, postmaster};
use crate::files::lock;

/// A socket's path has 108 bytes on Linux and 104 on macOS, of which `/.s.PGSQL.5432` takes 14.
const LONGEST_SOCKET_FOLDER: usize = 85;

/// The free memory that a scratch in memory requires, in bytes; six databases of 5,000 tables take half of it. A container has
/// 64 MB unless told otherwise, and then the scratch is on disk.
const ROOM: u64 = 4 << 30;

/// The file in a claim's folder that tells where its sockets are when they are elsewhere.
const SOCKET_ELSEWHERE: &str = "socket-folder";

/// A folder that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// The folder that keeps the pristine clusters; made on first use.
pub(crate) fn cache(account: Option<Account>) -> Result<PathBuf, ScratchError> {
    let uid = own_uid();
    // Other users cannot enter root's home.
    let home = if account.is_some() {
        None
    } else {
        etcetera::choose_base_strategy().ok()
    };
    if let Some(home) = home {
        let folder = home.cache_dir().join("trueup");
        if private_folder(&folder, 0o700).is_ok() {
            return Ok(folder);
        }
    }
    let mode = if account.is_some() { 0o711 } else { 0o700 };
    let folder = Path::new("/var/tmp").join(format!("trueup-{uid}"));
    let Err(error) = private_folder(&folder, mode) else {
        return Ok(folder);
    };
    // Anybody may take a name in /var/tmp; this one only root can make.
    let other = Path::new("/var/cache").join(format!("trueup-{uid}"));
    private_folder(&other, mode).map_err(|_| ScratchError::at(&folder)(error))?;
    Ok(other)
}

/// The folder that scratch servers run below. It is in memory if the machine has memory to spare: a copy of a cluster is a
/// thousand files, and a disk that others use too takes 0.1 to 0.4 s for those, against 0.05 s.
pub(crate) fn fast(cache: &Path, account: Option<Account>) -> PathBuf {
    const MEMORY: &str = "/dev/shm";
    let is_roomy =
        statvfs(MEMORY).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) >= ROOM);
    let folder = Path::new(MEMORY).join(format!("trueup-{}", own_uid()));
    let mode = if account.is_some() { 0o711 } else { 0o700 };
    let usable = is_roomy && private_folder(&folder, mode).is_ok();
    if usable { folder } else { cache.to_owned() }
}

/// Makes a folder, or checks that nobody else made it or may write to it.
pub(crate) fn private_folder(folder: &Path, mode: u32) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(mode).create(folder) {
        Ok(()) => fs::set_permissions(folder, fs::Permissions::from_mode(mode)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(folder)?;
            let ours = found.is_dir() && found.uid() == own_uid() && found.mode() & 0o022 == 0;
            if ours {
                Ok(())
            } else {
                Err(io::Error::other(
                    "it belongs to another user, or others may write to it",
                ))
            }
        }
        Err(error) => Err(error),
    }
}

impl Claim {
    /// Makes a new folder below `cache` and holds its lock.
    pub(crate) fn new(cache: &Path, account: Option<Account>) -> io::Result<Self> {
        let mode = if account.is_some() { 0o711 } else { 0o700 };
        let run = cache.join("run");
        private_folder(&run, mode)?;
        let _gate = gate(cache)?;
        for number in 0_u32.. {
            let folder = run.join(format!("{}-{number}", std::process::id()));
            let lock_path = folder.with_extension("lock");
            let new = File::options()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&lock_path);
            match new {
                Ok(lock) => {
                    flock(&lock, FlockOperation::LockExclusive)?;
                    let claim = Self {
                        folder,
                        lock_path,
                        _lock: lock,
                    };
                    private_folder(&claim.folder, mode)?;
                    return Ok(claim);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no free name is left"))
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The data directory of the cluster.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes a folder for the server's socket whose path is short enough.
    pub(crate) fn socket(&self, account: Option<Account>) -> io::Result<PathBuf> {
        let within = self.folder.join("socket");
        let folder = if within.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
            private_folder(&within, 0o700)?;
            within
        } else {
            // Whoever gets to the socket is let in, so nobody else may.
            let private = fs::Permissions::from_mode(0o700);
            let elsewhere = tempfile::Builder::new()
                .prefix("trueup-")
                .permissions(private)
                .tempdir_in("/tmp")?
                .keep();
            fs::write(
                self.folder.join(SOCKET_ELSEWHERE),
                elsewhere.as_os_str().as_encoded_bytes(),
            )?;
            elsewhere
        };
        give(&folder, account)?;
        Ok(folder)
    }

    /// The paths that a signal handler removes for this claim.
    pub(crate) fn remains(&self) -> Remains {
        Remains {
            folder: self.folder.clone(),
            lock_path: self.lock_path.clone(),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.remains().remove();
    }
}

/// Paths of a claim on disk.
#[derive(Debug, Clone)]
pub(crate) struct Remains {
    folder: PathBuf,
    lock_path: PathBuf,
}

impl Remains {
    /// Ends the server if it runs, and removes the folder. Files that cannot be removed are left to the next sweep.
    pub(crate) fn remove(&self) {
        postmaster::kill(&self.folder.join("data"));
        if let Ok(elsewhere) = fs::read_to_string(self.folder.join(SOCKET_ELSEWHERE)) {
            let _ = fs::remove_dir_all(elsewhere);
        }
        let gone = fs::remove_dir_all(&self.folder);
        if gone.is_ok() || !self.folder.exists() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Removes what runs that were killed left behind.
pub(crate) fn sweep(cache: &Path) {
    let claim = |lock_path: PathBuf| {
        let lock = File::open(&lock_path).ok()?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(Claim {
            folder: lock_path.with_extension(""),
            lock_path,
            _lock: lock,
        })
    };
    let abandoned: Vec<_> = {
        let Ok(_gate) = gate(cache) else { return };
        let entries = fs::read_dir(cache.join("run"))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .map(|entry| entry.path());
        entries
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "lock")
            })
            .filter_map(claim)
            .collect()
    };
    drop(abandoned);
}

/// Keeps a sweep from seeing a lock file between its making and its locking.
fn gate(cache: &Path) -> io::Result<File> {
    lock::take(&cache.join("gate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_only_what_nobody_holds() {
        let cache = tempfile::tempdir().expect("a folder");
        let held = Claim::new(cache.path(), None).expect("a claim");
        let left = Claim::new(cache.path(), None).expect("a claim");
        let folder = left.folder().to_owned();
        fs::write(folder.join("file"), "").expect("a file");
        // A process that is killed closes its lock and removes nothing.
        let Claim {
            _lock: ref lock, ..
        } = left;
        flock(lock, FlockOperation::Unlock).expect("unlocked");
        sweep(cache.path());
        assert!(
            held.folder().exists() && !folder.exists() && !folder.with_extension("lock").exists()
        );
        drop(held);
        assert_eq!(
            fs::read_dir(cache.path().join("run"))
                .expect("a folder")
                .count(),
            0
        );
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = dir.path().join("open");
        private_folder(&open, 0o777).expect("made");
        assert!(private_folder(&open, 0o700).is_err());
    }

    #[test]
    fn sockets_go_elsewhere_when_the_path_is_long() {
        let dir = tempfile::tempdir().expect("a folder");
        let deep = dir.path().join("d".repeat(100));
        private_folder(&deep, 0o700).expect("made");
        let claim = Claim::new(&deep, None).expect("a claim");
        let socket = claim.socket(None).expect("a folder");
        let mode = fs::metadata(&socket).expect("a folder").mode() & 0o777;
        assert!(socket.as_os_str().len() <= LONGEST_SOCKET_FOLDER && mode == 0o700);
        drop(claim);
        assert!(!socket.exists());
    }
}
