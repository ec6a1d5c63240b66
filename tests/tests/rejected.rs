//! Errors of Postgres are reported at the field that causes them.

use generator::pipeline::autogen::{self, AutogenOptions};
use trueup::Model;

/// The first two fields are fine, and the third is what Postgres rejects.
#[derive(Model)]
#[model(table = "orders")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Order {
    #[model(primary_key)]
    id: i64,
    #[model(check("amount > 0"))]
    amount: i64,
    #[model(sql_type = "no_such_type")]
    note: String,
}

#[test]
fn a_type_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project(folder.path().to_owned());
    let declarations = autogen::declarations().expect("models");

    let error = autogen::autogen(&project, &declarations, AutogenOptions::default())
        .expect_err("Postgres has no such type")
        .to_string();

    assert!(error.contains("rejected.rs:"), "{error}");
    assert!(error.contains("Order::note"), "{error}");
    assert!(
        error.contains("type \"no_such_type\" does not exist"),
        "{error}"
    );
}
