use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "people", renamed_from = "people")]
struct Person {
    #[model(renamed_from = "id")]
    id: i64,
    #[model(renamed_from = "phone")]
    phone_number: String,
    #[model(renamed_from = "phone")]
    mobile: String,
    #[model(renamed_from("fax"))]
    fax_number: String,
    #[model(skip, renamed_from = "age")]
    years: i32,
}

#[derive(Model)]
#[model(table = "orders", namespace = "shop", renamed_from = "shop.orders")]
struct Order {
    id: i64,
}

#[derive(PgEnum)]
#[model(type = "mood", renamed_from = "mood")]
enum Mood {
    #[model(renamed_from = "fine")]
    Fine,
    #[model(renamed_from = "sad")]
    Unhappy,
    #[model(renamed_from = "sad")]
    Miserable,
}

fn main() {}
