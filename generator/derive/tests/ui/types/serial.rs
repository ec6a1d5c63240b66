use trueup::Model;

#[derive(Model)]
#[model(table = "readings")]
struct Reading {
    #[model(serial)]
    id: Option<i64>,
}

fn main() {}
