//! The pristine, stopped cluster that each scratch is a copy of: copying takes a tenth of what `initdb` takes.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::ScratchError;
use super::account::{Account, command, give};
use super::claim::Claim;
use super::live;
use crate::postgres::binaries::Server;
use crate::postgres::children;

/// The options of `initdb`. WAL segments are small since each copy carries at least one.
const INITDB: &[&str] = &[
    "--encoding=UTF8",
    "--auth=trust",
    "--username=postgres",
    "--no-sync",
    "--no-instructions",
    "--wal-segsize=1",
];

/// The first of these that the machine knows is the clusters' locale.
const LOCALES: &[&str] = &["--locale=C.UTF-8", "--locale=C"];

/// A cluster that is there to be copied.
pub(crate) struct Pristine {
    pub(crate) folder: PathBuf,
    /// True if it was made just now.
    pub(crate) is_new: bool,
}

/// Returns the pristine cluster of this server, made if there is none yet.
pub(crate) fn pristine(
    cache: &Path,
    server: &Server,
    account: Option<Account>,
) -> Result<Pristine, ScratchError> {
    let postgres = server.folder.join("postgres");
    let made_for = fs::metadata(&postgres).map_err(ScratchError::at(&postgres))?;
    // A cluster belongs to one build: another one of the same major may have other block sizes or libraries.
    let mut key = DefaultHasher::new();
    (
        INITDB,
        LOCALES,
        &server.folder,
        made_for.size(),
        made_for.mtime(),
        account.map(|_| ()),
    )
        .hash(&mut key);
    let kept = cache.join(format!("pristine-{}-{:016x}", server.major, key.finish()));
    if kept.exists() {
        return Ok(Pristine {
            folder: kept,
            is_new: false,
        });
    }
    let claim = Claim::new(cache, account).map_err(ScratchError::at(cache))?;
    let remains = claim.remains();
    let _registration = live::register(move || remains.remove());
    let data = claim.data();
    initdb(server, account, &data)?;
    match fs::rename(&data, &kept) {
        Err(error) if !kept.exists() => Err(ScratchError::at(&kept)(error)),
        // Another process was faster; its cluster is as good.
        _ => Ok(Pristine {
            folder: kept,
            is_new: true,
        }),
    }
}

/// Takes a cluster away at once; whoever copies it this moment fails, and others make a new one.
pub(crate) fn discard(
    cache: &Path,
    folder: &Path,
    account: Option<Account>,
) -> Result<(), ScratchError> {
    let claim = Claim::new(cache, account).map_err(ScratchError::at(cache))?;
    match fs::rename(folder, claim.data()) {
        Err(error) if folder.exists() => Err(ScratchError::at(folder)(error)),
        _ => Ok(()),
    }
}

fn initdb(server: &Server, account: Option<Account>, data: &Path) -> Result<(), ScratchError> {
    let program = server.folder.join("initdb");
    let mut said = String::new();
    for locale in LOCALES {
        make_folder(data, account).map_err(ScratchError::at(data))?;
        let mut command = command(&program, account);
        command.args(INITDB).arg(locale).arg("-D").arg(data);
        let output = children::output(command, &program.display().to_string(), None, None)
            .map_err(ScratchError::at(&program))?;
        if output.status.success() {
            return Ok(());
        }
        said = children::said(&output);
        fs::remove_dir_all(data).map_err(ScratchError::at(data))?;
    }
    Err(ScratchError::Initdb {
        program,
        said: said.trim().to_owned(),
    })
}

/// Copies a stopped cluster.
pub(crate) fn copy(from: &Path, to: &Path, account: Option<Account>) -> io::Result<()> {
    make_folder(to, account)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, account)?;
        } else {
            fs::copy(entry.path(), &target)?;
            give(&target, account)?;
        }
    }
    Ok(())
}

fn make_folder(folder: &Path, account: Option<Account>) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(folder)?;
    give(folder, account)
}
