use trueup::{Model, PgEnum};

#[derive(PgEnum)]
#[model(type = "mood")]
enum Mood {
    Glad,
    #[model(replaces = "glad", replaces = "sad", replaces = "")]
    Unhappy,
    #[model(replaces = "sad")]
    Cross,
}

#[derive(Model)]
#[model(table = "tickets")]
struct Ticket {
    #[model(using(back = "a::text"))]
    a: i32,
    #[model(using = "b::integer", using = "1", fill = 1)]
    b: i32,
    #[model(skip, fill = "1")]
    c: i32,
}

fn main() {}
