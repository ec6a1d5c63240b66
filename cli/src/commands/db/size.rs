//! `trueup db size`: what takes room.

use generator::{Error, operations::size::sizes, postgres::connection::connect};

use crate::{arguments::FormatArg, commands::Status, context::Context};

/// Show how large tables and indexes are, and which are not looked after
///
/// Rows, dead rows and uses of indexes are what PostgreSQL counts and estimates: nothing is scanned. An index is unused
/// where no query used it since the statistics were last reset and no constraint rests on it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let found = sizes(&mut connect(&live.url)?)?;
    context.output.report(&found, args.format.into())?;
    Ok(Status::Done)
}
