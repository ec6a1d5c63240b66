//! One process at a time: an advisory lock of the session, which ends with it, however it ends.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::{ApplyError, Options};
use crate::postgres::connection;

/// The number that all of us agree on: "trueupap" in ASCII.
pub(super) const NUMBER: i64 = 0x7472_7565_7570_6170;

/// The interval between two attempts to take the lock.
const TICK: Duration = Duration::from_millis(50);

/// Does `work` while nobody else who asks for this lock can.
pub(crate) fn with_lock<T, E: From<ApplyError>>(
    connection: &mut PgConnection,
    options: Options<'_>,
    work: impl FnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    // A lock that a pooler's session holds would stay there, so this comes before taking it. If no second session is available,
    // the check of the lock itself must do.
    if let Some(url) = options.url
        && connection::shares_sessions(connection, url).unwrap_or_default()
    {
        return Err(ApplyError::Pooler.into());
    }
    let begun = Instant::now();
    while !call(connection, "pg_try_advisory_lock")? {
        if begun.elapsed() >= options.wait {
            let holder = holder(connection);
            return Err(ApplyError::Busy { holder }.into());
        }
        std::thread::sleep(TICK);
    }
    let done = look(connection)
        .map_err(E::from)
        .and_then(|()| work(connection));
    // A broken connection has released the lock already.
    let _ = call(connection, "pg_advisory_unlock");
    done
}

/// Checks that the session is usable: the same from statement to statement, and writable.
fn look(connection: &mut PgConnection) -> Result<(), ApplyError> {
    #[derive(QueryableByName)]
    struct Session {
        #[diesel(sql_type = Bool)]
        holds: bool,
        #[diesel(sql_type = Bool)]
        read_only: bool,
        #[diesel(sql_type = Bool)]
        standby: bool,
    }
    let query = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
                                WHERE locktype = 'advisory' AND granted AND pid = pg_catalog.pg_backend_pid()
                                  AND (classid::int8 << 32) | objid::int8 = $1) AS holds,
                        pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only,
                        pg_catalog.pg_is_in_recovery() AS standby";
    let session: Session = diesel::sql_query(query)
        .bind::<BigInt, _>(NUMBER)
        .get_result(connection)
        .map_err(ApplyError::bookkeeping)?;
    if !session.holds {
        return Err(ApplyError::Pooler);
    }
    if session.read_only {
        return Err(ApplyError::ReadOnly {
            standby: session.standby,
        });
    }
    Ok(())
}

fn call(connection: &mut PgConnection, function: &str) -> Result<bool, ApplyError> {
    let query = diesel::dsl::sql::<Bool>(&format!("pg_catalog.{function}({NUMBER})"));
    diesel::select(query)
        .get_result(connection)
        .map_err(ApplyError::bookkeeping)
}

/// The session that holds the lock, in words.
pub(super) fn holder(connection: &mut PgConnection) -> String {
    #[derive(QueryableByName)]
    struct Session {
        #[diesel(sql_type = Text)]
        words: String,
    }
    let query = "SELECT pg_catalog.format('pid %s, %s, user %s', a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'), a.usename) AS words
                 FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
                   AND (l.classid::int8 << 32) | l.objid::int8 = $1";
    let found: QueryResult<Session> = diesel::sql_query(query)
        .bind::<BigInt, _>(NUMBER)
        .get_result(connection);
    found.map_or_else(
        |_| "a session that has just ended".to_owned(),
        |session| session.words,
    )
}
