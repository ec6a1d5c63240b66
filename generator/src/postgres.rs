//! Postgres as a program and as a server: its binaries, connections, catalog and scratch databases.

pub mod binaries;
pub mod catalog;
pub mod children;
pub mod connection;
pub mod dump;
pub mod embedded;
pub mod environment;
pub mod scratch;
pub mod secrets;
pub mod url;
