//! `trueup models`: what is linked into this program.

use generator::{Error, pipeline::autogen, report::Models};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// List every model that this program was built with, and where it was written
///
/// A model that is missing here is not linked: its crate must be named in the binary (`use my_models as _;`), its module in
/// the crate (`mod`), and the derive must stand on it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup models
  trueup models --format json

Exit codes: 0 all is well, 1 the models contradict each other.")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let report = Models {
        models: trueup::linked(),
        problem: autogen::declarations().err().map(|error| error.to_string()),
    };
    context.output.report(&report, args.format.into())?;
    Ok(if report.problem.is_none() {
        Status::Done
    } else {
        Status::Different
    })
}
