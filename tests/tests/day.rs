//! A team's day from morning to evening, with the binary, git and Diesel's own harness; the tour in `day.md` is this day.

use std::{fs, process::Command};

use diesel::{PgConnection, connection::SimpleConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use generator::postgres::{connection::connect, url::Url};
use serde_json::{Value, json};
use tests::checkout::{Checkout, until};

/// The index that each of two branches adds; neither is in the models of the other.
const DOORS: &str = "index public.devices_last_seen_at_idx";
const TAGS: &str = "index public.equipment_tags_idx";

/// The project of a team that has a repository and a database.
struct Team {
    project: Checkout,
    url: Url,
}

impl Team {
    fn run(&self, arguments: &[&str]) -> tests::checkout::Ended {
        self.project.run(arguments)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.run(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&text.stdout).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// Excludes what the models do not declare yet.
    fn without(&self, patterns: &[&str]) {
        let _ = self
            .project
            .file("trueup.toml", &format!("exclude = {patterns:?}\n"));
    }

    fn commit(&self, message: &str) {
        self.project.git(&["add", "migrations"]);
        self.project
            .git(&["commit", "--quiet", "--message", message]);
    }

    fn connection(&self) -> PgConnection {
        connect(&self.url).expect("a connection")
    }

    fn sql(&self, sql: &str) {
        self.connection().batch_execute(sql).expect("SQL that runs");
    }

    fn holds(&self, condition: &str) -> bool {
        tests::holds(&mut self.connection(), condition)
    }

    /// The folders, as Diesel reads them.
    fn diesels(&self) -> FileBasedMigrations {
        let folder = self.project.path().join("migrations");
        FileBasedMigrations::from_path(folder).expect("what Diesel reads")
    }
}

#[test]
fn a_day() {
    let (_server, database) = tests::database();
    let url = database.url().with_database("day");
    let mut project = Checkout::new(env!("CARGO_BIN_EXE_shipped"));
    project.database = Some(url.to_string());
    let team = Team { project, url };

    two_branches_meet(&team);
    diesel_agrees(&team, &database.url().with_database("before"));
    a_change_by_hand_is_found(&team);
    an_edited_migration_is_found(&team);
    back_and_there_again(&team);
    old_history_becomes_one(&team);
    saved_dropped_and_brought_back(&team);
    reset(&team);
    killed_in_the_middle(&team);
    somebody_has_the_lock(&team);
    diesel_agrees(&team, &database.url().with_database("after"));
    team.run(&["status"]).done();
    team.run(&["check"]).done();
}

fn two_branches_meet(team: &Team) {
    team.without(&[DOORS, TAGS]);
    team.run(&["db", "create"]).done();
    team.run(&["autogen", "begin"]).done();
    team.run(&["init"]).done();
    team.project.pushed();

    team.project.git(&["checkout", "--quiet", "-b", "theirs"]);
    team.without(&[DOORS]);
    team.run(&["autogen", "find equipment by tag"]).done();
    team.commit("theirs");
    team.project
        .git(&["checkout", "--quiet", "-b", "mine", "main"]);
    team.without(&[TAGS]);
    // A version is a second.
    std::thread::sleep(std::time::Duration::from_secs(1));
    team.run(&["autogen", "find silent devices"]).done();
    team.commit("mine");

    // Theirs is merged first, and in the database that both use.
    team.project.git(&["checkout", "--quiet", "main"]);
    team.project.git(&["merge", "--quiet", "theirs"]);
    team.project.git(&["push", "--quiet"]);
    team.without(&[DOORS]);
    team.run(&["upgrade"]).done();
    team.project.git(&["checkout", "--quiet", "mine"]);
    team.project.git(&["merge", "--quiet", "--no-edit", "main"]);
    team.without(&[]);

    let status = team.json(&["status"]);
    assert_eq!(
        status["heads"].as_array().map(Vec::len),
        Some(2),
        "{status}"
    );
    team.run(&["upgrade"]).refused(&["`trueup rebase`"]);
    let rebased = team.json(&["rebase"]);
    assert_eq!(rebased["how"], "redrafted", "{rebased}");
    assert_eq!(rebased["shared"], json!([]));
    let folders = team.project.folders();
    assert_eq!(folders.len(), 3);
    assert!(
        folders[1].ends_with("_find_equipment_by_tag"),
        "{folders:?}"
    );
    assert!(folders[2].ends_with("_find_silent_devices"), "{folders:?}");
    team.run(&["upgrade"]).done();
    team.run(&["check"]).done();
    team.commit("after theirs");
}

/// Diesel runs the same folders, finds the same, and goes back through them.
fn diesel_agrees(team: &Team, url: &Url) {
    assert!(generator::operations::database::create(url).expect("a database"));
    let mut connection = connect(url).expect("a connection");
    let run = connection.run_pending_migrations(team.diesels());
    assert_eq!(
        run.expect("migrations that run").len(),
        team.project.folders().len()
    );
    let text = url.to_string();
    let same = team.run(&["diff", "--from", "database", "--to", &text]);
    assert_eq!(same.done(), "");
    team.run(&["status", "--database-url", &text]).done();
    // A migration applied by trueup counts as applied for Diesel, and the other way round.
    let pending = team.connection().has_pending_migration(team.diesels());
    assert!(!pending.expect("an answer"));
    team.run(&["downgrade", "--database-url", &text]).done();
    assert!(
        connection
            .has_pending_migration(team.diesels())
            .expect("an answer")
    );
    if let Some(said) = diesel(team, url, &["list"]) {
        assert_eq!(said.matches("[ ]").count(), 1, "{said}");
        diesel(team, url, &["run"]).expect("diesel");
        diesel(team, url, &["revert", "--all"]).expect("diesel");
        let said = diesel(team, url, &["list"]).expect("diesel");
        assert_eq!(said.matches("[X]").count(), 0, "{said}");
    }
    let back = connection.revert_all_migrations(team.diesels());
    back.expect("migrations that go back");
    assert!(tests::holds(
        &mut connection,
        "to_regclass('users') IS NULL"
    ));
}

/// Output of Diesel's own program, where it is installed.
#[allow(
    clippy::print_stderr,
    reason = "a part that is left out is left out loudly"
)]
fn diesel(team: &Team, url: &Url, arguments: &[&str]) -> Option<String> {
    let ran = Command::new("diesel")
        .arg("migration")
        .args(arguments)
        .args(["--database-url", url.as_secret_str()])
        .current_dir(team.project.path())
        .output();
    let Ok(ran) = ran else {
        eprintln!("SKIPPED: diesel {arguments:?}: the program diesel is not installed");
        return None;
    };
    assert!(ran.status.success(), "{ran:?}");
    Some(String::from_utf8(ran.stdout).expect("UTF-8"))
}

fn a_change_by_hand_is_found(team: &Team) {
    team.sql(
        "CREATE INDEX quick_fix ON users (full_name); ALTER TABLE users ALTER active DROP DEFAULT",
    );
    let check = team.run(&["check"]).with(1).stdout;
    for line in [
        "migrations and database  2 differences",
        "in the migrations only  default public.users.active",
        "in the database only    index public.quick_fix",
    ] {
        assert!(check.contains(line), "{check}");
    }
    let mend = team.run(&["diff", "--from", "database", "--to", "migrations"]);
    team.sql(&mend.with(1).stdout);
    team.run(&["check"]).done();
}

fn an_edited_migration_is_found(team: &Team) {
    let folders = team.project.folders();
    // The newest one too: the database remembers what it was.
    for name in [&folders[0], &folders[2]] {
        let up = team
            .project
            .path()
            .join("migrations")
            .join(name)
            .join("up.sql");
        let text = fs::read_to_string(&up).expect("a file");
        fs::write(&up, format!("{text}\nCREATE TABLE forgotten ();\n")).expect("a file");
        let status = team.json(&["status"]);
        assert_eq!(status["edited"], json!([name]));
        let check = team.run(&["check"]).with(1).stdout;
        assert!(
            check.contains(&format!("{name}/up.sql was edited")),
            "{check}"
        );
        fs::write(&up, text).expect("a file");
    }
    team.run(&["status"]).done();
}

fn back_and_there_again(team: &Team) {
    let there = "to_regclass('devices_last_seen_at_idx') IS NOT NULL";
    team.run(&["rollback"]).done();
    assert!(!team.holds(there));
    team.run(&["upgrade"]).done();
    let redone = team.json(&["redo", "-2"]);
    assert_eq!(
        redone["back"]["migrations"].as_array().map(Vec::len),
        Some(2)
    );
    assert!(team.holds(there));
    team.run(&["check"]).done();
}

fn old_history_becomes_one(team: &Team) {
    let squashed = team.json(&["squash", "base..head", "--message", "begin"]);
    assert_eq!(squashed["removed"].as_array().map(Vec::len), Some(3));
    assert_eq!(team.project.folders().len(), 1);
    team.run(&["status"]).done();
    let said = team.run(&["upgrade"]).done();
    assert!(said.starts_with("nothing to apply"), "{said}");
    team.run(&["check"]).done();
}

fn saved_dropped_and_brought_back(team: &Team) {
    let row = "EXISTS (SELECT FROM users WHERE email = 'keep@me.example')";
    team.sql("INSERT INTO users (email, full_name) VALUES ('keep@me.example', 'Keep Me')");
    team.run(&["backup", "day.dump"]).done();
    team.run(&["restore", "day.dump"]).refused(&["not empty"]);
    team.run(&["db", "drop", "--yes"]).done();
    team.run(&["status"]).refused(&["no such database"]);
    team.run(&["db", "create"]).done();
    team.run(&["restore", "day.dump"]).done();
    assert!(team.holds(row));
    team.run(&["status"]).done();
    team.run(&["check"]).done();
}

fn reset(team: &Team) {
    team.sql("CREATE TABLE scribble ()");
    let reset = ["db", "reset", "--yes"];
    team.run(&reset)
        .refused(&["a table that no migration makes (public.scribble)"]);
    let url = team.project.database.as_deref().expect("a URL");
    let name = generator::postgres::url::Url::parse(url)
        .ok()
        .and_then(|url| url.database());
    team.run(&["db", "reset", "--yes-destroy", &name.expect("a name")])
        .done();
    assert!(team.holds("to_regclass('scribble') IS NULL AND NOT EXISTS (SELECT FROM users)"));
    team.run(&["check"]).done();
}

fn killed_in_the_middle(team: &Team) {
    let late = "2030-01-02-000000_late";
    team.project.migration(
        "2030-01-01-000000_slow",
        "ALTER TABLE users ADD slow integer; SELECT pg_advisory_xact_lock(1);",
        "ALTER TABLE users DROP slow;",
    );
    team.project.migration(
        late,
        "CREATE INDEX CONCURRENTLY users_late ON public.users (email DESC);",
        "DROP INDEX CONCURRENTLY public.users_late;",
    );
    let _ = team.project.file(
        &format!("migrations/{late}/metadata.toml"),
        "run_in_transaction = false\n",
    );
    let gone = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                AND application_name = 'trueup' AND pid <> pg_backend_pid())";

    // In the middle of a transaction: it is as if it had not begun.
    let mut gate = team.connection();
    gate.batch_execute("SET application_name = 'a gate'; SELECT pg_advisory_lock(1)")
        .expect("a lock");
    let upgrade = team.project.start(&["upgrade"]);
    until("it is in the middle", || {
        team.holds("EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'advisory')")
    });
    upgrade.kill();
    until("the server has noticed", || team.holds(gone));
    drop(gate);
    assert!(team.holds("NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'slow')"));
    let status = team.json(&["status"]);
    assert_eq!(status["pending"].as_array().map(Vec::len), Some(2));

    // In the middle of what cannot be in a transaction: what it left is made anew.
    team.run(&["upgrade", "+1"]).done();
    let mut writer = team.connection();
    writer
        .batch_execute("SET application_name = 'a writer'; BEGIN; LOCK users IN ROW EXCLUSIVE MODE")
        .expect("a lock");
    let upgrade = team.project.start(&["upgrade"]);
    let half = "EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)";
    until("the index is half built", || team.holds(half));
    upgrade.kill();
    until("the server has noticed", || team.holds(gone));
    writer.batch_execute("COMMIT").expect("committed");
    assert!(team.holds(half));
    let again = team.run(&["upgrade"]).with(0);
    assert!(
        again.stderr.contains("INVALID index public.users_late"),
        "{again:?}"
    );
    assert!(!team.holds(half));
    team.run(&["status"]).done();
    // Nobody's models have these two.
    team.run(&["downgrade", "-2"]).done();
    team.run(&["uncommit"]).done();
    team.run(&["uncommit"]).done();
    assert_eq!(team.project.folders().len(), 1);
}

fn somebody_has_the_lock(team: &Team) {
    team.project.migration(
        "2030-01-01-000000_strong",
        "ALTER TABLE users ADD strong integer; ALTER TABLE users DROP strong;",
        "SELECT 1;",
    );
    let mut reader = team.connection();
    reader
        .batch_execute("SET application_name = 'a report'; BEGIN; SELECT count(*) FROM users")
        .expect("a statement");
    let impatient = ["upgrade", "--lock-timeout", "100ms", "--lock-retries", "1"];
    let said = team.run(&impatient).refused(&[
        "did not get its locks, 2 times",
        "AccessExclusiveLock on users, which pid",
        "a report, user postgres, idle in transaction",
    ]);
    assert!(
        said.contains("again in") && said.contains("(1 of 1)"),
        "{said}"
    );
    let patient = team.project.start(&["upgrade", "--lock-timeout", "100ms"]);
    until("it was in the way", || {
        team.holds("EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    });
    drop(reader);
    assert!(
        patient
            .end()
            .done()
            .starts_with("applied  2030-01-01-000000_strong")
    );
}
