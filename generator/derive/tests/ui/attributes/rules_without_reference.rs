use trueup::Model;

#[derive(Model)]
#[model(table = "letters")]
struct Letter {
    #[model(on_delete = "cascade")]
    to: i64,
    #[model(references = Self::to, on_delete = "explode")]
    from: i64,
}

fn main() {}
