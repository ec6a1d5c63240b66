//! `trueup check`: do models, migrations and database agree?

use clap::ValueEnum;
use generator::{
    Error, autogen,
    check::{self, Scope},
    connection::connect,
    report::{CheckReport, Format},
};

use super::Status;
use crate::context::Context;

/// Say whether models, migrations and database agree
///
/// Compares the models with the migrations (is one missing?) and the migrations with the database (are some pending, or
/// was it changed by hand?). Without a configured database, or with --offline, the first alone. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup check                     all three; for a CI job that has a database
  trueup check --offline           models and migrations alone; needs no database
  trueup check --format json       for programs; --json-schema says in which form
  trueup check --format github     in GitHub Actions: annotations at the structs

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
    format: CheckFormat,

    /// Print the JSON Schema of --format json, and check nothing
    #[arg(long)]
    json_schema: bool,
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

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum CheckFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For GitHub Actions: annotations at the structs, then the text
    Github,
}

/// What `--format json` prints, as a JSON Schema.
const JSON_SCHEMA: &str = include_str!("check.schema.json");

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    if args.json_schema {
        context.output.result(JSON_SCHEMA)?;
        return Ok(Status::Done);
    }
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
    if let Some(why) = &found.hidden {
        context
            .output
            .note(format!("all migrations count as applied, for {why}"));
    }
    let report = CheckReport::from(found);
    match args.format {
        CheckFormat::Text => context.output.report(&report, Format::Text)?,
        CheckFormat::Json => context.output.report(&report, Format::Json)?,
        CheckFormat::Github => context.output.result(&report.github())?,
    }
    Ok(if report.in_sync {
        Status::Done
    } else {
        Status::Different
    })
}
