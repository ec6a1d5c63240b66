//! The pieces of SQL in models, each with the attribute that it was written in.

use super::declaration::{Fragment, FragmentKind};
use super::definition::{
    BoundDef, Filling, IndexDef, IndexKeyDef, Indexed, ModelDef, PartitionByDef, PartitionDef,
    Place, TypeDef,
};
use super::gathered::Gathered;

/// A piece of SQL before its origin is known in full.
type Piece = (FragmentKind, &'static str, &'static str, Place);

/// Every piece of SQL that was written by hand, in the order of the files.
pub(super) fn fragments(gathered: &Gathered) -> Vec<Fragment> {
    let of_model = |model: &&'static ModelDef| {
        let item = model.item;
        pieces(model)
            .into_iter()
            .map(move |(kind, attribute, sql, place)| Fragment {
                kind,
                attribute,
                sql: sql.to_owned(),
                origin: item.origin_at(place),
            })
    };
    let types = gathered.sequences.iter().map(|sequence| Fragment {
        kind: FragmentKind::Type,
        attribute: "data_type",
        sql: sequence.data_type.to_owned(),
        origin: sequence.item.origin(),
    });
    let models = gathered.models.iter();
    models.flat_map(of_model).chain(types).collect()
}

fn pieces(model: &'static ModelDef) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for column in model.columns {
        if let TypeDef::Written(sql) = column.sql_type {
            pieces.push((FragmentKind::Type, "sql_type", sql, column.place));
        }
        if let Some(using) = &column.using {
            let both = [Some(using.expression), using.back];
            pieces.extend(
                both.into_iter()
                    .flatten()
                    .map(|sql| (FragmentKind::Expression, "using", sql, column.place)),
            );
        }
        if let Some(fill) = &column.fill {
            let sql = fill.expression;
            pieces.push((FragmentKind::Expression, "fill", sql, column.place));
        }
        match column.filling {
            Some(Filling::Default(sql)) => {
                pieces.push((FragmentKind::Expression, "default", sql, column.place));
            }
            Some(Filling::Generated { expression, .. }) => {
                pieces.push((
                    FragmentKind::Expression,
                    "generated",
                    expression,
                    column.place,
                ));
            }
            Some(Filling::Identity(_) | Filling::Serial(_)) | None => {}
        }
    }
    let place = Place {
        line: model.item.line,
        field: None,
    };
    let of_type = model.of_type;
    pieces.extend(of_type.map(|sql| (FragmentKind::Type, "of", sql, place)));
    if let Some(by) = &model.partition_by {
        pieces.extend(pieces_of_key(by, place));
    }
    pieces.extend(pieces_of_partitions(model.partitions));
    for check in model.checks {
        pieces.push((
            FragmentKind::Predicate,
            "check",
            check.expression,
            check.place,
        ));
    }
    for exclude in model.excludes {
        for compared in exclude.keys {
            pieces.extend(pieces_of_indexed(&compared.key, "exclude", exclude.place));
            pieces.push((
                FragmentKind::Operator,
                "with",
                compared.operator,
                exclude.place,
            ));
        }
        let predicate = exclude.predicate;
        pieces.extend(predicate.map(|sql| (FragmentKind::Predicate, "where", sql, exclude.place)));
    }
    for statistics in model.statistics {
        for one in statistics.on {
            if let Indexed::Expression(sql) = one {
                pieces.push((
                    FragmentKind::Expression,
                    "statistics",
                    *sql,
                    statistics.place,
                ));
            }
        }
    }
    for index in model.indexes {
        pieces.extend(pieces_of_index(index));
    }
    pieces
}

fn pieces_of_key(by: &'static PartitionByDef, place: Place) -> Vec<Piece> {
    let expressions = by.keys.iter().filter_map(|key| match key {
        Indexed::Expression(sql) => Some(*sql),
        Indexed::Column(_) => None,
    });
    let piece = |sql| (FragmentKind::Expression, "partition_by", sql, place);
    expressions.map(piece).collect()
}

fn pieces_of_partitions(partitions: &'static [PartitionDef]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for partition in partitions {
        if let BoundDef::List(values) = &partition.bound {
            let piece =
                |sql: &&'static str| (FragmentKind::Expression, "values", *sql, partition.place);
            pieces.extend(values.iter().map(piece));
        }
        let by = partition.partition_by.as_ref();
        pieces.extend(
            by.into_iter()
                .flat_map(|by| pieces_of_key(by, partition.place)),
        );
        pieces.extend(pieces_of_partitions(partition.partitions));
    }
    pieces
}

fn pieces_of_index(index: &'static IndexDef) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for key in index.keys {
        pieces.extend(pieces_of_indexed(key, "index", index.place));
    }
    if let Some(sql) = index.predicate {
        pieces.push((FragmentKind::Predicate, "where", sql, index.place));
    }
    pieces
}

fn pieces_of_indexed(
    key: &'static IndexKeyDef,
    attribute: &'static str,
    place: Place,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if let Indexed::Expression(sql) = key.what {
        pieces.push((FragmentKind::Expression, attribute, sql, place));
    }
    if let Some(sql) = key.opclass {
        pieces.push((FragmentKind::OperatorClass, "opclass", sql, place));
    }
    pieces
}
