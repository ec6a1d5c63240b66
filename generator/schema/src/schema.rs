//! A whole database's shape: its objects, and which of them need which.

mod entry;
mod rights;
mod unread;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Formatter},
    io,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub use self::{
    entry::{Address, Entry},
    rights::{Grant, Grantee, Of, Place, Right, RightDelta, Rights, Says},
    unread::{ROLE, Unread, UnreadDelta},
};

use crate::{
    Guidance, Id,
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
    /// True if the server is of this major version or a later one.
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

/// Source location of a declared object.
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

impl Unread {
    /// True if it goes along with something that `from` has and `to` has not, and can be made again when that comes back.
    #[must_use]
    pub fn goes_along(&self, from: &Schema, to: &Schema) -> bool {
        let goes = |owner: &Id| from.entry(owner).is_some() && to.entry(owner).is_none();
        let owner = self.part_of.iter().find(|owner| goes(owner));
        // Dependents of the owner are dropped before it, and would be blocked by what still exists then.
        owner.is_some_and(|owner| {
            let mut others = self.needs.iter();
            !self.definition.is_empty()
                && !others.any(|other| {
                    from.line(other).all(|id| id != *owner)
                        && to.entry(other).is_none()
                        && from.needs(other).any(|need| need == owner)
                })
        })
    }
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
    rights: Arc<Rights>,
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
            rights: Arc::default(),
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

    /// The object's dependencies, its parent included.
    pub fn needs(&self, id: &Id) -> impl Iterator<Item = &Id> {
        self.at(&self.needs, id).map(|(id, _)| id)
    }

    /// The object's dependents, its children included.
    pub fn needed_by(&self, id: &Id) -> impl Iterator<Item = &Id> {
        self.at(&self.needed_by, id).map(|(id, _)| id)
    }

    /// Each object by its address in the catalog.
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

    /// Objects of kinds that no room reads.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// Compares what no room reads on both sides.
    #[must_use]
    pub fn unread_differences<'a>(&'a self, to: &'a Self) -> Vec<UnreadDelta<'a>> {
        // Between two servers a role is who it is called.
        if !self.rights.stands_in && !to.rights.stands_in {
            return unread::differences(
                (&self.unread, &str::to_owned),
                (&to.unread, &str::to_owned),
            );
        }
        unread::differences(
            (&self.unread, &self.rights.role(&to.rights)),
            (&to.unread, &to.rights.role(&self.rights)),
        )
    }

    /// True if something that no room reads is on both sides under the same name, and may differ.
    #[must_use]
    pub fn unread_changes(&self, to: &Self) -> bool {
        let deltas = self.unread_differences(to);
        deltas.into_iter().any(UnreadDelta::is_change)
    }

    /// Compares owners, grants, default privileges and security labels, as far as both sides have what they are about.
    #[must_use]
    pub fn right_differences(&self, to: &Self) -> Vec<RightDelta> {
        rights::differences(self, to)
    }

    /// The rights on what `to` alone has that do not come by themselves where it is made.
    #[must_use]
    pub fn rights_on_new(&self, to: &Self) -> Vec<RightDelta> {
        rights::on_new(self, to)
    }

    /// The owner of an object and the role that would own it where it is made anew, where that is another.
    #[must_use]
    pub fn other_owner(&self, id: &Id) -> Option<(&str, &str)> {
        let owner = self.rights.other_owner(id)?;
        Some((owner, &self.rights.session))
    }

    /// True if the object has a security label.
    #[must_use]
    pub fn is_labelled(&self, id: &Id) -> bool {
        self.rights.is_labelled(id)
    }

    /// The same schema with these rights.
    #[must_use]
    pub fn with_rights(self, rights: Rights) -> Self {
        let rights = Arc::new(rights);
        Self { rights, ..self }
    }

    /// The same schema, read on the scratch, whose own role stands in for the one that migrates.
    #[must_use]
    pub fn on_scratch(self) -> Self {
        let rights = Rights {
            stands_in: true,
            ..Rights::clone(&self.rights)
        };
        self.with_rights(rights)
    }

    /// The casts that the server knows.
    #[must_use]
    pub fn casts(&self) -> &Casts {
        &self.casts
    }

    /// True if there are no objects but those of a new database.
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
        self.with_entries(entries, links)
    }

    /// The same schema without the entries that are not wanted.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Id) -> bool) -> Self {
        let entries = self.entries().filter(|(id, _)| wanted(id));
        let entries: Vec<Arc<Entry>> = entries.map(|(_, entry)| Arc::clone(entry)).collect();
        self.with_entries(entries, self.links())
    }

    fn with_entries(
        &self,
        entries: impl IntoIterator<Item = Arc<Entry>>,
        links: Vec<(Id, Id)>,
    ) -> Self {
        let (unread, casts) = (self.unread.clone(), self.casts.clone());
        Self {
            rights: Arc::clone(&self.rights),
            ..Self::new(self.server, entries, links, unread, casts)
        }
    }

    fn links(&self) -> Vec<(Id, Id)> {
        let pairs = self.entries.iter().zip(&self.needs);
        pairs
            .flat_map(|((id, _), needs)| needs.iter().map(move |on| (id, &self.entries[*on].0)))
            .map(|(id, on)| (id.clone(), on.clone()))
            .collect()
    }

    /// The same schema with the rights of `of`, which a copy has not: it has no roles, and no grants to them. `moved` has the
    /// ids here of what has another id there.
    #[must_use]
    pub fn with_rights_of(self, of: &Self, moved: &BTreeMap<Id, Id>) -> Self {
        let here = |id: &Id| moved.get(id).unwrap_or(id).clone();
        let granted = of.entries().filter(|(_, entry)| entry.granted);
        let granted: BTreeSet<Id> = granted.map(|(id, _)| here(id)).collect();
        let entries = self.entries.into_iter().map(|(id, entry)| {
            let is_granted = granted.contains(&id);
            let noted = if is_granted == entry.granted {
                entry
            } else {
                Arc::new(Entry {
                    granted: is_granted,
                    ..Entry::clone(&entry)
                })
            };
            (id, noted)
        });
        Self {
            entries: entries.collect(),
            rights: if moved.is_empty() {
                Arc::clone(&of.rights)
            } else {
                Arc::new(of.rights.moved(here))
            },
            ..self
        }
    }

    /// The same schema with what no room reads and `of` alone has: a copy need not have what is left out of account.
    #[must_use]
    pub fn unread_as(mut self, of: &Self) -> Self {
        let is_here = |other: &&Unread| self.unread.iter().any(|one| one.what == other.what);
        let missing = of.unread.iter().filter(|other| !is_here(other));
        let missing: Vec<Unread> = missing.cloned().collect();
        self.unread.extend(missing);
        self.unread.sort();
        self
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

    /// True if a person's statements move rows on the way to it, between what comes and what goes.
    #[must_use]
    pub fn has_data_step(&self) -> bool {
        self.guidance.has_data_step()
    }

    /// The object at each address in the catalog.
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
    ///
    /// What cannot be read is written as such, and two schemas that have such differ: see [`Schema::is_known`].
    pub fn write_shape(&self, into: &mut impl io::Write) -> Result<(), serde_json::Error> {
        let unread: Vec<(&str, Option<&str>)> = self
            .unread
            .iter()
            .map(|unread| (unread.what.as_str(), unread.says.as_deref()))
            .collect();
        serde_json::to_writer(&mut *into, &unread)?;
        serde_json::to_writer(&mut *into, &self.rights.shape())?;
        for (_, entry) in &self.entries {
            serde_json::to_writer(&mut *into, &entry.object)?;
        }
        Ok(())
    }

    /// True if all of what no room reads could be read.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.unread.iter().all(|unread| unread.says.is_some())
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
            rights: Rights::clone(&self.rights),
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
        )
        .with_rights(written.rights))
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
    #[serde(default)]
    rights: Rights,
}

/// Contexts in which Postgres applies a cast by itself: `pg_cast.castcontext`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CastContext {
    /// In any expression.
    Implicit,
    /// On assignment: when a value is stored.
    Assignment,
    /// Only where it is written.
    Explicit,
}

/// A row of `pg_cast`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cast {
    /// Contexts in which Postgres applies it by itself.
    pub context: CastContext,
    /// The types are binary-coercible: the cast changes no value and refuses none.
    pub is_binary: bool,
}

/// The casts that a server knows, between types as `format_type` prints them.
#[derive(Clone, Default, Debug)]
pub struct Casts(Arc<BTreeMap<(String, String), Cast>>);

impl Casts {
    /// Collects casts: from, to, and the cast.
    #[must_use]
    pub fn new(casts: impl IntoIterator<Item = (String, String, Cast)>) -> Self {
        let casts = casts.into_iter().map(|(from, to, cast)| ((from, to), cast));
        Self(Arc::new(casts.collect()))
    }

    /// The cast between two types, where `pg_cast` has one.
    #[must_use]
    pub fn get(&self, from: &str, to: &str) -> Option<Cast> {
        self.0.get(&(from.to_owned(), to.to_owned())).copied()
    }
}
