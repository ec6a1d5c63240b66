//! A second session looks who is in the way while the first one waits: it alone can, since the first one is waiting.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::connection::connect;
use crate::url::Url;

/// How often it looks where the wait is long.
const TICK: Duration = Duration::from_millis(250);

/// What a session waits for and who has it, in words. A query's text is left out: it may hold a password.
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

/// Does `work` in the session `pid` and says who was in its way when it ended, or last before. `waits` is told once, when
/// somebody has been for a while.
pub(super) fn watched<T>(
    url: Option<&Url>,
    pid: i32,
    lock_timeout: Option<Duration>,
    waits: impl Fn(&str) + Send,
    work: impl FnOnce() -> T,
) -> (T, Option<String>) {
    let Some(url) = url else {
        return (work(), None);
    };
    let every = lock_timeout.map_or(TICK, |timeout| TICK.min(timeout / 4));
    let (ends, ended) = channel();
    thread::scope(|scope| {
        let watcher = scope.spawn(move || look(url, pid, every, waits, &ended));
        let done = work();
        drop(ends);
        (done, watcher.join().ok().flatten())
    })
}

fn look(
    url: &Url,
    pid: i32,
    every: Duration,
    waits: impl Fn(&str),
    ended: &Receiver<()>,
) -> Option<String> {
    let goes_on = || matches!(ended.recv_timeout(every), Err(RecvTimeoutError::Timeout));
    let mut seen = None;
    let mut session = None;
    let mut told = 0;
    while goes_on() {
        let connection = match &mut session {
            Some(connection) => connection,
            // What cannot be seen is not said.
            None => session.insert(connect(url).ok()?),
        };
        let holders: Holders = match diesel::sql_query(HOLDERS)
            .bind::<Integer, _>(pid)
            .get_result(connection)
        {
            Ok(holders) => holders,
            Err(diesel::result::Error::NotFound) => continue,
            Err(_) => return seen,
        };
        told += 1;
        if told == 4 {
            waits(&holders.words);
        }
        seen = Some(holders.words);
    }
    seen
}
