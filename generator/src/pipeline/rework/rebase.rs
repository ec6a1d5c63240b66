//! Migrations of one branch are moved after those of the others, and proved there.
//!
//! A migration that is exactly the draft between the schemas before and after it is drafted anew from the models, which know
//! both branches. One that was written by hand is moved as it is: nobody else knows its purpose.

use std::{collections::BTreeSet, path::PathBuf};

use chrono::Utc;
use trueup::{Declarations, one_line};

use super::{
    How, as_drafted, differences, on, refusal,
    touch::{self, Shared, after, before, touched},
};
use crate::{
    Error, ErrorKind, Project,
    migrations::folder::{
        self, Folder, Header, KnownBy, Lineage, Migration, Parent, Proved, new_version, version_of,
    },
    pipeline::autogen::{self, Autogen, AutogenOptions},
    source::{self, Side, Source},
};

/// The result of a rebase.
#[derive(Debug)]
pub struct Rebased {
    /// The names of the folders that went.
    pub removed: Vec<String>,
    /// The folders that came in their place.
    pub written: Vec<PathBuf>,
    /// Objects that both branches change, though the one runs after the other.
    pub shared: Vec<Shared>,
    /// The way in which they were made.
    pub how: How,
    /// The proof.
    pub proof: String,
}

/// Moves the migrations of these versions after all others; nothing where they are there already.
pub fn rebase(
    project: &Project,
    mine: &[String],
    models: Option<&Declarations>,
) -> Result<Option<Rebased>, Error> {
    let all = folder::read(&project.migrations)?;
    let lineage = Lineage::of(&all);
    let (ours, others): (Vec<_>, Vec<_>) = all
        .iter()
        .cloned()
        .partition(|migration| mine.contains(&migration.version));
    let Some(first) = ours.first() else {
        return Ok(None);
    };
    let line = lineage.before(&first.version);
    let (base, theirs): (Vec<_>, Vec<_>) = others
        .iter()
        .cloned()
        .partition(|migration| line.contains(&migration.version.as_str()));
    if theirs.is_empty() {
        return Ok(None);
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
    let start = source::replay_these(project, &base)?;
    let ours_touch = touched(scratch, &start, &ours)?;
    let theirs_touch = touched(scratch, &start, &theirs)?;
    let shared = touch::shared(&ours_touch, &theirs_touch);
    let moving = Moving {
        project,
        all: &all,
        ours: &ours,
        others: &others,
        shared,
    };

    // If drafting fails, the migrations were not drafted.
    let models = models.filter(|_| as_drafted(project, &start, &ours).unwrap_or_default());
    let several = (ours.len() > 1).then(|| moving.try_texts());
    // Several that hold where they go stay several.
    if let Some(models) = models
        && !matches!(several, Some(Ok(_)))
        && let Some(rebased) = moving.anew(models)?
    {
        return Ok(Some(rebased));
    }
    let proof = several.unwrap_or_else(|| moving.try_texts())?;
    moving.with_texts(proof).map(Some)
}

/// The migrations to move, and those to move them past.
struct Moving<'a> {
    project: &'a Project,
    all: &'a [Migration],
    ours: &'a [Migration],
    others: &'a [Migration],
    shared: Vec<Shared>,
}

const AGAIN: &str = "remove yours with `trueup uncommit VERSION`, and `trueup autogen` writes them anew after the others";

impl Moving<'_> {
    fn versions(some: &[Migration]) -> Vec<String> {
        some.iter().map(|one| one.version.clone()).collect()
    }

    fn explained(&self, error: Error) -> Error {
        error
            .hints(self.shared.iter().map(ToString::to_string))
            .hint(AGAIN)
    }

    /// Drafts from the models what is left to do after the others. Nothing where that would lose more than was meant to go:
    /// then the models do not know all that the others made.
    fn anew(&self, models: &Declarations) -> Result<Option<Rebased>, Error> {
        let gone = Self::versions(self.ours);
        let from = Source::Migrations(self.project.migrations.clone());
        let options = AutogenOptions {
            from: Some(&from),
            without: &gone,
            ..AutogenOptions::default()
        };
        let found = autogen::autogen(self.project, models, options)
            .map_err(|error| self.explained(error))?;
        if self.loses_more(&found) {
            return Ok(None);
        }
        let removed = self.ours.iter().map(|one| one.name.clone()).collect();
        let (written, proof) = if let Some(draft) = &found.draft {
            let written = autogen::replace(self.project, &self.message(), draft, &gone)?;
            (written, draft.proof.sentence())
        } else {
            let folder = &self.project.migrations;
            folder::replace(folder, Some(&Self::versions(self.all)), &gone, &[])?;
            (Vec::new(), String::new())
        };
        Ok(Some(Rebased {
            removed,
            written,
            shared: self.shared.clone(),
            how: How::Redrafted,
            proof,
        }))
    }

    fn loses_more(&self, found: &Autogen) -> bool {
        let meant: BTreeSet<&str> = self
            .ours
            .iter()
            .flat_map(|one| one.up.lines())
            .filter_map(|line| line.strip_prefix("-- hazard: "))
            .collect();
        let mut losses = found.losses();
        let mut unfilled = found.unfilled.iter();
        losses.any(|loss| !meant.contains(one_line(&loss.to_string()).as_str()))
            // A value that was given once stands in the SQL alone.
            || unfilled.any(|one| !meant.contains(one_line(&one.hazard).as_str()))
    }

    /// The messages of all, each once.
    fn message(&self) -> String {
        let mut messages: Vec<&str> = Vec::new();
        for one in self.ours {
            let message = one.header.as_ref().map(|header| header.message.as_str());
            let message = message.unwrap_or_else(|| one.title());
            // Those that were drafted together are counted.
            let stem = message.rsplit_once(" (").map_or(message, |(stem, _)| stem);
            if !messages.contains(&stem) {
                messages.push(stem);
            }
        }
        messages.join("; ")
    }

    /// Tries the texts behind the others, and says what came of it.
    fn try_texts(&self) -> Result<String, Error> {
        let scratch = self.project.scratch(None)?;
        let onto: Side = source::replay_these(self.project, self.others)?;
        let reached = after(scratch, &onto, self.ours).map_err(|error| {
            let what = "what is to be moved does not run after the others; nothing was changed";
            self.explained(Error::caused(ErrorKind::Input, what, error))
        })?;
        let back = before(scratch, &reached, self.ours).map_err(|error| {
            let what = "what is to be moved cannot be taken back there; nothing was changed";
            self.explained(Error::caused(ErrorKind::Input, what, error))
        })?;
        let left = differences(self.project, scratch, &back, &onto)?;
        // Whoever wrote a way back by hand may have meant less.
        if !left.is_empty() && self.ours.iter().any(Migration::is_generated) {
            let what = "taken back after the others, what is to be moved leaves something else";
            return Err(self.explained(refusal(what, &left)));
        }
        let (place, witness) = on(self.project, scratch);
        Ok(match (left.is_empty(), self.others.last()) {
            (true, Some(last)) => format!(
                "{place}up runs after {}, and down gives exactly what was there before{witness}",
                last.version
            ),
            (_, _) => format!("{place}up and down run after the others"),
        })
    }

    fn with_texts(self, proof: String) -> Result<Rebased, Error> {
        let folder = &self.project.migrations;
        let after = Self::versions(self.all);
        let gone = Self::versions(self.ours);
        let written = folder::change(folder, Some(&after), &gone, |stay| {
            Ok(moved(stay, self.ours, &proof))
        })?;
        Ok(Rebased {
            removed: self.ours.iter().map(|one| one.name.clone()).collect(),
            written,
            shared: self.shared,
            how: How::Moved,
            proof,
        })
    }
}

/// The folders of migrations behind others.
fn moved(stay: &[Migration], ours: &[Migration], proof: &str) -> Vec<Folder> {
    let mut all = stay.to_vec();
    let mut folders = Vec::new();
    for migration in ours {
        let (_, title) = migration.name.split_once('_').unwrap_or_default();
        let name = format!("{}_{title}", new_version(&all, Utc::now()));
        let folder = Folder {
            name: name.clone(),
            up: migration.up.clone(),
            down: migration.down.clone(),
            run_in_transaction: migration.run_in_transaction,
        };
        let folder = match &migration.header {
            // Nothing in it says where it stands.
            None => folder,
            Some(header) => {
                let before = all.last().map(Parent::of);
                let (parents, after) = if header.says_its_line() {
                    (before.into_iter().collect(), None)
                } else {
                    (Vec::new(), before)
                };
                let header = Header {
                    parents,
                    after,
                    proof: if header.proof.is_empty() {
                        Vec::new()
                    } else {
                        vec![proof.to_owned()]
                    },
                    by_hand: header.by_hand || matches!(migration.proved(), Proved::Edited(_)),
                    was: None,
                    known_by: KnownBy::default(),
                    ..header.clone()
                };
                let body = Header::body(&migration.up).to_owned();
                Folder { up: body, ..folder }.under(header)
            }
        };
        all.push(Migration {
            version: version_of(&name),
            name: name.clone(),
            header: Header::parse(&folder.up),
            up: folder.up.clone(),
            ..migration.clone()
        });
        folders.push(folder);
    }
    folders
}
