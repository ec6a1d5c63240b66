//! `trueup check`: do models, migrations and database agree?

use generator::{
    Error, autogen,
    check::{self, Scope},
    connection::connect,
    report::CheckReport,
};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// Say whether models, migrations and database agree
///
/// Compares the models with the migrations (is one missing?) and the migrations with the database (are some pending, or
/// was it changed by hand?). Without a configured database, or with --offline, the first alone. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup check                     all three; for a CI job that has a database
  trueup check --offline           models and migrations alone; needs no database
  trueup check --format json       for programs

Exit codes: 0 in sync, 1 something differs, 2 could not tell.")]
pub(crate) struct Args {
    /// Do not look at the database
    #[arg(long)]
    offline: bool,

    /// Count as drift what jobs make too: partitions that no migration made
    #[arg(long, conflicts_with = "offline")]
    strict: bool,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

impl Args {
    fn scope(&self) -> Scope {
        if self.offline {
            Scope::Offline
        } else if self.strict {
            Scope::Strict
        } else {
            Scope::Database
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let declarations = autogen::declarations()?;
    match &context.project.database {
        Some(url) if !args.offline => {
            connect(url).map_err(|error| {
                Error::from(error).hint("--offline compares the models with the migrations alone")
            })?;
        }
        Some(_) => {}
        None if args.offline => {}
        None => context.output.note(
            "no database is configured (DATABASE_URL): only the models and the migrations are compared",
        ),
    }
    let found = check::check(&context.project, &declarations, args.scope())?;
    for stale in &found.stale {
        context.output.note(stale);
    }
    let report = CheckReport::from(found);
    context.output.report(&report, args.format.into())?;
    Ok(if report.in_sync {
        Status::Done
    } else {
        Status::Different
    })
}
