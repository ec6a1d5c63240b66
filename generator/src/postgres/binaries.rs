//! Finds the Postgres programs that are installed.
//!
//! Nothing is run that need not be: most folders tell their major by name, and only where a choice hangs on another one is
//! its program asked.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::postgres::children;
use crate::postgres::environment;
use crate::report::{Output, Programs};

/// Folders where installers put programs: the folder, the prefix of its entries, and the programs' place in an entry.
const PLACES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// The environment variable that names folders with Postgres programs, in the manner of `PATH`.
pub const VARIABLE: &str = "TRUEUP_PG_BIN";

/// The Postgres programs of this machine.
#[derive(Debug)]
pub struct Binaries {
    folders: Vec<Folder>,
    by_pg_config: OnceLock<Vec<Folder>>,
    of_live_server: OnceLock<Folder>,
}

/// A folder with the programs of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The folder that holds `initdb` and `postgres`.
    pub folder: PathBuf,
    /// Its major version.
    pub major: u32,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// True if the user named it; false for a place that is searched by default.
    named: bool,
    major: OnceLock<Option<u32>>,
}

/// A program that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BinariesError {
    /// No `initdb` and `postgres` anywhere.
    #[error("no PostgreSQL server programs (initdb, postgres) were found")]
    NoServer,
    /// Servers, but not of this major.
    #[error(
        "no PostgreSQL {wanted} server programs were found, only {}",
        list(found)
    )]
    NotThisMajor {
        /// The major that is needed.
        wanted: u32,
        /// The majors that are there.
        found: Vec<u32>,
    },
    /// No `pg_dump` that can read such a server.
    #[error("no pg_dump of PostgreSQL {at_least} or newer was found")]
    NoDump {
        /// The server's major.
        at_least: u32,
    },
    /// No `psql`.
    #[error("no psql was found")]
    NoPsql,
}

impl BinariesError {
    /// The packages to install.
    #[must_use]
    pub fn hint(&self) -> String {
        let (major, debian, fedora, brew) = match self {
            Self::NoServer => (
                None,
                "postgresql",
                "postgresql-server postgresql-contrib",
                "postgresql",
            ),
            Self::NotThisMajor { wanted, .. } => (
                Some(*wanted),
                "postgresql",
                "postgresql-server",
                "postgresql",
            ),
            Self::NoDump { at_least } => (
                Some(*at_least),
                "postgresql-client",
                "postgresql",
                "postgresql",
            ),
            Self::NoPsql => (None, "postgresql-client", "postgresql", "postgresql"),
        };
        let dashed = major.map(|major| format!("-{major}")).unwrap_or_default();
        let at = major.unwrap_or(18);
        format!(
            "Debian, Ubuntu: apt-get install {debian}{dashed}; Fedora: dnf install {fedora}; macOS: brew install {brew}@{at}; \
             elsewhere name their folder with --pg-bin or {VARIABLE}"
        )
    }
}

fn list(majors: &[u32]) -> String {
    majors
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

impl Binaries {
    /// Looks in the folders of `extra` (as `PATH` lists them; [`VARIABLE`] where there is none), in `PATH`, and where
    /// installers put Postgres.
    #[must_use]
    pub fn find(extra: Option<&OsStr>) -> Self {
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let named = extra.map(OsStr::to_owned).or(variable).unwrap_or_default();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let named = std::env::split_paths(&named).map(|path| Folder::new(path, true));
        let looked_at = std::env::split_paths(&path)
            .chain(installed())
            .map(|path| Folder::new(path, false));
        let mut folders: Vec<Folder> = Vec::new();
        for folder in named.chain(looked_at).filter(Folder::holds_anything) {
            if !folders.iter().any(|known| known.path == folder.path) {
                folders.push(folder);
            }
        }
        Self {
            folders,
            by_pg_config: OnceLock::new(),
            of_live_server: OnceLock::new(),
        }
    }

    /// Also takes the folder that a live server says it runs from, where this machine has it: no other program prints as
    /// that server does.
    pub fn add_live_server(&self, folder: PathBuf) {
        let folder = Folder::new(folder, false);
        if folder.is_server() {
            self.of_live_server.get_or_init(|| folder);
        }
    }

    /// A server of the major that is preferred, else the first that a person named, else the newest.
    pub fn server(&self, prefer: Option<u32>) -> Result<Server, BinariesError> {
        let servers = self.servers(prefer);
        let wanted = servers
            .iter()
            .find(|(server, _)| Some(server.major) == prefer);
        let named = || servers.iter().find(|(_, named)| *named);
        // `max_by_key` takes the last of equals, and what stands first in PATH should win.
        let newest = || servers.iter().rev().max_by_key(|(server, _)| server.major);
        let best = wanted.or_else(named).or_else(newest);
        best.map(|(server, _)| server.clone())
            .ok_or(BinariesError::NoServer)
    }

    /// The folders with programs, in the order in which they are looked through.
    #[must_use]
    pub fn list(&self) -> Vec<Programs> {
        const USED: &[&str] = &["postgres", "initdb", "pg_dump", "pg_restore", "psql"];
        let programs = |folder: &Folder| {
            let there = USED.iter().copied().filter(|program| folder.holds(program));
            let programs: Vec<&'static str> = there.collect();
            Programs {
                folder: folder.path.clone(),
                major: programs.first().and_then(|program| folder.major(program)),
                programs,
            }
        };
        self.all().map(programs).collect()
    }

    /// A server of exactly this major.
    pub fn server_of(&self, wanted: u32) -> Result<Server, BinariesError> {
        let server = self.server(Some(wanted))?;
        if server.major == wanted {
            return Ok(server);
        }
        let mut found: Vec<_> = self
            .servers(None)
            .into_iter()
            .map(|(server, _)| server.major)
            .collect();
        found.sort_unstable();
        found.dedup();
        Err(BinariesError::NotThisMajor { wanted, found })
    }

    /// The `pg_dump` nearest to a server of this major that can still read it.
    pub fn pg_dump(&self, at_least: u32) -> Result<PathBuf, BinariesError> {
        self.nearest("pg_dump", at_least)
            .ok_or(BinariesError::NoDump { at_least })
    }

    /// The `pg_restore` nearest to a server of this major: a newer one sets what an older server does not know.
    pub fn pg_restore(&self, at_least: u32) -> Result<PathBuf, BinariesError> {
        self.nearest("pg_restore", at_least)
            .ok_or(BinariesError::NoDump { at_least })
    }

    fn nearest(&self, program: &str, at_least: u32) -> Option<PathBuf> {
        let nearest = |folders: &mut dyn Iterator<Item = &Folder>| {
            folders
                .filter(|folder| folder.holds(program))
                .filter_map(|folder| Some((folder.major(program)?, folder.path.join(program))))
                .filter(|(major, _)| *major >= at_least)
                .min_by_key(|(major, _)| *major)
        };
        nearest(&mut self.folders.iter().chain(self.of_live_server.get()))
            .or_else(|| nearest(&mut self.by_pg_config().iter()))
            .map(|(_, program)| program)
    }

    /// The newest `psql`.
    pub fn psql(&self) -> Result<PathBuf, BinariesError> {
        let folders: Vec<_> = self.all().filter(|folder| folder.holds("psql")).collect();
        let newest = folders
            .into_iter()
            .rev()
            .max_by_key(|folder| folder.major("psql"));
        newest
            .map(|folder| folder.path.join("psql"))
            .ok_or(BinariesError::NoPsql)
    }

    /// The servers, with whether a person named their folder; `pg_config` is asked only when `prefer` is not among them.
    fn servers(&self, prefer: Option<u32>) -> Vec<(Server, bool)> {
        let of = |folder: &Folder| {
            let major = folder
                .is_server()
                .then(|| folder.major("postgres"))
                .flatten()?;
            Some((
                Server {
                    folder: folder.path.clone(),
                    major,
                },
                folder.named,
            ))
        };
        let known = self.folders.iter().chain(self.of_live_server.get());
        let mut servers: Vec<_> = known.filter_map(of).collect();
        let enough = servers
            .iter()
            .any(|(server, _)| prefer.is_none_or(|major| server.major == major));
        if !enough {
            servers.extend(self.by_pg_config().iter().filter_map(of));
        }
        servers
    }

    fn all(&self) -> impl Iterator<Item = &Folder> {
        // The folder that pg_config names is searched only after all others have been.
        self.folders
            .iter()
            .chain(self.of_live_server.get())
            .chain(std::iter::once_with(|| self.by_pg_config().iter()).flatten())
    }

    fn by_pg_config(&self) -> &[Folder] {
        self.by_pg_config.get_or_init(|| {
            let text = answer("pg_config".as_ref(), "--bindir");
            let folder = text.map(|text| Folder::new(PathBuf::from(text.trim()), false));
            folder
                .filter(|folder| {
                    folder.holds_anything()
                        && !self.folders.iter().any(|known| known.path == folder.path)
                })
                .into_iter()
                .collect()
        })
    }
}

impl Folder {
    fn new(path: PathBuf, named: bool) -> Self {
        Self {
            path,
            named,
            major: OnceLock::new(),
        }
    }

    fn is_server(&self) -> bool {
        self.holds("initdb") && self.holds("postgres")
    }

    fn holds_anything(&self) -> bool {
        let clients = ["pg_dump", "pg_restore", "psql"];
        let has_client = clients.iter().any(|program| self.holds(program));
        self.path.is_absolute() && (self.is_server() || has_client)
    }

    /// True if the program is here. Debian's `/usr/bin/psql` and its like are Perl scripts that choose among the real ones,
    /// which are found as well; the scripts cost 50 ms a call.
    fn holds(&self, program: &str) -> bool {
        let path = self.path.join(program);
        fs::canonicalize(path)
            .is_ok_and(|real| real.is_file() && real.file_name() != Some(OsStr::new("pg_wrapper")))
    }

    fn major(&self, program: &str) -> Option<u32> {
        let ask_or_guess = || {
            // Folders in PATH often hold links into a folder whose name tells.
            let program = fs::canonicalize(self.path.join(program)).ok()?;
            major_by_name(&self.path)
                .or_else(|| major_by_name(program.parent()?))
                .or_else(|| ask(&program))
        };
        *self.major.get_or_init(ask_or_guess)
    }
}

fn installed() -> impl Iterator<Item = PathBuf> {
    PLACES.iter().flat_map(|(place, prefix, programs)| {
        let entries = fs::read_dir(place)
            .into_iter()
            .flatten()
            .filter_map(Result::ok);
        entries
            .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(move |entry| entry.path().join(programs))
    })
}

/// The major in `…/postgresql/15/bin`, `…/pgsql-15/bin`, `…/postgresql@15/bin`, `…/Versions/15/bin`.
fn major_by_name(folder: &Path) -> Option<u32> {
    let version = folder.parent().filter(|_| folder.ends_with("bin"))?;
    let name = version.file_name()?.to_str()?;
    let above = version
        .parent()
        .and_then(Path::file_name)
        .and_then(OsStr::to_str);
    let number = match above {
        Some("postgresql" | "Versions") => name,
        _ => ["pgsql-", "postgresql@", "postgresql-"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))?,
    };
    number.parse().ok()
}

/// The major of `postgres (PostgreSQL) 15.18 (Debian …)`, `pg_dump (PostgreSQL) 18beta1`.
fn ask(program: &Path) -> Option<u32> {
    let text = answer(program, "--version")?;
    let version = text.split_once("(PostgreSQL) ")?.1;
    version
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// The answer of a program to a short question. One that hangs is named, and does without an answer.
fn answer(program: &Path, question: &str) -> Option<String> {
    let mut command = Command::new(program);
    environment::for_program(&mut command);
    command.arg(question);
    let name = program.display().to_string();
    let output = match children::output(command, &name, None, Some(children::AT_ONCE)) {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Output::default().note(format!("{name} {question}: {error}; it is left out"));
            return None;
        }
        output => output.ok()?,
    };
    let done = output.status.success().then_some(output.stdout)?;
    String::from_utf8(done).ok()
}

#[cfg(test)]
mod tests;
