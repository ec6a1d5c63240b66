//! Models: the attributes of a program's structs, and their declarations as SQL.
//!
//! Declarations are no [`Schema`](crate::Schema): they keep the form in which a person wrote them. Only Postgres can put
//! that into the form in which two schemas are compared.

mod declaration;
pub(crate) mod definition;
mod error;
mod fragment;
mod gathered;
mod guidance;
mod linked;
mod newer;
mod pg_type;
mod renamed;
mod rules;
mod sql;

pub use self::declaration::{
    Decision, Declaration, Declarations, Fragment, FragmentKind, Newer, Part, Rank, Renamed,
};
pub use self::error::{ModelError, ModelErrors};
pub use self::linked::{Linked, linked};
pub use self::pg_type::{PgElement, PgType, SerialType};

use std::sync::Arc;

use self::definition::{EnumDef, ModelDef, Submitted};
use self::gathered::Gathered;

/// A struct that is a table. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model",
    label = "no table is known for this",
    note = "derive `trueup::Model` on it"
)]
pub trait Model {
    /// A type whose constants are the columns, under the names of the fields.
    #[doc(hidden)]
    type Columns;

    /// The struct's attributes.
    #[doc(hidden)]
    const DEFINITION: &'static ModelDef;
}

/// An enum that is an enum type. Derive it.
pub trait PgEnum: PgType {
    /// The enum's attributes.
    #[doc(hidden)]
    const DEFINITION: &'static EnumDef;
}

/// Declares all models, enums, extensions and sequences that are linked into the program.
pub fn declarations() -> Result<Declarations, ModelErrors> {
    declare(&Gathered::new(inventory::iter::<Submitted>))
}

/// Declares these alone, whatever else is linked into the program: models that cannot all hold at once can be tried one
/// after the other.
#[doc(hidden)]
pub fn declarations_of(submitted: &[Submitted]) -> Result<Declarations, ModelErrors> {
    declare(&Gathered::new(submitted))
}

fn declare(gathered: &Gathered) -> Result<Declarations, ModelErrors> {
    if gathered.models.is_empty() {
        return Err(ModelErrors::NoModels);
    }
    let wrong = rules::check(gathered);
    if !wrong.is_empty() {
        return Err(ModelErrors::Wrong(wrong));
    }
    Ok(Declarations {
        list: sql::declare(gathered),
        fragments: fragment::fragments(gathered),
        newer: newer::newer(gathered),
        renamed: renamed::renamed(gathered),
        there: Arc::new(guidance::there(gathered)),
        back: Arc::new(guidance::back(gathered)),
    })
}

/// Declares an extension that the models need, which migrations then create.
///
/// ```
/// trueup::extension!("citext");
/// trueup::extension!("pg_trgm", schema = "extensions");
/// ```
#[macro_export]
macro_rules! extension {
    ($name:literal $(,)?) => {
        $crate::extension!(@submit $name, ::core::option::Option::None);
    };
    ($name:literal, schema = $namespace:literal $(,)?) => {
        $crate::extension!(@submit $name, ::core::option::Option::Some($namespace));
    };
    (@submit $name:literal, $namespace:expr) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Submitted::Extension(&$crate::__private::ExtensionDef {
                item: $crate::__private::Item {
                    file: ::core::file!(),
                    line: ::core::line!(),
                    module: ::core::module_path!(),
                    name: "extension!",
                },
                name: $name,
                namespace: $namespace,
            })
        }
    };
}

/// Declares a sequence that stands alone, which migrations then create. Where the declaration goes, the sequence stays: drop
/// it in a migration written by hand.
///
/// ```
/// trueup::sequence!("order_numbers");
/// trueup::sequence!("invoice_numbers", namespace = "shop", start = 1000, comment = "One for each invoice.");
/// ```
///
/// Also `data_type = "integer"`, `increment`, `min`, `max`, `cache` with a number, and `cycle`.
#[macro_export]
macro_rules! sequence {
    ($name:literal $(, $setting:ident $(= $value:expr)?)* $(,)?) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Submitted::Sequence(
                const {
                    &$crate::__private::SequenceDef::new(
                        $crate::__private::Item {
                            file: ::core::file!(),
                            line: ::core::line!(),
                            module: ::core::module_path!(),
                            name: "sequence!",
                        },
                        $name,
                    )
                    $(.$setting($($value)?))*
                }
            )
        }
    };
}

#[cfg(test)]
mod tests;
