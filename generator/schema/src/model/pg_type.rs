//! Postgres types of Rust types.

use std::borrow::Cow;
use std::net::IpAddr;

/// A Rust type that a column can have.
///
/// It is implemented for the types of the standard library that Postgres has a counterpart for, for `Option` (the
/// column takes NULL), for `Vec` (an array; of `u8`, `bytea`), and with the features of their names for the types of
/// `bigdecimal`, `chrono`, `ipnetwork`, `serde_json` and `uuid`. Implement it for your own:
///
/// ```
/// use std::borrow::Cow;
///
/// use trueup::{Model, PgType};
///
/// pub struct Celsius(f64);
///
/// impl PgType for Celsius {
///     fn sql_type() -> Cow<'static, str> {
///         "numeric(5, 2)".into()
///     }
/// }
///
/// #[derive(Model)]
/// #[model(table = "readings")]
/// pub struct Reading {
///     pub temperature: Celsius,
///     pub outside: Option<Celsius>,
///     pub hourly: Vec<Celsius>,
/// }
/// ```
///
/// For a single column, `#[model(sql_type = "…")]` says it without the trait.
#[diagnostic::on_unimplemented(
    message = "trueup does not know which Postgres type `{Self}` is",
    label = "no Postgres type is known for this",
    note = "write #[model(sql_type = \"…\")] on the field, or implement `trueup::PgType` for the type",
    note = "types of bigdecimal, chrono, ipnetwork, serde_json and uuid need trueup's feature of that name",
    note = "Postgres has no unsigned integers; bytes are `Vec<u8>`"
)]
pub trait PgType {
    /// True if a column of this type takes NULL.
    const NULLABLE: bool = false;

    /// The type as SQL: `text`, `numeric(5, 2)`, `shop.status`. A type outside `pg_catalog` is best qualified.
    fn sql_type() -> Cow<'static, str>;
}

/// A type that can stand in a `Vec`: every [`PgType`], and `u8`.
#[diagnostic::on_unimplemented(
    message = "trueup does not know which Postgres type `Vec<{Self}>` is",
    label = "no Postgres type is known for what this holds",
    note = "write #[model(sql_type = \"…\")] on the field, or implement `trueup::PgType` for `{Self}`"
)]
pub trait PgElement {
    /// The type of a `Vec` of this as SQL.
    fn vec_type() -> Cow<'static, str>;
}

/// A type that a serial column can have.
#[diagnostic::on_unimplemented(
    message = "a serial column is an `i16`, an `i32` or an `i64`, not `{Self}`",
    label = "this cannot be serial"
)]
pub trait SerialType: PgType {
    /// The word that makes the column: `smallserial`, `serial` or `bigserial`.
    const SERIAL_TYPE: &'static str;
}

impl<T: PgType> PgElement for T {
    fn vec_type() -> Cow<'static, str> {
        format!("{}[]", T::sql_type()).into()
    }
}

impl PgElement for u8 {
    fn vec_type() -> Cow<'static, str> {
        "bytea".into()
    }
}

impl<T: PgElement> PgType for Vec<T> {
    fn sql_type() -> Cow<'static, str> {
        T::vec_type()
    }
}

impl<T: PgType> PgType for Option<T> {
    const NULLABLE: bool = true;

    fn sql_type() -> Cow<'static, str> {
        T::sql_type()
    }
}

/// One line a type: the Rust type and the Postgres type that it is.
macro_rules! pg_types {
    ($($(#[$condition:meta])* $rust:ty => $postgres:literal),* $(,)?) => {
        $($(#[$condition])* impl PgType for $rust {
            fn sql_type() -> Cow<'static, str> {
                $postgres.into()
            }
        })*
    };
}

pg_types! {
    bool => "boolean",
    i16 => "smallint",
    i32 => "integer",
    i64 => "bigint",
    f32 => "real",
    f64 => "double precision",
    String => "text",
    Box<str> => "text",
    Cow<'_, str> => "text",
    IpAddr => "inet",
    #[cfg(feature = "bigdecimal")] bigdecimal::BigDecimal => "numeric",
    #[cfg(feature = "chrono")] chrono::NaiveDate => "date",
    #[cfg(feature = "chrono")] chrono::NaiveTime => "time",
    #[cfg(feature = "chrono")] chrono::NaiveDateTime => "timestamp",
    #[cfg(feature = "chrono")] chrono::Duration => "interval",
    #[cfg(feature = "ipnetwork")] ipnetwork::IpNetwork => "inet",
    #[cfg(feature = "serde_json")] serde_json::Value => "jsonb",
    #[cfg(feature = "uuid")] uuid::Uuid => "uuid",
}

#[cfg(feature = "chrono")]
impl<Z: chrono::TimeZone> PgType for chrono::DateTime<Z> {
    fn sql_type() -> Cow<'static, str> {
        "timestamptz".into()
    }
}

impl SerialType for i16 {
    const SERIAL_TYPE: &'static str = "smallserial";
}

impl SerialType for i32 {
    const SERIAL_TYPE: &'static str = "serial";
}

impl SerialType for i64 {
    const SERIAL_TYPE: &'static str = "bigserial";
}

#[cfg(test)]
mod tests {
    use super::PgType;

    #[test]
    fn bytes_are_no_array_and_everything_else_is() {
        assert_eq!(Vec::<u8>::sql_type(), "bytea");
        assert_eq!(Vec::<Vec<u8>>::sql_type(), "bytea[]");
        assert_eq!(Vec::<Option<String>>::sql_type(), "text[]");
        assert_eq!(Option::<Vec<i32>>::sql_type(), "integer[]");
    }
}
