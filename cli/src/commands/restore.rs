//! `trueup restore`: the database out of a file.

use std::path::PathBuf;

use generator::{
    Error,
    operations::backup::{self, Onto, Owners, Stage},
    report::{DatabaseDone, What},
};

use super::{Status, backup::stage};
use crate::{arguments::FormatArg, context::Context, guard::Consent};

/// Bring back what `backup` saved, through pg_restore: all of it or nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup restore shop.dump              to an empty database
  trueup restore shop.dump --over       in place of what is there
  trueup restore shop.dump --no-owner   where the roles of the other server are not known")]
pub(crate) struct Args {
    /// The file
    file: PathBuf,

    /// Also where the database is not empty: what the file has as well is replaced, the rest stays
    #[arg(long)]
    over: bool,

    /// Everything becomes this user's, and no privileges are granted
    #[arg(long)]
    no_owner: bool,

    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let meant = if args.over {
        args.consent.to_lose_all(&live, context)?
    } else {
        args.consent.compared(&live)?;
        None
    };
    let onto = meant.as_ref().map_or(Onto::Empty, Onto::Over);
    let owners = if args.no_owner {
        Owners::Mine
    } else {
        Owners::AsSaved
    };
    let progress = context.output.progress();
    let tell = |at: Stage<'_>| stage(&progress, at);
    backup::restore(&context.project, &live.url, &args.file, onto, owners, tell)?;
    drop(progress);
    let report = DatabaseDone {
        done: What::Restored,
        database: live.url.to_string(),
        detail: args.file.display().to_string(),
    };
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}
