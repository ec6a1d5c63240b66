//! Any two sources, compared; any one source, shown.

use std::collections::BTreeSet;

use trueup::{Declarations, Id, Schema, Statement};

use crate::{
    Error, ErrorKind, Project, fills,
    migrations::folder,
    pipeline::unread,
    plan::{self, Folding, Plan, plan},
    postgres::connection::run_sql,
    prove::{
        self,
        code::{Suspect, untold},
    },
    rename::{self, Asked, Renames, Renaming, Task},
    source::{self, Side, Source, authors, models::settle, rendered},
    summary::Summary,
};

/// The result of a comparison.
#[derive(Debug)]
pub struct Compared {
    /// The renames that come first.
    pub renaming: Renaming,
    /// The way from one to the other.
    pub plan: Plan,
    /// The way in a few lines; `None` where it was not tried, and so not measured.
    pub summary: Option<Summary>,
    /// Why the way was not proved, where it was not.
    pub unproved: Option<String>,
    /// The number of objects that the project's patterns leave out.
    pub left_out: usize,
    /// Why the proof began on a copy by our own statements where `pg_dump` should have made it.
    pub no_dump: Option<String>,
}

impl Compared {
    /// True if there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.renaming.is_empty() && self.plan.is_empty()
    }

    /// All statements, in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.renaming.up.iter().chain(self.plan.statements())
    }
}

/// Options of a comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompareOptions<'a> {
    /// True if unread objects, owners and grants are ignored.
    pub ignore_unread: bool,
    /// True if the way is proved, provided that it can be.
    pub prove: bool,
    /// The requested renames.
    pub renames: &'a [Asked],
}

/// Finds the way from one source to another.
pub fn diff(
    project: &Project,
    declarations: impl FnOnce() -> Result<Declarations, Error>,
    from: &Source,
    to: &Source,
    options: CompareOptions<'_>,
) -> Result<Compared, Error> {
    let other_side = to.to_string();
    // Models say nothing about what no room reads: it stays as it is.
    let is_said = !matches!(from, Source::Models) && !matches!(to, Source::Models);
    let (from, renames, to) = sides(project, declarations, from, to, options.renames)?;
    if let Some((tasks, renames)) = &renames {
        let base = &renames.base(&from).schema;
        rename::refuse_unmet(tasks, base, &to.schema, &other_side)?;
    }
    project
        .scope
        .refuse_idle(&[&from.schema, &to.schema], "on either side")?;
    let (renamed_first, renaming) = match renames {
        Some((_, Renames { side, renaming, .. })) => (side.map(|side| side.schema), renaming),
        None => (None, Renaming::default()),
    };
    let left_out = project.scope.left_out(&[&from.schema, &to.schema]).len();
    let looked_at = is_said && !options.ignore_unread;
    let refusal = |from: &Schema, to: &Schema| {
        let refusal = looked_at.then(|| unread::refusal(project, from, to));
        refusal.flatten()
    };
    // A copy of what is refused anyway need not succeed.
    let first = refusal(renamed_first.as_ref().unwrap_or(&from.schema), &to.schema);
    let (from, to) = source::alike_after(project, from, &renaming, to)
        .map_err(|error| first.unwrap_or(error))?;
    let aligned = if renaming.is_empty() || !looked_at {
        None
    } else {
        rename::aligned(project, &from, &renaming, &to.schema)?
    };
    let base = aligned.as_ref().map_or(&from, |(side, _)| side);
    if let Some(refusal) = refusal(&base.schema, &to.schema) {
        return Err(refusal);
    }
    // A dump also shows ignored differences, so with any of them it is no witness.
    let is_equal = base.schema.unread_differences(&to.schema).is_empty();
    let whole = to.whole && is_equal;
    let to = Side { whole, ..to };
    let to = source::narrowed(project, &from, to)?;
    let (from, to) = if fills::want_target(&from.schema, &to) {
        let (from, to) = source::copied(project, from, to);
        let to = source::narrowed(project, &from, to)?;
        (from, to)
    } else {
        (from, to)
    };
    match compare(project, &from, &renaming, &to, options) {
        // New expressions may print differently when they are read again.
        Err(error) if error.kind() == ErrorKind::Defect && !(from.reprinted && to.reprinted) => {
            let (from, to) = (
                source::reprinted(project, from)?,
                source::reprinted(project, to)?,
            );
            let to = source::narrowed(project, &from, to)?;
            compare(project, &from, &renaming, &to, options)
        }
        done => done,
    }
    .map(|compared| Compared {
        left_out,
        ..compared
    })
}

fn compare(
    project: &Project,
    from: &Side,
    renaming: &Renaming,
    to: &Side,
    options: CompareOptions<'_>,
) -> Result<Compared, Error> {
    let mut trial: Option<Start> = None;
    let mut renamed = None;
    if !renaming.is_empty()
        || rename::differ_by_names(&from.schema, &to.schema)
        || fills::are_there(&from.schema, to)
    {
        let start = trial.insert(self::trial(project, from)?);
        if let Some(start) = start.side(from) {
            renamed = rename::aligned(project, start, renaming, &to.schema)?;
        }
    }
    let (base, renaming) = match renamed {
        Some((side, renaming)) => (Some(side), renaming),
        None => (None, Renaming::default()),
    };
    let start = trial.as_ref().and_then(|trial| trial.side(from));
    let guidance = fills::asked(base.as_ref().or(start).unwrap_or(from), to)?;
    let base = &base.as_ref().unwrap_or(from).schema;
    let plan = plan::guided(base, &to.schema, &guidance, Folding::Wherever)?;
    plan::refuse_lacking(&plan, base, &to.schema)?;
    let mut compared = Compared {
        renaming,
        plan,
        summary: None,
        unproved: None,
        left_out: 0,
        no_dump: None,
    };
    if !compared.is_empty() && options.prove {
        let trial = match trial {
            Some(trial) => trial,
            None => self::trial(project, from)?,
        };
        match trial.side(from) {
            Some(start) => {
                let segments = compared.plan.clone().segments();
                let in_transaction = segments.iter().all(|one| one.in_transaction);
                let tried = prove::there(project, start, &compared.renaming, to, &segments)?;
                prove::data::tell(compared.plan.statements_mut(), &tried.told);
                let before = compared.renaming.up.iter_mut();
                let all = before.chain(compared.plan.statements_mut());
                let held = tried.measured.held.clone();
                prove::tell_measured(all, tried.measured);
                let first = &compared.renaming.up;
                let mut summary = Summary::new(base, &to.schema, first, in_transaction);
                if let [held] = held.as_slice() {
                    let all: Vec<Statement> = compared.statements().cloned().collect();
                    summary.measured(&all, held);
                }
                compared.summary = Some(summary);
                let before = compared.renaming.up.iter_mut();
                let first = before.chain(compared.plan.statements_mut()).next();
                if let Some(first) = first {
                    let suspects = untold(&tried.suspects, &tried.broken);
                    let suspects = suspects.iter().rev().map(Suspect::hazard);
                    suspects.for_each(|hazard| first.warn(hazard));
                    let broken = tried.broken.iter().rev();
                    broken.for_each(|one| first.warn(one.hazard()));
                }
                compared.no_dump.clone_from(&start.no_dump);
            }
            None => compared.unproved = trial.why_not(),
        }
    }
    Ok(compared)
}

/// The start of a proof.
enum Start {
    /// On the scratch already.
    There,
    /// On a copy that was made for it.
    Copied(Box<Side>),
    /// Nowhere on this machine, and why.
    None(String),
}

impl Start {
    /// The side that is on the scratch.
    fn side<'a>(&'a self, from: &'a Side) -> Option<&'a Side> {
        match self {
            Self::There => Some(from),
            Self::Copied(side) => Some(side),
            Self::None(_) => None,
        }
    }

    fn why_not(self) -> Option<String> {
        match self {
            Self::There | Self::Copied(_) => None,
            Self::None(why) => Some(why),
        }
    }
}

fn trial(project: &Project, from: &Side) -> Result<Start, Error> {
    if from.scratch.is_some() {
        return Ok(Start::There);
    }
    let major = from.schema.server().major();
    let scratch = match project.scratch(Some(major)) {
        Ok(scratch) => scratch,
        Err(error) => return Ok(Start::None(error.to_string())),
    };
    if scratch.major() != major {
        let why = format!(
            "the database is PostgreSQL {major}, and the one to try things on is {}",
            scratch.major()
        );
        return Ok(Start::None(why));
    }
    if let (Err(error), false) = (
        project.binaries.pg_dump(major),
        rendered::is_known(project, &from.schema),
    ) {
        return Ok(Start::None(error.to_string()));
    }
    Ok(Start::Copied(Box::new(source::restored(
        project, scratch, from,
    )?)))
}

/// The requested renames, resolved, and their result.
type Found = (Vec<Task>, Renames);

/// Both sides, read from servers that print alike, and what is renamed on the first.
fn sides(
    project: &Project,
    declarations: impl FnOnce() -> Result<Declarations, Error>,
    from_source: &Source,
    to_source: &Source,
    renames: &[Asked],
) -> Result<(Side, Option<Found>, Side), Error> {
    let live = |source: &Source| match source {
        Source::Database(url) => source::live(project, url).map(Some),
        Source::Models | Source::Migrations(_) | Source::Sql(_) => Ok(None),
    };
    let (live_from, live_to) = (live(from_source)?, live(to_source)?);
    let major = |side: &Option<Side>| side.as_ref().map(|side| side.schema.server().major());
    let (live_from, live_to) = match (live_from, live_to) {
        (Some(from), Some(to)) if from.schema.server().major() == to.schema.server().major() => {
            let (from, renames) = asked(project, from, renames)?;
            return Ok((from, renames, to));
        }
        both => both,
    };
    let scratch = project.scratch(major(&live_to).or(major(&live_from)))?;
    let settle_on = |base: &Side, declarations: &Declarations, managed: &BTreeSet<Id>| {
        let side = settle(project, base, declarations, managed, None)?.side;
        project
            .scope
            .refuse_models(declarations, project.made_before()?, &side.schema)?;
        Ok::<Side, Error>(side)
    };
    let load = |source: &Source, live: Option<Side>, copied: bool| -> Result<Option<Side>, Error> {
        match (source, live) {
            (Source::Models, _) => Ok(None),
            (_, Some(live)) if !copied && live.schema.server().major() == scratch.major() => {
                Ok(Some(live))
            }
            (_, Some(live)) => source::restored(project, scratch, &live).map(Some),
            (Source::Migrations(folder), None) => source::replay(project, folder).map(Some),
            (Source::Sql(path), None) => source::file(project, path).map(Some),
            (Source::Database(url), None) => source::live(project, url).map(Some),
        }
    };
    let either_is_models = [from_source, to_source]
        .iter()
        .any(|source| matches!(source, Source::Models));
    match (
        load(from_source, live_from, either_is_models)?,
        load(to_source, live_to, either_is_models)?,
    ) {
        (Some(from), Some(to)) => {
            let (from, renames) = asked(project, from, renames)?;
            Ok((from, renames, to))
        }
        (Some(from), None) => {
            let declarations = declarations()?;
            let tasks = tasks(renames, &from)?;
            let managed = drafted(project, from_source)?;
            let renames = rename::rename(project, &from, &tasks, Some(&declarations), &managed)?;
            let base = renames.base(&from);
            let managed = rename::ids_after(&managed, &from.schema, &base.schema);
            let to = settle_on(base, &declarations, &managed)?;
            Ok((from, Some((tasks, renames)), to))
        }
        (None, Some(to)) => {
            let declarations = declarations()?;
            let managed = drafted(project, to_source)?;
            let from = settle_on(&to, &declarations, &managed)?;
            let (from, renames) = asked(project, from, renames)?;
            Ok((from, renames, to.guided(declarations.back())))
        }
        (None, None) => Err(Error::input(
            "both sources are the models, which are always equal",
        )),
    }
}

/// The objects of a source that autogen made, and may drop where no model declares them any more: those of its own migrations.
fn drafted(project: &Project, source: &Source) -> Result<BTreeSet<Id>, Error> {
    let folder = match source {
        Source::Migrations(folder) => folder,
        Source::Database(url) if project.database.as_ref() == Some(url) => &project.migrations,
        Source::Database(_) | Source::Sql(_) | Source::Models => return Ok(BTreeSet::new()),
    };
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    Ok(authors::replay(project, &folder::read(folder)?)?.1)
}

/// Does the requested renames on a copy. A side that is not on the scratch is copied there first.
fn asked(project: &Project, from: Side, renames: &[Asked]) -> Result<(Side, Option<Found>), Error> {
    if renames.is_empty() {
        return Ok((from, None));
    }
    let from = match trial(project, &from)? {
        Start::There => from,
        Start::Copied(start) => *start,
        Start::None(why) => {
            return Err(Error::new(
                ErrorKind::Environment,
                format!("renames are tried on a copy first, and there is none: {why}"),
            ));
        }
    };
    let tasks = tasks(renames, &from)?;
    let renames = rename::rename(project, &from, &tasks, None, &BTreeSet::new())?;
    Ok((from, Some((tasks, renames))))
}

fn tasks(renames: &[Asked], from: &Side) -> Result<Vec<Task>, Error> {
    let tasks = renames.iter().map(|asked| asked.task(&from.schema));
    tasks.collect()
}

/// One source's schema.
pub fn inspect(
    project: &Project,
    declarations: impl FnOnce() -> Result<Declarations, Error>,
    source: &Source,
) -> Result<Side, Error> {
    match source {
        Source::Database(url) => source::live(project, url),
        Source::Migrations(folder) => source::replay(project, folder),
        Source::Sql(path) => source::file(project, path),
        Source::Models => {
            let scratch = project.scratch(None)?;
            let empty =
                source::side(scratch.create(&crate::postgres::scratch::Locale::default())?)?;
            settle(project, &empty, &declarations()?, &BTreeSet::new(), None)
                .map(|settled| settled.side)
        }
    }
}

/// The statements that build a schema in a new database.
pub fn rebuild(schema: &Schema) -> Result<Plan, Error> {
    Ok(plan(&schema.initial(), schema, Folding::Wherever)?)
}

/// The reason why the SQL that rebuilds a schema does not run by itself, where some of the schema is not read. It is tried on a
/// scratch; without one, nothing is known.
#[must_use]
pub fn lacks_unread(project: &Project, schema: &Schema, sql: &str) -> Option<String> {
    if schema.unread().is_empty() {
        return None;
    }
    let scratch = project.scratch(Some(schema.server().major())).ok()?;
    let empty = scratch
        .create(&crate::postgres::scratch::Locale::default())
        .ok()?;
    let done = run_sql(&mut empty.connect().ok()?, sql, "the SQL");
    done.err().map(|error| error.to_string())
}
