use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "points")]
struct Point(i32, i32);

#[derive(Model)]
#[model(table = "moods")]
enum Mood {
    Good,
}

#[derive(PgEnum)]
#[model(type = "shape")]
enum Shape {
    Circle(i32),
    Square,
}

fn main() {}
