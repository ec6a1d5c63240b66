//! Operations on one database that need no diff.

pub mod backup;
pub mod database;
pub mod doctor;
pub mod health;
pub mod seed;
pub mod size;
