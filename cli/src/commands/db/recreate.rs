//! `trueup db recreate`: the database is new and empty.

use generator::{
    Error,
    operations::database,
    report::{DatabaseDone, What},
};

use crate::{arguments::FormatArg, commands::Status, context::Context, guard::Consent};

/// Remove the database with all that is in it, and make it anew and empty
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup db recreate && trueup init      from nothing, with migrations and seeds
  trueup db recreate && trueup restore shop.dump")]
pub(crate) struct Args {
    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let (done, url) = match args.consent.to_lose_all(&live, context)? {
        Some(meant) => {
            database::remove(&live.url, &meant)?;
            // The URL may leave the name to the user's, or have more of it than Postgres keeps.
            (What::Recreated, live.url.with_database(&meant.name))
        }
        None => (What::Created, live.url.clone()),
    };
    database::create(&url)?;
    let report = DatabaseDone {
        done,
        database: live.url.to_string(),
        detail: "it is empty; `trueup upgrade` applies the migrations".to_owned(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
