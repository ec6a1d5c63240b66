//! The locks, scans and rewrites of each statement, as Postgres did them on a copy of the start.
//!
//! Each statement runs in a transaction of its own, so that what it locks is told from what the statement before it locked.
//! The copy holds no rows, and needs none: Postgres begins a scan of an empty table, and gives an empty table another file,
//! where it would with rows.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use trueup::{Hazard, LockMode, Statement};

use super::{data::Run, work::Work};
use crate::{
    Error, ErrorKind, Project,
    postgres::{connection::OLDEST_MAJOR, scratch::Database},
    source::Side,
};

/// Measurements of the statements of some runs.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// The hazards of each statement, in their order.
    pub(crate) hazards: Vec<Vec<Hazard>>,
    /// The locks of each run that was measured to its end.
    pub(crate) held: Vec<Held>,
    /// Work on the relations of the start.
    pub(super) work: Work,
    /// From which statement on nothing was measured, and why.
    pub(crate) stopped: Option<String>,
}

/// The locks that a run took on what was there before all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// The strongest mode on each table.
    pub(crate) modes: BTreeMap<String, LockMode>,
    /// The number of statements that run outside of a transaction.
    pub(crate) unmeasured: usize,
}

/// Runs the way there and back, and returns what each statement of the ups and of the downs locks, scans and rewrites of
/// what was there before the run.
pub(crate) fn measure(
    project: &Project,
    start: &Side,
    ups: &[Run],
    downs: &[Run],
) -> Result<[Measured; 2], Error> {
    let of = start
        .scratch
        .as_ref()
        .ok_or_else(|| Error::new(ErrorKind::Defect, "a proof needs its start on the scratch"))?;
    let scratch = project.scratch(None)?;
    let database = scratch.copy(of)?;
    let mut session = Session::open(&database, scratch.major())?;
    let up = session.measured(ups);
    let down = match &up.stopped {
        Some(_) => Measured::default(),
        None => session.measured(downs),
    };
    Ok([up, down])
}

/// Adds to statements what was measured, before the other hazards.
pub(crate) fn tell<'a>(statements: impl Iterator<Item = &'a mut Statement>, measured: Measured) {
    for (statement, hazards) in statements.zip(measured.hazards) {
        for hazard in hazards.into_iter().rev() {
            statement.warn(hazard);
        }
    }
}

/// A relation that holds rows.
#[derive(QueryableByName)]
struct Relation {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    /// Qualified and quoted.
    #[diesel(sql_type = Text)]
    name: String,
    /// The table at the top, of a partition; else the relation itself.
    #[diesel(sql_type = BigInt)]
    root: i64,
    /// `None` where it has no file, as a partitioned table.
    #[diesel(sql_type = Nullable<BigInt>)]
    file: Option<i64>,
}

struct Session<'a> {
    connection: PgConnection,
    database: &'a Database,
    major: u32,
    relations: BTreeMap<i64, Relation>,
}

/// The relations that hold rows, and the tables that are partitioned into such.
const RELATIONS: &str = "
    SELECT c.oid::bigint, format('%I.%I', n.nspname, c.relname) AS name,
        coalesce(pg_partition_root(c.oid), c.oid)::oid::bigint AS root, pg_relation_filenode(c.oid)::bigint AS file
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

/// A relation that the transaction has locked; `name` is `None` where it is gone or is none that holds rows.
#[derive(QueryableByName)]
pub(super) struct Locked {
    #[diesel(sql_type = BigInt)]
    pub(super) oid: i64,
    #[diesel(sql_type = Text)]
    pub(super) mode: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) name: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    root: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) file: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub(super) scans: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) updates: i64,
}

/// The catalog's own relations have the oids below 16384.
const LOCKED: &str = "
    SELECT l.relation::bigint AS oid, l.mode, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
        coalesce(pg_partition_root(c.oid), c.oid)::oid::bigint AS root, pg_relation_filenode(c.oid)::bigint AS file,
        coalesce(pg_stat_get_xact_numscans(c.oid), 0) AS scans,
        coalesce(pg_stat_get_xact_tuples_updated(c.oid), 0) AS updates
    FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = current_database()
        LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace)
            ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm')
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384";

/// The first major that can be told to count what a transaction scanned before the next one begins.
const FLUSHES: u32 = 15;
const _: () = assert!(OLDEST_MAJOR < FLUSHES);

/// The relations of a database, each with its file.
pub(super) fn files(connection: &mut PgConnection) -> QueryResult<BTreeMap<i64, Option<i64>>> {
    let relations: Vec<Relation> = sql_query(RELATIONS).load(connection)?;
    Ok(relations
        .into_iter()
        .map(|one| (one.oid, one.file))
        .collect())
}

/// The relations that the transaction has locked so far.
pub(super) fn locked(connection: &mut PgConnection) -> QueryResult<Vec<Locked>> {
    sql_query(LOCKED).load(connection)
}

/// Lets what the transaction scans count as scanned by it alone: what ran before it counts no more. False where this server
/// cannot be told so.
pub(super) fn begin_counting(connection: &mut PgConnection, major: u32) -> QueryResult<bool> {
    if major < FLUSHES {
        return Ok(false);
    }
    connection.batch_execute("SELECT pg_stat_force_next_flush()")?;
    Ok(true)
}

impl<'a> Session<'a> {
    fn open(database: &'a Database, major: u32) -> Result<Self, Error> {
        let mut connection = database.connect()?;
        let relations: Vec<Relation> = sql_query(RELATIONS).load(&mut connection)?;
        Ok(Self {
            relations: relations.into_iter().map(|one| (one.oid, one)).collect(),
            connection,
            database,
            major,
        })
    }

    /// The hazards of statements that all come from the same state.
    fn measured(&mut self, runs: &[Run]) -> Measured {
        let before: BTreeSet<i64> = self.relations.keys().copied().collect();
        let mut measured = Measured {
            work: Work::on(self.relations.values().map(|one| (one.oid, one.file))),
            ..Measured::default()
        };
        for run in runs {
            let mut held = BTreeMap::new();
            let mut own = BTreeMap::new();
            let mut unmeasured = 0;
            for statement in &run.statements {
                let work = match self.run(statement, run.in_transaction) {
                    Ok(work) => work,
                    Err(error) => {
                        let says = statement.says();
                        measured.stopped =
                            Some(format!("`{says}`, which does not run alone: {error}"));
                        return measured;
                    }
                };
                self.note(&work, &before, &mut own);
                measured.work.add(&work, statement.says());
                let hazards = self.hazards(&work, &before, &mut held);
                measured.hazards.push(hazards);
                if !run.in_transaction && statement.is_alone() {
                    unmeasured += 1;
                    measured.work.lacks_some();
                }
                if !run.in_transaction {
                    held.clear();
                }
            }
            measured.held.push(Held {
                modes: own.into_values().collect(),
                unmeasured,
            });
        }
        measured
    }

    /// Adds the locks of a statement to those of its run, each relation by the name that it has then, or had before it went.
    fn note(
        &self,
        work: &[Locked],
        before: &BTreeSet<i64>,
        own: &mut BTreeMap<i64, (String, LockMode)>,
    ) {
        for one in work.iter().filter(|one| before.contains(&one.oid)) {
            let known = self.relations.get(&one.oid).map(|known| &known.name);
            let (Some(name), Some(mode)) = (one.name.as_ref().or(known), LockMode::of(&one.mode))
            else {
                continue;
            };
            let (so_far, strongest) = own.entry(one.oid).or_insert_with(|| (name.clone(), mode));
            so_far.clone_from(name);
            *strongest = mode.max(*strongest);
        }
    }

    /// Runs a statement and returns the relations that it locked.
    fn run(&mut self, statement: &Statement, in_transaction: bool) -> Result<Vec<Locked>, String> {
        let failed = |error: diesel::result::Error| error.to_string();
        if !in_transaction && statement.is_alone() {
            let ran = self.connection.batch_execute(statement.sql());
            return ran.map(|()| Vec::new()).map_err(failed);
        }
        // Before Postgres 15, scan counts of an earlier transaction may arrive late and count as this one's. A new session
        // starts clean.
        if self.major < FLUSHES {
            let again = self.database.connect();
            self.connection = again.map_err(|error| error.to_string())?;
        }
        self.one(statement.sql()).map_err(failed)
    }

    fn one(&mut self, sql: &str) -> QueryResult<Vec<Locked>> {
        let connection = &mut self.connection;
        AnsiTransactionManager::begin_transaction(connection)?;
        connection.batch_execute(sql)?;
        let locked = locked(connection)?;
        if self.major >= FLUSHES {
            connection.batch_execute("SELECT pg_stat_force_next_flush()")?;
        }
        AnsiTransactionManager::commit_transaction(connection)?;
        Ok(locked)
    }

    /// `before`: what was there before all statements; `held`: what the transaction has locked so far.
    fn hazards(
        &mut self,
        work: &[Locked],
        before: &BTreeSet<i64>,
        held: &mut BTreeMap<i64, LockMode>,
    ) -> Vec<Hazard> {
        let (mut rewritten, mut scanned) = (BTreeSet::new(), BTreeSet::new());
        let mut strong: BTreeMap<i64, LockMode> = BTreeMap::new();
        for one in work.iter().filter(|one| one.name.is_some()) {
            let known = self.relations.get(&one.oid);
            if known.is_some_and(|known| known.file != one.file) {
                rewritten.insert(one.oid);
            } else if one.scans > 0 {
                scanned.insert(one.oid);
            }
            if let Some(mode) = LockMode::of(&one.mode) {
                let own = strong.entry(one.oid).or_insert(mode);
                *own = mode.max(*own);
            }
        }
        self.follow(work);
        for (oid, mode) in &strong {
            let so_far = held.entry(*oid).or_insert(*mode);
            *so_far = (*mode).max(*so_far);
        }
        let tables: BTreeSet<i64> = strong.keys().map(|oid| self.root(*oid)).collect();
        rewritten.retain(|oid| before.contains(oid));
        scanned.retain(|oid| before.contains(oid) && held.contains_key(oid));
        strong.retain(|oid, _| before.contains(oid));
        let mut hazards = Vec::new();
        for table in self.named(rewritten.iter().copied()) {
            hazards.push(Hazard::RewritesTable { table });
        }
        for mode in LockMode::ALL {
            let those = scanned.iter().filter(|oid| held.get(oid) == Some(&mode));
            for table in self.named(those.copied()) {
                hazards.push(Hazard::ScansTable { table, mode });
            }
        }
        let works = !(rewritten.is_empty() && scanned.is_empty());
        // One table's own short lock is what every ALTER TABLE takes.
        if works || tables.len() > 1 {
            strong.retain(|oid, _| !rewritten.contains(oid) && !scanned.contains(oid));
            for mode in LockMode::ALL {
                let those = strong.keys().filter(|oid| held.get(oid) == Some(&mode));
                let tables = self.named(those.copied());
                if !tables.is_empty() {
                    hazards.push(Hazard::Locks {
                        tables: tables.join(" and "),
                        mode,
                        works,
                    });
                }
            }
        }
        hazards
    }

    fn root(&self, oid: i64) -> i64 {
        self.relations.get(&oid).map_or(oid, |known| known.root)
    }

    /// Their names, with many partitions of one table as one.
    fn named(&self, oids: impl Iterator<Item = i64>) -> Vec<String> {
        let mut roots: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for oid in oids {
            roots.entry(self.root(oid)).or_default().push(oid);
        }
        let name = |oid: &i64| self.relations.get(oid).map(|known| known.name.clone());
        let names = roots.iter().filter_map(|(root, all)| match all.as_slice() {
            [one] => name(one),
            all => {
                let partitions = all.iter().filter(|oid| *oid != root).count();
                let word = if partitions == 1 {
                    "partition"
                } else {
                    "partitions"
                };
                let table = name(root)?;
                Some(if all.contains(root) {
                    format!("{table} and {partitions} {word}")
                } else {
                    format!("{partitions} {word} of {table}")
                })
            }
        });
        names.collect()
    }

    /// Takes note of what relations are called and stored as afterwards.
    fn follow(&mut self, work: &[Locked]) {
        for one in work {
            match (&one.name, one.root) {
                (Some(name), Some(root)) => {
                    let (oid, name, file) = (one.oid, name.clone(), one.file);
                    let relation = Relation {
                        oid,
                        name,
                        root,
                        file,
                    };
                    self.relations.insert(oid, relation);
                }
                (None, _) | (_, None) => {
                    self.relations.remove(&one.oid);
                }
            }
        }
    }
}
