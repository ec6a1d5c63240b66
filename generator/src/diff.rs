//! Two schemas become a list of differences.
//!
//! Architecture invariant: names no kind. An object is there or not, and equal or not.

use std::sync::Arc;

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
    let (mut olds, mut news) = (from.entries().peekable(), to.entries().peekable());
    loop {
        match (olds.peek().copied(), news.peek().copied()) {
            (None, None) => return deltas,
            (Some((id, old)), Some((other, new))) if id == other => {
                if !Arc::ptr_eq(old, new) && old != new {
                    deltas.push((id, Delta::Change { from: old, to: new }));
                }
                olds.next();
                news.next();
            }
            (Some((id, old)), next) if next.is_none_or(|(other, _)| id < other) => {
                deltas.push((id, Delta::Remove(old)));
                olds.next();
            }
            (_, Some((id, new))) => {
                deltas.push((id, Delta::Create(new)));
                news.next();
            }
            // The arm above took every old entry that has no new one after it.
            (Some(_), None) => return deltas,
        }
    }
}
