//! Indexes, as the derive reads them.

use super::Place;

/// An index that belongs to no constraint.
#[derive(Debug)]
pub struct IndexDef {
    /// Place in the source.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// Its comment, where its name is written; empty removes the comment.
    pub comment: Option<&'static str>,
    /// True if the index is unique.
    pub unique: bool,
    /// The access method; btree where none is written.
    pub method: Option<&'static str>,
    /// Its keys.
    pub keys: &'static [IndexKeyDef],
    /// The columns that it carries along.
    pub include: &'static [&'static str],
    /// True if NULLS NOT DISTINCT: two NULLs violate it.
    pub nulls_not_distinct: bool,
    /// The storage parameters.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Predicate of the rows that it indexes, if not all.
    pub predicate: Option<&'static str>,
}

/// One column or expression of an index.
#[derive(Debug)]
pub struct IndexKeyDef {
    /// The column or expression.
    pub what: Indexed,
    /// The operator class, with its parameters.
    pub opclass: Option<&'static str>,
    /// The collation.
    pub collation: Option<&'static str>,
    /// True if the order is descending.
    pub descending: bool,
    /// Position of NULLs in the order.
    pub nulls: Option<Nulls>,
}

/// The column or expression of an index key.
#[derive(Clone, Copy, Debug)]
pub enum Indexed {
    /// A column.
    Column(&'static str),
    /// An expression.
    Expression(&'static str),
}

/// Position of NULLs in an order.
#[derive(Clone, Copy, Debug)]
pub enum Nulls {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}
