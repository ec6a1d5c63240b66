//! `trueup seed`: rows that a new database begins with.

use std::path::PathBuf;

use diesel::PgConnection;
use generator::{
    Error,
    connection::connect,
    report::{SeedRun, Seeded},
    seed,
};

use super::Status;
use crate::{arguments::FormatArg, context::Context, guard::Consent, settings};

/// Run the seeds: files of SQL in fixtures/seeds, in the order of their names
///
/// First those that are for everywhere, then those in the sub-folder of this environment (APP_ENV, else `development`), such
/// as fixtures/seeds/test/. Each is a transaction of its own: all of it or nothing. They are run again whenever somebody
/// asks, so write INSERT … ON CONFLICT DO NOTHING.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup seed                      all of them
  trueup seed users                010_users.sql, wherever it is
  APP_ENV=test trueup seed")]
pub(crate) struct Args {
    /// Only the seed of this name; a number at its beginning may be left out
    name: Option<String>,

    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let loss = "rows for trials would be written";
    args.consent.in_protected(&live, context, loss)?;
    let seeded = sow(&mut connect(&live.url)?, context, args.name.as_deref())?;
    context.output.report(&seeded, args.format.into())?;
    Ok(Status::Done)
}

pub(super) fn sow(
    connection: &mut PgConnection,
    context: &Context,
    name: Option<&str>,
) -> Result<Seeded, Error> {
    let found = context.settings.get(&settings::SEEDS);
    let folder = found.map_or_else(PathBuf::new, |found| found.path());
    let environment = context.settings.environment.value.to_string_lossy();
    let mut seeds = seed::find(&context.root.join(&folder), &environment)?;
    if let Some(name) = name {
        seeds = seed::named(seeds, name)?;
    }
    let progress = context.output.progress();
    let mut runs = Vec::new();
    for (done, one) in seeds.iter().enumerate() {
        progress.at(done, seeds.len(), &one.name);
        let took = seed::run(connection, one)?;
        let shown = one.path.strip_prefix(&context.root).unwrap_or(&one.path);
        runs.push(SeedRun::new(shown.display().to_string(), took));
    }
    Ok(Seeded {
        seeds: runs,
        folder: folder.display().to_string(),
        environment: environment.into_owned(),
    })
}
