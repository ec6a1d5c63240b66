//! The rows are inserted, updated and deleted once more, with triggers on, wherever code is around their table: what a
//! program does that runs before the change and after it.

mod attempts;
mod covered;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    shape::{Shape, Table},
    snapshot::Snapshot,
    values::Values,
};
use crate::{
    Error,
    postgres::scratch::Database,
    prove::code::{Attempt, Failure, Findings, Session, Suspect},
};
use attempts::{attempts, verb};
use covered::Covered;

/// One thing that is done to a table, by numbers that stay when it is altered or renamed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Deed {
    /// The table, or a view or policy.
    of: i64,
    act: Act,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    /// A row with all its values.
    Insert,
    /// A row whose defaults are computed.
    InsertDefaults,
    /// Every column to the value that it has.
    Touch,
    /// The column of this number to another value.
    Update(i32),
    Delete,
    Truncate,
    /// The expressions of a policy are computed for the rows.
    Policy,
    /// A view is read.
    Read,
}

/// The outcome of each deed, for a few rows.
#[derive(Default)]
pub(super) struct Exercise {
    deeds: BTreeMap<Deed, Ends>,
}

#[derive(Default)]
struct Ends {
    successes: usize,
    failures: Vec<(String, Failure)>,
}

const UNIQUE_VIOLATION: &str = "23505";
/// A check, a key or an exclusion constraint refuses values. Those of a counter, say, are made up like all others, and no code
/// has counted.
const BY_VALUES: [&str; 3] = ["23514", UNIQUE_VIOLATION, "23P01"];

/// The number of attempts that one query makes.
const AT_ONCE: usize = 200;

impl Exercise {
    /// Does everything to the rows that are there; `like` is what was done before the change, and what failed then is not
    /// tried again.
    pub(super) fn run(
        database: &Database,
        memory: &Snapshot,
        like: Option<&Self>,
    ) -> Result<(Self, Session), Error> {
        let mut session = Session::begin(database)?;
        let covered = Covered::read(&mut session.connection)?;
        let mut exercise = Self::default();
        if covered.is_empty() {
            return Ok((exercise, session));
        }
        let wanted = |deed: Deed| like.is_none_or(|like| like.succeeded(deed));
        let mut all: Vec<(Deed, String, Attempt)> = Vec::new();
        let values = Values::new(&memory.shape);
        for table in covered.tables(&memory.shape) {
            let rows = covered::rows(&mut session.connection, &memory.shape, table);
            attempts(&memory.shape, &values, &covered, table, &rows, &mut all);
        }
        all.extend(covered.others());
        all.retain(|(deed, _, _)| wanted(*deed));
        for some in all.chunks(AT_ONCE) {
            let tried: Vec<Attempt> = some.iter().map(|(_, _, attempt)| attempt.clone()).collect();
            let Some(ended) = session.attempt(&tried) else {
                continue;
            };
            for ((deed, words, _), failure) in some.iter().zip(ended) {
                let ends = exercise.deeds.entry(*deed).or_default();
                match failure {
                    None => ends.successes += 1,
                    Some(failure) => ends.failures.push((words.clone(), failure)),
                }
            }
        }
        // No transaction takes back what was drawn from a sequence.
        memory.restore_sequences(&mut session.connection)?;
        Ok((exercise, session))
    }

    /// Does the same after `file`, and returns what ran before and does not run now.
    pub(super) fn again(
        &self,
        database: &Database,
        memory: &Snapshot,
        file: &'static str,
    ) -> Result<Findings, Error> {
        if self.deeds.is_empty() {
            return Ok(Findings::default());
        }
        let (after, mut session) = Self::run(database, memory, Some(self))?;
        Ok(after.findings(self, &mut session, file))
    }

    /// Around how many tables code ran.
    pub(super) fn tables(&self) -> usize {
        let succeeded = self.deeds.iter().filter(|(_, ends)| ends.successes > 0);
        let of_tables = succeeded.filter(|(deed, _)| !matches!(deed.act, Act::Policy | Act::Read));
        let tables: BTreeSet<i64> = of_tables.map(|(deed, _)| deed.of).collect();
        tables.len()
    }

    fn succeeded(&self, deed: Deed) -> bool {
        self.deeds.get(&deed).is_some_and(|ends| ends.successes > 0)
    }

    /// The code that ran in `before` and does not run here, after `file`; or not on all rows.
    fn findings(&self, before: &Self, session: &mut Session, file: &'static str) -> Findings {
        let mut found = Findings::default();
        for (deed, now) in &self.deeds {
            let Some(then) = before.deeds.get(deed).filter(|ends| ends.successes > 0) else {
                continue;
            };
            let new = now.failures.iter().filter(|(_, failure)| {
                let known = then.failures.iter().any(|(_, old)| old.is_like(failure));
                // Of several other values one that passes is enough, but no value makes up for a missing name.
                let is_for_value = matches!(deed.act, Act::Update(_)) && now.successes > 0;
                // What an earlier row left is in the way of the row that comes once more, and of no new one.
                let is_left = matches!(deed.act, Act::Insert | Act::InsertDefaults)
                    && now.successes > 0
                    && failure.state == UNIQUE_VIOLATION;
                failure.is_of_code()
                    && !known
                    && !is_left
                    && (!is_for_value || failure.state.starts_with("42"))
            });
            for (words, failure) in new {
                let one = session.broken(file, words.clone(), failure);
                let is_on_some = now.successes > 0
                    && one.function.is_some()
                    && BY_VALUES.contains(&failure.state.as_str());
                if is_on_some {
                    let suspect = Suspect::on_some_rows(&one);
                    if !found.suspects.contains(&suspect) {
                        found.suspects.push(suspect);
                    }
                    continue;
                }
                let mut told = found.broken.iter();
                let is_told = told.any(|other| {
                    other.message == one.message
                        && other.function == one.function
                        && other.line == one.line
                });
                if !is_told {
                    found.broken.push(one);
                }
            }
        }
        found
    }
}

fn name(shape: &Shape, table: i64) -> &str {
    shape
        .tables
        .get(&table)
        .map_or("", |table: &Table| &table.name)
}
