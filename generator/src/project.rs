//! A project's folders and settings, and the one scratch that a command uses.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeSet,
    path::PathBuf,
    time::Duration,
};

use diesel::{PgConnection, QueryResult};
use trueup::{Declarations, Id, Schema};

use crate::{
    Error, ErrorKind,
    migrations::folder,
    postgres::{
        binaries::Binaries,
        connection::connect,
        scratch::{Scratch, ScratchOptions, Surroundings, cluster::Roles},
        url::Url,
    },
    scope::Scope,
    source,
};

/// Presumptions of migrations and files about a server, used as far as no live database tells.
#[derive(Clone, Debug, Default)]
pub struct Presumed {
    /// Roles.
    pub roles: Vec<String>,
    /// A file of SQL that runs on each empty scratch database first: namespaces and objects of a platform, settings.
    pub prelude: Option<PathBuf>,
    /// The search path.
    pub search_path: Option<String>,
}

/// A project, as the command line found it.
#[derive(Debug)]
pub struct Project {
    /// The folder of the migrations.
    pub migrations: PathBuf,
    /// The live database, where one is configured.
    pub database: Option<Url>,
    /// The Postgres programs of this machine.
    pub binaries: Binaries,
    /// A server to make throw-away databases on, instead of starting one.
    pub scratch_url: Option<Url>,
    /// The patterns of objects in scope.
    pub scope: Scope,
    pub(crate) memory: Option<PathBuf>,
    /// The presumptions about a server.
    pub presumed: Presumed,
    scratch: OnceCell<Scratch>,
    /// The live databases that answered.
    seen: RefCell<Vec<Url>>,
    /// The surroundings of a live session, where one is known.
    surroundings: RefCell<Option<Surroundings>>,
    /// True if the scratch is furnished with everything known so far.
    furnished: Cell<bool>,
    /// True if no live database may be asked.
    offline: Cell<bool>,
    /// The objects that the prelude makes.
    made_before: OnceCell<BTreeSet<Id>>,
    /// Objects that copies of live databases lack, as ids and in words.
    left_out: RefCell<(BTreeSet<Id>, BTreeSet<String>)>,
}

impl Project {
    /// Puts a project together.
    #[must_use]
    pub fn new(
        migrations: PathBuf,
        database: Option<Url>,
        binaries: Binaries,
        scratch_url: Option<Url>,
    ) -> Self {
        Self {
            migrations,
            database,
            binaries,
            scratch_url,
            scope: Scope::default(),
            memory: None,
            presumed: Presumed::default(),
            scratch: OnceCell::new(),
            seen: RefCell::default(),
            surroundings: RefCell::default(),
            furnished: Cell::default(),
            offline: Cell::default(),
            made_before: OnceCell::new(),
            left_out: RefCell::default(),
        }
    }

    /// The same project, of which only this is taken into account.
    #[must_use]
    pub fn scoped(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same project, with a folder for what need not be tried again: [`agreement::folder`](crate::prove::agreement::folder).
    #[must_use]
    pub fn remembering(self, memory: Option<PathBuf>) -> Self {
        Self { memory, ..self }
    }

    /// The same project, whose migrations presume this of a server.
    #[must_use]
    pub fn presuming(self, presumed: Presumed) -> Self {
        Self { presumed, ..self }
    }

    /// Notes that a live database answers, and how its sessions are: the configured one's count more than another's.
    pub(crate) fn saw(&self, url: &Url, connection: &mut PgConnection) -> QueryResult<()> {
        self.seen.borrow_mut().push(url.clone());
        if self.database.as_ref() == Some(url) || self.surroundings.borrow().is_none() {
            let there = Surroundings::of(connection)?;
            self.surroundings.replace(Some(there));
            self.furnished.set(false);
        }
        Ok(())
    }

    /// Notes what the scratch cannot have, by ids and in words, and returns the ids of all that was noted.
    pub(crate) fn left_out(&self, ids: BTreeSet<Id>, words: &[String]) -> BTreeSet<Id> {
        let (all, in_words) = &mut *self.left_out.borrow_mut();
        all.extend(ids);
        in_words.extend(words.iter().cloned());
        all.clone()
    }

    /// A remark about objects that the scratch cannot have, if there are any.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        let left_out = self.left_out.borrow();
        let words: Vec<&str> = left_out.1.iter().map(String::as_str).collect();
        (!words.is_empty()).then(|| {
            format!(
                "the scratch server cannot have {}: everything was tried without, `trueup doctor` says more",
                words.join(", ")
            )
        })
    }

    /// Asks no live database from now on.
    pub(crate) fn go_offline(&self) {
        self.offline.set(true);
    }

    /// The surroundings of a scratch: those of the live database if it answers, else those that the project declares.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let url = self.database.as_ref().filter(|_| !self.offline.get());
        if self.surroundings.borrow().is_none()
            && let Some(url) = url
            && let Ok(mut there) = connect(url)
            && let Ok(there) = Surroundings::of(&mut there)
        {
            self.surroundings.replace(Some(there));
        }
        let written = || Surroundings::written(self.presumed.search_path.as_deref());
        self.surroundings.borrow().clone().unwrap_or_else(written)
    }

    /// Fails where the patterns of `include` and `exclude` cannot mean what they say: see [`Scope::refuse`].
    pub(crate) fn refuse_filters(
        &self,
        declarations: &Declarations,
        wanted: &Schema,
        others: &[&Schema],
    ) -> Result<(), Error> {
        self.scope
            .refuse(declarations, self.made_before()?, wanted, others)
    }

    /// The roles that the migrations presume, and those that are said to be there.
    #[must_use]
    pub fn roles_presumed(&self) -> BTreeSet<String> {
        // A folder that cannot be read is told by whatever needs it.
        let migrations = folder::read(&self.migrations).unwrap_or_default();
        let ups = migrations.iter().map(|migration| migration.up.as_str());
        let Roles {
            mut named,
            created,
            in_blocks,
        } = Roles::of(ups);
        named.retain(|role| !created.contains(role) && !in_blocks.contains(role));
        named.extend(self.presumed.roles.iter().cloned());
        named
    }

    /// The objects that the prelude makes on an empty database: no migration of the project made them.
    pub(crate) fn made_before(&self) -> Result<&BTreeSet<Id>, Error> {
        if let Some(made) = self.made_before.get() {
            return Ok(made);
        }
        let made = source::prelude(self)?;
        Ok(self.made_before.get_or_init(|| made))
    }

    /// Explains an error by its cause: if a server went away meanwhile, or a disk is full, the error itself is only a
    /// consequence.
    #[must_use]
    pub fn explained(&self, error: Error) -> Error {
        let said = error.full();
        let scratch = self.scratch.get();
        // A server that lost one session to a crash ends the others some moments later.
        let patience = if said.contains(LOST) {
            PATIENCE
        } else {
            Duration::ZERO
        };
        if scratch.is_some_and(|scratch| scratch.is_gone_within(patience)) {
            let what = "the scratch server ended in the middle of this";
            return Error::caused(ErrorKind::Environment, what, said).hint(
                "somebody ended it, or the machine ran out of memory or of disk: no database of yours was touched; run it again",
            );
        }
        let seen = self.seen.borrow();
        if let Some(url) = seen.iter().find(|url| connect(url).is_err()) {
            let what = format!("the database at {url} went away in the middle of this");
            return Error::caused(ErrorKind::Environment, what, said)
                .hint("run it again when it is back");
        }
        if said.contains(FULL_DISK) && !error.advice().iter().any(|hint| hint.contains(ROOM)) {
            let disk = scratch.and_then(Scratch::folder).map_or_else(
                || "on that disk".to_owned(),
                |folder| format!("in {}, where the scratch server is", folder.display()),
            );
            return Error::new(ErrorKind::Environment, said)
                .hint(format!("{ROOM} {disk}, and run it again"));
        }
        error
    }

    /// True if a scratch was needed so far.
    #[must_use]
    pub fn has_scratch(&self) -> bool {
        self.scratch.get().is_some()
    }

    /// The scratch, started when it is first asked for; then `prefer_major` says which major it should have.
    pub fn scratch(&self, prefer_major: Option<u32>) -> Result<&Scratch, Error> {
        let scratch = if let Some(scratch) = self.scratch.get() {
            scratch
        } else {
            let options = ScratchOptions {
                binaries: &self.binaries,
                prefer_major,
                url: self.scratch_url.clone(),
            };
            let scratch = Scratch::start(&options)?;
            self.scratch.get_or_init(|| scratch)
        };
        if !self.furnished.replace(true) {
            scratch.make_roles(&self.presumed.roles.iter().cloned().collect())?;
            scratch.furnish(&self.surroundings())?;
        }
        Ok(scratch)
    }
}

/// As the C library says it, and so Postgres, where messages are in English.
const FULL_DISK: &str = "No space left on device";

/// As libpq says it.
const LOST: &str = "server closed the connection";

const PATIENCE: Duration = Duration::from_millis(500);

/// The beginning of the hint for a full disk.
const ROOM: &str = "make room";
