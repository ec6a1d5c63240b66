//! Migrations that begin and end transactions themselves: what is recorded is what is so.

use generator::postgres::scratch::Database;
use tests::checkout::Checkout;

use crate::checkout;

const NAME: &str = "2030-01-01-000000_steers";
const AFTER: &str = "2030-01-02-000000_after";

fn holds(database: &Database, condition: &str) -> bool {
    tests::holds(&mut database.connect().expect("a connection"), condition)
}

fn is_there(database: &Database, table: &str) -> bool {
    holds(database, &format!("to_regclass('{table}') IS NOT NULL"))
}

fn is_recorded(database: &Database, name: &str) -> bool {
    let version = name.split('_').next().unwrap_or_default().replace('-', "");
    let record = "EXISTS (SELECT FROM __diesel_schema_migrations WHERE version =";
    holds(database, &format!("{record} '{version}')"))
}

/// A project of one migration that steers transactions, and one after it.
fn project(database: &Database, up: &str, down: &str) -> Checkout {
    let project = checkout().on(database);
    project.migration(NAME, up, down);
    project.migration(AFTER, "CREATE TABLE after ();", "DROP TABLE after;");
    project
}

fn outside_a_transaction(project: &Checkout) {
    let metadata = format!("migrations/{NAME}/metadata.toml");
    let _ = project.file(&metadata, "run_in_transaction = false\n");
}

#[test]
fn what_is_wrapped_runs_in_one_transaction_with_its_record() {
    for (number, (first, last)) in [
        ("BEGIN;", "COMMIT;"),
        ("begin work;", "end"),
        ("START TRANSACTION;", "COMMIT WORK;"),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE;", "COMMIT;"),
        ("BEGIN;", ""),
        ("", "COMMIT;"),
    ]
    .into_iter()
    .enumerate()
    {
        let (_server, database) = tests::database();
        let up = format!("-- by hand\n{first}\nCREATE TABLE a ();\nCREATE TABLE b ();\n{last}\n");
        let down = format!("{first}\nDROP TABLE a, b;\n{last}\n");
        let project = project(&database, &up, &down);
        if number % 2 == 1 {
            outside_a_transaction(&project);
        }
        let done = project.run(&["upgrade"]).with(0);
        assert!(done.stderr.contains("left out"), "{}", done.stderr);
        assert!(
            is_there(&database, "a") && is_recorded(&database, NAME),
            "{first}"
        );
        assert!(is_recorded(&database, AFTER), "{first}");
        project.run(&["downgrade", "base"]).done();
        assert!(
            !is_there(&database, "a") && !is_recorded(&database, NAME),
            "{first}"
        );

        // A failure in the middle rolls back the whole migration, whatever the file says.
        let broken = up.replace("TABLE b", "TABLE a");
        project.migration(NAME, &broken, &down);
        project.run(&["upgrade"]).refused(&[
            "up.sql:4: relation \"a\" already exists",
            "CREATE TABLE a ()",
            "rolled back as a whole",
        ]);
        assert!(!is_there(&database, "a"), "{first}");
        project
            .run(&["check", "--offline"])
            .refused(&["do not replay", "up.sql:4"]);
    }
}

#[test]
fn a_commit_in_the_middle_is_refused_before_anything_is_run() {
    let (_server, database) = tests::database();
    let up = "CREATE TABLE a ();\nCOMMIT;\nCREATE TABLE b ();";
    let project = project(&database, up, "DROP TABLE a, b;");
    project.migration(
        "2029-01-01-000000_first",
        "CREATE TABLE first ();",
        "SELECT 1;",
    );
    let words = [
        "up.sql:2: this ends the transaction that the migration runs in",
        "statement: COMMIT",
        "nothing was run",
        "remove BEGIN and COMMIT",
        "run_in_transaction = false",
    ];
    let said = project.run(&["upgrade"]).refused(&words);
    assert!(
        !said.contains("search_path") && !said.contains("recorded in"),
        "{said}"
    );
    assert!(!is_there(&database, "a") && !is_there(&database, "first"));
    project.run(&["upgrade", "--dry-run"]).refused(&words);
    project.run(&["upgrade", "--sql"]).refused(&words);
    project.run(&["check", "--offline"]).refused(&words);
    project
        .run(&["diff", "--from", "migrations", "--to", "models"])
        .refused(&words);

    // In other clothes.
    let two = "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nBEGIN;\nCREATE TABLE b ();\nEND;";
    project.migration(NAME, two, "DROP TABLE a, b;");
    project
        .run(&["upgrade"])
        .refused(&["up.sql:3: this ends the transaction", "statement: COMMIT"]);
}

#[test]
fn outside_a_transaction_each_commit_counts() {
    let (_server, database) = tests::database();
    let up = "BEGIN;\nCREATE TYPE mood AS ENUM ('a');\nCOMMIT;\nALTER TYPE mood ADD VALUE 'b';\nCOMMIT;\nCREATE TABLE a (m mood DEFAULT 'b');\nCREATE TABLE b ();\n";
    let down = "DROP TABLE a, b;\nCOMMIT;\nDROP TYPE mood;";
    let project = project(&database, up, down);
    outside_a_transaction(&project);
    project.run(&["upgrade"]).done();
    assert!(is_there(&database, "b") && is_recorded(&database, NAME));
    project.run(&["check"]).with(1);
    project.run(&["downgrade", "base"]).done();
    assert!(!is_there(&database, "a") && !is_recorded(&database, NAME));

    // A failure after a commit: what was committed is said, and nothing is recorded.
    let broken = up.replace("TABLE b ()", "TABLE a ()");
    project.migration(NAME, &broken, down);
    outside_a_transaction(&project);
    project.run(&["upgrade"]).refused(&[
        "up.sql:7: relation \"a\" already exists",
        "what stands before the COMMIT on line 5 is kept, what stands behind it was rolled back",
        "the next run goes on behind that COMMIT",
    ]);
    assert!(holds(&database, "to_regtype('mood') IS NOT NULL"));
    assert!(!is_there(&database, "a") && !is_recorded(&database, NAME));
    project
        .run(&["check", "--offline"])
        .refused(&["do not replay", "up.sql:7"]);

    // The way back is no better.
    let (_server, database) = tests::database();
    let project = self::project(&database, up, "DROP TABLE a;\nCOMMIT;\nDROP TABLE c;");
    outside_a_transaction(&project);
    project.run(&["upgrade"]).done();
    project
        .run(&["downgrade", "base"])
        .refused(&["down.sql:3", "COMMIT on line 2 is kept"]);
    assert!(!is_there(&database, "a") && is_recorded(&database, NAME));
}

#[test]
fn what_does_not_end_in_a_commit_is_refused() {
    for (up, words) in [
        (
            "BEGIN;\nCREATE TABLE a ();\nROLLBACK;",
            "up.sql:3: this undoes what stands before it",
        ),
        (
            "CREATE TABLE a ();\nABORT;\nCREATE TABLE b ();",
            "up.sql:2: this undoes",
        ),
        (
            "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\nBEGIN;\nCREATE TABLE b ();",
            "up.sql:",
        ),
        (
            "BEGIN;\nCREATE TABLE a ();\nPREPARE TRANSACTION 'a';",
            "up.sql:3: this leaves it to another session",
        ),
    ] {
        for outside in [false, true] {
            let (_server, database) = tests::database();
            let project = project(&database, up, "SELECT 1;");
            if outside {
                outside_a_transaction(&project);
            }
            project
                .run(&["upgrade"])
                .refused(&[words, "nothing was run", "hint:"]);
            assert!(!is_there(&database, "a"), "{up}");
            project.run(&["check", "--offline"]).refused(&[words]);
        }
    }
}

#[test]
fn savepoints_are_nobodys_business() {
    let (_server, database) = tests::database();
    let up = "CREATE TABLE a ();\nSAVEPOINT s;\nCREATE TABLE b ();\nROLLBACK TO s;\nRELEASE s;\nCREATE TABLE c ();";
    let project = project(&database, up, "DROP TABLE a, c;");
    let done = project.run(&["upgrade"]).with(0);
    assert!(!done.stderr.contains("left out"), "{}", done.stderr);
    assert!(is_there(&database, "a") && !is_there(&database, "b") && is_there(&database, "c"));
    assert!(is_recorded(&database, NAME));
    project.run(&["downgrade", "base"]).done();
    project.migration(NAME, &up.replace("TABLE c", "TABLE a"), "SELECT 1;");
    project
        .run(&["upgrade"])
        .refused(&["up.sql:6: relation \"a\" already exists"]);
}

#[test]
fn code_that_commits_needs_to_be_outside() {
    let code = "DO $$ BEGIN CREATE TABLE a (); COMMIT; CREATE TABLE b (); END $$;";
    let procedure = "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'";
    for up in [code.to_owned(), format!("{procedure};\nCALL p();")] {
        let (_server, database) = tests::database();
        let project = project(&database, &up, "DROP TABLE a, b;");
        let words = [
            "invalid transaction termination",
            "run_in_transaction = false",
            "a folder of its own",
        ];
        let said = project.run(&["upgrade"]).refused(&words);
        assert!(!said.contains("search_path"), "{said}");
        assert!(!is_there(&database, "a") && !is_recorded(&database, NAME));
        project.run(&["check", "--offline"]).refused(&words);
        project.run(&["upgrade", "--dry-run"]).refused(&words);
    }
    let (_server, database) = tests::database();
    let project = project(&database, code, "DROP TABLE a, b;");
    outside_a_transaction(&project);
    project.run(&["upgrade"]).done();
    assert!(is_there(&database, "b") && is_recorded(&database, NAME));
}

#[test]
fn two_statements_that_share_no_transaction_are_told_to_part() {
    let (_server, database) = tests::database();
    let up = "CREATE INDEX CONCURRENTLY a ON t (id);\nCREATE INDEX CONCURRENTLY b ON t (id);";
    let project = project(&database, up, "DROP INDEX a, b;");
    outside_a_transaction(&project);
    tests::run(&database, "CREATE TABLE t (id integer)");
    let words = ["cannot run inside a transaction", "a folder of its own"];
    let said = project.run(&["check", "--offline"]).refused(&words);
    assert!(!said.contains("search_path"), "{said}");
    project.run(&["upgrade"]).refused(&words);
}

#[test]
fn a_script_commits_once_for_each_migration() {
    let (_server, database) = tests::database();
    let up = "BEGIN;\nCREATE TABLE a ();\nCOMMIT;\n";
    let project = project(&database, up, "DROP TABLE a;");
    let sql = project.run(&["upgrade", "--sql"]).done();
    assert_eq!(sql.matches("COMMIT;").count(), 2, "{sql}");
}
