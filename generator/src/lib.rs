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
//! [`autogen`](pipeline::autogen) is that pipeline with the models at its end, [`check`](pipeline::check) is its first half,
//! [`diff`](pipeline::compare::diff) is its first half with any two sources.
//!
//! Architecture invariant: nothing in this crate can name a kind of object. All knowledge of a kind is in its room, in the
//! crate `trueup`; every schema that is compared was printed by Postgres.

pub mod diff;
pub mod draft;
mod error;
pub mod files;
mod fills;
pub mod migrations;
pub mod named;
pub mod operations;
pub mod pipeline;
pub mod plan;
pub mod postgres;
mod project;
pub mod prove;
pub mod rename;
pub mod render;
pub mod report;
pub mod rows;
pub mod scope;
pub mod shell;
pub mod source;
pub mod summary;
mod words;

pub use error::{Error, ErrorKind};
pub use project::{Presumed, Project};
