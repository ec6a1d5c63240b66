//! `trueup init`: from nothing to a database that one can work with.

use generator::{
    Error,
    migrations::apply::{Event, UpTarget},
    operations::database,
    postgres::connection::connect,
    report::Initialized,
};

use super::{
    Status,
    seed::{self, Wanted},
    upgrade,
};
use crate::{arguments::FormatArg, context::Context, guard::Consent};

/// Make the database if it is missing, apply the migrations, run the seeds
///
/// What is done already is not done again, so it can be run at any time: a seed runs once in a database, and again when its
/// file has changed. In a protected environment, a database that was there gets no seeds unless its name is repeated.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup init                      after a fresh clone
  trueup init --no-seed")]
pub(crate) struct Args {
    /// Do not run the seeds
    #[arg(long)]
    no_seed: bool,

    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let created = match &context.project.database {
        Some(url) if database::create(url)? => {
            context.output.note(format!("created {url}"));
            true
        }
        Some(_) | None => false,
    };
    let live = context.live()?;
    args.consent.compared(&live)?;
    if !args.no_seed && !created && seed::are_missing(&live, context)? {
        args.consent
            .in_protected(&live, context, seed::LOSS)
            .map_err(|error| error.hint("or leave them out: --no-seed"))?;
    }
    let mut connection = connect(&live.url)?;
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = context.applying(&live, &tell);
    let applied = upgrade::apply(&mut connection, context, &UpTarget::Head, options)?;
    drop(progress);
    let mut report = Initialized {
        database: live.url.to_string(),
        created,
        applied,
        seeded: None,
    };
    if !args.no_seed {
        match seed::run_seeds(&mut connection, context, Wanted::Missing) {
            Ok(seeded) => report.seeded = Some(seeded),
            Err(error) => {
                // Migrations applied before the error stay, and are reported all the same.
                context.output.report(&report, args.format.into())?;
                return Err(error);
            }
        }
    }
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
