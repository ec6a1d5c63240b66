//! A table's namespace is the one of the module that Diesel's `table!` is in, as `diesel print-schema` writes it.

#![allow(dead_code, reason = "only what the models declare is of interest")]

use diesel::Identifiable;
use trueup::Model;

mod schema {
    diesel::table! {
        account (id) { id -> BigInt, }
    }

    pub(crate) mod v2 {
        diesel::table! {
            v2.account (id) { id -> BigInt, }
        }
    }

    pub(crate) mod r#type {
        diesel::table! {
            r#type.account (id) { id -> BigInt, }
        }
    }

    pub(crate) mod public {
        diesel::table! {
            public.invoice (id) { id -> BigInt, }
        }
    }
}

mod bare {
    use super::schema::account;

    #[derive(diesel::Identifiable, trueup::Model)]
    #[diesel(table_name = account)]
    pub(super) struct Account {
        #[model(primary_key)]
        id: i64,
    }
}

mod imported {
    use super::schema::v2::account;

    #[derive(diesel::Identifiable, trueup::Model)]
    #[diesel(table_name = account)]
    #[model(namespace = "v2")]
    pub(super) struct Account {
        #[model(primary_key)]
        id: i64,
    }
}

#[derive(Identifiable, Model)]
#[diesel(table_name = crate::schema::account)]
struct Plain {
    #[model(primary_key)]
    id: i64,
}

#[derive(Identifiable, Model)]
#[diesel(table_name = crate::schema::v2::account)]
struct OfModule {
    #[model(primary_key)]
    id: i64,
}

#[derive(Identifiable, Model)]
#[diesel(table_name = schema::r#type::account)]
struct Raw {
    #[model(primary_key)]
    id: i64,
}

#[derive(Identifiable, Model)]
#[diesel(table_name = schema::public::invoice)]
struct Public {
    #[model(primary_key)]
    id: i64,
}

/// None of Diesel's derives is there.
#[derive(Model)]
#[diesel(table_name = crate::schema::v2::account)]
struct Unasked {
    #[model(primary_key)]
    id: i64,
}

#[derive(Identifiable, Model)]
#[diesel(table_name = crate::schema::v2::account)]
#[model(namespace = "v3")]
struct Written {
    #[model(primary_key)]
    id: i64,
}

#[test]
fn a_module_of_the_schema_is_a_namespace() {
    assert_eq!(bare::Account::DEFINITION.namespace, "public");
    assert_eq!(imported::Account::DEFINITION.namespace, "v2");
    assert_eq!(Plain::DEFINITION.namespace, "public");
    assert_eq!(OfModule::DEFINITION.namespace, "v2");
    assert_eq!(Raw::DEFINITION.namespace, "type");
    assert_eq!(Public::DEFINITION.namespace, "public");
    assert_eq!(Unasked::DEFINITION.namespace, "v2");
    assert_eq!(Written::DEFINITION.namespace, "v3");
}
