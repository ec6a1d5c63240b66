//! Private fields of a private model, a method named like a field, an own type, and a strict crate.
#![deny(warnings, missing_docs, unsafe_code, unreachable_pub)]

mod users {
    use trueup::Model;

    #[derive(Model)]
    #[model(table = "users")]
    pub(crate) struct User {
        #[model(primary_key)]
        id: i64,
    }

    impl User {
        pub(crate) fn id(&self) -> i64 {
            self.id
        }
    }
}

#[derive(trueup::Model)]
#[model(table = "letters")]
struct Letter {
    #[model(references = users::User::id, on_delete = "cascade")]
    r#to: i64,
    #[model(sql_type = "point")]
    place: Option<(f64, f64)>,
}

fn main() {
    let _ = |user: users::User, letter: Letter| (user.id(), letter.to, letter.place);
}
