//! A whole database's shape: its objects, and which of them need which.

mod entry;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Formatter},
    io,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub use self::entry::{Address, Entry};

use crate::{
    Guidance, Id, Slot,
    guidance::Advice,
    objects::{AnyObject, Registered},
    read::Claims,
};

/// The Postgres server whose catalog is read or whose SQL is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Server {
    /// `server_version_num`: 150018 for PostgreSQL 15.18.
    pub version_num: u32,
}

impl Server {
    /// Whether the server is of this major version or a later one.
    #[must_use]
    pub fn at_least(self, major: u32) -> bool {
        self.major() >= major
    }

    /// The major version: 15.
    #[must_use]
    pub fn major(self) -> u32 {
        self.version_num / 10_000
    }
}

/// Where a declared object was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The source file, as `file!()` gives it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The struct or enum.
    pub item: String,
    /// The field or variant, where it is about one.
    pub field: Option<String>,
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}, {}", self.file, self.line, self.item)?;
        if let Some(field) = &self.field {
            write!(f, "::{field}")?;
        }
        Ok(())
    }
}

/// An object in the catalog that no room reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Unread {
    /// What it is, in Postgres' words: `view public.active_users`.
    pub what: String,
    /// The objects with a room that it needs.
    pub needs: BTreeSet<Id>,
    /// The names it takes.
    #[serde(default)]
    pub occupies: Vec<Slot>,
}

/// A whole database's shape.
#[derive(Clone, Debug)]
pub struct Schema {
    server: Server,
    /// In the order of their ids; everything below tells an entry by its place in here.
    entries: Vec<(Id, Arc<Entry>)>,
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    unread: Vec<Unread>,
    casts: Casts,
    guidance: Arc<Guidance>,
}

impl Schema {
    /// Puts a schema together. Of two entries with the same id, the later one is taken. `links` are pairs of an object and
    /// one that it needs; a parent is needed without saying.
    #[must_use]
    pub fn new(
        server: Server,
        entries: impl IntoIterator<Item = Arc<Entry>>,
        links: impl IntoIterator<Item = (Id, Id)>,
        unread: Vec<Unread>,
        casts: Casts,
    ) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.id(), entry));
        let mut schema = Self::of(server, entries.collect(), unread, casts);
        let links: Vec<(usize, usize)> = links
            .into_iter()
            .filter_map(|(id, on)| Some((schema.place(&id)?, schema.place(&on)?)))
            .collect();
        schema.link(links);
        schema
    }

    /// The same where the links are pairs of places in `entries`.
    pub(crate) fn linked(
        server: Server,
        entries: Vec<(Id, Arc<Entry>)>,
        links: impl IntoIterator<Item = (usize, usize)>,
        unread: Vec<Unread>,
        casts: Casts,
    ) -> Self {
        let ids: Vec<Id> = entries.iter().map(|(id, _)| id.clone()).collect();
        let mut schema = Self::of(server, entries, unread, casts);
        let places: Vec<Option<usize>> = ids.iter().map(|id| schema.place(id)).collect();
        let links: Vec<(usize, usize)> = links
            .into_iter()
            .filter_map(|(id, on)| Some((places[id]?, places[on]?)))
            .collect();
        schema.link(links);
        schema
    }

    fn of(
        server: Server,
        mut entries: Vec<(Id, Arc<Entry>)>,
        unread: Vec<Unread>,
        casts: Casts,
    ) -> Self {
        // The last of equals comes first, and is the one that stays.
        entries.reverse();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|(one, _), (other, _)| one == other);
        Self {
            server,
            needs: vec![Vec::new(); entries.len()],
            needed_by: vec![Vec::new(); entries.len()],
            children: vec![Vec::new(); entries.len()],
            entries,
            unread,
            casts,
            guidance: Arc::default(),
        }
    }

    /// Takes the links, those to the parents, and those that only the objects know.
    fn link(&mut self, links: Vec<(usize, usize)>) {
        let mut all: Vec<(usize, usize)> = links
            .into_iter()
            .filter(|(place, on)| self.wants(*place, *on))
            .collect();
        for (place, (_, entry)) in self.entries.iter().enumerate() {
            if let Some(parent) = entry.parent().and_then(|parent| self.place(&parent)) {
                self.children[parent].push(place);
                all.push((place, parent));
            }
            let told = entry.object.also_needs();
            let told = told.iter().filter_map(|on| self.place(on));
            all.extend(
                told.filter(|on| self.wants(place, *on))
                    .map(|on| (place, on)),
            );
        }
        all.sort_unstable();
        all.dedup();
        for (place, on) in all {
            self.needs[place].push(on);
            self.needed_by[on].push(place);
        }
    }

    fn wants(&self, place: usize, on: usize) -> bool {
        place != on && self.entries[place].1.object.needs(&self.entries[on].0)
    }

    fn place(&self, id: &Id) -> Option<usize> {
        self.entries
            .binary_search_by(|(other, _)| other.cmp(id))
            .ok()
    }

    fn at<'a>(
        &'a self,
        lists: &'a [Vec<usize>],
        id: &Id,
    ) -> impl Iterator<Item = &'a (Id, Arc<Entry>)> {
        let list = self.place(id).map_or(&[][..], |place| &lists[place]);
        list.iter().map(|place| &self.entries[*place])
    }

    /// The server that the schema was read from.
    #[must_use]
    pub fn server(&self) -> Server {
        self.server
    }

    /// The entry with this id.
    #[must_use]
    pub fn entry(&self, id: &Id) -> Option<&Arc<Entry>> {
        self.entries_at(id).map(|(_, entry)| entry)
    }

    /// The id as the schema holds it, and the entry.
    #[must_use]
    pub fn entries_at(&self, id: &Id) -> Option<(&Id, &Arc<Entry>)> {
        let (id, entry) = &self.entries[self.place(id)?];
        Some((id, entry))
    }

    /// All entries, in the order of their ids.
    pub fn entries(&self) -> impl Iterator<Item = (&Id, &Arc<Entry>)> {
        self.entries.iter().map(|(id, entry)| (id, entry))
    }

    /// The object, and what it is a part of or falls with, up to what stands by itself.
    pub fn line(&self, id: &Id) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(id.clone()), |id| {
            let entry = self.entry(id)?;
            entry.parent().or_else(|| entry.falls_with(self))
        })
    }

    /// What the object needs, its parent included.
    pub fn needs(&self, id: &Id) -> impl Iterator<Item = &Id> {
        self.at(&self.needs, id).map(|(id, _)| id)
    }

    /// What needs the object, its children included.
    pub fn needed_by(&self, id: &Id) -> impl Iterator<Item = &Id> {
        self.at(&self.needed_by, id).map(|(id, _)| id)
    }

    /// Where the catalog has each object.
    #[must_use]
    pub fn by_address(&self) -> BTreeMap<Address, &Id> {
        let entries = self.entries.iter();
        entries
            .filter_map(|(id, entry)| Some((entry.address()?, id)))
            .collect()
    }

    /// The parts of the object.
    pub fn children(&self, id: &Id) -> impl Iterator<Item = &Id> {
        self.at(&self.children, id).map(|(id, _)| id)
    }

    /// What no room reads.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The casts that the server knows.
    #[must_use]
    pub fn casts(&self) -> &Casts {
        &self.casts
    }

    /// Whether there is nothing in it at all, but for what every new database has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same schema with other entries, links from `self` kept among those that stay, and `more` with the links that
    /// they have in `theirs`.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = Arc<Entry>>, theirs: &Self) -> Self {
        let more: Vec<Arc<Entry>> = more.into_iter().collect();
        let mut links = self.links();
        for entry in &more {
            let id = entry.id();
            links.extend(theirs.needs(&id).map(|on| (id.clone(), on.clone())));
        }
        let entries = self
            .entries()
            .map(|(_, entry)| Arc::clone(entry))
            .chain(more);
        Self::new(
            self.server,
            entries,
            links,
            self.unread.clone(),
            self.casts.clone(),
        )
    }

    /// The same schema without the entries that are not wanted.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Id) -> bool) -> Self {
        let entries = self.entries().filter(|(id, _)| wanted(id));
        let entries: Vec<Arc<Entry>> = entries.map(|(_, entry)| Arc::clone(entry)).collect();
        Self::new(
            self.server,
            entries,
            self.links(),
            self.unread.clone(),
            self.casts.clone(),
        )
    }

    fn links(&self) -> Vec<(Id, Id)> {
        let pairs = self.entries.iter().zip(&self.needs);
        pairs
            .flat_map(|((id, _), needs)| needs.iter().map(move |on| (id, &self.entries[*on].0)))
            .map(|(id, on)| (id.clone(), on.clone()))
            .collect()
    }

    /// The same schema, of which is noted as granted what is so in `of` too: a copy has no roles, and no grants to them.
    #[must_use]
    pub fn granted_as(self, of: &Self) -> Self {
        let entries = self.entries.into_iter().map(|(id, entry)| {
            let granted = of.entry(&id).is_some_and(|original| original.granted);
            let noted = if granted && !entry.granted {
                Arc::new(Entry {
                    granted,
                    ..Entry::clone(&entry)
                })
            } else {
                entry
            };
            (id, noted)
        });
        Self {
            entries: entries.collect(),
            ..self
        }
    }

    /// The part of the schema that every new database has.
    #[must_use]
    pub fn initial(&self) -> Self {
        // Oids from here on are given to what users make.
        let first_user_oid = 16_384;
        let is_initial = |id: &Id| {
            self.entry(id).is_some_and(|entry| {
                entry
                    .addresses
                    .iter()
                    .any(|address| address.object < first_user_oid)
            })
        };
        let entries = self.entries().filter(|(id, entry)| {
            is_initial(id)
                || entry.addresses.is_empty()
                    && entry.parent().is_some_and(|parent| is_initial(&parent))
        });
        let entries: Vec<Arc<Entry>> = entries.map(|(_, entry)| Arc::clone(entry)).collect();
        Self::new(
            self.server,
            entries,
            Vec::new(),
            Vec::new(),
            self.casts.clone(),
        )
    }

    /// The same schema, with what is said about the ways to it.
    #[must_use]
    pub fn guided(&self, guidance: &Arc<Guidance>) -> Self {
        Self {
            guidance: Arc::clone(guidance),
            ..self.clone()
        }
    }

    pub(crate) fn advice(&self, id: &Id) -> Option<&Advice> {
        self.guidance.about(id)
    }

    /// Which object each address in the catalog is.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let pairs = self.entries.iter().flat_map(|(id, entry)| {
            let addresses = entry.addresses.iter();
            addresses.map(move |address| (*address, id.clone()))
        });
        pairs.collect()
    }

    pub(crate) fn get<O: Registered>(&self, key: &O::Key) -> Option<&O> {
        self.entry(&O::id(key.clone()))
            .and_then(|entry| O::of(&entry.object))
    }

    pub(crate) fn any_part(&self, of: &Id, is: impl Fn(&AnyObject) -> bool) -> bool {
        self.at(&self.children, of)
            .any(|(_, entry)| is(&entry.object))
    }

    pub(crate) fn parts<'a, O: Registered + 'a>(&'a self, of: &Id) -> impl Iterator<Item = &'a O> {
        self.at(&self.children, of)
            .filter_map(|(_, entry)| O::of(&entry.object))
    }

    pub(crate) fn users<'a, O: Registered + 'a>(&'a self, of: &Id) -> impl Iterator<Item = &'a O> {
        self.at(&self.needed_by, of)
            .filter_map(|(_, entry)| O::of(&entry.object))
    }

    /// Writes down what takes part in a comparison, and nothing else: two schemas that write the same have no differences.
    pub fn write_shape(&self, into: &mut impl io::Write) -> Result<(), serde_json::Error> {
        let unread: Vec<&str> = self
            .unread
            .iter()
            .map(|unread| unread.what.as_str())
            .collect();
        serde_json::to_writer(&mut *into, &unread)?;
        for (_, entry) in &self.entries {
            serde_json::to_writer(&mut *into, &entry.object)?;
        }
        Ok(())
    }

    /// The objects with their kinds, as JSON; with [`Schema::from_json`] the way in and out for tests and for people.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.written())
    }

    /// The same for no people: in one line.
    pub fn to_json_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.written())
    }

    fn written(&self) -> Written {
        Written {
            server: self.server,
            entries: self.entries().map(|(_, entry)| Arc::clone(entry)).collect(),
            links: self.links(),
            unread: self.unread.clone(),
        }
    }

    /// Reads what [`Schema::to_json`] wrote.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        let written: Written = serde_json::from_str(json)?;
        Ok(Self::new(
            written.server,
            written.entries,
            written.links,
            written.unread,
            Casts::default(),
        ))
    }
}

/// A schema as it is written down: keys are derived again on reading.
#[derive(Serialize, Deserialize)]
struct Written {
    server: Server,
    entries: Vec<Arc<Entry>>,
    #[serde(default)]
    links: Vec<(Id, Id)>,
    #[serde(default)]
    unread: Vec<Unread>,
}

/// When Postgres applies a cast by itself: `pg_cast.castcontext`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CastContext {
    /// In any expression.
    Implicit,
    /// When a value is stored.
    Assignment,
    /// Only where it is written.
    Explicit,
}

/// The casts that a server knows, between types as `format_type` prints them.
#[derive(Clone, Default, Debug)]
pub struct Casts(Arc<BTreeMap<(String, String), CastContext>>);

impl Casts {
    /// Collects casts: from, to, and when they apply.
    #[must_use]
    pub fn new(casts: impl IntoIterator<Item = (String, String, CastContext)>) -> Self {
        Self(Arc::new(
            casts
                .into_iter()
                .map(|(from, to, context)| ((from, to), context))
                .collect(),
        ))
    }

    /// The cast between two types, where `pg_cast` has one.
    #[must_use]
    pub fn get(&self, from: &str, to: &str) -> Option<CastContext> {
        self.0.get(&(from.to_owned(), to.to_owned())).copied()
    }
}
