mod schema {
    diesel::table! {
        v1.invoice (id) { id -> BigInt, }
    }

    pub mod v2 {
        diesel::table! {
            v2.account (id) { id -> BigInt, }
        }

        diesel::table! {
            letter (id) { id -> BigInt, }
        }
    }
}

use schema::v2::account;
use trueup::Model;

/// No other derive knows of the table.
#[derive(Model)]
#[diesel(table_name = account)]
struct Account {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model)]
#[diesel(table_name = schema::invoice)]
struct Invoice {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model)]
#[diesel(table_name = schema::v2::letter)]
struct Letter {
    #[model(primary_key)]
    id: i64,
}

fn main() {}
