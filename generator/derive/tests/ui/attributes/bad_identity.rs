use trueup::Model;

#[derive(Model)]
#[model(table = "users")]
struct User {
    #[model(primary_key, identity = "sometimes")]
    id: i64,
    #[model(identity(start = "one"))]
    number: i64,
}

fn main() {}
