//! .

pub mod binaries;
pub mod connection;
pub mod scratch;
pub mod url;
