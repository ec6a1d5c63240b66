//! One migration, tried until it gets its locks.
//!
//! Whoever waits for a strong lock makes all wait who come after, readers too. So no wait is long: after the session's
//! `lock_timeout` everything is rolled back, those who queued behind go on, and after a pause it is tried again.

use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::ApplyError;
use super::error::CutOff;
use super::journal::{self, Journal};
use super::options::{self, Event, Options};
use super::record::Record;
use super::resume::{self, Alone, Left};
use super::run::{self, Behind, Direction, Failed};
use super::watch::{Seen, watched};
use crate::migrations::folder::Migration;

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
    let is_whole = run::runs_in_transaction(migration, direction);
    let alone = (!is_whole).then(|| Alone::of(migration, direction));
    // Only the server knows if code commits. If it does, or is refused in a transaction, the attempt leaves nothing.
    let mut is_attempt = matches!(alone, Some(Alone::Unclear))
        && journal::entry(connection, migration, direction)?.is_none();
    loop {
        let behind = match &alone {
            None => None,
            Some(_) if is_attempt => None,
            Some(alone) => match begin(connection, alone, migration, direction, options)? {
                Some(behind) => Some(behind),
                None => return finish(connection, migration, direction),
            },
        };
        let waits_quietly = alone.as_ref().is_some_and(Alone::disturbs_nobody);
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
            let in_transaction = is_whole || is_attempt;
            run::run_so(
                connection,
                migration,
                direction,
                in_transaction,
                behind.as_ref(),
            )
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
        if is_attempt {
            if failed.wants_no_transaction() {
                is_attempt = false;
                continue;
            }
        } else if let Some(alone) = &alone
            && failed.is_of_a_statement()
        {
            // If the connection is lost, the next run settles it.
            let _ = settle(connection, alone, migration, direction);
        }
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

/// Notes that a migration begins that is not all or nothing, and looks how far an earlier run came; `None` where that was
/// all of it.
fn begin(
    connection: &mut PgConnection,
    alone: &Alone,
    migration: &Migration,
    direction: Direction,
    options: Options<'_>,
) -> Result<Option<Behind>, Failed> {
    let text = direction.sql(migration);
    run::try_record(connection, migration, direction)?;
    let Some((journal, entry)) = journal::entry(connection, migration, direction)? else {
        let record = Record::make(connection).map_err(Failed::Before)?;
        let journal = Journal::make(connection, &record).map_err(Failed::Before)?;
        let was = alone.state(connection)?;
        let noted = journal.begin(connection, migration, direction, &resume::hash(text), &was);
        noted.map_err(|error| Failed::Before(ApplyError::journal(&journal, &error)))?;
        return Ok(Some(Behind { journal, done: 0 }));
    };
    // Resuming disturbs others no more than the migration itself, and may wait as long.
    if alone.disturbs_nobody() {
        options::set(connection, "lock_timeout", "0")?;
    }
    let left = alone.resume(connection, &entry, text)?;
    options::set(connection, "lock_timeout", options.timeouts.lock)?;
    if let Some(what) = left.words() {
        let name = &migration.name;
        options.listener.tell(&Event::Resumes { name, what });
    }
    match left {
        Left::Finished(_) => Ok(None),
        Left::Committed(done, _) => Ok(Some(Behind { journal, done })),
        Left::Unclear(why) => Err(Failed::Before(ApplyError::CutOff(Box::new(CutOff {
            name: migration.name.clone(),
            version: migration.version.clone(),
            direction: entry.direction,
            started: entry.started,
            why: why.to_owned(),
            advice: String::new(),
        })))),
        // The file may be another since; how the objects were before stays what it was.
        Left::Nothing | Left::Cleaned(_) => {
            let (hash, was) = (resume::hash(text), alone.was(connection, &entry, text)?);
            let noted = journal.begin(connection, migration, direction, &hash, &was);
            noted.map_err(|error| Failed::Before(ApplyError::journal(&journal, &error)))?;
            Ok(Some(Behind { journal, done: 0 }))
        }
    }
}

/// Records a migration of which an earlier run did all.
fn finish(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> Result<(), Failed> {
    connection
        .transaction(|connection| run::record(connection, migration, direction))
        .map_err(Failed::Harness)
}

/// Removes the note of a run that failed and left nothing: the next one is the first again.
fn settle(
    connection: &mut PgConnection,
    alone: &Alone,
    migration: &Migration,
    direction: Direction,
) -> QueryResult<()> {
    if let Some((journal, entry)) = journal::entry(connection, migration, direction)?
        && alone.left_nothing(connection, &entry)?
    {
        journal.remove(connection, &entry)?;
    }
    Ok(())
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
