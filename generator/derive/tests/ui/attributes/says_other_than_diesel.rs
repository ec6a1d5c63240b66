use trueup::Model;

#[derive(Model)]
#[diesel(table_name = people)]
#[model(table = "users")]
struct User {
    #[diesel(column_name = number)]
    #[model(column = "id", primary_key)]
    id: i64,
}

fn main() {}
