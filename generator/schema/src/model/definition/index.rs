//! What the derive says about an index.

use super::Place;

/// An index that belongs to no constraint.
#[derive(Debug)]
pub struct IndexDef {
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// What is said of it, where it has a written name; empty for nothing.
    pub comment: Option<&'static str>,
    /// Whether what it holds is unique.
    pub unique: bool,
    /// The access method; btree where none is written.
    pub method: Option<&'static str>,
    /// What is indexed.
    pub keys: &'static [IndexKeyDef],
    /// The columns that it carries along.
    pub include: &'static [&'static str],
    /// Whether two NULLs are one value too many.
    pub nulls_not_distinct: bool,
    /// The storage parameters.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Which rows are indexed, if not all.
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
    /// Whether the order is descending.
    pub descending: bool,
    /// Where NULLs stand in it.
    pub nulls: Option<Nulls>,
}

/// What is indexed.
#[derive(Clone, Copy, Debug)]
pub enum Indexed {
    /// A column.
    Column(&'static str),
    /// An expression.
    Expression(&'static str),
}

/// Where NULLs stand in an order.
#[derive(Clone, Copy, Debug)]
pub enum Nulls {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
}
