//! Any two sources, compared; any one source, shown.

use std::collections::BTreeSet;

use trueup::{Declarations, Schema, Unread};

use crate::{
    Error, ErrorKind, Project,
    autogen::tops,
    plan::{self, Folding, Plan, plan},
    prove,
    source::{self, Side, Source, models::settle},
};

/// What a comparison found.
#[derive(Debug)]
pub struct Compared {
    /// The way from one to the other.
    pub plan: Plan,
    /// Why the way was not proved, where it was not.
    pub unproved: Option<String>,
}

/// How a comparison is made.
#[derive(Clone, Copy, Debug)]
pub struct CompareOptions {
    /// Whether what no room reads is left out of account.
    pub ignore_unread: bool,
    /// Whether the way is proved, where that can be done.
    pub prove: bool,
}

/// Finds the way from one source to another.
pub fn diff(
    project: &Project,
    declarations: impl FnOnce() -> Result<Declarations, Error>,
    from: &Source,
    to: &Source,
    options: CompareOptions,
) -> Result<Compared, Error> {
    let (from, to) = sides(project, declarations, from, to)?;
    if !options.ignore_unread {
        refuse_unread(project, &[&from.schema, &to.schema])?;
    }
    let whole = to.whole && from.schema.unread().is_empty() && to.schema.unread().is_empty();
    let (from, to) = source::alike(project, from, Side { whole, ..to })?;
    let to = source::narrowed(project, &from, to);
    match compare(project, &from, &to, options) {
        // What is new may print otherwise when it is read again.
        Err(error) if error.kind() == ErrorKind::Defect && !(from.reprinted && to.reprinted) => {
            let (from, to) = (
                source::reprinted(project, from)?,
                source::reprinted(project, to)?,
            );
            let to = source::narrowed(project, &from, to);
            compare(project, &from, &to, options)
        }
        done => done,
    }
}

fn compare(
    project: &Project,
    from: &Side,
    to: &Side,
    options: CompareOptions,
) -> Result<Compared, Error> {
    let plan = plan::guided(&from.schema, &to.schema, &to.guidance, Folding::Wherever)?;
    if plan.is_empty() || !options.prove {
        return Ok(Compared {
            plan,
            unproved: None,
        });
    }
    let unproved = match trial(project, from)? {
        Start::There => prove::there(project, from, to, &plan.clone().segments()).map(|()| None)?,
        Start::Copied(start) => {
            prove::there(project, &start, to, &plan.clone().segments()).map(|()| None)?
        }
        Start::None(why) => Some(why),
    };
    Ok(Compared { plan, unproved })
}

/// Where a proof begins.
enum Start {
    /// On the scratch already.
    There,
    /// On a copy that was made for it.
    Copied(Box<Side>),
    /// Nowhere on this machine, and why.
    None(String),
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
        from.schema.unread().is_empty(),
    ) {
        return Ok(Start::None(error.to_string()));
    }
    Ok(Start::Copied(Box::new(source::restored(
        project, scratch, from,
    )?)))
}

/// Both sides, read from servers that print alike.
fn sides(
    project: &Project,
    declarations: impl FnOnce() -> Result<Declarations, Error>,
    from: &Source,
    to: &Source,
) -> Result<(Side, Side), Error> {
    let live = |source: &Source| match source {
        Source::Database(url) => source::live(project, url).map(Some),
        Source::Models | Source::Migrations(_) | Source::Sql(_) => Ok(None),
    };
    let (live_from, live_to) = (live(from)?, live(to)?);
    let major = |side: &Option<Side>| side.as_ref().map(|side| side.schema.server().major());
    let (live_from, live_to) = match (live_from, live_to) {
        (Some(from), Some(to)) if from.schema.server().major() == to.schema.server().major() => {
            return Ok((from, to));
        }
        both => both,
    };
    let scratch = project.scratch(major(&live_to).or(major(&live_from)))?;
    let settle_on = |base: &Side, declarations: &Declarations| {
        settle(project, base, declarations, &tops(&base.schema), None).map(|settled| settled.side)
    };
    let load = |source: &Source, live: Option<Side>, copied: bool| -> Result<Option<Side>, Error> {
        match (source, live) {
            (Source::Models, _) => Ok(None),
            (_, Some(live)) if !copied && live.schema.server().major() == scratch.major() => {
                Ok(Some(live))
            }
            (_, Some(live)) => source::restored(project, scratch, &live).map(Some),
            (Source::Migrations(folder), None) => source::replay(scratch, folder).map(Some),
            (Source::Sql(path), None) => source::file(scratch, path).map(Some),
            (Source::Database(url), None) => source::live(project, url).map(Some),
        }
    };
    let either_is_models = matches!(from, Source::Models) || matches!(to, Source::Models);
    match (
        load(from, live_from, either_is_models)?,
        load(to, live_to, either_is_models)?,
    ) {
        (Some(from), Some(to)) => Ok((from, to)),
        (Some(from), None) => {
            let to = settle_on(&from, &declarations()?)?;
            Ok((from, to))
        }
        (None, Some(to)) => {
            let declarations = declarations()?;
            let from = settle_on(&to, &declarations)?;
            Ok((from, to.guided(declarations.back())))
        }
        (None, None) => Err(Error::input(
            "both sources are the models, which are always equal",
        )),
    }
}

/// One source's schema.
pub fn inspect(
    project: &Project,
    declarations: impl FnOnce() -> Result<Declarations, Error>,
    source: &Source,
) -> Result<Side, Error> {
    match source {
        Source::Database(url) => source::live(project, url),
        Source::Migrations(folder) => source::replay(project.scratch(None)?, folder),
        Source::Sql(path) => source::file(project.scratch(None)?, path),
        Source::Models => {
            let scratch = project.scratch(None)?;
            let empty = source::side(scratch.create(&crate::scratch::Locale::default())?)?;
            settle(project, &empty, &declarations()?, &BTreeSet::new(), None)
                .map(|settled| settled.side)
        }
    }
}

/// The statements that build a schema in a new database.
pub fn rebuild(schema: &Schema) -> Result<Plan, Error> {
    Ok(plan(&schema.initial(), schema, Folding::Wherever)?)
}

/// Fails where a side holds what no room reads.
fn refuse_unread(project: &Project, sides: &[&Schema]) -> Result<(), Error> {
    let mut unread: Vec<&Unread> = sides
        .iter()
        .flat_map(|schema| schema.unread())
        .filter(|unread| project.scope.holds_words(&unread.what))
        .collect();
    unread.sort();
    unread.dedup();
    if unread.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = unread
        .iter()
        .map(|unread| {
            format!(
                "not yet: {}: trueup does not read that kind of object",
                unread.what
            )
        })
        .collect();
    Err(Error::new(ErrorKind::NotYet, lines.join("\n"))
        .hint("--ignore-unread compares the rest and leaves these as they are"))
}
