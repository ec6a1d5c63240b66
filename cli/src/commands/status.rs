//! `trueup status`: what is to be done.

use generator::{
    Error,
    migrations::{
        apply::{self, Leftovers},
        folder,
    },
    postgres::connection::connect,
    report::{self, Recorded, Verbosity},
};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// Say what is to be done: what is pending, unknown, edited, out of order, or has two heads
///
/// Compares the record of applied migrations with the folders, and the folders with what their headers say about each other.
/// A migration counts as edited when its up.sql is not what it was when trueup applied it here, or when the next one was made.
/// Whether the schema itself is as it should be is for `trueup check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup status
  trueup status --quiet            nothing but the exit code where all is in order
  trueup status --format json

Exit codes: 0 in order, 1 something is to be done, 2 could not tell.")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let migrations = folder::read(&context.project.migrations)?;
    let live = match context.live_if_there()? {
        None => None,
        Some(live) => {
            let mut connection = connect(&live.url)?;
            Some(Recorded {
                database: live.url.to_string(),
                applied: apply::applied(&mut connection)?,
                edited: apply::edited(&mut connection, &migrations)?,
                leftovers: Leftovers::find(&mut connection, &migrations, &context.project.scope)?,
            })
        }
    };
    let report = report::Status::new(&migrations, live);
    let silent = report.in_order && context.output.verbosity == Verbosity::Quiet;
    if !silent || matches!(args.format, FormatArg::Json) {
        context.output.report(&report, args.format.into())?;
    }
    Ok(if report.in_order {
        Status::Done
    } else {
        Status::Different
    })
}
