//! How to apply: how patient to be, and whom to tell.

use std::fmt;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use super::ApplyError;
use crate::url::Url;

/// How to apply.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Whether a pending migration may be older than an applied one.
    pub allow_out_of_order: bool,
    /// How long to wait for somebody else who is applying.
    pub wait: Duration,
    /// How long a migration may wait and run.
    pub timeouts: Timeouts<'a>,
    /// Where a second session can look who is in the way.
    pub url: Option<&'a Url>,
    /// Who is told how it goes.
    pub listener: Listener<'a>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            allow_out_of_order: false,
            wait: Duration::from_secs(10),
            timeouts: Timeouts::default(),
            url: None,
            listener: Listener::default(),
        }
    }
}

/// How long one statement of a migration may wait and run, in Postgres' words for times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts<'a> {
    /// How long it may wait for a lock: all who come after it wait as long.
    pub lock: &'a str,
    /// How long it may run.
    pub statement: &'a str,
    /// How often a migration that did not get its locks is tried again.
    pub retries: u32,
}

impl Default for Timeouts<'_> {
    fn default() -> Self {
        Self {
            lock: "5s",
            statement: "0",
            retries: 10,
        }
    }
}

impl Timeouts<'_> {
    /// Sets them for the session.
    pub(super) fn set(self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        for (name, value) in [
            ("lock_timeout", self.lock),
            ("statement_timeout", self.statement),
        ] {
            set(connection, name, value).map_err(|error| ApplyError::Timeout {
                name,
                message: error.to_string(),
            })?;
        }
        Ok(())
    }
}

/// Sets a setting of the session.
pub(super) fn set(connection: &mut PgConnection, name: &str, value: &str) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_catalog.set_config($1, $2, false)")
        .bind::<Text, _>(name)
        .bind::<Text, _>(value)
        .execute(connection)
        .map(|_| ())
}

/// How long the session's statements may wait for a lock; nothing where that is for ever.
pub(super) fn lock_timeout(connection: &mut PgConnection) -> QueryResult<Option<Duration>> {
    let query =
        "(SELECT setting::pg_catalog.int4 FROM pg_catalog.pg_settings WHERE name = 'lock_timeout')";
    let milliseconds: i32 =
        diesel::select(diesel::dsl::sql::<Integer>(query)).get_result(connection)?;
    Ok(Some(Duration::from_millis(u64::from(
        milliseconds.unsigned_abs(),
    )))
    .filter(|time| !time.is_zero()))
}

/// Something to tell while migrations are run.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A migration begins.
    Begins {
        /// Its folder's name.
        name: &'a str,
        /// Its number among those of this run, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Statements of it do nothing and are not run.
    LeavesOut {
        /// Its folder's name.
        name: &'a str,
        /// Which, and why.
        what: &'a str,
    },
    /// It builds an index, which may take long.
    Moves {
        /// Its folder's name.
        name: &'a str,
        /// What the server is at, in its own words.
        phase: &'a str,
        /// How much of that is done.
        percent: i32,
    },
    /// It waits for a lock.
    Waits {
        /// Its folder's name.
        name: &'a str,
        /// For what, and who has it.
        holder: &'a str,
    },
    /// It did not get a lock in time, was rolled back, and is tried again.
    Retries {
        /// Its folder's name.
        name: &'a str,
        /// For what it waited, and who had it, where that was seen.
        holder: Option<&'a str>,
        /// When.
        after: Duration,
        /// How often this has happened.
        times: u32,
        /// How often it may.
        of: u32,
    },
    /// An earlier run of it was cut off, and what that left was dealt with.
    Resumes {
        /// Its folder's name.
        name: &'a str,
        /// What was there, and what was done.
        what: &'a str,
    },
}

/// Who is told how it goes; nobody, unless somebody says otherwise.
#[derive(Clone, Copy)]
pub struct Listener<'a>(&'a (dyn Fn(&Event<'_>) + Sync));

impl<'a> Listener<'a> {
    /// Somebody who listens, on whatever thread.
    pub fn new(listener: &'a (dyn Fn(&Event<'_>) + Sync)) -> Self {
        Self(listener)
    }

    pub(super) fn tell(self, event: &Event<'_>) {
        (self.0)(event);
    }
}

impl Default for Listener<'_> {
    fn default() -> Self {
        Self(&|_| {})
    }
}

impl fmt::Debug for Listener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
