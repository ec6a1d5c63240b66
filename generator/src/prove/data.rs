//! The proof with rows: what was in the tables before is there afterwards, or a hazard says that it is lost.
//!
//! It shares nothing with the rooms. It reads the catalog of its own trial database, puts rows into every table that takes
//! some, runs the statements, and looks for each row and each value again by the numbers that Postgres gave to tables and
//! columns. A table that was dropped and made again has another number, so nothing that could have been altered may be.

mod exercise;
mod generate;
mod hints;
mod labels;
mod ranges;
mod shape;
mod snapshot;
mod trial;
mod upcoming;
mod values;

use itertools::Itertools;
use serde::Serialize;
use trueup::{Hazard, Schema, Statement};

use super::{
    Measured,
    code::{DOWN, Findings, UP},
    work::Work,
};
use crate::{Error, ErrorKind, Project, plan::Segment, source::Side};
use ranges::Ranges;
use trial::RowsTrial;

/// Statements that become one migration, or a part of what is printed.
#[derive(Clone, Debug)]
pub struct Run {
    /// In order.
    pub statements: Vec<Statement>,
    /// True if they run in a transaction.
    pub in_transaction: bool,
}

impl From<&Segment> for Run {
    fn from(segment: &Segment) -> Self {
        Self {
            statements: segment.statements().cloned().collect(),
            in_transaction: segment.in_transaction,
        }
    }
}

/// The result of the proof with rows.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Kept {
    /// The number of tables.
    pub tables: usize,
    /// The tables that held no rows, each with the reason.
    pub bare: Vec<(String, String)>,
    /// The tables whose triggers or rules let no row in, and were off while rows came.
    pub quiet: Vec<String>,
    /// Why nothing was proved: a statement fails on rows that were there before any were put in.
    pub fails: Option<String>,
    /// Losses that a hazard of an up declares, and that rows which should have shown them did not.
    pub unfounded: Vec<String>,
    /// Failures on extreme values that no hazard declares: an expression that cannot be computed for each, say.
    pub extremes: Vec<String>,
    /// Around how many tables code ran on the rows, before and afterwards.
    pub exercised: usize,
    /// The faults of code that ran before.
    #[serde(skip)]
    pub findings: Findings,
    /// Effects of triggers and rules on statements of the ups.
    #[serde(skip)]
    pub told: Vec<Told>,
    /// Hazards that the rows contradict, and work on the rows that no hazard tells.
    #[serde(skip)]
    pub disagreements: Vec<String>,
    /// Work of the ups and of the downs on the rows; `None` where they did not run to the end.
    #[serde(skip)]
    pub(crate) work: Option<[Work; 2]>,
}

/// A hazard of one of the ups that only a trial can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Which one of all their statements, from 0.
    pub statement: usize,
    /// The hazard.
    pub hazard: Hazard,
}

impl Kept {
    /// The differences between the work that was measured without rows, which is what hazards tell, and the work on rows.
    pub(crate) fn disagree_with(&self, told: [&Measured; 2], runs: [&[Run]; 2]) -> Vec<String> {
        let Some([up, down]) = &self.work else {
            return Vec::new();
        };
        let [told_up, told_down] = told;
        let [ups, downs] = runs;
        let mut found = Vec::new();
        if told_up.stopped.is_none() {
            found.extend(told_up.work.differences(up, UP, ups));
            if told_down.stopped.is_none() {
                found.extend(told_down.work.differences(down, DOWN, downs));
            }
        }
        found
    }

    /// The sentence for a migration's header; `None` if there was nothing to lose.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        if let Some(why) = &self.fails {
            return Some(format!("no rows were tried, for {why}"));
        }
        let Self {
            tables,
            bare,
            extremes,
            exercised,
            findings,
            quiet,
            told: _,
            disagreements: _,
            work: _,
            fails: _,
            unfounded: _,
        } = self;
        if *tables == 0 {
            return None;
        }
        let mut text = format!("rows in {} of {tables} tables kept", tables - bare.len());
        let shown = bare.iter().take(SHOWN).chunk_by(|(_, why)| why);
        let shown = shown.into_iter().map(|(why, tables)| {
            let names: Vec<&str> = tables.map(|(name, _)| name.as_str()).collect();
            format!("{} ({why})", names.join(", "))
        });
        let shown: Vec<String> = shown.collect();
        if !shown.is_empty() {
            text += &format!(", none in {}", shown.join(", "));
        }
        match bare.len().saturating_sub(SHOWN) {
            0 => {}
            more => text += &format!(" and {more} more"),
        }
        if let Some((first, others)) = quiet.split_first() {
            text += &format!(", with triggers off while they came into {first}");
            match others.len() {
                0 => {}
                more => text += &format!(" and {more} more"),
            }
        }
        for extreme in extremes {
            text += &format!("; on extreme values, {extreme}");
        }
        match exercised {
            _ if *findings != Findings::default() => {}
            0 => {}
            1 => text += "; the code around 1 table runs as before",
            more => text += &format!("; the code around {more} tables runs as before"),
        }
        Some(text)
    }
}

/// The number of tables without rows that are named with the reason.
const SHOWN: usize = 3;

/// The number of rounds that make rows tamer, table by table, before all tables in doubt go without rows.
const PATIENCE: usize = 8;

/// Runs the way there and back on rows. `renamed` is the start after the renames that the ups begin with; `seed` is SQL that
/// puts some rows in before the others.
pub fn keep(
    project: &Project,
    start: &Side,
    renamed: Option<&Schema>,
    seed: Option<&str>,
    ups: &[Run],
    downs: &[Run],
) -> Result<Kept, Error> {
    let mut ranges = Ranges::default();
    let (mut extremes, mut disagreements) = (Vec::new(), Vec::new());
    let mut attempts = 0;
    let (mut ups, mut told) = (ups.to_vec(), Vec::new());
    loop {
        let news = code_of(project, start, seed, renamed, &ranges, &ups, &told)?;
        tell(ups.iter_mut().flat_map(|run| &mut run.statements), &news);
        told.extend(news);
        let mut trial = RowsTrial::begin(project, start, seed, &ranges)?;
        if trial.give_up(&mut ranges) {
            continue;
        }
        if trial.is_empty() && ranges.why.is_empty() {
            return Ok(Kept::default());
        }
        let outcome = trial.there_and_back(renamed, &ups, downs)?;
        disagreements.append(&mut trial.disagreements);
        let failed = match outcome {
            Ok(outcome) => {
                return match outcome.lost {
                    Some(lost) => {
                        let again = RowsTrial::begin(project, start, seed, &ranges)?;
                        Err(again.accuse(&lost, &ups, downs))
                    }
                    None => Ok(Kept {
                        unfounded: outcome.unfounded,
                        extremes,
                        exercised: outcome.exercised,
                        findings: outcome.findings,
                        told,
                        disagreements,
                        work: Some(outcome.work),
                        ..trial.kept(&ranges)
                    }),
                };
            }
            Err(failed) => failed,
        };
        attempts += 1;
        let stripped = ranges.why.len();
        let mut tamer = trial.restrict(&mut ranges, &failed, &ups);
        if failed.is_of_code() {
            let news: Vec<Told> = failed.told(&ups).into_iter().collect();
            tell(ups.iter_mut().flat_map(|run| &mut run.statements), &news);
            told.extend(news);
        } else if !failed.is_foretold {
            if !tamer || ranges.why.len() > stripped {
                let message = format!("{failed}, and no hazard says so; nothing was written");
                return Err(Error::new(ErrorKind::Defect, message).hints(super::REPORT));
            }
            extremes.push(failed.to_string());
        }
        if attempts > PATIENCE {
            let all = ups.iter().chain(downs).flat_map(|run| &run.statements);
            for statement in all.filter(|statement| may_fail(statement)) {
                tamer |= trial.strip(&mut ranges, statement);
            }
        }
        if !tamer {
            trial.is_as_before(&failed, &ups)?;
            return Ok(Kept {
                fails: Some(failed.to_string()),
                told,
                disagreements,
                ..Kept::default()
            });
        }
    }
}

/// The fate of rows, and of the code around them, under SQL written by hand.
#[derive(Debug, Default)]
pub struct Watched {
    /// The sentence for a header; `None` if there are no tables.
    pub sentence: Option<String>,
    /// The faults of code that ran before.
    pub findings: Findings,
}

impl Watched {
    fn said(sentence: impl Into<String>) -> Self {
        Self {
            sentence: Some(sentence.into()),
            findings: Findings::default(),
        }
    }
}

/// Runs on rows what a person wrote, with the code around them before and after each way, and says what becomes of both.
pub fn watch(
    project: &Project,
    start: &Side,
    up: &Run,
    down: Option<&Run>,
) -> Result<Watched, Error> {
    let mut ranges = Ranges::default();
    for _ in 0..PATIENCE {
        let mut trial = RowsTrial::begin(project, start, None, &ranges)?;
        if trial.give_up(&mut ranges) {
            continue;
        }
        if trial.is_empty() && ranges.why.is_empty() {
            return Ok(Watched::default());
        }
        let failed = match trial.watched(up, down)? {
            Ok(found) => {
                let rows = trial.kept(&ranges).sentence();
                return Ok(found.told(rows));
            }
            Err(failed) => failed,
        };
        if !trial.restrict(&mut ranges, &failed, std::slice::from_ref(up)) {
            return Ok(Watched::said(format!("no rows were tried, for {failed}")));
        }
    }
    Ok(Watched::said(
        "no rows were tried, for it fails on all that were made up",
    ))
}

/// Adds to statements what was told of them.
pub fn tell<'a>(statements: impl Iterator<Item = &'a mut Statement>, told: &[Told]) {
    for (at, statement) in statements.enumerate() {
        for one in told.iter().filter(|one| one.statement == at) {
            *statement = statement.clone().hazard(one.hazard.clone());
        }
    }
}

/// Effects of triggers and rules beside the ups, as far as they are not in `told` yet.
fn code_of(
    project: &Project,
    start: &Side,
    seed: Option<&str>,
    renamed: Option<&Schema>,
    ranges: &Ranges,
    ups: &[Run],
    told: &[Told],
) -> Result<Vec<Told>, Error> {
    let mut statements = ups.iter().flat_map(|run| &run.statements);
    if !statements.any(Statement::is_update) {
        return Ok(Vec::new());
    }
    let mut found = RowsTrial::begin(project, start, seed, ranges)?.code(renamed, ups)?;
    found.retain(|one| !told.contains(one));
    Ok(found)
}

/// True if a hazard declares it, or the statement was written by hand: only its author knows for which rows it fails.
fn may_fail(statement: &Statement) -> bool {
    if statement.origin().is_some() {
        return true;
    }
    let hazards = statement.hazards();
    hazards.iter().any(Hazard::may_fail)
}
