//! Users who may do little.

use std::fs;

use generator::scratch::Database;
use tests::checkout::Checkout;

use super::{DROP, checkout, undrafted};

#[test]
fn a_user_whose_statements_may_take_no_time_can_check_and_draft() {
    let (_server, database) = tests::database();
    let project = undrafted().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "ALTER ROLE postgres SET statement_timeout = '20ms'; ALTER ROLE postgres SET idle_in_transaction_session_timeout = '20ms'",
    );
    let _ = project.run(&["check"]).with(1);
    let _ = project
        .run(&["diff", "--from", "database", "--to", "models"])
        .with(1);
    let _ = project.run(&["autogen", "x"]).done();
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
}

/// A user who may connect, and nothing else: not even use a namespace.
fn reader(project: &Checkout, database: &Database) -> Checkout {
    tests::run(
        database,
        "CREATE ROLE reader LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC;",
    );
    let url = database.url().to_string().replace("postgres@", "reader@");
    let mut theirs = checkout();
    // What was revoked is drift, and not what is asked here.
    let _ = theirs.file(
        "trueup.toml",
        "exclude = [\"grants on namespace public\"]\n",
    );
    for name in project.folders() {
        let folder = project.path().join("migrations").join(&name);
        let read = |file| fs::read_to_string(folder.join(file)).expect("a file");
        theirs.migration(&name, &read("up.sql"), &read("down.sql"));
    }
    theirs.database = Some(url);
    theirs
}

#[test]
fn whoever_may_read_the_catalog_can_check_and_compare() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let theirs = reader(&project, &database);

    let clean = theirs.run(&["check"]).with(0);
    assert!(
        clean.stdout.contains("migrations and database  in sync"),
        "{clean:?}"
    );
    assert!(
        clean
            .stderr
            .contains("reader may not read __diesel_schema_migrations"),
        "{clean:?}"
    );
    // Who may use the namespace sees the record, and may not read it all the same.
    tests::run(&database, "GRANT USAGE ON SCHEMA public TO reader");
    let _ = theirs.run(&["check"]).with(0);
    tests::run(&database, "REVOKE USAGE ON SCHEMA public FROM reader");
    for arguments in [
        ["diff", "--from", "database", "--to", "migrations"],
        ["diff", "--from", "migrations", "--to", "database"],
        ["diff", "--from", "database", "--to", "models"],
    ] {
        let same = theirs.run(&arguments).done();
        assert_eq!(same, "");
    }

    tests::run(
        &database,
        "ALTER TABLE users DROP COLUMN active; CREATE TABLE quick (a int)",
    );
    let drift = theirs.run(&["check"]).with(1);
    for what in ["column public.users.active", "table public.quick"] {
        assert!(drift.stdout.contains(what), "{drift:?}");
    }
    let ended = theirs
        .run(&["diff", "--from", "database", "--to", "migrations"])
        .with(1);
    assert!(ended.stdout.contains("ADD COLUMN active"), "{ended:?}");
    assert!(
        ended.stderr.contains("reader may not read public."),
        "{ended:?}"
    );

    let said = theirs.run(&["autogen", "x"]).refused(&[
        "reader may not read __diesel_schema_migrations",
        "GRANT SELECT",
    ]);
    assert!(said.contains("hint:"), "{said}");
    tests::run(
        &database,
        "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON __diesel_schema_migrations TO reader; DROP TABLE quick;
         ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL",
    );
    theirs.migration(DROP.0, DROP.1, DROP.2);
    project.migration(DROP.0, DROP.1, DROP.2);
    project.run(&["upgrade"]).done();
    theirs.run(&["autogen", "x"]).done();
    let up = fs::read_to_string(theirs.newest().join("up.sql")).expect("a file");
    assert!(up.contains("reader may not read public."), "{up}");
}

#[test]
fn what_only_pg_dump_could_copy_asks_for_more_rights() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER TABLE users DROP COLUMN active",
    );
    let theirs = reader(&project, &database);
    let drift = theirs.run(&["check"]).with(1);
    assert!(
        drift.stdout.contains("column public.users.active"),
        "{drift:?}"
    );
    theirs
        .run(&[
            "diff",
            "--from",
            "database",
            "--to",
            "models",
            "--ignore-unread",
        ])
        .refused(&[
            "reader may not read public.",
            "GRANT pg_read_all_data TO reader",
        ]);
}
