//! Surroundings of a run: poolers, crashes, read-only servers, missing rights and full disks.

use std::{
    fs,
    io::{self, Write},
    process::Command,
};

use diesel::connection::SimpleConnection;
use generator::postgres::{scratch::Database, url::Url};
use serde_json::Value;
use tests::{
    checkout::{Checkout, until},
    pooler::{Mode, Pooler},
};

use crate::checkout;

fn holds(database: &Database, condition: &str) -> bool {
    tests::holds(&mut database.connect().expect("a connection"), condition)
}

/// The same project, with another URL for its database.
fn at(project: &Checkout, url: &Url, arguments: &[&str]) -> tests::checkout::Ended {
    let url = url.as_secret_str().to_owned();
    project.run(&[arguments, &["--database-url", &url]].concat())
}

#[test]
fn a_pooler_that_hands_sessions_on_is_refused_before_anything_is_done() {
    let (_server, database) = tests::database();
    let project = checkout().shipped();
    let pooler = Pooler::start(&database, Mode::Transaction);
    let url = pooler.url(&database);
    for command in [
        &["upgrade"][..],
        &["upgrade", "--dry-run"],
        &["downgrade"],
        &["redo"],
        &["stamp", "head"],
    ] {
        at(&project, &url, command).refused(&["pooler", "the server itself", "session mode"]);
    }
    assert!(holds(
        &database,
        "to_regclass('users') IS NULL AND to_regclass('__diesel_schema_migrations') IS NULL
         AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')"
    ));
    let doctor = at(&project, &url, &["doctor"]).with(1).stdout;
    assert!(doctor.contains("a pooler in transaction mode"), "{doctor}");
    // A command that only reads needs no session.
    let status = at(&project, &url, &["status"]).with(1).stdout;
    assert!(status.contains("1 pending"), "{status}");
    at(&project, &url, &["check"]).with(1);

    let pooler = Pooler::start(&database, Mode::Session);
    let url = pooler.url(&database);
    at(&project, &url, &["upgrade"]).done();
    at(&project, &url, &["check"]).done();
}

#[test]
fn a_url_that_leads_to_another_server_now_is_believed() {
    let (_one, first) = tests::database();
    let (_other, second) = tests::database();
    assert_eq!(first.name(), second.name());
    let project = checkout().shipped();
    let pooler = Pooler::start(&first, Mode::Session);
    let url = pooler.url(&first);
    at(&project, &url, &["upgrade"]).done();
    at(&project, &url, &["check"]).done();

    pooler.lead_to(&second);
    let status = at(&project, &url, &["status"]).with(1).stdout;
    assert!(status.contains("1 pending"), "{status}");
    let check = at(&project, &url, &["check"]).with(1).stdout;
    assert!(check.contains("pending  1 migration"), "{check}");
    // It has the record and not the tables: what was known of the first one does not count.
    at(&project, &url, &["stamp", "head"]).done();
    let check = at(&project, &url, &["check"]).with(1).stdout;
    assert!(
        check.contains("in the migrations only  table public.users"),
        "{check}"
    );
    assert!(holds(&second, "to_regclass('users') IS NULL"));
}

#[test]
fn a_server_that_crashes_leaves_whole_migrations() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    for number in 1..=2 {
        let up = format!(
            "CREATE TABLE a{number} (); SELECT pg_advisory_xact_lock({number}); CREATE TABLE b{number} ();"
        );
        let down = format!("DROP TABLE a{number}, b{number};");
        project.migration(&format!("2030-01-0{number}-000000_step"), &up, &down);
    }
    // A scratch need not keep what a crash may take; here it is to be like a database that one cares for.
    tests::run(
        &database,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$",
    );
    let mut gate = database.connect().expect("a connection");
    gate.batch_execute("SELECT pg_advisory_lock(2)")
        .expect("a lock");
    let upgrade = project.start(&["upgrade"]);
    until("the second one waits", || {
        holds(
            &database,
            "EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory')",
        )
    });
    // Whatever process of a server is killed, all sessions end, and it begins anew from what is on the disk.
    let mut crash = database.connect().expect("a connection");
    let _ = crash.batch_execute(
        "DO $$ BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'kill -9 ' || pg_backend_pid()); END $$",
    );
    upgrade
        .end()
        .refused(&["2030-01-02-000000_step", "2030-01-01-000000_step"]);
    until("the server is back", || database.connect().is_ok());
    assert!(holds(
        &database,
        "to_regclass('b1') IS NOT NULL AND to_regclass('a2') IS NULL
         AND (SELECT max(version) = '20300101000000' FROM __diesel_schema_migrations)"
    ));
    let said = project.run(&["upgrade"]).done();
    assert!(
        said.starts_with("applied  2030-01-02-000000_step"),
        "{said}"
    );
}

#[test]
fn what_goes_wrong_at_the_commit_is_told_as_that() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let up = "CREATE TABLE one (id integer PRIMARY KEY, other integer REFERENCES one DEFERRABLE INITIALLY DEFERRED);
              INSERT INTO one VALUES (1, 2);";
    project.migration("2030-01-01-000000_one", up, "DROP TABLE one;");
    let said = project
        .run(&["upgrade"])
        .refused(&["could not be committed", "one_other_fkey"]);
    assert!(!said.contains("__diesel_schema_migrations"), "{said}");
    assert!(holds(&database, "to_regclass('one') IS NULL"));

    let up = "CREATE TABLE one ();
              CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql
                  AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
              CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON one DEFERRABLE INITIALLY DEFERRED
                  FOR EACH ROW EXECUTE FUNCTION gone();
              INSERT INTO one DEFAULT VALUES;";
    project.migration("2030-01-01-000000_one", up, "DROP TABLE one;");
    project.run(&["upgrade"]).refused(&[
        "the connection was lost at the end of 2030-01-01-000000_one",
        "`trueup status`",
    ]);
    assert!(holds(&database, "to_regclass('one') IS NULL"));
}

#[test]
fn a_server_that_takes_no_writes_can_be_looked_at() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    project.migration(
        "2030-01-01-000000_more",
        "CREATE TABLE more ();",
        "DROP TABLE more;",
    );
    tests::run(
        &database,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$",
    );
    for command in [&["upgrade"][..], &["downgrade"], &["stamp", "head"]] {
        project
            .run(command)
            .refused(&["takes no writes", "its transactions are read-only"]);
    }
    let status = project.run(&["status"]).with(1).stdout;
    assert!(status.contains("1 pending"), "{status}");
    let doctor = project.run(&["doctor"]).with(1).stdout;
    assert!(doctor.contains("the server takes no writes"), "{doctor}");
    fs::remove_dir_all(project.newest()).expect("a folder");
    project.run(&["check"]).done();
    project.run(&["autogen", "nothing"]).done();
}

#[test]
fn who_may_make_no_database_is_told_what_is_missing() {
    let (_server, database) = tests::database();
    tests::run(&database, "CREATE ROLE modest LOGIN");
    let project = checkout().shipped();
    let url = database.url().to_string().replace("postgres@", "modest@");
    let url = Url::parse(&url).expect("a URL");
    let missing = url.with_database("missing");
    for command in [&["init"][..], &["db", "create"], &["db", "recreate"]] {
        at(&project, &missing, command).refused(&["permission denied", "CREATEDB"]);
    }
    let scratch = url.as_secret_str().to_owned();
    project
        .run(&["check", "--scratch-url", &scratch])
        .refused(&["permission denied", "CREATEDB"]);
    let doctor = at(&project, &url, &["doctor", "--format", "json"]).stdout;
    let doctor: Value = serde_json::from_str(&doctor).expect("JSON");
    assert_eq!(doctor["database"]["Ok"]["may_create_databases"], false);
}

#[test]
fn a_backup_that_the_disk_has_no_room_for_leaves_no_file() {
    let (server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE TABLE noise AS SELECT md5(n::text) FROM generate_series(1, 20000) n",
    );
    let major = server.scratch(None).expect("a server").major();
    let pg_dump = server.binaries.pg_dump(major).expect("pg_dump");
    let script = format!(
        "#!/bin/sh\nulimit -f 16\nexec '{}' \"$@\"\n",
        pg_dump.display()
    );
    project.program("pg_dump", &script);

    project
        .run(&["backup", "shop.dump"])
        .refused(&["pg_dump failed", "shop.dump was not written"]);
    project.migration(
        "2030-01-01-000000_more",
        "CREATE TABLE more ();",
        "DROP TABLE more;",
    );
    project
        .run(&["upgrade", "--backup"])
        .refused(&["pg_dump failed"]);
    let left = fs::read_dir(project.path()).expect("a folder");
    let left = left.chain(fs::read_dir(project.path().join("backups")).expect("a folder"));
    let names = left.map(|entry| entry.expect("an entry").file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().contains("dump"))
    );
    // Without the backup that was asked for, nothing is applied.
    assert!(holds(&database, "to_regclass('more') IS NULL"));
}

#[test]
fn a_beginning_that_fits_two_versions_is_asked_back() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    for day in 1..=2 {
        let name = format!("2030-01-0{day}-000000_day");
        project.migration(
            &name,
            &format!("CREATE TABLE d{day} ();"),
            &format!("DROP TABLE d{day};"),
        );
    }
    project.run(&["upgrade"]).done();
    let names = ["2030-01-01-000000_day", "2030-01-02-000000_day"];
    for command in [
        "upgrade",
        "downgrade",
        "stamp",
        "show",
        "uncommit",
        "rebase",
    ] {
        let said = project
            .run(&[command, "2030-01"])
            .refused(&["may be any of"]);
        assert!(names.iter().all(|name| said.contains(name)), "{said}");
    }
    project
        .run(&["squash", "base..2030-01"])
        .refused(&["may be any of"]);
}

#[test]
fn an_edit_of_the_newest_is_seen_where_it_was_applied() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    let up = project.newest().join("up.sql");
    let before = fs::read_to_string(&up).expect("a file");
    let name = project.folders().remove(0);
    fs::write(&up, format!("{before}-- edited\n")).expect("a file");

    let status = project.run(&["status", "--format", "json"]).with(1).stdout;
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["edited"], serde_json::json!([name]));
    let check = project.run(&["check"]).with(1).stdout;
    let words = format!("{name}/up.sql was edited after it was applied to the database");
    assert!(check.contains(&words), "{check}");
    let upgrade = project.run(&["upgrade"]).with(0);
    assert!(upgrade.stderr.contains(&words), "{upgrade:?}");
    // Git may change the ends of lines.
    fs::write(&up, before.replace('\n', "\r\n")).expect("a file");
    project.run(&["status"]).done();

    // Applied anew it is what it is now, by whomever.
    fs::write(&up, format!("{before}-- edited\n")).expect("a file");
    project.run(&["redo"]).done();
    let said = project.run(&["status"]).with(1).stdout;
    assert!(said.ends_with("\n1 edited since proved\n"), "{said}");
    tests::run(
        &database,
        "DELETE FROM __diesel_schema_migrations; INSERT INTO __diesel_schema_migrations (version) VALUES ('202611211029150000')",
    );
    fs::write(&up, before).expect("a file");
    project.run(&["status"]).done();
    project.run(&["stamp", "base"]).done();
    project.run(&["stamp", "head"]).done();
    fs::write(&up, "SELECT 1;").expect("a file");
    project.run(&["status"]).with(1);
}

#[test]
fn colours_are_for_whoever_wants_them() {
    let project = checkout().shipped();
    let coloured = |project: &Checkout, arguments: &[&str]| {
        let arguments = [&["check"], arguments].concat();
        let ended = project.run(&arguments).with(0);
        (ended.stdout + &ended.stderr).contains('\u{1b}')
    };
    assert!(!coloured(&project, &[]), "a pipe");
    assert!(coloured(&project, &["--color", "always"]));
    assert!(!coloured(&project, &["--color", "never"]));

    // A terminal, which `script` makes, has them unless somebody objects.
    if Command::new("script").arg("--version").output().is_err() {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: there is no `script` to make a terminal"
        );
        return;
    }
    let on_a_terminal = |environment: &[(&'static str, &'static str)], more: &str| {
        let mut project = checkout().shipped();
        project.environment = environment.to_vec();
        let command = format!("TERM=xterm script -qec \"$0 check {more}\" /dev/null");
        project.by = ["sh", "-c", &command].map(str::to_owned).to_vec();
        let ended = project.run(&[]).with(0);
        ended.stdout.contains('\u{1b}')
    };
    assert!(on_a_terminal(&[], ""));
    assert!(!on_a_terminal(&[("NO_COLOR", "1")], ""));
    assert!(!on_a_terminal(&[], "--color never"));
    assert!(on_a_terminal(&[("NO_COLOR", "1")], "--color always"));
}
