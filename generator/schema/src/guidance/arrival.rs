//! Effects of a new column on existing rows, as far as only Postgres can tell them.

use super::Guidance;
use crate::{
    Id, Schema,
    objects::{Registered, column::Column},
};

/// A new column of an existing table, to ask Postgres about.
#[derive(Clone, Debug)]
pub struct Arriving {
    pub(crate) id: Id,
    /// Its type, as a column is declared with it.
    pub data_type: String,
    /// Its default, where it has one.
    pub default: Option<String>,
}

/// Postgres' answer about a new column of a table with rows. The default: nothing prevents it.
#[derive(Clone, Default, Debug)]
pub struct Arrival {
    /// Postgres' message where ADD COLUMN cannot compute the default.
    pub fails: Option<String>,
    /// Postgres' message where it cannot compute the default of the type, which is a domain.
    pub fails_by_type: Option<String>,
    /// Postgres' message where the type takes no NULL.
    pub takes_no_null: Option<String>,
    /// True if ADD COLUMN rewrites the table.
    pub rewrites: bool,
}

impl Guidance {
    /// The new columns of existing tables with something that only Postgres can compute: a default, or the constraints of a
    /// domain.
    #[must_use]
    pub fn arriving(from: &Schema, to: &Schema) -> Vec<Arriving> {
        let columns = to
            .entries()
            .filter_map(|(_, entry)| Column::of(&entry.object)?.arriving(from, to));
        columns.collect()
    }

    /// Adds Postgres' answer about a new column.
    pub fn expect(&mut self, arriving: &Arriving, arrival: Arrival) {
        self.advise(arriving.id.clone()).arrival = arrival;
    }
}
