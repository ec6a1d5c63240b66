//! Migrations of one branch are moved after those of the others, and proved there.

use std::path::PathBuf;

use chrono::Utc;

use super::{
    differences, on, refusal,
    touch::{self, Shared, after, before, touched},
};
use crate::{
    Error, ErrorKind, Project,
    migration::{self, Folder, Header, Lineage, Migration, Parent, new_version, version_of},
    source,
};

/// What a rebase did.
#[derive(Debug, Default)]
pub struct Rebased {
    /// The names of the folders that went.
    pub removed: Vec<String>,
    /// The folders that came in their place; none where there was nothing to do.
    pub written: Vec<PathBuf>,
    /// What both branches change, though the one runs after the other.
    pub shared: Vec<Shared>,
    /// What was proved.
    pub proof: String,
}

/// Moves the migrations of these versions after all others.
pub fn rebase(project: &Project, mine: &[String]) -> Result<Rebased, Error> {
    let all = migration::read(&project.migrations)?;
    let versions: Vec<String> = all.iter().map(|one| one.version.clone()).collect();
    let lineage = Lineage::of(&all);
    let (ours, others): (Vec<_>, Vec<_>) = all
        .iter()
        .cloned()
        .partition(|migration| mine.contains(&migration.version));
    let Some(first) = ours.first() else {
        return Ok(Rebased::default());
    };
    let line = lineage.before(&first.version);
    let (base, theirs): (Vec<_>, Vec<_>) = others
        .iter()
        .cloned()
        .partition(|migration| line.contains(&migration.version.as_str()));
    if theirs.is_empty() {
        return Ok(Rebased::default());
    }
    let heads = Lineage::of(&others).heads();
    if let [one, other, ..] = heads.as_slice() {
        return Err(Error::input(format!(
            "without yours there are still two heads, {} and {}",
            one.name, other.name
        ))
        .hint("`trueup merge` joins those; then rebase"));
    }

    let scratch = project.scratch(None)?;
    let start = source::replay_these(scratch, &base)?;
    let (_, ours_touch) = touched(scratch, &start, &ours)?;
    let (_, theirs_touch) = touched(scratch, &start, &theirs)?;
    let shared = touch::shared(&ours_touch, &theirs_touch);

    let onto = source::replay_these(scratch, &others)?;
    let explained = |error: Error| {
        error
            .hints(shared.iter().map(ToString::to_string))
            .hint(AGAIN)
    };
    let reached = after(scratch, &onto, &ours).map_err(|error| {
        let what = "what is to be moved does not run after the others; nothing was changed";
        explained(Error::caused(ErrorKind::Input, what, error))
    })?;
    let back = before(scratch, &reached, &ours).map_err(|error| {
        let what = "what is to be moved cannot be taken back there; nothing was changed";
        explained(Error::caused(ErrorKind::Input, what, error))
    })?;
    let left = differences(project, scratch, &back, &onto)?;
    // Whoever wrote a way back by hand may have meant less.
    if !left.is_empty() && ours.iter().any(Migration::is_generated) {
        let what = "taken back after the others, what is to be moved leaves something else";
        return Err(explained(refusal(what, &left)));
    }
    let (place, witness) = on(project, scratch);
    let proof = match (left.is_empty(), others.last()) {
        (true, Some(last)) => format!(
            "{place}up runs after {}, and down gives exactly what was there before{witness}",
            last.version
        ),
        (_, _) => format!("{place}up and down run after the others"),
    };
    let folder = &project.migrations;
    let written = migration::change(folder, Some(&versions), mine, |stay| {
        Ok(moved(stay, &ours, &proof))
    })?;
    Ok(Rebased {
        removed: ours.into_iter().map(|one| one.name).collect(),
        written,
        shared,
        proof,
    })
}

const AGAIN: &str = "remove yours with `trueup uncommit VERSION`, and `trueup autogen` writes them anew after the others";

/// The folders of migrations behind others.
fn moved(stay: &[Migration], ours: &[Migration], proof: &str) -> Vec<Folder> {
    let mut all = stay.to_vec();
    let mut folders = Vec::new();
    for migration in ours {
        let (_, title) = migration.name.split_once('_').unwrap_or_default();
        let name = format!("{}_{title}", new_version(&all, Utc::now()));
        let up = match &migration.header {
            // Nothing in it says where it stands.
            None => migration.up.clone(),
            Some(header) => {
                let header = Header {
                    parents: all.last().map(Parent::of).into_iter().collect(),
                    proof: if header.proof.is_empty() {
                        Vec::new()
                    } else {
                        vec![proof.to_owned()]
                    },
                    ..header.clone()
                };
                header.render() + Header::body(&migration.up)
            }
        };
        all.push(Migration {
            version: version_of(&name),
            name: name.clone(),
            up: up.clone(),
            ..migration.clone()
        });
        folders.push(Folder {
            name,
            up,
            down: migration.down.clone(),
            run_in_transaction: migration.run_in_transaction,
        });
    }
    folders
}
