//! A throw-away Postgres: where anything may be tried, and nothing is left.
//!
//! Each process starts a server of its own on a copy of a pristine cluster; where that is not possible, it makes throw-away
//! databases on a server that it is pointed to. Nothing outlives the process for long: a run that is killed leaves a folder
//! (or databases) whose lock is free, and the next run sweeps those.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use trueup::name::quoted_ident;

use crate::postgres::binaries::Binaries;
use crate::postgres::connection::{ConnectError, connect, server_version};
use crate::postgres::url::Url;

pub(crate) mod account;
pub(crate) mod claim;
pub(crate) mod cluster;
mod elsewhere;
mod error;
pub(crate) mod furniture;
pub(crate) mod live;
mod locale;
pub(crate) mod own;
pub(crate) mod postmaster;
pub(crate) mod pristine;
mod tablespaces;
#[cfg(test)]
pub(crate) mod tests;

use cluster::{Owner, Roles};
pub use error::ScratchError;
pub use furniture::{SessionSetting, Surroundings};
pub use live::remove_all_now;
pub use locale::Locale;

/// The maximum number of databases that wait for removal: each takes 8 MB, and removing one costs as much time as making it.
const SPENT_AT_MOST: usize = 16;

/// The source of a scratch: this machine's programs, or a given server.
#[derive(Debug)]
pub struct ScratchOptions<'a> {
    /// The programs of this machine.
    pub binaries: &'a Binaries,
    /// The major that the scratch should have where there is a choice.
    pub prefer_major: Option<u32>,
    /// A server to make throw-away databases on, instead of starting one.
    pub url: Option<Url>,
}

/// A throw-away Postgres server, gone when this and all its databases are dropped.
#[derive(Debug, Clone)]
pub struct Scratch {
    host: Arc<Host>,
}

/// An empty or copied database on a scratch, removed when dropped.
#[derive(Debug)]
pub struct Database {
    host: Arc<Host>,
    name: String,
}

struct Host {
    admin: Mutex<PgConnection>,
    url: Url,
    major: u32,
    version_text: String,
    prefix: String,
    made: AtomicU32,
    spent: Mutex<Vec<String>>,
    home: Home,
    /// Settings of every new database.
    settings: Mutex<Vec<SessionSetting>>,
}

/// Whose server it is.
enum Home {
    Own(own::Own),
    Elsewhere(elsewhere::Elsewhere),
}

impl Scratch {
    /// Starts a server, or connects to the one that is given.
    pub fn start(options: &ScratchOptions<'_>) -> Result<Self, ScratchError> {
        let (home, url, mut admin) = if let Some(url) = &options.url {
            let mut admin = connect(url)?;
            let home = elsewhere::Elsewhere::new(&mut admin, url)?;
            (Home::Elsewhere(home), url.clone(), admin)
        } else {
            let server = options.binaries.server(options.prefer_major)?;
            let (own, admin) = own::Own::start(&server)?;
            let url = own.url().clone();
            (Home::Own(own), url, admin)
        };
        let asking = ScratchError::sql("ask for the version");
        let major = server_version(&mut admin).map_err(&asking)? / 10_000;
        let version_text = diesel::select(diesel::dsl::sql::<Text>(
            "pg_catalog.current_setting('server_version')",
        ));
        let version_text = version_text.get_result(&mut admin).map_err(&asking)?;
        let prefix = match &home {
            Home::Own(_) => "scratch".to_owned(),
            Home::Elsewhere(elsewhere) => elsewhere.prefix().to_owned(),
        };
        let host = Host {
            admin: Mutex::new(admin),
            url,
            major,
            version_text,
            prefix,
            made: AtomicU32::new(0),
            spent: Mutex::default(),
            home,
            settings: Mutex::default(),
        };
        Ok(Self {
            host: Arc::new(host),
        })
    }

    /// The major version, such as 15.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.host.major
    }

    /// The version as the server says it, such as `15.18 (Debian 15.18-0+deb12u1)`.
    #[must_use]
    pub fn version_text(&self) -> &str {
        &self.host.version_text
    }

    /// True if the server has ended, or ended all sessions, since it was started; waits up to `patience` for that.
    #[must_use]
    pub fn is_gone_within(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        loop {
            if self.host.admin().batch_execute("SELECT 1").is_err() {
                return true;
            }
            if begun.elapsed() >= patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The folder with its files; `None` for a server that we did not start.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.host.home {
            Home::Own(own) => Some(own.folder()),
            Home::Elsewhere(_) => None,
        }
    }

    /// The owner of the server.
    fn owner(&self) -> Owner {
        self.host.owner()
    }

    /// Furnishes it like a live server: on a server of its own with all roles of these surroundings, on any with the
    /// settings, which every database has that is made from now on.
    pub fn furnish(&self, like: &Surroundings) -> Result<(), ScratchError> {
        self.make_roles_like(like)?;
        self.host.settings().clone_from(&like.settings);
        Ok(())
    }

    /// Makes those roles that the server does not have, without login and without rights. On a server of somebody else's
    /// they go again with the scratch.
    pub fn make_roles(&self, roles: &BTreeSet<String>) -> Result<(), ScratchError> {
        self.host.make_roles(roles)
    }

    /// Makes the roles of these surroundings, on a server of our own, and makes them members of each other.
    fn make_roles_like(&self, like: &Surroundings) -> Result<(), ScratchError> {
        if self.owner() == Owner::Us {
            self.make_roles(&like.roles)?;
            furniture::make_members(&mut self.host.admin(), &like.memberships);
        }
        Ok(())
    }

    /// Makes an empty database that encodes and compares text as `locale` says, as far as this server can.
    pub fn create(&self, locale: &Locale) -> Result<Database, ScratchError> {
        let settings = self.host.settings().clone();
        self.create_set(locale, &settings)
    }

    /// Makes an empty database like [`create`](Self::create), with the settings and roles of these surroundings.
    pub fn create_like(
        &self,
        locale: &Locale,
        like: &Surroundings,
    ) -> Result<Database, ScratchError> {
        self.make_roles_like(like)?;
        self.create_set(locale, &like.settings)
    }

    fn create_set(
        &self,
        locale: &Locale,
        settings: &[SessionSetting],
    ) -> Result<Database, ScratchError> {
        let fail = ScratchError::sql("make a database");
        let options = locale
            .options(&mut self.host.admin(), self.host.major)
            .map_err(&fail)?;
        let mut made = self.host.make("template0", &options[0]);
        for options in &options[1..] {
            made = made.or_else(|_| self.host.make("template0", options));
        }
        let database = made.map(|name| self.database(name)).map_err(&fail)?;
        let settings: Vec<_> = settings
            .iter()
            // Custom settings of applications may be secret.
            .filter(|setting| self.owner() == Owner::Us || !setting.name.contains('.'))
            .cloned()
            .collect();
        furniture::set(&mut self.host.admin(), &database.name, &settings)
            .map_err(ScratchError::sql("set a database up like the live one"))?;
        Ok(database)
    }

    /// Makes a copy of a database that nobody is connected to.
    pub fn copy(&self, of: &Database) -> Result<Database, ScratchError> {
        self.host.wait_until_free(&of.name)?;
        let made = self
            .host
            .make(&of.name, "")
            .map_err(ScratchError::sql("copy a database"))?;
        let made = self.database(made);
        furniture::copy(&mut self.host.admin(), &of.name, &made.name)
            .map_err(ScratchError::sql("copy the settings of a database"))?;
        Ok(made)
    }

    /// True if it makes tablespaces, on a server of its own that can hold them: PostgreSQL 15 is the first that keeps one in the
    /// folder of its cluster.
    #[must_use]
    pub fn makes_tablespaces(&self) -> bool {
        self.host.major >= 15 && !matches!(self.host.home, Home::Elsewhere(_))
    }

    /// Makes the tablespaces of the server `there`, where it makes any.
    pub fn make_tablespaces(&self, there: &mut PgConnection) -> Result<(), ScratchError> {
        if !self.makes_tablespaces() {
            return Ok(());
        }
        tablespaces::make(&mut self.host.admin(), there)
            .map_err(ScratchError::sql("make a tablespace"))
    }

    fn database(&self, name: String) -> Database {
        Database {
            host: Arc::clone(&self.host),
            name,
        }
    }
}

impl Database {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the database.
    #[must_use]
    pub fn url(&self) -> Url {
        self.host.url.with_database(&self.name)
    }

    /// Connects to it.
    pub fn connect(&self) -> Result<PgConnection, ConnectError> {
        connect(&self.url())
    }

    /// Makes the roles and tablespaces that these texts of SQL presume, and returns the texts as they run here: see [`cluster`].
    pub(crate) fn fit(&self, texts: &[&str]) -> Result<Vec<String>, ScratchError> {
        let owner = self.host.owner();
        let Roles {
            mut named,
            created,
            in_blocks,
        } = Roles::of(texts.iter().copied());
        match owner {
            // Left bare by the furnishing, it would lack what the text gives it.
            Owner::Us => {
                self.host.drop_unused(&created);
                named.retain(|role| !created.contains(role));
            }
            // A block that creates a role if it is missing would find it here, so removing the role again is up to us.
            Owner::Others => named.extend(created.into_iter().chain(in_blocks)),
        }
        self.host.make_roles(&named)?;
        let tablespaces = cluster::tablespaces(texts.iter().copied());
        if owner == Owner::Us && self.host.major >= 15 && !tablespaces.is_empty() {
            tablespaces::make_named(&mut self.host.admin(), tablespaces)
                .map_err(ScratchError::sql("make a tablespace"))?;
        }
        let fitted = texts
            .iter()
            .map(|text| cluster::fitted(text, &self.name, owner));
        Ok(fitted.collect())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut spent = self
            .host
            .spent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        spent.push(std::mem::take(&mut self.name));
        if spent.len() >= SPENT_AT_MOST {
            self.host.remove(std::mem::take(&mut *spent));
        }
    }
}

impl Host {
    fn owner(&self) -> Owner {
        match &self.home {
            Home::Own(_) => Owner::Us,
            Home::Elsewhere(_) => Owner::Others,
        }
    }

    fn settings(&self) -> MutexGuard<'_, Vec<SessionSetting>> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_roles(&self, roles: &BTreeSet<String>) -> Result<(), ScratchError> {
        if roles.is_empty() {
            return Ok(());
        }
        let mut admin = self.admin();
        let missing =
            furniture::missing(&mut admin, roles).map_err(ScratchError::sql("look for roles"))?;
        for role in missing {
            let made = match &self.home {
                Home::Own(_) => {
                    admin.batch_execute(&format!("CREATE ROLE {}", quoted_ident(&role)))
                }
                Home::Elsewhere(elsewhere) => elsewhere.make_role(&mut admin, &role),
            };
            made.map_err(|source| ScratchError::Role { role, source })?;
        }
        Ok(())
    }

    /// Drops those of these roles that no database needs.
    fn drop_unused(&self, roles: &BTreeSet<String>) {
        let mut admin = self.admin();
        for role in roles {
            let _ = admin.batch_execute(&format!("DROP ROLE IF EXISTS {}", quoted_ident(role)));
        }
    }

    fn admin(&self) -> MutexGuard<'_, PgConnection> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a database out of another one and returns its name.
    fn make(&self, template: &str, options: &str) -> QueryResult<String> {
        let name = format!(
            "{}_{}",
            self.prefix,
            self.made.fetch_add(1, Ordering::Relaxed)
        );
        // Measured with fsync off: 20 to 60 ms against 60 to 120 ms for the default, WAL_LOG. On somebody's server it would
        // cost two checkpoints.
        let strategy = if self.major >= 15 && matches!(self.home, Home::Own(_)) {
            " STRATEGY file_copy"
        } else {
            ""
        };
        self.admin().batch_execute(&format!(
            "CREATE DATABASE {name} TEMPLATE {template}{strategy}{options}"
        ))?;
        Ok(name)
    }

    /// Waits for sessions that were closed to be gone. Postgres itself would look ten times a second only.
    fn wait_until_free(&self, name: &str) -> Result<(), ScratchError> {
        let begun = Instant::now();
        let query = "SELECT pg_catalog.count(*) AS count FROM pg_catalog.pg_stat_activity WHERE datname = $1";
        loop {
            let sessions: Sessions = diesel::sql_query(query)
                .bind::<Text, _>(name)
                .get_result(&mut *self.admin())
                .map_err(ScratchError::sql("look for sessions"))?;
            if sessions.count == 0 {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(2) {
                return Err(ScratchError::InUse {
                    name: name.to_owned(),
                });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Removes databases as well as it can: what is left goes with the server, or with the next sweep.
    fn remove(&self, names: Vec<String>) {
        let mut admin = self.admin();
        for name in names {
            let _ = Self::drop_database(&mut admin, &name);
        }
    }

    fn drop_database(admin: &mut PgConnection, name: &str) -> QueryResult<()> {
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Home::Elsewhere(elsewhere) = &self.home {
            elsewhere.remove(&mut self.admin(), &self.url);
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("url", &self.url)
            .field("version", &self.version_text)
            .finish_non_exhaustive()
    }
}

#[derive(QueryableByName)]
struct Sessions {
    #[diesel(sql_type = BigInt)]
    count: i64,
}
