//! Rows that get a value meet what was never asked of them: a check that is not valid, a foreign key that waits.

use trueup::Model;

#[derive(Model)]
#[model(
    table = "customers",
    check(name = "has_at", expr = "email LIKE '%@%'", not_valid)
)]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Customer {
    #[model(primary_key)]
    id: i64,
    email: String,
    #[model(references = Customer::id, deferrable, initially_deferred, fill = "id")]
    invited_by: i64,
    #[model(fill = "0")]
    credit: i32,
}

const THERE: &str = "
    CREATE TABLE customers (
        id bigint PRIMARY KEY,
        email text NOT NULL,
        invited_by bigint REFERENCES customers DEFERRABLE INITIALLY DEFERRED
    );
    ALTER TABLE customers ADD CONSTRAINT has_at CHECK (email LIKE '%@%') NOT VALID;";

#[test]
fn what_waits_is_asked_and_what_was_never_asked_is_told() {
    let draft = tests::drafted(THERE);

    let told = draft.proof.sentence();
    assert!(told.ends_with("rows in 1 of 1 tables kept"), "{told}");
    insta::assert_snapshot!(tests::ups(Some(&draft)));
}
