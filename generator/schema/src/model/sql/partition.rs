//! Partitioned tables and their partitions.

use super::{statement, table_of};
use crate::Name;
use crate::model::declaration::{Declaration, Rank};
use crate::model::definition::{
    BoundDef, Indexed, ModelDef, PartitionByDef, PartitionDef, PartitionStrategy,
};
use crate::name::quoted_ident;
use crate::objects::{Registered, table::Table};

/// `PARTITION BY RANGE (created_at)`
pub(super) fn by(by: &PartitionByDef) -> String {
    let strategy = match by.strategy {
        PartitionStrategy::Range => "RANGE",
        PartitionStrategy::List => "LIST",
        PartitionStrategy::Hash => "HASH",
    };
    let keys = by.keys.iter().map(|key| match key {
        Indexed::Column(name) => quoted_ident(name),
        Indexed::Expression(sql) => format!("({sql})"),
    });
    format!(
        "PARTITION BY {strategy} ({})",
        keys.collect::<Vec<_>>().join(", ")
    )
}

/// The partitions of a model, each after the one that it is a part of.
pub(super) fn declare(model: &ModelDef) -> Vec<Declaration> {
    below(model, &model.name(), model.partitions)
}

fn below(model: &ModelDef, parent: &Name, partitions: &[PartitionDef]) -> Vec<Declaration> {
    let declare = |partition: &PartitionDef| {
        let name = Name::new(model.namespace, partition.name);
        let mut sql = format!(
            "CREATE TABLE {name} PARTITION OF {parent} {}",
            bound(&partition.bound)
        );
        if let Some(by) = &partition.partition_by {
            sql += &format!(" {}", self::by(by));
        }
        let origin = model.item.origin_at(partition.place);
        let id = Some(Table::id(name.clone()));
        let mut list = vec![statement(
            table_of(model),
            id,
            Rank::Partition,
            model.namespace,
            sql,
            origin,
        )];
        list.extend(below(model, &name, partition.partitions));
        list
    };
    partitions.iter().flat_map(declare).collect()
}

fn bound(bound: &BoundDef) -> String {
    match bound {
        BoundDef::Range { from, to } => format!("FOR VALUES FROM ({from}) TO ({to})"),
        BoundDef::List(values) => format!("FOR VALUES IN ({})", values.join(", ")),
        BoundDef::Hash { modulus, remainder } => {
            format!("FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})")
        }
        BoundDef::Default => "DEFAULT".to_owned(),
    }
}

/// The table of a model and those of its partitions.
pub(super) fn tables(model: &ModelDef) -> Vec<Name> {
    let below = partitions(model.partitions).into_iter();
    let below = below.map(|partition| Name::new(model.namespace, partition.name));
    std::iter::once(model.name()).chain(below).collect()
}

/// The partitions at every depth.
pub(crate) fn partitions(partitions: &'static [PartitionDef]) -> Vec<&'static PartitionDef> {
    let with_own = |partition: &'static PartitionDef| {
        let own = self::partitions(partition.partitions);
        std::iter::once(partition).chain(own)
    };
    partitions.iter().flat_map(with_own).collect()
}
