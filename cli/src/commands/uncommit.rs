//! `trueup uncommit`: the last migration goes.

use generator::{
    Error,
    migrations::{
        apply,
        folder::{self, Lineage, Migration},
    },
    pipeline::autogen::written_together,
    report::Changed,
};

use super::Status;
use crate::{arguments::FormatArg, context::Context, guard, mine};

/// Remove the last migration, where it is not applied and nobody else has it
///
/// The folder is deleted. What one autogen wrote as several folders goes together. Whether others could have it is asked of
/// git: it must be in no commit that was pushed or fetched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup uncommit
  trueup uncommit 2026-11-21-11    this one, where no other was made on it
  trueup uncommit --force          without asking git")]
pub(crate) struct Args {
    /// Another one than the last: the end of a branch
    version: Option<String>,

    /// Also where others could have it, or git cannot say
    #[arg(long)]
    force: bool,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let all = folder::read(&context.project.migrations)?;
    let last = match &args.version {
        Some(version) => std::slice::from_ref(end_of_a_branch(&all, version)?),
        None => written_together(&all),
    };
    if last.is_empty() {
        return Err(Error::input("there are no migrations to remove"));
    }
    let applied = mine::applied(context)?;
    if let Some(there) = last.iter().find(|one| applied.contains(&one.version)) {
        return Err(
            Error::input(format!("{} is applied to the database", there.name))
                .hint("`trueup downgrade` takes it back first"),
        );
    }
    if !args.force {
        mine::refuse_shared(context, last)?;
    }
    let names: Vec<String> = last.iter().map(|one| one.name.clone()).collect();
    if !guard::agreed(&format!("Remove {}?", names.join(" and ")), context)? {
        return Ok(Status::Refused);
    }
    remove(context, &all, last)?;
    let newest = all.iter().rev().find(|one| !last.contains(one));
    let changed = Changed {
        removed: names,
        summary: match newest {
            Some(newest) => format!("the newest is {} now", newest.name),
            None => "there are no migrations now".to_owned(),
        },
        ..Changed::default()
    };
    context.output.report(&changed, args.format.into())?;
    Ok(Status::Done)
}

/// The migration of a version, where no other was made on it.
fn end_of_a_branch<'a>(all: &'a [Migration], version: &str) -> Result<&'a Migration, Error> {
    let found = apply::find(all, version)?;
    match Lineage::of(all).from(&found.version).as_slice() {
        [_, next, ..] => Err(Error::input(format!(
            "{} was made on {}, so that one stays",
            next.name, found.name
        ))),
        [] | [_] => Ok(found),
    }
}

/// Removes migrations, where they are still the same.
pub(super) fn remove(
    context: &Context,
    all: &[Migration],
    gone: &[Migration],
) -> Result<(), Error> {
    let versions = |some: &[Migration]| -> Vec<String> {
        some.iter().map(|one| one.version.clone()).collect()
    };
    let folder = &context.project.migrations;
    folder::replace(folder, Some(&versions(all)), &versions(gone), &[])?;
    Ok(())
}
