//! A server that this process starts for itself.

use std::path::Path;
use std::process::Child;

use diesel::PgConnection;

use super::ScratchError;
use super::account::{Account, server_account};
use super::claim::{self, Claim};
use super::live::{self, Registration};
use super::postmaster::{self, Launch, NotStarted, PORT};
use super::pristine::{self, Pristine};
use crate::postgres::binaries::Server;
use crate::postgres::connection::connect;
use crate::postgres::url::Url;

/// Nothing here has to survive, so nothing waits for a disk; and no process runs that is not needed.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=1GB",
    "checkpoint_timeout=1d",
    "autovacuum=off",
    "jit=off",
    "shared_buffers=64MB",
    "max_connections=32",
    "max_locks_per_transaction=4096",
    "max_worker_processes=0",
    "max_logical_replication_workers=0",
    "max_parallel_workers_per_gather=0",
    "max_parallel_maintenance_workers=0",
    "dynamic_shared_memory_type=mmap",
    "log_min_messages=fatal",
    "log_min_error_statement=panic",
    "update_process_title=off",
];

/// Settings that an older server does not know: from which major on.
const NEWER_SETTINGS: &[(u32, &str)] = &[(18, "io_method=sync")];

/// A running server in a claimed folder.
#[derive(Debug)]
pub(super) struct Own {
    url: Url,
    child: Child,
    claim: Claim,
    _registration: Registration,
}

impl Own {
    /// Starts a server, and connects to it.
    pub(super) fn start(server: &Server) -> Result<(Self, PgConnection), ScratchError> {
        let account = server_account().map_err(|_| ScratchError::NoAccount)?;
        let cache = claim::cache(account)?;
        let fast = claim::fast(&cache, account);
        claim::sweep(&cache);
        claim::sweep(&fast);
        let Pristine { folder, is_new } = pristine::pristine(&cache, server, account)?;
        match Self::start_on(&folder, &fast, server, account) {
            // Whatever was done to it since it was made, it is of no use to anybody.
            Err(ScratchError::Start { .. } | ScratchError::Connect(_)) if !is_new => {
                pristine::discard(&cache, &folder, account)?;
                let Pristine { folder, .. } = pristine::pristine(&cache, server, account)?;
                Self::start_on(&folder, &fast, server, account)
            }
            done => done,
        }
    }

    /// Starts a server on a copy of a cluster, below `fast`.
    fn start_on(
        pristine: &Path,
        fast: &Path,
        server: &Server,
        account: Option<Account>,
    ) -> Result<(Self, PgConnection), ScratchError> {
        let claim = Claim::new(fast, account).map_err(ScratchError::at(fast))?;
        let remains = claim.remains();
        let registration = live::register(move || remains.remove());
        let data = claim.data();
        pristine::copy(pristine, &data, account).map_err(ScratchError::at(&data))?;
        let socket = claim
            .socket(account)
            .map_err(ScratchError::at(claim.folder()))?;
        let newer = NEWER_SETTINGS
            .iter()
            .filter(|(major, _)| server.major >= *major)
            .map(|(_, setting)| *setting);
        let settings: Vec<_> = SETTINGS.iter().copied().chain(newer).collect();
        // The log is the server's first output, and so is made by us; all else it makes itself.
        let launch = Launch {
            server,
            account,
            data: &data,
            socket: &socket,
            settings: &settings,
        };
        let child = postmaster::start(launch).map_err(|error| not_started(server, error))?;
        let url = Url::of_socket(&socket.to_string_lossy(), PORT, "postgres", "postgres");
        let own = Self {
            url,
            child,
            claim,
            _registration: registration,
        };
        let admin = connect(&own.url)?;
        Ok((own, admin))
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.claim.folder()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        postmaster::kill(&self.claim.data());
        let _ = self.child.wait();
    }
}

/// The end of what a server wrote; the reason is in its last lines.
fn last_words(said: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<&str> = said.trim().lines().collect();
    if lines.is_empty() {
        return "it ended at once and wrote nothing: start it by hand to see why, or look whether something ended it (memory that \
                ran out, a limit on processes)"
            .to_owned();
    }
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Says which program did not start, and why.
pub(crate) fn not_started(server: &Server, error: NotStarted) -> ScratchError {
    let program = server.folder.join("postgres");
    match error {
        NotStarted::Io(source) => ScratchError::Io {
            path: program,
            source,
        },
        NotStarted::Ended(said) => ScratchError::Start {
            program,
            said: last_words(&said),
        },
        NotStarted::Slow => ScratchError::Start {
            program,
            said: "it did not take connections within a minute".to_owned(),
        },
    }
}
