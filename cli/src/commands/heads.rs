//! `trueup heads`: where the lines of migrations end.

use generator::{
    Error,
    migrations::folder::{self, Lineage},
    report::{Heads, Listed},
};

use super::{Status, history};
use crate::{arguments::FormatArg, context::Context};

/// List the migrations that no other was made on: one, unless branches know nothing of each other
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup heads
  trueup heads --format json

Exit codes: 0 one head or none, 1 more than one.")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let migrations = folder::read(&context.project.migrations)?;
    let applied = history::applied(context);
    let heads = Lineage::of(&migrations).heads();
    let listed = heads
        .iter()
        .map(|head| Listed::new(head, applied.as_deref()));
    let report = Heads {
        heads: listed.collect(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(if report.heads.len() > 1 {
        Status::Different
    } else {
        Status::Done
    })
}
