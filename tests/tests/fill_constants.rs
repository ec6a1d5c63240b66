//! One value for all rows that are there comes with the column: no row is written, and no trigger runs.

use diesel::{RunQueryDsl, dsl::sql, sql_types::Text};
use generator::{pipeline::autogen, postgres::scratch::Database};
use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "orders")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Order {
    #[model(primary_key)]
    id: i32,
    #[model(fill = "0")]
    number: i32,
    #[model(fill = "'o''brien' || '!'", default = "'new'")]
    text: String,
    #[model(fill = "1", default = "1")]
    same: i32,
    #[model(sql_type = "timestamptz", fill = "now()")]
    seen_at: String,
    #[model(fill = "'{a,b}'")]
    tags: Vec<String>,
    #[model(fill = "'glad'")]
    mood: Mood,
    #[model(sql_type = "positive", fill = "5")]
    amount: i32,
    #[model(sql_type = "numeric(10, 2)", fill = "1.005")]
    price: String,
    #[model(fill = "7")]
    optional: Option<i32>,
    /// Each row has its own.
    #[model(sql_type = "uuid", fill = "gen_random_uuid()")]
    token: String,
    #[model(fill = "id + 1")]
    next: i32,
    #[model(fill = "(SELECT count(*) FROM pg_class WHERE false)")]
    counted: i64,
    #[model(fill = "NULL")]
    nothing: Option<i32>,
}

#[derive(Model)]
#[model(
    table = "parted",
    partition_by(range(id)),
    partition("parted_low", from = "0", to = "10")
)]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Parted {
    id: i32,
    #[model(fill = "'all'")]
    label: String,
    #[model(fill = "'there'", default = "'new'")]
    origin: String,
}

#[derive(PgEnum)]
#[model(type = "mood")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    Sad,
    Glad,
}

const THERE: &str = "
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE TABLE orders (id integer PRIMARY KEY);
    CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
    CREATE TABLE parted (id integer NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
    CREATE TRIGGER never BEFORE UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION never();";

const ROWS: &str = "INSERT INTO orders VALUES (1), (2); INSERT INTO parted VALUES (3);";

fn row(database: &Database, select: &str) -> String {
    let mut connection = database.connect().expect("a connection");
    let query = format!("({select})::text");
    diesel::select(sql::<Text>(&query))
        .get_result(&mut connection)
        .expect("a row")
}

#[test]
fn one_value_comes_with_the_column() {
    let (_, database) = tests::database();
    tests::run(&database, THERE);
    let project = tests::project_with("no migrations".into(), &database);
    let declarations = autogen::declarations().expect("models");
    let draft = tests::draft(&project, &declarations).expect("a change");

    insta::assert_snapshot!("constants", tests::ups(Some(&draft)));
    let proof = draft.proof.sentence();
    assert!(proof.contains("rows in 2 of 2 tables kept"), "{proof}");
    tests::run(&database, ROWS);
    for part in &draft.parts {
        tests::run(&database, &format!("BEGIN; {} COMMIT;", part.up_sql()));
    }
    let filled = "SELECT (number, text, same, tags, mood, amount, price, optional, next, counted, nothing) FROM orders WHERE id = 1";
    assert_eq!(
        row(&database, filled),
        "(0,o'brien!,1,\"{a,b}\",glad,5,1.01,7,2,0,)"
    );
    let distinct = "SELECT (count(DISTINCT token), count(DISTINCT seen_at)) FROM orders";
    assert_eq!(row(&database, distinct), "(2,1)");
    assert_eq!(
        row(&database, "SELECT (label, origin) FROM parted"),
        "(all,there)"
    );
    tests::run(&database, "INSERT INTO parted VALUES (4, 'mine')");
    assert_eq!(
        row(&database, "SELECT (label, origin) FROM parted WHERE id = 4"),
        "(mine,new)"
    );
}
