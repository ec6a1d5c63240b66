//! Why there is no scratch, and what to do about it.

use std::path::{Path, PathBuf};

use crate::migrations::folder::is_full;
use crate::postgres::binaries::BinariesError;
use crate::postgres::connection::ConnectError;

/// Why there is no scratch, or no database on it.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// No programs to start one with.
    #[error("there is no PostgreSQL to try things on: {0}")]
    Binaries(#[from] BinariesError),
    /// We are root, and there is nobody else.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody to run it as"
    )]
    NoAccount,
    /// A file or folder that could not be made, read or run.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// `initdb` failed.
    #[error("{} failed: {said}", program.display())]
    Initdb {
        /// Which one.
        program: PathBuf,
        /// The output of the program.
        said: String,
    },
    /// The server ended while starting.
    #[error("{} did not start: {said}", program.display())]
    Start {
        /// Which one.
        program: PathBuf,
        /// The output of the program.
        said: String,
    },
    /// No connection to the scratch.
    #[error("no connection to the scratch server: {0}")]
    Connect(#[from] ConnectError),
    /// A database could not be made.
    #[error("cannot {doing} on the scratch server: {source}")]
    Sql {
        /// The failed action.
        doing: &'static str,
        /// The database's error.
        source: diesel::result::Error,
    },
    /// A role that something presumes could not be made.
    #[error("cannot make the role {role} on the scratch server: {source}")]
    Role {
        /// Its name.
        role: String,
        /// The database's error.
        source: diesel::result::Error,
    },
    /// A database that is to be copied is still connected to.
    #[error("the scratch database {name} cannot be copied while somebody is connected to it")]
    InUse {
        /// Which one.
        name: String,
    },
}

impl ScratchError {
    /// The advice for the user.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Binaries(error) => Some(format!(
                "{}; or name a server for throw-away databases with --scratch-url",
                error.hint()
            )),
            Self::NoAccount => {
                Some("run as another user, add a user postgres, or use --scratch-url".to_owned())
            }
            Self::Initdb { .. } | Self::Start { .. } => Some(
                "try another installation with --pg-bin, or a running server with --scratch-url"
                    .to_owned(),
            ),
            Self::Connect(error) => error.hint().map(str::to_owned),
            Self::Io { source, .. } if is_full(source.kind()) => {
                Some("make room there: a scratch server takes some 100 MB".to_owned())
            }
            Self::Io { path, .. } => Some(format!(
                "see who owns {} and may write there; what trueup keeps there is made anew where it is gone",
                path.display()
            )),
            Self::Sql { source, .. } if source.to_string().contains("permission denied") => Some(
                "the user needs the right to make databases there (ALTER ROLE … CREATEDB)"
                    .to_owned(),
            ),
            Self::Role { role, .. } => Some(format!(
                "something here is granted to {role}: make it on that server (CREATE ROLE {}), let the user make roles there \
                 (ALTER ROLE … CREATEROLE), or go without --scratch-url",
                trueup::name::quoted_ident(role)
            )),
            Self::Sql { .. } | Self::InUse { .. } => None,
        }
    }

    pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(super) fn sql(doing: &'static str) -> impl Fn(diesel::result::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }
}
