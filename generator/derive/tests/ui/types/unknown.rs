use trueup::Model;

struct Celsius(f64);

#[derive(Model)]
#[model(table = "readings")]
struct Reading {
    temperature: Option<Celsius>,
    flags: u8,
    others: Vec<Celsius>,
}

fn main() {}
