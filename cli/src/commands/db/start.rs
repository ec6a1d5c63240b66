//! `trueup db start`: the project's own server runs on.

use generator::{
    Error,
    report::{DatabaseDone, What},
};

use crate::{arguments::FormatArg, commands::Status, context::Context};

/// Start the project's own PostgreSQL, and let it run until `db stop`
///
/// Otherwise it runs only while a command of trueup does. It listens on a socket in a private folder and on no network.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup db start && DATABASE_URL=$(trueup db url) cargo run")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let embedded = context.embedded()?;
    embedded.keep()?;
    let report = DatabaseDone {
        done: What::Started,
        database: embedded.url().to_string(),
        detail: "`trueup db stop` ends it".to_owned(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
