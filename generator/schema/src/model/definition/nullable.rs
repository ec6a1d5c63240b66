//! Nullability of a field whose Rust type is no [`PgType`](crate::PgType).

use std::marker::PhantomData;

/// Tells whether a field is an `Option` when its column's type is written and its Rust type need not be a
/// [`PgType`](crate::PgType). A constant of the type itself goes before that of a trait, so `Option` is found through
/// aliases too.
#[derive(Debug)]
pub struct Nullable<T>(PhantomData<T>);

impl<T> Nullable<Option<T>> {
    /// An `Option` takes NULL.
    pub const NULLABLE: bool = true;
}

/// Nullability of every type that is no `Option`.
pub trait NotNullable {
    /// No other type takes NULL.
    const NULLABLE: bool = false;
}

impl<T> NotNullable for Nullable<T> {}
