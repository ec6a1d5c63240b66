//! Declarations of the models, as SQL in the order in which it can run, each piece with its place in the source.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    Detail, Guidance, Id, Member, Name, Origin,
    guidance::{Expression, Fill},
    objects::{Registered, column::Column},
};

/// Everything that the models of a program declare.
#[derive(Clone, Debug)]
pub struct Declarations {
    pub(super) list: Vec<Declaration>,
    pub(super) fragments: Vec<Fragment>,
    pub(super) newer: Vec<Newer>,
    pub(super) renamed: Vec<Renamed>,
    pub(super) there: Arc<Guidance>,
    pub(super) back: Arc<Guidance>,
}

impl Declarations {
    /// The declarations in an order in which they can run, by rank.
    pub fn iter(&self) -> std::slice::Iter<'_, Declaration> {
        self.list.iter()
    }

    /// The pieces of SQL that were written by hand, to be checked before Postgres sees them.
    #[must_use]
    pub fn fragments(&self) -> &[Fragment] {
        &self.fragments
    }

    /// Features that a server of this major version does not support yet.
    pub fn newer_than(&self, major: u32) -> impl Iterator<Item = &Newer> {
        self.newer.iter().filter(move |newer| newer.since > major)
    }

    /// The names that things had before, what something is a part of before that.
    #[must_use]
    pub fn renamed(&self) -> &[Renamed] {
        &self.renamed
    }

    /// Hints for the migration to the declared state.
    #[must_use]
    pub fn there(&self) -> &Arc<Guidance> {
        &self.there
    }

    /// Hints for the migration back.
    #[must_use]
    pub fn back(&self) -> &Arc<Guidance> {
        &self.back
    }

    /// Ids of the declared objects whose names the models write.
    pub fn ids(&self) -> impl Iterator<Item = &Id> {
        self.list
            .iter()
            .filter_map(|declaration| declaration.id.as_ref())
    }

    /// Origin of an object, by the name that a model gave it.
    #[must_use]
    pub fn origin(&self, id: &Id) -> Option<&Origin> {
        self.list.iter().find_map(|declaration| {
            if declaration.id.as_ref() == Some(id) {
                return Some(&declaration.origin);
            }
            let part = declaration
                .parts
                .iter()
                .find(|part| part.id.as_ref() == Some(id));
            part.map(|part| &part.origin)
        })
    }

    /// The same, as if the field of a column said `fill = "…"`; `None` where no field declares it. `attribute` is where it was
    /// written instead.
    #[must_use]
    pub fn filled(&self, column: &Id, sql: &str, attribute: &'static str) -> Option<Self> {
        let path: [&str; 3] = column.path().try_into().ok()?;
        let [namespace, table, name] = path;
        let of = Member::new(Name::new(namespace, table), name);
        let origin = self
            .origin(column)
            .filter(|_| Column::id(of.clone()) == *column)?;
        let mut filled = self.clone();
        filled.fragments.push(Fragment {
            kind: FragmentKind::Expression,
            sql: sql.to_owned(),
            attribute,
            origin: origin.clone(),
        });
        let expression = Expression {
            sql: sql.to_owned(),
            origin: origin.clone(),
        };
        let there = Arc::make_mut(&mut filled.there);
        there.advise(column.clone()).fill = Some(Fill::new(of, expression, true));
        Some(filled)
    }

    /// The columns that fields declare.
    pub fn columns(&self) -> impl Iterator<Item = &Id> {
        let parts = self.list.iter().flat_map(|declaration| &declaration.parts);
        let ids = parts.filter_map(|part| part.id.as_ref());
        ids.filter(|id| id.kind() == Column::kind())
    }

    /// Those alone that come from the structs, enums and macros that declare one of `wanted`.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Id) -> bool) -> Self {
        let (list, newer) = (self.list.iter(), self.newer.iter());
        Self {
            list: list
                .filter(|declaration| wanted(&declaration.of))
                .cloned()
                .collect(),
            newer: newer.filter(|newer| wanted(&newer.of)).cloned().collect(),
            ..self.clone()
        }
    }

    /// The same, as they would be if the models said otherwise.
    #[must_use]
    pub fn map(&self, change: impl FnMut(Declaration) -> Declaration) -> Self {
        Self {
            list: self.list.iter().cloned().map(change).collect(),
            ..self.clone()
        }
    }

    /// Properties that the models decide, of those that may be left as they are in the database.
    #[must_use]
    pub fn decided(&self) -> BTreeMap<&Id, BTreeSet<Detail>> {
        let mut decided: BTreeMap<&Id, BTreeSet<Detail>> = BTreeMap::new();
        for Decision { id, detail } in self.list.iter().flat_map(|one| &one.decides) {
            decided.entry(id).or_default().insert(*detail);
        }
        decided
    }

    /// Ids of all objects whose names the models write. Where Postgres chose the name, any name is right.
    pub fn named(&self) -> impl Iterator<Item = &Id> {
        self.list.iter().flat_map(|declaration| {
            let parts = declaration.parts.iter().filter_map(|part| part.id.as_ref());
            declaration.id.iter().chain(parts)
        })
    }
}

impl<'a> IntoIterator for &'a Declarations {
    type Item = &'a Declaration;
    type IntoIter = std::slice::Iter<'a, Declaration>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A name that something had before, as a model says. What it is a part of goes by its new name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Renamed {
    /// Object with the new name.
    pub id: Id,
    /// The part of it that has the new name, where it is about one that is no object of its own.
    pub part: Option<String>,
    /// Object with the old name.
    pub was: Id,
    /// The part of it that had the old name.
    pub was_part: Option<String>,
    /// True if the models declare something of the old name as well.
    pub old_is_declared: bool,
    /// Its place in the source.
    pub origin: Origin,
}

impl Renamed {
    /// The old name, for messages.
    #[must_use]
    pub fn old(&self) -> String {
        match &self.was_part {
            Some(part) => format!("{} {part:?} of {}", self.was.kind().part(), self.was),
            None => self.was.to_string(),
        }
    }
}

/// One statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Declaration {
    /// Id of the declared object, where the model writes its name.
    pub id: Option<Id>,
    /// Id of the object that its struct, enum or macro declares.
    pub of: Id,
    /// Another object that it mentions: the table that a foreign key references.
    pub mentions: Option<Id>,
    /// Its rank, which decides when it can run.
    pub rank: Rank,
    /// The namespace that stands first in `search_path` while it runs.
    pub namespace: String,
    /// The SQL before the parts; the whole statement where there are none.
    pub head: String,
    /// The columns and constraints of a table.
    pub parts: Vec<Part>,
    /// The SQL after the parts.
    pub tail: String,
    /// Properties that it decides, of those that may be left as they are in the database.
    pub decides: Vec<Decision>,
    /// Its place in the source.
    pub origin: Origin,
}

/// A property that models decide, though it may be left as it is in the database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Decision {
    /// The object.
    pub id: Id,
    /// The property.
    pub detail: Detail,
}

impl Declaration {
    /// The whole statement, without a semicolon.
    #[must_use]
    pub fn sql(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.sql.as_str()).collect();
        format!("{}{}{}", self.head, parts.join(",\n"), self.tail)
    }
}

/// A column or constraint within a CREATE TABLE, so that the one that Postgres rejects can be found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Part {
    /// Id of the declared object, where the model writes its name.
    pub id: Option<Id>,
    /// The column or the constraint.
    pub sql: String,
    /// Its place in the source.
    pub origin: Origin,
}

/// Order in which declarations can run: each after all of the ranks before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[allow(missing_docs, reason = "each variant is the statement of its name")]
pub enum Rank {
    Namespace,
    Extension,
    Enum,
    Sequence,
    Table,
    Partition,
    Check,
    Column,
    Index,
    Statistics,
    ForeignKey,
    Comment,
}

/// Something that models say and older servers have no word for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Newer {
    /// Id of the object that its struct declares.
    pub of: Id,
    /// Name of the feature, for messages.
    pub what: &'static str,
    /// The first major that has a word for it.
    pub since: u32,
    /// Its place in the source.
    pub origin: Origin,
}

/// A piece of SQL that was written by hand in an attribute.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fragment {
    /// The kind of SQL.
    pub kind: FragmentKind,
    /// As it was written.
    pub sql: String,
    /// The attribute that it was written in.
    pub attribute: &'static str,
    /// Its place in the source.
    pub origin: Origin,
}

/// Kind of SQL that a fragment has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum FragmentKind {
    /// A value: a default, a generated column, what an index holds.
    Expression,
    /// A condition: a check, which rows an index holds.
    Predicate,
    /// A type.
    Type,
    /// An operator class, with or without parameters.
    OperatorClass,
    /// An operator, with or without its namespace.
    Operator,
}
