//! A copy of the start on which renames are done, and what was done there.

use std::collections::BTreeSet;

use diesel::PgConnection;
use trueup::{Alter, Entry, Id, Schema, Statement};

use super::{
    Renaming, Task,
    turns::{Taken, Thing, Turn, Turns, Wanted},
};
use crate::{
    Error, ErrorKind, Project,
    postgres::{catalog, connection::run_sql, scratch::Database},
    render,
    source::Side,
};

/// A copy of the start, made when there is something to do on it.
pub(super) struct Trying<'a> {
    project: &'a Project,
    from: &'a Side,
    copy: Option<Copied>,
    renaming: Renaming,
}

struct Copied {
    database: Database,
    connection: PgConnection,
    schema: Schema,
}

impl<'a> Trying<'a> {
    pub(super) fn new(project: &'a Project, from: &'a Side) -> Self {
        Self {
            project,
            from,
            copy: None,
            renaming: Renaming::default(),
        }
    }

    /// The start as it is by now.
    pub(super) fn schema(&self) -> &Schema {
        match &self.copy {
            Some(copy) => &copy.schema,
            None => &self.from.schema,
        }
    }

    /// The number of statements so far.
    pub(super) fn done(&self) -> usize {
        self.renaming.up.len()
    }

    /// Does renames that were found before.
    pub(super) fn repeat(&mut self, renaming: &Renaming) -> Result<(), Error> {
        if renaming.is_empty() {
            return Ok(());
        }
        self.run(&renaming.up)?;
        self.renaming = renaming.clone();
        Ok(())
    }

    /// Moves to other namespaces what is to be there.
    pub(super) fn moves(&mut self, tasks: &[Task]) -> Result<(), Error> {
        let schema = self.schema();
        let ids = schema.by_address();
        let mut turns = Turns::new(schema);
        let mut new: BTreeSet<&str> = BTreeSet::new();
        for task in tasks {
            let (Some(thing), Some(namespace)) = (task.thing(schema, &ids), &task.namespace) else {
                continue;
            };
            let path = thing.path();
            let Some(old) = path.first().filter(|old| *old != namespace) else {
                continue;
            };
            let home = Entry::namespace(namespace);
            if schema.entry(&home.id()).is_none() && new.insert(namespace) {
                let home = Thing::whole(&home);
                let turn = Turn {
                    up: home.entry.create(schema, &[]),
                    down: home.entry.remove(schema),
                };
                turns.take(&home, &home, turn);
            }
            let mut thing = thing;
            let (mut moved, _) = relocate(&thing, namespace)?;
            if turns.in_the_way_of(&thing, &moved).is_some()
                && thing.name() != task.name
                && turns.in_the_way(&thing, &task.name).is_none()
            {
                thing = turns.rename(&thing, &task.name, None)?;
                (moved, _) = relocate(&thing, namespace)?;
            }
            while let Some(occupant) = turns.in_the_way_of(&thing, &moved) {
                turns.set_aside(occupant, &format!("{thing} gets that name"))?;
            }
            let (_, up) = relocate(&thing, namespace)?;
            let (_, down) = relocate(&moved, old)?;
            turns.take(&thing, &moved, Turn::of(up, down));
        }
        let turns = turns.finish();
        self.take(turns)
    }

    /// Gives things their names.
    pub(super) fn renames(&mut self, tasks: &[Task], taken: &Taken) -> Result<(), Error> {
        if tasks.is_empty() {
            return Ok(());
        }
        let schema = self.schema();
        let ids = schema.by_address();
        let wanted = tasks.iter().filter_map(|task| {
            let thing = task.thing(schema, &ids)?;
            let name = task.name.clone();
            (thing.name() != name).then_some(Wanted { thing, name })
        });
        let mut turns = Turns::new(schema);
        turns.all(wanted.collect(), taken)?;
        let turns = turns.finish();
        self.take(turns)
    }

    /// Lets follow what is called after something that has another name by now, where no model wrote its name.
    pub(super) fn follow(&mut self, named: &BTreeSet<&Id>) -> Result<(), Error> {
        let Some(copy) = &self.copy else {
            return Ok(());
        };
        let (old, new) = (&self.from.schema, &copy.schema);
        let before = old.by_address();
        let (mut tasks, mut turns) = (Vec::new(), Turns::new(new));
        for (id, entry) in new.entries() {
            if goes_along(entry, new) {
                continue;
            }
            let was = entry.address().and_then(|address| before.get(&address));
            let Some(was) = was.and_then(|was| old.entry(was)) else {
                continue;
            };
            let followed = entry.name_anew(was, old, new);
            let now = Thing::whole(entry);
            let then = Thing::whole(&followed);
            if followed.id() != *id {
                // A name that a model gives explicitly stays. Its parts with generated names follow nevertheless.
                tasks.extend(Task::of(&now, &then.name()).filter(|_| !named.contains(id)));
            } else if followed != **entry
                && turns.in_the_way_of(&now, &then).is_none()
                && let (Alter::InPlace(up), Alter::InPlace(down)) = (
                    entry.alter(&followed, new, new),
                    followed.alter(entry, new, new),
                )
            {
                turns.take(&now, &then, Turn { up, down });
            }
        }
        let turns = turns.finish();
        self.take(turns)?;
        self.renames(&tasks, &Taken::ByWhatGoes(BTreeSet::new()))
    }

    /// The copy, if one was needed, and the renames.
    pub(super) fn finish(self) -> (Option<Side>, Renaming) {
        let Some(Copied {
            database, schema, ..
        }) = self.copy
        else {
            return (None, self.renaming);
        };
        let side = Side {
            whole: self.from.whole,
            reprinted: self.from.reprinted,
            guidance: self.from.guidance.clone(),
            no_dump: self.from.no_dump.clone(),
            left_out: self.from.left_out.clone(),
            ..Side::on(schema, database)
        };
        (Some(side), self.renaming)
    }

    fn take(&mut self, turns: Vec<Turn>) -> Result<(), Error> {
        let up: Vec<Statement> = turns.iter().flat_map(|turn| turn.up.clone()).collect();
        if up.is_empty() {
            return Ok(());
        }
        self.run(&up)?;
        self.renaming.up.extend(up);
        let down = turns.into_iter().rev().flat_map(|turn| turn.down);
        let later = std::mem::take(&mut self.renaming.down);
        self.renaming.down = down.chain(later).collect();
        Ok(())
    }

    fn run(&mut self, statements: &[Statement]) -> Result<(), Error> {
        if self.copy.is_none() {
            let start = self.from.scratch.as_ref().ok_or_else(|| {
                Error::new(
                    ErrorKind::Defect,
                    "renames are tried on the scratch, and the start is not there",
                )
            })?;
            let database = self.project.scratch(None)?.copy(start)?;
            self.copy = Some(Copied {
                connection: database.connect()?,
                database,
                schema: self.from.schema.clone(),
            });
        }
        if let Some(copy) = &mut self.copy {
            run_sql(
                &mut copy.connection,
                &render::sql(statements),
                "the renames",
            )
            .map_err(|error| Error::caused(ErrorKind::Input, "Postgres refuses a rename", error))?;
            let schema = catalog::read(&mut copy.connection)?;
            let moved = super::moved(&self.from.schema, &schema);
            copy.schema = schema.with_rights_of(&self.from.schema, &moved);
        }
        Ok(())
    }
}

/// True if it shares its name with the corresponding object of a parent table, so that renaming that one renames it too.
pub(super) fn goes_along(entry: &Entry, schema: &Schema) -> bool {
    let leads = entry.follows(schema, schema);
    leads.iter().any(|lead| lead.is_namesake)
}

fn relocate(thing: &Thing, namespace: &str) -> Result<(Thing, Statement), Error> {
    let moved = thing
        .entry
        .relocate(namespace)
        .filter(|_| thing.part.is_none());
    let (entry, statement) = moved.ok_or_else(|| {
        Error::input(format!(
            "{thing} cannot move to another namespace by itself"
        ))
    })?;
    Ok((Thing::whole(&entry), statement))
}
