//! Migration hints of the models: how to get to the declared state, not what that state is. No catalog holds them, and once
//! the migration has run they have no effect.

mod arrival;
mod fill;

use std::collections::BTreeMap;

use crate::{
    Id, Origin, Schema,
    objects::{Registered, column::Column},
};

pub use arrival::{Arrival, Arriving};
pub(crate) use fill::Fill;
pub use fill::{Constant, FillFacts, Filled, Runs, Surroundings, Updated};

/// Migration hints by object.
#[derive(Clone, Default, Debug)]
pub struct Guidance {
    advice: BTreeMap<Id, Advice>,
    data_step: bool,
}

/// Migration hints for one object.
#[derive(Clone, Default, Debug)]
pub(crate) struct Advice {
    /// Expression that converts existing values to a new type: the USING of ALTER COLUMN … TYPE.
    pub(crate) using: Option<Expression>,
    /// Value for existing rows that have none.
    pub(crate) fill: Option<Fill>,
    /// Postgres' answers about adding this column to a table with rows.
    pub(crate) arrival: Arrival,
    /// Labels that replace dropped ones: from the old to the new.
    pub(crate) replaced: BTreeMap<String, String>,
}

/// An expression that a person wrote, and where.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) sql: String,
    pub(crate) origin: Origin,
}

impl Guidance {
    /// True if there are no hints at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.advice.is_empty() && !self.data_step
    }

    /// True if a replacement is declared for this part of the object, such as a dropped enum label.
    #[must_use]
    pub fn replaces(&self, id: &Id, part: &str) -> bool {
        self.about(id)
            .is_some_and(|advice| advice.replaced.contains_key(part))
    }

    /// The columns to fill, where rows may be there that have no value.
    #[must_use]
    pub fn fills(&self, from: &Schema, to: &Schema) -> Vec<Filled> {
        let fills = self.advice.iter().filter_map(|(id, advice)| {
            let fill = advice.fill.as_ref()?;
            fill.filled(id, from, to)
        });
        fills.collect()
    }

    /// True if rows may be without a value for a column of `to`: it is new in their table, or comes to require one.
    #[must_use]
    pub fn may_lack(from: &Schema, to: &Schema) -> bool {
        to.entries().any(|(_, entry)| {
            Column::of(&entry.object).is_some_and(|column| column.may_be_lacking(from))
        })
    }

    /// The same guidance, where a person's statements move rows between what comes and what goes.
    #[must_use]
    pub fn around_data_step(&self) -> Self {
        Self {
            data_step: true,
            ..self.clone()
        }
    }

    pub(crate) fn has_data_step(&self) -> bool {
        self.data_step
    }

    /// The same guidance, with what Postgres says of a fill.
    pub fn learn(&mut self, filled: &Filled, facts: FillFacts) {
        if let Some(fill) = &mut self.advise(filled.id.clone()).fill {
            fill.facts = facts;
        }
    }

    pub(crate) fn about(&self, id: &Id) -> Option<&Advice> {
        self.advice.get(id)
    }

    pub(crate) fn advise(&mut self, id: Id) -> &mut Advice {
        self.advice.entry(id).or_default()
    }
}
