//! One run of the way there and back on a copy of the start that has rows.

mod asked;
mod bound;
mod code;
mod map;
mod runs;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Formatter},
};

use diesel::{
    Connection, PgConnection, QueryResult,
    connection::SimpleConnection,
    result::{DatabaseErrorKind, Error as SqlError},
};
use trueup::{Hazard, Id, Schema, Statement};

use super::{
    Kept, Run, Told,
    exercise::Exercise,
    generate::{Generated, generate, message},
    may_fail,
    ranges::{Ranges, Subject},
    snapshot::{Difference, Place, Snapshot, remember},
    upcoming,
};
use crate::{
    Error, ErrorKind, Project,
    postgres::{catalog, connection::run_sql, scratch::Database},
    prove::{
        code::{DOWN, Findings, UP},
        refused,
        work::Work,
    },
    source::Side,
};
use asked::Asked;
use map::Map;
use runs::{after_respelling, before_respelling, hazards, losses, parted};

/// A copy of the start with rows in it.
pub(super) struct RowsTrial<'a> {
    connection: PgConnection,
    database: Database,
    start: &'a Side,
    before: Snapshot,
    generated: Generated,
    extreme: BTreeSet<i64>,
    /// The major of the Postgres that it runs on.
    major: u32,
    /// Hazards that contradict what happened.
    pub(super) disagreements: Vec<String>,
}

/// The outcome of a run to the end.
pub(super) struct Outcome {
    pub(super) lost: Option<Lost>,
    pub(super) unfounded: Vec<String>,
    pub(super) findings: Findings,
    /// Around how many tables code ran.
    pub(super) exercised: usize,
    /// Work of the ups and of the downs.
    pub(super) work: [Work; 2],
}

/// Something that is gone, and no hazard said so; or that a hazard said is lost, and nothing touched it.
pub(super) enum Lost {
    /// Gone, after this file.
    Gone {
        file: &'static str,
        place: Place,
        name: String,
        why: String,
    },
    /// Still there, whatever this hazard says.
    There(String),
}

/// A statement that Postgres refused.
pub(super) struct Failed {
    file: &'static str,
    /// `None` for the commit.
    statement: Option<Box<Statement>>,
    error: SqlError,
    /// True if a hazard declares that it may fail.
    pub(super) is_foretold: bool,
    /// If no hazard does: the failing code or expression of the database's own.
    cause: Option<String>,
}

impl Failed {
    /// Of the ups, the statement that fails by what it computes, with the hazard to say so.
    pub(super) fn told(&self, ups: &[Run]) -> Option<Told> {
        let (cause, failed) = (self.cause.as_ref()?, self.statement.as_deref()?);
        let mut statements = ups.iter().flat_map(|run| &run.statements);
        let is_failed = |one: &Statement| one.sql() == failed.sql();
        let statement =
            statements.position(|one| is_failed(one) || one.apart().iter().any(is_failed))?;
        let hazard = Hazard::MayFail {
            because: format!("while a row makes it so, in {cause}"),
        };
        Some(Told { statement, hazard })
    }

    /// True if it is no fault of the statement's.
    pub(super) fn is_of_code(&self) -> bool {
        self.cause.is_some()
    }

    /// The table that Postgres names.
    fn table(&self) -> Option<&str> {
        if let SqlError::DatabaseError(_, information) = &self.error {
            information.table_name()
        } else {
            None
        }
    }
}

impl Display for Failed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let says = self.statement.as_deref().map_or("COMMIT", Statement::says);
        let error = message(&self.error);
        write!(f, "{}: `{says}` fails on rows: {error}", self.file)
    }
}

impl<'a> RowsTrial<'a> {
    /// Copies the start and puts rows into it.
    pub(super) fn begin(
        project: &Project,
        start: &'a Side,
        seed: Option<&str>,
        ranges: &Ranges,
    ) -> Result<Self, Error> {
        let of = start.scratch.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Defect, "a proof needs its start on the scratch")
        })?;
        let scratch = project.scratch(None)?;
        let database = scratch.copy(of)?;
        let mut connection = database.connect()?;
        catalog::remember_queries(&mut connection);
        if let Some(seed) = seed {
            run_sql(&mut connection, seed, "the seed")?;
        }
        let (generated, before) = connection.transaction(|connection| -> QueryResult<_> {
            let off = upcoming::install(connection, ranges.upcoming());
            let shape = super::shape::read(connection)?;
            let generated = generate(connection, &shape, ranges)?;
            for one in off {
                connection.batch_execute(one)?;
            }
            Ok((generated, remember(connection)?))
        })?;
        let extreme = |table: &&i64| generated.whole.contains(table) && ranges.are_extreme(**table);
        let extreme = before
            .shape
            .tables
            .keys()
            .filter(extreme)
            .copied()
            .collect();
        Ok(Self {
            connection,
            database,
            start,
            before,
            generated,
            extreme,
            major: scratch.major(),
            disagreements: Vec::new(),
        })
    }

    /// True if there is nothing to lose.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// Runs everything and looks for the rows after each way.
    pub(super) fn there_and_back(
        &mut self,
        renamed: Option<&Schema>,
        ups: &[Run],
        downs: &[Run],
    ) -> Result<Result<Outcome, Failed>, Error> {
        let exercise = Exercise::run(&self.database, &self.before, None)?.0;
        // Renames come first on the way there and last on the way back; what is called otherwise then is not lost.
        let (first, ups_after) = parted(ups, after_respelling(ups));
        let mut respelled = None;
        let mut work = Work::begin(&mut self.connection)?;
        if !first.is_empty() {
            if let Err(failed) = self.run(&first, UP, &mut work) {
                return Ok(Err(failed));
            }
            respelled = Some(remember(&mut self.connection)?);
        }
        if let Err(failed) = self.run(&ups_after, UP, &mut work) {
            return Ok(Err(failed));
        }
        let names = std::iter::once(&self.start.schema).chain(renamed);
        let (start, foretold) = (Map::new(names), hazards(ups));
        let reached = remember(&mut self.connection)?;
        let before = respelled.as_ref().unwrap_or(&self.before);
        let there = before.difference(&reached, &mut self.connection)?;
        let mut lost = untold(before, &there, &start, &foretold, UP);
        let mut findings = exercise.again(&self.database, &reached, UP)?;
        let mut seen: BTreeSet<Place> = there.lost.keys().copied().collect();
        let mut work_back = Work::default();
        if !downs.is_empty() {
            let halfway = catalog::read(&mut self.connection)?;
            let (downs_before, ending) = parted(downs, before_respelling(downs));
            work_back = Work::begin(&mut self.connection)?;
            if let Err(failed) = self.run(&downs_before, DOWN, &mut work_back) {
                return Ok(Err(failed));
            }
            let (halfway, foretold_back) = (Map::new([&halfway]), hazards(downs));
            let mut end = remember(&mut self.connection)?;
            let back = reached.difference(&end, &mut self.connection)?;
            lost = lost.or_else(|| untold(&reached, &back, &halfway, &foretold_back, DOWN));
            let gone = back.lost.keys().copied().collect();
            let (_, sure) = self.unfounded(&reached, downs, &halfway, &back, &gone);
            self.disagreements.extend(sure.map(|says| {
                format!("{DOWN}: a hazard says that it {says}, and nothing of it is touched")
            }));
            if !ending.is_empty() {
                if let Err(failed) = self.run(&ending, DOWN, &mut work_back) {
                    return Ok(Err(failed));
                }
                end = remember(&mut self.connection)?;
            }
            findings.add(exercise.again(&self.database, &end, DOWN)?);
            let mut whole = self.before.difference(&end, &mut self.connection)?;
            let decided = whole.lost.keys().filter(|place| there.open.contains(place));
            seen.extend(decided.copied());
            whole
                .lost
                .retain(|place, _| !halfway.is_told(*place, &foretold_back));
            // The identity that took a sequence over shows the sequence's position on the way back.
            whole
                .lost
                .retain(|place, _| !there.taken_over.contains(place));
            lost = lost.or_else(|| untold(&self.before, &whole, &start, &foretold, DOWN));
        }
        let (unfounded, sure) = self.unfounded(&self.before, ups, &start, &there, &seen);
        let lost = lost.or_else(|| sure.map(Lost::There));
        Ok(Ok(Outcome {
            lost,
            unfounded,
            findings,
            exercised: exercise.tables(),
            work: [work, work_back],
        }))
    }

    fn run(&mut self, runs: &[Run], file: &'static str, work: &mut Work) -> Result<(), Failed> {
        let watch = Watch {
            work,
            major: self.major,
            disagreements: &mut self.disagreements,
        };
        run(&mut self.connection, runs, file, Some(watch))
    }

    /// The hazards of some runs that nothing came of, and the first of which that is beyond doubt.
    fn unfounded(
        &self,
        before: &Snapshot,
        runs: &[Run],
        start: &Map<'_>,
        there: &Difference,
        seen: &BTreeSet<Place>,
    ) -> (Vec<String>, Option<String>) {
        let mut founded = BTreeSet::new();
        for place in seen {
            founded.extend(start.chain(*place));
        }
        let mut held: BTreeMap<Id, Vec<Place>> = BTreeMap::new();
        for place in before.places() {
            for id in start.ids(place) {
                held.entry(id.clone()).or_default().push(place);
            }
        }
        let (mut unfounded, mut sure) = (Vec::new(), None);
        for (of, what) in losses(runs) {
            let Some(places) = held.get(of).filter(|_| !founded.contains(of)) else {
                continue;
            };
            // Its table went later, and with that every trace of it.
            let table = |place: &Place| Place {
                column: 0,
                ..*place
            };
            if places.iter().any(|place| seen.contains(&table(place))) {
                continue;
            }
            // Of a sequence that was never used there is nothing to lose, whatever its column holds.
            let unused = before.unused();
            if unused
                .iter()
                .any(|place| start.ids(*place).any(|id| id == of))
            {
                continue;
            }
            let says = format!("loses {what}");
            if !places.iter().any(|place| there.changed.contains(place)) && sure.is_none() {
                sure = Some(says.clone());
            }
            let is_sequence = |place: &Place| !before.shape.tables.contains_key(&place.oid);
            let shows = |place: &Place| is_sequence(place) || self.extreme.contains(&place.oid);
            if places.iter().all(shows) {
                unfounded.push(says);
            }
        }
        (unfounded, sure)
    }

    /// Takes the rows out of tables that find none which satisfies what the ups add; `false` where each finds some.
    pub(super) fn give_up(&self, ranges: &mut Ranges) -> bool {
        let bare = self.generated.bare.iter();
        let bare = bare.filter(|(_, why)| why.contains(upcoming::PREFIX));
        bare.map(|(table, _)| ranges.give_up(*table))
            .fold(false, |any, one| any | one)
    }

    /// The tables and the rows that were tried, for the report.
    pub(super) fn kept(&self, ranges: &Ranges) -> Kept {
        let tables = self.before.shape.tables.values();
        let whole = tables.filter(|table| table.whole);
        let bare = whole.clone().filter_map(|table| {
            let resisted = self.generated.bare.get(&table.oid);
            let why = ranges.why.get(&table.oid).or(resisted)?;
            (!self.generated.rows.contains_key(&table.oid))
                .then(|| (table.name.clone(), why.clone()))
        });
        let quiet = whole
            .clone()
            .filter(|table| self.generated.quiet.contains(&table.oid));
        Kept {
            tables: whole.clone().count(),
            bare: bare.collect(),
            quiet: quiet.map(|table| table.name.clone()).collect(),
            ..Kept::default()
        }
    }

    /// Makes the rows tamer on which a statement failed; `false` where there are none of ours.
    pub(super) fn restrict(&self, ranges: &mut Ranges, failed: &Failed, ups: &[Run]) -> bool {
        let statement = failed.statement.as_deref();
        let is_by_constraint =
            failed.file == UP && statement.is_some_and(|one| upcoming::is_about(one.sql()));
        if is_by_constraint {
            let statements = ups.iter().flat_map(|run| &run.statements);
            let all = upcoming::of(statements).into_iter();
            let ours = all.filter_map(|one| {
                let mut tables = self.before.shape.tables.values();
                let table = tables.find(|table| table.name == one.table)?.oid;
                self.is_ours(table).then_some((table, one))
            });
            if ranges.satisfy(ours.collect(), &failed.to_string()) {
                return true;
            }
        }
        // A statement on a table may fail on the rows of one that inherits from it.
        self.tame_subject(ranges, failed)
            || failed
                .table()
                .and_then(|name| self.called(name))
                .is_some_and(|table| {
                    self.is_ours(table) && ranges.strip(table, &failed.to_string())
                })
    }

    fn tame_subject(&self, ranges: &mut Ranges, failed: &Failed) -> bool {
        let why = failed.to_string();
        let subject = failed
            .statement
            .as_ref()
            .and_then(|one| Subject::of(one.sql()));
        let Some((table, columns)) = subject.and_then(|subject| self.find(&subject)) else {
            let all = self.before.shape.tables.keys();
            return all
                .map(|table| !self.is_ours(*table) || ranges.strip(*table, &why))
                .fold(false, |any, one| any | one);
        };
        if !self.is_ours(table) {
            return false;
        }
        // No row can have a value in a column that comes without one.
        let comes = columns.is_empty()
            && matches!(
                &failed.error,
                SqlError::DatabaseError(DatabaseErrorKind::NotNullViolation, _)
            );
        if comes {
            return ranges.strip(table, &why);
        }
        if columns.is_empty() {
            return ranges.restrict(&self.before.shape, table, 0, &why);
        }
        columns
            .iter()
            .map(|column| ranges.restrict(&self.before.shape, table, *column, &why))
            .fold(false, |any, one| any | one)
    }

    /// Takes the rows away that a statement might fail on.
    pub(super) fn strip(&self, ranges: &mut Ranges, statement: &Statement) -> bool {
        let subject = Subject::of(statement.sql());
        let found = subject.and_then(|subject| self.find(&subject));
        let why = format!("`{}` may fail on some", statement.says());
        found.is_some_and(|(table, _)| self.is_ours(table) && ranges.strip(table, &why))
    }

    /// True if all rows in the table were put in for the trial.
    fn is_ours(&self, table: i64) -> bool {
        !self.generated.found.contains(&table)
    }

    /// The table of this name, in whatever namespace.
    fn called(&self, name: &str) -> Option<i64> {
        let ending = format!(".{}", trueup::name::quoted_ident(name));
        let mut tables = self.before.shape.tables.values();
        let table = tables.find(|table| table.name.ends_with(&ending))?;
        Some(table.oid)
    }

    fn find(&self, subject: &Subject) -> Option<(i64, Vec<i32>)> {
        let shape = &self.before.shape;
        let table = shape
            .tables
            .values()
            .find(|table| table.name == subject.table)?;
        let columns = shape.columns(table.oid).iter();
        let columns = columns.filter(|column| subject.columns.contains(&column.name));
        Some((table.oid, columns.map(|column| column.number).collect()))
    }

    /// After a failure in the only one of the ups, everything is as it was.
    pub(super) fn is_as_before(&mut self, failed: &Failed, ups: &[Run]) -> Result<(), Error> {
        let is_whole = ups.len() == 1 && ups.iter().all(|run| run.in_transaction);
        if failed.file != UP || !is_whole || after_respelling(ups) > 0 {
            return Ok(());
        }
        let now = remember(&mut self.connection)?;
        let difference = self.before.difference(&now, &mut self.connection)?;
        let Some((place, why)) = difference.lost.into_iter().next() else {
            return Ok(());
        };
        let message = format!(
            "up.sql fails and leaves {} not as it was: {why}",
            self.before.name(place)
        );
        Err(Error::new(ErrorKind::Defect, message).hints(super::super::REPORT))
    }

    /// Finds the statement after which something is gone, on a trial that has not run yet.
    pub(super) fn accuse(mut self, lost: &Lost, ups: &[Run], downs: &[Run]) -> Error {
        let message = match lost {
            Lost::There(says) => {
                format!(
                    "up.sql does not do what a hazard says: it {says}, and nothing of it is lost"
                )
            }
            Lost::Gone {
                file,
                place,
                name,
                why,
            } => {
                let after = self.culprit(*place, file, ups, downs);
                let after =
                    after.map_or(String::new(), |says| format!("\n  it happens in `{says}`"));
                format!(
                    "{file} loses what no hazard says; nothing was written\n  {name}: {why}{after}"
                )
            }
        };
        Error::new(ErrorKind::Defect, message).hints(super::super::REPORT)
    }

    fn culprit(
        &mut self,
        place: Place,
        file: &'static str,
        ups: &[Run],
        downs: &[Run],
    ) -> Option<String> {
        let suspects = if file == UP {
            ups
        } else {
            run(&mut self.connection, ups, UP, None).ok()?;
            self.before = remember(&mut self.connection).ok()?;
            downs
        };
        // One by one and each for itself: what comes after a commit would be too late.
        for statement in suspects.iter().flat_map(|run| &run.statements) {
            self.connection.batch_execute(statement.sql()).ok()?;
            let now = remember(&mut self.connection).ok()?;
            let difference = self.before.difference(&now, &mut self.connection).ok()?;
            if difference.lost.contains_key(&place) {
                return Some(statement.says().to_owned());
            }
        }
        None
    }
}

/// The first place where something is gone and no hazard says so.
fn untold(
    before: &Snapshot,
    difference: &Difference,
    map: &Map<'_>,
    foretold: &BTreeSet<&Id>,
    file: &'static str,
) -> Option<Lost> {
    let mut lost = difference.lost.iter();
    let is_known = |place| map.is_told(place, foretold) || difference.taken_over.contains(&place);
    let (place, why) = lost.find(|(place, _)| !is_known(**place))?;
    let name = map
        .ids(*place)
        .next()
        .map_or_else(|| before.name(*place), ToString::to_string);
    Some(Lost::Gone {
        file,
        place: *place,
        name,
        why: why.clone(),
    })
}

/// Observations of a run.
struct Watch<'a> {
    work: &'a mut Work,
    major: u32,
    disagreements: &'a mut Vec<String>,
}

/// Runs statements, and observes them where that is asked for.
fn run(
    connection: &mut PgConnection,
    runs: &[Run],
    file: &'static str,
    mut watch: Option<Watch<'_>>,
) -> Result<(), Failed> {
    for one in runs {
        // A hazard of a new type also covers later statements that give columns this type.
        let mut of_all = false;
        let begun = match &mut watch {
            Some(Watch { work, major, .. }) => work.before(connection, *major),
            None => Ok(()),
        };
        let mut each = |connection: &mut PgConnection| -> Result<(), Stop> {
            for statement in &one.statements {
                of_all |= may_fail(statement) && Subject::of(statement.sql()).is_none();
                let asked = match &mut watch {
                    Some(Watch { work, .. }) if Asked::is_of(statement) => {
                        let look = |connection: &mut _| Asked::before(connection, statement);
                        Some(work.aside(connection, look)?)
                    }
                    Some(_) | None => None,
                };
                let done = connection.batch_execute(statement.sql());
                if let (Some(asked), Some(watch)) = (asked, &mut watch) {
                    watch.disagreements.extend(asked.contradicted(&done, file));
                }
                done.map_err(|error| Stop(Some(Box::new(statement.clone())), error))?;
                if let Some(Watch { work, .. }) = &mut watch
                    && one.in_transaction
                {
                    work.within(connection, statement.says())?;
                }
            }
            match &mut watch {
                Some(watch) if !one.in_transaction => Ok(watch.work.after(connection)?),
                Some(_) | None => Ok(()),
            }
        };
        let done = begun.map_err(Stop::from).and_then(|()| {
            if one.in_transaction {
                connection.transaction(&mut each)
            } else {
                each(connection)
            }
        });
        if let Err(Stop(whole, error)) = done {
            let all = one.statements.iter();
            let all = all.take_while(|each| one.in_transaction && Some(*each) != whole.as_deref());
            let mut before: Vec<&str> = all.map(Statement::sql).collect();
            let statement = whole
                .as_deref()
                .map(|whole| Box::new(culprit(connection, &mut before, whole).clone()));
            let is_foretold = of_all || statement.as_deref().is_some_and(may_fail);
            let failed = statement.as_deref().filter(|_| !is_foretold);
            let cause = failed.and_then(|failed| refused::cause(connection, before, failed.sql()));
            let cause = cause.and_then(refused::Cause::in_code);
            return Err(Failed {
                file,
                statement,
                error,
                is_foretold,
                cause,
            });
        }
    }
    Ok(())
}

/// The one that fails of those that a statement does in one; the statement itself where none fails alone. `before` is what
/// ran before it in its transaction.
fn culprit<'s>(
    connection: &mut PgConnection,
    before: &mut Vec<&'s str>,
    whole: &'s Statement,
) -> &'s Statement {
    if whole.apart().len() < 2 {
        return whole;
    }
    let mut ran = 0;
    let ended: QueryResult<()> = connection.transaction(|connection| {
        for sql in before.iter() {
            connection.batch_execute(sql)?;
        }
        for one in whole.apart() {
            connection.batch_execute(one.sql())?;
            ran += 1;
        }
        Err(SqlError::RollbackTransaction)
    });
    match (ended, whole.apart().split_at_checked(ran)) {
        (Err(_), Some((ran, [failed, ..]))) => {
            before.extend(ran.iter().map(Statement::sql));
            failed
        }
        (Ok(()) | Err(_), _) => whole,
    }
}

/// An early end of a transaction. Diesel requires an error type that its own error converts into.
struct Stop(Option<Box<Statement>>, SqlError);

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self(None, error)
    }
}
