//! A second session looks how it goes while the first one works: who is in its way, and how far an index is built. It alone
//! can, since the first one is waiting for its answer.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::postgres::connection::connect;
use crate::postgres::url::Url;

/// The polling interval for long waits.
const TICK: Duration = Duration::from_millis(250);

/// The lock that a session waits for and its holders, in words. Query texts are left out: they may hold a password.
const HOLDERS: &str = "
    SELECT pg_catalog.format('%s%s',
               coalesce((SELECT pg_catalog.format('%s on %s, which ', l.mode, coalesce(l.relation::pg_catalog.regclass::text, l.locktype))
                         FROM pg_catalog.pg_locks l WHERE l.pid = $1 AND NOT l.granted LIMIT 1), ''),
               pg_catalog.string_agg(
                   CASE WHEN b.pid = 0 THEN 'a prepared transaction'
                        ELSE pg_catalog.format('pid %s (%s, user %s, %s, in its transaction for %s s)', b.pid,
                                 coalesce(nullif(a.application_name, ''), 'unnamed'), a.usename, coalesce(a.state, 'busy'),
                                 coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int, 0))
                   END, ', ' ORDER BY b.pid) || ' has') AS words
    FROM (SELECT DISTINCT pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) pid) b
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
    HAVING pg_catalog.count(*) > 0";

#[derive(QueryableByName)]
struct Holders {
    #[diesel(sql_type = Text)]
    words: String,
}

/// The progress of the index that a session builds. Each phase counts anew, in blocks or in rows.
const BUILDS: &str = "
    SELECT phase,
           (100 * CASE WHEN tuples_total > 0 THEN tuples_done::float8 / tuples_total
                       WHEN blocks_total > 0 THEN blocks_done::float8 / blocks_total
                       ELSE 0 END)::int4 AS percent
    FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1";

/// One row of `pg_stat_progress_create_index`.
#[derive(QueryableByName)]
struct Builds {
    #[diesel(sql_type = Text)]
    phase: String,
    #[diesel(sql_type = Integer)]
    percent: i32,
}

/// An observation of a session at work.
pub(super) enum Seen {
    /// Somebody has been in its way for a while; told once.
    Waits { holder: String },
    /// It builds an index.
    Moves { phase: String, percent: i32 },
}

/// Does `work` in the session `pid` and says who was in its way when it ended, or last before.
pub(super) fn watched<T>(
    url: Option<&Url>,
    pid: i32,
    lock_timeout: Option<Duration>,
    tell: impl Fn(&Seen) + Send,
    work: impl FnOnce() -> T,
) -> (T, Option<String>) {
    let Some(url) = url else {
        return (work(), None);
    };
    let every = lock_timeout.map_or(TICK, |timeout| TICK.min(timeout / 4));
    let (ends, ended) = channel();
    thread::scope(|scope| {
        let watcher = scope.spawn(move || look(url, pid, every, tell, &ended));
        let done = work();
        drop(ends);
        (done, watcher.join().ok().flatten())
    })
}

fn look(
    url: &Url,
    pid: i32,
    every: Duration,
    tell: impl Fn(&Seen),
    ended: &Receiver<()>,
) -> Option<String> {
    let goes_on = || matches!(ended.recv_timeout(every), Err(RecvTimeoutError::Timeout));
    let mut seen = None;
    let mut session = None;
    let mut told = 0;
    while goes_on() {
        let connection = match &mut session {
            Some(connection) => connection,
            // Without a second session nothing is reported.
            None => session.insert(connect(url).ok()?),
        };
        let holders: Holders = match diesel::sql_query(HOLDERS)
            .bind::<Integer, _>(pid)
            .get_result(connection)
        {
            Ok(holders) => holders,
            Err(diesel::result::Error::NotFound) => {
                let builds = diesel::sql_query(BUILDS)
                    .bind::<Integer, _>(pid)
                    .get_result::<Builds>(connection);
                if let Ok(Builds { phase, percent }) = builds {
                    tell(&Seen::Moves { phase, percent });
                }
                continue;
            }
            Err(_) => return seen,
        };
        told += 1;
        if told == 4 {
            let holder = holders.words.clone();
            tell(&Seen::Waits { holder });
        }
        seen = Some(holders.words);
    }
    seen
}
