//! `trueup squash`: many migrations become one.

use generator::{
    Error,
    migrations::{apply, folder},
    pipeline::rework::{self, How},
    report::Changed,
};

use super::Status;
use crate::{arguments::FormatArg, context::Context, mine};

/// Make one migration of several that gives exactly the same
///
/// It gets the version of the last of them, so a database that has them all goes on as if nothing had happened; `upgrade`
/// tidies its record. A database that has only some of them must be upgraded first, from a commit before this one. Where
/// the range begins with the first migration and only defines, it is drafted anew; else the texts are put one behind the
/// other, since no schema shows what a statement did to rows. Tried on a throw-away PostgreSQL: the one must give what the
/// many gave, and pg_dump must agree. What does not run in a transaction stays by itself, and where a commit has to stand
/// between two, they become several. A down.sql that does not run is named, and drawn anew from the schemas; one that raises
/// an exception goes on doing so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup squash base..2026-11-21-102915            from the first, up to and with this one
  trueup squash 2026-03..2026-06 --message \"spring\"  what comes after the first of these, which stays")]
pub(crate) struct Args {
    /// Which: BASE stays and VERSION is the last; `base` for none, `head` for the newest
    #[arg(value_name = "BASE..VERSION")]
    range: String,

    /// What the folder is named after
    #[arg(long)]
    message: Option<String>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let (base, last) = args.range.split_once("..").ok_or_else(|| {
        Error::input(format!("{:?} is no range", args.range))
            .hint("write BASE..VERSION, as in `squash base..head`")
    })?;
    let all = folder::read(&context.project.migrations)?;
    let base = (!matches!(base, "" | "base")).then_some(base);
    let last = match (last, all.last()) {
        ("" | "head", Some(newest)) => newest.version.clone(),
        (version, _) => version.to_owned(),
    };
    refuse_halfway(context, &all, base, &last)?;
    let message = args.message.as_deref();
    let squashed = rework::squash(&context.project, base, &last, message)?;
    let how = match squashed.how {
        How::Redrafted => "drafted anew from what they give",
        How::Joined | How::Moved => "their texts one behind the other",
    };
    let (many, few) = (squashed.removed.len(), squashed.written.len());
    let few = if few == 1 {
        "one".to_owned()
    } else {
        few.to_string()
    };
    let (proof, proofs) = match squashed.proofs.as_slice() {
        [one] => (Some(one.clone()), Vec::new()),
        several => (None, several.to_vec()),
    };
    let changed = Changed {
        removed: squashed.removed,
        written: squashed.written,
        proof,
        proofs,
        kept: squashed.kept.iter().map(ToString::to_string).collect(),
        drawn: squashed.drawn.iter().map(ToString::to_string).collect(),
        how: Some(squashed.how),
        summary: format!("{many} migrations are {few}: {how}"),
        ..Changed::default()
    };
    context.output.report(&changed, args.format.into())?;
    context.output.next(
        "commit it; a database that has only some of the old ones must be upgraded from a commit before this one",
    );
    Ok(Status::Done)
}

/// The database at hand must have all of the range or nothing of it.
fn refuse_halfway(
    context: &Context,
    all: &[folder::Migration],
    base: Option<&str>,
    last: &str,
) -> Result<(), Error> {
    let base = base.map(|base| apply::find(all, base)).transpose()?;
    let last = apply::find(all, last)?;
    let applied = mine::applied(context)?;
    let (has, lacks): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|one| base.is_none_or(|base| one.version > base.version))
        .filter(|one| one.version <= last.version)
        .partition(|one| applied.contains(&one.version));
    match (has.is_empty(), lacks.first()) {
        (false, Some(lacking)) => Err(Error::input(format!(
            "the database has only some of these: {} is not applied",
            lacking.name
        ))
        .hint("`trueup upgrade` first")),
        (_, _) => Ok(()),
    }
}
