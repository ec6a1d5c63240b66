//! One migration, tried until it gets its locks.
//!
//! Whoever waits for a strong lock makes all wait who come after, readers too. So no wait is long: after the session's
//! `lock_timeout` everything is rolled back, those who queued behind go on, and after a pause it is tried again.

use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::options::{self, Event, Options};
use super::resume::{self, Left};
use super::run::{self, Direction, Failed};
use super::watch::{Seen, watched};
use crate::migration::Migration;

/// The first pause, which doubles, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Runs one migration and records it.
pub(super) fn run(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
    options: Options<'_>,
) -> Result<(), Failed> {
    let query = diesel::dsl::sql::<Integer>("pg_catalog.pg_backend_pid()");
    let pid: i32 = diesel::select(query).get_result(connection)?;
    let mut times = 0;
    loop {
        let left = resume::tidy(connection, migration, direction)?;
        if let Some(what) = left.words() {
            let name = &migration.name;
            options.listener.tell(&Event::Resumes { name, what });
        }
        if let Left::Finished(_) = left {
            return run::record(connection, migration, direction).map_err(Failed::Harness);
        }
        let waits_quietly = resume::disturbs_nobody(migration, direction);
        if waits_quietly {
            options::set(connection, "lock_timeout", "0")?;
        }
        let timeout = options::lock_timeout(connection)?;
        let listener = options.listener;
        let tell = |seen: &Seen| {
            let name = &migration.name;
            listener.tell(&match seen {
                Seen::Waits { holder } => Event::Waits { name, holder },
                Seen::Moves { phase, percent } => Event::Moves {
                    name,
                    phase,
                    percent: *percent,
                },
            });
        };
        let (done, holder) = watched(options.url, pid, timeout, tell, || {
            run::run(connection, migration, direction)
        });
        let failed = match done {
            Ok(()) if waits_quietly => {
                return Ok(options::set(
                    connection,
                    "lock_timeout",
                    options.timeouts.lock,
                )?);
            }
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        if !failed.is_for_want_of_a_lock(holder.is_some()) {
            return Err(failed);
        }
        if times == options.timeouts.retries {
            return Err(Failed::Blocked {
                holder,
                times: times + 1,
            });
        }
        let after = pause(times);
        times += 1;
        options.listener.tell(&Event::Retries {
            name: &migration.name,
            holder: holder.as_deref(),
            after,
            times,
            of: options.timeouts.retries,
        });
        thread::sleep(after);
    }
}

/// Twice as long each time, and never the same for two who collide.
fn pause(times: u32) -> Duration {
    let longest = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(times))
        .min(LONGEST_PAUSE);
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        for times in [0, 1, 5, 40] {
            let pause = pause(times);
            assert!(
                pause >= FIRST_PAUSE / 2 && pause <= LONGEST_PAUSE,
                "{pause:?}"
            );
        }
        assert!(pause(3) > FIRST_PAUSE && pause(40) >= LONGEST_PAUSE / 2);
    }
}
