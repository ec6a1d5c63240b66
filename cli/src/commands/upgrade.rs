//! `trueup upgrade`: pending migrations are applied.

use diesel::PgConnection;
use generator::{
    Error,
    apply::{self, Event, Options, UpTarget},
    connection::connect,
    migration::{self, Migration, history_problems},
    report::{Applied, Direction, Rehearsed},
};

use super::{Status, backup, current};
use crate::{arguments::FormatArg, context::Context, target::Up};

/// Apply pending migrations, oldest first
///
/// Runs them as `diesel migration run` would, one at a time, under a lock that keeps a second upgrade waiting. Where one
/// fails, it is rolled back, and those before it stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup upgrade                   all that is pending
  trueup upgrade +1                the next one
  trueup upgrade 2026-11-21        up to and with this one: its version, its name, or how it begins
  trueup upgrade --dry-run         run them and roll back
  trueup upgrade --sql > all.sql   print what would run on an empty database, without one")]
pub(crate) struct Args {
    /// How far: `head`, `+N` migrations, or a version
    #[arg(
        default_value = "head",
        value_name = "head|+N|VERSION",
        allow_negative_numbers = true
    )]
    target: Up,

    /// Also apply a pending migration that is older than an applied one, or one of two heads
    ///
    /// Two branches that each made a migration end like this. It was proved on a database without the other one.
    #[arg(long)]
    allow_out_of_order: bool,

    /// Save the database in backups/ first, where anything is pending
    #[arg(long, conflicts_with_all = ["dry_run", "sql"])]
    backup: bool,

    /// Run them in one transaction and roll it back
    ///
    /// Their locks are held until the end. It goes as far as the first migration that cannot run in a transaction, or that
    /// needs a commit before it, and says where that was. Numbers that sequences gave out stay given out.
    #[arg(long)]
    dry_run: bool,

    /// Print the SQL, with the record of what is applied, and ask no database
    #[arg(long, conflicts_with_all = ["dry_run", "format"])]
    sql: bool,

    /// With --sql: the version that the database is at; none means that it is empty
    #[arg(long, value_name = "VERSION", requires = "sql")]
    from: Option<String>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let folder = &context.project.migrations;
    let migrations = migration::read(folder)?;
    if args.sql {
        return script(args, context, &migrations);
    }
    let live = context.live()?;
    let mut connection = connect(&live.url)?;
    if args.backup && !apply::pending(&migrations, &apply::applied(&mut connection)?).is_empty() {
        let saved = backup::save_as_usual(context, &live)?;
        context.output.note(format!("saved in {}", saved.detail));
    }
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = Options {
        allow_out_of_order: args.allow_out_of_order,
        ..context.applying(&live, &tell)
    };
    if args.dry_run {
        let found = apply::rehearse(&mut connection, folder, &args.target.0, options)?;
        context
            .output
            .report(&Rehearsed::from(found), args.format.into())?;
        return Ok(Status::Done);
    }
    let applied = apply(&mut connection, context, &args.target.0, options)?;
    drop(progress);
    context.output.report(&applied, args.format.into())?;
    for problem in apply::history(&mut connection, &migrations)? {
        context.output.warning(problem);
    }
    Ok(Status::Done)
}

fn script(args: &Args, context: &Context, migrations: &[Migration]) -> Result<Status, Error> {
    let (sql, chosen) = apply::script(migrations, args.from.as_deref(), &args.target.0)?;
    context.output.data(&sql)?;
    for problem in history_problems(migrations) {
        context.output.warning(problem);
    }
    context.output.note(format!(
        "{} in it; run it with `psql --set ON_ERROR_STOP=1 --file`",
        match chosen.len() {
            1 => "1 migration is".to_owned(),
            many => format!("{many} migrations are"),
        }
    ));
    Ok(Status::Done)
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
