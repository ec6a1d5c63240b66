//! `trueup db stop`: the project's own server runs no longer.

use generator::{
    Error,
    postgres::embedded::Embedded,
    report::{DatabaseDone, What},
};

use crate::{arguments::FormatArg, commands::Status, context::Context};

/// Stop the project's own PostgreSQL; what is in it stays
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let ended = Embedded::stop(&context.root)?;
    let detail = if ended {
        ""
    } else {
        "a command uses it, and it ends with that"
    };
    let report = DatabaseDone {
        done: What::Stopped,
        database: "the project's own PostgreSQL".to_owned(),
        detail: detail.to_owned(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
