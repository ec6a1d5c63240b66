use trueup::Model;

#[derive(Model)]
#[model(table = "a\0b", check("a <> '\0'"))]
struct Nul {
    #[model(primary_key, default = "'\0'")]
    a: String,
}

fn main() {}
