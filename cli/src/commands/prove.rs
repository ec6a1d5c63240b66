//! `trueup prove`: do the migrations go up and down?

use generator::{
    Error,
    migrations::{
        apply,
        folder::{self, Migration, Proved},
    },
    prove::{
        code::Broken,
        migrations::{self as proving, Outcome},
    },
    report::ProvedReport,
};

use super::{
    Status,
    losses::{Allowed, code_breaks, may_break},
};
use crate::{arguments::FormatArg, context::Context};

/// Prove migrations where they stand, and say so in their headers
///
/// For any folder, also one that was written or mended by hand. On a throw-away PostgreSQL, after those before it: up, down to
/// exactly what was there before, and up again to the same, as trueup reads it and as pg_dump sees it. The header comes above
/// up.sql, whose SQL stays as it is; no database notices. A down.sql that is missing, or that raises an exception, is
/// irreversible, and the header says so. Rows are put into the tables, and the code around them, such as functions and triggers,
/// runs before up.sql, after it and after down.sql: what ran before must run afterwards. A function whose text names what goes,
/// gets another name or another type is told. Without VERSION: all that were never proved, or were edited since.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup prove                          what was never proved, or edited since
  trueup prove 2026-11-21-102915        this one
  trueup prove 2026-03..2026-06         what comes after the first of these, up to the second
  trueup prove base..head               all of them; --all is the same

Exit codes: 0 proved, 1 some do not go up and down, 2 could not tell.")]
pub(crate) struct Args {
    /// Which: VERSION, or BASE..VERSION; `base` for the beginning, `head` for the newest
    #[arg(value_name = "VERSION|BASE..VERSION")]
    range: Option<String>,

    /// All of them, also what was proved and not edited since
    #[arg(long, conflicts_with = "range")]
    all: bool,

    /// Proves it though this code fails afterwards: code-breaks=NAME,…; the functions, or the triggers that call them
    #[arg(long, value_name = "RISK=NAME,…", value_parser = code_breaks)]
    allow: Vec<Allowed>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let all = folder::read(&context.project.migrations)?;
    let chosen: Vec<String> = chosen(args, &all)?
        .into_iter()
        .map(|one| one.version.clone())
        .collect();
    let report = if chosen.is_empty() {
        ProvedReport::default()
    } else {
        let is_allowed = |code: &Broken| may_break(&args.allow, code);
        ProvedReport::from(proving::prove(&context.project, &chosen, &is_allowed)?)
    };
    context.output.report(&report, args.format.into())?;
    if !report.written.is_empty() {
        context.output.next("commit the headers");
    }
    let holds = |outcome: &Outcome| matches!(outcome, Outcome::Returns | Outcome::Irreversible(_));
    Ok(if report.tried.iter().all(|one| holds(&one.outcome)) {
        Status::Done
    } else {
        Status::Different
    })
}

fn chosen<'a>(args: &Args, all: &'a [Migration]) -> Result<Vec<&'a Migration>, Error> {
    let Some(range) = &args.range else {
        let is_wanted = |one: &&Migration| args.all || one.proved() != Proved::Sealed;
        return Ok(all.iter().filter(is_wanted).collect());
    };
    let find = |version: &str| match (version, all.last()) {
        ("head", Some(newest)) => Ok(newest),
        (version, _) => apply::find(all, version),
    };
    let Some((base, last)) = range.split_once("..") else {
        return Ok(vec![find(range)?]);
    };
    let base = match base {
        "" | "base" => None,
        base => Some(find(base)?),
    };
    let last = find(if last.is_empty() { "head" } else { last })?;
    let range: Vec<_> = all
        .iter()
        .filter(|one| base.is_none_or(|base| one.version > base.version))
        .filter(|one| one.version <= last.version)
        .collect();
    if range.is_empty() {
        return Err(Error::input("there is no migration in that range")
            .hint("BASE itself is not in it: `prove base..VERSION` begins with the first"));
    }
    Ok(range)
}
