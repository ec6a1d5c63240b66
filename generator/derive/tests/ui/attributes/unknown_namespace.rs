use trueup::Model;

#[derive(Model)]
#[diesel(table_name = crate::accounts::account)]
struct Account {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model)]
#[diesel(table_name = crate::schema::shop::old::account)]
struct OldAccount {
    #[model(primary_key)]
    id: i64,
}

fn main() {}
