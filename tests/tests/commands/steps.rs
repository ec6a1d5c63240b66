//! Up, down, and around: how far, once more, on trial, on paper, and what is to be done.

use std::{fs, process::Command};

use tests::checkout::Checkout;

use crate::checkout;

const A: &str = "2030-01-01-000000_a";
const B: &str = "2030-01-02-000000_b";
const C: &str = "2030-01-03-000000_c";

/// Three migrations, each made on the one before.
fn three() -> Checkout {
    let project = checkout();
    project.made_on(&[], A, "CREATE TABLE a (n integer);", "DROP TABLE a;");
    project.made_on(&[A], B, "CREATE TABLE b ();", "DROP TABLE b;");
    project.made_on(&[B], C, "INSERT INTO a VALUES (7);", "DELETE FROM a;");
    project
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn steps_have_their_usual_names() {
    let (_server, database) = tests::database();
    let project = three().on(&database);
    let said = project.run(&["migrate", "+1"]).done();
    assert!(said.contains(&format!("the database is at {A}")), "{said}");
    project.run(&["migrate", "2030-01-02"]).done();
    project.run(&["upgrade"]).done();
    let said = project.run(&["rollback"]).done();
    assert!(said.contains(&format!("the database is at {B}")), "{said}");
    let said = project.run(&["rollback", "2030-01-01", "--format", "json"]);
    assert_eq!(json(&said.done())["now"], A);
    project.run(&["upgrade"]).done();
    project.run(&["rollback", "-2"]).done();
    project.run(&["upgrade", "203"]).refused(&["may be any of"]);
    project.run(&["downgrade", "base"]).done();
}

#[test]
fn redo_goes_back_and_there_again() {
    let (_server, database) = tests::database();
    let project = three().on(&database);
    project
        .run(&["redo"])
        .refused(&["one migration was asked for, and there is none"]);
    project.run(&["upgrade"]).done();
    tests::run(&database, "INSERT INTO a VALUES (8)");

    let said = project.run(&["redo"]).done();
    let taken = said
        .find(&format!("taken back  {C}"))
        .expect("the way back");
    let applied = said.find(&format!("applied  {C}")).expect("the way there");
    assert!(taken < applied, "{said}");
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "(SELECT sum(n) = 7 FROM a)"));

    let said = json(&project.run(&["redo", "-2", "--format", "json"]).done());
    assert_eq!(said["back"]["migrations"][0]["name"], C);
    assert_eq!(said["again"]["migrations"][0]["name"], B);
    assert_eq!(said["again"]["now"], C);
}

#[test]
fn a_rehearsal_leaves_nothing() {
    let (_server, database) = tests::database();
    let project = three().on(&database);
    let said = project.run(&["upgrade", "--dry-run"]).done();
    assert!(said.ends_with("3 migrations tried and rolled back: the database is as it was\n"));
    let mut connection = database.connect().expect("a connection");
    let untouched =
        "to_regclass('a') IS NULL AND to_regclass('__diesel_schema_migrations') IS NULL";
    assert!(tests::holds(&mut connection, untouched));

    project.made_on(
        &[C],
        "2030-01-04-000000_d",
        "CREATE TABLE b ();",
        "SELECT 1;",
    );
    project.run(&["upgrade", "--dry-run"]).refused(&[
        "2030-01-04-000000_d/up.sql",
        "\"b\" already exists",
        "nothing was kept",
    ]);
    assert!(tests::holds(&mut connection, untouched));
}

#[test]
fn a_rehearsal_says_how_far_it_got() {
    let (_server, database) = tests::database();
    let project = three().on(&database);
    let enums = "2030-01-04-000000_enum";
    let label = "2030-01-05-000000_label";
    let used = "2030-01-06-000000_used";
    project.made_on(&[C], enums, "CREATE TYPE e AS ENUM ('a');", "DROP TYPE e;");
    project.run(&["upgrade"]).done();
    project.made_on(&[enums], label, "ALTER TYPE e ADD VALUE 'b';", "SELECT 1;");
    project.made_on(&[label], used, "SELECT 'b'::e;", "SELECT 1;");
    let said = project.run(&["upgrade", "--dry-run"]).done();
    assert!(said.contains(&format!("runs  {label}")), "{said}");
    assert!(said.contains(&format!("not tried  {used}")), "{said}");
    assert!(said.contains("committed first"), "{said}");
    project.run(&["upgrade"]).done();

    let alone = "2030-01-07-000000_alone";
    project.made_on(
        &[used],
        alone,
        "CREATE INDEX CONCURRENTLY i ON a (n);",
        "DROP INDEX i;",
    );
    let metadata = project.newest().join("metadata.toml");
    fs::write(metadata, "run_in_transaction = false\n").expect("a file");
    let said = project.run(&["upgrade", "--dry-run", "--format", "json"]);
    let said = json(&said.done());
    assert_eq!(said["stopped_at"], alone);
    assert_eq!(said["migrations"], serde_json::json!([]));

    let late = "2030-01-08-000000_late";
    let deferred = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE f (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); \
                    INSERT INTO f VALUES (1);";
    project.run(&["upgrade"]).done();
    project.made_on(&[alone], late, deferred, "SELECT 1;");
    project.run(&["upgrade", "--dry-run"]).refused(&[
        late,
        "could not be committed",
        "foreign key",
    ]);
}

#[test]
fn the_sql_of_a_range_is_all_that_an_upgrade_does() {
    let (_server, database) = tests::database();
    let mut project = three();
    // It asks no database, not even one that is configured.
    project.database = Some("postgres://nobody@127.0.0.1:1/none".to_owned());
    let all = project.run(&["upgrade", "--sql", "2030-01-02"]).done();
    let rest = project
        .run(&["upgrade", "--sql", "--from", "2030-01-02"])
        .done();
    assert!(!rest.contains("CREATE TABLE"), "{rest}");
    project
        .run(&["upgrade", "--sql", "--dry-run"])
        .refused(&["cannot be used with"]);

    let project = project.on(&database);
    for sql in [all, rest] {
        tests::run(&database, &sql);
    }
    let status = project.run(&["status"]).done();
    assert!(status.contains(&format!("database is at  {C}")), "{status}");
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "(SELECT n = 7 FROM a)"));
    project.run(&["downgrade", "base"]).done();
}

#[test]
fn status_names_what_is_to_be_done() {
    let (_server, database) = tests::database();
    let project = three().on(&database);
    let status = || {
        let ended = project.run(&["status", "--format", "json"]);
        (ended.code, json(&ended.stdout))
    };
    let (code, found) = status();
    assert_eq!(
        (code, &found["current"]),
        (Some(1), &serde_json::Value::Null)
    );
    assert_eq!(found["pending"], serde_json::json!([A, B, C]));
    project.run(&["upgrade"]).done();
    assert_eq!(status().0, Some(0));
    let said = project.run(&["status"]).done();
    assert!(
        said.ends_with("in order: the database has all migrations\n"),
        "{said}"
    );

    let up = project.path().join("migrations").join(A).join("up.sql");
    let text = fs::read_to_string(&up).expect("a file");
    fs::write(&up, text + "-- edited\n").expect("a file");
    tests::run(
        &database,
        "INSERT INTO __diesel_schema_migrations VALUES ('20300102111111')",
    );
    project.migration("2030-01-02-222222_late", "SELECT 1;", "SELECT 1;");
    let (code, found) = status();
    assert_eq!(code, Some(1));
    assert_eq!(found["edited"], serde_json::json!([A]));
    assert_eq!(found["unknown"], serde_json::json!(["20300102111111"]));
    assert_eq!(
        found["out_of_order"],
        serde_json::json!(["2030-01-02-222222_late"])
    );
    let said = project.run(&["status"]).with(1).stdout;
    assert!(
        said.ends_with("1 pending, 1 out of order, 1 unknown, 1 edited, 1 edited since proved\n"),
        "{said}"
    );
}

#[test]
fn an_edited_migration_is_found_by_check_too() {
    let project = checkout().shipped();
    let begin = project.folders().remove(0);
    project.made_on(
        &[&begin],
        "2030-01-01-000000_next",
        "SELECT 1;",
        "SELECT 1;",
    );
    project.run(&["check"]).done();
    let up = project
        .path()
        .join("migrations")
        .join(&begin)
        .join("up.sql");
    let text = fs::read_to_string(&up).expect("a file");
    fs::write(&up, text + "-- edited\n").expect("a file");
    let said = project.run(&["check"]).with(1).stdout;
    assert!(said.contains("models and migrations  in sync"), "{said}");
    assert!(
        said.contains(&format!("{begin}/up.sql was edited after")),
        "{said}"
    );
}

#[test]
fn show_and_history_tell_what_a_header_says() {
    let project = three();
    project.made_on(
        &[C],
        "2030-01-04-000000_d",
        "-- hazard: loses every row of public.b\nDROP TABLE b;\n",
        "CREATE TABLE b ();",
    );
    let shown = json(&project.run(&["show", "--format", "json"]).done());
    assert_eq!(shown["name"], "2030-01-04-000000_d");
    assert_eq!(shown["parents"], serde_json::json!(["20300103000000"]));
    assert_eq!(
        shown["hazards"],
        serde_json::json!(["loses every row of public.b"])
    );
    assert_eq!(shown["date"], "2030-01-04 00:00:00");
    let shown = project.run(&["show", "20300101"]).done();
    assert!(
        shown.contains("CREATE TABLE a") && shown.contains("DROP TABLE a"),
        "{shown}"
    );
    project.run(&["show", "2030"]).refused(&["may be any of"]);

    let history = project.run(&["history", "--verbose"]).done();
    assert!(
        history.contains("hazard   loses every row of public.b"),
        "{history}"
    );
    let heads = project.run(&["heads"]).done();
    assert_eq!(heads, "2030-01-04-000000_d\n");
}

#[test]
fn stamp_says_what_it_records() {
    let (_server, database) = tests::database();
    let project = three().on(&database);
    let ended = project.run(&["stamp", "2030-01-02"]).with(0);
    assert!(
        ended
            .stderr
            .contains("20300102000000 is to be recorded as applied")
    );
    let said = project.run(&["stamp", "base", "--yes", "--format", "json"]);
    assert_eq!(
        json(&said.done())["removed"],
        serde_json::json!(["20300101000000", "20300102000000"])
    );
}

#[test]
fn autogen_prints_sql_for_psql() {
    let project = checkout();
    let sql = project.run(&["autogen", "begin", "--sql"]).done();
    assert!(project.folders().is_empty());
    let (_server, database) = tests::database();
    tests::run(&database, &sql);
    let same = [
        "diff",
        "--from",
        &database.url().to_string(),
        "--to",
        "models",
    ];
    assert_eq!(project.run(&same).done(), "");
}

/// Asks Diesel's own program, where it is installed.
#[test]
fn the_record_is_diesels() {
    if Command::new("diesel").arg("--version").output().is_err() {
        return;
    }
    let (_server, database) = tests::database();
    let project = three().on(&database);
    project.run(&["upgrade", "+2"]).done();
    let listed = Command::new("diesel")
        .args(["migration", "list", "--database-url"])
        .arg(database.url().to_string())
        .current_dir(project.path())
        .output()
        .expect("diesel");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(&format!("[X] {B}")), "{listed}");
    assert!(listed.contains(&format!("[ ] {C}")), "{listed}");
}
