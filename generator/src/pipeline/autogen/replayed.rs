//! Tries a draft that was made against a live database on one that the migrations alone have made.
//!
//! The live database may have unmanaged objects. A draft that presumes them fails on every database that comes after.
//! Statements that create such objects if they are missing come first in the draft. If that is impossible, the draft is refused
//! before anything is written.

use std::{collections::BTreeSet, sync::Arc};

use trueup::{Id, Schema, Statement};

use crate::{
    Error, Project,
    diff::{Delta, diff},
    draft::{Draft, Part, Steps},
    postgres::{catalog, connection::run_sql, scratch::Database},
    prove::Proof,
    render,
    source::{
        self, Side,
        models::{Settled, belongs},
    },
};

/// Unmanaged objects that the models depend on.
#[derive(Debug, Default)]
pub(super) struct Wanting {
    /// The statements that make it where it is not there.
    first: Vec<Statement>,
    /// The objects that those statements make.
    ids: BTreeSet<Id>,
}

/// Finds what the models need of what only the database has.
pub(super) fn wanting(
    project: &Project,
    unmanaged: &BTreeSet<Id>,
    settled: &Settled,
) -> Result<Wanting, Error> {
    let wanted = &settled.side.schema;
    let mut wanting = Wanting::default();
    let mut refused = Vec::new();
    for id in needed(unmanaged, settled) {
        let entry = wanted.entry(&id);
        match entry.and_then(|entry| entry.create_if_absent(wanted)) {
            Some(statement) => {
                wanting.first.push(statement);
                wanting.ids.insert(id);
            }
            None => refused.push(id),
        }
    }
    if refused.is_empty() {
        Ok(wanting)
    } else {
        Err(refuse(project, &refused, settled))
    }
}

/// The unmanaged objects that the models declare or depend on, without parts of other unmanaged objects.
fn needed(unmanaged: &BTreeSet<Id>, settled: &Settled) -> Vec<Id> {
    let wanted = &settled.side.schema;
    let managed = wanted.entries().map(|(id, _)| id);
    let mut stack: Vec<&Id> = managed
        .filter(|id| belongs(id, wanted, &settled.managed))
        .collect();
    let mut seen: BTreeSet<&Id> = stack.iter().copied().collect();
    while let Some(id) = stack.pop() {
        stack.extend(wanted.needs(id).filter(|need| seen.insert(*need)));
    }
    let is_part = |id: &Id| {
        wanted
            .line(id)
            .skip(1)
            .any(|above| unmanaged.contains(&above))
    };
    let needed = seen.into_iter().filter(|id| unmanaged.contains(*id));
    needed.filter(|id| !is_part(id)).cloned().collect()
}

fn refuse(project: &Project, ids: &[Id], settled: &Settled) -> Error {
    let wanted = &settled.side.schema;
    let line = |id: &Id| {
        let managed = |user: &&Id| belongs(user, wanted, &settled.managed);
        let users = wanted
            .needed_by(id)
            .filter(|user| !belongs(id, wanted, &settled.managed) && managed(user));
        let users: Vec<String> = users.map(ToString::to_string).collect();
        let why = match users.as_slice() {
            [] => "the models declare it".to_owned(),
            [first] => format!("{first} needs it"),
            [first, rest @ ..] => format!("{first} and {} more need it", rest.len()),
        };
        let out = if project.scope.holds(id, wanted) {
            ""
        } else {
            ", and trueup.toml leaves it out"
        };
        format!("  {id}: {why}{out}")
    };
    let lines: Vec<String> = ids.iter().map(line).collect();
    let can_be_drafted =
        |id: &Id| belongs(id, wanted, &settled.managed) && project.scope.holds(id, wanted);
    let all_declared = ids.iter().all(can_be_drafted);
    let error = Error::input(format!(
        "the database has what no migration made, and what is drafted from there would not replay on a database that the \
         migrations alone have made; nothing was written\n{}",
        lines.join("\n")
    ));
    let by_hand =
        "write a migration by hand that makes it, and `trueup stamp` it where it is there already";
    if all_declared {
        error
            .hint("draft it from the migrations alone, --from migrations, and `trueup stamp` that where it is there already")
            .hint(format!("or {by_hand}"))
    } else {
        error.hint(by_hand).hint(
            "or let the models do without it: what no migration makes can be neither replayed nor proved",
        )
    }
}

impl Wanting {
    /// The draft with the missing statements before all others.
    pub(super) fn before(
        &self,
        project: &Project,
        draft: Option<Draft>,
        is_proved: bool,
    ) -> Result<Option<Draft>, Error> {
        if self.first.is_empty() {
            return Ok(draft);
        }
        let proof = if is_proved {
            Proof::of_presence(project.scratch(None)?.version_text())
        } else {
            Proof::none()
        };
        let mut draft = draft.unwrap_or(Draft {
            parts: Vec::new(),
            proof,
            after: None,
        });
        let stays: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        draft.proof.stays.clone_from(&stays);
        match draft.parts.first_mut() {
            Some(first) if first.in_transaction => {
                first.up.splice(..0, self.first.iter().cloned());
                first.stays = stays;
            }
            Some(_) | None => draft.parts.insert(
                0,
                Part {
                    up: self.first.clone(),
                    down: Vec::new(),
                    in_transaction: true,
                    stays,
                    summary: None,
                    steps: Steps::default(),
                },
            ),
        }
        Ok(Some(draft))
    }
}

/// A database that the migrations alone have made, and what a draft must make of it.
pub(super) struct Replayed {
    /// The start.
    replay: Side,
    /// The schema that the models want.
    target: Side,
    managed: BTreeSet<Id>,
}

impl Replayed {
    /// Keeps what the draft itself will use up.
    pub(super) fn new(project: &Project, replay: Side, settled: &Settled) -> Result<Self, Error> {
        let scratch = project.scratch(None)?;
        let settled_side = &settled.side;
        let schema = settled_side.schema.clone();
        let copy = match &settled_side.scratch {
            Some(database) => Side::on(schema, scratch.copy(database)?),
            None => Side::at(schema, settled_side.url.clone()),
        };
        Ok(Self {
            replay,
            target: Side {
                whole: false,
                reprinted: settled_side.reprinted,
                guidance: Arc::clone(&settled_side.guidance),
                ..copy
            },
            managed: settled.managed.clone(),
        })
    }

    /// Tries the draft there and back.
    pub(super) fn prove(
        self,
        project: &Project,
        draft: &Draft,
        wanting: &Wanting,
    ) -> Result<(), Error> {
        let Self {
            replay,
            target,
            managed,
        } = self;
        let Some(start) = &replay.scratch else {
            return Ok(());
        };
        let database = project.scratch(None)?.copy(start)?;
        for (number, part) in draft.parts.iter().enumerate() {
            let file = file("up.sql", number, draft);
            let done = run_sql(&mut database.connect()?, &part.up_sql(), &file);
            done.map_err(|error| does_not_replay(&error.to_string()))?;
        }
        if let (Some(there), false) = (&target.scratch, wanting.first.is_empty()) {
            // On a database that has all these objects, the statements must change nothing.
            let first = render::sql(&wanting.first);
            let done = run_sql(&mut there.connect()?, &first, "up.sql");
            done.map_err(|error| does_not_replay(&error.to_string()))?;
            let still = catalog::read(&mut there.connect()?)?;
            same(&still, &target.schema, "up.sql", &BTreeSet::new())?;
        }
        let (reached, target) = source::alike(project, side(&database)?, target)?;
        let theirs = |schema: &Schema| schema.only(|id| belongs(id, schema, &managed));
        let wanted = project.scope.narrow(&reached.schema, &target.schema);
        same(
            &theirs(&reached.schema),
            &theirs(&wanted),
            "up.sql",
            &BTreeSet::new(),
        )?;
        for (number, part) in draft.parts.iter().enumerate().rev() {
            let file = file("down.sql", number, draft);
            let done = run_sql(&mut database.connect()?, &part.down_sql(), &file);
            done.map_err(|error| does_not_replay(&error.to_string()))?;
        }
        let (back, replay) = source::alike(project, side(&database)?, replay)?;
        same(&back.schema, &replay.schema, "down.sql", &wanting.ids)
    }
}

/// The state of a database that goes on changing.
fn side(database: &Database) -> Result<Side, Error> {
    let schema = catalog::read(&mut database.connect()?)?;
    Ok(Side::at(schema, database.url()))
}

/// The file as a message names it.
fn file(name: &str, number: usize, draft: &Draft) -> String {
    match draft.parts.len() {
        1 => name.to_owned(),
        of => format!("{name} ({} of {of})", number + 1),
    }
}

/// Fails where two schemas differ by more than what `stays` with its parts.
fn same(reached: &Schema, wanted: &Schema, file: &str, stays: &BTreeSet<Id>) -> Result<(), Error> {
    let lines: Vec<String> = diff(reached, wanted)
        .into_iter()
        .filter(|(id, _)| !belongs(id, reached, stays))
        .map(|(id, delta)| match delta {
            Delta::Create(_) => format!("  after {file} {id} is missing"),
            Delta::Remove(_) => format!("  after {file} {id} is there, and should not be"),
            Delta::Change { .. } => format!("  after {file} {id} is another than on the database"),
        })
        .collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(does_not_replay(&lines.join("\n")))
    }
}

fn does_not_replay(why: &str) -> Error {
    Error::input(format!(
        "what is drafted from the database does not replay on one that the migrations alone have made; nothing was written\n{why}"
    ))
    .hint("the database has what no migration made (`trueup check` lists it): write a migration by hand that makes it, and \
           `trueup stamp` it where it is there already")
    .hint("or draft from the migrations alone: --from migrations")
}
