//! Two at once, and Ctrl-C: what is done is done once and whole, or not at all.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use diesel::PgConnection;
use generator::postgres::{connection::connect, scratch::Database, url::Url};
use tests::checkout::{Checkout, until};

use crate::checkout;

/// Waits for a lock that the test holds, so that it ends when the test says so.
const HELD: (&str, &str, &str) = (
    "2030-01-01-000000_held",
    "CREATE TABLE held (); SELECT pg_advisory_xact_lock(1);",
    "DROP TABLE held;",
);

/// A database on which [`HELD`] waits, and the session that makes it wait.
fn holding(database: &Database) -> PgConnection {
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "pg_advisory_lock(1) IS NOT NULL"
    ));
    connection
}

/// True if this many sessions of trueup are in a state.
fn sessions(connection: &mut PgConnection, number: usize, state: &str) -> bool {
    let query = format!(
        "(SELECT count(*) = {number} FROM pg_stat_activity WHERE datname = current_database() \
         AND pid <> pg_backend_pid() AND {state})"
    );
    tests::holds(connection, &query)
}

const WAITS: &str = "wait_event = 'advisory'";

/// One that waits until another process of trueup is done.
const TRIES: &str = "query LIKE '%pg_try_advisory_lock%' AND application_name = 'trueup'";

fn release(connection: &mut PgConnection) {
    assert!(tests::holds(connection, "pg_advisory_unlock(1)"));
}

#[test]
fn two_upgrades_apply_once() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration(HELD.0, HELD.1, HELD.2);
    let mut connection = holding(&database);

    let one = project.start(&["upgrade"]);
    until("the first upgrade is at it", || {
        sessions(&mut connection, 1, WAITS)
    });
    let other = project.start(&["upgrade"]);
    until("the second one waits for the first", || {
        sessions(&mut connection, 1, TRIES)
    });
    release(&mut connection);

    let (one, other) = (one.end().done(), other.end().done());
    assert!(one.contains(&format!("applied  {}", HELD.0)), "{one}");
    assert!(other.contains("nothing to apply"), "{other}");
    assert!(project.run(&["current"]).done().contains("(head)"));
}

#[test]
fn an_upgrade_that_is_interrupted_applies_nothing_of_it() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration(HELD.0, HELD.1, HELD.2);
    let mut connection = holding(&database);

    let mut upgrade = project.start(&["upgrade"]);
    until("the upgrade waits", || sessions(&mut connection, 1, WAITS));
    upgrade.interrupt();
    let ended = upgrade.end().with(130);
    assert!(ended.stderr.contains("rolled back"), "{ended:?}");
    assert_eq!(ended.stdout, "");

    // It still waits for the lock: its end must not depend on getting it.
    until("its session is gone", || {
        sessions(&mut connection, 0, "application_name = 'trueup'")
    });
    assert!(tests::holds(&mut connection, "to_regclass('held') IS NULL"));
    let current = project.run(&["current"]).done();
    assert!(
        current.contains(&format!("pending: {}", HELD.0)),
        "{current}"
    );
    release(&mut connection);
    assert!(project.run(&["upgrade"]).done().contains(HELD.0));
}

#[test]
fn an_upgrade_of_the_embedded_database_ends_it_when_interrupted() {
    let project = checkout().shipped();
    let gate = Gate::new(&project);
    let mut upgrade = project.start(&["upgrade"]);
    let mut inside = gate.arrived(1).remove(0);
    upgrade.interrupt();
    upgrade.end().with(130);

    assert!(connect(&inside.url).is_err());
    assert!(!inside.is_served());
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
    gate.open();
    let said = project.run(&["upgrade"]).done();
    assert!(said.contains(Gate::NAME), "{said}");
    assert!(!said.contains("create_the_laboratory"), "{said}");
}

#[test]
fn two_commands_share_the_embedded_database_and_the_last_one_ends_it() {
    let project = checkout().shipped();
    let gate = Gate::new(&project);

    let mut one = project.start(&["upgrade"]);
    let inside = gate.arrived(1).remove(0);
    let other = project.start(&["upgrade"]);
    let mut connection = connect(&inside.url.with_database("trueup")).expect("a connection");
    until("the second upgrade waits for the first", || {
        sessions(&mut connection, 1, TRIES)
    });
    // The first one started the server, and the second one still needs it.
    one.interrupt();
    one.end().with(130);
    gate.open();

    let said = other.end().done();
    assert!(said.contains(Gate::NAME), "{said}");
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
}

#[test]
fn an_autogen_that_is_interrupted_leaves_nothing() {
    let project = checkout().shipped();
    let gate = Gate::new(&project);
    let folders = project.folders();

    let mut autogen = project.start(&["autogen", "x"]);
    let mut inside = gate.arrived(1).remove(0);
    assert!(inside.data.is_dir() && inside.is_served());
    autogen.interrupt();
    let ended = autogen.end().with(130);

    assert_eq!(ended.stdout, "");
    assert_eq!(project.folders(), folders);
    assert!(!inside.data.exists(), "{}", inside.data.display());
    assert!(!inside.is_served());
}

#[test]
fn what_an_autogen_that_was_killed_left_is_swept_by_the_next() {
    let project = checkout().shipped();
    let gate = Gate::new(&project);
    let unfinished = project.path().join("migrations/.trueup-unfinished-x");
    fs::create_dir(&unfinished).expect("a folder");

    let autogen = project.start(&["autogen", "x"]);
    let mut inside = gate.arrived(1).remove(0);
    autogen.kill();
    gate.open();
    assert!(inside.data.is_dir());

    let less = "ALTER TABLE users DROP COLUMN active;";
    project.migration("2030-01-02-000000_less", less, "SELECT 1;");
    project.run(&["autogen", "y"]).done();
    assert!(!inside.data.exists(), "{}", inside.data.display());
    assert!(!inside.is_served());
    assert!(!unfinished.exists());
    assert!(project.folders().iter().all(|name| !name.starts_with('.')));
}

#[test]
fn an_autogen_that_is_interrupted_leaves_nothing_on_a_server_of_others() {
    let (server, database) = tests::database();
    let project = checkout().shipped();
    let gate = Gate::new(&project);
    let folders = project.folders();
    let url = database.url().with_database("postgres").to_string();
    let others = "(SELECT count(*) > 0 FROM pg_database WHERE datname LIKE 'trueup\\_scratch\\_%')";

    let mut autogen = project.start(&["autogen", "x", "--scratch-url", &url]);
    gate.arrived(1);
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, others));
    autogen.interrupt();
    autogen.end().with(130);

    assert_eq!(project.folders(), folders);
    assert!(!tests::holds(&mut connection, others));
    drop(server);
}

#[test]
fn two_autogens_write_one_migration() {
    let project = checkout();
    let gate = Gate::new(&project);
    let folders = project.folders();

    let commands = [
        project.start(&["autogen", "x"]),
        project.start(&["autogen", "x"]),
    ];
    // Both have seen the same migrations.
    gate.arrived(2);
    gate.open();
    let mut ended = commands.map(tests::checkout::Running::end);
    ended.sort_by_key(|ended| ended.code);
    let [one, other] = ended;

    let written = one.done();
    assert!(written.contains("_x/up.sql"), "{written}");
    other.refused(&["_x came", "nothing was written"]);
    assert_eq!(project.folders().len(), folders.len() + 1);
    project.run(&["check"]).done();
}

/// A migration that writes where it runs and waits for the test to let it go on.
struct Gate {
    folder: PathBuf,
}

/// A server on which a migration waits.
struct Inside {
    data: PathBuf,
    url: Url,
    connection: PgConnection,
}

impl Gate {
    const NAME: &str = "2030-01-01-000000_gate";

    fn new(project: &Checkout) -> Self {
        let folder = project.path().join("gate");
        fs::create_dir(&folder).expect("a folder");
        // The server may run as another user.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("an open folder");
        let at = folder.display();
        let up = format!(
            "DO $$ BEGIN
                EXECUTE format('COPY (SELECT unnest(ARRAY[setting, current_setting(''data_directory''), ''end'']) \
                               FROM pg_settings WHERE name = ''unix_socket_directories'') TO %L',
                               '{at}/' || pg_backend_pid());
                WHILE (pg_stat_file('{at}/open', true)).size IS NULL LOOP
                    PERFORM pg_sleep(0.01);
                END LOOP;
            END $$;"
        );
        project.migration(Self::NAME, &up, "SELECT 1;");
        Self { folder }
    }

    /// Waits until so many migrations wait.
    fn arrived(&self, number: usize) -> Vec<Inside> {
        let read = || -> Vec<String> {
            let entries = fs::read_dir(&self.folder).expect("a folder");
            let texts = entries.map(|entry| fs::read_to_string(entry.expect("a file").path()));
            let whole = |text: &String| text.ends_with("end\n");
            texts
                .map(|text| text.expect("UTF-8"))
                .filter(whole)
                .collect()
        };
        until("a migration waits", || read().len() == number);
        let inside = |text: String| {
            let mut lines = text.lines();
            let url = Url::of_socket(
                lines.next().expect("a socket"),
                5432,
                "postgres",
                "postgres",
            );
            Inside {
                data: lines.next().expect("a folder").into(),
                connection: connect(&url).expect("a connection"),
                url,
            }
        };
        read().into_iter().map(inside).collect()
    }

    fn open(&self) {
        fs::write(self.folder.join("open"), "").expect("a file");
    }
}

impl Inside {
    /// True if the server still answers in a session from before.
    fn is_served(&mut self) -> bool {
        use diesel::RunQueryDsl;
        diesel::sql_query("SELECT 1")
            .execute(&mut self.connection)
            .is_ok()
    }
}
