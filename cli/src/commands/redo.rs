//! `trueup redo`: the newest migration, back and there again.

use generator::{
    Error,
    migrations::apply::{self, DownTarget, Event},
    postgres::connection::connect,
    report::{Applied, Direction, Redone},
};

use super::{Status, current, downgrade::goes_on};
use crate::{arguments::FormatArg, context::Context, target::Down};

/// Take the newest applied migrations back and apply them again
///
/// Tries a down.sql on a real database, or brings an edit of up.sql there. Rows that the down removes do not come back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup redo                      the newest one
  trueup redo -2                   the two newest")]
pub(crate) struct Args {
    /// How many: `-N`
    #[arg(default_value = "-1", value_name = "-N", allow_negative_numbers = true)]
    target: Down,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    if !matches!(args.target.0, DownTarget::Minus(_)) {
        return Err(Error::input(
            "`redo` takes a number of steps, as in `redo -2`",
        ));
    }
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    let folder = &context.project.migrations;
    if !goes_on(&mut connection, &args.target.0, context)? {
        return Ok(Status::Refused);
    }
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = context.applying(&live, &tell);
    let [back, again] = apply::redo(&mut connection, folder, &args.target.0, options)?;
    drop(progress);
    let now = current::newest(context, &apply::applied(&mut connection)?)?;
    let applied = |direction, reports: Vec<apply::AppliedReport>| Applied {
        direction,
        migrations: reports.into_iter().map(Into::into).collect(),
        now: now.clone(),
    };
    let redone = Redone {
        back: applied(Direction::Down, back),
        again: applied(Direction::Up, again),
    };
    context.output.report(&redone, args.format.into())?;
    Ok(Status::Done)
}
