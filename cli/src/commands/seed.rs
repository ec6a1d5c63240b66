//! `trueup seed`: rows that a new database begins with.

use std::path::PathBuf;

use diesel::PgConnection;
use generator::{
    Error,
    operations::seed::{self, Remembered, Seed},
    postgres::connection::connect,
    report::{SeedRun, Seeded},
};

use super::Status;
use crate::{
    arguments::FormatArg,
    context::{Context, Live},
    guard::Consent,
    settings,
};

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

/// The effect of seeds in a protected environment.
pub(super) const LOSS: &str = "rows for trials would be written";

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    args.consent.in_protected(&live, context, LOSS)?;
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

/// True if [`Wanted::Missing`] has something to run.
pub(super) fn are_missing(live: &Live, context: &Context) -> Result<bool, Error> {
    let (_, seeds) = found(context)?;
    if seeds.is_empty() {
        return Ok(false);
    }
    let mut connection = connect(&live.url)?;
    let Some(remembered) = Remembered::prepare(&mut connection) else {
        return Ok(true);
    };
    for one in &seeds {
        if !remembered.has(&mut connection, &one.key, &seed::read(one)?.hash)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The folder of the seeds, and those that are for this environment.
fn found(context: &Context) -> Result<(PathBuf, Vec<Seed>), Error> {
    let found = context.settings.get(&settings::SEEDS);
    let folder = found.map_or_else(PathBuf::new, |found| found.path());
    let environment = context.settings.environment.value.to_string_lossy();
    let seeds = seed::find(&context.root.join(&folder), &environment)?;
    Ok((folder, seeds))
}

pub(super) fn run_seeds(
    connection: &mut PgConnection,
    context: &Context,
    wanted: Wanted<'_>,
) -> Result<Seeded, Error> {
    let (folder, mut seeds) = found(context)?;
    let environment = context.settings.environment.value.to_string_lossy();
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
