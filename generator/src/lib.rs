//! The way from one schema to another.
//!
//! Everything is one pipeline: two sources, two schemas, one diff, one plan, one proof, one set of files.
//!
//! ```text
//! models ──────────────┐                                  ┌─ up.sql, down.sql ─ diesel_migrations ─ database
//! live database ───────┤                                  │
//! migrations replayed ─┼─ source ─► Schema ─┐             │
//! .sql files ──────────┘                    ├─ diff ─ plan ─ prove ─ write
//!                            other Schema ──┘
//! ```
//!
//! [`autogen`] is that pipeline with the models at its end, [`check`] is its first half, [`diff`](compare::diff) is its
//! first half with any two sources.
//!
//! Architecture invariant: nothing in this crate can name a kind of object. All knowledge of a kind is in its room, in the
//! crate `trueup`; every schema that is compared was printed by Postgres.

pub mod agreement;
pub mod apply;
pub mod autogen;
pub mod backup;
pub mod binaries;
pub mod check;
pub mod children;
pub mod compare;
pub mod connection;
pub mod database;
pub mod diff;
pub mod doctor;
pub mod draft;
pub mod embedded;
pub mod environment;
mod error;
pub mod files;
mod fills;
mod hash;
pub mod health;
mod lock;
pub mod migration;
pub mod named;
mod noted;
pub mod plan;
pub mod postgres;
mod project;
pub mod prove;
pub mod rename;
pub mod render;
pub mod report;
pub mod rework;
pub mod rows;
pub mod scheduled;
pub mod scope;
pub mod scratch;
pub mod secrets;
pub mod seed;
pub mod shell;
pub mod size;
pub mod source;
pub mod summary;
pub mod unread;
pub mod url;
pub mod witness;
mod words;

pub use error::{Error, ErrorKind};
pub use project::{Presumed, Project};
