use trueup::Model;

struct User {
    id: i64,
}

#[derive(Model)]
#[model(table = "letters")]
struct Letter {
    #[model(references = User::id)]
    to: i64,
}

fn main() {}
