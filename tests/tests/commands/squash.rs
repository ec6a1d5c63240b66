//! Many migrations become one, and no database notices.

use std::fs;

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
fn a_squash_of_a_squash_still_stands_for_all() {
    let (_server, database) = tests::database();
    let project = four(DEFINES).on(&database);
    project.run(&["upgrade"]).done();
    project.run(&["squash", "base..2030-01-02"]).done();
    project.run(&["squash", "..", "--message", "all"]).done();
    assert_eq!(project.folders(), ["2030-01-04-000000_all"]);
    assert_eq!(up(&project, 0).matches("-- replaces: ").count(), 5);
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
    fs::write(
        project
            .path()
            .join("migrations")
            .join(C)
            .join("metadata.toml"),
        "run_in_transaction = false\n",
    )
    .expect("a file");
    project
        .run(&["squash", "base..head"])
        .refused(&[C, "does not run in a transaction"]);
    project.made_on(&[A], "2030-01-05-000000_e", "SELECT 1;", "SELECT 1;");
    project
        .run(&["squash", "base..2030-01-02"])
        .refused(&["not one line"]);
    assert_eq!(project.folders()[..4], folders);

    let project = checkout();
    project.migration(A, "CREATE TYPE e AS ENUM ('a');", "DROP TYPE e;");
    project.migration(B, "ALTER TYPE e ADD VALUE 'b';", "SELECT 1;");
    project.migration(C, "CREATE TABLE c (e e DEFAULT 'b');", "DROP TABLE c;");
    project
        .run(&["squash", "2030-01-01..head"])
        .refused(&["do not run as one transaction", "unsafe use"]);
    project.run(&["squash", "base..head"]).done();
}
