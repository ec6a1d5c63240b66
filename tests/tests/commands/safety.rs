//! Applying to a database that others use, and being cut off while at it.

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use generator::postgres::scratch::Database;
use tests::checkout::{Checkout, until};

use crate::checkout;

/// Needs a lock on a table that others use.
const STRONG: (&str, &str, &str) = (
    "2030-01-01-000000_strong",
    "ALTER TABLE users ADD COLUMN strong integer;",
    "ALTER TABLE users DROP COLUMN strong;",
);

/// Cannot run in a transaction.
const ALONE: (&str, &str, &str) = (
    "2030-01-02-000000_alone",
    "CREATE INDEX CONCURRENTLY users_late ON public.users (lower(email) DESC) WHERE active;",
    "DROP INDEX CONCURRENTLY public.users_late;",
);

fn with(project: &Checkout, (name, up, down): (&str, &str, &str)) {
    project.migration(name, up, down);
}

/// A migration outside of any transaction.
fn alone(project: &Checkout) {
    with(project, ALONE);
    outside_a_transaction(project, ALONE.0);
}

fn outside_a_transaction(project: &Checkout, name: &str) {
    let metadata = format!("migrations/{name}/metadata.toml");
    let _ = project.file(&metadata, "run_in_transaction = false\n");
}

/// A session that reads or writes `users`, and goes on.
fn user(database: &Database, sql: &str) -> PgConnection {
    let mut connection = database.connect().expect("a connection");
    connection
        .batch_execute(&format!("SET application_name = 'a reader'; BEGIN; {sql}"))
        .expect("a statement");
    connection
}

fn holds(database: &Database, condition: &str) -> bool {
    tests::holds(&mut database.connect().expect("a connection"), condition)
}

const NO_ONE: &str = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'trueup' AND pid <> pg_backend_pid())";

#[test]
fn a_lock_that_others_hold_is_given_up_and_tried_again() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    with(&project, STRONG);
    let reader = user(&database, "SELECT * FROM users");

    let impatient = ["upgrade", "--lock-timeout", "200ms", "--lock-retries", "1"];
    let said = project.run(&impatient).refused(&[
        "did not get its locks, 2 times",
        "AccessExclusiveLock on users, which pid",
        "a reader, user postgres, idle in transaction",
        "--lock-retries",
    ]);
    assert!(said.contains("(1 of 1)"), "{said}");
    assert!(project.run(&["current"]).done().contains(STRONG.0));

    let patient = project.start(&["upgrade", "--lock-timeout", "100ms"]);
    // Others read all the while: nobody queues behind the upgrade for long.
    let mut other = database.connect().expect("a connection");
    for _ in 0..5 {
        other
            .batch_execute("SET statement_timeout = '1s'; SELECT * FROM users")
            .expect("a reader that gets through");
    }
    drop(reader);
    assert!(patient.end().done().contains(STRONG.0));
    let wrong = project.run(&["upgrade", "--lock-timeout", "soon"]);
    wrong.refused(&["cannot set lock_timeout", "500ms"]);
}

#[test]
fn a_statement_that_takes_too_long_is_rolled_back_and_not_tried_again() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let slow = "CREATE TABLE slow (); SELECT pg_sleep(60);";
    project.migration("2030-01-01-000000_slow", slow, "DROP TABLE slow;");
    let said = project
        .run(&["upgrade", "--statement-timeout", "100ms"])
        .refused(&["statement timeout", "rolled back as a whole"]);
    assert!(!said.contains("again in"), "{said}");
    assert!(holds(&database, "to_regclass('slow') IS NULL"));
}

#[test]
fn an_index_that_was_half_built_is_made_again() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    alone(&project);
    // It waits for the end of every transaction that could have seen the table without the index.
    let mut writer = user(&database, "LOCK users IN ROW EXCLUSIVE MODE");

    let upgrade = project.start(&["upgrade"]);
    until("the index is being built", || {
        holds(
            &database,
            "EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)",
        )
    });
    upgrade.kill();
    until("the server has noticed", || holds(&database, NO_ONE));
    writer.batch_execute("COMMIT").expect("committed");
    assert!(holds(
        &database,
        "EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)"
    ));
    assert!(project.run(&["current"]).done().contains(ALONE.0));

    let again = project.run(&["upgrade"]).with(0);
    assert!(
        again.stderr.contains("INVALID index public.users_late"),
        "{again:?}"
    );
    assert!(holds(
        &database,
        "(SELECT bool_and(indisvalid) FROM pg_index) AND to_regclass('users_late') IS NOT NULL"
    ));
    assert!(project.run(&["current"]).done().contains("(head)"));
}

#[test]
fn a_partition_that_was_half_detached_is_detached() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE TABLE years (y integer) PARTITION BY RANGE (y);
         CREATE TABLE year_one PARTITION OF years FOR VALUES FROM (1) TO (2);",
    );
    let name = "2030-01-01-000000_detach";
    project.migration(
        name,
        "ALTER TABLE public.years DETACH PARTITION public.year_one CONCURRENTLY;",
        "ALTER TABLE years ATTACH PARTITION year_one FOR VALUES FROM (1) TO (2);",
    );
    outside_a_transaction(&project, name);
    let pending = "EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)";
    let reader = user(&database, "SELECT * FROM years");
    let upgrade = project.start(&["upgrade"]);
    until("it waits for the reader", || holds(&database, pending));
    upgrade.kill();
    until("the server has noticed", || holds(&database, NO_ONE));
    drop(reader);
    assert!(holds(&database, pending));

    let again = project.run(&["upgrade"]).with(0);
    assert!(
        again.stderr.contains("begun to detach public.year_one"),
        "{again:?}"
    );
    assert!(holds(
        &database,
        "NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'years'::regclass)"
    ));
    // A detach by hand is not taken for done.
    project.run(&["downgrade"]).done();
    tests::run(
        &database,
        "ALTER TABLE public.years DETACH PARTITION public.year_one",
    );
    project
        .run(&["upgrade"])
        .refused(&["is not a partition of relation \"years\""]);
}

#[test]
fn what_cannot_be_in_a_transaction_is_told_where_to_go() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    with(&project, ALONE);
    project.run(&["upgrade"]).refused(&[
        "cannot run inside a transaction",
        "run_in_transaction = false",
    ]);
    with(&project, (ALONE.0, &format!("{0} {0}", ALONE.1), ALONE.2));
    outside_a_transaction(&project, ALONE.0);
    project
        .run(&["upgrade"])
        .refused(&["cannot run inside a transaction", "a folder of its own"]);
}

#[test]
fn a_kill_or_a_lost_connection_leaves_whole_migrations() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    for number in 1..=3 {
        let name = format!("2030-01-0{number}-000000_step");
        let up = format!(
            "CREATE TABLE a{number} (); SELECT pg_advisory_xact_lock({number}); CREATE TABLE b{number} ();"
        );
        let down = format!("DROP TABLE a{number}, b{number};");
        project.migration(&name, &up, &down);
    }
    let whole = "(SELECT bool_and((to_regclass('a' || n) IS NULL) = (to_regclass('b' || n) IS NULL)
                   AND (to_regclass('a' || n) IS NOT NULL)
                       = EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = '2030010' || n || '000000'))
                  FROM generate_series(1, 3) n)";
    for number in 1..=3 {
        let mut gate = user(&database, "COMMIT");
        let key = format!("pg_advisory_lock({number}) IS NOT NULL");
        assert!(tests::holds(&mut gate, &key));
        let upgrade = project.start(&["upgrade"]);
        until("the upgrade is in the middle", || {
            holds(
                &database,
                "EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory')",
            )
        });
        if number == 2 {
            let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'";
            tests::run(&database, terminate);
            let said = upgrade.end().refused(&["2030-01-02-000000_step"]);
            assert!(said.contains("rolled back as a whole"), "{said}");
        } else {
            upgrade.kill();
        }
        until("its session is gone", || holds(&database, NO_ONE));
        assert!(holds(&database, whole));
        let missing = format!("to_regclass('a{number}') IS NULL");
        assert!(holds(&database, &missing));
    }
    project.run(&["upgrade"]).done();
    assert!(holds(&database, whole) && holds(&database, "to_regclass('b3') IS NOT NULL"));
}

#[test]
fn several_statements_outside_a_transaction_are_recorded_with_what_they_did() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let name = "2030-01-01-000000_both";
    project.migration(
        name,
        "CREATE TABLE x (); CREATE TABLE y ();",
        "DROP TABLE x, y;",
    );
    let _ = project.file(
        &format!("migrations/{name}/metadata.toml"),
        "run_in_transaction = false\n",
    );
    // The record cannot be written, and what it would be of is not there either.
    let mut connection = database.connect().expect("a connection");
    connection
        .transaction(|connection| {
            connection.batch_execute(
                "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY CHECK (version NOT LIKE '2030%'), run_on timestamp DEFAULT now())",
            )
        })
        .expect("a table");
    let _ = project.run(&["upgrade"]).with(2);
    assert!(holds(
        &database,
        "to_regclass('x') IS NULL AND to_regclass('y') IS NULL"
    ));
}

#[test]
fn names_do_nothing_to_a_terminal_and_sql_is_not_altered() {
    let project = checkout();
    let _ = project.file("from.sql", "CREATE SCHEMA app;");
    let check = "CREATE SCHEMA app; CREATE TABLE app.t (a text CHECK (a <> E'\\x1b]0;x\\x07y' AND a <> E'\\u202e'));";
    let _ = project.file("to.sql", check);
    let sql = project
        .run(&["diff", "--from", "from.sql", "--to", "to.sql"])
        .with(1)
        .stdout;
    assert!(
        sql.contains("\u{1b}]0;x\u{7}y") && sql.contains('\u{202e}'),
        "{sql:?}"
    );
    let _ = project.file("again.sql", &format!("CREATE SCHEMA app;\n{sql}"));
    let again = ["diff", "--from", "again.sql", "--to", "to.sql"];
    assert_eq!(project.run(&again).done(), "");

    project.migration(
        "2030-01-01-000000_\u{1b}[2Ja\nDROP TABLE users; --",
        "SELECT 1;",
        "SELECT 1;",
    );
    let listed = project.run(&["history"]).done();
    assert!(
        !listed.contains('\u{1b}') && listed.contains("\\u{1b}[2J"),
        "{listed:?}"
    );
    let script = project.run(&["upgrade", "--sql"]).done();
    assert!(
        !script.lines().any(|line| line.starts_with("DROP TABLE")),
        "{script}"
    );
}
