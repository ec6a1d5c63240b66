//! A column that is generated from one that is filled is computed for what the fill left.

use generator::pipeline::autogen;
use trueup::Model;

#[derive(Model)]
#[model(table = "users")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct User {
    #[model(primary_key)]
    id: i32,
    #[model(fill = "'user ' || id")]
    label: String,
    #[model(generated = "upper(label)")]
    loud: Option<String>,
}

#[test]
fn what_is_generated_follows_what_is_filled() {
    let (_, database) = tests::database();
    tests::run(
        &database,
        "CREATE TABLE users (id integer PRIMARY KEY, label text,
            loud text GENERATED ALWAYS AS (upper(label)) STORED);
        INSERT INTO users VALUES (1, NULL), (2, 'set');",
    );
    let project = tests::project_with("no migrations".into(), &database);
    let declarations = autogen::declarations().expect("models");
    let draft = tests::draft(&project, &declarations).expect("a change");
    let sentence = draft.proof.sentence();
    assert!(
        sentence.contains("rows in 1 of 1 tables kept"),
        "{sentence}"
    );
    for part in &draft.parts {
        tests::run(&database, &part.up_sql());
    }
    let mut connection = database.connect().expect("a connection");
    let holds = "(SELECT array_agg(loud ORDER BY id) = '{USER 1,SET}' FROM users)";
    assert!(tests::holds(&mut connection, holds));
}
