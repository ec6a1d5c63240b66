//! Remembers which models were found to agree with which migrations, so that a `check` of what nobody changed tries
//! nothing again, and one of a few changed models tries those.
//!
//! Invariant: only that they agree is remembered, under a hash of all that it follows from. A difference is always found
//! anew, nothing that is written rests on what is remembered, and a file that is not exactly as it was written counts as
//! none.

mod trials;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trueup::{Declarations, Id, Renamed, Schema};

use crate::{
    Project, files,
    migrations::folder::Migration,
    postgres::{
        binaries::Server,
        scratch::{
            account::{own_uid, server_account},
            claim,
        },
    },
};

pub(crate) use trials::Trials;

/// The number of files that are kept: two for each agreement, for as many projects and branches as a person goes between.
const KEPT: usize = 64;

/// The folder, below the user's cache folder, for what is remembered; `None` where no folder is this user's alone.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let account = server_account().ok()?;
    let folder = claim::cache(account).ok()?.join("agreements");
    claim::private_folder(&folder, 0o700).ok()?;
    Some(folder)
}

/// The place where it is remembered which models agree with these migrations on this Postgres.
#[derive(Debug)]
pub(crate) struct Agreement {
    folder: PathBuf,
    key: String,
    /// The major of the Postgres that both were tried on.
    major: u32,
}

/// A remembered agreement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    /// A hash of what the schema that both have says.
    shape: String,
    /// A hash of the file that holds the schema.
    schema: String,
    /// The folders with all that an extension can bring.
    extensions: [PathBuf; 2],
    /// A hash of what was in them.
    brought: String,
    fingerprint: Fingerprint,
    /// The top-level objects of the schema that autogen's migrations did not make.
    by_hand: BTreeSet<Id>,
}

/// The hashed content of the models.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// A hash of all that they said about old names.
    renamed: String,
    /// A hash of the SQL that was written by hand.
    fragments: String,
    /// The declarations of each struct, enum and macro, by its object.
    forms: Vec<Form>,
}

/// The declarations of one struct, enum or macro.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Form {
    of: Id,
    /// The objects that it names, in the order of its declarations.
    named: Vec<Id>,
    /// A hash of the declarations.
    hash: String,
}

impl Fingerprint {
    /// Takes down what models say.
    pub(crate) fn by(declarations: &Declarations) -> Option<Self> {
        let mut forms: BTreeMap<&Id, (Vec<Id>, Hash)> = BTreeMap::new();
        for declaration in declarations {
            let sql = declaration.sql();
            let (named, hash) = forms.entry(&declaration.of).or_default();
            named.extend(declaration.id.clone());
            // The origin in the source makes no difference.
            let parts: Vec<_> = declaration.parts.iter().map(|part| &part.id).collect();
            let ids = serde_json::to_vec(&(
                &declaration.id,
                declaration.rank,
                parts,
                &declaration.decides,
            ))
            .ok()?;
            hash.part(ids).part(&declaration.namespace).part(sql);
        }
        let mut renames = Hash::default();
        for renamed in declarations.renamed() {
            let Renamed {
                id,
                part,
                was,
                was_part,
                old_is_declared,
                origin: _,
            } = renamed;
            renames.part(serde_json::to_vec(&(id, part, was, was_part, old_is_declared)).ok()?);
        }
        let mut fragments = Hash::default();
        for fragment in declarations.fragments() {
            fragments
                .part(serde_json::to_vec(&fragment.kind).ok()?)
                .part(&fragment.sql);
        }
        let forms = forms.into_iter().map(|(of, (named, hash))| Form {
            of: of.clone(),
            named,
            hash: hash.finish(),
        });
        Some(Self {
            renamed: renames.finish(),
            fragments: fragments.finish(),
            forms: forms.collect(),
        })
    }

    /// The objects of the structs, enums and macros that have changed, with all objects that they name or named; `None` if old
    /// names changed.
    pub(crate) fn changed_since(&self, before: &Self) -> Option<Changed> {
        if self.renamed != before.renamed {
            return None;
        }
        let (now, then): (BTreeSet<&Form>, BTreeSet<&Form>) =
            (self.forms.iter().collect(), before.forms.iter().collect());
        let mut changed = Changed::default();
        for form in now.symmetric_difference(&then) {
            changed.of.insert(form.of.clone());
            changed.named.extend(form.named.iter().cloned());
        }
        Some(changed)
    }
}

/// The difference between two states of the models.
#[derive(Default, Debug)]
pub(crate) struct Changed {
    /// The objects of the changed structs, enums and macros.
    pub(crate) of: BTreeSet<Id>,
    /// All that they name or named.
    pub(crate) named: BTreeSet<Id>,
}

impl Known {
    /// True if the models are still the ones that agreed.
    pub(crate) fn is_said(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint == *fingerprint
    }

    /// The top-level objects that autogen's migrations did not make.
    pub(crate) fn by_hand(&self) -> &BTreeSet<Id> {
        &self.by_hand
    }

    /// The content of the models that agreed.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl Agreement {
    /// Finds the place; `None` where nothing may be remembered.
    pub(crate) fn of(
        project: &Project,
        migrations: &[Migration],
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
            key: key(project, &server, migrations)?,
            major: server.major,
        })
    }

    /// The remembered agreement with the migrations, and with the live database if there is one.
    pub(crate) fn recall(&self, live: Option<&Schema>) -> Option<Known> {
        let known = self.known()?;
        let agrees = live.is_none_or(|live| {
            // Texts that another major prints cannot be compared.
            live.server().major() == self.major
                && live.is_known()
                && shape(live).is_ok_and(|shape| shape == known.shape)
        });
        agrees.then_some(known)
    }

    /// The schema that both have.
    pub(crate) fn schema(&self, known: &Known) -> Option<Schema> {
        let text = read(&self.folder.join(&known.schema))?;
        let is_as_written = hash(&text) == known.schema;
        let schema = is_as_written.then(|| Schema::from_json(&text).ok())??;
        (shape(&schema).ok()? == known.shape).then_some(schema)
    }

    fn known(&self) -> Option<Known> {
        let text = read(&self.path())?;
        let (sealed, seal) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let (key, known) = sealed.split_once('\n')?;
        let is_as_written = key == self.key && hash(sealed) == seal;
        let known: Known = is_as_written.then(|| serde_json::from_str(known).ok())??;
        let brought = contents(&known.extensions).ok()?;
        (brought == known.brought).then_some(known)
    }

    /// Remembers that the migrations make this schema, and that these models want it. `extensions` are the server's folders for
    /// them. If that cannot be written, the next check tries again.
    pub(crate) fn remember(
        &self,
        schema: &Schema,
        fingerprint: &Fingerprint,
        by_hand: &BTreeSet<Id>,
        extensions: [PathBuf; 2],
    ) {
        // A file left without its other half does no harm.
        let _ = self.write(schema, fingerprint, by_hand, extensions);
        let _ = forget(&self.folder);
    }

    fn write(
        &self,
        schema: &Schema,
        fingerprint: &Fingerprint,
        by_hand: &BTreeSet<Id>,
        extensions: [PathBuf; 2],
    ) -> io::Result<()> {
        let text = schema.to_json_line()?;
        let known = Known {
            shape: shape(schema)?,
            schema: hash(&text),
            brought: contents(&extensions)?,
            extensions,
            fingerprint: fingerprint.clone(),
            by_hand: by_hand.clone(),
        };
        let sealed = format!("{}\n{}", self.key, serde_json::to_string(&known)?);
        put(&self.folder, &known.schema, &text)?;
        let seal = hash(&sealed);
        put(&self.folder, &self.key, &format!("{sealed}\n{seal}\n"))
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.key)
    }
}

/// The content of a regular file that this user owns.
fn read(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.uid() != own_uid() {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some(text)
}

fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(folder.join(name))?;
    Ok(())
}

fn hash(text: &str) -> String {
    let mut hash = Hash::default();
    hash.part(text);
    hash.finish()
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
fn shape(schema: &Schema) -> serde_json::Result<String> {
    let mut hash = Hash::default();
    schema.write_shape(&mut hash)?;
    Ok(hash.finish())
}

/// A hash of all that decides what the migrations make.
fn key(project: &Project, server: &Server, migrations: &[Migration]) -> Option<String> {
    let mut hash = begin_key(server)?;
    for setting in &project.surroundings().settings {
        hash.part(&setting.name)
            .part(&setting.value)
            .part([u8::from(setting.overrides_database)]);
    }
    if let Some(path) = &project.presumed.prelude {
        hash.part(files::read(path).ok()?);
    }
    for migration in migrations {
        hash.part(&migration.name)
            .part(&migration.up)
            .part([u8::from(migration.run_in_transaction)]);
    }
    Some(hash.finish())
}

/// A hash of this program and of the server that it would start.
fn begin_key(server: &Server) -> Option<Hash> {
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
    Some(hash)
}

/// A hash of which files there are and when they were written, as an installation leaves them.
fn contents(folders: &[PathBuf]) -> io::Result<String> {
    let mut hash = Hash::default();
    for folder in folders {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let found = entry.metadata()?;
            files.push((
                entry.file_name(),
                found.size(),
                found.mtime(),
                found.mtime_nsec(),
            ));
        }
        files.sort();
        hash.part(files.len().to_le_bytes());
        for (name, size, second, nanosecond) in files {
            hash.part(name.as_encoded_bytes())
                .part(size.to_le_bytes())
                .part(second.to_le_bytes())
                .part(nanosecond.to_le_bytes());
        }
    }
    Ok(hash.finish())
}

/// A hash of parts, of which no two can be taken for one.
#[derive(Clone, Default)]
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
    fn whatever_becomes_of_the_files_nothing_wrong_is_recalled() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = agreement(folder.path(), "one");
        assert_eq!(one.recall(None), None);
        one.remember(
            &schema(),
            &fingerprint(),
            &BTreeSet::new(),
            extensions(folder.path()),
        );
        let known = one.recall(None).expect("it was remembered");
        assert!(known.is_said(&fingerprint()));
        let path = one.path();
        spoil(&path, || one.recall(None).is_none());
        let path = one.folder.join(&known.schema);
        spoil(&path, || one.schema(&known).is_none());
        assert!(one.schema(&known).is_some());
    }

    #[test]
    fn what_is_known_of_one_is_nothing_about_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (
            agreement(folder.path(), "one"),
            agreement(folder.path(), "other"),
        );
        one.remember(
            &schema(),
            &fingerprint(),
            &BTreeSet::new(),
            extensions(folder.path()),
        );
        fs::copy(one.path(), other.path()).expect("a copy");
        assert_eq!(other.recall(None), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..KEPT + 3 {
            agreement(folder.path(), &number.to_string()).remember(
                &schema(),
                &fingerprint(),
                &BTreeSet::new(),
                extensions(folder.path()),
            );
        }
        let kept = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(kept, KEPT);
    }

    /// Changes each byte of a file, cuts it everywhere and adds to it.
    fn spoil(path: &Path, is_unknown: impl Fn() -> bool) {
        let whole = fs::read(path).expect("a file");
        for place in 0..whole.len() {
            let mut spoilt = whole.clone();
            spoilt[place] ^= 1;
            fs::write(path, &spoilt).expect("a file");
            assert!(is_unknown(), "byte {place}");
            fs::write(path, &whole[..place]).expect("a file");
            assert!(is_unknown(), "cut at {place}");
        }
        fs::write(path, [&whole[..], b"\n"].concat()).expect("a file");
        assert!(is_unknown(), "a line more");
        fs::write(path, whole).expect("a file");
    }

    fn schema() -> Schema {
        Schema::from_json(r#"{"server": {"version_num": 150000}, "entries": []}"#)
            .expect("a schema")
    }

    /// Folders as a server has them, beside those of what is remembered.
    fn extensions(memory: &Path) -> [PathBuf; 2] {
        let beside = |name| {
            let folder = memory.with_extension(name);
            fs::create_dir_all(&folder).expect("a folder");
            folder
        };
        [beside("scripts"), beside("libraries")]
    }

    fn fingerprint() -> Fingerprint {
        Fingerprint {
            renamed: hash("no renames"),
            fragments: hash("no SQL"),
            forms: Vec::new(),
        }
    }
}
