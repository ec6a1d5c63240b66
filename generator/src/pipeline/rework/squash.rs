//! Several migrations become one that gives the same, or a few where a commit has to stand between them.
//!
//! Each takes the version of the last of those that it stands for, so a database that has them all has it too. If the database
//! was empty before the first and they only define objects, no row can have existed, and the squash is drafted anew from their
//! result. Otherwise their texts are put one behind the other, for no schema tells what a statement did to rows. So are their
//! ways back; one that does not run is drawn anew from the schemas.

mod back;
mod cut;
mod defines;
mod text;

use std::path::PathBuf;

pub use self::{back::Drawn, cut::Kept};
use self::{
    cut::{One, Piece, cut},
    defines::only_defines,
};
use super::{How, differences, on, refusal, touch, touch::after};
use crate::{
    Error, ErrorKind, Project,
    draft::{Draft, DraftOptions, draft},
    migrations::{
        apply::{self, ApplyError},
        folder::{self, Folder, Header, HistoryProblem, Migration, Parent, history_problems, slug},
    },
    pipeline::autogen::numbered,
    postgres::scratch::Scratch,
    prove::migrations::raised,
    source::{self, Side},
    summary::Summary,
};

/// The result of a squash.
#[derive(Debug)]
pub struct Squashed {
    /// The names of the folders that went.
    pub removed: Vec<String>,
    /// The new folders.
    pub written: Vec<PathBuf>,
    /// The way in which they were made.
    pub how: How,
    /// The proof of each.
    pub proofs: Vec<String>,
    /// The folders of the range that stay as they are.
    pub kept: Vec<Kept>,
    /// The ways back that were drawn anew.
    pub drawn: Vec<Drawn>,
}

/// Makes one of the migrations after `base`, or of all where there is none, up to `last`; several where it takes a commit
/// between them.
pub fn squash(
    project: &Project,
    base: Option<&str>,
    last: &str,
    message: Option<&str>,
) -> Result<Squashed, Error> {
    let all = folder::read(&project.migrations)?;
    let versions: Vec<String> = all.iter().map(|one| one.version.clone()).collect();
    let range = Range::of(&all, base, last)?;
    if let Some(message) = message {
        slug(message)?;
    }
    let scratch = project.scratch(None)?;
    let start = source::replay_these(project, &range.before)?;
    let wanted = after(scratch, &start, &range.many)?;
    let (how, pieces) = match range.redraft(project, &start, &wanted)? {
        Some(draft) => {
            let one = One::redrafted(&draft.parts[0], range.many, start, wanted);
            (How::Redrafted, vec![Piece::One(Box::new(one))])
        }
        None => (How::Joined, cut(project, scratch, start, &range.many)?),
    };
    let mut squashed = Squashed {
        removed: Vec::new(),
        written: Vec::new(),
        how,
        proofs: Vec::new(),
        kept: Vec::new(),
        drawn: Vec::new(),
    };
    let sizes: Vec<usize> = pieces.iter().filter_map(Piece::size).collect();
    let of = sizes.len();
    let message = message.map_or_else(
        || format!("squash {} migrations", sizes.iter().sum::<usize>()),
        str::to_owned,
    );
    let mut parents = range.parents;
    let (mut gone, mut folders) = (Vec::new(), Vec::new());
    for piece in pieces {
        let one = match piece {
            Piece::One(one) => one,
            Piece::Kept(migration, kept) => {
                parents = vec![Parent::of(&migration)];
                squashed.kept.push(kept);
                continue;
            }
        };
        let message = numbered(&message, folders.len(), of);
        let folder = one.folder(&slug(&message)?);
        let proof = prove(project, scratch, &one, &folder)?;
        let header = Header {
            message,
            parents,
            replaces: one.many.iter().map(Parent::of).collect(),
            replaced: replaced(&one.many),
            summary: changes(&one),
            proof: vec![proof.clone()],
            drafted: one.many.iter().all(Migration::is_drafted),
            ..Header::default()
        };
        let folder = folder.under(header);
        parents = vec![Parent::of(&as_migration(&folder))];
        gone.extend(one.many.iter().map(|one| one.version.clone()));
        squashed
            .removed
            .extend(one.many.into_iter().map(|one| one.name));
        squashed.proofs.push(proof);
        squashed.drawn.extend(one.drawn);
        folders.push(folder);
    }
    if folders.is_empty() {
        let lines: Vec<String> = squashed.kept.iter().map(ToString::to_string).collect();
        return Err(refusal("there is nothing to make one of", &lines));
    }
    squashed.written =
        folder::change(&project.migrations, Some(&versions), &gone, |_| Ok(folders))?;
    Ok(squashed)
}

/// The lines of a header about what a migration comes to. Rows that are there decide what it locks: it is not measured.
fn changes(one: &One) -> Vec<(String, String)> {
    let summary = Summary::new(&one.start.schema, &one.wanted.schema, &[], true);
    let lines = summary.lines().into_iter();
    lines
        .filter(|(word, _)| *word == "change")
        .map(|(word, text)| (word.to_owned(), text))
        .collect()
}

/// Tries the one migration where the many were.
fn prove(
    project: &Project,
    scratch: &Scratch,
    one: &One,
    folder: &Folder,
) -> Result<String, Error> {
    let number = one.many.len();
    let migration = [as_migration(folder)];
    let reached = after(scratch, &one.start, &migration).map_err(|error| {
        let what =
            format!("the {number} migrations do not run as one transaction; nothing was changed");
        Error::caused(ErrorKind::Input, what, error)
    })?;
    let left = differences(project, scratch, &reached, &one.wanted)?;
    if !left.is_empty() {
        let what = format!("the {number} migrations give something else as one");
        return Err(refusal(&what, &left));
    }
    let copy = touch::copied(scratch, &reached)?;
    let done = apply::replay_back(&copy, &migration);
    let back = match done {
        Ok(()) => match differences(project, scratch, &source::side(copy)?, &one.start)?.as_slice()
        {
            [] => "down exactly the start".to_owned(),
            // By hand, and together they did no more.
            [first, rest @ ..] => {
                let more = match rest.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("down what theirs did, which is not the start: {first}{more}")
            }
        },
        Err(ApplyError::Failed { failure, .. }) => {
            let again = touch::copied(scratch, &reached)?;
            if !raised(&mut again.connect()?, one.down.sql(), &failure) {
                return Err(one.no_way_back(&failure));
            }
            format!("irreversible: {}", failure.message)
        }
        Err(other) => return Err(other.into()),
    };
    let (place, witness) = on(project, scratch);
    Ok(format!(
        "{place}up gives exactly what the {number} migrations gave, {back}{witness}"
    ))
}

/// The migrations that those of a range stand for, and those of the range as others may know them from before.
fn replaced(many: &[Migration]) -> Vec<Parent> {
    let mut replaced = Vec::new();
    for one in many {
        replaced.extend(one.stands_for().cloned());
        replaced.extend(one.known_as().skip(1));
    }
    replaced
}

/// The migrations that become one, and those before them.
struct Range {
    before: Vec<Migration>,
    many: Vec<Migration>,
    parents: Vec<Parent>,
}

impl Range {
    fn of(all: &[Migration], base: Option<&str>, last: &str) -> Result<Self, Error> {
        let base = base.map(|base| apply::find(all, base)).transpose()?;
        let last = apply::find(all, last)?;
        let before: Vec<_> = all
            .iter()
            .filter(|one| base.is_some_and(|base| one.version <= base.version))
            .cloned()
            .collect();
        let many: Vec<_> = all
            .iter()
            .filter(|one| base.is_none_or(|base| one.version > base.version))
            .filter(|one| one.version <= last.version)
            .cloned()
            .collect();
        if many.len() < 2 {
            return Err(Error::input(format!(
                "that range has {} migrations, and it takes two to make one of them",
                many.len()
            ))
            .hint("BASE itself is not squashed: `squash base..VERSION` begins with the first"));
        }
        let inside = |name: &String| many.iter().any(|one| one.name == *name);
        let problem = history_problems(all)
            .into_iter()
            .find(|problem| match problem {
                HistoryProblem::TwoChildren { parent, children } => {
                    children.iter().any(inside) || parent.as_ref().is_some_and(inside)
                }
                HistoryProblem::Edited { .. }
                | HistoryProblem::EditedSince { .. }
                | HistoryProblem::EditedSinceProved { .. }
                | HistoryProblem::ParentMissing { .. } => false,
            });
        if let Some(problem) = problem {
            return Err(
                Error::input(format!("the range is not one line: {problem}"))
                    .hint("`trueup rebase` or `trueup merge` first"),
            );
        }
        let parents = before.last().map(Parent::of).into_iter().collect();
        Ok(Self {
            before,
            many,
            parents,
        })
    }

    /// A draft of what the migrations give, where it says all that they did.
    fn redraft(
        &self,
        project: &Project,
        start: &Side,
        wanted: &Side,
    ) -> Result<Option<Draft>, Error> {
        let only_define = self.many.iter().all(|one| only_defines(&one.up));
        if !(self.before.is_empty() && only_define && wanted.schema.unread().is_empty()) {
            return Ok(None);
        }
        let scratch = project.scratch(None)?;
        let [start, wanted] = [after(scratch, start, &[])?, after(scratch, wanted, &[])?];
        match draft(project, start, wanted, DraftOptions::default()) {
            Ok(draft) => Ok(draft.filter(|draft| draft.parts.len() == 1)),
            // Their own texts will do.
            Err(error) if matches!(error.kind(), ErrorKind::NotYet | ErrorKind::Defect) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn as_migration(folder: &Folder) -> Migration {
    Migration {
        version: folder::version_of(&folder.name),
        name: folder.name.clone(),
        dir: folder.name.clone().into(),
        up: folder.up.clone(),
        down: folder.down.clone(),
        run_in_transaction: folder.run_in_transaction,
        header: Header::parse(&folder.up),
    }
}
