//! Many migrations become one, and no database notices.

use std::fs;

use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use tests::checkout::Checkout;

use crate::checkout;

const A: &str = "2030-01-01-000000_a";
const B: &str = "2030-01-02-000000_b";
const C: &str = "2030-01-03-000000_c";
const D: &str = "2030-01-04-000000_d";

/// Four in a row; `second` may do more than define.
fn four(second: &str) -> Checkout {
    let project = checkout();
    project.made_on(&[], A, "CREATE TABLE a (n integer);\n", "DROP TABLE a;\n");
    project.made_on(&[A], B, second, "DROP TABLE b;\n");
    project.made_on(
        &[B],
        C,
        "ALTER TABLE a RENAME n TO number;\n",
        "ALTER TABLE a RENAME number TO n;\n",
    );
    project.made_on(
        &[C],
        D,
        "CREATE INDEX ON a (number);\n",
        "DROP INDEX a_number_idx;\n",
    );
    project
}

const DEFINES: &str = "CREATE TABLE b ();\n";
const FILLS: &str = "CREATE TABLE b (x int);\nINSERT INTO a VALUES (7)";

fn up(project: &Checkout, number: usize) -> String {
    let folder = project
        .path()
        .join("migrations")
        .join(&project.folders()[number]);
    fs::read_to_string(folder.join("up.sql")).expect("a file")
}

#[test]
fn what_only_defines_is_drafted_anew() {
    let (_server, database) = tests::database();
    let project = four(DEFINES).on(&database);
    project.run(&["upgrade"]).done();
    let said = project
        .run(&["squash", "base..2030-01-03", "--message", "first three"])
        .done();
    assert!(
        said.contains("up gives exactly what the 3 migrations gave"),
        "{said}"
    );
    assert!(said.contains("drafted anew"), "{said}");
    assert_eq!(project.folders(), ["2030-01-03-000000_first_three", D]);
    let up = up(&project, 0);
    assert!(
        up.contains("number integer") && !up.contains("RENAME"),
        "{up}"
    );
    assert_eq!(up.matches("-- replaces: ").count(), 3, "{up}");
    // What it comes to stands on top.
    for line in [
        "-- change: + table public.a\n",
        "-- change: + table public.b\n",
    ] {
        assert!(up.contains(line), "{up}");
    }

    // The database that has them all has it; the next one still knows its parent.
    project.run(&["status"]).done();
    let current = project.run(&["current"]).done();
    assert_eq!(current, format!("{D} (head)\n"));
    let said = project.run(&["upgrade"]).done();
    assert!(said.contains("nothing to apply"), "{said}");
    let mut connection = database.connect().expect("a connection");
    let tidy = "(SELECT count(*) = 2 FROM __diesel_schema_migrations)";
    assert!(tests::holds(&mut connection, tidy));
    project.run(&["downgrade", "base"]).done();
    assert!(tests::holds(&mut connection, "to_regclass('a') IS NULL"));
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
}

#[test]
fn diesel_runs_what_was_squashed_and_merged() {
    let (_server, database) = tests::database();
    let project = four(DEFINES).on(&database);
    project.run(&["upgrade"]).done();
    project.run(&["squash", "base..2030-01-03"]).done();
    let other = "2030-01-05-000000_other";
    let parent = project.folders().remove(0);
    project.made_on(&[&parent], other, "CREATE TABLE o ();", "DROP TABLE o;");
    project.run(&["merge"]).done();
    project.run(&["upgrade"]).done();

    let mut connection = database.connect().expect("a connection");
    let migrations = || {
        FileBasedMigrations::from_path(project.path().join("migrations"))
            .expect("what Diesel reads")
    };
    let has_pending = connection.has_pending_migration(migrations());
    assert!(!has_pending.expect("an answer"));
    let reverted = connection.revert_all_migrations(migrations());
    assert_eq!(reverted.expect("migrations that go back").len(), 4);
    assert!(tests::holds(&mut connection, "to_regclass('a') IS NULL"));
    let run = connection.run_pending_migrations(migrations());
    assert_eq!(run.expect("migrations that run").len(), 4);
    project.run(&["status"]).done();
}

#[test]
fn what_fills_is_put_one_behind_the_other() {
    let (_server, database) = tests::database();
    let project = four(FILLS).on(&database);
    let said = project.run(&["squash", "base..head"]).done();
    assert!(said.contains("one behind the other"), "{said}");
    assert_eq!(project.folders(), ["2030-01-04-000000_squash_4_migrations"]);
    let up = up(&project, 0);
    assert!(
        up.contains(&format!(
            "-- From {B}\n\nCREATE TABLE b (x int);\nINSERT INTO a VALUES (7)\n;\n"
        )),
        "{up}"
    );
    project.run(&["upgrade"]).done();
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "(SELECT number = 7 FROM a)"));
    project.run(&["downgrade"]).done();
    assert!(tests::holds(&mut connection, "to_regclass('a') IS NULL"));
}

#[test]
fn rows_that_were_there_before_are_safe() {
    let (_server, database) = tests::database();
    let project = four(DEFINES).on(&database);
    project.run(&["upgrade", "+1"]).done();
    tests::run(&database, "INSERT INTO a VALUES (7)");
    // A schema would show a column that goes and another that comes.
    let said = project.run(&["squash", "2030-01-01.."]).done();
    assert!(said.contains("one behind the other"), "{said}");
    project.run(&["upgrade"]).done();
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "(SELECT number = 7 FROM a)"));
}

#[test]
fn a_database_in_the_middle_is_told_what_to_do() {
    let (_server, database) = tests::database();
    let (_other_server, other) = tests::database();
    let mut project = four(DEFINES).on(&database);
    project.run(&["upgrade", "+2"]).done();
    project.run(&["squash", "base..head"]).refused(&[
        "only some of these",
        C,
        "`trueup upgrade` first",
    ]);
    project.database = Some(other.url().to_string());
    project.run(&["squash", "base..head"]).done();
    project.database = Some(database.url().to_string());
    for command in ["upgrade", "downgrade"] {
        project
            .run(&[command])
            .refused(&["has only some of them", "before they were squashed"]);
    }
    project.run(&["status"]).with(1);
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "to_regclass('b') IS NOT NULL"
    ));
}

#[test]
fn a_database_that_lacks_one_from_the_middle_is_not_taken_for_whole() {
    let (_server, database) = tests::database();
    let mut project = four(DEFINES);
    project.run(&["squash", "base..head"]).done();
    project.database = Some(database.url().to_string());
    // It was given C and D, and never B.
    tests::run(
        &database,
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp DEFAULT now());
         INSERT INTO __diesel_schema_migrations VALUES ('20300101000000'), ('20300103000000'), ('20300104000000')",
    );
    project
        .run(&["upgrade"])
        .refused(&["has only some of them"]);
}

#[test]
fn a_squash_of_a_squash_still_stands_for_all() {
    let (_server, database) = tests::database();
    let project = four(DEFINES).on(&database);
    project.run(&["upgrade"]).done();
    project.run(&["squash", "base..2030-01-02"]).done();
    // It forgets the first one now.
    project.run(&["upgrade"]).done();
    project.run(&["squash", "..", "--message", "all"]).done();
    assert_eq!(project.folders(), ["2030-01-04-000000_all"]);
    let up = up(&project, 0);
    assert_eq!(up.matches("-- replaces: ").count(), 3, "{up}");
    assert_eq!(up.matches("-- replaced: ").count(), 2, "{up}");
    assert!(
        project
            .run(&["upgrade"])
            .done()
            .contains("nothing to apply")
    );
    project.run(&["status"]).done();
    project.run(&["downgrade"]).done();
}

#[test]
fn what_cannot_be_one_is_refused() {
    let project = four(DEFINES);
    let folders = project.folders();
    project.run(&["squash", "head"]).refused(&["is no range"]);
    project
        .run(&["squash", "2030-01-03..head"])
        .refused(&["it takes two"]);
    project
        .run(&["squash", "2030..head"])
        .refused(&["may be any of"]);
    project
        .run(&["squash", "base..head", "--message", "/"])
        .refused(&["no letter or digit"]);
    project.made_on(&[A], "2030-01-05-000000_e", "SELECT 1;", "SELECT 1;");
    project
        .run(&["squash", "base..2030-01-02"])
        .refused(&["not one line"]);
    assert_eq!(project.folders()[..4], folders);

    let project = checkout();
    project.migration(A, "CREATE TYPE e AS ENUM ('a');", "DROP TYPE e;");
    project.migration(B, "ALTER TYPE e ADD VALUE 'b';", "SELECT 1;");
    project.migration(C, "CREATE TABLE c (e e DEFAULT 'b');", "DROP TABLE c;");
    project.run(&["squash", "2030-01-01..head"]).refused(&[
        "nothing to make one of",
        &format!("{C} needs a commit before it"),
        "unsafe use",
    ]);
    project.run(&["squash", "base..head"]).done();
}

const E: &str = "2030-01-05-000000_e";
const F: &str = "2030-01-06-000000_f";
const G: &str = "2030-01-07-000000_g";
const H: &str = "2030-01-08-000000_h";

fn outside_of_transactions(project: &Checkout, name: &str) {
    let folder = project.path().join("migrations").join(name);
    fs::write(folder.join("metadata.toml"), "run_in_transaction = false\n").expect("a file");
}

/// A history as people leave it.
fn real() -> Checkout {
    let project = checkout();
    // A way back that never ran, one that is not there, and one that was never written.
    project.migration(
        A,
        "CREATE TABLE a (n int PRIMARY KEY);\nINSERT INTO a VALUES (1), (2);\n",
        "DROP TABLE b;\n",
    );
    project.migration(
        B,
        "ALTER TABLE a ADD label text;\nUPDATE a SET label = 'row ' || n;\n",
        "-- This file should undo anything in `up.sql`\n",
    );
    project.migration(C, "CREATE TYPE mood AS ENUM ('sad', 'happy');\n", "");
    fs::remove_file(project.path().join("migrations").join(C).join("down.sql")).expect("a file");
    project.migration(
        D,
        "CREATE INDEX CONCURRENTLY a_label ON a (label);\n",
        "DROP INDEX CONCURRENTLY a_label;\n",
    );
    outside_of_transactions(&project, D);
    project.migration(
        E,
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
         CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();\n",
        "DROP TRIGGER t ON a;\nDROP FUNCTION f();\n",
    );
    project.migration(F, "ALTER TYPE mood ADD VALUE 'calm';\n", "SELECT 1;\n");
    project.migration(
        G,
        "ALTER TABLE a ADD mood mood NOT NULL DEFAULT 'calm';\n",
        "ALTER TABLE a DROP mood;\n",
    );
    project.migration(
        H,
        "INSERT INTO a VALUES (3, 'row 3', 'sad');\n",
        "DELETE FROM a WHERE n = 3;\n",
    );
    project
}

#[test]
fn a_history_as_people_leave_it_becomes_a_few() {
    let (_server, database) = tests::database();
    let (_fresh_server, fresh) = tests::database();
    let mut project = real().on(&database);
    project.run(&["upgrade"]).done();
    let said = project
        .run(&["squash", "base..head", "--message", "old"])
        .done();
    for words in [
        &format!("the way back of {A} is drawn anew"),
        &format!("{A}/down.sql:1: table \"b\" does not exist"),
        "statement: DROP TABLE b",
        &format!("the way back of {B} is drawn anew"),
        "holds no statement",
        &format!("the way back of {C} is drawn anew"),
        "there is no down.sql",
        &format!("{D} stays by itself: it does not run in a transaction"),
        "7 migrations are 3: their texts one behind the other",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    assert_eq!(
        project.folders(),
        [
            "2030-01-03-000000_old_1_of_3",
            D,
            "2030-01-06-000000_old_2_of_3",
            "2030-01-08-000000_old_3_of_3"
        ]
    );

    // The database that has them all notices nothing, and can go back to nothing.
    let said = project.run(&["status"]).done();
    assert!(said.contains("in order"), "{said}");
    let said = project.run(&["upgrade"]).done();
    assert!(said.contains("nothing to apply"), "{said}");
    let mut connection = database.connect().expect("a connection");
    let tidy = "(SELECT count(*) = 4 FROM __diesel_schema_migrations)";
    assert!(tests::holds(&mut connection, tidy));
    project.run(&["downgrade", "base"]).done();
    let gone =
        "to_regclass('a') IS NULL AND to_regtype('mood') IS NULL AND to_regproc('f') IS NULL";
    assert!(tests::holds(&mut connection, gone));
    // A new one gets the same, there and back, with Diesel too.
    project.database = Some(fresh.url().to_string());
    let mut connection = fresh.connect().expect("a connection");
    let migrations = FileBasedMigrations::from_path(project.path().join("migrations"));
    let migrations = migrations.expect("what Diesel reads");
    let run = connection.run_pending_migrations(migrations);
    assert_eq!(run.expect("migrations that run").len(), 4);
    let rows =
        "(SELECT array_agg(label ORDER BY n) = '{row 1,row 2,row 3}' AND bool_or(mood = 'sad')
                 AND bool_or(mood = 'calm') FROM a)";
    assert!(tests::holds(&mut connection, rows));
    project.run(&["status"]).done();
    project.run(&["downgrade", "base"]).done();
    assert!(tests::holds(&mut connection, gone));
    // F's own way back never took the label away, and nobody made more of it.
    let said = project.run(&["prove", "--all"]).with(1).stdout;
    assert!(
        said.contains("enum type public.mood is different"),
        "{said}"
    );
    assert_eq!(said.matches("not proved").count(), 2, "{said}");
}

#[test]
fn what_cannot_be_drawn_names_the_folder() {
    let project = checkout();
    project.migration(A, "CREATE TABLE a (n int);", "DROP TABLE a;");
    project.migration(
        B,
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "\n\nDROP FUNCTION g();",
    );
    project.migration(C, "INSERT INTO a VALUES (1);", "DELETE FROM a;");
    let folders = project.folders();
    project.run(&["squash", "base..head"]).refused(&[
        &format!("the way back of {B} cannot be drawn"),
        &format!("{B}/down.sql:3: function g() does not exist"),
        &format!("mend migrations/{B}/down.sql"),
    ]);
    assert_eq!(project.folders(), folders);
    // Two that each run where they stand, and not one after the other.
    project.migration(B, "CREATE INDEX i ON a (n);", "SELECT 1;");
    project.migration(
        C,
        "INSERT INTO a VALUES (1); ALTER TABLE a ADD m int; CREATE INDEX j ON a (m);",
        "ALTER TABLE a DROP n;",
    );
    project.migration(D, "SELECT 1;", "SELECT 1;");
    let said = project.run(&["squash", "2030-01-01..head"]).done();
    assert!(said.contains("3 migrations are one"), "{said}");
}

#[test]
fn what_raises_on_the_way_back_goes_on_doing_so() {
    let (_server, database) = tests::database();
    let project = four(FILLS).on(&database);
    project.migration(
        C,
        "ALTER TABLE a RENAME n TO number;",
        "DO $$ BEGIN RAISE EXCEPTION 'no way back from C'; END $$;",
    );
    let said = project.run(&["squash", "base..head"]).done();
    assert!(said.contains("irreversible: no way back from C"), "{said}");
    project.run(&["upgrade"]).done();
    project
        .run(&["downgrade"])
        .refused(&["no way back from C", "rolled back as a whole"]);
}

#[test]
fn what_steers_transactions_stays_by_itself() {
    let (_server, database) = tests::database();
    let project = four(FILLS).on(&database);
    project.migration(
        C,
        "BEGIN;\nALTER TABLE a RENAME n TO number;\nCOMMIT;\n",
        "BEGIN;\nALTER TABLE a RENAME number TO n;\nCOMMIT;\n",
    );
    project.migration(
        E,
        "CREATE TABLE e ();\nCOMMIT;\nCREATE TABLE e2 ();\n",
        "DROP TABLE e;\nDROP TABLE e2;\n",
    );
    outside_of_transactions(&project, E);
    project.migration(F, "CREATE TABLE f ();", "DROP TABLE f;");
    let said = project.run(&["squash", "base..head"]).done();
    let kept = format!("{F} stays by itself: there is no other beside it");
    assert!(said.contains(&kept), "{said}");
    assert_eq!(
        project.folders(),
        ["2030-01-04-000000_squash_4_migrations", E, F]
    );
    project.run(&["upgrade"]).done();
    project.run(&["downgrade", "base"]).done();
}

#[test]
fn after_another_tools_way_back_status_and_upgrade_give_the_same_advice_and_it_works() {
    let (_server, database) = tests::database();
    let project = four(FILLS).on(&database);
    project.run(&["upgrade"]).done();
    project
        .run(&["squash", "base..head", "--message", "all"])
        .done();
    let mut connection = database.connect().expect("a connection");
    let migrations = FileBasedMigrations::from_path(project.path().join("migrations"));
    let reverted = connection.revert_last_migration(migrations.expect("what Diesel reads"));
    assert_eq!(reverted.expect("a way back").to_string(), "20300104000000");
    let half = "to_regclass('a') IS NULL AND (SELECT count(*) = 3 FROM __diesel_schema_migrations)";
    assert!(tests::holds(&mut connection, half));

    let advice = "Where `diesel migration revert` took all of it back: `trueup stamp base`";
    for command in ["upgrade", "downgrade", "check"] {
        project
            .run(&[command])
            .refused(&["has only some of them", advice]);
    }
    let status = project.run(&["status"]).with(1).stdout;
    assert!(
        status.contains(advice) && status.contains("1 halfway"),
        "{status}"
    );
    assert!(
        !status.contains("unknown") && !status.contains("pending"),
        "{status}"
    );
    project.run(&["stamp", "base", "--yes"]).done();
    project.run(&["upgrade"]).done();
    let whole = "(SELECT array_agg(number) = '{7}' FROM a) AND (SELECT count(*) = 1 FROM __diesel_schema_migrations)";
    assert!(tests::holds(&mut connection, whole));
    project.run(&["status"]).done();
    project.run(&["check"]).with(1);
}

#[test]
fn a_database_that_is_behind_what_was_squashed_is_sent_back_to_before() {
    let (_server, database) = tests::database();
    let project = four(FILLS).on(&database);
    project.run(&["upgrade", "+2"]).done();
    project
        .run(&["squash", "base..head", "--database-url", ""])
        .done();
    let advice =
        "go to the commit before they were squashed, `trueup upgrade` there, and come back";
    let refused = project
        .run(&["upgrade"])
        .refused(&["has only some of them", advice]);
    assert!(!refused.contains("diesel migration revert"), "{refused}");
    let status = project.run(&["status"]).with(1).stdout;
    assert!(
        status.contains(advice) && status.contains("1 halfway"),
        "{status}"
    );
    assert!(
        !status.contains("`trueup upgrade` applies") && !status.contains("unknown"),
        "{status}"
    );
    let json = project.run(&["status", "--format", "json"]).with(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        json["halfway"][0]["has"],
        serde_json::json!(["20300101000000", "20300102000000"])
    );
    assert_eq!(json["unknown"], serde_json::json!([]));
}

#[test]
fn what_waits_for_a_commit_on_the_way_back_is_checked_between() {
    let project = checkout();
    project.migration(
        "2030-01-01-000000_a",
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);",
        "DROP TABLE b, a;",
    );
    project.migration(
        "2030-01-02-000000_b",
        "ALTER TABLE b ADD c int;",
        "ALTER TABLE b DROP c;",
    );
    project.migration(
        "2030-01-03-000000_c",
        "SELECT 1;",
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);",
    );
    project.run(&["squash", "base..head"]).done();
    let down = fs::read_to_string(project.newest().join("down.sql")).expect("a file");
    assert_eq!(
        down.matches("SET CONSTRAINTS ALL IMMEDIATE;").count(),
        2,
        "{down}"
    );
}
