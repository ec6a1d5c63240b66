//! `trueup upgrade`: pending migrations are applied.

use generator::{
    Error,
    apply::{self, Event, Options},
    connection::connect,
    report::{Applied, Direction, Format},
};

use super::{Status, current};
use crate::{context::Context, target::Up};

/// Apply pending migrations, oldest first
///
/// Runs them as `diesel migration run` would, one at a time, under a lock that keeps a second upgrade waiting. Where one
/// fails, it is rolled back, and those before it stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup upgrade                   all that is pending
  trueup upgrade +1                the next one
  trueup upgrade 2026-11-21        up to and with this one: its version, its name, or how it begins")]
pub(crate) struct Args {
    /// How far: `head`, `+N` migrations, or a version
    #[arg(
        default_value = "head",
        value_name = "head|+N|VERSION",
        allow_negative_numbers = true
    )]
    target: Up,

    /// Also apply a pending migration that is older than an applied one
    ///
    /// Two branches that each made a migration end like this. It was proved on a database without the other one.
    #[arg(long)]
    allow_out_of_order: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = Options {
        allow_out_of_order: args.allow_out_of_order,
        ..context.applying(&live, &tell)
    };
    let folder = &context.project.migrations;
    let reports = apply::upgrade(&mut connection, folder, &args.target.0, &options)?;
    drop(progress);
    let applied = Applied {
        direction: Direction::Up,
        migrations: reports.into_iter().map(Into::into).collect(),
        now: current::newest(context, &apply::applied(&mut connection)?)?,
    };
    context.output.report(&applied, Format::Text)?;
    Ok(Status::Done)
}
