//! Migrations outside of any transaction, cut off on the way there and on the way back: the journal says so, and the next command
//! finishes them or says what to do.

use diesel::{PgConnection, connection::SimpleConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use generator::postgres::scratch::Database;
use tests::checkout::{Checkout, Running, until};

use super::{checkout, holds};

const INDEX: &str = "2030-01-02-000000_index";

const NO_ONE: &str = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'trueup' AND pid <> pg_backend_pid())";

const INVALID: &str = "EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)";

const APPLIED: &str = "(SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = to_regclass('late'))
    AND EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = '20300102000000' AND trueup_hash IS NOT NULL)
    AND to_regclass('__trueup_journal') IS NULL AND NOT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)";

const TAKEN_BACK: &str = "to_regclass('late') IS NULL
    AND NOT EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = '20300102000000')
    AND to_regclass('__trueup_journal') IS NULL AND NOT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)";

/// A table, applied, and a migration after it.
fn project(database: &Database, name: &str, up: &str, down: &str) -> Checkout {
    let project = checkout().on(database);
    let table = "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (1);";
    project.migration("2030-01-01-000000_table", table, "DROP TABLE t;");
    project.run(&["upgrade"]).done();
    outside(&project, name, up, down);
    project
}

fn outside(project: &Checkout, name: &str, up: &str, down: &str) {
    project.migration(name, up, down);
    let metadata = format!("migrations/{name}/metadata.toml");
    let _ = project.file(&metadata, "run_in_transaction = false\n");
}

fn with_index(database: &Database) -> Checkout {
    project(
        database,
        INDEX,
        "CREATE INDEX CONCURRENTLY late ON public.t (n);",
        "DROP INDEX CONCURRENTLY public.late;",
    )
}

/// A transaction that others have to wait for.
fn transaction(database: &Database, sql: &str) -> PgConnection {
    let mut connection = database.connect().expect("a connection");
    connection
        .batch_execute(&format!("SET application_name = 'a user'; BEGIN; {sql}"))
        .expect("a statement");
    connection
}

/// Kills a command once this is so, and waits until the server has noticed.
fn kill_once(database: &Database, command: Running, condition: &str) {
    until(condition, || holds(database, condition));
    command.kill();
    until("its session is gone", || holds(database, NO_ONE));
}

/// Has a command killed while it makes or drops the index.
fn cut_off(project: &Checkout, database: &Database, arguments: &[&str]) {
    let user = transaction(database, "LOCK t IN ROW EXCLUSIVE MODE");
    kill_once(database, project.start(arguments), INVALID);
    drop(user);
    assert!(holds(database, INVALID), "{arguments:?}");
}

/// Has a command killed once all is done but its record, which cannot be written while somebody reads it like this.
fn killed_at_its_record(project: &Checkout, database: &Database, command: &str, done: &str) {
    let user = transaction(database, "LOCK t IN ROW EXCLUSIVE MODE");
    let running = project.start(&[command]);
    until("it is at it", || holds(database, INVALID));
    let record = "LOCK TABLE __diesel_schema_migrations IN EXCLUSIVE MODE";
    let gate = transaction(database, record);
    drop(user);
    let waits = "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = '__diesel_schema_migrations'::regclass)";
    kill_once(database, running, &format!("{waits} AND {done}"));
    drop(gate);
}

/// Whoever looks is told, in these words.
fn told(project: &Checkout, words: &[&str]) {
    for command in ["status", "doctor", "check", "health"] {
        let ended = project.run(&[command]).with(1);
        for word in words {
            assert!(ended.stdout.contains(word), "{command}, {word}: {ended:?}");
        }
    }
}

#[test]
fn a_killed_downgrade_is_told_and_finished() {
    for next in ["downgrade", "upgrade", "redo"] {
        let (_server, database) = tests::database();
        let project = with_index(&database);
        project.run(&["upgrade"]).done();
        assert!(holds(&database, APPLIED));
        cut_off(&project, &database, &["downgrade"]);
        told(&project, &["index public.late", "INVALID"]);
        let status = project.run(&["status"]).with(1).stdout;
        assert!(
            status.contains("_index: a run (down, begun ")
                && status.contains("`trueup downgrade` finishes it"),
            "{status}"
        );
        // The journal is no part of a schema.
        let same = ["diff", "--from", "database", "--to", "migrations"];
        let ended = project.run(&same);
        assert!(!ended.stdout.contains("__trueup_journal"), "{ended:?}");
        project.run(&[next]).done();
        let wanted = if next == "downgrade" {
            TAKEN_BACK
        } else {
            APPLIED
        };
        assert!(holds(&database, wanted), "{next}");
        let status = project.run(&["status"]);
        let words = if next == "downgrade" {
            "1 pending"
        } else {
            "in order"
        };
        assert!(status.stdout.contains(words), "{status:?}");
    }
}

#[test]
fn a_killed_upgrade_is_told_and_finished_or_taken_back() {
    for next in ["upgrade", "downgrade"] {
        let (_server, database) = tests::database();
        let project = with_index(&database);
        cut_off(&project, &database, &["upgrade"]);
        told(&project, &["_index", "INVALID"]);
        if next == "downgrade" {
            // Back to what was applied.
            project
                .run(&["redo"])
                .refused(&["neither applied nor taken back", "trueup upgrade"]);
            project.run(&["downgrade", "2030-01-01"]).done();
            assert!(holds(&database, TAKEN_BACK));
        }
        project.run(&["upgrade"]).done();
        assert!(holds(&database, APPLIED));
    }
}

#[test]
fn a_killed_redo_is_finished_by_the_next() {
    for moment in ["down", "up"] {
        let (_server, database) = tests::database();
        let project = with_index(&database);
        project.migration(
            "2030-01-03-000000_more",
            "CREATE TABLE more ();",
            "DROP TABLE more;",
        );
        project.run(&["upgrade"]).done();
        let first = transaction(&database, "LOCK t IN ROW EXCLUSIVE MODE");
        let redo = project.start(&["redo", "-2"]);
        until("it drops the index", || holds(&database, INVALID));
        if moment == "down" {
            redo.kill();
            drop(first);
        } else {
            // Once after it dropped the index, and once more while it makes it.
            let gate = transaction(
                &database,
                "LOCK TABLE __diesel_schema_migrations IN EXCLUSIVE MODE",
            );
            drop(first);
            until("the index is gone", || {
                holds(&database, "to_regclass('late') IS NULL")
            });
            redo.kill();
            drop(gate);
            until("its session is gone", || holds(&database, NO_ONE));
            cut_off(&project, &database, &["redo", "-2"]);
        }
        until("its session is gone", || holds(&database, NO_ONE));
        let status = project.run(&["status"]).with(1).stdout;
        assert!(status.contains("a run (redo, begun "), "{status}");
        let said = project.run(&["redo", "-2"]).with(0).stderr;
        assert!(said.contains("an earlier redo was cut off"), "{said}");
        assert!(holds(&database, APPLIED), "{moment}");
        assert!(holds(
            &database,
            "to_regclass('more') IS NOT NULL AND (SELECT count(*) = 3 FROM __diesel_schema_migrations)"
        ));
        assert!(
            project.run(&["status"]).done().contains("in order"),
            "in order"
        );
    }
}

#[test]
fn what_was_done_and_not_recorded_is_recorded() {
    let (_server, database) = tests::database();
    let project = with_index(&database);
    killed_at_its_record(
        &project,
        &database,
        "upgrade",
        "(SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = to_regclass('late'))",
    );
    let up = project.run(&["upgrade"]).with(0);
    assert!(
        up.stderr.contains("had made the index public.late already"),
        "{up:?}"
    );
    assert!(holds(&database, APPLIED));

    killed_at_its_record(
        &project,
        &database,
        "downgrade",
        "to_regclass('late') IS NULL",
    );
    let down = project.run(&["downgrade"]).with(0);
    assert!(
        down.stderr.contains("had dropped public.late already"),
        "{down:?}"
    );
    assert!(holds(&database, TAKEN_BACK));
}

#[test]
fn nothing_is_taken_for_done_that_no_run_began() {
    let (_server, database) = tests::database();
    let project = with_index(&database);
    // Somebody made it by hand.
    tests::run(&database, "CREATE INDEX late ON t (n)");
    for _ in 0..2 {
        project
            .run(&["upgrade"])
            .refused(&["\"late\" already exists", "no run of it was cut off"]);
    }
    project.run(&["stamp", "head", "--yes"]).done();
    // A name that is not there.
    outside(
        &project,
        INDEX,
        "CREATE INDEX CONCURRENTLY late ON public.t (n);",
        "DROP INDEX CONCURRENTLY public.lately;",
    );
    for _ in 0..2 {
        project
            .run(&["downgrade"])
            .refused(&["index \"lately\" does not exist"]);
    }
    assert!(holds(
        &database,
        "to_regclass('__trueup_journal') IS NULL AND to_regclass('late') IS NOT NULL"
    ));

    // One that fails and leaves something is tried again when the reason is gone.
    let unique = "CREATE UNIQUE INDEX CONCURRENTLY unique_n ON public.t (n);";
    outside(
        &project,
        "2030-01-03-000000_unique",
        unique,
        "DROP INDEX CONCURRENTLY public.unique_n;",
    );
    for _ in 0..2 {
        project
            .run(&["upgrade"])
            .refused(&["could not create unique index"]);
    }
    for command in ["status", "health"] {
        let ended = project.run(&[command]).with(1);
        assert!(
            ended.stdout.contains("index public.unique_n") && ended.stdout.contains("INVALID"),
            "{ended:?}"
        );
    }
    tests::run(
        &database,
        "DELETE FROM t WHERE ctid <> (SELECT min(ctid) FROM t)",
    );
    project.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "(SELECT indisvalid FROM pg_index WHERE indexrelid = 'unique_n'::regclass)"
    ));
    project.run(&["health"]).done();
}

#[test]
fn a_killed_label_and_a_killed_index_without_a_name_are_finished() {
    let (_server, database) = tests::database();
    let project = project(
        &database,
        INDEX,
        "CREATE INDEX CONCURRENTLY ON public.t (n);",
        "DROP INDEX CONCURRENTLY public.t_n_idx;",
    );
    cut_off(&project, &database, &["upgrade"]);
    project.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "(SELECT count(*) = 1 AND bool_and(indisvalid) FROM pg_index WHERE indrelid = 't'::regclass)
         AND to_regclass('t_n_idx') IS NOT NULL"
    ));

    tests::run(&database, "CREATE TYPE mood AS ENUM ('a')");
    outside(
        &project,
        "2030-01-03-000000_label",
        "ALTER TYPE mood ADD VALUE 'b';",
        "SELECT 1;",
    );
    let gate = transaction(
        &database,
        "LOCK TABLE __diesel_schema_migrations IN EXCLUSIVE MODE",
    );
    let waits = "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = '__diesel_schema_migrations'::regclass)";
    kill_once(&database, project.start(&["upgrade"]), waits);
    drop(gate);
    project.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "enum_range(NULL::mood)::text = '{a,b}' AND (SELECT count(*) = 3 FROM __diesel_schema_migrations)"
    ));
}

#[test]
fn a_migration_that_commits_in_its_middle_goes_on_behind_what_it_committed() {
    let (_server, database) = tests::database();
    let up = "INSERT INTO t VALUES (2);\nCOMMIT;\nSELECT pg_advisory_xact_lock(7);\nINSERT INTO t VALUES (3);\nCOMMIT;\nINSERT INTO t VALUES (4);";
    let project = project(
        &database,
        "2030-01-02-000000_steps",
        up,
        "DELETE FROM t WHERE n > 1;",
    );
    let mut gate = transaction(&database, "SELECT pg_advisory_lock(7)");
    let waits = "EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory')";
    kill_once(&database, project.start(&["upgrade"]), waits);
    gate.batch_execute("SELECT pg_advisory_unlock_all(); COMMIT")
        .expect("unlocked");
    told(&project, &["_steps"]);
    // It is not undone in part.
    project
        .run(&["downgrade"])
        .refused(&["was cut off", "`trueup upgrade` finishes it"]);
    // The committed part must be the same in the file.
    outside(
        &project,
        "2030-01-02-000000_steps",
        &up.replace("(2)", "(5)"),
        "DELETE FROM t WHERE n > 1;",
    );
    project.run(&["upgrade"]).refused(&[
        "is not the same in its file since",
        "trueup stamp 20300102000000",
    ]);
    // A comment changes nothing.
    outside(
        &project,
        "2030-01-02-000000_steps",
        &format!("-- again\n{up}"),
        "DELETE FROM t WHERE n > 1;",
    );
    let said = project.run(&["upgrade"]).with(0).stderr;
    assert!(
        said.contains("had committed 1 of its 3 transactions"),
        "{said}"
    );
    assert!(holds(
        &database,
        "(SELECT array_agg(n ORDER BY n) FROM t) = ARRAY[1, 1, 2, 3, 4] AND to_regclass('__trueup_journal') IS NULL"
    ));

    // One that fails is mended behind what it committed.
    let broken =
        "INSERT INTO t VALUES (6);\nCOMMIT;\nINSERT INTO nowhere VALUES (7);\nCOMMIT;\nSELECT 1;";
    let name = "2030-01-03-000000_broken";
    outside(&project, name, broken, "SELECT 1;");
    project.run(&["upgrade"]).refused(&[
        "up.sql:3",
        "COMMIT on line 2 is kept",
        "goes on behind that COMMIT",
    ]);
    outside(&project, name, &broken.replace("nowhere", "t"), "SELECT 1;");
    project.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "(SELECT count(*) = 2 FROM t WHERE n IN (6, 7))"
    ));
}

#[test]
fn code_that_may_have_committed_is_left_to_a_person() {
    let (_server, database) = tests::database();
    let name = "2030-01-02-000000_code";
    let up = "DO $$ BEGIN INSERT INTO t VALUES (2); COMMIT; PERFORM pg_sleep(60); END $$;";
    let project = project(&database, name, up, "SELECT 1;");
    let committed = "EXISTS (SELECT FROM t WHERE n = 2)";
    kill_once(&database, project.start(&["upgrade"]), committed);
    project.run(&["upgrade"]).refused(&[
        "2030-01-02-000000_code (up, begun ",
        "nothing tells how far it came",
        "trueup stamp 20300102000000",
    ]);
    tests::run(&database, "DELETE FROM t WHERE n = 2");
    project.run(&["stamp", "2030-01-01", "--yes"]).done();
    outside(&project, name, &up.replace("(60)", "(0)"), "SELECT 1;");
    project.run(&["upgrade"]).done();
    assert!(holds(&database, "(SELECT count(*) = 1 FROM t WHERE n = 2)"));

    // A failure is reported at once, and is no riddle for the next run.
    let name = "2030-01-03-000000_code";
    outside(
        &project,
        name,
        "DO $$ BEGIN COMMIT; RAISE EXCEPTION 'no'; END $$;",
        "SELECT 1;",
    );
    for _ in 0..2 {
        project.run(&["upgrade"]).refused(&["up.sql", "no"]);
    }
}

#[test]
fn the_record_is_right_where_the_journal_says_otherwise() {
    let (_server, database) = tests::database();
    let project = with_index(&database);
    let theirs = FileBasedMigrations::from_path(project.path().join("migrations"));
    let theirs = theirs.expect("migrations");
    let mut connection = transaction(&database, "COMMIT");
    cut_off(&project, &database, &["upgrade"]);
    let failed = connection.run_pending_migrations(theirs.clone());
    let failed = failed.expect_err("an INVALID index").to_string();
    assert!(failed.contains("late"), "{failed}");
    tests::run(&database, "DROP INDEX late");
    let done = connection.run_pending_migrations(theirs.clone());
    done.expect("Diesel applies it");
    assert!(
        project.run(&["status"]).done().contains("in order"),
        "in order"
    );
    let said = project.run(&["upgrade"]).with(0).stderr;
    assert!(said.contains("the record counts"), "{said}");
    assert!(holds(&database, "to_regclass('__trueup_journal') IS NULL"));
    project.run(&["redo"]).done();

    cut_off(&project, &database, &["downgrade"]);
    let reverted = connection.revert_last_migration(theirs.clone());
    reverted.expect("Diesel takes it back");
    let said = project.run(&["upgrade"]).with(0).stderr;
    assert!(said.contains("the record counts"), "{said}");
    assert!(holds(&database, APPLIED));

    // Without a hand of ours: what a killed command began, Diesel finishes, and the other way round.
    cut_off(&project, &database, &["downgrade"]);
    project.run(&["downgrade"]).done();
    assert!(
        connection
            .has_pending_migration(theirs.clone())
            .expect("an answer")
    );
    let done = connection.run_pending_migrations(theirs);
    done.expect("Diesel applies it");
    assert!(project.run(&["status"]).done().contains("in order"));
    project.run(&["redo"]).done();
    assert!(holds(&database, APPLIED));
}

#[test]
fn a_terminated_session_and_a_reset_leave_nothing_unfinished() {
    let (_server, database) = tests::database();
    let project = with_index(&database);
    let user = transaction(&database, "LOCK t IN ROW EXCLUSIVE MODE");
    let upgrade = project.start(&["upgrade"]);
    until("the index is being built", || holds(&database, INVALID));
    tests::run(
        &database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'trueup' AND query LIKE '%CONCURRENTLY%' AND pid <> pg_backend_pid()",
    );
    let _ = upgrade.end().refused(&["_index"]);
    drop(user);
    told(&project, &["_index", "INVALID"]);
    project.run(&["db", "reset", "--yes"]).done();
    assert!(holds(&database, APPLIED));
    assert!(
        project.run(&["status"]).done().contains("in order"),
        "in order"
    );
}

#[test]
fn who_may_make_no_journal_is_told_before_anything_runs() {
    let (_server, database) = tests::database();
    let project = with_index(&database);
    tests::run(
        &database,
        "CREATE ROLE app LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER TABLE t OWNER TO app;
         GRANT ALL ON __diesel_schema_migrations TO app",
    );
    let mut theirs = project;
    theirs.database = Some(database.url().to_string().replace("postgres@", "app@"));
    theirs.run(&["upgrade"]).refused(&[
        "cannot write public.__trueup_journal",
        "permission denied",
        "GRANT CREATE ON SCHEMA public",
    ]);
    assert!(holds(&database, "to_regclass('late') IS NULL"));
    tests::run(&database, "GRANT CREATE ON SCHEMA public TO app");
    theirs.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "to_regclass('late') IS NOT NULL AND to_regclass('__trueup_journal') IS NULL"
    ));
}

/// What cannot be rolled back is not begun where its record could not be written.
#[test]
fn what_cannot_be_recorded_is_told_before_anything_runs() {
    for (record, mend) in [
        (
            "CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA public TO app; ALTER TABLE t OWNER TO app;
             GRANT SELECT ON __diesel_schema_migrations TO app",
            "GRANT ALL ON __diesel_schema_migrations TO app",
        ),
        (
            "ALTER TABLE __diesel_schema_migrations ADD who text NOT NULL DEFAULT ''; ALTER TABLE __diesel_schema_migrations ALTER who DROP DEFAULT",
            "ALTER TABLE __diesel_schema_migrations DROP who",
        ),
        (
            "ALTER TABLE __diesel_schema_migrations ADD CHECK (version < '20300102')",
            "ALTER TABLE __diesel_schema_migrations DROP CONSTRAINT __diesel_schema_migrations_version_check",
        ),
    ] {
        let (_server, database) = tests::database();
        let mut theirs = with_index(&database);
        tests::run(&database, record);
        if record.contains("app") {
            theirs.database = Some(database.url().to_string().replace("postgres@", "app@"));
        }
        theirs.run(&["upgrade"]).refused(&[
            "2030-01-02-000000_index could not be recorded",
            "nothing was run",
        ]);
        assert!(holds(
            &database,
            "to_regclass('late') IS NULL AND to_regclass('__trueup_journal') IS NULL"
        ));
        assert!(theirs.run(&["status"]).with(1).stdout.contains("1 pending"));
        tests::run(&database, mend);
        theirs.run(&["upgrade"]).done();
        // A grant may be gone on the way back.
        if record.contains("app") {
            tests::run(
                &database,
                "REVOKE DELETE ON __diesel_schema_migrations FROM app",
            );
            theirs
                .run(&["downgrade"])
                .refused(&["could not be recorded", "nothing was run"]);
            assert!(holds(&database, APPLIED));
        }
    }
}

/// Whoever takes a migration's folder away while it runs leaves a database that nobody can go on from.
#[test]
fn no_file_is_rewritten_beside_a_run_or_after_one_that_was_cut_off() {
    let (_server, database) = tests::database();
    let project = with_index(&database);
    let before = project.folders();
    let rewriting: [&[&str]; 3] = [
        &["uncommit", "--yes", "--force"],
        &["squash", "base..head"],
        &["rebase", INDEX],
    ];
    let user = transaction(&database, "LOCK t IN ROW EXCLUSIVE MODE");
    let running = project.start(&["upgrade"]);
    until("it is at it", || holds(&database, INVALID));
    for command in rewriting {
        project
            .run(command)
            .refused(&["somebody else is applying migrations to this database"]);
    }
    drop(user);
    let _ = running.end().done();
    project.run(&["downgrade"]).done();
    cut_off(&project, &database, &["upgrade"]);
    for command in rewriting {
        project
            .run(command)
            .refused(&["a run of 20300102000000 was cut off", "no file was changed"]);
    }
    assert_eq!(project.folders(), before);
    project.run(&["upgrade"]).done();
    assert!(holds(&database, APPLIED));
    project.run(&["downgrade"]).done();
    project.run(rewriting[0]).done();
}

#[test]
fn what_a_filter_leaves_out_is_not_named() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.migration(
        "2030-01-01-000000_t",
        "CREATE TABLE t (n int);",
        "DROP TABLE t;",
    );
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE SCHEMA audit; CREATE TABLE audit.log (n int); INSERT INTO audit.log VALUES (1), (1);
         ALTER TABLE audit.log ADD CONSTRAINT low CHECK (n > 0) NOT VALID",
    );
    let mut connection = database.connect().expect("a connection");
    let made = connection.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY log_n ON audit.log (n)");
    assert!(made.is_err() && holds(&database, INVALID));
    for command in ["status", "doctor", "check"] {
        let ended = project.run(&[command]).with(1);
        assert!(ended.stdout.contains("index audit.log_n"), "{ended:?}");
    }
    let doctor = project.run(&["doctor"]).stdout;
    assert!(doctor.contains("constraint low of audit.log"), "{doctor}");
    for filter in [
        "exclude = ['audit.*', 'namespace audit']",
        "exclude = ['table audit.log', 'namespace audit']",
        "include = ['public.*']",
    ] {
        let _ = project.file("trueup.toml", &format!("{filter}\n"));
        for command in ["status", "doctor", "check", "health"] {
            let ended = project.run(&[command]);
            assert!(
                !ended.stdout.contains("log_n") && !ended.stdout.contains("constraint low"),
                "{filter}, {command}: {ended:?}"
            );
        }
        assert!(
            project.run(&["status"]).done().contains("in order"),
            "{filter}"
        );
    }
}
