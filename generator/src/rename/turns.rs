//! The order of renames: who needs a name that another has waits for that one, and names that go round in a circle go by
//! way of another name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Formatter},
};

use trueup::{
    Entry, Hazard, Id, Schema, Slot, Statement,
    name::{literal, set_aside},
};

use crate::{Error, ErrorKind};

/// Something with a name: an object, or a part of one that is no object of its own.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) entry: Entry,
    pub(super) part: Option<String>,
}

impl Thing {
    pub(super) fn whole(entry: &Entry) -> Self {
        Self {
            entry: entry.clone(),
            part: None,
        }
    }

    /// Its kind, as one word or a few.
    pub(super) fn kind(&self) -> String {
        let kind = self.entry.id().kind();
        match self.part {
            Some(_) => kind.part().to_owned(),
            None => kind.to_string(),
        }
    }

    /// The names that lead to it.
    pub(super) fn path(&self) -> Vec<String> {
        let id = self.entry.id();
        let names = id.path().into_iter().map(str::to_owned);
        names.chain(self.part.clone()).collect()
    }

    pub(super) fn name(&self) -> String {
        self.path().pop().unwrap_or_default()
    }

    /// The same under another name, and the statement for that.
    pub(super) fn named(&self, name: &str) -> Option<(Self, Statement)> {
        if let Some(part) = &self.part {
            let (entry, statement) = self.entry.rename_part(part, name)?;
            let part = Some(name.to_owned());
            Some((Self { entry, part }, statement))
        } else {
            let statement = self.entry.rename(name)?;
            Some((Self::whole(&self.entry.named(name)), statement))
        }
    }

    fn places(&self) -> Vec<Place> {
        let id = self.entry.id();
        if let Some(part) = &self.part {
            return vec![Place::Part(id, part.clone())];
        }
        let slots = self.entry.occupies().into_iter().map(Place::Slot);
        slots.chain([Place::Id(id)]).collect()
    }

    fn occupant(&self) -> Occupant {
        (self.entry.id(), self.part.clone())
    }
}

impl Display for Thing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(part) => {
                let id = self.entry.id();
                write!(f, "{} {} of {id}", id.kind().part(), literal(part))
            }
            None => self.entry.id().fmt(f),
        }
    }
}

/// An identity or a name that only one thing at a time can have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Place {
    Id(Id),
    Slot(Slot),
    Part(Id, String),
}

/// The thing that occupies a place.
type Occupant = (Id, Option<String>);

/// By whom a name may be taken that another is to get. The occupant then gets a free one; else both keep theirs.
#[derive(Debug)]
pub(super) enum Taken {
    /// By anybody: the other was asked for, so this one goes.
    ByAnybody,
    /// By what goes anyway.
    ByWhatGoes(BTreeSet<Id>),
}

impl Taken {
    fn gives_way(&self, occupant: &Occupant) -> bool {
        match self {
            Self::ByAnybody => true,
            Self::ByWhatGoes(gone) => gone.contains(&occupant.0),
        }
    }
}

/// Statements and what undoes them.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) up: Vec<Statement>,
    pub(super) down: Vec<Statement>,
}

impl Turn {
    /// One statement there, and one back.
    pub(super) fn of(up: Statement, down: Statement) -> Self {
        Self {
            up: vec![up],
            down: vec![down],
        }
    }
}

/// A thing and the name that it is to get.
pub(super) struct Wanted {
    pub(super) thing: Thing,
    pub(super) name: String,
}

/// Puts renames into an order.
pub(super) struct Turns<'a> {
    schema: &'a Schema,
    places: BTreeMap<Place, Occupant>,
    taken: Vec<Turn>,
    /// Things that were given a free name so that another can have theirs.
    aside: Vec<Occupant>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        let mut turns = Self {
            schema,
            places: BTreeMap::new(),
            taken: Vec::new(),
            aside: Vec::new(),
        };
        for (id, entry) in schema.entries() {
            let slots = entry.occupies().into_iter().map(Place::Slot);
            for place in slots.chain([Place::Id(id.clone())]) {
                turns.places.insert(place, (id.clone(), None));
            }
            for part in entry.parts() {
                let place = Place::Part(id.clone(), part.clone());
                turns.places.insert(place, (id.clone(), Some(part.clone())));
            }
        }
        turns
    }

    pub(super) fn finish(self) -> Vec<Turn> {
        self.taken
    }

    /// Gives all their names.
    pub(super) fn all(&mut self, mut waiting: Vec<Wanted>, taken: &Taken) -> Result<(), Error> {
        while !waiting.is_empty() {
            let stands_in_the_way: Vec<Option<Occupant>> = waiting
                .iter()
                .map(|wanted| self.in_the_way(&wanted.thing, &wanted.name))
                .collect();
            if let Some(free) = stands_in_the_way.iter().position(Option::is_none) {
                let Wanted { thing, name } = waiting.remove(free);
                self.rename(&thing, &name, None)?;
                continue;
            }
            let waits = |occupant: &Occupant| {
                let mut waiting = waiting.iter();
                waiting.any(|wanted| wanted.thing.occupant() == *occupant)
            };
            let stays = stands_in_the_way.iter().enumerate().find_map(|(at, way)| {
                let occupant = way.as_ref().filter(|occupant| !waits(occupant))?;
                Some((at, occupant.clone()))
            });
            match stays {
                Some((at, occupant)) if taken.gives_way(&occupant) => {
                    let why = format!("{} gets that name", waiting[at].thing);
                    self.set_aside(occupant, &why)?;
                }
                Some((at, _)) => {
                    waiting.remove(at);
                }
                None => {
                    let why = "names change places";
                    let thing = self.aside(&waiting[0].thing, why)?;
                    waiting[0].thing = thing;
                }
            }
        }
        Ok(())
    }

    /// The occupant of a place that the thing would need under another name.
    pub(super) fn in_the_way(&self, thing: &Thing, name: &str) -> Option<Occupant> {
        let (named, _) = thing.named(name)?;
        self.in_the_way_of(thing, &named)
    }

    /// The occupant of a place that a thing would need and does not have.
    pub(super) fn in_the_way_of(&self, now: &Thing, then: &Thing) -> Option<Occupant> {
        let mine = now.places();
        then.places()
            .into_iter()
            .filter(|place| !mine.contains(place))
            .find_map(|place| self.places.get(&place).cloned())
    }

    pub(super) fn rename(
        &mut self,
        thing: &Thing,
        name: &str,
        why: Option<&str>,
    ) -> Result<Thing, Error> {
        let cannot = || {
            Error::new(
                ErrorKind::NotYet,
                format!("not yet: {thing}: trueup does not rename that kind of object"),
            )
        };
        let (named, mut up) = thing.named(name).ok_or_else(cannot)?;
        let (_, mut down) = named.named(&thing.name()).ok_or_else(cannot)?;
        // No program says the name that a thing has in between.
        if self.aside.contains(&thing.occupant()) {
            up = up.without(Hazard::breaks_programs);
        }
        if let Some(why) = why {
            up = up.because(why);
            down = down.without(Hazard::breaks_programs);
            self.aside.push(named.occupant());
        }
        self.take(thing, &named, Turn::of(up, down));
        Ok(named)
    }

    /// Notes down that a thing has become another.
    pub(super) fn take(&mut self, thing: &Thing, then: &Thing, turn: Turn) {
        for place in thing.places() {
            self.places.remove(&place);
        }
        for place in then.places() {
            self.places.insert(place, then.occupant());
        }
        self.taken.push(turn);
    }

    /// Gives somebody a free name.
    pub(super) fn set_aside(&mut self, occupant: Occupant, why: &str) -> Result<(), Error> {
        let (id, part) = occupant;
        let entry = self.schema.entry(&id).ok_or_else(|| {
            Error::new(
                ErrorKind::Defect,
                format!("{id} has a name and is not there"),
            )
        })?;
        let thing = Thing {
            entry: Entry::clone(entry),
            part,
        };
        self.aside(&thing, why).map(|_| ())
    }

    fn aside(&mut self, thing: &Thing, why: &str) -> Result<Thing, Error> {
        let taken = |name: &str| self.in_the_way(thing, name).is_some();
        let name = set_aside(&thing.name(), taken);
        self.rename(thing, &name, Some(why))
    }
}
