//! `trueup seed`: rows that a new database begins with.

use std::path::PathBuf;

use diesel::PgConnection;
use generator::{
    Error,
    operations::seed::{self, Remembered},
    postgres::connection::connect,
    report::{SeedRun, Seeded},
};

use super::Status;
use crate::{arguments::FormatArg, context::Context, guard::Consent, settings};

/// Run the seeds: files of SQL in fixtures/seeds, in the order of their names
///
/// First those that are for everywhere, then those in the sub-folder of this environment (APP_ENV, else `development`), such
/// as fixtures/seeds/test/. Each is a transaction of its own: all of it or nothing. This command runs them again whenever
/// somebody asks, so write INSERT … ON CONFLICT DO NOTHING; `init` runs those that this database does not have as they are.
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
    let wanted = Wanted::All(args.name.as_deref());
    let seeded = run_seeds(&mut connect(&live.url)?, context, wanted)?;
    context.output.report(&seeded, args.format.into())?;
    Ok(Status::Done)
}

/// The seeds that are to be run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// All, or those of this name.
    All(Option<&'a str>),
    /// Those that the database does not have as they are.
    Missing,
}

pub(super) fn run_seeds(
    connection: &mut PgConnection,
    context: &Context,
    wanted: Wanted<'_>,
) -> Result<Seeded, Error> {
    let found = context.settings.get(&settings::SEEDS);
    let folder = found.map_or_else(PathBuf::new, |found| found.path());
    let environment = context.settings.environment.value.to_string_lossy();
    let mut seeds = seed::find(&context.root.join(&folder), &environment)?;
    if let Wanted::All(Some(name)) = wanted {
        seeds = seed::named(seeds, name)?;
    }
    let progress = context.output.progress();
    let mut runs = Vec::new();
    let mut known = Vec::new();
    let remembered = if seeds.is_empty() {
        None
    } else {
        Remembered::prepare(connection)
    };
    for (done, one) in seeds.iter().enumerate() {
        progress.at(done, seeds.len(), &one.name);
        let text = seed::read(one)?;
        let shown = one.path.strip_prefix(&context.root).unwrap_or(&one.path);
        let shown = shown.display().to_string();
        if let (Wanted::Missing, Some(remembered)) = (wanted, &remembered)
            && remembered.has(connection, &one.key, &text.hash)?
        {
            known.push(shown);
            continue;
        }
        let took = seed::run(connection, one, &text, remembered.as_ref())?;
        runs.push(SeedRun::new(shown, took));
    }
    Ok(Seeded {
        seeds: runs,
        known,
        folder: folder.display().to_string(),
        environment: environment.into_owned(),
    })
}
