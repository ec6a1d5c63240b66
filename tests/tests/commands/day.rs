//! The commands one after the other, as a user gives them: without a database, with one, and beside Diesel.

use std::fs;

use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::checkout;

/// A table that no model declares, made by a hand-written migration.
const NOTES: (&str, &str, &str) = (
    "2030-01-01-000000_notes",
    "CREATE TABLE notes (id integer PRIMARY KEY, body text);",
    "DROP TABLE notes;",
);

#[test]
fn a_day_without_a_database() {
    let project = checkout();

    let said = project.run(&["autogen", "begin"]).done();
    let folders = project.folders();
    assert_eq!(folders.len(), 1, "{folders:?}");
    let name = folders[0].as_str();
    assert!(name.ends_with("_begin"), "{name}");
    assert!(
        said.contains(&format!("migrations/{name}/up.sql")),
        "{said}"
    );
    let read = |file| fs::read_to_string(project.newest().join(file)).expect("a file");
    assert!(read("up.sql").contains("CREATE TABLE public.users ("));
    assert!(read("down.sql").contains("DROP TABLE public.users;"));
    assert_eq!(read("metadata.toml"), "run_in_transaction = true\n");

    let said = project.run(&["check"]).done();
    assert_eq!(said, "models and migrations  in sync\n");
    let said = project.run(&["autogen", "again"]).done();
    assert!(said.starts_with("nothing to do: "), "{said}");
    assert_eq!(project.folders(), folders);

    let history = || project.run(&["history"]).done();
    assert_eq!(history(), format!("{name}\n"));
    let said = project.run(&["upgrade"]).done();
    assert!(said.contains(&format!("applied  {name}")), "{said}");
    assert!(project.path().join(".trueup/data").is_dir());
    let current = || project.run(&["current"]).done();
    assert_eq!(current(), format!("{name} (head)\n"));
    assert_eq!(history(), format!("{name}  applied\n"));

    let said = project.run(&["downgrade", "base"]).done();
    assert!(said.contains(&format!("taken back  {name}")), "{said}");
    assert!(current().starts_with("base (1 migration pending)\n"));
    assert_eq!(history(), format!("{name}  pending\n"));
    assert!(project.run(&["upgrade"]).done().contains("applied"));
    let said = project.run(&["upgrade"]).done();
    assert_eq!(
        said,
        format!("nothing to apply: the database is at {name}\n")
    );

    // It forgets that the tables are there, and is told again.
    let said = project.run(&["stamp", "base"]).done();
    assert!(said.contains("removed"), "{said}");
    assert!(current().starts_with("base "));
    project.run(&["upgrade"]).refused(&["already exists"]);
    assert!(project.run(&["stamp", "head"]).done().contains("recorded"));
    assert_eq!(current(), format!("{name} (head)\n"));
    // The server runs only while a command does.
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
}

#[test]
fn a_day_with_a_database() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);

    project.run(&["autogen", "begin"]).done();
    let pending = project.run(&["check"]).with(1).stdout;
    assert!(pending.contains("pending  1 migration"), "{pending}");
    project.run(&["upgrade"]).done();
    let clean = project.run(&["check"]).done();
    assert!(
        clean.contains("migrations and database  in sync"),
        "{clean}"
    );
    let said = project.run(&["autogen", "again"]).done();
    assert!(said.starts_with("nothing to do: "), "{said}");
    assert!(!project.path().join(".trueup").exists());

    tests::run(&database, "ALTER TABLE users ADD COLUMN shoe_size integer");
    let drift = project.run(&["check"]).with(1).stdout;
    assert!(
        drift.contains("in the database only  column public.users.shoe_size"),
        "{drift}"
    );
    let json = project.run(&["check", "--format", "json"]).with(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["in_sync"], false);
    assert_eq!(
        json["database"],
        serde_json::json!([{
            "object": "column public.users.shoe_size",
            "how": "extra",
            "origin": {"file": "models/src/user.rs", "line": json["database"][0]["origin"]["line"], "item": "User", "field": null},
        }])
    );
    project.run(&["check", "--offline"]).done();
    project
        .run(&["autogen", "undo"])
        .refused(&["changed by hand", "column public.users.shoe_size"]);
    assert_eq!(project.folders().len(), 1);

    project.run(&["downgrade"]).done();
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "to_regclass('users') IS NULL"
    ));
}

#[test]
fn a_database_that_was_there_begins_with_a_stamp() {
    let (_server, database) = tests::database();
    let shipped = checkout().shipped();
    let up = fs::read_to_string(shipped.newest().join("up.sql")).expect("a file");
    tests::run(&database, &up);
    tests::run(
        &database,
        "ALTER TABLE users RENAME CONSTRAINT users_email_key TO mine",
    );
    let project = checkout().on(&database);

    project
        .run(&["autogen", "begin", "--from", "migrations"])
        .done();
    assert_eq!(project.folders().len(), 1);
    project.run(&["stamp", "head"]).done();

    assert!(project.run(&["current"]).done().contains("(head)"));
    project.run(&["check"]).done();
    let said = project.run(&["autogen", "again"]).done();
    assert!(said.starts_with("nothing to do: "), "{said}");
}

#[test]
fn diesel_runs_what_autogen_writes() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.run(&["autogen", "begin"]).done();
    let mut connection = database.connect().expect("a connection");
    let migrations = || {
        FileBasedMigrations::from_path(project.path().join("migrations"))
            .expect("what Diesel reads")
    };

    let run = connection.run_pending_migrations(migrations());
    assert_eq!(run.expect("migrations that run").len(), 1);
    assert!(tests::holds(
        &mut connection,
        "to_regclass('users') IS NOT NULL"
    ));
    project.run(&["check"]).done();
    assert!(project.run(&["current"]).done().contains("(head)"));

    let reverted = connection.revert_last_migration(migrations());
    let version = reverted.expect("a migration that goes back").to_string();
    let folders = project.folders();
    let name = folders[0].replace('-', "");
    assert!(name.starts_with(&version), "{version}");
    assert!(tests::holds(
        &mut connection,
        "to_regclass('users') IS NULL"
    ));
    assert!(project.run(&["current"]).done().starts_with("base "));

    project.run(&["upgrade"]).done();
    let has_pending = connection.has_pending_migration(migrations());
    assert!(!has_pending.expect("an answer"));
}

#[test]
fn data_is_not_lost_unless_that_is_meant() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let first = project.folders().remove(0);
    project.made_on(&[&first], NOTES.0, NOTES.1, NOTES.2);
    project.run(&["upgrade"]).done();
    tests::run(&database, "INSERT INTO notes VALUES (1, 'keep me')");
    let folders = project.folders();

    project.run(&["autogen", "drop notes"]).refused(&[
        "loses data for good; nothing was written",
        "every row of public.notes",
        "--allow data-loss=public.notes",
    ]);
    assert_eq!(project.folders(), folders);
    let dry = project.run(&["autogen", "drop notes", "--dry-run"]).done();
    assert!(dry.contains("DROP TABLE public.notes;"), "{dry}");
    assert_eq!(project.folders(), folders);

    let allowed = ["autogen", "drop notes", "--allow", "data-loss=notes"];
    let said = project.run(&allowed).done();
    assert!(said.contains("hazard"), "{said}");
    assert_eq!(project.folders().len(), folders.len() + 1);
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    let statements = up.lines().filter(|line| line.ends_with(';'));
    assert_eq!(statements.collect::<Vec<_>>(), ["DROP TABLE public.notes;"]);
    // Writing it is not running it.
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "(SELECT body FROM notes) = 'keep me'"
    ));
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
}
