//! Work on each object: the differences, and everything that stands in their way.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Alter, Entry, Id, Kind, Schema, Statement, Unread};

use super::{NotYet, PlanError, graph::top};
use crate::diff::{Delta, diff};

/// The work on one object. An object that is replaced both goes and comes.
#[derive(Default, Debug)]
pub(super) struct Work {
    pub(super) goes: bool,
    pub(super) alters: Option<Vec<Statement>>,
    /// The statements that drop the old object if the new one is made beside it; dependents of the old one fall with it.
    pub(super) clears: Option<Vec<Statement>>,
    pub(super) comes: bool,
}

struct Closure<'a> {
    from: &'a Schema,
    to: &'a Schema,
    work: BTreeMap<Id, Work>,
    rebuilds: BTreeMap<Id, Rebuild>,
    parts: BTreeMap<Id, BTreeSet<Kind>>,
    not_yet: BTreeSet<NotYet>,
    queue: Vec<Id>,
}

struct Rebuild {
    before: Vec<Statement>,
    moves: Vec<Statement>,
}

/// Finds all work, or everything that cannot be done.
pub(super) fn work(from: &Schema, to: &Schema) -> Result<BTreeMap<Id, Work>, PlanError> {
    let mut closure = Closure {
        from,
        to,
        work: BTreeMap::new(),
        rebuilds: BTreeMap::new(),
        parts: BTreeMap::new(),
        not_yet: BTreeSet::new(),
        queue: Vec::new(),
    };
    for (id, delta) in diff(from, to) {
        closure.delta(id, delta);
    }
    while let Some(id) = closure.queue.pop() {
        closure.make_way(&id);
    }
    closure.lost_needs();
    closure.lost_rights();
    closure.finish()
}

impl Closure<'_> {
    fn delta(&mut self, id: &Id, delta: Delta<'_>) {
        let namesake = match delta {
            Delta::Create(entry) => namesake(entry, self.from),
            Delta::Remove(entry) => namesake(entry, self.to),
            Delta::Change { .. } => None,
        };
        if let Some(unread) = namesake {
            self.refuse(
                id.to_string(),
                format!(
                    "on the other side it is {unread}, and trueup does not read that kind of object"
                ),
            );
            return;
        }
        let mut work = Work::default();
        match delta {
            Delta::Create(_) => work.comes = true,
            Delta::Remove(_) => work.goes = true,
            Delta::Change { from, to } => match from.alter(to, self.from, self.to) {
                Alter::InPlace(statements) => work.alters = Some(statements),
                Alter::Replace => (work.goes, work.comes) = (true, true),
                Alter::Rebuild {
                    aside,
                    mut create,
                    drop,
                } => {
                    let mut before = aside;
                    before.append(&mut create);
                    self.rebuilds.insert(
                        id.clone(),
                        Rebuild {
                            before,
                            moves: Vec::new(),
                        },
                    );
                    work.alters = Some(Vec::new());
                    work.clears = Some(drop);
                }
                Alter::NotYet(why) => self.refuse(id.to_string(), why),
            },
        }
        self.work.insert(id.clone(), work);
        self.queue.push(id.clone());
    }

    /// Takes down and puts back what would stand in the way of the work on one object.
    fn make_way(&mut self, id: &Id) {
        let Some(work) = self.work.get(id) else {
            return;
        };
        let (goes, comes, changes) = (work.goes, work.comes, work.alters.is_some());
        let alters = || work.alters.iter().flatten();
        let disturbed = kinds(alters(), Statement::disturbed);
        let parted = kinds(alters(), Statement::parted);
        let rebuilt = self.rebuilds.contains_key(id);
        if goes || rebuilt || !disturbed.is_empty() {
            self.refuse_for_unread(id);
        }
        if goes || !disturbed.is_empty() {
            self.make_way_below(id, goes && comes, &disturbed);
        }
        if changes {
            self.hold_below(id);
        }
        if comes {
            self.make_way_for_tie(id);
        }
        let dependents: Vec<Id> = self.from.needed_by(id).cloned().collect();
        for dependent in dependents {
            if self.is_going(&dependent) {
                continue;
            }
            if rebuilt {
                self.move_over(&dependent, id);
            } else if disturbed.contains(&dependent.kind()) {
                self.replace(&dependent, id);
            } else if goes {
                let lets_go = self
                    .work
                    .get(&dependent)
                    .is_some_and(|work| work.alters.is_some())
                    && !self.to.needs(&dependent).any(|on| on == id);
                if !lets_go {
                    self.replace(&dependent, id);
                }
            }
        }
        self.part(id, &parted);
    }

    /// Takes down and puts back what needs two objects that do not change at once.
    fn part(&mut self, id: &Id, parted: &BTreeSet<Kind>) {
        if parted.is_empty() {
            return;
        }
        let dependents: Vec<Id> = self
            .from
            .needed_by(id)
            .filter(|dependent| parted.contains(&dependent.kind()))
            .filter(|dependent| {
                let others = self.from.needs(dependent).filter(|other| *other != id);
                let parts = others.filter_map(|other| self.parts.get(other));
                parts.flatten().any(|kind| *kind == dependent.kind())
            })
            .filter(|dependent| self.to.entry(dependent).is_some())
            .cloned()
            .collect();
        for dependent in dependents {
            self.replace(&dependent, id);
        }
        self.parts.insert(id.clone(), parted.clone());
        for follower in self.followers(id) {
            self.part(&follower, parted);
        }
    }

    /// Postgres applies a change also to an object's followers, so dependents of the followers stand in the way as much.
    fn make_way_below(&mut self, leader: &Id, comes: bool, disturbed: &BTreeSet<Kind>) {
        for follower in self.followers(leader) {
            self.refuse_for_unread(&follower);
            let dependents: Vec<Id> = self.from.needed_by(&follower).cloned().collect();
            for dependent in dependents {
                if disturbed.contains(&dependent.kind()) && !self.is_going(&dependent) {
                    self.replace(&dependent, &follower);
                }
            }
            if comes && !self.is_going(&follower) {
                self.replace(&follower, leader);
            }
            self.make_way_below(&follower, false, disturbed);
        }
    }

    /// Objects that a new tie requires to be absent are recreated after it.
    fn make_way_for_tie(&mut self, tie: &Id) {
        let ends = self.to.entry(tie).map(|entry| entry.ties());
        let ends: Vec<Id> = ends.into_iter().flatten().collect();
        let parts = ends.iter().flat_map(|id| self.to.children(id));
        let in_the_way: Vec<Id> = parts
            .filter(|part| self.from.entry(part).is_some() && !self.is_going(part))
            .filter(|part| {
                let entry = self.to.entry(part);
                entry.is_some_and(|entry| entry.comes_after(self.to).contains(tie))
            })
            .cloned()
            .collect();
        for part in in_the_way {
            self.replace(&part, tie);
        }
    }

    /// Plans the own statements of an object's followers when it changes, or refuses if a follower cannot change along.
    fn hold_below(&mut self, leader: &Id) {
        for follower in self.followers(leader) {
            if self.work.contains_key(&follower) {
                continue;
            }
            let (Some(old), Some(new)) = (self.from.entry(&follower), self.to.entry(&follower))
            else {
                continue;
            };
            match old.alter(new, self.from, self.to) {
                Alter::InPlace(statements) if !statements.is_empty() => {
                    let work = Work {
                        alters: Some(statements),
                        ..Work::default()
                    };
                    self.work.insert(follower.clone(), work);
                    self.queue.push(follower);
                }
                Alter::NotYet(why) => self.refuse(follower.to_string(), why),
                Alter::InPlace(_) | Alter::Replace | Alter::Rebuild { .. } => {}
            }
        }
    }

    fn is_going(&self, id: &Id) -> bool {
        self.work.get(id).is_some_and(|work| work.goes) || self.to.entry(id).is_none()
    }

    /// The objects to which Postgres does what is done to this one.
    fn followers(&self, leader: &Id) -> Vec<Id> {
        let top = top(self.from, leader);
        let ties = self.from.needed_by(top);
        let beside: Vec<Id> = ties
            .filter_map(|tie| self.from.entry(tie))
            .flat_map(|tie| tie.ties())
            .filter(|tied| tied != top)
            .collect();
        let mut followers = Vec::new();
        let mut parts = beside;
        while let Some(part) = parts.pop() {
            parts.extend(self.from.children(&part).cloned());
            let follows = self.from.entry(&part).is_some_and(|entry| {
                let leads = entry.follows(self.from, self.to);
                leads.iter().any(|lead| lead.leader == *leader)
            });
            if follows {
                followers.push(part);
            }
        }
        followers
    }

    /// Keeps the data of what needs a rebuilt object, or takes it down and puts it back where there is none.
    fn move_over(&mut self, dependent: &Id, rebuilt: &Id) {
        let stays = self.to.needs(dependent).any(|on| on == rebuilt);
        let recast = self
            .from
            .entry(dependent)
            .and_then(|entry| entry.recast(rebuilt, self.from, self.to));
        let Some(statements) = recast else {
            return self.replace(dependent, rebuilt);
        };
        if !stays {
            return;
        }
        let disturbed = kinds(&statements, Statement::disturbed);
        let parted = kinds(&statements, Statement::parted);
        self.refuse_for_unread(dependent);
        let beyond: Vec<Id> = self.from.needed_by(dependent).cloned().collect();
        for other in beyond {
            if disturbed.contains(&other.kind()) && self.to.entry(&other).is_some() {
                self.replace(&other, dependent);
            }
        }
        // A follower of an object that moves is moved with it by Postgres.
        let leads = self
            .from
            .entry(dependent)
            .map(|entry| entry.follows(self.from, self.to));
        let moves_along = leads
            .into_iter()
            .flatten()
            .any(|lead| self.from.needs(&lead.leader).any(|on| on == rebuilt));
        self.part(dependent, &parted);
        if moves_along {
            return;
        }
        if let Some(rebuild) = self.rebuilds.get_mut(rebuilt) {
            rebuild.moves.extend(statements);
        }
    }

    fn replace(&mut self, id: &Id, because_of: &Id) {
        let object = id.to_string();
        if self.not_yet.iter().any(|not_yet| not_yet.object == object) {
            return;
        }
        // A part's data is lost or kept with its whole, whose own statements declare that.
        let is_part = |entry: &Entry| {
            let leads = entry.follows(self.from, self.to);
            entry.parent().as_ref() == Some(because_of)
                || leads.iter().any(|lead| lead.leader == *because_of)
        };
        if self
            .from
            .entry(id)
            .is_some_and(|entry| entry.holds_data() && !is_part(entry))
        {
            let why = format!(
                "it needs {because_of}, which is to go, and cannot be made anew without losing its data"
            );
            return self.refuse(id.to_string(), why);
        }
        let work = self.work.entry(id.clone()).or_default();
        if !(work.goes && work.comes) {
            *work = Work {
                goes: true,
                comes: true,
                ..Work::default()
            };
            self.rebuilds.remove(id);
            self.queue.push(id.clone());
        }
    }

    /// Refuses to drop an object that others in `to` depend on.
    fn lost_needs(&mut self) {
        let lost: Vec<(Id, Id)> = self
            .work
            .iter()
            .filter(|(_, work)| work.goes && !work.comes)
            .flat_map(|(id, _)| {
                self.to
                    .needed_by(id)
                    .map(move |dependent| (dependent.clone(), id.clone()))
            })
            .collect();
        for (dependent, id) in lost {
            self.refuse(
                dependent.to_string(),
                format!("it needs {id}, which is to go"),
            );
        }
    }

    /// Refuses to recreate an object whose grants, owner or security label would be lost.
    fn lost_rights(&mut self) {
        let anew = self
            .work
            .iter()
            .filter(|(_, work)| work.goes && work.comes || work.clears.is_some());
        let mut lost: Vec<(Id, String)> = Vec::new();
        for (id, _) in anew {
            let sides = [self.from, self.to];
            let entries = sides.iter().filter_map(|side| side.entry(id));
            if entries.into_iter().any(|entry| entry.is_granted()) {
                let why = "it has to be made anew, and what is granted on it would be lost; migrations by hand can revoke that \
                    before, and grant it again afterwards";
                lost.push((id.clone(), why.to_owned()));
            }
            if sides.iter().any(|side| side.is_labelled(id)) {
                let why = "it has to be made anew, and its security label would be lost";
                lost.push((id.clone(), why.to_owned()));
            }
            if let Some((owner, maker)) = sides.iter().find_map(|side| side.other_owner(id)) {
                let why = format!(
                    "it has to be made anew, and would belong to {maker} then and not to {owner}; migrations by hand can \
                     give it to {maker} before, and back afterwards"
                );
                lost.push((id.clone(), why));
            }
        }
        for (id, why) in lost {
            self.refuse(id.to_string(), why);
        }
    }

    fn refuse_for_unread(&mut self, id: &Id) {
        let in_the_way: Vec<String> = self
            .from
            .unread()
            .iter()
            .filter(|unread| unread.needs.contains(id))
            .filter(|unread| !unread.goes_along(self.from, self.to))
            .map(|unread| unread.what.clone())
            .collect();
        for what in in_the_way {
            self.refuse(
                id.to_string(),
                format!("{what} needs it, and trueup does not read that kind of object"),
            );
        }
    }

    fn refuse(&mut self, object: String, why: String) {
        self.not_yet.insert(NotYet { object, why });
    }

    fn finish(mut self) -> Result<BTreeMap<Id, Work>, PlanError> {
        if !self.not_yet.is_empty() {
            return Err(PlanError::NotYet(self.not_yet.into_iter().collect()));
        }
        for (
            id,
            Rebuild {
                mut before,
                mut moves,
            },
        ) in self.rebuilds
        {
            before.append(&mut moves);
            if let Some(work) = self.work.get_mut(&id) {
                work.alters = Some(before);
            }
        }
        Ok(self.work)
    }
}

fn kinds<'a>(
    statements: impl IntoIterator<Item = &'a Statement>,
    of: impl Fn(&'a Statement) -> &'a [Kind],
) -> BTreeSet<Kind> {
    let kinds = statements.into_iter().flat_map(of);
    kinds.copied().collect()
}

/// An unread object that occupies a name of the entry: a table that is partitioned on one side, say.
fn namesake<'a>(entry: &Entry, within: &'a Schema) -> Option<&'a str> {
    let names = entry.occupies();
    let has_one = |unread: &&Unread| unread.occupies.iter().any(|name| names.contains(name));
    within
        .unread()
        .iter()
        .find(has_one)
        .map(|unread| unread.what.as_str())
}
