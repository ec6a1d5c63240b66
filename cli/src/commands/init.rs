//! `trueup init`: from nothing to a database that one can work with.

use generator::{
    Error,
    apply::{Event, UpTarget},
    connection::connect,
    database,
};

use super::{Status, seed, upgrade};
use crate::context::Context;

/// Make the database if it is missing, apply the migrations, run the seeds
///
/// What is done already is not done again, so it can be run at any time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup init                      after a fresh clone
  trueup init --no-seed")]
pub(crate) struct Args {
    /// Do not run the seeds
    #[arg(long)]
    no_seed: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    if let Some(url) = &context.project.database
        && database::create(url)?
    {
        context.output.note(format!("created {url}"));
    }
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = context.applying(&live, &tell);
    let applied = upgrade::apply(&mut connection, context, &UpTarget::Head, options)?;
    drop(progress);
    context
        .output
        .report(&applied, generator::report::Format::Text)?;
    if !args.no_seed {
        let seeded = seed::sow(&mut connection, context, None)?;
        context
            .output
            .report(&seeded, generator::report::Format::Text)?;
    }
    Ok(Status::Done)
}
