//! Two schemas become a list of differences.
//!
//! Architecture invariant: names no kind. An object is there or not, and equal or not.

use std::sync::Arc;

use itertools::{EitherOrBoth, Itertools};
use trueup::{Entry, Id, Schema};

/// One object that differs.
#[derive(Clone, Copy, Debug)]
pub enum Delta<'a> {
    /// Only `to` has it.
    Create(&'a Entry),
    /// Only `from` has it.
    Remove(&'a Entry),
    /// Both have it, and not alike.
    Change {
        /// As it is.
        from: &'a Entry,
        /// As it shall be.
        to: &'a Entry,
    },
}

/// Finds what differs, in the order of the ids.
#[must_use]
pub fn diff<'a>(from: &'a Schema, to: &'a Schema) -> Vec<(&'a Id, Delta<'a>)> {
    let mut deltas = Vec::new();
    for both in from
        .entries()
        .merge_join_by(to.entries(), |(one, _), (other, _)| one.cmp(other))
    {
        match both {
            EitherOrBoth::Left((id, old)) => deltas.push((id, Delta::Remove(old))),
            EitherOrBoth::Right((id, new)) => deltas.push((id, Delta::Create(new))),
            EitherOrBoth::Both((_, old), (_, new)) if Arc::ptr_eq(old, new) || old == new => {}
            EitherOrBoth::Both((id, old), (_, new)) => {
                deltas.push((id, Delta::Change { from: old, to: new }));
            }
        }
    }
    deltas
}

/// The differences from the wanted schema, a line each.
#[must_use]
pub fn words(reached: &Schema, wanted: &Schema) -> Vec<String> {
    let word = |delta: Delta<'_>| match delta {
        Delta::Create(_) => "is missing",
        Delta::Remove(_) => "should not be there",
        Delta::Change { .. } => "is different",
    };
    diff(reached, wanted)
        .into_iter()
        .map(|(id, delta)| format!("{id} {}", word(delta)))
        .collect()
}
