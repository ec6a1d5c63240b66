//! `trueup history`: the migrations that there are.

use generator::{
    Error,
    migrations::{
        apply,
        folder::{self, history_problems},
    },
    postgres::connection::connect,
    report::{History, Listed, Verbosity},
};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// List the migrations, oldest first, and which of them are applied
///
/// With --verbose also each one's message, date, what it was made after, its risks, and what was proved.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup history
  trueup history --verbose
  trueup history --format json")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let migrations = folder::read(&context.project.migrations)?;
    let applied = applied(context).map(|applied| apply::without_replaced(&migrations, &applied));
    let unknown = applied.iter().flatten().filter(|version| {
        !migrations
            .iter()
            .any(|migration| migration.version == **version)
    });
    let history = History {
        migrations: migrations
            .iter()
            .map(|migration| Listed::new(migration, applied.as_deref()))
            .collect(),
        unknown: unknown.cloned().collect(),
        verbose: context.output.verbosity == Verbosity::Verbose,
    };
    context.output.report(&history, args.format.into())?;
    for problem in history_problems(&migrations) {
        context.output.warning(problem);
    }
    if let Some(applied) = &applied
        && !migrations.is_empty()
    {
        context.output.note(format!(
            "{} of {} applied",
            migrations.len() - apply::pending(&migrations, applied).len(),
            migrations.len()
        ));
    }
    if migrations.is_empty() {
        context.output.note(format!(
            "there are no migrations in {} yet",
            context.project.migrations.display()
        ));
    }
    Ok(Status::Done)
}

/// The applied versions; `None` without a database. The list is on disk, so it is worth showing without one too.
pub(super) fn applied(context: &Context) -> Option<Vec<String>> {
    let asked = context.live_if_there().and_then(|live| {
        live.map(|live| Ok(apply::applied(&mut connect(&live.url)?)?))
            .transpose()
    });
    asked.unwrap_or_else(|error| {
        context
            .output
            .note(format!("which are applied is not known: {error}"));
        None
    })
}
