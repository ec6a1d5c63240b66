//! Unique constraints. A unique index without a constraint is an index.

use super::key_constraint::{Contype, KeyConstraint};

/// A row of `pg_constraint` with `contype = 'u'`.
pub(crate) type Unique = KeyConstraint<OnlyOnce>;

/// Tells it from other constraints with an index behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OnlyOnce;

impl Contype for OnlyOnce {
    const CONTYPE: char = 'u';
    const NAME: &'static str = "unique constraint";
    const MERGED_AFTER: Option<&'static str> = Some("UNIQUE ");
    const LABEL: &'static str = "key";
}
