//! `trueup db create`: the database is there.

use generator::{
    Error,
    operations::database,
    report::{DatabaseDone, What},
};

use crate::{arguments::FormatArg, commands::Status, context::Context};

/// Make the database that is configured, unless it is there
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let (done, database) = match &context.project.database {
        Some(url) if database::create(url)? => (What::Created, url.to_string()),
        Some(url) => (What::Nothing, url.to_string()),
        // It is made when it is first used.
        None => (What::Created, context.live()?.url.to_string()),
    };
    let detail = if done == What::Nothing {
        "it is there already"
    } else {
        ""
    };
    let report = DatabaseDone {
        done,
        database,
        detail: detail.to_owned(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
