//! The database of a project that has none configured: a Postgres of its own, in `.trueup/` of the project.
//!
//! Unlike a scratch it is durable. It runs while a command of ours does: the first one starts it, later ones share it, and
//! the last one stops it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use rustix::fs::{FlockOperation, flock};
use trueup::name::quoted_ident;

use crate::files;
use crate::files::hash::short_hash;
use crate::files::lock;
use crate::postgres::binaries::{Binaries, BinariesError, Server};
use crate::postgres::connection::connect;
use crate::postgres::scratch::account::{Account, server_account};
use crate::postgres::scratch::claim::{cache, private_folder};
use crate::postgres::scratch::live::{self, Registration};
use crate::postgres::scratch::own::not_started;
use crate::postgres::scratch::postmaster::{self, Launch, PORT};
use crate::postgres::scratch::{ScratchError, furniture, pristine};
use crate::postgres::url::Url;

/// The folder in a project's root.
pub const FOLDER: &str = ".trueup";

/// The database that is made for the project.
pub const DATABASE: &str = "trueup";

/// Everything else is as Postgres ships it, and so durable.
const SETTINGS: &[&str] = &[
    "shared_buffers=32MB",
    "max_connections=32",
    "max_locks_per_transaction=1024",
    "jit=off",
];

/// The folder of the cluster.
const DATA: &str = "data";

/// The file that tells where the cluster is when it is not beside it.
const NOTE: &str = "postgres-is-elsewhere.txt";

/// A running embedded Postgres; stopped when the last user drops it.
#[derive(Debug)]
pub struct Embedded {
    url: Url,
    place: Place,
    users: Users,
    child: Option<Child>,
    _registration: Registration,
}

/// The shared lock that says that this process uses the server; given back from wherever the process ends.
type Users = Arc<Mutex<Option<File>>>;

/// Why the embedded Postgres does not run.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The cluster is of a major whose programs are not there.
    #[error("the embedded database in {} was made by PostgreSQL {major}: {source}", folder.display())]
    Major {
        /// The folder of the cluster.
        folder: PathBuf,
        /// Its major.
        major: u32,
        /// The missing programs.
        source: BinariesError,
    },
    /// The cluster is there, and no server starts on it.
    #[error("the embedded database does not start: {source}")]
    NotStarted {
        /// The folder of the cluster.
        data: PathBuf,
        /// The server's output.
        source: ScratchError,
    },
    /// An error of any server that we start.
    #[error(transparent)]
    Server(#[from] ScratchError),
    /// The server was there and had no database for us.
    #[error("cannot make the database {DATABASE} on the embedded server: {0}")]
    Database(#[from] diesel::result::Error),
}

impl EmbeddedError {
    /// The advice for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Major { folder, source, .. } => Some(format!(
                "{}; or remove {} to begin with an empty database",
                source.hint(),
                folder.display()
            )),
            Self::NotStarted { data, .. } => Some(format!(
                "mend in {} what it says; or remove that folder, with all its rows, to begin with an empty database",
                data.display()
            )),
            Self::Server(ScratchError::Io { source, .. })
                if source.kind() == io::ErrorKind::ReadOnlyFilesystem =>
            {
                Some(
                    "the project's own database is kept there; set DATABASE_URL to use another one"
                        .to_owned(),
                )
            }
            Self::Server(error) => error.hint(),
            Self::Database(_) => None,
        }
    }
}

/// The number of attempts to start, and the pause between two.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// The location of a project's cluster.
#[derive(Debug, Clone)]
struct Place {
    folder: PathBuf,
    account: Option<Account>,
}

impl Embedded {
    /// Starts the Postgres of the project in `root`, or joins the commands that use it already.
    pub fn start(root: &Path, binaries: &Binaries) -> Result<Self, EmbeddedError> {
        let account = server_account().map_err(|_| ScratchError::NoAccount)?;
        let place = Place::of(root, account)?;
        let gate = place.gate().map_err(ScratchError::at(&place.folder))?;
        let users = place.users().map_err(ScratchError::at(&place.folder))?;
        let child = place.start_or_join(&place.server(binaries)?)?;
        flock(&users, FlockOperation::LockShared)
            .map_err(|error| ScratchError::at(&place.folder)(error.into()))?;
        let users: Users = Arc::new(Mutex::new(Some(users)));
        let (ending, held) = (place.clone(), Arc::clone(&users));
        let registration = live::register(move || ending.stop_unless_used(&held));
        let server = place.url();
        let url = server.with_database(DATABASE);
        let embedded = Self {
            url,
            place,
            users,
            child,
            _registration: registration,
        };
        let made = make_database(&server);
        drop(gate);
        made.map(|()| embedded)
    }

    /// The project's database.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Makes those of these roles that the server does not have, without login and without rights.
    pub fn make_roles(&self, roles: &BTreeSet<String>) -> Result<(), EmbeddedError> {
        let mut connection = connect(&self.url).map_err(ScratchError::from)?;
        for role in furniture::missing(&mut connection, roles)? {
            connection.batch_execute(&format!("CREATE ROLE {}", quoted_ident(&role)))?;
        }
        Ok(())
    }

    /// Lets the server run on after this command and all later ones.
    pub fn keep(&self) -> Result<(), EmbeddedError> {
        let kept = self.place.kept();
        let noted = files::write_anew(
            &kept,
            "`trueup db stop` ends the server and removes this file.\n",
        );
        Ok(noted.map_err(ScratchError::at(&kept))?)
    }

    /// Ends the server of the project in `root`, unless a command uses it: then it ends with that. Says whether it ended.
    pub fn stop(root: &Path) -> Result<bool, EmbeddedError> {
        if !root.join(FOLDER).is_dir() {
            return Ok(true);
        }
        let account = server_account().map_err(|_| ScratchError::NoAccount)?;
        let place = Place::of(root, account)?;
        let kept = place.kept();
        match fs::remove_file(&kept) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ScratchError::at(&kept)(error).into());
            }
            _ => {}
        }
        place.stop_unless_used(&Users::default());
        Ok(!postmaster::is_running(&place.data()))
    }

    /// The URL of the database of the project in `root` while its server runs.
    pub fn url_of(root: &Path) -> Result<Url, EmbeddedError> {
        let account = server_account().map_err(|_| ScratchError::NoAccount)?;
        Ok(Place::of(root, account)?.url().with_database(DATABASE))
    }

    /// The folder of the cluster.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.place.stop_unless_used(&self.users);
        // A server that others still use goes on without us.
        if let Some(child) = self
            .child
            .as_mut()
            .filter(|_| !postmaster::is_running(&self.place.data()))
        {
            let _ = child.wait();
        }
    }
}

fn make_database(server: &Url) -> Result<(), EmbeddedError> {
    let mut admin = connect(server).map_err(ScratchError::from)?;
    if !has_database(&mut admin)? {
        let made =
            diesel::sql_query("CREATE DATABASE trueup TEMPLATE template0").execute(&mut admin);
        // A command that was killed may have left its session at the same.
        if let Err(error) = made
            && !has_database(&mut admin)?
        {
            return Err(error.into());
        }
    }
    Ok(())
}

fn has_database(admin: &mut PgConnection) -> QueryResult<bool> {
    let is_there = diesel::dsl::sql::<Bool>(
        "EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'trueup')",
    );
    diesel::select(is_there).get_result(admin)
}

impl Place {
    /// Beside the project, unless the server's user cannot get there.
    fn of(root: &Path, account: Option<Account>) -> Result<Self, ScratchError> {
        let root = fs::canonicalize(root).map_err(ScratchError::at(root))?;
        let beside = root.join(FOLDER);
        let at = ScratchError::at(&beside);
        prepare(&beside).map_err(at)?;
        files::refuse_link(&beside.join(DATA)).map_err(ScratchError::at(&beside))?;
        let Some(user) = account.filter(|user| !user.reaches(&beside)) else {
            return Ok(Self {
                folder: beside,
                account,
            });
        };
        let cache = cache(Some(user))?;
        let folder = cache.join(format!("embedded-{}", fingerprint(&root)));
        private_folder(&folder, 0o711).map_err(ScratchError::at(&folder))?;
        let note = format!(
            "This project's embedded PostgreSQL is in\n{}\nsince its user cannot get into this folder.\n",
            folder.display()
        );
        files::write_anew(&beside.join(NOTE), &note).map_err(ScratchError::at(&beside))?;
        Ok(Self { folder, account })
    }

    /// The server, by its database for administration.
    fn url(&self) -> Url {
        let socket = self.socket();
        Url::of_socket(&socket.to_string_lossy(), PORT, "postgres", "postgres")
    }

    /// There while the server is to run on without a command.
    fn kept(&self) -> PathBuf {
        self.folder.join("kept")
    }

    fn data(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    /// A socket's path is limited, and a project's is not: where it is too long, the socket is in a private folder in /tmp
    /// that is named after it.
    fn socket(&self) -> PathBuf {
        let within = self.folder.join("socket");
        if within.as_os_str().len() <= 85 {
            return within;
        }
        let uid = crate::postgres::scratch::account::own_uid();
        PathBuf::from(format!("/tmp/trueup-{uid}-{}", fingerprint(&self.folder)))
    }

    /// Held while the server starts or stops.
    fn gate(&self) -> io::Result<File> {
        lock::take(&self.folder.join("gate"))
    }

    /// Every command that uses the server holds a shared lock on this.
    fn users(&self) -> io::Result<File> {
        lock::open(&self.folder.join("users"))
    }

    /// The server that fits the cluster, or the newest for a new one.
    fn server(&self, binaries: &Binaries) -> Result<Server, EmbeddedError> {
        let major = files::read(&self.data().join("PG_VERSION"))
            .ok()
            .and_then(|text| text.trim().parse().ok());
        match major {
            None => Ok(binaries.server(None).map_err(ScratchError::from)?),
            Some(major) => binaries
                .server_of(major)
                .map_err(|source| EmbeddedError::Major {
                    folder: self.folder.clone(),
                    major,
                    source,
                }),
        }
    }

    /// Starts the server unless one runs; `None` where another command started it.
    ///
    /// A command that was killed may leave one that is on its way up, or down: either can fail under our eyes, and the
    /// next try finds neither.
    fn start_or_join(&self, server: &Server) -> Result<Option<Child>, EmbeddedError> {
        let data = self.data();
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let ended = if postmaster::is_running(&data) {
                self.join(server).map(|()| None)
            } else {
                if !data.exists() {
                    self.make(server)?;
                }
                self.launch(server).map(Some)
            };
            match ended {
                Err(ScratchError::Start { .. }) if tries > 0 => std::thread::sleep(PAUSE),
                Err(source @ ScratchError::Start { .. }) => {
                    return Err(EmbeddedError::NotStarted { data, source });
                }
                other => return Ok(other?),
            }
        }
    }

    /// Copies under another name first, so that what is there is always whole.
    fn make(&self, server: &Server) -> Result<(), ScratchError> {
        let cache = cache(self.account)?;
        let pristine = pristine::pristine(&cache, server, self.account)?.folder;
        let unfinished = self.folder.join("unfinished");
        let copied = remove_if_there(&unfinished)
            .and_then(|()| pristine::copy(&pristine, &unfinished, self.account));
        copied
            .and_then(|()| fs::rename(&unfinished, self.data()))
            .map_err(ScratchError::at(&unfinished))
    }

    fn launch(&self, server: &Server) -> Result<Child, ScratchError> {
        let socket = self.socket();
        let made = remove_if_there(&socket).and_then(|()| private_folder(&socket, 0o700));
        made.and_then(|()| crate::postgres::scratch::account::give(&socket, self.account))
            .map_err(ScratchError::at(&socket))?;
        let data = self.data();
        let launch = Launch {
            server,
            account: self.account,
            data: &data,
            socket: &socket,
            settings: SETTINGS,
        };
        postmaster::start(launch).map_err(|error| not_started(server, error))
    }

    /// Waits for a server that another command started.
    fn join(&self, server: &Server) -> Result<(), ScratchError> {
        postmaster::wait(&self.data()).map_err(|error| not_started(server, error))
    }

    /// Stops the server unless another command holds `users`.
    fn stop_unless_used(&self, users: &Users) {
        drop(users.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Ok(_gate) = self.gate() else { return };
        let Ok(users) = self.users() else { return };
        if self.kept().exists() {
            return;
        }
        if flock(&users, FlockOperation::NonBlockingLockExclusive).is_ok()
            && postmaster::stop(&self.data())
        {
            let _ = fs::remove_dir_all(self.socket());
        }
    }
}

/// Makes the project's folder, which git is told to ignore.
fn prepare(folder: &Path) -> io::Result<()> {
    files::refuse_link(folder)?;
    if !folder.exists() {
        fs::create_dir(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    files::ignore_all(folder)
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn fingerprint(path: &Path) -> String {
    short_hash(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests;
