//! Pairs of schemas by chance: one set of objects, each of which is on one side, on both, or on both and not alike.
//!
//! What is chosen is small numbers; what SQL they stand for is decided where a side is written. A choice that makes no
//! sense on a side (an index over a column that is not there) is left out of that side.

use proptest::prelude::*;

/// On which sides something is, and what it is there.
#[derive(Clone, Debug)]
pub(crate) enum Both<T> {
    From(T),
    To(T),
    Same(T),
    Changed(T, T),
}

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    From,
    To,
}

impl<T> Both<T> {
    /// Its value on a side, if any.
    pub(crate) fn on(&self, which: Which) -> Option<&T> {
        match (self, which) {
            (Self::From(it) | Self::Changed(it, _), Which::From)
            | (Self::To(it) | Self::Changed(_, it), Which::To)
            | (Self::Same(it), _) => Some(it),
            (Self::From(_), Which::To) | (Self::To(_), Which::From) => None,
        }
    }
}

/// Two databases.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) enums: Vec<Both<Enum>>,
    pub(crate) sequences: Vec<Both<Sequence>>,
    pub(crate) tables: Vec<Both<Table>>,
    /// The parts of the table of each number.
    pub(crate) parts: Vec<Parts>,
    pub(crate) views: Vec<Both<View>>,
}

/// An enum type: which of the labels of the pool it has, from which it begins, and whether it has a comment.
#[derive(Clone, Debug)]
pub(crate) struct Enum {
    pub(crate) labels: u8,
    pub(crate) turned: u8,
    pub(crate) comment: u8,
}

/// A sequence that nothing owns.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    pub(crate) data_type: u8,
    pub(crate) increment: i8,
    pub(crate) cycle: bool,
    pub(crate) comment: u8,
}

/// A table's own settings.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) settings: u8,
    pub(crate) comment: u8,
    /// Numbering of its column `id`.
    pub(crate) id: u8,
    pub(crate) primary_key: u8,
}

/// Columns, constraints and indexes.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) family: Family,
    pub(crate) columns: Vec<Column>,
    pub(crate) uniques: Vec<Both<Over>>,
    pub(crate) checks: Vec<Both<Over>>,
    pub(crate) indexes: Vec<Both<Over>>,
    pub(crate) foreign_keys: Vec<Both<Over>>,
    pub(crate) statistics: Vec<Both<Over>>,
}

impl Parts {
    /// True if their table is partitioned.
    pub(crate) fn are_parted(&self) -> bool {
        matches!(self.family, Family::Partitions(_))
    }
}

/// The tables below a table.
#[derive(Clone, Debug)]
pub(crate) enum Family {
    None,
    /// One that inherits.
    Heir(Both<u8>),
    /// It is partitioned, and has so many partitions.
    Partitions(Both<u8>),
}

/// A view over the table of a number, or one that keeps its rows.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) table: u8,
    pub(crate) column: u8,
    pub(crate) how: u8,
    pub(crate) is_kept: bool,
    pub(crate) comment: u8,
}

/// A column: a family of types that Postgres casts into each other, and what it is on each side.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) family: u8,
    pub(crate) sides: Both<Kind>,
}

/// Properties of a column on one side.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) data_type: u8,
    pub(crate) not_null: bool,
    pub(crate) filling: u8,
    pub(crate) setting: u8,
    pub(crate) comment: u8,
}

/// Columns and options of a constraint or an index.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub(crate) column: u8,
    pub(crate) other: u8,
    pub(crate) how: u8,
    pub(crate) named: bool,
    pub(crate) comment: u8,
}

/// Pairs of up to three tables.
pub(crate) fn pairs() -> impl Strategy<Value = Pair> {
    let enums = prop::collection::vec(both(an_enum()), 0..3);
    let sequences = prop::collection::vec(both(sequence()), 0..2);
    let tables = prop::collection::vec(both(table()), 1..4);
    let views = prop::collection::vec(both(view()), 0..3);
    (enums, sequences, tables, views).prop_flat_map(|(enums, sequences, tables, views)| {
        let count = tables.len();
        let pair = (
            Just(enums),
            Just(sequences),
            Just(tables),
            prop::collection::vec(parts(), count),
            Just(views),
        );
        pair.prop_map(|(enums, sequences, tables, parts, views)| Pair {
            enums,
            sequences,
            tables,
            parts,
            views,
        })
    })
}

fn both<T: Clone + std::fmt::Debug>(
    one: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Both<T>> {
    prop_oneof![
        5 => one.clone().prop_map(Both::Same),
        3 => (one.clone(), one.clone()).prop_map(|(from, to)| Both::Changed(from, to)),
        1 => one.clone().prop_map(Both::From),
        1 => one.prop_map(Both::To),
    ]
}

fn an_enum() -> impl Strategy<Value = Enum> + Clone {
    (1..16_u8, 0..3_u8, 0..3_u8).prop_map(|(labels, turned, comment)| Enum {
        labels,
        turned,
        comment,
    })
}

fn sequence() -> impl Strategy<Value = Sequence> + Clone {
    let numbers = (0..3_u8, 1..5_i8, any::<bool>(), 0..3_u8);
    numbers.prop_map(|(data_type, increment, cycle, comment)| Sequence {
        data_type,
        increment,
        cycle,
        comment,
    })
}

fn table() -> impl Strategy<Value = Table> + Clone {
    (0..8_u8, 0..3_u8, 0..5_u8, 0..3_u8).prop_map(|(settings, comment, id, primary_key)| Table {
        settings,
        comment,
        id,
        primary_key,
    })
}

fn parts() -> impl Strategy<Value = Parts> {
    let columns = prop::collection::vec((0..5_u8, both(kind())), 0..6);
    let overs = (
        some_over(),
        some_over(),
        some_over(),
        some_over(),
        some_over(),
    );
    (columns, family(), overs).prop_map(
        |(columns, family, (uniques, checks, indexes, foreign_keys, statistics))| Parts {
            family,
            columns: columns
                .into_iter()
                .map(|(family, sides)| Column { family, sides })
                .collect(),
            uniques,
            checks,
            indexes,
            foreign_keys,
            statistics,
        },
    )
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![
        4 => Just(Family::None),
        1 => both(0..2_u8).prop_map(Family::Heir),
        1 => both(0..4_u8).prop_map(Family::Partitions),
    ]
}

fn view() -> impl Strategy<Value = View> + Clone {
    (0..3_u8, 0..6_u8, 0..6_u8, any::<bool>(), 0..3_u8).prop_map(
        |(table, column, how, is_kept, comment)| View {
            table,
            column,
            how,
            is_kept,
            comment,
        },
    )
}

fn kind() -> impl Strategy<Value = Kind> + Clone {
    (0..5_u8, any::<bool>(), 0..5_u8, 0..8_u8, 0..3_u8).prop_map(
        |(data_type, not_null, filling, setting, comment)| Kind {
            data_type,
            not_null,
            filling,
            setting,
            comment,
        },
    )
}

fn some_over() -> impl Strategy<Value = Vec<Both<Over>>> {
    let over = (0..6_u8, 0..6_u8, 0..8_u8, any::<bool>(), 0..3_u8).prop_map(
        |(column, other, how, named, comment)| Over {
            column,
            other,
            how,
            named,
            comment,
        },
    );
    prop::collection::vec(both(over), 0..3)
}
