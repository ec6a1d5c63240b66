//! A new column and the rows that are there: what they get by its default or its type, and what Postgres refuses of that.

use super::super::Registered;
use super::super::default::{Default, drop_default};
use super::super::table::Table;
use super::{Column, alter::unless_filled, retype};
use crate::{
    Clause, Hazard, Schema, Statement,
    guidance::{Arrival, Arriving},
    object::Object,
};

impl Column {
    /// The column, where it is new in a table that is there and Postgres has to compute something for its rows.
    pub(crate) fn arriving(&self, from: &Schema, to: &Schema) -> Option<Arriving> {
        from.entry(&Table::id(self.relation.clone()))?;
        let key = self.key();
        let stays = from
            .get::<Self>(&key)
            .is_some_and(|old| old.generated.is_none());
        if stays || self.fills_itself() {
            return None;
        }
        let default = to.get::<Default>(&key).map(Default::expression);
        (default.is_some() || self.data_type != self.base_type).then(|| Arriving {
            id: Self::id(key),
            data_type: self.data_type.clone(),
            default: default.map(str::to_owned),
        })
    }

    /// Postgres' answer about it, where it is new.
    fn arrival<'a>(&self, within: &'a Schema) -> Option<&'a Arrival> {
        Some(&within.advice(&Self::id(self.key()))?.arrival)
    }

    /// Postgres' message where rows that are there cannot get its default.
    pub(in super::super) fn fails_by_default<'a>(&self, within: &'a Schema) -> Option<&'a str> {
        self.arrival(within)?.fails.as_deref()
    }
}

/// The clause that stands in for the default of a domain where that cannot be computed, and the statement that takes it away.
pub(super) fn in_place_of_default(
    column: &Column,
    has_default: bool,
    within: &Schema,
) -> Option<(Clause, Statement)> {
    let message = column.arrival(within)?.fails_by_type.as_ref()?;
    let drop = drop_default(&column.key(), within).because(format!(
        "that of {} is for new rows alone: {message}",
        column.data_type
    ));
    (!has_default).then(|| (Clause::essential("DEFAULT NULL"), drop))
}

/// The statement with what Postgres does to the rows that are there, beside what all columns do.
pub(super) fn warned(
    mut add: Statement,
    column: &Column,
    has_default: bool,
    within: &Schema,
) -> Statement {
    let Some(arrival) = column.arrival(within) else {
        return add;
    };
    let table = &column.relation;
    if let (Some(message), false) = (&arrival.takes_no_null, has_default) {
        let finds = Hazard::finds(format!("SELECT * FROM {table}"));
        add = add.hazard(unless_filled(finds.since(message), column, within));
    }
    add
}

/// True if ADD COLUMN rewrites the table for the default or the type.
pub(super) fn rewrites(column: &Column, within: &Schema) -> bool {
    column
        .arrival(within)
        .is_some_and(|arrival| arrival.rewrites)
}

/// True if the type of a new column takes no NULL.
pub(super) fn takes_no_null(column: &Column, within: &Schema) -> bool {
    column
        .arrival(within)
        .is_some_and(|arrival| arrival.takes_no_null.is_some())
}

/// The type that a new column has until its rows are filled: its domain takes no row that has no value yet. `waits`: the rows get
/// their values later.
pub(super) fn type_below(column: &Column, waits: bool, within: &Schema) -> Option<String> {
    (waits && takes_no_null(column, within)).then(|| column.base_type.clone())
}

/// The statement by which a filled column gets its domain.
pub(super) fn settle(from: &Column, to: &Column, within: &Schema) -> Option<Statement> {
    if from.data_type == to.data_type {
        return None;
    }
    retype::retype(from, to, within, within).ok()
}
