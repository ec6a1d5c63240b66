//! Syntax errors in fragments are reported before Postgres sees them, all at once.

use generator::pipeline::autogen::{self, AutogenOptions};
use trueup::Model;

#[derive(Model)]
#[model(table = "orders", check("amount >"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Order {
    #[model(primary_key)]
    id: i64,
    #[model(default = "1); DROP TABLE users; SELECT (1")]
    amount: i64,
    #[model(default = "now() -- for now")]
    at: String,
}

#[test]
fn all_misspelt_fragments_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project(folder.path().to_owned());
    let declarations = autogen::declarations().expect("models");

    let error = autogen::autogen(&project, &declarations, AutogenOptions::default())
        .expect_err("no fragment of it is SQL")
        .to_string();

    for words in [
        "Order: check = \"amount >\" is not a condition",
        "Order::amount: default",
        "more than one",
        "Order::at: default",
    ] {
        assert!(error.contains(words), "{words} is not in: {error}");
    }
}
