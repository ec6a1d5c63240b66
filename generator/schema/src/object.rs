//! Trait that every kind of Postgres object implements. One implementation a kind: its room, under `objects/`.
//!
//! Architecture invariant: all that is known about one kind stands in its room. Code outside calls these methods through
//! [`Entry`](crate::Entry) and cannot ask which kind it has in hand.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Display},
    ops::Deref,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Clause, Hazard, Id, Member, Name, Schema, Server, Statement,
    name::{Path, quoted_ident},
    read::Claims,
};

/// One kind of Postgres object: how it is read, what it needs, how it comes, changes and goes, and what that risks.
pub(crate) trait Object: Clone + Eq + Debug + Serialize + DeserializeOwned {
    /// Postgres' name for the kind, in lower case: `foreign key`.
    const NAME: &'static str;

    /// Name for parts that are no objects of their own.
    const PART: &'static str = "part";

    /// True if programs use its name in the SQL that they send.
    const IS_NAMED_BY_PROGRAMS: bool = true;

    /// Identity of an object within the kind.
    type Key: Clone + Ord + Debug + Display + Path + Serialize + DeserializeOwned;

    /// A FROM clause that finds a row wherever [`Object::catalog`] does, and is planned in no time: a kind of which it finds
    /// none is not read.
    fn traces() -> String;

    /// The SELECT that reads all objects of the kind, with three columns: `addresses int8[]`, the flattened
    /// `(classid, objid, objsubid)` of everything in the catalog that is this object; `position int4`, its place among
    /// its siblings; and `object json`, the row that [`Object::decode`] takes.
    fn catalog(server: Server) -> String;

    /// Makes the object of its row; `None` where the row hangs on something that no room reads.
    fn decode(row: &[u8], _claims: &Claims) -> Result<Option<Self>, serde_json::Error> {
        serde_json::from_slice(row).map(Some)
    }

    /// The object's key.
    fn key(&self) -> Self::Key;

    /// The object that this one is a part of.
    fn parent(&self) -> Option<Id> {
        None
    }

    /// The object whose removal takes this one along.
    fn falls_with(&self, _within: &Schema) -> Option<Id> {
        self.parent()
    }

    /// The object that takes over what this one holds while it is altered, and removes it then.
    fn taken_over_by(&self, _from: &Schema, _to: &Schema) -> Option<Id> {
        None
    }

    /// True if dropping the object loses rows or values that creating it again does not bring back.
    fn holds_data(&self) -> bool {
        false
    }

    /// The statement that computes what a copy without rows has not computed.
    fn refresh(&self) -> Option<Statement> {
        None
    }

    /// True if creating the object must wait for this dependency, which the catalog records.
    fn needs(&self, _on: &Id) -> bool {
        true
    }

    /// Dependencies missing from `pg_depend`.
    fn also_needs(&self) -> Vec<Id> {
        Vec::new()
    }

    /// The objects that it ties to each other. It goes before anything is done to them and their parts, and comes when all
    /// is done; of those that tie the same, all that go do so before any comes.
    fn ties(&self) -> Vec<Id> {
        Vec::new()
    }

    /// Inheritance links that must exist first; otherwise ATTACH PARTITION adopts the wrong index.
    fn comes_after(&self, _within: &Schema) -> Vec<Id> {
        Vec::new()
    }

    /// The like objects of the tables that its own table inherits from, as long as it does so while the one schema becomes
    /// the other.
    fn follows(&self, _from: &Schema, _to: &Schema) -> Vec<Lead> {
        Vec::new()
    }

    /// Statements still needed after it was created along with `leader`.
    fn follow(&self, _leader: &Self, _within: &Schema) -> Vec<Statement> {
        Vec::new()
    }

    /// Its designation in SQL, as in `COMMENT ON …`: `COLUMN public.users.email`.
    fn designation(key: &Self::Key) -> String;

    /// The names it takes, which nothing else may have at the same time.
    fn occupies(&self) -> Vec<Slot> {
        Vec::new()
    }

    /// The statements that create it; `clauses` are those of its children that folded into it.
    fn create(&self, within: &Schema, clauses: &[Clause]) -> Vec<Statement>;

    /// The statement that creates it where nothing of its name is there; `None` where what is there could be another than this one.
    fn create_if_absent(&self, _within: &Schema) -> Option<Statement> {
        None
    }

    /// Clause that it contributes to its parent's CREATE, where it can stand there.
    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        None
    }

    /// The statements that remove it.
    fn remove(&self, within: &Schema) -> Vec<Statement>;

    /// Change from this object to `next`, which has the same key and is not equal, between the two schemas. Destructure
    /// both without `..`.
    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter;

    /// Loss when it is replaced by `next` in the schema `to`, where neither the removal nor the creation states it.
    fn loss(&self, _next: &Self, _to: &Schema) -> Option<Hazard> {
        None
    }

    /// True if every row that it allows is allowed by `next`, where no value changes between them.
    fn vouches(&self, _next: &Self) -> bool {
        false
    }

    /// Statements that keep its data while its dependency `replaced` is rebuilt; `None` where it is dropped and recreated.
    fn recast(&self, _replaced: &Id, _from: &Schema, _to: &Schema) -> Option<Vec<Statement>> {
        None
    }

    /// True if something other than a migration is expected to create such objects, so that an unmanaged one is no drift.
    fn is_scheduled(&self, _within: &Schema) -> bool {
        false
    }

    /// True if CLUSTER orders its parent by it.
    fn clusters(&self) -> bool {
        false
    }

    /// The same object under another key; `None` where SQL has no way to give it one.
    fn keyed(&self, _key: Self::Key) -> Option<Self> {
        None
    }

    /// The same object under another name, where it can have one.
    fn named(&self, name: &str) -> Self {
        let named = self.key().with_name(name).and_then(|key| self.keyed(key));
        named.unwrap_or_else(|| self.clone())
    }

    /// The statement that gives it another name, where it can have one.
    fn rename(key: &Self::Key, to: &str) -> Statement {
        let to = quoted_ident(to);
        named_by_programs::<Self>(
            key,
            Statement::new(
                format!("Rename {} {key} to {to}", Self::NAME),
                format!("ALTER {} RENAME TO {to}", Self::designation(key)),
            ),
        )
    }

    /// The statement that moves it to another namespace; `None` where it goes with something else, or is made anew there.
    fn relocate(key: &Self::Key, namespace: &str) -> Option<Statement> {
        let namespace = quoted_ident(namespace);
        Some(named_by_programs::<Self>(
            key,
            Statement::new(
                format!("Move {} {key} to namespace {namespace}", Self::NAME),
                format!("ALTER {} SET SCHEMA {namespace}", Self::designation(key)),
            ),
        ))
    }

    /// Parts that have a name and are no objects of their own: the labels of an enum type.
    fn parts(&self) -> &[String] {
        &[]
    }

    /// The same object with one of its parts called otherwise, and the statement for that.
    fn rename_part(&self, _part: &str, _to: &str) -> Option<(Self, Statement)> {
        None
    }

    /// The name that Postgres would choose for it if none were written.
    fn chosen_name(&self, _within: &Schema) -> Option<String> {
        None
    }

    /// Recomputes auto-generated names after a rename. `before` is the same object in `old`, and `self` is in `new`.
    fn name_anew(&self, before: &Self, old: &Schema, new: &Schema) -> Self {
        let (Some(was), Some(is)) = (before.chosen_name(old), self.chosen_name(new)) else {
            return self.clone();
        };
        let has_that = |object: &Self| object.key().path().last() == Some(&was.as_str());
        if has_that(before) && has_that(self) {
            self.named(&is)
        } else {
            self.clone()
        }
    }

    /// True if another object could be this one under another name; one of them is created where the other is dropped.
    fn resembles(&self, _within: &Schema, _other: &Self, _others: &Schema) -> bool {
        false
    }

    /// Scope of its name and the generated name, where Postgres generates one when none is written.
    fn naming(&self, within: &Schema) -> Option<(Id, String)> {
        self.chosen_name(within)?;
        let key = self.key();
        Some((self.parent()?, (*key.path().last()?).to_owned()))
    }

    /// The declared object with what models have no way to say, and what they do not decide here, taken from the one that is
    /// there. Destructure it without `..`, so that nothing is taken from there unnamed.
    fn keep(&self, _there: &Self, _keeping: &Keeping<'_>) -> Self {
        self.clone()
    }

    /// True if models can declare it. Objects that they cannot declare stay when no model mentions them.
    fn declarable(&self, _within: &Schema) -> bool {
        true
    }

    /// True if it must be dropped explicitly, even where its dependencies are dropped: Postgres would ask for CASCADE.
    fn holds_on(&self) -> bool {
        false
    }

    /// True if its text may list every column of a table that it reads, by their places, as an alias and RETURNING do.
    fn lists_columns(&self) -> bool {
        false
    }

    /// True if it is used by many and belongs to none of them: a filter that takes what needs it takes it too.
    fn is_shared(&self) -> bool {
        false
    }

    /// The statement that takes it, where it is there, and all that hangs on it out of a throw-away database. `None` for what goes
    /// with
    /// something else, and for what can stay there: what models cannot declare, or alter where it stands.
    fn clear(&self) -> Option<String> {
        None
    }

    /// The line that `pg_dump` writes of it, where that would make another one, and what makes the same.
    fn dumped(&self) -> Option<[String; 2]> {
        None
    }

    /// The name under which its files are installed on a server, where it can only be made of such.
    fn package(&self) -> Option<String> {
        None
    }
}

/// The statement after which nothing is called `key`.
fn named_by_programs<O: Object>(key: &O::Key, statement: Statement) -> Statement {
    if O::IS_NAMED_BY_PROGRAMS {
        statement.hazard(Hazard::names(key))
    } else {
        statement
    }
}

/// Context for completing a declared object from the existing one.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The values that models decide, of those that may be left as they are.
    pub decided: &'a BTreeSet<Detail>,
    /// Schema of the declared objects, unmanaged ones included.
    pub within: &'a Schema,
    /// Schema of the existing objects.
    pub from: &'a Schema,
}

impl Keeping<'_> {
    /// True if models decide this of the object.
    pub(crate) fn decides(&self, detail: Detail) -> bool {
        self.decided.contains(&detail)
    }
}

/// Way in which an object becomes another with the same key.
#[must_use]
#[derive(Debug)]
pub enum Alter {
    /// By these statements.
    InPlace(Vec<Statement>),
    /// By removing and creating it, and what needs it.
    Replace,
    /// By making a new one beside it, moving the data over, and dropping the old one.
    Rebuild {
        /// Gets the old one out of the way.
        aside: Vec<Statement>,
        /// Creates the new one.
        create: Vec<Statement>,
        /// Drops the old one, which nothing uses any more.
        drop: Vec<Statement>,
    },
    /// Not at all, for this reason: the rest of the sentence "not yet: …".
    NotYet(String),
}

/// Relation of an object to the like object of a table that its own table inherits from: its leader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lead {
    /// The leader.
    pub leader: Id,
    /// Turn in which it is created, where both are created. An object that is created along also changes along.
    pub comes: Turn,
    /// Turn in which it is dropped, where both are dropped.
    pub goes: Turn,
    /// True if it is renamed whenever the leader is.
    pub is_namesake: bool,
}

/// Turn of a change to an object relative to the same change to its leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// By a statement of its own, before.
    Before,
    /// By the statement that does it to the leader.
    Along,
    /// By a statement of its own, afterwards.
    After,
}

/// Property that models may leave undeclared, and decide where they declare it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum Detail {
    /// Existence.
    Presence,
    /// The storage parameters of a table.
    Parameters,
    /// The name of a column's NOT NULL.
    NameOfNotNull,
    /// Storage of a column's values.
    Storage,
    /// Compression of a column's values.
    Compression,
    /// Statistics target.
    Statistics,
    /// Bounds and increment of a sequence.
    Counting,
}

/// Metadata, excluded from equality.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Metadata<T>(T);

impl<T> Metadata<T> {
    pub(crate) fn new(what: T) -> Self {
        Self(what)
    }
}

impl<T> PartialEq for Metadata<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Metadata<T> {}

impl<T> Deref for Metadata<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A name that only one thing can have at a time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// In `pg_class`: tables, indexes, sequences, views.
    Relation(Name),
    /// In `pg_type`: types, and the row types of tables.
    Type(Name),
    /// In `pg_constraint`, on one relation.
    Constraint(Member),
}
