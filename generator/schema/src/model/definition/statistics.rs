//! Extended statistics, as the derive reads them.

use super::{Indexed, Place};

/// Extended statistics.
#[derive(Debug)]
pub struct StatisticsDef {
    /// Place in the source.
    pub place: Place,
    /// The name.
    pub name: &'static str,
    /// Their comment; empty removes it.
    pub comment: Option<&'static str>,
    /// The kinds, as words of SQL; all where none is written.
    pub kinds: &'static [&'static str],
    /// The columns and expressions that they are on.
    pub on: &'static [Indexed],
    /// Statistics target: how many rows ANALYZE samples.
    pub target: Option<i32>,
}
