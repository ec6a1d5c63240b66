//! Signals, and the programs that a command has started: they end with it, and what is said of them is so.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use diesel::PgConnection;
use generator::postgres::{binaries::Binaries, scratch::Database};
use rustix::process::{Pid, Signal, kill_process};
use tests::checkout::{Checkout, until};

use super::{checkout, holds, undrafted};

/// The signals that end a command in order, and how a shell tells of each.
const SIGNALS: [(Signal, i32, &str); 3] = [
    (Signal::INT, 130, "interrupted: "),
    (Signal::TERM, 143, "terminated: "),
    (Signal::HUP, 129, "hung up: "),
];

/// A project with a table that somebody else holds, so that whatever needs it waits.
fn held(database: &Database) -> (Checkout, PgConnection) {
    let project = checkout().shipped().on(database);
    let up = "CREATE TABLE kept (a int); INSERT INTO kept VALUES (1);";
    project.migration("2030-01-01-000000_kept", up, "DROP TABLE kept;");
    project.run(&["upgrade"]).done();
    project.run(&["backup", "whole.dump"]).done();
    tests::run(database, "UPDATE kept SET a = 2");
    let mut holder = database.connect().expect("a connection");
    hold(&mut holder);
    (project, holder)
}

fn hold(holder: &mut PgConnection) {
    use diesel::connection::SimpleConnection;
    holder
        .batch_execute("BEGIN; LOCK TABLE kept IN ACCESS EXCLUSIVE MODE")
        .expect("a lock");
}

fn release(holder: &mut PgConnection) {
    use diesel::connection::SimpleConnection;
    holder.batch_execute("ROLLBACK").expect("released");
}

/// True while somebody waits for the table.
const WAITS: &str =
    "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'kept'::regclass)";

/// The processes whose arguments tell of a file or folder.
fn processes_with(what: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_it = |number: &u32| {
        let arguments = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(what)
    };
    numbers
        .filter(|number| *number != std::process::id())
        .filter(is_it)
        .collect()
}

fn kill_all(numbers: &[u32]) {
    for number in numbers {
        let pid = i32::try_from(*number).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid"), Signal::KILL).expect("a process");
    }
}

const RESTORE: [&str; 4] = ["restore", "whole.dump", "--over", "--yes"];

#[test]
fn a_restore_that_a_signal_ends_is_not_committed_later() {
    let (_server, database) = tests::database();
    let (project, mut holder) = held(&database);
    for (signal, code, how) in SIGNALS {
        let restore = project.start(&RESTORE);
        until("pg_restore waits", || holds(&database, WAITS));
        restore.tell(signal);
        let ended = restore.end().with(code);
        assert!(ended.stderr.contains(how), "{ended:?}");
        assert!(ended.stderr.contains("nothing was restored"), "{ended:?}");
        assert!(
            !holds(&database, WAITS),
            "{signal:?}: its session is still there"
        );
        release(&mut holder);
        assert!(holds(&database, "(SELECT a = 2 FROM kept)"), "{signal:?}");
        hold(&mut holder);
    }
    release(&mut holder);
    project.run(&RESTORE).done();
    assert!(holds(&database, "(SELECT a = 1 FROM kept)"));
}

/// The migrations that follow would be recorded beside a backup that has none of those before them.
#[test]
fn nothing_is_restored_under_a_running_upgrade() {
    let (_server, database) = tests::database();
    let (project, mut holder) = held(&database);
    project.migration("2030-01-02-000000_a", "CREATE TABLE a ();", "DROP TABLE a;");
    project.migration(
        "2030-01-03-000000_b",
        "ALTER TABLE kept ADD b int;",
        "ALTER TABLE kept DROP b;",
    );
    let upgrade = project.start(&["upgrade", "--lock-timeout", "0"]);
    let waits = "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'trueup' AND wait_event_type = 'Lock')";
    until("it waits", || holds(&database, waits));
    project
        .run(&RESTORE)
        .refused(&["somebody else is applying migrations to this database"]);
    release(&mut holder);
    let _ = upgrade.end().done();
    hold(&mut holder);
    // Nor is anything applied under a restore.
    let restore = project.start(&RESTORE);
    until("pg_restore waits", || holds(&database, WAITS));
    project
        .run(&["upgrade"])
        .refused(&["somebody else is applying migrations to this database"]);
    release(&mut holder);
    let _ = restore.end().done();
}

#[test]
fn a_restore_whose_program_is_killed_says_what_is_so() {
    let (_server, database) = tests::database();
    let (project, mut holder) = held(&database);
    let restore = project.start(&RESTORE);
    until("pg_restore waits", || holds(&database, WAITS));
    let programs = processes_with("--single-transaction");
    let ours = programs
        .iter()
        .filter(|number| is_child(**number, restore.id()));
    kill_all(&ours.copied().collect::<Vec<_>>());
    restore
        .end()
        .refused(&["pg_restore failed: signal: 9", "nothing was restored"]);
    release(&mut holder);
    assert!(holds(&database, "(SELECT a = 2 FROM kept)"));
}

fn is_child(number: u32, of: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
    status.contains(&format!("\nPPid:\t{of}\n"))
}

#[test]
fn a_restore_that_is_killed_takes_its_program_along() {
    let (_server, database) = tests::database();
    let (project, mut holder) = held(&database);
    let restore = project.start(&RESTORE);
    until("pg_restore waits", || holds(&database, WAITS));
    let id = restore.id();
    let programs = processes_with("--single-transaction");
    let ours: Vec<_> = programs
        .into_iter()
        .filter(|number| is_child(*number, id))
        .collect();
    assert_eq!(ours.len(), 1);
    restore.kill();
    until("pg_restore is gone", || {
        !Path::new(&format!("/proc/{}", ours[0])).exists()
    });
    until("its session is gone", || !holds(&database, WAITS));
    release(&mut holder);
    assert!(holds(&database, "(SELECT a = 2 FROM kept)"));
}

/// A folder with a program of Postgres' in front of the real one.
fn program(project: &mut Checkout, name: &str, script: &str) {
    let binaries = Binaries::find(None);
    let major = binaries.server(None).expect("a server").major;
    let real = binaries
        .pg_dump(major)
        .expect("pg_dump")
        .with_file_name(name)
        .display()
        .to_string();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*|*--list*) exec {real} \"$@\";; esac\n{}",
        script.replace("$real", &real)
    );
    project.program(name, &script);
}

#[test]
fn a_restore_that_had_committed_is_not_said_to_be_undone() {
    let (_server, database) = tests::database();
    let (mut project, mut holder) = held(&database);
    release(&mut holder);
    program(
        &mut project,
        "pg_restore",
        "$real \"$@\"; echo done > committed; sleep 1000",
    );
    let restore = project.start(&RESTORE);
    until("it has committed", || {
        project.path().join("committed").exists()
    });
    restore.tell(Signal::TERM);
    let ended = restore.end().with(143);
    assert!(ended.stderr.contains("had committed"), "{ended:?}");
    assert!(holds(&database, "(SELECT a = 1 FROM kept)"));
    assert_eq!(
        processes_with(&project.path().display().to_string()),
        Vec::<u32>::new()
    );
}

/// The files in the project's folder of backups.
fn backups(project: &Checkout) -> Vec<String> {
    let entries = fs::read_dir(project.path().join("backups"))
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_that_is_ended_leaves_nothing_but_what_the_next_one_sweeps() {
    let (_server, database) = tests::database();
    let (project, mut holder) = held(&database);
    for (signal, code, how) in SIGNALS {
        let backup = project.start(&["backup"]);
        until("pg_dump waits", || holds(&database, WAITS));
        backup.tell(signal);
        let ended = backup.end().with(code);
        assert!(ended.stderr.contains(how), "{ended:?}");
        assert!(ended.stderr.contains(".dump was not written"), "{ended:?}");
        assert_eq!(backups(&project), [".gitignore"]);
        until("its session is gone", || !holds(&database, WAITS));
    }
    let backup = project.start(&["backup"]);
    until("pg_dump waits", || holds(&database, WAITS));
    let id = backup.id();
    let programs = processes_with("--format=custom").into_iter();
    kill_all(
        &programs
            .filter(|number| is_child(*number, id))
            .collect::<Vec<_>>(),
    );
    backup
        .end()
        .refused(&["pg_dump failed: signal: 9", ".dump was not written"]);
    assert_eq!(backups(&project), [".gitignore"]);

    let backup = project.start(&["backup"]);
    until("pg_dump waits", || holds(&database, WAITS));
    backup.kill();
    until("its session is gone", || !holds(&database, WAITS));
    assert_eq!(backups(&project).len(), 2);
    fs::write(project.path().join("backups/.gitignore"), "").expect("a file");
    release(&mut holder);
    project.run(&["backup"]).done();
    let left = backups(&project);
    assert!(left.len() == 2 && left[1].contains(".dump"), "{left:?}");
    let ignored = fs::read_to_string(project.path().join("backups/.gitignore"));
    assert_eq!(ignored.expect("a file"), "*\n");
}

#[test]
fn whatever_a_command_has_started_ends_with_it() {
    let commands: [(&str, &[&str]); 4] = [
        ("pg_dump", &["backup"]),
        ("pg_dump", &["autogen", "x"]),
        ("pg_dump", &["diff", "--from", "database", "--to", "models"]),
        ("psql", &["db", "psql"]),
    ];
    for (name, command) in commands {
        for (signal, code, how) in SIGNALS {
            let talks_itself = name == "psql" && signal == Signal::INT;
            if talks_itself {
                continue;
            }
            let (_server, database) = tests::database();
            let mut project = undrafted().on(&database);
            project.run(&["upgrade"]).done();
            // An object that no kind reads has to be copied.
            tests::run(
                &database,
                "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int)",
            );
            let before = project.folders();
            // One of them does not listen.
            let deaf = "trap '' TERM; sleep 1000 & wait; sleep 1000";
            let is_deaf = name != "psql" && signal == Signal::HUP;
            let hangs = if is_deaf { deaf } else { "exec sleep 1000" };
            program(&mut project, name, &format!("echo $$ > started; {hangs}"));
            let started = project.path().join("started");
            let running = project.start(command);
            until("the program is there", || {
                fs::read_to_string(&started).is_ok_and(|text| text.ends_with('\n'))
            });
            let number = fs::read_to_string(&started).expect("a number");
            running.tell(signal);
            let ended = running.end().with(code);
            assert!(ended.stderr.contains(how), "{command:?}: {ended:?}");
            let process = Path::new("/proc").join(number.trim());
            assert!(!process.exists(), "{command:?} {signal:?}: {name} goes on");
            assert_eq!(project.folders(), before, "{command:?} {signal:?}");
        }
    }
}

#[test]
fn programs_that_hang_are_named() {
    let mut project = undrafted();
    let folder = project.path().join("bin");
    for name in ["initdb", "postgres"] {
        let _ = fs::remove_dir_all(&folder);
        project.program(name, "#!/bin/sh\nsleep 1000");
        fs::rename(folder.join(name), project.path().join(name)).expect("moved");
    }
    for name in ["initdb", "postgres"] {
        fs::rename(project.path().join(name), folder.join(name)).expect("moved");
    }
    let begun = Instant::now();
    let said = project.run(&["check"]);
    assert!(
        said.stderr
            .contains("bin/postgres --version: it did not answer within 5 s"),
        "{said:?}"
    );
    assert!(said.code == Some(1), "another server is there: {said:?}");
    assert!(begun.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_git_that_hangs_is_named() {
    let mut project = checkout().shipped();
    project.program("git", "#!/bin/sh\nsleep 1000");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}/bin:{path}", project.path().display());
    project.environment = vec![("PATH", path.leak())];
    let uncommit = project.start(&["uncommit"]);
    thread::sleep(Duration::from_secs(7));
    uncommit.tell(Signal::TERM);
    let ended = uncommit.end().with(143);
    assert!(
        ended.stderr.contains("waiting for git (process "),
        "{ended:?}"
    );
}

#[test]
fn a_client_of_postgres_that_says_nothing_is_named() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    project.run(&["backup", "shop.dump"]).done();
    let mut connection = database.connect().expect("a connection");
    let major = generator::postgres::connection::server_version(&mut connection)
        .expect("a version")
        / 10_000;
    for (name, command) in [
        ("pg_dump", &["backup", "other.dump"][..]),
        ("pg_restore", &["restore", "shop.dump"]),
    ] {
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *--version*) echo '{name} (PostgreSQL) {major}.0'; exit;; *--list*) exit;; esac\n\
             echo '{name}: reading schemas' >&2; sleep 1000"
        );
        let _ = fs::remove_dir_all(project.path().join("bin"));
        project.program(name, &script);
        let running = project.start(command);
        thread::sleep(Duration::from_secs(7));
        running.tell(Signal::TERM);
        let ended = running.end().with(143);
        let words = format!("waiting for {name} (process ");
        assert!(
            ended.stderr.contains(&words) && ended.stderr.contains("reading schemas"),
            "{ended:?}"
        );
    }
}

/// Makes something of a name.
type Make = fn(&Path);

#[test]
fn what_is_no_file_is_named_and_not_waited_for() {
    let make: [(&str, Make); 3] = [
        ("a pipe (FIFO)", |path| {
            let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
            assert!(made.success());
        }),
        ("a device", |path| {
            std::os::unix::fs::symlink("/dev/zero", path).expect("a link");
        }),
        ("a folder", |path| fs::create_dir(path).expect("a folder")),
    ];
    let (_server, database) = tests::database();
    for (what, make) in make {
        for file in ["up.sql", "down.sql", "metadata.toml"] {
            let project = checkout().shipped().on(&database);
            project.migration("2030-01-01-000000_x", "SELECT 1;", "SELECT 1;");
            let path = project
                .path()
                .join("migrations/2030-01-01-000000_x")
                .join(file);
            let _ = fs::remove_file(&path);
            make(&path);
            for command in [&["status"][..], &["upgrade"], &["check"]] {
                project
                    .run(command)
                    .refused(&["2030-01-01-000000_x", file, what, "hint:"]);
            }
        }
        let project = checkout().shipped().on(&database);
        let path = project.path().join("x.sql");
        make(&path);
        let from = ["diff", "--from", "x.sql", "--to", "migrations"];
        project.run(&from).refused(&["x.sql", what]);
        let to = ["diff", "--from", "migrations", "--to", "x.sql"];
        project.run(&to).refused(&["x.sql", what]);
        if what != "a folder" {
            project.run(&["restore", "x.sql"]).refused(&["x.sql", what]);
            fs::create_dir_all(project.path().join("fixtures/seeds")).expect("a folder");
            make(&project.path().join("fixtures/seeds/010_x.sql"));
            project.run(&["seed"]).refused(&["010_x.sql", what]);
        }
        let _ = project.file("trueup.toml", "[scratch]\nprelude = 'x.sql'\n");
        for command in [
            &["check"][..],
            &["diff", "--from", "migrations", "--to", "models"],
        ] {
            project.run(command).refused(&["x.sql", what]);
        }
        let project = checkout().shipped();
        for file in ["trueup.toml", "diesel.toml", ".env"] {
            let path = project.path().join(file);
            make(&path);
            project.run(&["history"]).refused(&[file, what]);
            let removed = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            removed.expect("removed");
        }
    }
}

#[test]
fn whoever_reads_the_migrations_sweeps_what_was_left() {
    let project = checkout().shipped();
    let left = project.path().join("migrations/.trueup-unfinished-x");
    for command in [&["history"][..], &["upgrade"]] {
        project.run(&["history"]).done();
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join("up.sql"), "half").expect("a file");
        // Nobody wrote there yet: then nobody can be at it either.
        let _ = project.file("migrations/.diesel_lock", "");
        project.run(command).done();
        assert!(!left.exists(), "{command:?}");
    }
}
