//! .

pub mod apply;
pub mod binaries;
pub mod connection;
pub mod embedded;
pub mod hash;
pub mod migration;
pub mod scratch;
pub mod url;
