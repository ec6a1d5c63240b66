//! Models become migrations.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use trueup::{Declarations, Hazard, Id, Schema};

use crate::{
    Error, Project, apply,
    connection::connect,
    diff::diff,
    draft::{Draft, DraftOptions, draft},
    migration::{self, Migration, NewMigration},
    scratch::{Locale, Scratch},
    source::{
        self, Side, Source,
        models::{belongs, settle},
    },
};

/// What an autogen is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct AutogenOptions<'a> {
    /// What to compare the models with: the live database where there is one, else the migrations.
    pub from: Option<&'a Source>,
    /// How the draft is made.
    pub draft: DraftOptions,
}

/// What an autogen found.
#[derive(Debug)]
pub struct Autogen {
    /// What it was compared with, in words.
    pub from: String,
    /// The migrations, where there is anything to do.
    pub draft: Option<Draft>,
    /// What hangs on the old tables and no room reads; it stays as it is.
    pub taken: Vec<String>,
    /// The start's server, where the trial ran on another major.
    pub other_major: Option<u32>,
    /// Whether a live database was there before any migration.
    pub unmigrated: bool,
    /// Whether the draft is the first migration of a database that has tables already.
    pub adopts: bool,
}

impl Autogen {
    /// What is lost for good when the ups run.
    pub fn losses(&self) -> impl Iterator<Item = &Hazard> {
        self.draft
            .iter()
            .flat_map(Draft::hazards)
            .filter(|hazard| hazard.loses_data())
    }
}

/// Compares the models with where they are to go and drafts what is missing. Writes nothing.
pub fn autogen(
    project: &Project,
    declarations: &Declarations,
    options: AutogenOptions<'_>,
) -> Result<Autogen, Error> {
    let after: Vec<String> = migrations(&project.migrations)?
        .into_iter()
        .map(|migration| migration.version)
        .collect();
    let adopted = adopted(project, &after, options.from)?;
    let adopts = adopted
        .as_ref()
        .is_some_and(|there| !tops(there).is_empty());
    let Start {
        side,
        managed,
        words,
        other_major,
        unmigrated,
    } = start(project, options.from)?;
    let settled = settle(project, &side, declarations, &managed, adopted.as_ref())?;
    let side = side.guided(declarations.back());
    let draft = draft(project, side, settled.side, options.draft)?;
    Ok(Autogen {
        from: words,
        draft: draft.map(|draft| Draft {
            after: Some(after),
            ..draft
        }),
        taken: settled.taken,
        other_major,
        unmigrated,
        adopts,
    })
}

/// The live database that the first migration is written after, rather than before.
fn adopted(
    project: &Project,
    migrations: &[String],
    from: Option<&Source>,
) -> Result<Option<Schema>, Error> {
    match (&project.database, from) {
        (Some(url), Some(Source::Migrations(_))) if migrations.is_empty() => {
            Ok(Some(source::live(project, url)?.schema))
        }
        (Some(_) | None, _) => Ok(None),
    }
}

/// Writes a draft as migrations, all or none, and returns their folders.
pub fn write(project: &Project, message: &str, draft: &Draft) -> Result<Vec<PathBuf>, Error> {
    let migrations: Vec<NewMigration> = draft
        .parts
        .iter()
        .enumerate()
        .map(|(number, part)| NewMigration {
            message: numbered(message, number, draft.parts.len()),
            proof: vec![draft.proof.sentence()],
            up: part.up_sql(),
            down: part.down_sql(),
            run_in_transaction: part.in_transaction,
        })
        .collect();
    let after = draft.after.as_deref();
    Ok(migration::write(&project.migrations, after, &migrations)?)
}

/// The message of one of several migrations that were drafted together.
#[must_use]
pub fn numbered(message: &str, number: usize, of: usize) -> String {
    if of == 1 {
        message.to_owned()
    } else {
        format!("{message} ({} of {of})", number + 1)
    }
}

struct Start {
    side: Side,
    managed: BTreeSet<Id>,
    words: String,
    other_major: Option<u32>,
    unmigrated: bool,
}

fn start(project: &Project, from: Option<&Source>) -> Result<Start, Error> {
    let default = match &project.database {
        Some(url) => Source::Database(url.clone()),
        None => Source::Migrations(project.migrations.clone()),
    };
    let from = from.unwrap_or(&default);
    let words = from.to_string();
    let whole = |side: Side| {
        let managed = tops(&side.schema);
        Start {
            side,
            managed,
            words: words.clone(),
            other_major: None,
            unmigrated: false,
        }
    };
    match from {
        Source::Models => Err(
            Error::input("the models cannot be compared with themselves")
                .hint("--from takes a database, migrations or a .sql file"),
        ),
        Source::Migrations(folder) => Ok(whole(replayed(project.scratch(None)?, folder)?)),
        Source::Sql(path) => Ok(whole(source::file(project.scratch(None)?, path)?)),
        Source::Database(url) => {
            let live = source::live(project, url)?;
            let major = live.schema.server().major();
            let scratch = project.scratch(Some(major))?;
            let migrations = migrations(&project.migrations)?;
            let pending = apply::pending(&migrations, &apply::applied(&mut connect(url)?)?);
            if let Some(first) = pending.first() {
                let these = match pending.len() {
                    1 => "a migration is".to_owned(),
                    many => format!("{many} migrations are"),
                };
                return Err(Error::input(format!(
                    "{these} not applied to the database yet, and what {} brings would be generated once more",
                    first.name
                ))
                .hint("`trueup upgrade` first, or compare with the migrations alone: --from migrations"));
            }
            let side = source::restored(project, scratch, &live)?;
            let replay = replayed(scratch, &project.migrations)?;
            let managed = tops(&replay.schema);
            let (side, replay) = source::alike(project, side, replay)?;
            let wanted = project.scope.narrow(&side.schema, &replay.schema);
            refuse_drift(&side.schema, &wanted, &managed)?;
            let other_major = (scratch.major() != major).then_some(major);
            Ok(Start {
                side,
                managed,
                words,
                other_major,
                unmigrated: migrations.is_empty(),
            })
        }
    }
}

/// What the migrations made must be as they made it: a draft from anything else would not replay after them.
fn refuse_drift(there: &Schema, replayed: &Schema, managed: &BTreeSet<Id>) -> Result<(), Error> {
    let deltas = diff(there, replayed);
    let drifted: Vec<&Id> = deltas
        .into_iter()
        .map(|(id, _)| id)
        .filter(|id| belongs(id, there, managed) || belongs(id, replayed, managed))
        .collect();
    let Some(first) = drifted.first() else {
        return Ok(());
    };
    let more = match drifted.len() {
        1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    Err(Error::input(format!(
        "the database was changed by hand: {first}{more} is not as the migrations made it, and what is drafted from there \
         would not replay after them"
    ))
    .hint("`trueup check` lists the differences; `trueup diff --from database --to migrations` prints the way back")
    .hint("or draft from the migrations alone: --from migrations"))
}

/// Whoever makes the first one has no folder for it yet.
fn migrations(folder: &Path) -> Result<Vec<Migration>, Error> {
    if folder.exists() {
        Ok(migration::read(folder)?)
    } else {
        Ok(Vec::new())
    }
}

/// The migrations, replayed.
fn replayed(scratch: &Scratch, folder: &Path) -> Result<Side, Error> {
    if folder.exists() {
        source::replay(scratch, folder)
    } else {
        source::side(scratch.create(&Locale::default())?)
    }
}

/// The top-level objects that models could declare.
pub(crate) fn tops(schema: &Schema) -> BTreeSet<Id> {
    schema
        .entries()
        .filter(|(_, entry)| entry.clear().is_some())
        .map(|(id, _)| id.clone())
        .collect()
}

/// Collects what the models that are linked into this program declare; none at all is an error.
pub fn declarations() -> Result<Declarations, Error> {
    Ok(trueup::declarations()?)
}
