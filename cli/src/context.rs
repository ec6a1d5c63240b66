//! Context of every command: the project that the user is in, and the output.

use std::{env, num::ParseIntError, path::PathBuf};

use generator::{
    Error, ErrorKind, Presumed, Project,
    migrations::apply::{self, Event, Listener, Timeouts},
    postgres::{
        binaries::Binaries,
        embedded::{self, Embedded},
        secrets,
        url::Url,
    },
    prove::agreement,
    report::Output,
    scope::Scope,
    source::Source,
};

use crate::{
    arguments::Global,
    settings::{self, Found, Given, Setting, Settings},
    workspace,
};

/// Context of every command.
#[derive(Debug)]
pub(crate) struct Context {
    /// The project's root.
    pub(crate) root: PathBuf,
    /// The project.
    pub(crate) project: Project,
    /// The settings and their sources.
    pub(crate) settings: Settings,
    /// Timeouts and retries of migrations.
    patience: Patience,
    /// True if every question whether to go on is answered already: yes.
    pub(crate) yes: bool,
    /// Output of messages and reports.
    pub(crate) output: Output,
}

/// A database to work on; where it is the project's own, it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Live {
    /// Its URL.
    pub(crate) url: Url,
    embedded: Option<Embedded>,
}

impl Live {
    /// True for the project's own database.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }
}

/// Timeouts and retries of migrations.
#[derive(Debug)]
struct Patience {
    lock: String,
    statement: String,
    retries: u32,
}

impl Patience {
    /// The server knows which texts are times, and says so when it is told.
    fn of(settings: &Settings) -> Result<Self, Error> {
        let text = |setting: &Setting| -> Result<(String, String), Error> {
            let Some(found) = settings.get(setting) else {
                return Ok((String::new(), String::new()));
            };
            Ok((utf8(&found, setting)?, settings.written(setting, &found)))
        };
        let time = |setting: &Setting| -> Result<String, Error> {
            let (value, place) = text(setting)?;
            // For Postgres it is a number of milliseconds, which is hardly what anybody means.
            let is_bare = value
                .trim()
                .parse::<f64>()
                .is_ok_and(|number| number != 0.0);
            if !is_bare {
                return Ok(value);
            }
            Err(
                Error::input(format!("{place} = {value} is a time without a unit")).hint(format!(
                    "write {value}s for seconds, {value}ms, or {value}min"
                )),
            )
        };
        let (retries, place) = text(&settings::LOCK_RETRIES)?;
        let retries = retries.parse().map_err(|error: ParseIntError| {
            let doing = format!("{place}: {retries:?} is no number of retries");
            Error::caused(ErrorKind::Input, doing, error)
        })?;
        Ok(Self {
            lock: time(&settings::LOCK_TIMEOUT)?,
            statement: time(&settings::STATEMENT_TIMEOUT)?,
            retries,
        })
    }
}

impl Context {
    /// Finds the project and its settings.
    pub(crate) fn new(global: &Global, output: Output) -> Result<Self, Error> {
        let folder = env::current_dir().map_err(|error| {
            Error::caused(ErrorKind::Environment, "there is no current folder", error)
        })?;
        let root = workspace::root(&folder);
        let settings = Settings::load(&root, given(global))?;
        let migrations = match settings.get(&settings::MIGRATIONS) {
            Some(found) => found.path(),
            None => workspace::migrations(&folder, &root)?,
        };
        // Paths are shown as the user would write them.
        let migrations = match migrations.strip_prefix(&folder) {
            Ok(within) if !within.as_os_str().is_empty() => within.to_owned(),
            Ok(_) | Err(_) => migrations,
        };
        output.detail(format!("root        {}", root.display()));
        output.detail(format!("migrations  {}", migrations.display()));
        let url = |setting: &Setting| -> Result<Option<Url>, Error> {
            let Some(found) = settings.get(setting) else {
                output.detail(format!("{} is not set", setting.variable));
                return Ok(None);
            };
            let url = parse(&found, setting, &settings)?;
            let place = found.place;
            output.detail(format!("{} is {url}, from {place}", setting.variable));
            Ok(Some(url))
        };
        let database = url(&settings::DATABASE)?;
        let scratch = url(&settings::SCRATCH)?;
        secrets::remember_files(database.as_ref());
        let programs = settings.get(&settings::PROGRAMS);
        let binaries = Binaries::find(programs.as_ref().map(|found| found.value.as_os_str()));
        let patterns = &settings.patterns;
        let scope = Scope::new(&patterns.include, &patterns.exclude)?;
        let presumed = Presumed {
            roles: settings.scratch.roles.clone(),
            prelude: settings
                .scratch
                .prelude
                .as_ref()
                .map(|path| root.join(path)),
            search_path: settings.scratch.search_path.clone(),
        };
        Ok(Self {
            project: Project::new(migrations, database, binaries, scratch)
                .scoped(scope)
                .presuming(presumed)
                .remembering(agreement::folder()),
            patience: Patience::of(&settings)?,
            root,
            settings,
            yes: global.yes,
            output,
        })
    }

    /// Options for applying migrations to this database.
    pub(crate) fn applying<'a>(
        &'a self,
        live: &'a Live,
        tell: &'a (dyn Fn(&Event<'_>) + Sync),
    ) -> apply::Options<'a> {
        apply::Options {
            timeouts: Timeouts {
                lock: &self.patience.lock,
                statement: &self.patience.statement,
                retries: self.patience.retries,
            },
            url: Some(&live.url),
            listener: Listener::new(tell),
            ..apply::Options::default()
        }
    }

    /// The database that is configured, else the project's own, which is started.
    pub(crate) fn live(&self) -> Result<Live, Error> {
        if let Some(url) = &self.project.database {
            return Ok(Live {
                url: url.clone(),
                embedded: None,
            });
        }
        let embedded = self.embedded()?;
        embedded.make_roles(&self.project.roles_presumed())?;
        self.output.note(format!(
            "{} is not set: using the project's own PostgreSQL in {}",
            settings::DATABASE.variable,
            embedded.folder().display()
        ));
        Ok(Live {
            url: embedded.url().clone(),
            embedded: Some(embedded),
        })
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

    /// The project's own database, started.
    pub(crate) fn embedded(&self) -> Result<Embedded, Error> {
        Ok(Embedded::start(&self.root, &self.project.binaries)?)
    }
}

fn given(global: &Global) -> Given {
    Given::default()
        .and(&settings::DATABASE, global.database_url.as_ref())
        .and(&settings::SCRATCH, global.scratch_url.as_ref())
        .and(&settings::PROGRAMS, global.pg_bin.as_ref())
        .and(&settings::MIGRATIONS, global.migrations.as_ref())
        .and(&settings::LOCK_TIMEOUT, global.lock_timeout.as_ref())
        .and(&settings::LOCK_RETRIES, global.lock_retries.as_ref())
        .and(
            &settings::STATEMENT_TIMEOUT,
            global.statement_timeout.as_ref(),
        )
}

fn parse(found: &Found, setting: &Setting, settings: &Settings) -> Result<Url, Error> {
    let what = format!(
        "{} is no connection string",
        settings.written(setting, found)
    );
    Url::parse(&utf8(found, setting)?).map_err(|error| {
        Error::caused(ErrorKind::Input, what, error)
            .hint("write postgres://USER@HOST:PORT/NAME (a password goes behind USER and a colon), or leave it empty for none")
    })
}

fn utf8(found: &Found, setting: &Setting) -> Result<String, Error> {
    let text = found.value.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        Error::input(format!(
            "{} in {} is not UTF-8",
            setting.variable, found.place
        ))
    })
}
