//! What every command works with: the project that the user is in, and where to speak.

use std::{env, ffi::OsStr, path::PathBuf};

use generator::{
    Error, ErrorKind, Project, agreement,
    binaries::{self, Binaries},
    embedded::{self, Embedded},
    report::Output,
    source::Source,
    url::Url,
};

use crate::{
    arguments::Global,
    settings::{Place, Settings},
    workspace,
};

/// The environment variable that names the database.
const DATABASE: &str = "DATABASE_URL";

/// The environment variable that names a server for throw-away databases.
const SCRATCH: &str = "TRUEUP_SCRATCH_URL";

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The project's root.
    pub(crate) root: PathBuf,
    /// The project.
    pub(crate) project: Project,
    /// Where to speak.
    pub(crate) output: Output,
}

/// A database to work on; where it is the project's own, it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Live {
    /// Where it is.
    pub(crate) url: Url,
    _embedded: Option<Embedded>,
}

impl Context {
    /// Finds the project and its settings.
    pub(crate) fn new(global: &Global, output: Output) -> Result<Self, Error> {
        let folder = env::current_dir().map_err(|error| {
            Error::caused(ErrorKind::Environment, "there is no current folder", error)
        })?;
        let root = workspace::root(&folder);
        let settings = Settings::load(&root)?;
        let migrations = match &global.migrations {
            Some(migrations) => migrations.clone(),
            None => workspace::migrations(&folder, &root)?,
        };
        // Paths are shown as the user would write them.
        let migrations = match migrations.strip_prefix(&folder) {
            Ok(within) if !within.as_os_str().is_empty() => within.to_owned(),
            Ok(_) | Err(_) => migrations,
        };
        output.detail(format!("root        {}", root.display()));
        output.detail(format!("migrations  {}", migrations.display()));
        let url = |given: &Option<String>, option, name| -> Result<Option<Url>, Error> {
            let found = settings.or_option(given.as_deref().map(OsStr::new), option, name);
            let Some((text, place)) = found else {
                output.detail(format!("{name} is not set"));
                return Ok(None);
            };
            let url = parse(&text, &place, name)?;
            output.detail(format!("{name} is {url}, from {place}"));
            Ok(Some(url))
        };
        let database = url(&global.database_url, "--database-url", DATABASE)?;
        let scratch = url(&global.scratch_url, "--scratch-url", SCRATCH)?;
        let pg_bin = settings.or_option(global.pg_bin.as_deref(), "--pg-bin", binaries::VARIABLE);
        let binaries = Binaries::find(pg_bin.as_ref().map(|(folders, _)| folders.as_os_str()));
        Ok(Self {
            root,
            project: Project::new(migrations, database, binaries, scratch)
                .remembering(agreement::folder()),
            output,
        })
    }

    /// The database that is configured, else the project's own, which is started.
    pub(crate) fn live(&self) -> Result<Live, Error> {
        match &self.project.database {
            Some(url) => Ok(Live {
                url: url.clone(),
                _embedded: None,
            }),
            None => self.embedded(),
        }
    }

    /// The database that is configured, else the project's own where it was made already.
    pub(crate) fn live_if_there(&self) -> Result<Option<Live>, Error> {
        let there = self.project.database.is_some() || self.root.join(embedded::FOLDER).is_dir();
        there.then(|| self.live()).transpose()
    }

    /// Reads a source as it is spelled on the command line.
    pub(crate) fn source(&self, text: &str) -> Result<Source, Error> {
        Source::parse(text, &self.project)
    }

    fn embedded(&self) -> Result<Live, Error> {
        let embedded = Embedded::start(&self.root, &self.project.binaries)?;
        self.output.note(format!(
            "{DATABASE} is not set: using the project's own PostgreSQL in {}",
            embedded.folder().display()
        ));
        Ok(Live {
            url: embedded.url().clone(),
            _embedded: Some(embedded),
        })
    }
}

fn parse(text: &OsStr, place: &Place, name: &str) -> Result<Url, Error> {
    let what = match place {
        Place::Option(option) => format!("{option} is no connection string"),
        Place::Environment | Place::File(_) => {
            format!("{name} in {place} is no connection string")
        }
    };
    let Some(text) = text.to_str() else {
        return Err(Error::input(format!("{what}: it is not UTF-8")));
    };
    Url::parse(text).map_err(|error| {
        Error::caused(ErrorKind::Input, what, error)
            .hint("write postgres://USER:PASSWORD@HOST:PORT/NAME, or leave it empty for none")
    })
}
