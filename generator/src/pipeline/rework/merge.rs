//! Branches that others have already are joined by a migration that was made on all of them and changes nothing.

use std::path::PathBuf;

use chrono::Utc;

use super::{
    differences, on, refusal,
    touch::{self, Shared, after, touched},
};
use crate::{
    Error, ErrorKind, Project,
    migrations::folder::{self, Folder, Header, Lineage, Migration, Parent, new_version, slug},
    source,
};

/// The result of a merge.
#[derive(Debug)]
pub struct Merged {
    /// The new folder.
    pub written: PathBuf,
    /// The names of what were heads.
    pub heads: Vec<String>,
    /// Objects that two branches change.
    pub shared: Vec<Shared>,
    /// The proof.
    pub proof: String,
}

const UP: &str = "\
-- Two branches meet here. They give the same in whichever order they are applied, so there is nothing to do.
SELECT 1;
";

const DOWN: &str = "\
-- Nothing was done.
SELECT 1;
";

/// Joins all heads, where the branches give the same in whichever order they are applied.
pub fn merge(project: &Project, message: &str) -> Result<Merged, Error> {
    let slug = slug(message)?;
    let all = folder::read(&project.migrations)?;
    let versions: Vec<String> = all.iter().map(|one| one.version.clone()).collect();
    let branches: Vec<Vec<Migration>> = Lineage::of(&all)
        .branches()
        .into_iter()
        .map(|branch| branch.migrations.into_iter().cloned().collect())
        .collect();
    if branches.len() < 2 {
        return Err(Error::input(
            "there is one head, so there is nothing to join",
        ));
    }
    let heads: Vec<&Migration> = branches.iter().filter_map(|branch| branch.last()).collect();
    let apart: Vec<Migration> = branches.concat();
    let (apart, common): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|one| apart.contains(one));

    let scratch = project.scratch(None)?;
    let start = source::replay_these(project, &common)?;
    let mut touches = Vec::new();
    for branch in &branches {
        touches.push(touched(scratch, &start, branch)?);
    }
    let mut shared = Vec::new();
    for (at, one) in touches.iter().enumerate() {
        for other in &touches[at + 1..] {
            shared.extend(touch::shared(one, other));
        }
    }
    let in_order = |order: &[Migration]| {
        after(scratch, &start, order).map_err(|error| {
            let what = "the branches do not run one after the other; nothing was written";
            Error::caused(ErrorKind::Input, what, error)
                .hints(shared.iter().map(ToString::to_string))
        })
    };
    let wanted = in_order(&apart)?;
    for first in &branches {
        let rest = apart.iter().filter(|one| !first.contains(one)).cloned();
        let order: Vec<_> = first.iter().cloned().chain(rest).collect();
        let left = differences(project, scratch, &in_order(&order)?, &wanted)?;
        if !left.is_empty() {
            let what = "it matters which branch is applied first, so databases would differ";
            return Err(refusal(what, &left)
                .hints(shared.iter().map(ToString::to_string))
                .hint(
                    "change one of the branches, or `trueup rebase` where one is not shared yet",
                ));
        }
    }
    let (place, witness) = on(project, scratch);
    let proof = format!("{place}the branches give the same in every order{witness}");
    let header = Header {
        message: message.to_owned(),
        parents: heads.iter().map(|head| Parent::of(head)).collect(),
        proof: vec![proof.clone()],
        ..Header::default()
    };
    let mut written = folder::change(&project.migrations, Some(&versions), &[], |stay| {
        let folder = Folder {
            name: format!("{}_{slug}", new_version(stay, Utc::now())),
            up: UP.to_owned(),
            down: Some(DOWN.to_owned()),
            run_in_transaction: true,
        };
        Ok(vec![folder.under(header)])
    })?;
    Ok(Merged {
        written: written.remove(0),
        heads: heads.into_iter().map(|head| head.name.clone()).collect(),
        shared,
        proof,
    })
}
