//! Servers that end, do not start or go away.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    process::Command,
    thread,
};

use diesel::connection::SimpleConnection;
use generator::postgres::{connection::connect, url::Url};
use rustix::process::Signal;
use tests::checkout::until;

use super::{
    checkout, done_or_refused, kill, moments, mounting, pid_file, small_cache, swept, took,
    undrafted, url_folder, whole,
};

#[test]
fn a_scratch_that_is_killed_is_an_error_and_no_migration() {
    let project = undrafted();
    let took = took(&project, &["autogen", "x", "--dry-run"]);
    let before = whole(&project);
    let mut refused = 0;
    let mut started = Vec::new();
    for moment in moments(6) {
        let autogen = project.start(&["autogen", "x"]);
        started.push(autogen.id());
        until("its scratch is there", || pid_file(&autogen).is_some());
        let pid_file = pid_file(&autogen).expect("a server");
        thread::sleep(took.mul_f64(moment / 2.0));
        if pid_file.exists() {
            kill(&pid_file, Signal::KILL);
        }
        if done_or_refused(autogen.end(), &["the scratch server"]) {
            fs::remove_dir_all(project.newest()).expect("removed");
        } else {
            refused += 1;
        }
        assert_eq!(whole(&project), before);
    }
    assert!(refused > 0);
    project.run(&["autogen", "x"]).done();
    swept(&started);
}

/// The server ends in the middle of a migration that is replayed: that is no fault of the migration's.
#[test]
fn a_scratch_that_ends_in_a_replay_is_called_so() {
    for whom in ["$PPID", "$(head -n 1 postmaster.pid)"] {
        let project = checkout().shipped();
        let up = format!("COPY (SELECT 1) TO PROGRAM 'kill -9 {whom}'; SELECT pg_sleep(60);");
        project.migration("2030-01-01-000000_end", &up, "SELECT 1;");
        for command in [&["autogen", "x"][..], &["check"]] {
            let said = project
                .run(command)
                .refused(&["error:", "the scratch server", "hint:"]);
            assert!(!said.contains("mend that migration"), "{said}");
        }
    }
}

#[test]
fn a_live_server_that_goes_away_is_named() {
    let project = undrafted();
    let before = whole(&project);
    let (_server, database) = tests::database();
    let took = {
        let project = undrafted().on(&database);
        project.run(&["upgrade"]).done();
        took(&project, &["autogen", "x", "--dry-run"])
    };
    drop(database);
    for command in [
        &["autogen", "x"][..],
        &["check"],
        &["diff", "--from", "database", "--to", "models"],
    ] {
        for moment in moments(3) {
            let (_server, database) = tests::database();
            let mut project = undrafted().on(&database);
            project.run(&["upgrade"]).done();
            let url = project.database.take().expect("a URL");
            let folder = url_folder(&url);
            project.database = Some(url);
            let running = project.start(command);
            thread::sleep(took.mul_f64(moment / 2.0));
            kill(&folder.join("data/postmaster.pid"), Signal::QUIT);
            let ended = running.end();
            let differs = ended.code == Some(1) && command[0] != "autogen";
            if !differs && !done_or_refused(ended, &["postgres://postgres@"]) {
                assert_eq!(whole(&project), before);
            }
        }
    }
}

#[test]
fn a_pristine_cluster_that_is_broken_is_made_anew() {
    let breaks = [
        "echo nonsense > $cluster/postgresql.conf",
        "rm $cluster/PG_VERSION",
        "rm -r $cluster/base",
        ": > $cluster/global/pg_control",
    ];
    for broken in breaks {
        let mounts = format!(
            "{}; \"$0\" \"$@\" >/dev/null; cluster=$(echo $CACHE/pristine-*); {broken}; ls -d $CACHE/pristine-* >&2",
            small_cache(400)
        );
        let mut project = undrafted();
        if !mounting(&mut project, &mounts) {
            return;
        }
        let said = project.run(&["autogen", "x", "--dry-run"]).done();
        assert!(said.contains("ADD COLUMN active"), "{broken}: {said}");
    }
}

#[test]
fn an_embedded_database_that_does_not_start_says_where_and_why() {
    let project = undrafted();
    project.run(&["upgrade"]).done();
    let settings = project.path().join(".trueup/data/postgresql.conf");
    let good = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, format!("{good}\nwork_mem = 'much'\n")).expect("settings");
    project
        .run(&["status"])
        .refused(&["does not start", "work_mem", ".trueup/data", "hint:"]);
    fs::write(&settings, good).expect("settings");
    project.run(&["current"]).done();
}

/// A server says in its own language why it refuses something.
#[test]
fn a_server_may_speak_any_language() {
    let locales = tempfile::tempdir().expect("a folder");
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(locales.path(), open).expect("a mode");
    let made = Command::new("localedef")
        .args(["-i", "de_DE", "-f", "UTF-8"])
        .arg(locales.path().join("de_DE.UTF-8"))
        .output();
    let mut own = checkout().shipped();
    own.environment = vec![("LOCPATH", locales.path().display().to_string().leak())];
    own.run(&["db", "start"]).done();
    let url = Url::parse(own.run(&["db", "url"]).done().trim()).expect("a URL");
    let mut session = connect(&url).expect("a connection");
    let mut spoken = Ok(());
    // Each stands alone: ALTER SYSTEM takes no transaction, not even that of two statements in one message.
    for sql in [
        "SET lc_messages = 'de_DE.UTF-8'",
        "ALTER SYSTEM SET lc_messages = 'de_DE.UTF-8'",
        "SELECT pg_reload_conf()",
    ] {
        spoken = spoken.and_then(|()| session.batch_execute(sql));
    }
    let said = session.batch_execute("SELECT 1 / 0").expect_err("an error");
    if !said.to_string().contains("Division durch Null") {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: this machine has no German: {made:?}, {spoken:?}"
        );
        own.run(&["db", "stop"]).done();
        return;
    }
    spoken.expect("German");
    let mut shop = checkout().shipped();
    shop.database = Some(url.with_database("laden").to_string());
    fs::create_dir_all(shop.path().join("fixtures/seeds")).expect("a folder");
    let _ = shop.file("fixtures/seeds/a.sql", "VACUUM users;\n");
    until("it speaks German", || {
        let said = shop.run(&["current"]).with(2).stderr;
        said.contains("existiert nicht")
    });
    let said = shop.run(&["db", "drop", "--yes"]).done();
    assert!(said.contains("it is not there"), "{said}");
    assert!(
        shop.run(&["init"])
            .done()
            .ends_with("1 seed for development\n")
    );
    shop.run(&["db", "reset", "--yes"]).done();
    shop.run(&["db", "recreate", "--yes"]).done();
    // One that is there and refuses is no missing one.
    session
        .batch_execute("ALTER DATABASE laden ALLOW_CONNECTIONS false")
        .expect("altered");
    for command in ["create", "drop", "recreate"] {
        shop.run(&["db", command, "--yes"])
            .refused(&["cannot connect to"]);
    }
    drop(session);
    own.run(&["db", "stop"]).done();
}
