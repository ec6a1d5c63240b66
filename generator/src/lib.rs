//! How one schema becomes another.

pub mod diff;
pub mod plan;
pub mod postgres;
