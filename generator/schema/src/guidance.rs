//! What a model says about the way to what it declares, and not about what it is: no catalog holds it, and once the way is
//! gone it has nothing more to say.

mod arrival;
mod fill;

use std::collections::BTreeMap;

use crate::{Id, Origin, Schema};

pub use arrival::{Arrival, Arriving};
pub(crate) use fill::Fill;
pub use fill::{Constant, FillFacts, Filled, Runs, Surroundings, Updated};

/// What is said about the ways to some objects.
#[derive(Clone, Default, Debug)]
pub struct Guidance(BTreeMap<Id, Advice>);

/// What is said about the way to one object.
#[derive(Clone, Default, Debug)]
pub(crate) struct Advice {
    /// How the values that are there become values of a new type.
    pub(crate) using: Option<Expression>,
    /// What the rows that are there get where they have no value.
    pub(crate) fill: Option<Fill>,
    /// What Postgres says of the values that rows get along with a new column.
    pub(crate) arrival: Arrival,
    /// Which label takes the place of one that is gone: from the old to the new.
    pub(crate) replaced: BTreeMap<String, String>,
}

/// An expression that a person wrote, and where.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) sql: String,
    pub(crate) origin: Origin,
}

impl Guidance {
    /// Whether nothing is said about anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is said to take the place of this part of the object.
    #[must_use]
    pub fn replaces(&self, id: &Id, part: &str) -> bool {
        self.about(id)
            .is_some_and(|advice| advice.replaced.contains_key(part))
    }

    /// The columns to fill, where rows may be there that have no value.
    #[must_use]
    pub fn fills(&self, from: &Schema, to: &Schema) -> Vec<Filled> {
        let fills = self.0.iter().filter_map(|(id, advice)| {
            let fill = advice.fill.as_ref()?;
            fill.filled(id, from, to)
        });
        fills.collect()
    }

    /// The same guidance, with what Postgres says of a fill.
    pub fn learn(&mut self, filled: &Filled, facts: FillFacts) {
        if let Some(fill) = &mut self.advise(filled.id.clone()).fill {
            fill.facts = facts;
        }
    }

    pub(crate) fn about(&self, id: &Id) -> Option<&Advice> {
        self.0.get(id)
    }

    pub(crate) fn advise(&mut self, id: Id) -> &mut Advice {
        self.0.entry(id).or_default()
    }
}
