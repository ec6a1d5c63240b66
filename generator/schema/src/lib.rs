//! Model of a Postgres database: its objects and their dependencies.
//!
//! A [`Schema`] holds every object of a database at one grain: a column, a default, a constraint, a comment is an
//! object with a parent, as a table is one with a namespace. All that is known about one kind of object stands in one
//! file, its room, under `objects/`; the register in `objects.rs` names each kind once.
//!
//! This crate is pure: it opens no connection and reads no file. `models` depends on it alone.
//!
//! Architecture invariant: the enum behind [`Entry`] is private to this crate, so code outside cannot match on a kind.
//! Where it wants to, a word is missing in `object.rs`: add the word.

// The derives write `::trueup::…`, and this crate's tests use them.
#[cfg(test)]
extern crate self as trueup;

mod guidance;
mod hazard;
pub mod model;
pub mod name;
mod object;
mod objects;
pub mod parameters;
pub mod read;
mod schema;
mod statement;

pub use guidance::{
    Arrival, Arriving, Constant, FillFacts, Filled, Guidance, Runs, Surroundings, Updated,
};
pub use hazard::{Hazard, LockMode, Unfilled};
pub use model::{
    Decision, Declaration, Declarations, Fragment, FragmentKind, Linked, Model, ModelError,
    ModelErrors, Newer, Part, PgElement, PgEnum, PgType, Rank, Renamed, SerialType, declarations,
    linked,
};
pub use name::{Member, Name};
pub use object::{Alter, Detail, Keeping, Lead, Slot, Turn};
pub use objects::{Id, Kind, moves, waits};
pub use schema::{
    Address, Cast, CastContext, Casts, Entry, Grant, Grantee, Of, Origin, Place, ROLE, Right,
    RightDelta, Rights, Says, Schema, Server, Unread, UnreadDelta,
};
pub use statement::{Action, Clause, DataStep, Pass, Statement, one_line};
pub use trueup_derive::{Model, PgEnum};

/// Names that the expanded derives refer to; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use std::borrow::Cow;

    pub use inventory;
    pub use trueup_derive::words;

    pub use crate::model::{declarations_of, definition::*};
}
