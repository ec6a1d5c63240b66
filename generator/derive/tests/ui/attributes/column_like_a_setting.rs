use trueup::Model;

#[derive(Model)]
#[model(table = "posts", index(name(desc), method = "gin", name = "by_name"))]
struct Post {
    #[model(primary_key)]
    id: i64,
    name: String,
}

#[derive(Model)]
#[model(table = "notes", index(columns(name(desc)), name = "by_name"))]
struct Note {
    #[model(primary_key)]
    id: i64,
    name: String,
}

fn main() {}
