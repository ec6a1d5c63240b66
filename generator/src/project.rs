//! Where a project keeps its things, and the one scratch that a command uses.

use std::{
    cell::{OnceCell, RefCell},
    path::PathBuf,
    time::Duration,
};

use crate::{
    Error, ErrorKind,
    binaries::Binaries,
    connection::connect,
    scope::Scope,
    scratch::{Scratch, ScratchOptions},
    url::Url,
};

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
    /// What is taken into account.
    pub scope: Scope,
    pub(crate) memory: Option<PathBuf>,
    scratch: OnceCell<Scratch>,
    /// The live databases that answered.
    seen: RefCell<Vec<Url>>,
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
            scratch: OnceCell::new(),
            seen: RefCell::default(),
        }
    }

    /// The same project, of which only this is taken into account.
    #[must_use]
    pub fn scoped(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same project, with a folder for what need not be tried again: [`agreement::folder`](crate::agreement::folder).
    #[must_use]
    pub fn remembering(self, memory: Option<PathBuf>) -> Self {
        Self { memory, ..self }
    }

    /// Notes that a live database answers.
    pub(crate) fn saw(&self, url: &Url) {
        self.seen.borrow_mut().push(url.clone());
    }

    /// What is to be said of a failure: where a server went away meanwhile, or a disk is full, all else only follows from it.
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

    /// Whether a scratch was needed so far.
    #[must_use]
    pub fn has_scratch(&self) -> bool {
        self.scratch.get().is_some()
    }

    /// The scratch, started when it is first asked for; then `prefer_major` says which major it should have.
    pub fn scratch(&self, prefer_major: Option<u32>) -> Result<&Scratch, Error> {
        if let Some(scratch) = self.scratch.get() {
            return Ok(scratch);
        }
        let options = ScratchOptions {
            binaries: &self.binaries,
            prefer_major,
            url: self.scratch_url.clone(),
        };
        let scratch = Scratch::start(&options)?;
        Ok(self.scratch.get_or_init(|| scratch))
    }
}

/// As the C library says it, and so Postgres, where messages are in English.
const FULL_DISK: &str = "No space left on device";

/// As libpq says it.
const LOST: &str = "server closed the connection";

const PATIENCE: Duration = Duration::from_millis(500);

/// What helps.
const ROOM: &str = "make room";
