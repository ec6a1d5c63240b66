//! `trueup current`: where the database stands.

use generator::{
    Error,
    migrations::{
        apply,
        folder::{self, Migration},
    },
    postgres::connection::connect,
    report::Current,
};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

/// Show which migration the database is at
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup current
  trueup current --format json")]
pub(crate) struct Args {
    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let migrations = folder::read(&context.project.migrations)?;
    let live = context.live()?;
    let applied = apply::applied(&mut connect(&live.url)?)?;
    let applied = apply::without_replaced(&migrations, &applied);
    let names = |some: Vec<&Migration>| some.iter().map(|one| one.name.clone()).collect();
    let unknown: Vec<String> = applied
        .iter()
        .filter(|version| named(&migrations, version).is_none())
        .cloned()
        .collect();
    let pending = apply::pending(&migrations, &applied);
    let current = Current {
        current: applied.last().map(|version| name(&migrations, version)),
        at_head: pending.is_empty() && unknown.is_empty(),
        pending: names(pending),
        out_of_order: names(apply::out_of_order(&migrations, &applied)),
        unknown,
        database: live.url.to_string(),
    };
    context.output.report(&current, args.format.into())?;
    Ok(Status::Done)
}

/// The name of the newest of the applied versions.
pub(super) fn newest(context: &Context, applied: &[String]) -> Result<Option<String>, Error> {
    let migrations = folder::read(&context.project.migrations)?;
    Ok(applied.last().map(|version| name(&migrations, version)))
}

fn name(migrations: &[Migration], version: &str) -> String {
    named(migrations, version).unwrap_or(version).to_owned()
}

fn named<'a>(migrations: &'a [Migration], version: &str) -> Option<&'a str> {
    let found = migrations.iter().find(|one| one.version == version);
    found.map(|migration| migration.name.as_str())
}
