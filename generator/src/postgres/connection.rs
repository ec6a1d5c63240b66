//! The one way to open a connection: with all settings pinned that change how Postgres prints text.

use diesel::connection::{CacheSize, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::postgres::url::Url;
use crate::{Error, postgres::secrets};

mod run;
mod steering;

pub use run::{Code, SqlError, holds_nothing, run_sql};
pub(crate) use run::{Part, ended, first_node, is_one_transaction, parts, without_comments};
pub(crate) use steering::{Broken, Steering, Transaction, steering, unwrapped};

/// The oldest major that is supported.
pub const OLDEST_MAJOR: u32 = 14;

/// The settings that change what Postgres prints, or what it takes a text for; the same wherever we read, declare, replay or apply.
pub const PINNED: &[(&str, &str)] = &[
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("quote_all_identifiers", "off"),
    ("lc_monetary", "C"),
    ("xmlbinary", "base64"),
    ("xmloption", "content"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("standard_conforming_strings", "on"),
    ("jit", "off"),
];

/// Timeouts that could end a session while it waits for a person's answer or for a slow scratch, each with the first major that
/// has it.
const LIMITS: &[(u32, &str)] = &[
    (OLDEST_MAJOR, "idle_in_transaction_session_timeout"),
    (OLDEST_MAJOR, "idle_session_timeout"),
    (17, "transaction_timeout"),
];

/// Why there is no connection. No variant holds a password: libpq repeats a URI that it does not like whole, and so its words
/// go through [`secrets::hidden`].
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers at the address.
    #[error("cannot reach the database at {url}: {message}")]
    Unreachable {
        /// The URL that was tried.
        url: Url,
        /// libpq's message.
        message: String,
    },
    /// The server wants another password, or one at all.
    #[error("the server at {url} does not accept the password: {message}")]
    Password {
        /// The URL.
        url: Url,
        /// The server's message.
        message: String,
    },
    /// The server has no such database.
    #[error("the server at {url} has no such database: {message}")]
    NoSuchDatabase {
        /// The URL that was tried.
        url: Url,
        /// The server's message.
        message: String,
    },
    /// A DROP DATABASE of it was cut off.
    #[error("nobody can connect to {url} any more, since a DROP DATABASE was cut off: {message}")]
    HalfDropped {
        /// The URL.
        url: Url,
        /// The server's message.
        message: String,
    },
    /// Any other refusal.
    #[error("cannot connect to {url}: {message}")]
    Refused {
        /// The URL.
        url: Url,
        /// The message of libpq or of the server.
        message: String,
    },
    /// The server is older than [`OLDEST_MAJOR`].
    #[error("the server at {url} is PostgreSQL {major}; trueup needs {OLDEST_MAJOR} or newer")]
    TooOld {
        /// The URL.
        url: Url,
        /// Its major version.
        major: u32,
    },
    /// The connection was made and the first statements on it failed.
    #[error("cannot prepare the connection to {url}: {source}")]
    Prepare {
        /// The URL.
        url: Url,
        /// The database's error.
        source: diesel::result::Error,
    },
}

impl ConnectError {
    /// The advice for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => {
                Some("start the server, or check host and port (a socket needs ?host=/its/folder)")
            }
            Self::Password { .. } => Some(
                "check user and password in the URL, PGPASSWORD and ~/.pgpass; special characters are written %XX",
            ),
            Self::NoSuchDatabase { .. } => {
                Some("create it (`createdb`), or check the name at the end of the URL")
            }
            Self::HalfDropped { .. } => Some(
                "`trueup db create` makes it anew and empty, `trueup db drop` removes what is left of it",
            ),
            Self::Refused { .. } => {
                Some("check the user name, sslmode and the server's pg_hba.conf")
            }
            Self::TooOld { .. } => {
                Some("upgrade the server; every major before 14 is out of support")
            }
            Self::Prepare { .. } => None,
        }
    }

    /// The kind of failure, without host, user, database or any text of the server.
    #[must_use]
    pub fn in_short(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "the database does not answer",
            Self::Password { .. } => "the server does not accept the password",
            Self::NoSuchDatabase { .. } => "the server has no such database",
            Self::HalfDropped { .. } => "the database was half dropped",
            Self::Refused { .. } => "the server refuses the connection",
            Self::TooOld { .. } => "the server is too old",
            Self::Prepare { .. } => "the connection cannot be prepared",
        }
    }

    fn refused(url: &Url, address: &Url, message: &str) -> Self {
        let url = url.clone();
        let message = message.trim();
        let message = message.replace(address.as_secret_str(), &address.to_string());
        let message = secrets::hidden(&message).into_owned();
        let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
        if says(&["password authentication failed", "no password supplied"]) {
            Self::Password { url, message }
        } else if says(&["FATAL:"]) && says(&["database \""]) && says(&["does not exist"]) {
            Self::NoSuchDatabase { url, message }
        } else if says(&["cannot connect to invalid database"]) {
            Self::HalfDropped { url, message }
        } else if says(&["FATAL:", "invalid ", "server does not support"]) {
            Self::Refused { url, message }
        } else {
            Self::Unreachable { url, message }
        }
    }
}

/// Opens a connection with the [`PINNED`] settings to a server that is new enough.
pub fn connect(url: &Url) -> Result<PgConnection, ConnectError> {
    // Without a limit, an address that drops packets is waited for longer than anyone has patience.
    let address = url
        .with_default("connect_timeout", "10")
        .with_default("fallback_application_name", "trueup");
    let refused = |error| match error {
        ConnectionError::BadConnection(message) => ConnectError::refused(url, &address, &message),
        ConnectionError::CouldntSetupConfiguration(source) => ConnectError::Prepare {
            url: url.clone(),
            source,
        },
        ConnectionError::InvalidCString(_) | ConnectionError::InvalidConnectionUrl(_) | _ => {
            ConnectError::Refused {
                url: url.clone(),
                message: secrets::hidden(&error.to_string()).into_owned(),
            }
        }
    };
    let mut connection = PgConnection::establish(address.as_secret_str()).map_err(refused)?;
    // A pooler may give the next query another session, in which a statement that was prepared is not there.
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    let prepare = |source| ConnectError::Prepare {
        url: url.clone(),
        source,
    };
    // Whoever limits what applications may ask for does not mean a reading of the whole catalog; pg_dump does the same.
    connection
        .batch_execute("SET statement_timeout = 0")
        .map_err(prepare)?;
    let major = server_version(&mut connection).map_err(prepare)? / 10_000;
    if major < OLDEST_MAJOR {
        return Err(ConnectError::TooOld {
            url: url.clone(),
            major,
        });
    }
    let limits = LIMITS.iter().filter(|(first, _)| major >= *first);
    let limits = limits.map(|(_, name)| format!("SET {name} = 0"));
    let pinned = PINNED
        .iter()
        .map(|(name, value)| format!("SET {name} = '{value}'"));
    let pinned: Vec<_> = pinned.chain(limits).collect();
    connection
        .batch_execute(&pinned.join(";"))
        .map_err(prepare)?;
    // A server notices that a client was killed only when it has something to say to it, which may be hours later. Not
    // every platform's server can look, so whether it does is not insisted on.
    let _ = connection.batch_execute("SET client_connection_check_interval = '500ms'");
    Ok(connection)
}

/// Empties the search path, so that Postgres prints every name with its namespace.
pub fn pin_reading(connection: &mut PgConnection) -> QueryResult<()> {
    connection.batch_execute("SET search_path = ''")
}

/// The server's `server_version_num`, such as 150018.
pub fn server_version(connection: &mut PgConnection) -> QueryResult<u32> {
    let version: i32 = diesel::select(diesel::dsl::sql::<Integer>(
        "pg_catalog.current_setting('server_version_num')::pg_catalog.int4",
    ))
    .get_result(connection)?;
    Ok(version.unsigned_abs())
}

/// True if a pooler shares server sessions between clients: then each transaction runs in whatever session is free, and locks
/// and settings of a session mean nothing.
pub fn shares_sessions(connection: &mut PgConnection, url: &Url) -> Result<bool, Error> {
    let mut other = connect(url)?;
    let first = session(connection)?;
    // Most poolers hand out first what came back last.
    other.batch_execute("BEGIN")?;
    let second = session(&mut other)?;
    let again = session(connection)?;
    other.batch_execute("ROLLBACK")?;
    Ok(first == second || first != again)
}

fn session(connection: &mut PgConnection) -> QueryResult<i32> {
    let query = diesel::dsl::sql::<Integer>("pg_catalog.pg_backend_pid()");
    diesel::select(query).get_result(connection)
}

#[cfg(test)]
mod tests;
