//! A database on the scratch that goes through a history, one migration after the other.

mod beside;

use std::path::PathBuf;

use diesel::PgConnection;
use trueup::{Schema, Statement};

use super::{Fault, Outcome, raised::raised};
use crate::{
    Error, Project,
    diff::words,
    migrations::{
        apply::{self, ApplyError},
        folder::Migration,
    },
    postgres::{
        catalog,
        connection::{Steering, holds_nothing, is_one_transaction, steering},
        dump,
        scratch::{Database, Scratch},
    },
    prove::{
        code::{Code, Findings, UP},
        data::{Run, watch},
        measure, tell_measured,
    },
    source::{self, Side},
    summary::Summary,
};
use beside::{Beside, Tried};

/// The number of differences that are listed.
const SHOWN: usize = 5;

/// By what two states are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// As we read them.
    Read,
    /// As we read them, and as `pg_dump` sees them where it is there; rows are watched on the way up.
    Watched,
}

/// A database that has some migrations.
pub(super) struct Walk<'a> {
    project: &'a Project,
    scratch: &'a Scratch,
    database: Database,
    passed: usize,
    /// The state of the database, if it was read.
    now: Option<State>,
    /// The session that reads the database: a server's first answers in each are slow.
    session: Option<PgConnection>,
    /// A copy with the same migrations, on which all since it was made went down and up again.
    beside: Option<Beside>,
}

/// The outcome of one migration.
pub(super) struct Attempt {
    pub(super) outcome: Outcome,
    /// The proved sentence, if the migration comes back or declares itself irreversible.
    pub(super) sentence: Option<String>,
    /// The faults of code, where it was looked at.
    pub(super) findings: Findings,
    /// The way there in a few lines, where it was looked at.
    pub(super) summary: Option<Summary>,
}

/// The state of a database.
struct State {
    schema: Schema,
    /// The output of `pg_dump`, if it was run.
    dump: Option<String>,
}

impl State {
    fn read(
        database: &Database,
        session: &mut PgConnection,
        pg_dump: Option<&PathBuf>,
    ) -> Result<Self, Error> {
        let schema = catalog::read(session)?;
        let dump = pg_dump.map(|pg_dump| dump::dump(pg_dump, &database.url()));
        Ok(Self {
            schema,
            dump: dump.transpose()?,
        })
    }

    /// The differences from the wanted state, at most five lines.
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
            && let Err(differences) = dump::agree(here, there)
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
        let database = start.into_database(scratch)?;
        Ok(Self {
            project,
            scratch,
            database,
            passed: 0,
            now: None,
            session: None,
            beside: None,
        })
    }

    /// The number of migrations that it has.
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
        self.beside = None;
        Ok(())
    }

    /// Reads the database.
    fn read(&mut self, pg_dump: Option<&PathBuf>) -> Result<State, Error> {
        let mut session = self.session()?;
        let state = State::read(&self.database, &mut session, pg_dump)?;
        self.session = Some(session);
        Ok(state)
    }

    /// The session that reads the database, to be put back.
    fn session(&mut self) -> Result<PgConnection, Error> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let mut session = self.database.connect()?;
        catalog::remember_queries(&mut session);
        Ok(session)
    }

    /// Copies the database, to which nobody may be connected meanwhile.
    fn copy(&mut self) -> Result<Database, Error> {
        self.session = None;
        Ok(self.scratch.copy(&self.database)?)
    }

    /// Applies a migration, and tries on a copy if it comes back and goes up again.
    pub(super) fn attempt(&mut self, migration: &Migration, care: Care) -> Result<Attempt, Error> {
        let pg_dump = match care {
            Care::Read => None,
            Care::Watched => self.project.binaries.pg_dump(self.scratch.major()).ok(),
        };
        let pg_dump = pg_dump.as_ref();
        let before = match self.now.take() {
            Some(state) => state,
            None => self.read(pg_dump)?,
        };
        let (start, code) = match care {
            Care::Read => (None, None),
            Care::Watched => {
                let start = self.copy()?;
                let code = Code::read(&start)?;
                (Some(source::side(start)?), Some(code))
            }
        };
        let beside = self.beside.take().filter(|_| care == Care::Read);
        self.pass(std::slice::from_ref(migration))?;
        let after = self.read(pg_dump)?;
        let mut findings = Findings::default();
        let mut codes = None;
        if let Some(code) = code.as_ref() {
            let reached = Code::read(&self.database)?;
            findings.add(reached.findings(code, code, &self.database, UP)?);
            codes = Some((code, reached));
        }
        let codes = codes.as_ref().map(|(code, reached)| [*code, reached]);
        let quickly = self.quickly(beside, migration, &before, &after)?;
        let outcome = if let Some(outcome) = quickly {
            outcome
        } else {
            let ends = [&before, &after];
            self.and_back(migration, ends, pg_dump, codes, &mut findings)?
        };
        let mut summary = match care {
            Care::Read => None,
            Care::Watched => {
                let in_transaction =
                    migration.run_in_transaction || is_one_transaction(&migration.up);
                Some(Summary::seen(&before.schema, &after.schema, in_transaction))
            }
        };
        self.now = Some(after);
        let mut sentence = self.sentence(&outcome, pg_dump.is_some());
        if let (Some(sentence), Some(start)) = (&mut sentence, start)
            && let Some(up) = run_of(&self.database, migration, &migration.up)?
        {
            let down = match (&outcome, &migration.down) {
                (Outcome::Returns, Some(down)) => run_of(&self.database, migration, down)?,
                (_, Some(_) | None) => None,
            };
            if let Some(summary) = &mut summary {
                measured(self.project, &start, &up, summary)?;
            }
            let watched = watch(self.project, &start, &up, down.as_ref())?;
            if let Some(rows) = watched.sentence {
                *sentence += "; ";
                *sentence += &rows;
            }
            findings.add(watched.findings);
        }
        Ok(Attempt {
            outcome,
            sentence,
            findings,
            summary,
        })
    }

    /// Tries a migration on the database beside, if that spares a copy. A failure there decides nothing: earlier migrations may
    /// have left its cause there.
    fn quickly(
        &mut self,
        beside: Option<Beside>,
        migration: &Migration,
        before: &State,
        after: &State,
    ) -> Result<Option<Outcome>, Error> {
        let Some(mut beside) = beside else {
            return Ok(None);
        };
        let up = apply::replay(&beside.database, std::slice::from_ref(migration));
        let outcome = match (up, without_way_back(migration)) {
            (Err(_), _) => return Ok(None),
            (Ok(()), Err(none)) => none,
            (Ok(()), Ok(_)) => {
                let tried = beside.and_back(migration, before, after, None, None)?;
                match tried {
                    Tried::Returns => Outcome::Returns,
                    Tried::NoDown(_) | Tried::Strays(_) | Tried::NoUp(_) | Tried::Other(_) => {
                        return Ok(None);
                    }
                }
            }
        };
        self.keep(beside)?;
        Ok(Some(outcome))
    }

    /// Goes on with this database beside, where it holds the same.
    fn keep(&mut self, mut beside: Beside) -> Result<(), Error> {
        let mut session = self.session()?;
        if beside.holds_the_same(&mut session) {
            self.beside = Some(beside);
        }
        self.session = Some(session);
        Ok(())
    }

    fn and_back(
        &mut self,
        migration: &Migration,
        [before, after]: [&State; 2],
        pg_dump: Option<&PathBuf>,
        code: Option<[&Code; 2]>,
        findings: &mut Findings,
    ) -> Result<Outcome, Error> {
        let down = match without_way_back(migration) {
            Err(none) => return Ok(none),
            Ok(down) => down,
        };
        let mut copy = Beside::new(self.copy()?)?;
        let fault = |file: &str, error: &ApplyError| Fault::of(migration, file, error);
        let tried = copy.and_back(migration, before, after, pg_dump, code)?;
        findings.add(std::mem::take(&mut copy.findings));
        Ok(match tried {
            Tried::Returns => {
                if pg_dump.is_none() {
                    self.keep(copy)?;
                }
                Outcome::Returns
            }
            Tried::NoDown(error) => {
                if let ApplyError::Failed { failure, .. } = &error {
                    // A down outside of a transaction may have left something.
                    let copy = self.copy()?;
                    if raised(&mut copy.connect()?, down, failure) {
                        return Ok(Outcome::Irreversible(failure.message.to_string()));
                    }
                }
                Outcome::Broken(fault("down.sql", &error))
            }
            Tried::Strays(strays) => Outcome::Strays(strays),
            Tried::NoUp(error) => {
                let fault = fault("up.sql", &error);
                let says = format!("after down.sql it does not go up again: {}", fault.says);
                Outcome::Broken(Fault { says, ..fault })
            }
            Tried::Other(again) => {
                let file = migration.dir.join("up.sql").display().to_string();
                Outcome::Broken(Fault {
                    says: format!(
                        "{file}: after down.sql it gives something else:\n{}",
                        again.join("\n")
                    ),
                    file,
                    line: None,
                })
            }
        })
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
    pub(super) fn end(mut self) -> Result<Side, Error> {
        self.session = None;
        source::side(self.database)
    }
}

/// Adds to a summary the locks, scans and rewrites of a way up, if it runs in a transaction statement by statement.
fn measured(project: &Project, start: &Side, up: &Run, summary: &mut Summary) -> Result<(), Error> {
    let [measured, _] = measure(project, start, std::slice::from_ref(up), &[])?;
    let held = measured.held.first().cloned();
    let mut statements = up.statements.clone();
    tell_measured(statements.iter_mut(), measured);
    if let Some(held) = held {
        summary.measured(&statements, &held);
    }
    Ok(())
}

/// The way back of a migration that has one, or else the outcome that says so.
fn without_way_back(migration: &Migration) -> Result<&str, Outcome> {
    let why = match migration.down.as_deref() {
        None => "it has no down.sql",
        Some(down) if holds_nothing(down) => "its down.sql holds no statement",
        Some(down) => return Ok(down),
    };
    Err(Outcome::Irreversible(why.to_owned()))
}

/// The statements of a migration's file, fitted to the scratch; `None` if it is no single transaction that our parser knows.
fn run_of(database: &Database, migration: &Migration, sql: &str) -> Result<Option<Run>, Error> {
    let fitted = database.fit(&[sql])?;
    let text = fitted.first().map_or("", String::as_str);
    let Some(Steering::One { parts, around: _ }) = steering(text) else {
        return Ok(None);
    };
    let statement = |sql: &str| Statement::new(sql.lines().next().unwrap_or_default(), sql);
    Ok(Some(Run {
        statements: parts.iter().map(|part| statement(part.sql)).collect(),
        in_transaction: migration.run_in_transaction || is_one_transaction(sql),
    }))
}
