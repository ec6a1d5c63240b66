//! How one schema becomes another.

pub mod binaries;
pub mod connection;
pub mod diff;
pub mod plan;
pub mod postgres;
pub mod scratch;
pub mod url;
