//! `trueup db drop`: the database is gone.

use generator::{
    Error,
    operations::database,
    report::{DatabaseDone, What},
};

use crate::{arguments::FormatArg, commands::Status, context::Context, guard::Consent};

/// Remove the database with all that is in it
///
/// Sessions that are connected to it are cut off.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let (done, detail) = match args.consent.to_lose_all(&live, context)? {
        Some(meant) => {
            database::remove(&live.url, &meant)?;
            (What::Dropped, "")
        }
        None if database::remove_remains(&live.url)? => {
            (What::Dropped, "an earlier drop was cut off")
        }
        None => (What::Nothing, "it is not there"),
    };
    let report = DatabaseDone {
        done,
        database: live.url.to_string(),
        detail: detail.to_owned(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
