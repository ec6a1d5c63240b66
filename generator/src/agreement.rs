//! Remembers which models were found to agree with which migrations, so that a `check` of what nobody changed tries
//! nothing again.
//!
//! Invariant: only that they agree is remembered, under a hash of all that it follows from. A difference is always found
//! anew, nothing that is written rests on what is remembered, and a file that is not exactly as it was written counts as
//! none.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sha2::{Digest, Sha256};
use trueup::{Declarations, Renamed, Schema};

use crate::{
    Project,
    binaries::Server,
    migration,
    scratch::{
        account::{own_uid, server_account},
        claim,
    },
};

/// How many agreements are kept: for as many projects and branches as a person goes between.
const KEPT: usize = 64;

/// A file holds three hashes, each with a line's end.
const LENGTH: u64 = 3 * 65;

/// The folder, below the user's cache folder, for what is remembered; `None` where no folder is this user's alone.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let account = server_account().ok()?;
    let folder = claim::cache(account).ok()?.join("agreements");
    claim::private_folder(&folder, 0o700).ok()?;
    Some(folder)
}

/// The place where it is remembered that these models and these migrations agree on this Postgres.
#[derive(Debug)]
pub(crate) struct Agreement {
    folder: PathBuf,
    key: String,
    /// The major of the Postgres that both were tried on.
    major: u32,
}

impl Agreement {
    /// Finds the place; `None` where nothing may be remembered.
    pub(crate) fn of(
        project: &Project,
        declarations: &Declarations,
        major: Option<u32>,
    ) -> Option<Self> {
        let folder = project.memory.clone()?;
        // On a server that we do not start, anything may be otherwise the next time; and what is left out of account is no
        // part of the key.
        if project.scratch_url.is_some() || !project.scope.is_everything() {
            return None;
        }
        let server = project.binaries.server(major).ok()?;
        Some(Self {
            folder,
            key: key(&server, &project.migrations, declarations)?,
            major: server.major,
        })
    }

    /// Whether both are known to agree with each other, and with the live database where there is one.
    pub(crate) fn is_known(&self, live: Option<&Schema>) -> bool {
        self.recall().is_some_and(|known| {
            live.is_none_or(|live| {
                // What another major prints is no comparison.
                live.server().major() == self.major && shape(live) == Some(known)
            })
        })
    }

    /// The shape of the schema that both have.
    fn recall(&self) -> Option<String> {
        let file = File::open(self.path()).ok()?;
        let found = file.metadata().ok()?;
        if !found.is_file() || found.uid() != own_uid() || found.len() != LENGTH {
            return None;
        }
        let mut text = String::new();
        file.take(LENGTH).read_to_string(&mut text).ok()?;
        let shape = text.lines().nth(1)?.to_owned();
        (text == self.written(&shape)).then_some(shape)
    }

    /// Remembers that both agree. Where that cannot be written, the next check tries again.
    pub(crate) fn remember(&self, shape: &str) {
        let _ = self.write(shape);
        let _ = forget(&self.folder);
    }

    fn write(&self, shape: &str) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(self.written(shape).as_bytes())?;
        file.persist(self.path())?;
        Ok(())
    }

    fn written(&self, shape: &str) -> String {
        let key = &self.key;
        let mut seal = Hash::default();
        seal.part(key).part(shape);
        format!("{key}\n{shape}\n{}\n", seal.finish())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.key)
    }
}

/// Removes the oldest files where there are too many.
fn forget(folder: &Path) -> io::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    for (_, path) in files.iter().rev().skip(KEPT) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// A hash of what a schema says, whatever server and run it was read in.
pub(crate) fn shape(schema: &Schema) -> Option<String> {
    let mut hash = Hash::default();
    schema.write_shape(&mut hash).ok()?;
    Some(hash.finish())
}

/// A hash of all that decides whether models and migrations agree.
fn key(server: &Server, migrations: &Path, declarations: &Declarations) -> Option<String> {
    let mut hash = Hash::default();
    hash.part(env!("TRUEUP_SOURCES"));
    let postgres = fs::metadata(server.folder.join("postgres")).ok()?;
    hash.part(server.folder.as_os_str().as_encoded_bytes())
        .part(postgres.size().to_le_bytes())
        .part(postgres.mtime().to_le_bytes())
        .part(postgres.mtime_nsec().to_le_bytes())
        .part(
            std::env::var_os("PGOPTIONS")
                .unwrap_or_default()
                .as_encoded_bytes(),
        );
    for migration in migration::read(migrations).ok()? {
        hash.part("migration")
            .part(&migration.name)
            .part(&migration.up)
            .part([u8::from(migration.run_in_transaction)]);
        if mentions_extension(&migration.up) {
            return None;
        }
    }
    for declaration in declarations {
        // Where it was written makes no difference.
        let named: Vec<_> = declaration.parts.iter().map(|part| &part.id).collect();
        let named = serde_json::to_vec(&(&declaration.id, declaration.rank, named)).ok()?;
        let sql = declaration.sql();
        if mentions_extension(&sql) {
            return None;
        }
        hash.part("declaration")
            .part(named)
            .part(&declaration.namespace)
            .part(sql);
    }
    for renamed in declarations.renamed() {
        let Renamed {
            id,
            part,
            was,
            was_part,
            old_is_declared,
            origin: _,
        } = renamed;
        let renamed = serde_json::to_vec(&(id, part, was, was_part, old_is_declared)).ok()?;
        hash.part("renamed").part(renamed);
    }
    for fragment in declarations.fragments() {
        let kind = serde_json::to_vec(&fragment.kind).ok()?;
        hash.part("fragment").part(kind).part(&fragment.sql);
    }
    Some(hash.finish())
}

/// Whether SQL may make an extension: what that brings stands in files that no hash of ours covers.
fn mentions_extension(sql: &str) -> bool {
    const WORD: &[u8] = b"extension";
    sql.as_bytes()
        .windows(WORD.len())
        .any(|window| window.eq_ignore_ascii_case(WORD))
}

/// A hash of parts, of which no two can be taken for one.
#[derive(Default)]
struct Hash(Sha256);

impl Hash {
    fn part(&mut self, part: impl AsRef<[u8]>) -> &mut Self {
        let part = part.as_ref();
        self.0.update(part.len().to_le_bytes());
        self.0.update(part);
        self
    }

    fn finish(self) -> String {
        format!("{:x}", self.0.finalize())
    }
}

impl Write for Hash {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0.update(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(folder: &Path, about: &str) -> Agreement {
        let mut key = Hash::default();
        key.part(about);
        Agreement {
            folder: folder.to_owned(),
            key: key.finish(),
            major: 15,
        }
    }

    #[test]
    fn whatever_becomes_of_the_file_nothing_wrong_is_recalled() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = agreement(folder.path(), "one");
        let shape = shape_of("a schema");
        assert_eq!(one.recall(), None);
        one.remember(&shape);
        assert_eq!(one.recall().as_ref(), Some(&shape));
        let whole = fs::read(one.path()).expect("a file");
        for place in 0..whole.len() {
            let mut spoilt = whole.clone();
            spoilt[place] ^= 1;
            fs::write(one.path(), &spoilt).expect("a file");
            assert_eq!(one.recall(), None, "byte {place}");
            fs::write(one.path(), &whole[..place]).expect("a file");
            assert_eq!(one.recall(), None, "cut at {place}");
        }
        fs::write(one.path(), [&whole[..], b"\n"].concat()).expect("a file");
        assert_eq!(one.recall(), None);
    }

    #[test]
    fn what_is_known_of_one_is_nothing_about_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (
            agreement(folder.path(), "one"),
            agreement(folder.path(), "other"),
        );
        one.remember(&shape_of("a schema"));
        fs::copy(one.path(), other.path()).expect("a copy");
        assert_eq!(other.recall(), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..KEPT + 3 {
            agreement(folder.path(), &number.to_string()).remember(&shape_of("a schema"));
        }
        let kept = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(kept, KEPT);
    }

    fn shape_of(text: &str) -> String {
        let mut hash = Hash::default();
        hash.part(text);
        hash.finish()
    }
}
