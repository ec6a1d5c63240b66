//! `trueup show`: one migration, whole.

use generator::{
    Error,
    migrations::{apply, folder},
    report::Shown,
};

use super::{Status, history};
use crate::{arguments::FormatArg, context::Context};

/// Show one migration: what it is for, what it was made on, its risks, its files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup show 2026-11-21           its version, its name, or how either begins
  trueup show head --format json   the newest")]
pub(crate) struct Args {
    /// Which one: `head`, or a version
    #[arg(value_name = "VERSION", default_value = "head")]
    version: String,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let migrations = folder::read(&context.project.migrations)?;
    let found = match (args.version.as_str(), migrations.last()) {
        ("head", Some(newest)) => newest,
        ("head", None) => return Err(Error::input("there are no migrations yet")),
        (version, _) => apply::find(&migrations, version)?,
    };
    let shown = Shown::new(found, history::applied(context).as_deref());
    context.output.report(&shown, args.format.into())?;
    Ok(Status::Done)
}
