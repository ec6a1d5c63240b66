//! Which object is where.

use std::collections::BTreeSet;

use trueup::{Address, Id, Schema, read::Claims};

use crate::prove::data::snapshot::Place;

/// Which object each address is, by the names before renames and by those after.
pub(super) struct Map<'a>(Vec<(&'a Schema, Claims)>);

impl<'a> Map<'a> {
    pub(super) fn new(schemas: impl IntoIterator<Item = &'a Schema>) -> Self {
        let claimed = schemas.into_iter().map(|schema| (schema, schema.claims()));
        Self(claimed.collect())
    }

    /// The object at a place, by each of its names.
    pub(super) fn ids(&self, place: Place) -> impl Iterator<Item = &Id> {
        let claims = self.0.iter().map(|(_, claims)| claims);
        claims.filter_map(move |claims| claims.get(address(place)))
    }

    /// The object at a place, and all that would take it along.
    pub(super) fn chain(&self, place: Place) -> BTreeSet<Id> {
        let mut chain = BTreeSet::new();
        for (schema, claims) in &self.0 {
            let mut next: Vec<Id> = claims.get(address(place)).cloned().into_iter().collect();
            while let Some(id) = next.pop() {
                if let Some(entry) = schema.entry(&id) {
                    next.extend(entry.parent());
                    next.extend(entry.falls_with(schema));
                    let leads = entry.follows(schema, schema).into_iter();
                    next.extend(leads.map(|lead| lead.leader));
                }
                chain.insert(id);
            }
        }
        chain
    }

    pub(super) fn is_told(&self, place: Place, hazards: &BTreeSet<&Id>) -> bool {
        self.chain(place).iter().any(|id| hazards.contains(id))
    }
}

fn address(place: Place) -> Address {
    Address {
        class: PG_CLASS,
        object: place.oid,
        sub: i64::from(place.column),
    }
}

/// The oid of `pg_class` itself.
const PG_CLASS: i64 = 1259;
