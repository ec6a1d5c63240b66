//! Options of a run: timeouts, order, and the listener for its progress.

use std::fmt;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use super::ApplyError;
use crate::postgres::url::Url;

/// The options of a run.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// True if a pending migration may be older than an applied one.
    pub allow_out_of_order: bool,
    /// The longest wait for another process that is applying migrations.
    pub wait: Duration,
    /// The timeouts of a migration's statements.
    pub timeouts: Timeouts<'a>,
    /// The URL for a second session that watches for blockers.
    pub url: Option<&'a Url>,
    /// The listener for progress events.
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

/// Timeouts for one statement of a migration, in the syntax of Postgres' settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts<'a> {
    /// `lock_timeout`: every session that queues behind the statement waits as long.
    pub lock: &'a str,
    /// `statement_timeout`.
    pub statement: &'a str,
    /// The number of retries for a migration that did not get its locks.
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

/// The session's `lock_timeout`; `None` if it is disabled.
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
        /// The number of migrations in this run.
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
        /// The phase that the server reports.
        phase: &'a str,
        /// The percentage of that phase that is done.
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
        /// The delay before the next attempt.
        after: Duration,
        /// The number of failed attempts.
        times: u32,
        /// The maximum number of retries.
        of: u32,
    },
    /// An earlier run of it was cut off, and what that left was dealt with.
    Resumes {
        /// Its folder's name.
        name: &'a str,
        /// The leftover and its treatment.
        what: &'a str,
    },
}

/// A callback for progress events. The default ignores them.
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
