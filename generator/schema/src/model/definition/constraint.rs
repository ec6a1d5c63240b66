//! Constraints, as the derive reads them.

use super::{IndexKeyDef, Place};

/// A primary key or a unique constraint.
#[derive(Debug)]
pub struct KeyDef {
    /// Place in the source.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// Its comment, where its name is written; empty removes the comment.
    pub comment: Option<&'static str>,
    /// The columns that are unique together.
    pub columns: &'static [&'static str],
    /// The columns that its index carries along.
    pub include: &'static [&'static str],
    /// True if NULLS NOT DISTINCT: two NULLs violate it.
    pub nulls_not_distinct: bool,
    /// True if WITHOUT OVERLAPS: the last column is a range, and no two may overlap. Needs Postgres 18.
    pub without_overlaps: bool,
    /// Time of the check.
    pub deferral: Deferral,
}

/// Attributes in which two keys must agree for one CREATE TABLE to merge them.
type MergedBy = ([&'static [&'static str]; 2], [bool; 2], Deferral);

impl KeyDef {
    /// The attributes by which one CREATE TABLE merges two keys.
    pub(crate) fn merged_by(&self) -> MergedBy {
        let Self {
            place: _,
            name: _,
            comment: _,
            columns,
            include,
            nulls_not_distinct,
            without_overlaps,
            deferral,
        } = *self;
        (
            [columns, include],
            [nulls_not_distinct, without_overlaps],
            deferral,
        )
    }
}

/// Time at which a constraint is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferral {
    /// With every statement.
    Never,
    /// With every statement, unless a transaction defers it.
    Deferrable,
    /// At the end of the transaction.
    InitiallyDeferred,
}

/// A check constraint.
#[derive(Debug)]
pub struct CheckDef {
    /// Place in the source.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// Its comment, where its name is written; empty removes the comment.
    pub comment: Option<&'static str>,
    /// The condition, which must not be false.
    pub expression: &'static str,
    /// True if NO INHERIT: child tables do without it.
    pub no_inherit: bool,
    /// Rows that it applies to.
    pub enforcement: Enforcement,
}

/// Rows that a check or a foreign key applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// All rows.
    OnAllRows,
    /// Rows written since the constraint exists: `NOT VALID`.
    OnNewRows,
    /// None: `NOT ENFORCED`, which needs Postgres 18.
    Never,
}

/// An exclusion constraint.
#[derive(Debug)]
pub struct ExcludeDef {
    /// Place in the source.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// Its comment, where its name is written; empty removes the comment.
    pub comment: Option<&'static str>,
    /// The access method; btree where none is written.
    pub method: Option<&'static str>,
    /// Columns or expressions to compare two rows by, each with its operator.
    pub keys: &'static [ComparedDef],
    /// The columns that its index carries along.
    pub include: &'static [&'static str],
    /// The storage parameters of its index.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Predicate of the rows that are compared, if not all.
    pub predicate: Option<&'static str>,
    /// Time of the check.
    pub deferral: Deferral,
}

/// One column or expression of an exclusion constraint.
#[derive(Debug)]
pub struct ComparedDef {
    /// The column or expression.
    pub key: IndexKeyDef,
    /// The operator of which one must be false for two rows.
    pub operator: &'static str,
}

/// A column of a model, to which a foreign key can refer.
#[derive(Clone, Copy, Debug)]
pub struct ColumnRef {
    /// The table's namespace.
    pub namespace: &'static str,
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

/// A foreign key.
#[derive(Debug)]
pub struct ForeignKeyDef {
    /// Place in the source.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// Its comment, where its name is written; empty removes the comment.
    pub comment: Option<&'static str>,
    /// The columns here.
    pub columns: &'static [&'static str],
    /// True if PERIOD: the last column on both sides is a period, which needs Postgres 18.
    pub period: bool,
    /// The columns there, as many, all of one table.
    pub references: &'static [ColumnRef],
    /// Action when the referenced row is deleted.
    pub on_delete: Option<Action>,
    /// The columns that are set then, where not all of them; that needs Postgres 15.
    pub set: &'static [&'static str],
    /// Action when the referenced row changes.
    pub on_update: Option<Action>,
    /// True if MATCH FULL: the columns are all NULL or none is.
    pub match_full: bool,
    /// Time of the check.
    pub deferral: Deferral,
    /// Rows that it applies to.
    pub enforcement: Enforcement,
}

/// Action on a row when the row it references is deleted or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the clause of its name")]
pub enum Action {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}
