//! Primary keys. That its columns are NOT NULL is said by the columns.

use super::key_constraint::{Contype, KeyConstraint};

/// A row of `pg_constraint` with `contype = 'p'`.
pub(crate) type PrimaryKey = KeyConstraint<Primary>;

/// Tells it from other constraints with an index behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Primary;

impl Contype for Primary {
    const CONTYPE: char = 'p';
    const NAME: &'static str = "primary key";
    const MERGED_AFTER: Option<&'static str> = Some("PRIMARY KEY ");
    const LABEL: &'static str = "pkey";
    const NAMED_AFTER_COLUMNS: bool = false;
}
