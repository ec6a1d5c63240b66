//! Definitions that the derives take from a program's models: constants, gathered by `inventory` when the program is
//! linked.
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

/// The submission of one derive or one macro.
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

/// Source location of an item of the program.
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

/// Source location within an item.
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
    /// True if the table is UNLOGGED.
    pub unlogged: bool,
    /// The storage parameters, where any are written.
    pub parameters: Option<TableParametersDef>,
    /// The table's former name; with its namespace, where that was another.
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
    /// Partition strategy and key, where the table is partitioned.
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
    /// True if the column takes NULL.
    pub nullable: bool,
    /// The name of its NOT NULL, where one is written; servers before 18 take it and forget it.
    pub not_null: Option<&'static str>,
    /// The collation, where one is written.
    pub collation: Option<&'static str>,
    /// Source of the value when an INSERT leaves the column out.
    pub filling: Option<Filling>,
    /// Storage of its values, as a word of SQL.
    pub storage: Option<&'static str>,
    /// Compression of its values, as a word of SQL.
    pub compression: Option<&'static str>,
    /// Statistics target of the column.
    pub statistics: Option<i32>,
    /// The column's comment.
    pub comment: Option<&'static str>,
    /// Expressions that convert existing values to the type, and back.
    pub using: Option<UsingDef>,
    /// Value for existing rows that have none.
    pub fill: Option<FillDef>,
    /// The column's former name.
    pub renamed_from: Option<RenamedFromDef>,
}

/// Value for existing rows that have none.
#[derive(Debug)]
pub struct FillDef {
    /// The expression.
    pub expression: &'static str,
    /// True if the table's triggers fire on the filled rows.
    pub triggers: bool,
}

/// Expressions that convert values from one type to another, and back.
#[derive(Debug)]
pub struct UsingDef {
    /// The expression for the way there.
    pub expression: &'static str,
    /// The expression for the way back, where one is written.
    pub back: Option<&'static str>,
}

/// Source of a column's type.
#[derive(Clone, Copy, Debug)]
pub enum TypeDef {
    /// From the Rust type, by [`PgType::sql_type`](crate::PgType::sql_type).
    OfRust(fn() -> Cow<'static, str>),
    /// From `sql_type = "…"`.
    Written(&'static str),
    /// From [`Filling::Serial`].
    Serial,
}

/// Source of a column's value when an INSERT leaves it out.
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
        /// True if it is VIRTUAL: computed on reading, which needs Postgres 18.
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

/// Former name of a table, type, column or label.
#[derive(Clone, Copy, Debug)]
pub struct RenamedFromDef {
    /// Place of the `renamed_from`.
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
    /// The dropped labels, each with the one that replaces it.
    pub replaced: &'static [(&'static str, &'static str)],
    /// The type's former name; with its namespace, where that was another.
    pub renamed_from: Option<RenamedFromDef>,
    /// The renamed labels, each with its former name.
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
