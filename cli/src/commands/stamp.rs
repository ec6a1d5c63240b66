//! `trueup stamp`: the database is told what it has.

use generator::{
    Error,
    migrations::apply::{self, Event},
    postgres::connection::connect,
    report::Stamped,
};

use super::{Status, current};
use crate::{
    arguments::FormatArg,
    context::Context,
    guard::{self, Consent},
    target::Stamp,
};

/// Record migrations as applied, or as not applied, without running them
///
/// So a database that exists already can start: `trueup autogen "begin" --from migrations` writes the migration that makes
/// what the models say, `trueup stamp head` says that the database has it, and `trueup check` that this is true. Nothing
/// but the record of applied migrations is touched. On a terminal, it says what it will record and asks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup stamp head                this database has it all
  trueup stamp 2026-11-21          it has this one and all before it
  trueup stamp base                it has none of them")]
pub(crate) struct Args {
    /// What the database has: all up to a version, `head` for all, `base` for none
    #[arg(value_name = "VERSION|head|base", allow_negative_numbers = true)]
    target: Stamp,

    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    let folder = &context.project.migrations;
    args.consent.compared(&live)?;
    let stamping = apply::would_stamp(&mut connection, folder, &args.target.0)?;
    if !stamping.is_nothing() {
        let loss = "the record of applied migrations would be another";
        args.consent.in_protected(&live, context, loss)?;
        for version in &stamping.recorded {
            context
                .output
                .note(format!("{version} is to be recorded as applied"));
        }
        for version in &stamping.removed {
            context
                .output
                .note(format!("{version} is to be recorded as not applied"));
        }
        let question = format!("Record that in {}?", live.url);
        if !guard::agreed(&question, context)? {
            context.output.note("nothing was recorded");
            return Ok(Status::Refused);
        }
    }
    let before = apply::applied(&mut connection)?;
    let nobody = |_: &Event<'_>| {};
    let options = context.applying(&live, &nobody);
    let after = apply::stamp(&mut connection, folder, &args.target.0, options)?;
    let stamped = Stamped {
        now: current::newest(context, &after)?,
        recorded: without(&after, &before),
        removed: without(&before, &after),
    };
    context.output.report(&stamped, args.format.into())?;
    Ok(Status::Done)
}

fn without(versions: &[String], others: &[String]) -> Vec<String> {
    let left = versions.iter().filter(|version| !others.contains(version));
    left.cloned().collect()
}
