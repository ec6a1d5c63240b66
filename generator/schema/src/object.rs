//! What every kind of Postgres object must say about itself. One implementation a kind: its room, under `objects/`.
//!
//! Architecture invariant: all that is known about one kind stands in its room. What stands outside calls these methods
//! through [`Entry`](crate::Entry) and cannot ask which kind it has in hand.

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
    /// What Postgres calls the kind, in lower case: `foreign key`.
    const NAME: &'static str;

    /// What the parts of one are called that are no objects of their own.
    const PART: &'static str = "part";

    /// Whether programs say its name in what they send.
    const IS_NAMED_BY_PROGRAMS: bool = true;

    /// What tells one object of the kind from another.
    type Key: Clone + Ord + Debug + Display + Path + Serialize + DeserializeOwned;

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

    /// Whether removing the object loses rows or values that creating it again does not bring back.
    fn holds_data(&self) -> bool {
        false
    }

    /// The statement that computes what a copy without rows has not computed.
    fn refresh(&self) -> Option<Statement> {
        None
    }

    /// Whether a dependency that the catalog records is one that creating the object must wait for.
    fn needs(&self, _on: &Id) -> bool {
        true
    }

    /// What it needs and the catalog has no row in `pg_depend` for.
    fn also_needs(&self) -> Vec<Id> {
        Vec::new()
    }

    /// The objects that it ties to each other. It goes before anything is done to them and their parts, and comes when all
    /// is done; of those that tie the same, all that go do so before any comes.
    fn ties(&self) -> Vec<Id> {
        Vec::new()
    }

    /// The ties that must be there before it: without, they would take it for something that it is not.
    fn comes_after(&self, _within: &Schema) -> Vec<Id> {
        Vec::new()
    }

    /// The like objects of the tables that its own table inherits from, as long as it does so while the one schema becomes
    /// the other.
    fn follows(&self, _from: &Schema, _to: &Schema) -> Vec<Lead> {
        Vec::new()
    }

    /// What is left to say where it came along with `leader`.
    fn follow(&self, _leader: &Self, _within: &Schema) -> Vec<Statement> {
        Vec::new()
    }

    /// How SQL points at it, as in `COMMENT ON …`: `COLUMN public.users.email`.
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

    /// What it adds to its parent's CREATE, where it can stand there.
    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        None
    }

    /// The statements that remove it.
    fn remove(&self, within: &Schema) -> Vec<Statement>;

    /// How it becomes `next`, which has the same key and is not equal, while the one schema becomes the other. Destructure
    /// both without `..`.
    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter;

    /// What is lost where it goes and `next` comes in its place, and neither the one nor the other says so by itself.
    fn loss(&self, _next: &Self) -> Option<Hazard> {
        None
    }

    /// How it keeps its data while `replaced`, which it needs, is rebuilt; `None` where it is taken down and put back.
    fn recast(&self, _replaced: &Id, _from: &Schema, _to: &Schema) -> Option<Vec<Statement>> {
        None
    }

    /// Whether something else than a migration is expected to make such an object, so that one that no migration made is
    /// nothing to wonder at.
    fn is_routine(&self, _within: &Schema) -> bool {
        false
    }

    /// Whether CLUSTER orders its parent by it.
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

    /// What in it has a name and is no object of its own: the labels of an enum type.
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

    /// The object with the names that Postgres chose for it before, and would choose otherwise now that what it is called
    /// after has another name. `before` is the same object in `old`, and `self` is in `new`.
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

    /// Whether another object, of which the one comes where the other goes, could be the same under another name.
    fn resembles(&self, _within: &Schema, _other: &Self, _others: &Schema) -> bool {
        false
    }

    /// Where Postgres chooses a name when none is written: what the name is unique within, and the name.
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

    /// Whether models have a way to declare it. What they cannot declare stays when they say nothing of it.
    fn declarable(&self, _within: &Schema) -> bool {
        true
    }

    /// Whether it stays until a person says that it goes, though what it needs were to go: Postgres would ask for CASCADE.
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

    /// The statement that takes it, where it is there, and all that hangs on it out of a throw-away database. `None` for what goes with
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

/// What is kept of a database is kept for these reasons.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// What models decide of the object, though it may be left as it is.
    pub decided: &'a BTreeSet<Detail>,
    /// Where the declared objects are, with what is not theirs.
    pub within: &'a Schema,
    /// Where the objects that are there are.
    pub from: &'a Schema,
}

impl Keeping<'_> {
    /// True if models decide this of the object.
    pub(crate) fn decides(&self, detail: Detail) -> bool {
        self.decided.contains(&detail)
    }
}

/// How an object becomes another with the same key.
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

/// What an object has to do with the like object of a table that its own table inherits from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lead {
    /// That object.
    pub leader: Id,
    /// When it comes, where both come. What comes along also changes along.
    pub comes: Turn,
    /// When it goes, where both go.
    pub goes: Turn,
    /// Whether it gets the leader's name whenever the leader gets another.
    pub is_namesake: bool,
}

/// When something is done to an object, where the like is done to its leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// By a statement of its own, before.
    Before,
    /// By the statement that does it to the leader.
    Along,
    /// By a statement of its own, afterwards.
    After,
}

/// What models may leave as it is in the database, and where they say something of it decide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub enum Detail {
    /// Whether there is one at all.
    Presence,
    /// The storage parameters of a table.
    Parameters,
    /// The name of a column's NOT NULL.
    NameOfNotNull,
    /// How values of a column are stored.
    Storage,
    /// How values of a column are compressed.
    Compression,
    /// How much ANALYZE looks at.
    Statistics,
    /// From where to where a sequence counts, and by how much.
    Counting,
}

/// What is known about an object and is no part of what it is: it makes no two objects differ.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Beside<T>(T);

impl<T> Beside<T> {
    pub(crate) fn new(what: T) -> Self {
        Self(what)
    }
}

impl<T> PartialEq for Beside<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Beside<T> {}

impl<T> Deref for Beside<T> {
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
