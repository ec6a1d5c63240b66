use trueup::Model;

#[derive(Model)]
#[model(table = "users")]
struct User {
    #[model(primary_key)]
    id: i64,
    email: String,
}

#[derive(Model)]
#[model(table = "letters", foreign_key(columns(sender), references = User(mail)))]
struct Letter {
    #[model(references = User::idd)]
    to: i64,
    sender: String,
}

fn main() {}
