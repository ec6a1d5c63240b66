//! Migrations that are all or nothing, in a command that is not: a redo that is killed, and code outside of a transaction.

use diesel::connection::SimpleConnection;
use tests::checkout::{Checkout, until};

use super::{checkout, holds};

/// Lock that keeps a migration waiting as long as a test wants.
const GATE: &str = "SELECT pg_advisory_xact_lock(7);";

const WAITS: &str =
    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted)";

const NO_ONE: &str = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'trueup' AND pid <> pg_backend_pid())";

fn three(project: &Checkout) {
    for (number, name) in [(1, "a"), (2, "b"), (3, "c")] {
        let up = format!("{GATE} CREATE TABLE {name} ();");
        project.migration(
            &format!("2030-01-0{number}-000000_{name}"),
            &up,
            &format!("DROP TABLE {name};"),
        );
    }
}

#[test]
fn a_redo_killed_between_back_and_again_is_finished() {
    for next in ["redo", "upgrade", "downgrade"] {
        let (_server, database) = tests::database();
        let project = checkout().on(&database);
        three(&project);
        project.run(&["upgrade"]).done();
        let mut gate = database.connect().expect("a connection");
        gate.batch_execute("SELECT pg_advisory_lock(7)")
            .expect("a lock");
        let redo = project.start(&["redo", "-2"]);
        until("it applies again", || holds(&database, WAITS));
        redo.kill();
        drop(gate);
        until("its session is gone", || holds(&database, NO_ONE));
        assert!(holds(
            &database,
            "to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL AND to_regclass('c') IS NULL"
        ));
        for command in ["status", "doctor", "check", "health"] {
            let ended = project.run(&[command]).with(1);
            assert!(
                ended.stdout.contains("a run (redo, begun "),
                "{command}: {ended:?}"
            );
        }
        let ended = project.run(&[next]).with(0);
        assert!(
            ended.stderr.contains("an earlier redo was cut off"),
            "{next}: {ended:?}"
        );
        let there = if next == "downgrade" {
            "IS NULL"
        } else {
            "IS NOT NULL"
        };
        let wanted = format!(
            "to_regclass('a') {there} AND to_regclass('b') {there} AND to_regclass('c') {there}"
        );
        assert!(holds(&database, &wanted), "{next}: {ended:?}");
        assert!(
            holds(&database, "to_regclass('__trueup_journal') IS NULL"),
            "{next}"
        );
        if next != "downgrade" {
            assert!(
                project.run(&["status"]).done().contains("in order"),
                "{next}"
            );
        }
    }
}

#[test]
fn a_redo_goes_on_where_it_may_not_be_noted() {
    let (_server, database) = tests::database();
    let mut project = checkout().on(&database);
    three(&project);
    tests::run(
        &database,
        "CREATE ROLE app LOGIN; GRANT CREATE ON SCHEMA public TO app",
    );
    project.database = Some(database.url().to_string().replace("postgres@", "app@"));
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "REVOKE CREATE ON SCHEMA public FROM app, PUBLIC; CREATE SCHEMA app AUTHORIZATION app",
    );
    for (number, name) in [(2, "b"), (3, "c")] {
        let up = format!("CREATE TABLE app.{name} ();");
        project.migration(
            &format!("2030-01-0{number}-000000_{name}"),
            &up,
            &format!("DROP TABLE IF EXISTS app.{name}, public.{name};"),
        );
    }
    let said = project.run(&["redo", "-2"]).with(0).stderr;
    assert!(
        said.contains("__trueup_journal cannot be written")
            && said.contains("`trueup upgrade` applies"),
        "{said}"
    );
    assert!(holds(
        &database,
        "to_regclass('app.b') IS NOT NULL AND to_regclass('app.c') IS NOT NULL"
    ));
}

#[test]
fn code_outside_of_a_transaction_that_commits_nothing_is_all_or_nothing() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    let code = "DO $$ BEGIN CREATE TABLE made (); PERFORM pg_advisory_xact_lock(7); END $$;";
    let name = "2030-01-01-000000_code";
    project.migration(
        name,
        code,
        &code.replace("CREATE TABLE made ()", "DROP TABLE made"),
    );
    let _ = project.file(
        &format!("migrations/{name}/metadata.toml"),
        "run_in_transaction = false\n",
    );
    for command in ["upgrade", "downgrade"] {
        let mut gate = database.connect().expect("a connection");
        gate.batch_execute("SELECT pg_advisory_lock(7)")
            .expect("a lock");
        let running = project.start(&[command]);
        until("it is in the middle", || holds(&database, WAITS));
        running.kill();
        drop(gate);
        until("its session is gone", || holds(&database, NO_ONE));
        project.run(&[command]).done();
        let there = if command == "upgrade" {
            "IS NOT NULL"
        } else {
            "IS NULL"
        };
        assert!(holds(&database, &format!("to_regclass('made') {there}")));
    }
    // A migration that commits is refused in a transaction, and runs without one.
    let commits = "DO $$ BEGIN CREATE TABLE made (); COMMIT; CREATE TABLE also (); END $$;";
    project.migration(name, commits, "DROP TABLE also; DROP TABLE made;");
    project.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "to_regclass('also') IS NOT NULL AND to_regclass('__trueup_journal') IS NULL"
    ));
}
