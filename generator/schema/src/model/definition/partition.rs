//! What the derive says about partitions.

use super::{Indexed, Place};

/// How a table is partitioned.
#[derive(Debug)]
pub struct PartitionByDef {
    /// By what rule.
    pub strategy: PartitionStrategy,
    /// Over which columns and expressions.
    pub keys: &'static [Indexed],
}

/// How rows are divided among partitions.
#[derive(Clone, Copy, Debug)]
pub enum PartitionStrategy {
    /// By ranges of values.
    Range,
    /// By lists of values.
    List,
    /// By the remainder of a hash.
    Hash,
}

/// A partition.
#[derive(Debug)]
pub struct PartitionDef {
    /// Where it was written.
    pub place: Place,
    /// Its name, in the namespace of the table.
    pub name: &'static str,
    /// Which rows it holds.
    pub bound: BoundDef,
    /// How it is partitioned itself.
    pub partition_by: Option<PartitionByDef>,
    /// Its own partitions.
    pub partitions: &'static [PartitionDef],
}

/// Which rows a partition holds.
#[derive(Debug)]
pub enum BoundDef {
    /// From one value, included, to another, excluded; as SQL, several separated by commas.
    Range {
        /// The first value in it.
        from: &'static str,
        /// The first value beyond it.
        to: &'static str,
    },
    /// These values, each as SQL.
    List(&'static [&'static str]),
    /// Those whose hash leaves a remainder.
    Hash {
        /// What the hash is divided by.
        modulus: u32,
        /// What is left.
        remainder: u32,
    },
    /// Those that no other has.
    Default,
}
