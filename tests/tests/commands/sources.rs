//! `diff` and `inspect`: from any source to any other, in SQL that psql runs as it is.

use std::process::Command;

use generator::postgres::scratch::{Database, Locale};

use crate::checkout;

const OLD: &str = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(10));";
const NEW: &str = "
    CREATE TYPE mood AS ENUM ('good', 'it''s bad');
    CREATE TABLE users (id integer PRIMARY KEY, name varchar(20) NOT NULL, mood mood DEFAULT 'it''s bad');
    CREATE INDEX users_name_idx ON users (lower(name) DESC);
    COMMENT ON TABLE users IS 'Who \\ is here; and why';";

/// Runs SQL as a user would, and stops at the first error.
fn psql(server: &generator::Project, database: &Database, sql: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("change.sql");
    std::fs::write(&file, sql).expect("a file");
    let ended = Command::new(server.binaries.psql().expect("psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(file)
        .arg(database.url().to_string())
        .output()
        .expect("psql");
    assert!(ended.status.success(), "{ended:?}\n{sql}");
}

#[test]
fn the_sql_of_a_diff_makes_the_difference() {
    let (server, database) = tests::database();
    tests::run(&database, OLD);
    let project = checkout();
    let (old, new) = (project.file("old.sql", OLD), project.file("new", NEW));
    let (live, new) = (database.url().to_string(), format!("file:{new}"));
    let diff = |from: &str, to: &str| project.run(&["diff", "--from", from, "--to", to]);

    assert_eq!(diff(&old, &live).done(), "");
    let forth = diff(&live, &new).with(1);
    assert_eq!(diff(&old, &new).with(1).stdout, forth.stdout);
    psql(&server, &database, &forth.stdout);
    assert_eq!(diff(&live, &new).done(), "");

    let back = diff(&new, &old).with(1).stdout;
    psql(&server, &database, &back);
    assert_eq!(diff(&old, &live).done(), "");
}

#[test]
fn models_and_migrations_are_sources() {
    let (server, database) = tests::database();
    let project = checkout().shipped();
    let live = database.url().to_string();
    let diff = |from: &str, to: &str| project.run(&["diff", "--from", from, "--to", to]);

    assert_eq!(diff("models", "migrations").done(), "");
    let all = diff(&live, "models").with(1).stdout;
    psql(&server, &database, &all);
    assert_eq!(diff(&live, "models").done(), "");
    assert_eq!(diff("migrations", &live).done(), "");

    let elsewhere = tempfile::tempdir().expect("a folder");
    let elsewhere = format!("migrations:{}", elsewhere.path().display());
    assert_eq!(diff(&elsewhere, "migrations").with(1).stdout, all);

    diff("nowhere", "models").refused(&["is not a source", "migrations:DIR"]);
    diff("models", "nowhere.sql").refused(&["cannot read nowhere.sql"]);
    diff("models", "models").refused(&["both sources are the models"]);
}

#[test]
fn what_no_room_reads_is_named() {
    let (_server, database) = tests::database();
    let project = checkout();
    let old = project.file("old.sql", OLD);
    tests::run(&database, OLD);
    tests::run(&database, "CREATE POLICY named ON users USING (name <> '')");
    let live = database.url().to_string();
    let diff = ["diff", "--from", &live, "--to", &old];

    project.run(&diff).refused(&[
        "not yet: ",
        "policy named on public.users",
        "--ignore-unread",
    ]);
    let ignoring = [diff.as_slice(), &["--ignore-unread"]].concat();
    assert_eq!(project.run(&ignoring).done(), "");
    let inspected = project.run(&["inspect", &live]).with(0);
    assert!(
        inspected.stderr.contains(
            "left out, for trueup does not read that kind of object: policy named on public.users"
        ),
        "{inspected:?}"
    );
    assert!(!inspected.stdout.contains("POLICY"), "{inspected:?}");
    assert!(!inspected.stderr.contains("by itself"), "{inspected:?}");
}

#[test]
fn what_is_inspected_and_lacks_what_is_left_out_says_so() {
    let project = checkout();
    let function = |number: i32| {
        format!(
            "CREATE FUNCTION f{number}(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
        )
    };
    let functions = [1, 2, 3, 4].map(function).concat();
    let file = project.file(
        "schema.sql",
        &format!("{functions} CREATE TABLE t (a text); CREATE INDEX ON t (f1(a));"),
    );
    let inspected = project.run(&["inspect", &file]).with(0);
    for words in [
        "left out, for trueup does not read that kind of object: 4 functions (",
        "this SQL does not run by itself",
        "function public.f1(text) does not exist",
    ] {
        assert!(inspected.stderr.contains(words), "{words}: {inspected:?}");
    }
    assert!(inspected.stdout.contains("public.f1(a)"), "{inspected:?}");
}

#[test]
fn what_is_inspected_can_be_rebuilt() {
    let (server, from) = tests::database();
    tests::run(&from, NEW);
    let scratch = server.scratch(None).expect("a scratch");
    let to = scratch.create(&Locale::default()).expect("a database");
    let project = checkout();
    let (live, rebuilt) = (from.url().to_string(), to.url().to_string());

    psql(&server, &to, &project.run(&["inspect", &live]).done());
    let diff = project.run(&["diff", "--from", &live, "--to", &rebuilt]);
    assert_eq!(diff.done(), "");

    let json = project.run(&["inspect", &live, "--format", "json"]).done();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json.to_string().contains("users_name_idx"), "{json:#}");
    let models = project.run(&["inspect", "models"]).done();
    assert!(models.contains("CREATE TABLE public.users ("), "{models}");
}

#[test]
fn what_cannot_be_done_yet_is_told_and_not_tried() {
    let (_server, database) = tests::database();
    let project = checkout();
    let old = "CREATE TABLE readings (at date NOT NULL);";
    let new = "CREATE TABLE readings (at date NOT NULL); CREATE POLICY mine ON readings;";
    tests::run(&database, old);
    let (live, new) = (database.url().to_string(), project.file("new.sql", new));

    for (from, to) in [(&live, &new), (&new, &live)] {
        let diff = project.run(&["diff", "--from", from, "--to", to]);
        diff.refused(&["not yet: ", "public.readings"]);
    }
    let mut connection = database.connect().expect("a connection");
    let as_it_was = "(SELECT count(*) = 0 FROM pg_policy)";
    assert!(tests::holds(&mut connection, as_it_was));
}

#[test]
fn a_table_that_goes_takes_along_what_is_no_difference_without_it() {
    let project = checkout();
    let there = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE stays (id int);
        CREATE PUBLICATION everything FOR TABLE stays;";
    let goes = "CREATE TABLE goes (id int);
        CREATE TRIGGER t BEFORE INSERT ON goes FOR EACH ROW EXECUTE FUNCTION f();
        ALTER TABLE goes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON goes;
        ALTER PUBLICATION everything ADD TABLE goes;";
    let from = project.file("from.sql", &format!("{there}{goes}"));
    let to = project.file("to.sql", there);
    let diff = |from: &str, to: &str| project.run(&["diff", "--from", from, "--to", to]);
    let sql = diff(&from, &to).with(1).stdout;
    for words in [
        "DROP TABLE public.goes;",
        "drops trigger t on public.goes with it",
        "drops policy p on public.goes with it",
    ] {
        assert!(sql.contains(words), "{words:?} is not in: {sql}");
    }
    // It comes without, and nothing says how.
    diff(&to, &from).refused(&["trigger t on public.goes is to come"]);
    // What stays keeps its own.
    let less = project.file("less.sql", &format!("{there}CREATE TABLE goes (id int);"));
    diff(&from, &less).refused(&["trigger t on public.goes is to go"]);
}
