//! What the derive says about constraints.

use super::{IndexKeyDef, Place};

/// A primary key or a unique constraint.
#[derive(Debug)]
pub struct KeyDef {
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// What is said of it, where it has a written name; empty for nothing.
    pub comment: Option<&'static str>,
    /// The columns that are unique together.
    pub columns: &'static [&'static str],
    /// The columns that its index carries along.
    pub include: &'static [&'static str],
    /// Whether two NULLs are one value too many.
    pub nulls_not_distinct: bool,
    /// Whether the last column is a range of which no two overlap, which needs Postgres 18.
    pub without_overlaps: bool,
    /// When it is checked.
    pub deferral: Deferral,
}

/// What must be equal in two keys for one CREATE TABLE to take them for one.
type MergedBy = ([&'static [&'static str]; 2], [bool; 2], Deferral);

impl KeyDef {
    /// What one CREATE TABLE takes two keys for one by.
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

/// When a constraint is checked.
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
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// What is said of it, where it has a written name; empty for nothing.
    pub comment: Option<&'static str>,
    /// What must not be false.
    pub expression: &'static str,
    /// Whether child tables do without it.
    pub no_inherit: bool,
    /// Which rows it is about.
    pub enforcement: Enforcement,
}

/// Which rows a check or a foreign key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// All rows.
    OnAllRows,
    /// Those that are written after it came: `NOT VALID`.
    OnNewRows,
    /// None: `NOT ENFORCED`, which needs Postgres 18.
    Never,
}

/// An exclusion constraint.
#[derive(Debug)]
pub struct ExcludeDef {
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// What is said of it, where it has a written name; empty for nothing.
    pub comment: Option<&'static str>,
    /// The access method; btree where none is written.
    pub method: Option<&'static str>,
    /// What two rows are compared by.
    pub keys: &'static [ComparedDef],
    /// The columns that its index carries along.
    pub include: &'static [&'static str],
    /// The storage parameters of its index.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Which rows are compared, if not all.
    pub predicate: Option<&'static str>,
    /// When it is checked.
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
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// What is said of it, where it has a written name; empty for nothing.
    pub comment: Option<&'static str>,
    /// The columns here.
    pub columns: &'static [&'static str],
    /// Whether the last column, here and there, is a period, which needs Postgres 18.
    pub period: bool,
    /// The columns there, as many, all of one table.
    pub references: &'static [ColumnRef],
    /// What happens when the row there goes.
    pub on_delete: Option<Action>,
    /// The columns that are set then, where not all of them; that needs Postgres 15.
    pub set: &'static [&'static str],
    /// What happens when the row there changes.
    pub on_update: Option<Action>,
    /// Whether either all columns are NULL or none.
    pub match_full: bool,
    /// When it is checked.
    pub deferral: Deferral,
    /// Which rows it is about.
    pub enforcement: Enforcement,
}

/// What happens to a row when the row it refers to goes or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the clause of its name")]
pub enum Action {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}
