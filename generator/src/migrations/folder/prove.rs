//! The header of a migration that was proved where it lies: it comes above the SQL, which stays as it is.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::{
    Header, KnownBy, Migration, MigrationError, Parent, Proved, Seal,
    change::{LOCK, UNFINISHED, hold_writing, lock},
    header::is_unwritten,
};

/// A migration with a new header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reheaded {
    /// The migration as it was read.
    pub migration: Migration,
    /// The text of its `up.sql` with the new header.
    pub up: String,
}

/// The header of a migration after `before`, which come before it, once `sentence` was proved of it.
#[must_use]
pub fn proved_header(migration: &Migration, before: &[Migration], sentence: String) -> Header {
    let seal = Some(Seal::of_migration(migration));
    let proof = vec![sentence];
    let Some(header) = &migration.header else {
        return Header {
            message: migration.title().replace('_', " "),
            proof,
            seal,
            by_hand: true,
            after: before.last().map(Parent::of),
            ..Header::default()
        };
    };
    // A data step that was not written is by now.
    let was_unwritten = header.proof.iter().any(|one| is_unwritten(one));
    let is_edited = was_unwritten || matches!(migration.proved(), Proved::Edited(_));
    let was = match header.known_by {
        KnownBy::Whole => Some(Parent::of(migration).hash),
        KnownBy::Body => header.was.clone().filter(|_| !is_edited),
    };
    let as_it_is = |parent: &Parent| {
        let found = before.iter().find(|one| one.version == parent.version);
        found.map_or_else(|| parent.clone(), Parent::of)
    };
    Header {
        parents: header.parents.iter().map(as_it_is).collect(),
        after: header.after.as_ref().map(as_it_is),
        by_hand: header.by_hand || header.proof.is_empty() || is_edited,
        summary: if is_edited {
            Vec::new()
        } else {
            header.summary.clone()
        },
        proof,
        seal,
        was,
        known_by: KnownBy::Body,
        ..header.clone()
    }
}

impl Reheaded {
    /// Puts a header above a migration's SQL, with the line ends that are there.
    #[must_use]
    pub fn new(migration: &Migration, header: &Header) -> Self {
        let mut head = header.render();
        let first_line = migration.up.split_inclusive('\n').next();
        if first_line.is_some_and(|line| line.ends_with("\r\n")) {
            head = head.replace('\n', "\r\n");
        }
        Self {
            up: head + Header::body(&migration.up),
            migration: migration.clone(),
        }
    }

    /// The migration as it is to be.
    #[must_use]
    pub fn as_migration(&self) -> Migration {
        Migration {
            header: Header::parse(&self.up),
            up: self.up.clone(),
            ..self.migration.clone()
        }
    }
}

/// Writes new headers, each file at once. Nothing is written if a migration has changed since it was read.
pub fn rehead(dir: &Path, reheaded: &[Reheaded]) -> Result<(), MigrationError> {
    let _lock = lock(dir).map_err(MigrationError::at(&dir.join(LOCK)))?;
    let mut changed = Vec::new();
    for Reheaded { migration, .. } in reheaded {
        if Migration::read(&migration.name, &migration.dir)? != *migration {
            changed.push(migration.name.clone());
        }
    }
    if !changed.is_empty() {
        return Err(MigrationError::Edited { names: changed });
    }
    let _writing = hold_writing();
    for Reheaded { migration, up } in reheaded {
        let path = migration.dir.join("up.sql");
        replace_file(&migration.dir, &path, up).map_err(MigrationError::at(&path))?;
    }
    Ok(())
}

/// Replaces a file, which keeps its permissions; a link goes on leading to it.
fn replace_file(dir: &Path, path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let beside = path.parent().unwrap_or(dir);
    // A temporary file among the migrations' folders is swept after a kill. A link may lead to another disk, though, and a
    // rename cannot cross disks.
    let device = |folder: &Path| fs::metadata(folder).map(|found| found.dev());
    let among = dir.parent().unwrap_or(dir);
    let is_near = device(among)? == device(beside)?;
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(if is_near { among } else { beside })?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    File::open(beside)?.sync_all()
}
