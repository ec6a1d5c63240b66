//! `trueup downgrade`: applied migrations are taken back.

use diesel::PgConnection;
use generator::{
    Error,
    migrations::apply::{self, DownTarget, Event},
    postgres::connection::connect,
    report::{Applied, Direction},
};

use super::{Status, current};
use crate::{
    arguments::FormatArg,
    context::Context,
    guard::{self, Consent},
    target::Down,
};

/// Take applied migrations back, newest first
///
/// Runs their down.sql, which was proved to give exactly the schema that was there before. Rows that an up or a down
/// removes do not come back: which those are now, it says before, and asks at a terminal.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup downgrade                 the newest one
  trueup downgrade -2              the two newest
  trueup downgrade 2026-11-21      all after this one, which stays: its version, its name, or how it begins
  trueup downgrade base            all of them")]
pub(crate) struct Args {
    /// How far: `-N` migrations, `base`, or the version to go back to
    #[arg(
        default_value = "-1",
        value_name = "-N|base|VERSION",
        allow_negative_numbers = true
    )]
    target: Down,

    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    let folder = &context.project.migrations;
    args.consent.compared(&live)?;
    if context.settings.is_protected() {
        let chosen = apply::would_take_back(&mut connection, folder, &args.target.0)?;
        if chosen.len() > 1 {
            let loss = format!("{} migrations would be taken back", chosen.len());
            args.consent.in_protected(&live, context, &loss)?;
        }
    }
    if !goes_on(&mut connection, &args.target.0, context)? {
        return Ok(Status::Refused);
    }
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = context.applying(&live, &tell);
    let reports = apply::downgrade(&mut connection, folder, &args.target.0, options)?;
    drop(progress);
    let applied = Applied {
        direction: Direction::Down,
        migrations: reports.into_iter().map(Into::into).collect(),
        now: current::newest(context, &apply::applied(&mut connection)?)?,
    };
    context.output.report(&applied, args.format.into())?;
    Ok(Status::Done)
}

/// Says what goes for good, and asks at a terminal.
pub(super) fn goes_on(
    connection: &mut PgConnection,
    target: &DownTarget,
    context: &Context,
) -> Result<bool, Error> {
    let folder = &context.project.migrations;
    // Whatever is wrong with the target or the folders, the command itself says better.
    let losses = apply::would_lose(connection, folder, target).unwrap_or_default();
    if losses.is_empty() {
        return Ok(true);
    }
    for loss in losses {
        context.output.note(format!("goes for good: {loss}"));
    }
    if guard::agreed("These rows and values do not come back. Go on?", context)? {
        return Ok(true);
    }
    context.output.note("nothing was taken back");
    Ok(false)
}
