//! Migration folders, and their way into a database.

pub mod apply;
pub mod folder;
pub(crate) mod noted;
