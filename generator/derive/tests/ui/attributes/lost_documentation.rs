use trueup::{Model, PgEnum};

#[doc = concat!("All ", "accounts.")]
#[derive(Model)]
#[model(table = "accounts")]
struct Account {
    /// Read.
    #[doc = stringify!(lost)]
    #[model(primary_key)]
    id: i64,
    #[doc = stringify!(not lost)]
    #[model(comment = "Said.")]
    name: String,
    #[doc = stringify!(no column)]
    #[model(skip)]
    skipped: String,
}

#[doc = concat!("It ", "feels.")]
#[derive(PgEnum)]
#[model(type = "mood")]
enum Mood {
    Good,
}

fn main() {}
