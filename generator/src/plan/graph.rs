//! The order of the work: what needs what, and which children go along with their parents.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Id, Lead, Schema, Slot, Statement, Turn, Unread};

mod cycles;
mod joining;
mod sorting;
mod steps;

use super::{Folding, PlanError, Step, work::Work};

/// The action on the object of a node. Its order breaks ties between nodes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    Go,
    Alter,
    /// The old one goes that another was made beside.
    Clear,
    Come,
}

struct Node<'a> {
    id: &'a Id,
    act: Act,
    /// The node of the parent that this one falls or folds with.
    joins: Option<usize>,
    /// True if it must not be parted from that.
    bound: bool,
    /// The one that it comes along with, as a like part of a table that inherits.
    along: Option<Id>,
}

struct Graph<'a> {
    work: &'a BTreeMap<Id, Work>,
    from: &'a Schema,
    to: &'a Schema,
    nodes: Vec<Node<'a>>,
    places: BTreeMap<(&'a Id, Act), usize>,
    edges: BTreeSet<(usize, usize)>,
    /// The edges that give way in a cycle. A whole is altered after its parts went and before others come, since that
    /// spares work and may be needed, as for a key between tables of which one becomes logged; and so is what others leave.
    wishes: BTreeSet<(usize, usize)>,
    /// The nodes that come before all others.
    early: BTreeSet<usize>,
}

pub(super) fn order(
    work: &BTreeMap<Id, Work>,
    from: &Schema,
    to: &Schema,
    folding: Folding,
) -> Result<Vec<Step>, PlanError> {
    let mut graph = Graph {
        work,
        from,
        to,
        nodes: Vec::new(),
        places: BTreeMap::new(),
        edges: BTreeSet::new(),
        wishes: BTreeSet::new(),
        early: BTreeSet::new(),
    };
    graph.add_nodes();
    graph.add_edges();
    graph.add_listed();
    graph.add_unchanged();
    graph.add_untied();
    graph.add_unread();
    graph.add_slots();
    graph.fall();
    graph.fold(folding);
    graph.follow();
    graph.tie();
    graph.part_cycles()?;
    let steps = graph.steps();
    if graph.leaves_a_gap(&steps) {
        graph.hasten();
        return Ok(graph.steps());
    }
    Ok(steps)
}

impl<'a> Graph<'a> {
    fn add_nodes(&mut self) {
        for (id, work) in self.work {
            let acts = [
                (work.goes, Act::Go),
                (work.alters.is_some(), Act::Alter),
                (work.clears.is_some(), Act::Clear),
                (work.comes, Act::Come),
            ];
            for (_, act) in acts.into_iter().filter(|(wanted, _)| *wanted) {
                self.places.insert((id, act), self.nodes.len());
                self.nodes.push(Node {
                    id,
                    act,
                    joins: None,
                    bound: false,
                    along: None,
                });
            }
        }
    }

    fn place(&self, id: &Id, act: Act) -> Option<usize> {
        self.places.get(&(id, act)).copied()
    }

    /// An edge from what is first to what is second, where both are there.
    fn edge(&mut self, first: Option<usize>, second: Option<usize>) {
        if let (Some(first), Some(second)) = (first, second)
            && first != second
        {
            self.edges.insert((first, second));
        }
    }

    /// The same, as a wish.
    fn wish(&mut self, first: Option<usize>, second: Option<usize>) {
        if let (Some(first), Some(second)) = (first, second)
            && first != second
        {
            self.wishes.insert((first, second));
        }
    }

    /// All precedences: the edges, and the wishes that are left.
    fn precedents(&self) -> impl Iterator<Item = &(usize, usize)> {
        self.edges.union(&self.wishes)
    }

    fn add_edges(&mut self) {
        for id in self.work.keys() {
            let (go, alter, come) = (
                self.place(id, Act::Go),
                self.place(id, Act::Alter),
                self.place(id, Act::Come),
            );
            self.edge(go, come);
            self.edge(alter, self.place(id, Act::Clear));
            let parent_in = |schema: &Schema| schema.entry(id).and_then(|entry| entry.parent());
            let (old_parent, new_parent) = (parent_in(self.from), parent_in(self.to));
            let loses = go.is_some_and(|go| self.loses(go));
            for need in self.from.needs(id) {
                let still = self.to.needs(id).any(|other| other == need);
                self.edge(go, self.place(need, Act::Go));
                let altered = self.place(need, Act::Alter);
                if old_parent.as_ref() == Some(need) || self.only_adds(need) {
                    self.wish(go.filter(|_| !loses), altered);
                } else {
                    self.edge(go, altered);
                }
                self.edge(alter, self.place(need, Act::Go));
                if !still {
                    // It needs the old one, and that is there until it is cleared.
                    match self.place(need, Act::Clear) {
                        None => self.wish(alter, altered),
                        cleared => self.edge(alter, cleared),
                    }
                }
            }
            for need in self.to.needs(id) {
                for mine in [alter, come] {
                    self.edge(self.place(need, Act::Come), mine);
                    let altered = self.place(need, Act::Alter);
                    if new_parent.as_ref() == Some(need) {
                        self.wish(altered, mine);
                    } else {
                        self.edge(altered, mine);
                    }
                }
            }
        }
    }

    /// True if what goes has rows or values: it goes last.
    fn loses(&self, place: usize) -> bool {
        let Node { id, act, .. } = &self.nodes[place];
        let entry = self.from.entry(id).filter(|_| *act == Act::Go);
        entry.is_some_and(|entry| entry.holds_data())
    }

    /// True if what comes can take rows or values.
    fn makes_room(&self, place: usize) -> bool {
        let Node { id, act, .. } = &self.nodes[place];
        let entry = self.to.entry(id).filter(|_| *act == Act::Come);
        entry.is_some_and(|entry| entry.holds_data())
    }

    /// A definition that lists the columns of a table by their place is for those that stay.
    fn add_listed(&mut self) {
        let mut going: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let parent = self.from.entry(node.id).and_then(|entry| entry.parent());
            if let Some(parent) = parent.filter(|_| self.loses(place)) {
                going.entry(parent).or_default().push(place);
            }
        }
        let mut wishes = Vec::new();
        for (place, Node { id, act, .. }) in self.nodes.iter().enumerate() {
            let entry = self.to.entry(id);
            let lists = entry.is_some_and(|entry| entry.lists_columns());
            if !lists || !matches!(act, Act::Alter | Act::Come) {
                continue;
            }
            let wholes: BTreeSet<&Id> = self.to.needs(id).map(|need| top(self.to, need)).collect();
            let listed = wholes.into_iter().filter_map(|whole| going.get(whole));
            let free = listed.flatten().filter(|column| {
                // One that lets go of it does so before.
                let mut needs = self.from.needs(id);
                *act == Act::Come || !needs.any(|need| need == self.nodes[**column].id)
            });
            wishes.extend(free.map(|column| (*column, place)));
        }
        for (first, second) in wishes {
            self.wish(Some(first), Some(second));
        }
    }

    /// An object that is recreated as it was, since something that it depends on is dropped, comes back after that: a foreign key
    /// to a partitioned table depends on each partition.
    fn add_unchanged(&mut self) {
        let mut wishes = Vec::new();
        for (place, Node { id, act, .. }) in self.nodes.iter().enumerate() {
            let both = self.from.entry(id).zip(self.to.entry(id));
            let is_unchanged = both.is_some_and(|(old, new)| old == new);
            if *act == Act::Come && is_unchanged {
                let dropped = self
                    .from
                    .needs(id)
                    .filter(|need| self.to.entry(need).is_none());
                wishes.extend(dropped.map(|need| (self.place(need, Act::Go), place)));
            }
        }
        for (first, second) in wishes {
            self.wish(first, Some(second));
        }
    }

    /// What comes on an object that others are untied from comes after that: a foreign key to a partitioned table would depend on
    /// the partitions that go.
    fn add_untied(&mut self) {
        let mut untied: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
        for (place, Node { id, act, .. }) in self.nodes.iter().enumerate() {
            let tie = self.from.entry(id).filter(|_| *act == Act::Go);
            for tied in tie.into_iter().flat_map(|tie| tie.ties()) {
                untied.entry(tied).or_default().push(place);
            }
        }
        let mut wishes = Vec::new();
        for (place, Node { id, act, .. }) in self.nodes.iter().enumerate() {
            let is_of = |other: &Id| top(self.to, other) == top(self.to, id);
            let needs = self.to.needs(id).filter(|_| *act == Act::Come);
            let ties = needs
                .filter(|need| !is_of(need))
                .filter_map(|need| untied.get(need));
            wishes.extend(ties.flatten().map(|tie| (*tie, place)));
        }
        for (first, second) in wishes {
            self.wish(Some(first), Some(second));
        }
    }

    /// Unread objects go with their owner, before anything is done to the other objects that they depend on.
    fn add_unread(&mut self) {
        let unread = self.from.unread().iter();
        let along: Vec<&Unread> = unread
            .filter(|unread| unread.goes_along(self.from, self.to))
            .collect();
        for unread in along {
            for owner in &unread.part_of {
                let goes = self.place(owner, Act::Go);
                let others = unread
                    .needs
                    .iter()
                    .filter(|need| self.from.line(need).all(|id| id != *owner));
                let others: Vec<&Id> = others.collect();
                for other in others {
                    for act in [Act::Go, Act::Alter, Act::Clear] {
                        self.edge(goes, self.place(other, act));
                    }
                }
            }
        }
    }

    /// True if the work on an object only adds things that must be committed before they are used. Nothing stands in the way of
    /// that.
    fn only_adds(&self, id: &Id) -> bool {
        let alters = self.work.get(id).and_then(|work| work.alters.as_ref());
        alters.is_some_and(|statements| statements.iter().all(Statement::needs_commit))
    }

    /// A name must be free before it is taken.
    fn add_slots(&mut self) {
        let mut freed: BTreeMap<Slot, usize> = BTreeMap::new();
        let mut taken: Vec<(Slot, usize)> = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let had = slots(self.from, node.id);
            let has = slots(self.to, node.id);
            match node.act {
                Act::Go => freed.extend(had.into_iter().map(|slot| (slot, place))),
                Act::Come => taken.extend(has.into_iter().map(|slot| (slot, place))),
                Act::Clear => {}
                Act::Alter => {
                    taken.extend(has.difference(&had).map(|slot| (slot.clone(), place)));
                    freed.extend(had.difference(&has).map(|slot| (slot.clone(), place)));
                }
            }
        }
        for (slot, place) in taken {
            self.edge(freed.get(&slot).copied(), Some(place));
        }
    }

    /// A child's removal is left to its parent's. Nodes that must go before the child then go before the parent.
    fn fall(&mut self) {
        for place in 0..self.nodes.len() {
            let Node { id, act, .. } = self.nodes[place];
            let heir = self
                .from
                .entry(id)
                .and_then(|entry| entry.taken_over_by(self.from, self.to))
                .and_then(|heir| self.place(&heir, Act::Alter));
            if let (Act::Go, Some(heir)) = (act, heir) {
                self.nodes[place].joins = Some(heir);
                self.nodes[place].bound = true;
                continue;
            }
            self.nodes[place].joins = match act {
                Act::Go => {
                    let above = self
                        .from
                        .entry(id)
                        .and_then(|entry| entry.falls_with(self.from));
                    above.and_then(|above| {
                        let cleared = self.place(&above, Act::Clear);
                        cleared.or(self.place(&above, Act::Go))
                    })
                }
                Act::Clear => self.place(id, Act::Alter),
                Act::Alter | Act::Come => None,
            };
        }
    }

    /// A child's clause stands in its parent's CREATE.
    fn fold(&mut self, folding: Folding) {
        for place in 0..self.nodes.len() {
            let node = &self.nodes[place];
            if node.act != Act::Come {
                continue;
            }
            let Some(entry) = self.to.entry(node.id) else {
                continue;
            };
            let parent = entry
                .parent()
                .and_then(|parent| self.place(&parent, Act::Come));
            let (Some(parent), Some(clause)) = (parent, entry.clause(self.to, &[])) else {
                continue;
            };
            if clause.is_essential() || folding == Folding::Wherever {
                self.nodes[place].joins = Some(parent);
                self.nodes[place].bound = clause.is_essential();
            }
        }
    }

    /// Orders or joins the actions that Postgres itself applies to a follower when its leader, the corresponding object of a
    /// parent table, changes.
    fn follow(&mut self) {
        for place in 0..self.nodes.len() {
            let Node { id, act, .. } = self.nodes[place];
            let entries = match act {
                Act::Go | Act::Clear => [self.from.entry(id), None],
                Act::Alter => [self.from.entry(id), self.to.entry(id)],
                Act::Come => [None, self.to.entry(id)],
            };
            let leads: Vec<Lead> = entries
                .into_iter()
                .flatten()
                .flat_map(|entry| entry.follows(self.from, self.to))
                .collect();
            for Lead {
                leader,
                comes,
                goes,
                is_namesake: _,
            } in leads
            {
                match act {
                    Act::Clear => {}
                    Act::Go => self.go_with(place, &leader, goes),
                    Act::Alter => self.alter_with(place, &leader, comes),
                    Act::Come => self.come_with(place, &leader, comes),
                }
            }
            if act == Act::Come {
                self.stand_alone(place);
            }
        }
    }

    fn go_with(&mut self, place: usize, leader: &Id, goes: Turn) {
        let Some(leading) = self.place(leader, Act::Go) else {
            return;
        };
        match goes {
            Turn::Before => self.edge(Some(place), Some(leading)),
            Turn::Along => self.join(place, leading, leader),
            Turn::After => self.edge(Some(leading), Some(place)),
        }
    }

    fn alter_with(&mut self, place: usize, leader: &Id, comes: Turn) {
        self.edge(self.place(leader, Act::Go), Some(place));
        let (altered, made) = (
            self.place(leader, Act::Alter),
            self.place(leader, Act::Come),
        );
        if comes == Turn::After {
            self.edge(altered, Some(place));
            self.edge(made, Some(place));
            self.edge_to_users(place, leader);
            return;
        }
        // A follower that becomes one with its leader must equal it before.
        self.edge(Some(place), made);
        if let Some(altered) = altered {
            self.join(place, altered, leader);
        }
    }

    fn come_with(&mut self, place: usize, leader: &Id, comes: Turn) {
        let above = self.above(place);
        // An object that comes with its own whole finds its leader there.
        let comes = match (above, comes) {
            (Some(_), Turn::Before) => Turn::Along,
            (None, Turn::Before) | (_, Turn::Along | Turn::After) => comes,
        };
        if comes != Turn::Before {
            self.edge(self.place(leader, Act::Alter), Some(place));
        }
        let Some(leading) = self.place(leader, Act::Come) else {
            return;
        };
        let along = match above {
            Some(above) => self.nodes[above].along.is_some() && self.nodes[leading].joins.is_some(),
            None => comes == Turn::Along,
        };
        if along {
            self.join(place, leading, leader);
            return;
        }
        match comes {
            Turn::Before => self.edge(Some(place), Some(leading)),
            Turn::Along => self.edge(Some(leading), Some(place)),
            Turn::After => {
                self.edge(Some(leading), Some(place));
                self.edge_to_users(place, leader);
            }
        }
    }

    /// A dependent of the leader may need all of its followers.
    fn edge_to_users(&mut self, place: usize, leader: &Id) {
        let users: Vec<Id> = self.to.needed_by(leader).cloned().collect();
        for user in users {
            self.edge(Some(place), self.place(&user, Act::Come));
        }
    }

    /// A part of what comes along with another, and does not itself, has nothing to fold into.
    fn stand_alone(&mut self, place: usize) {
        let orphaned = self
            .above(place)
            .is_some_and(|above| self.nodes[above].along.is_some());
        if orphaned && self.nodes[place].along.is_none() {
            self.nodes[place].joins = None;
            self.nodes[place].bound = false;
        }
    }

    /// The node in which the whole comes that this one is a part of.
    fn above(&self, place: usize) -> Option<usize> {
        let parent = self.to.entry(self.nodes[place].id)?.parent()?;
        self.place(&parent, Act::Come)
    }

    fn join(&mut self, place: usize, leading: usize, leader: &Id) {
        if self.nodes[place].along.is_none() {
            let node = &mut self.nodes[place];
            node.joins = Some(leading);
            node.bound = true;
            node.along = Some(leader.clone());
        }
    }

    /// Ties are dropped before any work on the objects that they connect, and created after it.
    fn tie(&mut self) {
        let ends_of = |place: &usize| {
            let Node { id, act, .. } = &self.nodes[*place];
            let entry = self.schema(*act).entry(id);
            let ends: BTreeSet<Id> = entry
                .map(|entry| entry.ties())
                .into_iter()
                .flatten()
                .collect();
            (!ends.is_empty()).then_some((*place, ends))
        };
        let ties: BTreeMap<usize, BTreeSet<Id>> = (0..self.nodes.len())
            .filter_map(|place| ends_of(&place))
            .collect();
        if ties.is_empty() {
            return;
        }
        let mut below: BTreeMap<&Id, Vec<usize>> = BTreeMap::new();
        for (place, Node { id, act, .. }) in self.nodes.iter().enumerate() {
            if !ties.contains_key(&place) {
                below
                    .entry(top(self.schema(*act), id))
                    .or_default()
                    .push(place);
            }
        }
        let mut gone: BTreeMap<&Id, Vec<usize>> = BTreeMap::new();
        let mut edges = Vec::new();
        for (place, ends) in &ties {
            let goes = self.nodes[*place].act == Act::Go;
            // A clause comes before what comes after its statement; and yet it would hand down what is to go.
            let folded = self.nodes[*place].bound;
            for id in ends {
                if goes {
                    gone.entry(id).or_default().push(*place);
                }
                for other in below.get(id).into_iter().flatten() {
                    if goes || self.comes_after(*other, *place) {
                        edges.push((*place, *other));
                    } else if !folded || self.loses(*other) {
                        edges.push((*other, *place));
                    }
                }
            }
        }
        for (place, ends) in &ties {
            if self.nodes[*place].act != Act::Go {
                let before = ends.iter().filter_map(|id| gone.get(id)).flatten();
                edges.extend(before.map(|gone| (*gone, *place)));
            }
        }
        for (first, second) in edges {
            self.edge(Some(first), Some(second));
        }
    }

    /// True if an object must be created after the tie.
    fn comes_after(&self, place: usize, tie: usize) -> bool {
        let Node { id, act, .. } = &self.nodes[place];
        let entry = self.to.entry(id).filter(|_| *act == Act::Come);
        entry.is_some_and(|entry| entry.comes_after(self.to).contains(self.nodes[tie].id))
    }

    fn root(&self, place: usize) -> usize {
        let mut root = place;
        while let Some(above) = self.nodes[root].joins {
            root = above;
        }
        root
    }

    fn schema(&self, act: Act) -> &'a Schema {
        match act {
            Act::Go | Act::Clear => self.from,
            Act::Alter | Act::Come => self.to,
        }
    }
}

/// The names that an object has in a schema.
fn slots(schema: &Schema, id: &Id) -> BTreeSet<Slot> {
    schema
        .entry(id)
        .map(|entry| entry.occupies().into_iter().collect())
        .unwrap_or_default()
}

/// The outermost object that the object is a part of.
pub(super) fn top<'a>(schema: &'a Schema, id: &'a Id) -> &'a Id {
    let mut top = id;
    while let Some((parent, _)) = schema
        .entry(top)
        .and_then(|entry| entry.parent())
        .and_then(|parent| schema.entries_at(&parent))
    {
        top = parent;
    }
    top
}
