use trueup::Model;

#[derive(Model)]
#[model(table = "users", primary_key(id, nmae))]
struct User {
    #[model(primary_key)]
    id: i64,
    name: String,
}

fn main() {}
