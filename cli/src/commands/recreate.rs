//! `trueup recreate`: the last migration is written anew.

use generator::{
    Error,
    migrations::{
        apply::{self, DownTarget, Event},
        folder::{self, Lineage, Migration},
    },
    pipeline::autogen::{self, AutogenOptions, written_together},
    postgres::connection::connect,
    report::{Changed, Written},
};

use super::{
    Status,
    autogen::terminal,
    losses::{Allowed, consent},
    uncommit,
};
use crate::{
    arguments::{self, FormatArg},
    context::Context,
    mine,
};

/// Write the last migration anew, while the models it is for still change
///
/// Takes it back where it is applied here, and does what autogen does as if it had never been there. Its folder goes in the
/// same moment in which the new one comes. Refused where others could have it: where git knows it from a commit that was
/// pushed or fetched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup recreate \"add phone_number\"
  trueup recreate \"drop old\" --allow data-loss=public.users.fax
  trueup recreate \"begin\" --force        without asking git")]
pub(crate) struct Args {
    /// What changes, in a few words; the folder is named after it
    message: String,

    /// Write the migration though it loses the rows or values of these: data-loss=public.users.fax; as often as needed
    #[arg(long, value_name = "RISK=PATH,…", value_parser = Allowed::parse)]
    allow: Vec<Allowed>,

    /// Value for rows without one in a new or required column, in this migration alone: users.phone="'none'"; repeatable
    #[arg(long, value_name = "PATH=SQL")]
    fill: Vec<String>,

    /// Also where others could have it, git cannot say, or it was written by hand
    #[arg(long)]
    force: bool,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let Context {
        project, output, ..
    } = context;
    folder::slug(&args.message)?;
    let fills = arguments::fills(&args.fill)?;
    let declarations = autogen::declarations()?;
    let all = folder::read(&project.migrations)?;
    let last = written_together(&all);
    refuse(&all, last, args.force)?;
    if !args.force {
        mine::refuse_shared(context, last)?;
    }
    take_back(context, last)?;

    let without: Vec<String> = last.iter().map(|one| one.version.clone()).collect();
    let options = AutogenOptions {
        without: &without,
        fills: &fills,
        ask: terminal(),
        ..AutogenOptions::default()
    };
    let found = autogen::autogen(project, &declarations, options)?;
    let removed: Vec<String> = last.iter().map(|one| one.name.clone()).collect();
    let Some(draft) = &found.draft else {
        uncommit::remove(context, &all, last)?;
        let changed = Changed {
            removed,
            summary: "nothing else is to be done: without it, the models and the migrations agree"
                .to_owned(),
            ..Changed::default()
        };
        output.report(&changed, args.format.into())?;
        return Ok(Status::Done);
    };
    if !consent(&found, draft, &args.allow, context)? {
        return Ok(Status::Refused);
    }
    let folders = autogen::replace(project, &args.message, draft, &without)?;
    for name in removed {
        output.note(format!("{name} is gone"));
    }
    output.report(
        &Written::new(draft, &folders, found.answers.fails.clone()),
        args.format.into(),
    )?;
    output.next("read it, and `trueup upgrade`");
    Ok(Status::Done)
}

fn refuse(all: &[Migration], last: &[Migration], force: bool) -> Result<(), Error> {
    let Some(newest) = last.last() else {
        return Err(Error::input("there is no migration to write anew")
            .hint("`trueup autogen MESSAGE` writes the first"));
    };
    let heads = Lineage::of(all).heads();
    if heads.len() > 1 {
        return Err(Error::input(
            "there are two heads, so which migration is the last is not clear",
        )
        .hint("`trueup rebase` moves yours after the other's"));
    }
    if !force && !last.iter().all(Migration::is_generated) {
        return Err(
            Error::input(format!("{} was not written by autogen", newest.name))
                .hint("`trueup uncommit` removes it")
                .hint("--force writes it anew from the models, without what stands in it"),
        );
    }
    Ok(())
}

/// Takes the migrations back where the database has them.
fn take_back(context: &Context, last: &[Migration]) -> Result<(), Error> {
    let Some(live) = context.live_if_there()? else {
        return Ok(());
    };
    let mut connection = connect(&live.url)?;
    let applied = apply::applied(&mut connection)?;
    let is_last = |version: &String| last.iter().any(|one| one.version == *version);
    let number = applied.iter().filter(|version| is_last(version)).count();
    if number == 0 {
        return Ok(());
    }
    if let Some(newer) = applied[applied.len() - number..]
        .iter()
        .find(|version| !is_last(version))
    {
        return Err(Error::input(format!(
            "version {newer} was applied after what is to be written anew"
        ))
        .hint("`trueup status` lists what is in the database and not here"));
    }
    let folder = &context.project.migrations;
    let target = DownTarget::Minus(number);
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = context.applying(&live, &tell);
    for report in apply::downgrade(&mut connection, folder, &target, options)? {
        context
            .output
            .note(format!("{} was taken back", report.name));
    }
    Ok(())
}
