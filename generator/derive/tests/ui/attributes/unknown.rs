use trueup::Model;

#[derive(Model)]
#[model(tabel = "users")]
struct User {
    #[model(primary_key, defualt = "0")]
    id: i64,
}

fn main() {}
