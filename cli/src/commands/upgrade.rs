//! `trueup upgrade`: pending migrations are applied.

use diesel::PgConnection;
use generator::{
    Error,
    migrations::{
        apply::{self, ApplyError, Event, Options, UpTarget},
        folder::{self, Migration, history_problems},
    },
    pipeline::autogen::{recreating, written_together},
    postgres::connection::connect,
    report::{Applied, Direction, Rehearsed},
};

use super::{Status, backup, current};
use crate::{
    arguments::FormatArg,
    context::Context,
    git::{self, Sharing},
    target::Up,
};

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
    let migrations = folder::read(folder)?;
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
        let found = apply::rehearse(&mut connection, folder, &args.target.0, options)
            .map_err(|error| with_way_out(error, context))?;
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

/// The failure of a migration with the command that writes it otherwise, where it is nobody else's.
fn with_way_out(error: ApplyError, context: &Context) -> Error {
    let is_plain = error.hint().is_none();
    let way = if let ApplyError::Failed {
        name,
        rolled_back: true,
        ..
    }
    | ApplyError::Deferred { name, .. }
    | ApplyError::Rehearsed { name, .. } = &error
        && is_plain
    {
        way_out(name, context)
    } else {
        None
    };
    Error::from(error).hints(way)
}

fn way_out(name: &str, context: &Context) -> Option<String> {
    let folder = &context.project.migrations;
    let all = folder::read(folder).ok()?;
    let at = all.iter().position(|one| one.name == name)?;
    let until = &all[..=at];
    let force = match git::sharing(folder, name) {
        Sharing::Shared { commit } => {
            return Some(format!(
                "others could have it already, in commit {commit}, so that it stays as it is: mend what it fails on in this \
                 database, and run it again"
            ));
        }
        Sharing::Ours => "",
        Sharing::Unknown(_) => ", with --force, for git does not say that nobody else has it",
    };
    let Some(command) = recreating(until, &all[at]) else {
        return Some(
            "mend its up.sql, where nobody else has it: nothing of it is applied here; or mend what it fails on".to_owned(),
        );
    };
    let is_last = written_together(&all).iter().any(|one| one.name == name);
    let first = if is_last {
        ""
    } else {
        "remove those after it with `trueup uncommit`, and "
    };
    Some(format!(
        "mend the rows that it fails on; or say in the models what becomes of them (`fill`, `using`, `replaces`), {first}write it \
         anew: {command}{force}"
    ))
}

/// Applies what is pending and says what that was.
pub(super) fn apply(
    connection: &mut PgConnection,
    context: &Context,
    target: &UpTarget,
    options: Options<'_>,
) -> Result<Applied, Error> {
    let folder = &context.project.migrations;
    let reports = apply::upgrade(connection, folder, target, options)
        .map_err(|error| with_way_out(error, context))?;
    Ok(Applied {
        direction: Direction::Up,
        migrations: reports.into_iter().map(Into::into).collect(),
        now: current::newest(context, &apply::applied(connection)?)?,
    })
}
