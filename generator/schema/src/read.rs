//! From catalog rows to a schema: decodes rows through their rooms, turns `pg_depend` into links, and finds what no room
//! claims. Runs no query itself.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::{
    Address, Casts, Entry, Id, Kind, Of, Place, Right, Rights, Says, Schema, Server, Slot, Unread,
};

/// A row of `pg_depend`: `from` needs `to`.
#[derive(Clone, Copy, Debug)]
pub struct Depend {
    /// The dependent.
    pub from: Address,
    /// The referenced object.
    pub to: Address,
    /// `deptype`, as ASCII: `n`, `a`, `i`, `e`, …
    pub kind: u8,
}

/// Description of a catalog address in Postgres' words.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The address that was asked about.
    pub address: Address,
    /// The kind: `function`.
    pub kind: String,
    /// The name: `public.touch()`.
    pub name: String,
    /// The names it takes.
    pub occupies: Vec<Slot>,
    /// The statements that make it, where Postgres prints them.
    pub definition: Vec<String>,
}

impl Identity {
    fn what(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// A row that a room could not make sense of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The JSON does not fit the room's struct.
    #[error(
        "the catalog row of a {kind} does not have the form that its room expects: {source}: {row}"
    )]
    Row {
        /// The room's kind.
        kind: Kind,
        /// The row's JSON.
        row: String,
        /// The mismatch.
        source: serde_json::Error,
    },
}

/// The object at each address.
#[derive(Default, Debug)]
pub struct Claims {
    ids: Vec<Id>,
    places: HashMap<Address, usize>,
}

impl FromIterator<(Address, Id)> for Claims {
    fn from_iter<I: IntoIterator<Item = (Address, Id)>>(pairs: I) -> Self {
        let mut claims = Self::default();
        for (address, id) in pairs {
            claims.claim(id, &[address]);
        }
        claims
    }
}

impl Claims {
    /// The object at an address; a column or part that no object claims by itself belongs to the whole.
    #[must_use]
    pub fn get(&self, address: Address) -> Option<&Id> {
        self.place(address).map(|place| &self.ids[place])
    }

    /// The object at exactly this address.
    fn exact(&self, address: Address) -> Option<&Id> {
        self.places.get(&address).map(|place| &self.ids[*place])
    }

    fn claim(&mut self, id: Id, addresses: &[Address]) {
        let place = self.ids.len();
        self.ids.push(id);
        self.places
            .extend(addresses.iter().map(|address| (*address, place)));
    }

    fn place(&self, address: Address) -> Option<usize> {
        let claimed = |address| self.places.get(&address).copied();
        claimed(address).or_else(|| (address.sub != 0).then(|| claimed(whole(address)))?)
    }
}

/// Collects catalog rows until they make a schema.
#[derive(Debug)]
pub struct Reading {
    server: Server,
    entries: Vec<Arc<Entry>>,
    claims: Claims,
    depends: Vec<Depend>,
    bookkeeping: HashSet<Address>,
    unread_parts: OnceCell<BTreeMap<Address, BTreeSet<Address>>>,
    granted: Vec<Address>,
    says: HashMap<Address, Option<String>>,
    rights: Rights,
    rights_on: Vec<(Address, bool, Says)>,
}

impl Reading {
    /// Begins with nothing.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self {
            server,
            entries: Vec::new(),
            claims: Claims::default(),
            depends: Vec::new(),
            bookkeeping: HashSet::default(),
            unread_parts: OnceCell::new(),
            granted: Vec::new(),
            says: HashMap::default(),
            rights: Rights::default(),
            rights_on: Vec::new(),
        }
    }

    /// Takes a row of a room's SELECT. `addresses` is flat: class, object, sub, class, …
    pub fn row(
        &mut self,
        kind: Kind,
        addresses: &[i64],
        position: i32,
        row: &[u8],
    ) -> Result<(), ReadError> {
        let Some(object) = kind.decode(row, &self.claims)? else {
            return Ok(());
        };
        let addresses: Vec<Address> = addresses
            .chunks_exact(3)
            .map(|part| Address {
                class: part[0],
                object: part[1],
                sub: part[2],
            })
            .collect();
        self.claims.claim(object.id(), &addresses);
        self.entries.push(Arc::new(Entry {
            object,
            addresses,
            position,
            granted: false,
        }));
        Ok(())
    }

    /// Takes a row of `pg_depend`, or a row that needs nothing (`to` all zeroes) for what has none there.
    pub fn depend(&mut self, depend: Depend) {
        self.depends.push(depend);
    }

    /// Takes the address of something that is the tools' own and never part of a schema.
    pub fn bookkeeping(&mut self, address: Address) {
        self.bookkeeping.insert(address);
    }

    /// Takes the address of an object whose privileges differ from those at its creation.
    pub fn granted(&mut self, address: Address) {
        self.granted.push(address);
    }

    /// Takes the roles that are compared by what they are, and what is said about objects that are still to be made.
    pub fn rights(&mut self, rights: Rights) {
        self.rights = rights;
    }

    /// Takes a right on an object. `built_in`: the object comes with Postgres or with an extension.
    pub fn right(&mut self, address: Address, built_in: bool, says: Says) {
        if !self.bookkeeping.contains(&whole(address)) {
            self.rights_on.push((address, built_in, says));
        }
    }

    /// Takes a hash of the catalog's content about one of [`Reading::unread_addresses`]; empty for a part without content of its
    /// own, and `None` where that cannot be read.
    pub fn says(&mut self, address: Address, says: Option<String>) {
        self.says.insert(address, says);
    }

    /// The addresses that no room claims, parts of others included.
    #[must_use]
    pub fn unread_addresses(&self) -> Vec<Address> {
        let parts = self.unread_parts().values();
        parts.flatten().copied().collect()
    }

    /// The addresses that nobody claims and that [`Reading::finish`] wants identified.
    #[must_use]
    pub fn unclaimed(&self) -> Vec<Address> {
        let rights = self.rights_on.iter().map(|(address, ..)| *address);
        let rights = rights.filter(|address| self.claims.exact(*address).is_none());
        let all: BTreeSet<Address> = self.unread_parts().keys().copied().chain(rights).collect();
        all.into_iter().collect()
    }

    /// Makes the schema. `identities` answers [`Reading::unclaimed`].
    #[must_use]
    pub fn finish(mut self, identities: Vec<Identity>, casts: Casts) -> Schema {
        self.note_granted();
        let identities: HashMap<Address, Identity> = identities
            .into_iter()
            .map(|identity| (identity.address, identity))
            .collect();
        let unread = self.unread(self.unread_parts(), &identities);
        let wholes = self.wholes();
        let rights = self.all_rights(&identities, &wholes);
        let links: Vec<(usize, usize)> = self
            .depends
            .iter()
            .filter_map(|depend| {
                Some((
                    self.resolve(depend.from, &wholes)?,
                    self.resolve(depend.to, &wholes)?,
                ))
            })
            .collect();
        let entries = self.claims.ids.into_iter().zip(self.entries).collect();
        Schema::linked(self.server, entries, links, unread, casts).with_rights(rights)
    }

    fn all_rights(
        &self,
        identities: &HashMap<Address, Identity>,
        wholes: &HashMap<Address, Address>,
    ) -> Rights {
        let mut root_of: HashMap<Address, Address> = HashMap::default();
        for (root, parts) in self.unread_parts() {
            root_of.extend(parts.iter().map(|part| (*part, *root)));
        }
        let place = |address: Address| {
            if let Some(place) = self.resolve(address, wholes) {
                return Place::Read(self.claims.ids[place].clone());
            }
            let root = root_of.get(&whole(address));
            match root.and_then(|root| identities.get(root)) {
                Some(identity) => Place::Unread(identity.what()),
                None => Place::Given,
            }
        };
        let named = self
            .rights_on
            .iter()
            .filter_map(|(address, built_in, says)| {
                let of = if let Some(id) = self.claims.exact(*address) {
                    Of::Read(id.clone())
                } else {
                    let identity = identities.get(address)?;
                    Of::Other {
                        kind: identity.kind.clone(),
                        name: identity.name.clone(),
                        on: place(*address),
                    }
                };
                Some(Right {
                    of,
                    built_in: *built_in,
                    says: says.clone(),
                })
            });
        let mut rights = self.rights.clone();
        rights.rights.extend(named);
        rights.rights.sort();
        rights
    }

    fn note_granted(&mut self) {
        for address in &self.granted {
            if let Some(place) = self.claims.place(*address) {
                Arc::make_mut(&mut self.entries[place]).granted = true;
            }
        }
    }

    /// The object that each unclaimed address is a part of: the element type of an array type, the extension of a function.
    fn wholes(&self) -> HashMap<Address, Address> {
        self.depends
            .iter()
            .filter(|depend| {
                matches!(depend.kind, b'i' | b'e') && self.claims.get(depend.from).is_none()
            })
            .map(|depend| (whole(depend.from), depend.to))
            .collect()
    }

    fn resolve(&self, address: Address, wholes: &HashMap<Address, Address>) -> Option<usize> {
        let mut at = address;
        let mut seen: HashSet<Address> = HashSet::default();
        loop {
            if let Some(place) = self.claims.place(at) {
                return Some(place);
            }
            at = *wholes.get(&whole(at))?;
            if !seen.insert(at) {
                return None;
            }
        }
    }

    /// Unread objects, each with every address that is a part of it: a view and its rule, a domain and its constraint.
    fn unread_parts(&self) -> &BTreeMap<Address, BTreeSet<Address>> {
        self.unread_parts.get_or_init(|| self.find_unread_parts())
    }

    fn find_unread_parts(&self) -> BTreeMap<Address, BTreeSet<Address>> {
        let mut owners: HashMap<Address, Vec<Address>> = HashMap::default();
        let mut candidates: BTreeSet<Address> = BTreeSet::new();
        let mut skipped: HashSet<Address> = self.bookkeeping.clone();
        for depend in &self.depends {
            let from = whole(depend.from);
            if depend.kind == b'e' {
                skipped.insert(from);
            }
            if self.claims.get(from).is_some() || self.claims.get(depend.from).is_some() {
                continue;
            }
            candidates.insert(from);
            // `i`: a part. `a`: made by and for something else, and gone with it. `P`, `S`: a partition's part.
            if matches!(depend.kind, b'i' | b'a' | b'P' | b'S') && whole(depend.to) != from {
                owners.entry(from).or_default().push(depend.to);
            }
        }
        let internal = self.internal();
        let mirrors: HashMap<Address, Address> = self
            .depends
            .iter()
            .filter(|depend| depend.kind == b'P' && self.claims.get(depend.to).is_none())
            .map(|depend| (whole(depend.from), whole(depend.to)))
            .collect();
        let mut parts: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for candidate in candidates {
            if let Some(root) = self.root(candidate, &owners, &skipped, &internal, &mirrors) {
                parts.entry(root).or_default().insert(candidate);
            }
        }
        parts
    }

    /// Internal parts of objects that are read, and their parts in turn: a constraint for each partition of the table that
    /// a foreign key refers to, and below it for the partitions of that.
    fn internal(&self) -> HashSet<Address> {
        let kept = self.depends.iter().filter(|depend| depend.kind == b'i');
        let kept: Vec<(Address, Address)> =
            kept.map(|depend| (whole(depend.from), depend.to)).collect();
        let mut internal: HashSet<Address> = HashSet::default();
        loop {
            let before = internal.len();
            for (part, on) in &kept {
                if self.claims.get(*on).is_some() || internal.contains(&whole(*on)) {
                    internal.insert(*part);
                }
            }
            if internal.len() == before {
                return internal;
            }
        }
    }

    /// The unread object that an unclaimed address is a part of; `None` where it is a part of something read, of an
    /// extension, or of the tools' own.
    fn root(
        &self,
        start: Address,
        owners: &HashMap<Address, Vec<Address>>,
        skipped: &HashSet<Address>,
        parts: &HashSet<Address>,
        mirrors: &HashMap<Address, Address>,
    ) -> Option<Address> {
        let mut seen = HashSet::from_iter([start]);
        let mut root = start;
        loop {
            if skipped.contains(&root) {
                return None;
            }
            let Some(above) = owners.get(&root) else {
                return Some(root);
            };
            if above.iter().any(|owner| skipped.contains(&whole(*owner))) {
                return None;
            }
            // A partition's copy of a trigger is a part of the partitioned table's trigger.
            if let Some(owner) = mirrors.get(&root).filter(|owner| seen.insert(**owner)) {
                root = *owner;
                continue;
            }
            // A trigger or a policy is made for its table alone (`a`), and yet it is an object of its own.
            if above.iter().any(|owner| self.claims.get(*owner).is_some()) {
                return if parts.contains(&root) {
                    None
                } else {
                    Some(root)
                };
            }
            match above
                .iter()
                .map(|owner| whole(*owner))
                .find(|owner| seen.insert(*owner))
            {
                Some(owner) => root = owner,
                None => return Some(root),
            }
        }
    }

    fn unread(
        &self,
        parts: &BTreeMap<Address, BTreeSet<Address>>,
        identities: &HashMap<Address, Identity>,
    ) -> Vec<Unread> {
        let mut root_of: HashMap<Address, Address> = HashMap::default();
        for (root, members) in parts {
            root_of.extend(members.iter().map(|member| (*member, *root)));
        }
        let mut needs: BTreeMap<Address, BTreeSet<Id>> = BTreeMap::new();
        let mut among: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        let mut part_of: BTreeMap<Address, BTreeSet<Id>> = BTreeMap::new();
        let mirrored = self.depends.iter().filter(|depend| depend.kind == b'P');
        let mirrored: HashSet<Address> = mirrored.map(|depend| whole(depend.from)).collect();
        let mut needed_by: BTreeMap<Address, BTreeSet<Id>> = BTreeMap::new();
        let wholes = self.wholes();
        for depend in &self.depends {
            let Some(root) = root_of.get(&whole(depend.from)) else {
                if let Some(root) = root_of.get(&whole(depend.to))
                    && let Some(place) = self.resolve(depend.from, &wholes)
                {
                    let id = self.claims.ids[place].clone();
                    needed_by.entry(*root).or_default().insert(id);
                }
                continue;
            };
            // A partition's copy of a trigger goes with the partition; the trigger itself stays.
            if mirrored.contains(&whole(depend.from)) {
                continue;
            }
            if let Some(other) = root_of.get(&whole(depend.to)) {
                among.entry(*root).or_default().insert(*other);
            } else if let Some(place) = self.resolve(depend.to, &wholes) {
                // Also by a part that no room claims: a function takes rows of a table by the type of its rows.
                let id = &self.claims.ids[place];
                needs.entry(*root).or_default().insert(id.clone());
                let is_own = depend.kind == b'a' && whole(depend.from) == *root;
                if is_own && self.claims.get(depend.to).is_some() {
                    part_of.entry(*root).or_default().insert(id.clone());
                }
            }
        }
        let mut unread: Vec<Unread> = parts
            .keys()
            .filter_map(|root| {
                let identity = identities.get(root)?;
                let mut all = BTreeSet::new();
                let (mut seen, mut stack) = (BTreeSet::from([*root]), vec![*root]);
                while let Some(address) = stack.pop() {
                    all.extend(needs.get(&address).into_iter().flatten().cloned());
                    stack.extend(
                        among
                            .get(&address)
                            .into_iter()
                            .flatten()
                            .filter(|next| seen.insert(**next)),
                    );
                }
                Some(Unread {
                    what: identity.what(),
                    needs: all,
                    needed_by: needed_by.remove(root).unwrap_or_default(),
                    occupies: identity.occupies.clone(),
                    says: self.all_said(&parts[root]),
                    kind: identity.kind.clone(),
                    part_of: part_of.remove(root).unwrap_or_default(),
                    definition: identity.definition.clone(),
                })
            })
            .collect();
        unread.sort();
        unread
    }

    /// The content hashes of an object and its parts, in an order that does not depend on when they were made.
    fn all_said(&self, parts: &BTreeSet<Address>) -> Option<String> {
        let said = parts.iter().map(|part| self.says.get(part)?.as_deref());
        let mut said = said.collect::<Option<Vec<&str>>>()?;
        said.retain(|said| !said.is_empty());
        said.sort_unstable();
        Some(said.join(" "))
    }
}

fn whole(address: Address) -> Address {
    Address { sub: 0, ..address }
}
