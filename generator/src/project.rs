//! Where a project keeps its things, and the one scratch that a command uses.

use std::{cell::OnceCell, path::PathBuf};

use crate::{
    Error,
    binaries::Binaries,
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
