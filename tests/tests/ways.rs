//! Migration hints in the models: the conversion of values from one type to another and back, the fill of a column that
//! becomes NOT NULL, and the label that replaces a dropped one. All of it on rows.

use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "tickets")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Ticket {
    #[model(primary_key)]
    id: i32,
    #[model(
        sql_type = "timestamptz",
        using("to_timestamp(opened)", back = "extract(epoch FROM opened)::bigint")
    )]
    opened: String,
    #[model(fill = "'none'")]
    note: String,
    #[model(fill = "id * 10")]
    priority: i32,
    #[model(default = "'new'", fill = "'old'")]
    origin: String,
    mood: Mood,
    moods: Vec<Mood>,
}

#[derive(PgEnum)]
#[model(type = "mood")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    Glad,
    #[model(replaces = "sad", replaces = "cross")]
    Unhappy,
}

const THERE: &str = "
    CREATE TYPE mood AS ENUM ('glad', 'sad', 'cross');
    CREATE TABLE tickets (
        id integer PRIMARY KEY,
        opened bigint NOT NULL,
        note text,
        mood mood NOT NULL DEFAULT 'glad',
        moods mood[] NOT NULL
    );
    CREATE INDEX sad ON tickets (id) WHERE mood = 'glad';";

const ROWS: &str = "
    INSERT INTO tickets (id, opened, note, mood, moods) VALUES
        (1, 86400, 'first', 'sad', ARRAY['sad', 'glad', 'cross']::mood[]),
        (2, 1700000000, NULL, 'cross', '{}'),
        (3, 0, NULL, 'glad', '{glad}')";

#[test]
fn values_become_what_the_model_says_and_come_back() {
    let draft = tests::drafted(THERE);

    let (_server, database) = tests::database();
    tests::run(&database, THERE);
    tests::run(&database, ROWS);
    insta::assert_snapshot!("up", tests::ups(Some(&draft)));
    for part in &draft.parts {
        tests::run(&database, &part.up_sql());
    }
    let mut connection = database.connect().expect("a connection");
    for (id, row) in [
        (
            1,
            "('1970-01-02 00:00Z', 'first', 10, 'old', 'unhappy', '{unhappy,glad,unhappy}')",
        ),
        (
            2,
            "('2023-11-14 22:13:20Z', 'none', 20, 'old', 'unhappy', '{}')",
        ),
        (
            3,
            "('1970-01-01 00:00Z', 'none', 30, 'old', 'glad', '{glad}')",
        ),
    ] {
        let columns = "(opened, note, priority, origin, mood, moods)";
        let is_there = format!("(SELECT {columns} = {row} FROM tickets WHERE id = {id})");
        assert!(tests::holds(&mut connection, &is_there), "{id}");
    }

    let downs: Vec<String> = draft
        .parts
        .iter()
        .rev()
        .map(generator::draft::Part::down_sql)
        .collect();
    insta::assert_snapshot!("down", downs.join("\n"));
    for down in &downs {
        tests::run(&database, down);
    }
    assert!(tests::holds(
        &mut connection,
        "(SELECT array_agg(opened ORDER BY id) = '{86400,1700000000,0}' FROM tickets)"
    ));
}
