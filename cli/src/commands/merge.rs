//! `trueup merge`: two heads become one.

use generator::{Error, pipeline::rework, report::Changed};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// Join heads that others have already, with a migration that changes nothing
///
/// Tries on a throw-away PostgreSQL that the branches give the same in whichever order they are applied, since some databases
/// have the one first and some the other. Refused where they do not. What both change is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup merge
  trueup merge \"join orders and users\"")]
pub(crate) struct Args {
    /// What it is for, in a few words; the folder is named after it
    #[arg(default_value = "merge heads")]
    message: String,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let merged = rework::merge(&context.project, &args.message)?;
    let changed = Changed {
        written: vec![merged.written],
        proof: Some(merged.proof),
        shared: merged.shared,
        summary: format!("it joins {}", merged.heads.join(" and ")),
        ..Changed::default()
    };
    context.output.report(&changed, args.format.into())?;
    context.output.next("commit it, and `trueup upgrade`");
    Ok(Status::Done)
}
