use trueup::Model;

#[derive(Model)]
#[diesel(table_name = accounts)]
struct Account {
    #[model(primary_key)]
    id: i64,
}

/// Nothing is asked where the namespace is written.
#[derive(Model)]
#[diesel(table_name = letters)]
#[model(namespace = "public")]
struct Letter {
    #[model(primary_key)]
    id: i64,
}

fn main() {}
