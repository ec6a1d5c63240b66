//! The commands that are pipelines: two sources, one diff, one plan, one proof.

pub mod autogen;
pub mod check;
pub mod compare;
pub mod rework;
pub mod scheduled;
pub mod unread;
