//! Migrations of which the journal has a row when a command begins: an earlier run of them was cut off.

use diesel::prelude::*;

use super::journal::{Entry, Journal, REDO};
use super::options::{Event, Options};
use super::record::Record;
use super::resume::Alone;
use super::run::{self, Direction};
use super::{ApplyError, error::CutOff, patience};
use crate::migrations::folder::Migration;

/// A row that says something else than the record, in words; the record is right.
const OVERTAKEN: &str = "the journal says that an earlier run was cut off, and the record says that it was finished or taken back \
                         since, by Diesel's own runner, say: the record counts";

/// Context for the interrupted runs, shared by all commands that apply.
struct Cut<'a> {
    migrations: &'a [Migration],
    journal: Journal,
    options: Options<'a>,
}

impl<'a> Cut<'a> {
    /// The rows that count, the newest version first; the others are removed.
    fn read(
        connection: &mut PgConnection,
        migrations: &'a [Migration],
        applied: &[String],
        options: Options<'a>,
    ) -> Result<Option<(Self, Vec<Entry>)>, ApplyError> {
        let found = Journal::find(connection).map_err(ApplyError::bookkeeping)?;
        let Some(journal) = found else {
            return Ok(None);
        };
        let entries = journal
            .entries(connection)
            .map_err(|error| ApplyError::journal(&journal, &error))?;
        let cut = Self {
            migrations,
            journal,
            options,
        };
        let mut counts = Vec::new();
        for entry in entries {
            let recorded = applied.contains(&entry.version);
            let is_overtaken =
                entry.is(Direction::Up) && recorded || entry.is(Direction::Down) && !recorded;
            if is_overtaken {
                cut.forget(connection, &entry, OVERTAKEN)?;
            } else {
                counts.push(entry);
            }
        }
        Ok(Some((cut, counts)))
    }

    fn name<'b>(&'b self, entry: &'b Entry) -> &'b str {
        let found = self
            .migrations
            .iter()
            .find(|one| one.version == entry.version);
        found.map_or(&entry.version, |one| &one.name)
    }

    fn forget(
        &self,
        connection: &mut PgConnection,
        entry: &Entry,
        what: &str,
    ) -> Result<(), ApplyError> {
        let done = self.journal.remove(connection, entry);
        done.map_err(|error| ApplyError::journal(&self.journal, &error))?;
        let name = self.name(entry);
        self.options.listener.tell(&Event::Resumes { name, what });
        Ok(())
    }

    fn migration(&self, entry: &Entry) -> Result<&'a Migration, ApplyError> {
        let found = self
            .migrations
            .iter()
            .find(|one| one.version == entry.version);
        found.ok_or_else(|| {
            ApplyError::CutOff(Box::new(CutOff {
                name: entry.version.clone(),
                version: entry.version.clone(),
                direction: entry.direction.clone(),
                started: entry.started.clone(),
                why: "no folder here is of that version".to_owned(),
                advice: "bring the folder back from another branch".to_owned(),
            }))
        })
    }
}

/// Finishes what was cut off on the way back, so that what is recorded is what is there.
pub(super) fn before_upgrade(
    connection: &mut PgConnection,
    migrations: &[Migration],
    options: Options<'_>,
) -> Result<(), ApplyError> {
    let record = Record::make(connection)?;
    let applied = record.versions(connection)?;
    let Some((cut, entries)) = Cut::read(connection, migrations, &applied, options)? else {
        return Ok(());
    };
    for entry in &entries {
        if entry.direction == REDO {
            let what = "an earlier redo was cut off; what it had taken back is pending, and what it had not is as it was";
            cut.forget(connection, entry, what)?;
            continue;
        }
        let migration = cut.migration(entry)?;
        if entry.is(Direction::Down) {
            options.timeouts.set(connection)?;
            let done = patience::run(connection, migration, Direction::Down, options);
            done.map_err(|failed| failed.into_error(migration, Direction::Down, Vec::new()))?;
            let name = &migration.name;
            let what = "an earlier run was cut off while it took this back; that is finished now";
            options.listener.tell(&Event::Resumes { name, what });
        }
    }
    Ok(())
}

/// Cleans up interrupted ups. An interrupted down is finished when its migration is taken back again.
pub(super) fn before_downgrade(
    connection: &mut PgConnection,
    migrations: &[Migration],
    options: Options<'_>,
) -> Result<(), ApplyError> {
    let applied = super::applied(connection)?;
    let Some((cut, entries)) = Cut::read(connection, migrations, &applied, options)? else {
        return Ok(());
    };
    for entry in &entries {
        if entry.direction == REDO {
            let what = "an earlier redo was cut off, and is not finished: this goes back from where it came to";
            cut.forget(connection, entry, what)?;
        } else if entry.is(Direction::Up) {
            let migration = cut.migration(entry)?;
            let alone = Alone::of(migration, Direction::Up);
            let undone = alone
                .undo(connection, entry)
                .map_err(ApplyError::bookkeeping)?;
            match undone {
                Some(what) => cut.forget(connection, entry, &what)?,
                None => return Err(upgrade_first(migration, entry)),
            }
        }
    }
    Ok(())
}

/// The versions that an earlier redo was to take back and apply again, and has not yet applied again.
pub(super) fn before_redo(
    connection: &mut PgConnection,
    migrations: &[Migration],
    options: Options<'_>,
) -> Result<Vec<String>, ApplyError> {
    let applied = super::applied(connection)?;
    let Some((cut, entries)) = Cut::read(connection, migrations, &applied, options)? else {
        return Ok(Vec::new());
    };
    let redone = |entry: &&Entry| entry.direction == REDO;
    let redo: Vec<String> = entries
        .iter()
        .filter(redone)
        .map(|one| one.version.clone())
        .collect();
    for entry in &entries {
        let migration = cut.migration(entry)?;
        if entry.is(Direction::Up) && !redo.contains(&entry.version) {
            return Err(upgrade_first(migration, entry));
        }
        if entry.direction == REDO {
            let name = &migration.name;
            let what =
                "an earlier redo was cut off before this was applied again; this one finishes it";
            options.listener.tell(&Event::Resumes { name, what });
        }
    }
    Ok(redo)
}

/// Notes the migrations that a redo takes back and applies again. If each is all or nothing, one that was taken back is pending
/// anyway, and the redo goes on even if the journal cannot be written.
pub(super) fn begin_redo(
    connection: &mut PgConnection,
    migrations: &[&Migration],
    options: Options<'_>,
) -> Result<(), ApplyError> {
    let is_whole = |one: &&Migration| {
        run::runs_in_transaction(one, Direction::Up)
            && run::runs_in_transaction(one, Direction::Down)
    };
    let (Some(record), Some(newest)) = (Record::find(connection)?, migrations.first()) else {
        return Ok(());
    };
    let journal = Journal::make(connection, &record)?;
    match journal.begin_redo(connection, migrations) {
        Err(error) if migrations.iter().all(is_whole) => {
            let what = format!(
                "{journal} cannot be written ({error}): where this redo is cut off, `trueup upgrade` applies what it took back"
            );
            let name = &newest.name;
            options
                .listener
                .tell(&Event::LeavesOut { name, what: &what });
            Ok(())
        }
        noted => noted.map_err(|error| ApplyError::journal(&journal, &error)),
    }
}

/// Removes the notes of a redo that failed before it had changed anything.
pub(super) fn end_redo(connection: &mut PgConnection, migrations: &[&Migration]) {
    if let Ok(Some(journal)) = Journal::find(connection) {
        let _ = journal.end_redo(connection, migrations);
    }
}

fn upgrade_first(migration: &Migration, entry: &Entry) -> ApplyError {
    ApplyError::CutOff(Box::new(CutOff {
        name: migration.name.clone(),
        version: entry.version.clone(),
        direction: entry.direction.clone(),
        started: entry.started.clone(),
        why: "it is neither applied nor taken back".to_owned(),
        advice: "`trueup upgrade` finishes it".to_owned(),
    }))
}
