//! What the derives say about a program's models: constants, gathered by `inventory` when the program is linked.
//!
//! Everything in here is written by the derive macros and read by this crate; it is public for their sake only.

use std::borrow::Cow;
use std::marker::PhantomData;

use crate::{Name, Origin};

/// What one derive or one `extension!` submitted.
#[derive(Debug)]
pub enum Submitted {
    /// By `#[derive(Model)]`.
    Model(&'static ModelDef),
    /// By `#[derive(PgEnum)]`.
    Enum(&'static EnumDef),
    /// By `extension!`.
    Extension(&'static ExtensionDef),
}

inventory::collect!(Submitted);

/// Where an item of the program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// As `file!()` gives it.
    pub file: &'static str,
    /// From 1.
    pub line: u32,
    /// As `module_path!()` gives it.
    pub module: &'static str,
    /// The struct, the enum or the macro.
    pub name: &'static str,
}

/// Where something within an item was written.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// The field, where it was written on one.
    pub field: Option<&'static str>,
}

impl Item {
    /// The item itself as an origin.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let place = Place {
            line: self.line,
            field: None,
        };
        self.origin_at(place)
    }

    /// A place within the item as an origin.
    #[must_use]
    pub fn origin_at(&self, place: Place) -> Origin {
        Origin {
            file: self.file.to_owned(),
            line: place.line,
            item: self.name.to_owned(),
            field: place.field.map(str::to_owned),
        }
    }
}

/// A struct that is a table.
#[derive(Debug)]
pub struct ModelDef {
    /// The struct.
    pub item: Item,
    /// The table's namespace.
    pub namespace: &'static str,
    /// The table's name.
    pub table: &'static str,
    /// Whether it is kept out of the write-ahead log.
    pub unlogged: bool,
    /// The table's comment.
    pub comment: Option<&'static str>,
    /// The columns in the order of the fields.
    pub columns: &'static [ColumnDef],
    /// The primary key.
    pub primary_key: Option<KeyDef>,
    /// The unique constraints.
    pub uniques: &'static [KeyDef],
    /// The check constraints.
    pub checks: &'static [CheckDef],
    /// The indexes that belong to no constraint.
    pub indexes: &'static [IndexDef],
    /// The foreign keys.
    pub foreign_keys: &'static [ForeignKeyDef],
}

impl ModelDef {
    /// The table's qualified name.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::new(self.namespace, self.table)
    }
}

/// A field that is a column.
#[derive(Debug)]
pub struct ColumnDef {
    /// The field.
    pub place: Place,
    /// The column's name.
    pub name: &'static str,
    /// Its type.
    pub sql_type: TypeDef,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// The collation, where one is written.
    pub collation: Option<&'static str>,
    /// What fills it when an INSERT leaves it out.
    pub filling: Option<Filling>,
    /// The column's comment.
    pub comment: Option<&'static str>,
}

/// Where a column's type comes from.
#[derive(Clone, Copy, Debug)]
pub enum TypeDef {
    /// From the Rust type, by [`PgType::sql_type`](crate::PgType::sql_type).
    OfRust(fn() -> Cow<'static, str>),
    /// From `sql_type = "…"`.
    Written(&'static str),
    /// From [`Filling::Serial`].
    Serial,
}

/// What fills a column that an INSERT leaves out.
#[derive(Debug)]
pub enum Filling {
    /// `DEFAULT expression`
    Default(&'static str),
    /// `GENERATED … AS IDENTITY`
    Identity(IdentityDef),
    /// `smallserial`, `serial` or `bigserial`
    Serial(&'static str),
    /// `GENERATED ALWAYS AS (expression)`
    Generated {
        /// The expression.
        expression: &'static str,
        /// Whether it is computed on reading, which needs Postgres 18.
        is_virtual: bool,
    },
}

/// The sequence of an identity column; what is not written is left to Postgres.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is the clause of its name")]
pub struct IdentityDef {
    pub always: bool,
    pub start: Option<i64>,
    pub increment: Option<i64>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub cache: Option<i64>,
    pub cycle: bool,
}

/// A primary key or a unique constraint.
#[derive(Debug)]
pub struct KeyDef {
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
    /// The columns that are unique together.
    pub columns: &'static [&'static str],
    /// The columns that its index carries along.
    pub include: &'static [&'static str],
    /// Whether two NULLs are one value too many.
    pub nulls_not_distinct: bool,
    /// When it is checked.
    pub deferral: Deferral,
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
    /// What must not be false.
    pub expression: &'static str,
    /// Whether child tables do without it.
    pub no_inherit: bool,
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
    /// The columns here.
    pub columns: &'static [&'static str],
    /// The columns there, as many, all of one table.
    pub references: &'static [ColumnRef],
    /// What happens when the row there goes.
    pub on_delete: Option<Action>,
    /// What happens when the row there changes.
    pub on_update: Option<Action>,
    /// Whether either all columns are NULL or none.
    pub match_full: bool,
    /// When it is checked.
    pub deferral: Deferral,
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

/// An index that belongs to no constraint.
#[derive(Debug)]
pub struct IndexDef {
    /// Where it was written.
    pub place: Place,
    /// The name, where one was written.
    pub name: Option<&'static str>,
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

/// An enum that is an enum type.
#[derive(Debug)]
pub struct EnumDef {
    /// The enum.
    pub item: Item,
    /// The type's namespace.
    pub namespace: &'static str,
    /// The type's name.
    pub name: &'static str,
    /// The labels in order.
    pub labels: &'static [&'static str],
    /// The type's comment.
    pub comment: Option<&'static str>,
}

impl EnumDef {
    /// The type's qualified name.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::new(self.namespace, self.name)
    }

    /// The type's name as SQL.
    #[must_use]
    pub fn sql_type(&self) -> Cow<'static, str> {
        Cow::Owned(self.name().to_string())
    }
}

/// An extension that the models need.
#[derive(Debug)]
pub struct ExtensionDef {
    /// The macro's call.
    pub item: Item,
    /// The extension's name.
    pub name: &'static str,
    /// The namespace that its objects live in, where one is written.
    pub namespace: Option<&'static str>,
}

/// Tells whether a field is an `Option` when its column's type is written and its Rust type need not be a
/// [`PgType`](crate::PgType). A constant of the type itself goes before that of a trait, so `Option` is found through
/// aliases too.
#[derive(Debug)]
pub struct Nullable<T>(PhantomData<T>);

impl<T> Nullable<Option<T>> {
    /// An `Option` takes NULL.
    pub const NULLABLE: bool = true;
}

/// What holds for every type that is no `Option`.
pub trait NotNullable {
    /// No other type takes NULL.
    const NULLABLE: bool = false;
}

impl<T> NotNullable for Nullable<T> {}
