//! `trueup check`: do models, migrations and database agree?

use clap::ValueEnum;
use generator::{
    Error,
    pipeline::{
        autogen,
        check::{self, Scope},
    },
    postgres::connection::connect,
    prove::{
        code::Broken,
        migrations::{Outcome, Tried, Trust},
    },
    report::{CheckReport, Format, Report},
};

use super::{
    Status,
    autogen::unmodelled,
    losses::{Allowed, code_breaks, may_break},
};
use crate::context::Context;

/// Say whether models, migrations and database agree
///
/// Compares the models with the migrations (is one missing?) and the migrations with the database (are some pending, or
/// was it changed by hand?). Without a configured database, or with --offline, the first alone. Tries on a throw-away
/// PostgreSQL that each migration goes up and comes back, but for those that are what was proved. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup check                     all three; for a CI job that has a database
  trueup check --offline           models and migrations alone; needs no database
  trueup check --prove             also proves each migration anew, as `trueup prove --all` does, and writes nothing
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

    /// Prove every migration anew, whatever its header says: up, down, up again, with rows, and the code around them
    #[arg(long)]
    prove: bool,

    /// Passes though this code fails after a migration: code-breaks=NAME,…; what a header that holds says fails may do so
    #[arg(long, value_name = "RISK=NAME,…", value_parser = code_breaks, requires = "prove")]
    allow: Vec<Allowed>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: CheckFormat,

    /// Print the JSON Schema of --format json, and check nothing
    #[arg(long)]
    json_schema: bool,
}

impl Args {
    /// True if GitHub Actions reads the report.
    pub(crate) fn is_for_github(&self) -> bool {
        self.format == CheckFormat::Github
    }

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

/// JSON Schema of the output of `--format json`.
const JSON_SCHEMA: &str = include_str!("check.schema.json");

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    if args.json_schema {
        context.output.data(JSON_SCHEMA)?;
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
    let is_allowed = |code: &Broken| may_break(&args.allow, code);
    let trust = if args.prove {
        Trust::Nothing(&is_allowed)
    } else {
        Trust::Seals
    };
    let found = check::check_trusting(&context.project, &declarations, args.scope(), trust)?;
    note_unproved(context, &found.unproved);
    for stale in &found.stale {
        context.output.note(stale);
    }
    if !found.unmodelled.is_empty() {
        context.output.note(unmodelled(&found.unmodelled));
    }
    for pattern in &found.idle_excludes {
        context.output.note(format!(
            "trueup.toml: exclude = [{pattern:?}] matches nothing"
        ));
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
        CheckFormat::Github => context
            .output
            .annotated(&report.annotations(), &report.text())?,
    }
    Ok(if report.in_sync {
        Status::Done
    } else {
        Status::Different
    })
}

/// Says what came of migrations that nobody proved, a line for those that are as they should be.
fn note_unproved(context: &Context, unproved: &[Tried]) {
    let (mut good, mut irreversible, mut strays) = (Vec::new(), Vec::new(), Vec::new());
    for one in unproved {
        match &one.outcome {
            Outcome::Returns => good.push(one),
            Outcome::Irreversible(_) => irreversible.push(one),
            Outcome::Strays(_) => strays.push(one),
            // It is no note.
            Outcome::Broken(_) => {}
        }
    }
    for one in strays.iter().take(SHOWN) {
        context.output.note(one.says());
    }
    if let Some(more @ 1..) = strays.len().checked_sub(SHOWN) {
        let s = if more == 1 { "" } else { "s" };
        context.output.note(format!(
            "{more} more migration{s} of which down.sql does not lead back"
        ));
    }
    match irreversible.as_slice() {
        [] => {}
        [one] => context.output.note(one.says()),
        [one, ..] => context.output.note(format!(
            "{} migrations are irreversible, the first is {}",
            irreversible.len(),
            one.name
        )),
    }
    match good.as_slice() {
        [] => {}
        [one] => context.output.note(format!(
            "{} was never proved; it goes up and down here, and `trueup prove` says so in its header",
            one.name
        )),
        [one, ..] => context.output.note(format!(
            "{} migrations were never proved, the first is {}; they go up and down here, and `trueup prove` says so in \
             their headers",
            good.len(),
            one.name
        )),
    }
}

/// Limit on the migrations named that do not lead back.
const SHOWN: usize = 3;
