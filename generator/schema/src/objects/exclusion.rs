//! Exclusion constraints.

use super::key_constraint::{Contype, KeyConstraint};

/// A row of `pg_constraint` with `contype = 'x'`.
pub(crate) type Exclusion = KeyConstraint<Excludes>;

/// Tells it from other constraints with an index behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Excludes;

impl Contype for Excludes {
    const CONTYPE: char = 'x';
    const NAME: &'static str = "exclusion constraint";
    const MERGED_AFTER: Option<&'static str> = None;
    const LABEL: &'static str = "excl";
    const PRINTS_PARAMETERS: bool = true;
}
