//! `trueup rebase`: your migrations go behind the others'.

use generator::{
    Error,
    migrations::{
        apply,
        folder::{self, Branch, Lineage, Migration},
    },
    pipeline::{
        autogen,
        rework::{self, How, Rebased},
    },
    report::Changed,
};

use super::Status;
use crate::{
    arguments::FormatArg,
    context::Context,
    git::{self, Sharing},
    mine,
};

/// Move your migrations after the others', and prove them there
///
/// For two branches that each made a migration on the same one. Yours are those that are in no commit that was pushed or
/// fetched, as git says, or those that you name. What autogen wrote and nobody touched is drafted anew from the models, as
/// autogen would if it ran only now; several that hold after the others stay several. What somebody wrote or mended by
/// hand keeps its SQL. All get new versions, a new parent, and a new proof. What both branches change is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup rebase
  trueup rebase 2026-11-21-11      the first of yours; what was made on it moves along")]
pub(crate) struct Args {
    /// The first of yours
    version: Option<String>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let all = folder::read(&context.project.migrations)?;
    let lineage = Lineage::of(&all);
    let applied = mine::applied(context)?;
    let ours = match &args.version {
        Some(version) => {
            let first = apply::find(&all, version)?;
            let ours = lineage.from(&first.version);
            refuse_shared(context, &ours)?;
            ours
        }
        None => match lineage.branches().as_slice() {
            branches @ [_, _, ..] => ours(context, branches, &applied)?,
            [] | [_] => Vec::new(),
        },
    };
    if let Some(there) = ours.iter().find(|one| applied.contains(&one.version)) {
        let before = lineage.before(&ours[0].version);
        let parent = applied
            .iter()
            .rev()
            .find(|version| before.contains(version.as_str()) && **version != ours[0].version);
        let parent = parent.map_or("base", String::as_str);
        return Err(Error::input(format!(
            "{} is applied to the database, and what is applied is not moved",
            there.name
        ))
        .hint(format!("`trueup downgrade {parent}` takes it back first")));
    }
    let versions: Vec<String> = ours.iter().map(|one| one.version.clone()).collect();
    // A program without models, or with some that are in the midst of a change, can still move what is there.
    let models = autogen::declarations().ok();
    let rebased = rework::rebase(&context.project, &versions, models.as_ref())?;
    let Some(rebased) = rebased else {
        let changed = Changed {
            summary: "nothing to rebase: there is one line already".to_owned(),
            ..Changed::default()
        };
        context.output.report(&changed, args.format.into())?;
        return Ok(Status::Done);
    };
    let changed = Changed {
        summary: summary(&rebased),
        proof: (!rebased.written.is_empty()).then_some(rebased.proof),
        removed: rebased.removed,
        written: rebased.written,
        shared: rebased.shared,
        how: Some(rebased.how),
        ..Changed::default()
    };
    context.output.report(&changed, args.format.into())?;
    context.output.next("`trueup check`, and `trueup upgrade`");
    Ok(Status::Done)
}

fn summary(rebased: &Rebased) -> String {
    let all = match rebased.written.len() {
        0 => {
            return "nothing is left of it to do: the others' migrations give what the models say"
                .to_owned();
        }
        1 => "it comes after all others now".to_owned(),
        many => format!("the {many} come after all others now"),
    };
    match rebased.how {
        How::Redrafted => format!("{all}, drafted anew from the models"),
        How::Moved | How::Joined => format!("{all}, with the SQL as it was"),
    }
}

fn refuse_shared(context: &Context, ours: &[&Migration]) -> Result<(), Error> {
    for one in ours {
        if let Sharing::Shared { commit } = git::sharing(&context.project.migrations, &one.name) {
            return Err(Error::input(format!(
                "others could have {} already: it is in commit {commit}, which is not only here",
                one.name
            ))
            .hint("`trueup merge` joins what others have"));
        }
    }
    Ok(())
}

/// The one branch that nobody else has and no database.
fn ours<'a>(
    context: &Context,
    branches: &[Branch<'a>],
    applied: &[String],
) -> Result<Vec<&'a Migration>, Error> {
    let asked: Vec<Vec<Sharing>> = branches
        .iter()
        .map(|branch| {
            let sharing = |one: &&Migration| git::sharing(&context.project.migrations, &one.name);
            branch.migrations.iter().map(sharing).collect()
        })
        .collect();
    let is_known = !asked
        .iter()
        .flatten()
        .any(|sharing| matches!(sharing, Sharing::Unknown(_)));
    let is_ours = |at: &usize| asked[*at].iter().all(|one| *one == Sharing::Ours);
    let by_git: Vec<usize> = (0..branches.len()).filter(is_ours).collect();
    if is_known && by_git.is_empty() {
        return Err(
            Error::input("others could have all of these branches already")
                .hint("`trueup merge` joins them"),
        );
    }
    if let ([one], true) = (by_git.as_slice(), is_known) {
        return Ok(branches[*one].migrations.clone());
    }
    // A branch is the others' if the database has any of its migrations.
    let is_pending = |at: &usize| {
        let mut all = branches[*at].migrations.iter();
        all.all(|one| !applied.contains(&one.version))
    };
    let by_database: Vec<usize> = (0..branches.len()).filter(is_pending).collect();
    match by_database.as_slice() {
        [one] if !is_known || by_git.contains(one) => Ok(branches[*one].migrations.clone()),
        _ => {
            let firsts = branches
                .iter()
                .filter_map(|branch| branch.migrations.first());
            let firsts: Vec<_> = firsts
                .map(|one| format!("`trueup rebase {}`", one.name))
                .collect();
            Err(
                Error::input("which of these branches is yours is not known")
                    .hint(format!("name the first of yours: {}", firsts.join(" or "))),
            )
        }
    }
}
