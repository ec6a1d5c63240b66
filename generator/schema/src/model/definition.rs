//! What the derives say about a program's models: constants, gathered by `inventory` when the program is linked.
//!
//! Everything in here is written by the derive macros and read by this crate; it is public for their sake only.

mod constraint;
mod index;
mod nullable;
mod partition;
mod sequence;
mod statistics;

use std::borrow::Cow;

use crate::{Name, Origin};

pub use self::constraint::{
    Action, CheckDef, ColumnRef, ComparedDef, Deferral, Enforcement, ExcludeDef, ForeignKeyDef,
    KeyDef,
};
pub use self::index::{IndexDef, IndexKeyDef, Indexed, Nulls};
pub use self::nullable::{NotNullable, Nullable};
pub use self::partition::{BoundDef, PartitionByDef, PartitionDef, PartitionStrategy};
pub use self::sequence::SequenceDef;
pub use self::statistics::StatisticsDef;

/// What one derive or one macro submitted.
#[derive(Debug)]
pub enum Submitted {
    /// By `#[derive(Model)]`.
    Model(&'static ModelDef),
    /// By `#[derive(PgEnum)]`.
    Enum(&'static EnumDef),
    /// By `extension!`.
    Extension(&'static ExtensionDef),
    /// By `sequence!`.
    Sequence(&'static SequenceDef),
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
    /// The composite type that it is OF.
    pub of_type: Option<&'static str>,
    /// Whether it is kept out of the write-ahead log.
    pub unlogged: bool,
    /// The storage parameters, where any are written.
    pub parameters: Option<TableParametersDef>,
    /// What the table was called before; with its namespace, where that was another.
    pub renamed_from: Option<RenamedFromDef>,
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
    /// The exclusion constraints.
    pub excludes: &'static [ExcludeDef],
    /// The indexes that belong to no constraint.
    pub indexes: &'static [IndexDef],
    /// The foreign keys.
    pub foreign_keys: &'static [ForeignKeyDef],
    /// The extended statistics.
    pub statistics: &'static [StatisticsDef],
    /// How it is partitioned.
    pub partition_by: Option<PartitionByDef>,
    /// Its partitions.
    pub partitions: &'static [PartitionDef],
}

impl ModelDef {
    /// The table's qualified name.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::new(self.namespace, self.table)
    }
}

/// The storage parameters of a table, each with its value.
#[derive(Debug)]
pub struct TableParametersDef {
    /// Those of the table itself.
    pub of_table: &'static [(&'static str, &'static str)],
    /// Those of its TOAST table.
    pub of_toast: &'static [(&'static str, &'static str)],
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
    /// The name of its NOT NULL, where one is written; servers before 18 take it and forget it.
    pub not_null: Option<&'static str>,
    /// The collation, where one is written.
    pub collation: Option<&'static str>,
    /// What fills it when an INSERT leaves it out.
    pub filling: Option<Filling>,
    /// How its values are stored, as a word of SQL.
    pub storage: Option<&'static str>,
    /// How its values are compressed, as a word of SQL.
    pub compression: Option<&'static str>,
    /// How much ANALYZE looks at.
    pub statistics: Option<i32>,
    /// The column's comment.
    pub comment: Option<&'static str>,
    /// How values that are there become values of the type.
    pub using: Option<UsingDef>,
    /// What rows that are there get where they have no value.
    pub fill: Option<FillDef>,
    /// What the column was called before.
    pub renamed_from: Option<RenamedFromDef>,
}

/// What rows that are there get where they have no value.
#[derive(Debug)]
pub struct FillDef {
    /// The expression.
    pub expression: &'static str,
    /// Whether the table's triggers run on the rows.
    pub triggers: bool,
}

/// How values come from one type to another, and back.
#[derive(Debug)]
pub struct UsingDef {
    /// The expression for the way there.
    pub expression: &'static str,
    /// The expression for the way back, where one is written.
    pub back: Option<&'static str>,
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

/// What something was called before.
#[derive(Clone, Copy, Debug)]
pub struct RenamedFromDef {
    /// Where that is said.
    pub place: Place,
    /// The name.
    pub name: &'static str,
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
    /// The labels that are gone, each with the one that takes its place.
    pub replaced: &'static [(&'static str, &'static str)],
    /// What the type was called before; with its namespace, where that was another.
    pub renamed_from: Option<RenamedFromDef>,
    /// The labels that were called otherwise before.
    pub renamed_labels: &'static [(RenamedFromDef, &'static str)],
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
