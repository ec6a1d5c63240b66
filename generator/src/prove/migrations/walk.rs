//! A database on the scratch that goes through a history, one migration after the other.

use std::path::PathBuf;

use trueup::{Schema, Statement};

use super::{Fault, Outcome, raised::raised};
use crate::{
    Error, ErrorKind, Project,
    apply::{self, ApplyError},
    connection::{Steering, holds_nothing, is_one_transaction, steering},
    diff::words,
    migration::Migration,
    postgres,
    prove::data::{Run, watch},
    scratch::{Database, Scratch},
    source::{self, Side},
    witness,
};

/// How many differences are told.
const SHOWN: usize = 5;

/// By what two states are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// As we read them.
    Read,
    /// As we read them, and as `pg_dump` sees them where it is there.
    Witnessed,
    /// The same, and rows are watched on the way up.
    Watched,
}

/// A database that has some migrations.
pub(super) struct Walk<'a> {
    project: &'a Project,
    scratch: &'a Scratch,
    database: Database,
    passed: usize,
    /// What is in the database now, where it was looked at.
    now: Option<State>,
}

/// What a database holds.
struct State {
    schema: Schema,
    /// What `pg_dump` says of it, where it was asked.
    dump: Option<String>,
}

impl State {
    fn read(database: &Database, pg_dump: Option<&PathBuf>) -> Result<Self, Error> {
        let schema = postgres::read(&mut database.connect()?)?;
        let dump = pg_dump.map(|pg_dump| witness::dump(pg_dump, &database.url()));
        Ok(Self {
            schema,
            dump: dump.transpose()?,
        })
    }

    /// What is otherwise here than is wanted, at most five lines.
    fn differences(&self, wanted: &Self) -> Vec<String> {
        let mut found = words(&self.schema, &wanted.schema);
        let unread = |schema: &Schema| -> Vec<String> {
            schema.unread().iter().map(|one| one.what.clone()).collect()
        };
        let (here, there) = (unread(&self.schema), unread(&wanted.schema));
        let missing = there.iter().filter(|what| !here.contains(what));
        found.extend(missing.map(|what| format!("{what} is missing")));
        let left = here.iter().filter(|what| !there.contains(what));
        found.extend(left.map(|what| format!("{what} should not be there")));
        if found.is_empty()
            && let (Some(here), Some(there)) = (&self.dump, &wanted.dump)
            && let Err(differences) = witness::agree(here, there)
        {
            let seen = differences.iter().map(ToString::to_string);
            found.extend(seen.map(|one| format!("pg_dump sees a difference: {one}")));
        }
        let more = found.len().saturating_sub(SHOWN);
        found.truncate(SHOWN);
        if more > 0 {
            found.push(format!("and {more} more"));
        }
        found
    }
}

impl<'a> Walk<'a> {
    /// Begins where no migration is.
    pub(super) fn begin(project: &'a Project, scratch: &'a Scratch) -> Result<Self, Error> {
        let start = source::replay_these(project, &[])?;
        let database = start.scratch.ok_or_else(|| {
            Error::new(
                ErrorKind::Defect,
                "a replay needs a database on the scratch",
            )
        })?;
        Ok(Self {
            project,
            scratch,
            database,
            passed: 0,
            now: None,
        })
    }

    /// How many migrations it has.
    pub(super) fn passed(&self) -> usize {
        self.passed
    }

    /// Applies migrations without a closer look.
    pub(super) fn pass(&mut self, migrations: &[Migration]) -> Result<(), Error> {
        if migrations.is_empty() {
            return Ok(());
        }
        apply::replay(&self.database, migrations)?;
        self.passed += migrations.len();
        self.now = None;
        Ok(())
    }

    /// Applies a migration, and tries on a copy if it comes back and goes up again. Where it does, or says that it does
    /// not, the second is what was proved.
    pub(super) fn attempt(
        &mut self,
        migration: &Migration,
        care: Care,
    ) -> Result<(Outcome, Option<String>), Error> {
        let pg_dump = match care {
            Care::Read => None,
            Care::Witnessed | Care::Watched => {
                self.project.binaries.pg_dump(self.scratch.major()).ok()
            }
        };
        let pg_dump = pg_dump.as_ref();
        let before = match self.now.take() {
            Some(state) => state,
            None => State::read(&self.database, pg_dump)?,
        };
        let start = match care {
            Care::Read | Care::Witnessed => None,
            Care::Watched => Some(source::side(self.scratch.copy(&self.database)?)?),
        };
        self.pass(std::slice::from_ref(migration))?;
        let after = State::read(&self.database, pg_dump)?;
        let outcome = self.and_back(migration, &before, &after, pg_dump)?;
        self.now = Some(after);
        let mut sentence = self.sentence(&outcome, pg_dump.is_some());
        if let (Some(sentence), Some(start)) = (&mut sentence, start)
            && let Some(run) = up(&self.database, migration)?
            && let Some(rows) = watch(self.project, &start, &run)?
        {
            *sentence += "; ";
            *sentence += &rows;
        }
        Ok((outcome, sentence))
    }

    fn and_back(
        &self,
        migration: &Migration,
        before: &State,
        after: &State,
        pg_dump: Option<&PathBuf>,
    ) -> Result<Outcome, Error> {
        let down = match migration.down.as_deref() {
            None => return Ok(Outcome::Irreversible("it has no down.sql".to_owned())),
            Some(down) if holds_nothing(down) => {
                let why = "its down.sql holds no statement".to_owned();
                return Ok(Outcome::Irreversible(why));
            }
            Some(down) => down,
        };
        let copy = self.scratch.copy(&self.database)?;
        let one = std::slice::from_ref(migration);
        let done = apply::replay_back(&copy, one);
        if let Err(error) = done {
            if let ApplyError::Failed { failure, .. } = &error {
                // What ran outside of a transaction may have left something.
                let copy = self.scratch.copy(&self.database)?;
                if raised(&mut copy.connect()?, down, failure) {
                    return Ok(Outcome::Irreversible(failure.message.to_string()));
                }
            }
            return Ok(Outcome::Broken(Fault::of(migration, "down.sql", &error)));
        }
        let back = State::read(&copy, pg_dump)?;
        let strays = back.differences(before);
        if !strays.is_empty() {
            return Ok(Outcome::Strays(strays));
        }
        let again = apply::replay(&copy, one);
        if let Err(error) = again {
            let fault = Fault::of(migration, "up.sql", &error);
            let says = format!("after down.sql it does not go up again: {}", fault.says);
            return Ok(Outcome::Broken(Fault { says, ..fault }));
        }
        let again = State::read(&copy, pg_dump)?.differences(after);
        if !again.is_empty() {
            let file = migration.dir.join("up.sql").display().to_string();
            return Ok(Outcome::Broken(Fault {
                says: format!(
                    "{file}: after down.sql it gives something else:\n{}",
                    again.join("\n")
                ),
                file,
                line: None,
            }));
        }
        Ok(Outcome::Returns)
    }

    fn sentence(&self, outcome: &Outcome, witnessed: bool) -> Option<String> {
        let place = self.scratch.version_text();
        let witness = if witnessed {
            "; pg_dump agrees"
        } else {
            "; no pg_dump was there to agree"
        };
        match outcome {
            Outcome::Returns => Some(format!(
                "on PostgreSQL {place}: up runs after those before it, down gives exactly the schema before, and up \
                 again the same{witness}"
            )),
            Outcome::Irreversible(why) => Some(format!(
                "on PostgreSQL {place}: up runs after those before it; irreversible: {why}"
            )),
            Outcome::Strays(_) | Outcome::Broken(_) => None,
        }
    }

    /// The database as a source.
    pub(super) fn end(self) -> Result<Side, Error> {
        source::side(self.database)
    }
}

/// What a migration runs on its way up, fitted to the scratch; nothing where it is no single transaction that our parser knows.
fn up(database: &Database, migration: &Migration) -> Result<Option<Run>, Error> {
    let fitted = database.fit(&[&migration.up])?;
    let text = fitted.first().map_or("", String::as_str);
    let Some(Steering::One { parts, around: _ }) = steering(text) else {
        return Ok(None);
    };
    let statement = |sql: &str| Statement::new(sql.lines().next().unwrap_or_default(), sql);
    Ok(Some(Run {
        statements: parts.iter().map(|part| statement(part.sql)).collect(),
        in_transaction: migration.run_in_transaction || is_one_transaction(&migration.up),
    }))
}
