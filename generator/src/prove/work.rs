//! Work of a way on the relations of its start, by their numbers, which are the same on all copies of it. Two trials find it, one
//! without rows and one with rows, and where they differ, one of them is wrong.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{PgConnection, QueryResult};
use trueup::{LockMode, Statement};

use super::{
    data::Run,
    measure::{Locked, begin_counting, files, locked},
};

/// Locks, scans, rewrites and updates, each with the statement where it is known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Work {
    files: BTreeMap<i64, Option<i64>>,
    names: BTreeMap<i64, String>,
    modes: BTreeMap<i64, (LockMode, String)>,
    rewritten: BTreeMap<i64, String>,
    scanned: BTreeMap<i64, String>,
    /// Every relation that is scanned or rewritten, with each statement that does so.
    worked: BTreeSet<(i64, String)>,
    updated: BTreeSet<i64>,
    gone: BTreeSet<i64>,
    /// The number of scans in the transaction that are an observer's or an earlier statement's.
    observed: BTreeMap<i64, i64>,
    /// True if part of it was not observed, but for the files.
    is_partial: bool,
    /// True if earlier scans may count as its own.
    has_foreign_scans: bool,
}

impl Work {
    /// No work yet on the relations that are there.
    pub(super) fn begin(connection: &mut PgConnection) -> QueryResult<Self> {
        Ok(Self::on(files(connection)?))
    }

    /// No work yet on these relations, each with its file.
    pub(super) fn on(files: impl IntoIterator<Item = (i64, Option<i64>)>) -> Self {
        Self {
            files: files.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds what a transaction has locked, which ran `by`.
    pub(super) fn add(&mut self, locked: &[Locked], by: &str) {
        for one in locked {
            let Some(file) = self.files.get_mut(&one.oid) else {
                continue;
            };
            let by = || by.to_owned();
            if let Some(mode) = LockMode::of(&one.mode) {
                let held = self.modes.entry(one.oid).or_insert_with(|| (mode, by()));
                if held.0 < mode {
                    *held = (mode, by());
                }
            }
            let Some(name) = &one.name else {
                self.gone.insert(one.oid);
                continue;
            };
            self.names.insert(one.oid, name.clone());
            if *file != one.file {
                *file = one.file;
                self.rewritten.entry(one.oid).or_insert_with(by);
                self.worked.insert((one.oid, by()));
            } else if one.scans > self.observed.get(&one.oid).copied().unwrap_or(0) {
                self.scanned.entry(one.oid).or_insert_with(by);
                self.worked.insert((one.oid, by()));
            }
            if one.updates > 0 {
                self.updated.insert(one.oid);
            }
        }
    }

    /// Says that something ran of which only the files were observed.
    pub(super) fn lacks_some(&mut self) {
        self.is_partial = true;
    }

    /// Lets the next transaction count alone.
    pub(super) fn before(&mut self, connection: &mut PgConnection, major: u32) -> QueryResult<()> {
        self.has_foreign_scans |= !begin_counting(connection, major)?;
        self.observed.clear();
        Ok(())
    }

    /// Looks at something in the transaction, whose scans are not its own.
    pub(super) fn aside<T>(
        &mut self,
        connection: &mut PgConnection,
        look: impl FnOnce(&mut PgConnection) -> T,
    ) -> QueryResult<T> {
        let scans = |connection: &mut PgConnection| -> QueryResult<BTreeMap<i64, i64>> {
            let locked = locked(connection)?.into_iter();
            Ok(locked.map(|one| (one.oid, one.scans)).collect())
        };
        let before = scans(connection)?;
        let seen = look(connection);
        for (oid, after) in scans(connection)? {
            let more = after - before.get(&oid).copied().unwrap_or(0);
            *self.observed.entry(oid).or_default() += more;
        }
        Ok(seen)
    }

    /// Adds the work of a statement in a transaction that goes on.
    pub(super) fn within(&mut self, connection: &mut PgConnection, by: &str) -> QueryResult<()> {
        let locked = locked(connection)?;
        self.add(&locked, by);
        let scans = locked.iter().map(|one| (one.oid, one.scans));
        self.observed.extend(scans);
        Ok(())
    }

    /// Adds new files where no transaction showed them.
    pub(super) fn after(&mut self, connection: &mut PgConnection) -> QueryResult<()> {
        self.lacks_some();
        let files = files(connection)?;
        for (oid, file) in &mut self.files {
            match files.get(oid) {
                None => {
                    self.gone.insert(*oid);
                }
                Some(now) if now != file => {
                    *file = *now;
                    self.rewritten.entry(*oid).or_default();
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The differences between the work that is told, which is this, and the work of the same runs on rows.
    pub(super) fn differences(&self, on_rows: &Self, file: &str, runs: &[Run]) -> Vec<String> {
        let statements = || runs.iter().flat_map(|run| &run.statements);
        let in_question = |oid: &i64| {
            let both = self.files.contains_key(oid) && on_rows.files.contains_key(oid);
            both && !self.gone.contains(oid) && !on_rows.gone.contains(oid)
        };
        let name = |oid: &i64| {
            let name = self.names.get(oid).or_else(|| on_rows.names.get(oid));
            name.map_or_else(|| format!("relation {oid}"), String::clone)
        };
        let all = || {
            let sql: Vec<&str> = statements().map(Statement::sql).collect();
            sql.join(";\n  ")
        };
        let mut found = Vec::new();
        let mut compare = |does: &str,
                           told: &BTreeMap<i64, String>,
                           done: &BTreeMap<i64, String>| {
            for (oid, by) in told.iter().filter(|(oid, _)| in_question(oid)) {
                if !done.contains_key(oid) {
                    let name = name(oid);
                    found.push(format!(
                        "{file}: `{by}` says that it {does} {name}, and with rows it does not"
                    ));
                }
            }
            for (oid, by) in done.iter().filter(|(oid, _)| in_question(oid)) {
                if !told.contains_key(oid) {
                    let (name, all) = (name(oid), all());
                    found.push(format!(
                        "{file}: with rows `{by}` {does} {name}, and no hazard says so, in:\n  {all}"
                    ));
                }
            }
        };
        compare("rewrites", &self.rewritten, &on_rows.rewritten);
        let is_update = statements().any(Statement::is_update);
        if self.is_partial || on_rows.is_partial {
            return found;
        }
        // Triggers and foreign keys look rows up by themselves.
        if !self.has_foreign_scans && !on_rows.has_foreign_scans && !is_update {
            let rewritten: BTreeSet<&i64> = self
                .rewritten
                .keys()
                .chain(on_rows.rewritten.keys())
                .collect();
            let scanned = |work: &Self| -> BTreeMap<i64, String> {
                let scanned = work.scanned.iter();
                let scanned = scanned.filter(|(oid, _)| !rewritten.contains(oid));
                scanned.map(|(oid, by)| (*oid, by.clone())).collect()
            };
            // The other table of a foreign key is read or not, as the rows are, and its lock is told with the scan of the one.
            let is_told = |oid: &i64, by: &String| {
                let mut works = self.worked.iter();
                self.modes.contains_key(oid) && works.any(|(other, its)| other != oid && its == by)
            };
            let told = scanned(self);
            let mut done = scanned(on_rows);
            // No lock that others wait for, no hazard.
            done.retain(|oid, by| {
                let is_known = told.contains_key(oid) || !is_told(oid, by);
                on_rows.modes.contains_key(oid) && is_known
            });
            compare(
                "scans",
                &told
                    .iter()
                    .filter(|(oid, _)| self.modes.contains_key(oid))
                    .map(|(oid, by)| (*oid, by.clone()))
                    .collect(),
                &done,
            );
        }
        let none = (None, String::new());
        for oid in self.files.keys().filter(|oid| in_question(oid)) {
            let mode = |work: &Self| {
                let mode = work.modes.get(oid);
                mode.map_or_else(|| none.clone(), |(mode, by)| (Some(*mode), by.clone()))
            };
            let ((told, by), (done, _)) = (mode(self), mode(on_rows));
            if told != done {
                let words = |mode: Option<LockMode>| mode.map_or("no such lock", LockMode::words);
                found.push(format!(
                    "{file}: told is {} on {} (`{by}`), and with rows it is {}, in:\n  {}",
                    words(told),
                    name(oid),
                    words(done),
                    all()
                ));
            }
        }
        if !is_update {
            for oid in on_rows.updated.iter().filter(|oid| in_question(oid)) {
                let (name, all) = (name(oid), all());
                found.push(format!(
                    "{file}: rows of {name} are updated, and no statement says so, in:\n  {all}"
                ));
            }
        }
        found
    }
}
