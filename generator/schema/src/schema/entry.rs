//! One object of a schema: the door to whatever room it is of.

use serde::{Deserialize, Serialize};

use super::Schema;
use crate::{
    Alter, Clause, Hazard, Id, Keeping, Lead, Slot, Statement,
    objects::{AnyObject, namespace::Namespace},
};

/// One thing in the catalog: `(classid, objid, objsubid)`, as `pg_depend` writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Address {
    /// The catalog it is a row of, as that catalog's `pg_class.oid`.
    pub class: i64,
    /// Its oid there.
    pub object: i64,
    /// The column's number, or 0.
    pub sub: i64,
}

/// An object in a schema, with what is known about it besides what it is. Only the object takes part in equality.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub(crate) object: AnyObject,
    #[serde(skip)]
    pub(crate) addresses: Vec<Address>,
    #[serde(default)]
    pub(crate) position: i32,
    /// True if privileges are granted or revoked that differ from the default.
    #[serde(default)]
    pub(crate) granted: bool,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object
    }
}

impl Entry {
    /// The object's id.
    #[must_use]
    pub fn id(&self) -> Id {
        self.object.id()
    }

    /// Its place among its siblings.
    #[must_use]
    pub fn position(&self) -> i32 {
        self.position
    }

    /// True if privileges are granted or revoked that differ from those at its creation.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        self.granted
    }

    /// The object that it is a part of.
    #[must_use]
    pub fn parent(&self) -> Option<Id> {
        self.object.parent()
    }

    /// The object whose removal takes it along.
    #[must_use]
    pub fn falls_with(&self, within: &Schema) -> Option<Id> {
        self.object.falls_with(within)
    }

    /// The object that takes over what it holds while it is altered, and removes it then.
    #[must_use]
    pub fn taken_over_by(&self, from: &Schema, to: &Schema) -> Option<Id> {
        self.object.taken_over_by(from, to)
    }

    /// True if dropping it loses data.
    #[must_use]
    pub fn holds_data(&self) -> bool {
        self.object.holds_data()
    }

    /// True if its text may list every column of a table that it reads, by their places.
    #[must_use]
    pub fn lists_columns(&self) -> bool {
        self.object.lists_columns()
    }

    /// The objects that it ties to each other.
    #[must_use]
    pub fn ties(&self) -> Vec<Id> {
        self.object.ties()
    }

    /// Inheritance links that must exist first.
    #[must_use]
    pub fn comes_after(&self, within: &Schema) -> Vec<Id> {
        self.object.comes_after(within)
    }

    /// Leaders of the object: the like objects of the tables that its own inherits from.
    #[must_use]
    pub fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        self.object.follows(from, to)
    }

    /// Statements still needed after it was created along with its leader.
    #[must_use]
    pub fn follow(&self, leader: &Self, within: &Schema) -> Vec<Statement> {
        self.object.follow(&leader.object, within)
    }

    /// The statement that computes what a copy without rows has not computed.
    #[must_use]
    pub fn refresh(&self) -> Option<Statement> {
        self.object.refresh()
    }

    /// The names it takes.
    #[must_use]
    pub fn occupies(&self) -> Vec<Slot> {
        self.object.occupies()
    }

    /// True if something other than a migration is expected to create such objects.
    #[must_use]
    pub fn is_scheduled(&self, within: &Schema) -> bool {
        self.object.is_scheduled(within)
    }

    /// The statements that create it, with its folded children's clauses.
    #[must_use]
    pub fn create(&self, within: &Schema, clauses: &[Clause]) -> Vec<Statement> {
        self.object.create(within, clauses)
    }

    /// The statement that creates it where nothing of its name is there; `None` where what is there could be another.
    #[must_use]
    pub fn create_if_absent(&self, within: &Schema) -> Option<Statement> {
        self.object.create_if_absent(within)
    }

    /// Clause that it contributes to its parent's CREATE, where it can stand there.
    #[must_use]
    pub fn clause(&self, within: &Schema, clauses: &[Clause]) -> Option<Clause> {
        self.object.clause(within, clauses)
    }

    /// The statements that remove it.
    #[must_use]
    pub fn remove(&self, within: &Schema) -> Vec<Statement> {
        self.object.remove(within)
    }

    /// Change from this object to `next`, between the two schemas.
    pub fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        self.object.alter(&next.object, from, to)
    }

    /// True if it can become `next` only by going and coming anew.
    #[must_use]
    pub fn is_remade(&self, next: &Self, from: &Schema, to: &Schema) -> bool {
        match self.alter(next, from, to) {
            Alter::Replace => true,
            Alter::InPlace(_) | Alter::Rebuild { .. } | Alter::NotYet(_) => false,
        }
    }

    /// Loss when it is replaced by `next` in the schema `to`, where neither the removal nor the creation states it.
    #[must_use]
    pub fn loss(&self, next: &Self, to: &Schema) -> Option<Hazard> {
        self.object.loss(&next.object, to)
    }

    /// True if every row that it allows is allowed by `next`, where no value changes between them.
    #[must_use]
    pub fn vouches(&self, next: &Self) -> bool {
        self.object.vouches(&next.object)
    }

    /// Statements that keep its data while one of its dependencies is rebuilt.
    #[must_use]
    pub fn recast(&self, replaced: &Id, from: &Schema, to: &Schema) -> Option<Vec<Statement>> {
        self.object.recast(replaced, from, to)
    }

    /// The statement that gives it another name.
    #[must_use]
    pub fn rename(&self, to: &str) -> Option<Statement> {
        self.object.rename(to)
    }

    /// The same object in another namespace, and the statement that moves it there.
    #[must_use]
    pub fn relocate(&self, namespace: &str) -> Option<(Self, Statement)> {
        let (object, statement) = self.object.relocate(namespace)?;
        Some((self.with(object), statement))
    }

    /// Parts that have a name and are no objects of their own.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        self.object.parts()
    }

    /// The same object with one of its parts called otherwise, and the statement for that.
    #[must_use]
    pub fn rename_part(&self, part: &str, to: &str) -> Option<(Self, Statement)> {
        let (object, statement) = self.object.rename_part(part, to)?;
        Some((self.with(object), statement))
    }

    /// The object with the names that Postgres would choose now, where it has those that Postgres chose before. `before` is
    /// the same object in `old`, and this is in `new`.
    #[must_use]
    pub fn name_anew(&self, before: &Self, old: &Schema, new: &Schema) -> Self {
        self.with(self.object.name_anew(&before.object, old, new))
    }

    /// True if another object could be this one under another name.
    #[must_use]
    pub fn resembles(&self, within: &Schema, other: &Self, others: &Schema) -> bool {
        self.object.resembles(within, &other.object, others)
    }

    /// Its address in the catalog, where it has one. No rename changes that.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.addresses.first().copied()
    }

    /// A namespace that is not there yet.
    #[must_use]
    pub fn namespace(name: &str) -> Self {
        Self {
            object: AnyObject::Namespace(Namespace::new(name)),
            addresses: Vec::new(),
            position: 0,
            granted: false,
        }
    }

    fn with(&self, object: AnyObject) -> Self {
        Self {
            object,
            ..self.clone()
        }
    }

    /// True if models can declare it.
    #[must_use]
    pub fn declarable(&self, within: &Schema) -> bool {
        self.object.declarable(within)
    }

    /// True if it must be dropped explicitly, even where its dependencies are dropped.
    #[must_use]
    pub fn holds_on(&self) -> bool {
        self.object.holds_on()
    }

    /// True if it is used by many and belongs to none of them: a filter that takes what needs it takes it too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.object.is_shared()
    }

    /// The statement that takes it, where it is there, out of a throw-away database, with all that hangs on it; `None` for what
    /// goes with
    /// something else, or can stay there.
    #[must_use]
    pub fn clear(&self) -> Option<String> {
        self.object.clear()
    }

    /// The line that `pg_dump` writes of it, where that would make another one, and what makes the same.
    #[must_use]
    pub fn dumped(&self) -> Option<[String; 2]> {
        self.object.dumped()
    }

    /// The name under which its files are installed on a server, where it can only be made of such.
    #[must_use]
    pub fn package(&self) -> Option<String> {
        self.object.package()
    }

    /// The declared object with what models have no way to say, and what they do not decide here, taken from the one that is
    /// there.
    #[must_use]
    pub fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        Self {
            object: self.object.keep(&there.object, keeping),
            ..self.clone()
        }
    }

    /// True if both belong to the same object and differ in nothing but a name that Postgres could have generated.
    #[must_use]
    pub fn same_but_for_name(&self, within: &Schema, other: &Self, others: &Schema) -> bool {
        match (self.naming(within), other.naming(others)) {
            (Some((scope, _)), Some((other_scope, _))) => {
                scope == other_scope && self.object.named("") == other.object.named("")
            }
            (None | Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Scope of its name and the generated name, where Postgres generates one when none is written.
    #[must_use]
    pub fn naming(&self, within: &Schema) -> Option<(Id, String)> {
        self.object.naming(within)
    }

    /// The same object under another name, where it can have one.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self {
            object: self.object.named(name),
            ..self.clone()
        }
    }
}
