use trueup::Model;

#[derive(Model)]
#[model(table = "users")]
struct User<'a> {
    name: &'a str,
}

fn main() {}
