use trueup::Model;

#[derive(Model)]
#[model(table = "users", indx(id))]
struct User {
    #[model(primary_key)]
    id: i64,
}

/// Nothing is wrong with this one.
#[derive(Model)]
#[model(table = "letters")]
struct Letter {
    #[model(references = User::id)]
    user: i64,
}

fn main() {}
