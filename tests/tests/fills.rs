//! A model whose own check refuses what it fills rows with: that is told, and with which query to look for more such rows.

use trueup::Model;

#[derive(Model)]
#[model(table = "people")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Person {
    #[model(primary_key)]
    id: i32,
    #[model(fill = "-1", check("age > 0"))]
    age: i32,
}

#[test]
fn a_fill_that_violates_a_check_is_told() {
    let draft = tests::drafted("CREATE TABLE people (id integer PRIMARY KEY)");

    let told = draft.proof.sentence();
    assert!(
        told.ends_with(
            "rows in 0 of 1 tables kept, none in public.people (up.sql: `Add check constraint people_age_check to \
             public.people` fails on rows: check constraint \"people_age_check\" of relation \"people\" is violated by some row)"
        ),
        "{told}"
    );
    let up = tests::ups(Some(&draft));
    assert!(
        up.contains(
            "-- hazard: fails while this finds a row: SELECT * FROM public.people WHERE NOT (age > 0)\n"
        ),
        "{up}"
    );
}
