//! `trueup upgrade`: pending migrations are applied.

use diesel::PgConnection;
use generator::{
    Error,
    apply::{self, Event, Options, UpTarget},
    connection::connect,
    migration,
    report::{Applied, Direction, Format},
};

use super::{Status, backup, current};
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

    /// Save the database in backups/ first, where anything is pending
    #[arg(long)]
    backup: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    if args.backup && is_behind(&mut connection, context)? {
        let saved = backup::save_as_usual(context, &live)?;
        context.output.note(format!("saved in {}", saved.detail));
    }
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = Options {
        allow_out_of_order: args.allow_out_of_order,
        ..context.applying(&live, &tell)
    };
    let applied = apply(&mut connection, context, &args.target.0, options)?;
    drop(progress);
    context.output.report(&applied, Format::Text)?;
    Ok(Status::Done)
}

fn is_behind(connection: &mut PgConnection, context: &Context) -> Result<bool, Error> {
    let migrations = migration::read(&context.project.migrations)?;
    let applied = apply::applied(connection)?;
    Ok(!apply::pending(&migrations, &applied).is_empty())
}

/// Applies what is pending and says what that was.
pub(super) fn apply(
    connection: &mut PgConnection,
    context: &Context,
    target: &UpTarget,
    options: Options<'_>,
) -> Result<Applied, Error> {
    let folder = &context.project.migrations;
    let reports = apply::upgrade(connection, folder, target, options)?;
    Ok(Applied {
        direction: Direction::Up,
        migrations: reports.into_iter().map(Into::into).collect(),
        now: current::newest(context, &apply::applied(connection)?)?,
    })
}
