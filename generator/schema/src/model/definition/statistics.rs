//! What the derive says about extended statistics.

use super::{Indexed, Place};

/// Extended statistics.
#[derive(Debug)]
pub struct StatisticsDef {
    /// Where they were written.
    pub place: Place,
    /// The name.
    pub name: &'static str,
    /// What is said of them; empty for nothing.
    pub comment: Option<&'static str>,
    /// The kinds, as words of SQL; all where none is written.
    pub kinds: &'static [&'static str],
    /// The columns and expressions that they are on.
    pub on: &'static [Indexed],
    /// How much ANALYZE looks at.
    pub target: Option<i32>,
}
