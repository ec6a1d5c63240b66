//! Partitions, as the derive reads them.

use super::{Indexed, Place};

/// Partition strategy and key of a table.
#[derive(Debug)]
pub struct PartitionByDef {
    /// By what rule.
    pub strategy: PartitionStrategy,
    /// Over which columns and expressions.
    pub keys: &'static [Indexed],
}

/// Strategy that divides rows among partitions.
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
    /// Place in the source.
    pub place: Place,
    /// Its name, in the namespace of the table.
    pub name: &'static str,
    /// Bound: the rows that it holds.
    pub bound: BoundDef,
    /// Its own strategy and key, where it is partitioned again.
    pub partition_by: Option<PartitionByDef>,
    /// Its own partitions.
    pub partitions: &'static [PartitionDef],
}

/// Bound of a partition: the rows that it holds.
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
        /// Divisor of the hash.
        modulus: u32,
        /// Remainder of the hash.
        remainder: u32,
    },
    /// Those that no other has.
    Default,
}
