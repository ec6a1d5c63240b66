//! The database as a whole: from nothing to one with rows, into a file and back, emptied and gone.

use std::{fs, path::Path};

use diesel::RunQueryDsl;
use generator::postgres::{
    connection::{connect, server_version},
    scratch::Database,
    url::Url,
};
use serde_json::Value;
use tests::checkout::{Checkout, until};

use crate::checkout;

/// A project whose database is not there yet, on a server that is.
fn on_a_new(database: &Database, name: &str) -> Checkout {
    let mut project = checkout().shipped();
    project.database = Some(database.url().with_database(name).to_string());
    seeds(&project);
    project
}

fn seeds(project: &Checkout) {
    for folder in [
        "fixtures/seeds",
        "fixtures/seeds/development",
        "fixtures/seeds/test",
    ] {
        fs::create_dir_all(project.path().join(folder)).expect("a folder");
    }
    for (name, mail) in [
        ("fixtures/seeds/010_users.sql", "all"),
        ("fixtures/seeds/development/020_more.sql", "development"),
        ("fixtures/seeds/test/020_more.sql", "test"),
    ] {
        let sql = format!(
            "INSERT INTO users (email, full_name) VALUES ('{mail}@x.example', 'X') ON CONFLICT (email) DO NOTHING;"
        );
        let _ = project.file(name, &sql);
    }
}

fn holds(project: &Checkout, condition: &str) -> bool {
    let url = Url::parse(project.database.as_deref().expect("a URL")).expect("a URL");
    tests::holds(&mut connect(&url).expect("a connection"), condition)
}

#[test]
fn init_makes_migrates_and_seeds_and_can_be_run_again() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "fresh \"one\"");
    let said = project.run(&["init"]).with(0);
    assert!(said.stderr.contains("created postgres://"), "{said:?}");
    assert!(said.stdout.contains("applied"), "{said:?}");
    assert!(
        said.stdout.ends_with("2 seeds for development\n"),
        "{said:?}"
    );
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));

    let again = project.run(&["init"]).with(0);
    assert!(!again.stderr.contains("created"), "{again:?}");
    assert!(again.stdout.contains("nothing to apply"), "{again:?}");
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
    let json = project
        .run(&["init", "--no-seed", "--format", "json"])
        .done();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["created"], false);
    assert_eq!(json["applied"]["migrations"], serde_json::json!([]));
    assert_eq!(json["seeded"], Value::Null);

    project.environment = vec![("APP_ENV", "test")];
    let said = project.run(&["seed", "--format", "json"]).done();
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["seeds"][1]["file"], "fixtures/seeds/test/020_more.sql");
    assert!(holds(&project, "(SELECT count(*) = 3 FROM users)"));
    let one = project.run(&["seed", "users"]).done();
    assert!(one.ends_with("1 seed for test\n"), "{one}");
    project
        .run(&["seed", "nothing"])
        .refused(&["no seed nothing", "010_users, 020_more"]);
}

#[test]
fn init_runs_a_seed_once_and_again_when_it_has_changed() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    fs::create_dir_all(project.path().join("fixtures/seeds")).expect("a folder");
    let insert =
        "INSERT INTO users (email, full_name) VALUES (gen_random_uuid() || '@x.example', 'A');\n";
    let _ = project.file("fixtures/seeds/a.sql", insert);
    // VACUUM cannot run in a transaction block, so the seed runs without one.
    let _ = project.file("fixtures/seeds/b.sql", "VACUUM users;\n");
    let rows = |number: u32| {
        holds(
            &project,
            &format!("(SELECT count(*) = {number} FROM users)"),
        )
    };
    let said = project.run(&["init"]).done();
    assert!(said.ends_with("2 seeds for development\n"), "{said}");
    assert!(rows(1));
    let said = project.run(&["init"]).done();
    assert!(
        said.ends_with("nothing to seed: 2 seeds for development ran here before\n"),
        "{said}"
    );
    assert!(rows(1));
    let json = project.run(&["init", "--format", "json"]).done();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["seeded"]["known"][0], "fixtures/seeds/a.sql");
    let _ = project.file("fixtures/seeds/a.sql", &format!("-- more\n{insert}"));
    let said = project.run(&["init"]).done();
    assert!(said.ends_with("1 seed for development\n"), "{said}");
    assert!(rows(2));
    // Whoever asks for them gets them.
    project.run(&["seed", "a"]).done();
    assert!(rows(3));
    project.run(&["init"]).done();
    assert!(rows(3));
    // It is no part of the schema, and a failed seed is not remembered.
    project.run(&["check"]).done();
    let _ = project.file("fixtures/seeds/c.sql", &format!("{insert}SELECT 1 / 0;\n"));
    project.run(&["init"]).with(2);
    project.run(&["init"]).with(2);
    assert!(rows(3));
    fs::remove_file(project.path().join("fixtures/seeds/c.sql")).expect("a file");
    // Without rows nothing was seeded.
    project.run(&["db", "reset", "--yes"]).done();
    let said = project.run(&["init"]).done();
    assert!(said.ends_with("2 seeds for development\n"), "{said}");
    assert!(rows(1));
}

#[test]
fn a_seed_is_all_or_nothing_and_a_key_that_is_there_is_explained() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    fs::create_dir_all(project.path().join("fixtures/seeds")).expect("a folder");
    let one = "INSERT INTO users (email, full_name) VALUES ('a@x.example', 'A');\n";
    let _ = project.file("fixtures/seeds/a.sql", &format!("{one}{one}"));
    project
        .run(&["seed"])
        .refused(&["a.sql:2", "duplicate key", "ON CONFLICT DO NOTHING"]);
    assert!(holds(&project, "NOT EXISTS (SELECT FROM users)"));
}

#[test]
fn the_seeds_that_ship_can_be_run_twice() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    let seeds = fs::canonicalize(tests::root().join("fixtures/seeds")).expect("a folder");
    let seeds: &'static str = seeds.display().to_string().leak();
    project.environment = vec![("TRUEUP_SEEDS", seeds)];
    for command in ["init", "seed"] {
        assert!(
            project
                .run(&[command])
                .done()
                .ends_with("2 seeds for development\n")
        );
        assert!(holds(&project, "(SELECT count(*) = 2 FROM devices)"));
    }
}

#[test]
fn databases_are_made_dropped_and_made_anew() {
    let (_server, database) = tests::database();
    let project = on_a_new(&database, "another");
    project.run(&["current"]).refused(&["no such database"]);
    let said = |command: &[&str]| project.run(command).done();
    assert!(said(&["db", "create"]).starts_with("created  "));
    assert!(said(&["db", "create"]).contains("it is there already"));
    project.run(&["init"]).done();
    project
        .run(&["db", "recreate"])
        .refused(&["all of another would be lost", "trueup db recreate --yes"]);
    assert!(said(&["db", "recreate", "--yes"]).starts_with("made anew  "));
    assert!(holds(&project, "to_regclass('users') IS NULL"));
    assert!(said(&["db", "drop", "-y"]).starts_with("dropped  "));
    assert!(said(&["db", "drop", "-y"]).contains("it is not there"));

    tests::run(&database, "CREATE USER guest");
    let mut project = project;
    let url = project.database.take().expect("a URL");
    project.database = Some(url.replace("postgres@", "guest@"));
    project
        .run(&["db", "create"])
        .refused(&["permission denied to create database", "CREATEDB"]);
}

#[test]
fn production_wants_the_name_repeated() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "shop");
    project.run(&["init"]).done();
    project.environment = vec![("APP_ENV", "production")];
    for command in ["drop", "recreate", "reset"] {
        let again = format!("trueup db {command} --yes-destroy shop");
        project
            .run(&["db", command, "--yes"])
            .refused(&["protected"]);
        project.run(&["db", command]).refused(&[
            "production is a protected environment (from the environment)",
            &again,
        ]);
        project
            .run(&["db", command, "--yes-destroy", "shopp"])
            .refused(&["says shopp, and the database is shop"]);
    }
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
    project
        .run(&["db", "reset", "--yes-destroy", "shop"])
        .done();
    assert!(holds(&project, "NOT EXISTS (SELECT FROM users)"));
    project.run(&["db", "drop", "--yes-destroy", "shop"]).done();
}

#[test]
fn a_protected_environment_guards_more_than_drops() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "ab%20c");
    let _ = project.file(".env", "APP_ENV=Staging\n");
    let _ = project.file("trueup.toml", "protected = ['production', 'staging']\n");
    project.migration(
        "2030-01-01-000000_more",
        "CREATE TABLE more ();",
        "DROP TABLE more;",
    );
    project.run(&["init"]).done();
    let guarded: [&[&str]; 5] = [
        &["seed"],
        &["stamp", "base"],
        &["downgrade", "base"],
        &["downgrade", "-2"],
        &["restore", "no.dump", "--over"],
    ];
    for command in guarded {
        let again = format!("trueup {} --yes-destroy 'ab%20c'", command.join(" "));
        project
            .run(&[command, &["--yes"]].concat())
            .refused(&["Staging is a protected environment (from ", ".env)"]);
        project.run(command).refused(&[&again]);
    }
    project.run(&["downgrade"]).done();
    project.run(&["seed", "--yes-destroy", "ab%20c"]).done();
    let _ = project.file("trueup.toml", "protected = []\n");
    project.environment = vec![("APP_ENV", "production")];
    project.run(&["seed"]).done();
}

#[test]
fn the_name_of_an_environment_is_taken_without_what_is_around_it() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "shop");
    project.run(&["init"]).done();
    for name in [" production", "\"production\"", "eu-prod", "\tLive"] {
        project.environment = vec![("APP_ENV", name.to_owned().leak())];
        project
            .run(&["db", "reset", "--yes"])
            .refused(&["is a protected environment"]);
    }
    // A blank one hides nothing.
    let _ = project.file(".env", "APP_ENV=production\n");
    project.environment = vec![("APP_ENV", " ")];
    project
        .run(&["db", "reset", "--yes"])
        .refused(&["production is a protected environment"]);
    for path in ["/etc", "../test", ".."] {
        project.environment = vec![("APP_ENV", path)];
        project
            .run(&["seed"])
            .refused(&["APP_ENV in the environment is a path", path]);
    }
}

#[test]
fn seeds_are_guarded_however_they_are_run() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "shop");
    project.environment = vec![("APP_ENV", "production")];
    // Nothing is in a database that this makes.
    project.run(&["init"]).done();
    assert!(holds(&project, "(SELECT count(*) = 1 FROM users)"));
    project.run(&["init"]).done();
    let more = "INSERT INTO users (email, full_name) VALUES ('more@x.example', 'X')";
    let _ = project.file("fixtures/seeds/020_more.sql", more);
    project.run(&["init", "--yes"]).refused(&[
        "rows for trials would be written in shop",
        "trueup init --yes --yes-destroy shop",
        "--no-seed",
    ]);
    assert!(holds(&project, "(SELECT count(*) = 1 FROM users)"));
    project
        .run(&["init", "--yes-destroy", "shopp"])
        .refused(&["says shopp"]);
    project.run(&["init", "--no-seed"]).done();
    project.run(&["init", "--yes-destroy", "shop"]).done();
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
}

#[test]
fn a_seed_that_ends_its_transaction_is_refused() {
    let (_server, database) = tests::database();
    let project = on_a_new(&database, "shop");
    project.run(&["init", "--no-seed"]).done();
    let insert = "INSERT INTO users (email, full_name) VALUES ('one@x.example', 'X');\n";
    for (rest, line) in [
        ("COMMIT;\nSELECT 1/0;", ":2"),
        ("ROLLBACK;\n", ":2"),
        ("BEGIN; COMMIT; SELECT 1;", ":2"),
        ("PREPARE TRANSACTION 'a';", ":2"),
    ] {
        let _ = project.file("fixtures/seeds/010_users.sql", &format!("{insert}{rest}"));
        for command in ["seed", "init"] {
            let ended = project.run(&[command]).with(2);
            let place = format!("010_users.sql{line}: a seed is one transaction");
            assert!(ended.stderr.contains(&place), "{rest}: {ended:?}");
        }
        assert!(holds(&project, "NOT EXISTS (SELECT FROM users)"));
    }
    // Around all of it they add nothing.
    let _ = project.file(
        "fixtures/seeds/010_users.sql",
        &format!("BEGIN; {insert} COMMIT;"),
    );
    project.run(&["seed", "users"]).done();
    assert!(holds(&project, "(SELECT count(*) = 1 FROM users)"));
}

/// A database of the same tables may be another project's: its record tells.
#[test]
fn a_database_of_another_project_wants_its_name_repeated() {
    let (_server, database) = tests::database();
    let project = on_a_new(&database, "shop");
    project.run(&["init"]).done();
    let mut other = checkout();
    other.migration(
        "2029-01-01-000000_theirs",
        "CREATE TABLE users (); CREATE TABLE equipment (); CREATE TABLE devices (); CREATE TABLE calibrations (); CREATE TABLE readings ();",
        "SELECT 1;",
    );
    other.database = project.database.clone();
    for command in ["reset", "drop", "recreate"] {
        other.run(&["db", command, "--yes"]).refused(&[
            "shop may be another project's",
            "no migration here is of such a version",
            "--yes-destroy shop",
        ]);
    }
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
    // One migration in common is enough: branches come and go.
    let shipped = project.folders();
    let read = |file| {
        let folder = project.path().join("migrations").join(&shipped[0]);
        fs::read_to_string(folder.join(file)).expect("a file")
    };
    other.migration(&shipped[0], &read("up.sql"), &read("down.sql"));
    fs::remove_dir_all(other.path().join("migrations/2029-01-01-000000_theirs")).expect("a folder");
    other.run(&["db", "reset", "--yes"]).done();
}

#[test]
fn a_name_that_the_url_does_not_write_or_postgres_cuts_is_the_servers_own() {
    let (_server, database) = tests::database();
    let mut project = checkout();
    let at = |name: &str| Some(database.url().with_database(name).to_string());
    for name in ["y".repeat(70), "é".repeat(40)] {
        project.database = at(&name);
        project
            .run(&["db", "create"])
            .refused(&["PostgreSQL cuts a database's name to 63"]);
    }
    // Before 17, Postgres cuts the name of the one that is asked for as well.
    let cut = "y".repeat(63);
    tests::run(&database, &format!("CREATE DATABASE {cut}"));
    project.database = at(&"y".repeat(70));
    let version = server_version(&mut database.connect().expect("a connection"));
    if version.expect("a version") < 170_000 {
        project.run(&["db", "recreate", "--yes"]).done();
    }
    project.database = at(&cut);
    project.run(&["db", "drop", "--yes"]).done();

    // Without a name the user's counts.
    tests::run(&database, "CREATE ROLE clerk SUPERUSER LOGIN");
    tests::run(&database, "CREATE DATABASE clerk");
    let url = database.url().with_database("").to_string();
    project.database = Some(url.replace("postgres@", "clerk@"));
    project.run(&["db", "recreate", "--yes"]).done();
    project.run(&["db", "size"]).done();
}

#[test]
fn a_name_that_is_repeated_is_compared_everywhere() {
    let (_server, database) = tests::database();
    let project = on_a_new(&database, "shop");
    project.run(&["init"]).done();
    let _ = project.file("empty.dump", "");
    let commands: [&[&str]; 6] = [
        &["downgrade"],
        &["stamp", "head"],
        &["seed"],
        &["restore", "empty.dump"],
        &["restore", "empty.dump", "--over", "--yes"],
        &["db", "drop", "--yes"],
    ];
    for command in commands {
        project
            .run(&[command, &["--yes-destroy", "shopp"]].concat())
            .refused(&["says shopp, and the database is shop"]);
    }
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
    project.run(&["downgrade", "--yes-destroy", "shop"]).done();
}

#[test]
fn the_guard_asks_the_database_once() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "shop");
    project.run(&["db", "create"]).done();
    project.environment = vec![("APP_ENV", "production")];
    let mut connection = database.connect().expect("a connection");
    let mut sessions = || -> i64 {
        let query = "(SELECT sessions FROM pg_stat_database WHERE datname = 'shop')";
        let query = diesel::dsl::sql::<diesel::sql_types::BigInt>(query);
        let found = diesel::RunQueryDsl::get_result(diesel::select(query), &mut connection);
        found.expect("a number")
    };
    // A session is counted when it ends, or a moment later.
    until("all is counted", || sessions() >= 1);
    let before = sessions();
    project.run(&["db", "drop"]).refused(&["protected"]);
    until("it is counted", || sessions() > before);
    assert_eq!(sessions(), before + 1);
}

#[test]
fn a_backup_is_restored_over_the_database_that_was_asked_about() {
    let (_server, database) = tests::database();
    let mut project = on_a_new(&database, "shop");
    project.run(&["init"]).done();
    project.run(&["backup", "shop.dump"]).done();
    let url = project.database.take().expect("a URL");
    // pg_restore connects by itself, and of two hosts may take the other.
    let host = url
        .split("host=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let host = host.expect("a folder");
    project.database = Some(url.replace(host, &format!("{host},{host}")));
    project
        .run(&["restore", "shop.dump", "--over", "--yes"])
        .refused(&["pg_restore may go to any of", "the address of one server"]);
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
    project.database = Some(url);
    project
        .run(&["restore", "shop.dump", "--over", "--yes"])
        .done();
}

#[test]
fn the_servers_own_databases_want_their_name_repeated() {
    let (_server, database) = tests::database();
    let project = on_a_new(&database, "postgres");
    for command in [&["db", "drop", "-y"][..], &["db", "reset", "-y"]] {
        project.run(command).refused(&[
            "postgres is one of the server's own databases",
            "--yes-destroy postgres",
        ]);
    }
}

/// libpq percent-decodes a URI and nothing else.
#[test]
fn the_database_that_is_dropped_is_the_one_that_is_connected_to() {
    let (_server, database) = tests::database();
    for name in ["ab c", "ab%20c", "plain"] {
        tests::run(&database, &format!("CREATE DATABASE \"{name}\""));
    }
    let mut project = checkout();
    let address = "SELECT pg_catalog.format('host=%s port=%s user=postgres',
        pg_catalog.current_setting('unix_socket_directories'), pg_catalog.current_setting('port'))";
    let mut session = database.connect().expect("a connection");
    let server: String = diesel::dsl::sql::<diesel::sql_types::Text>(address)
        .get_result(&mut session)
        .expect("an address");
    let mut there = |name: &str| {
        let name = format!("EXISTS (SELECT FROM pg_database WHERE datname = '{name}')");
        tests::holds(&mut session, &name)
    };
    project.database = Some(format!("{server} dbname=ab%20c"));
    project.run(&["db", "drop", "--yes"]).done();
    assert!(there("ab c") && !there("ab%20c"));
    project.run(&["db", "create"]).done();
    assert!(there("ab%20c"));
    project.database = Some(format!("{server} dbname='ab c'"));
    project.run(&["db", "drop", "--yes"]).done();
    assert!(!there("ab c") && there("ab%20c"));

    // The name may stand in the environment or in a service.
    project.database = Some(server.clone());
    project.environment = vec![("PGDATABASE", "plain")];
    project.run(&["db", "recreate", "--yes"]).done();
    project.run(&["db", "drop", "--yes"]).done();
    assert!(!there("plain"));
    project.run(&["db", "create"]).done();
    assert!(there("plain"));
    let lines = server.replace(' ', "\n");
    // libpq does not look at what stands behind the bracket.
    let services = format!("[shop] # ours\n{lines}\ndbname=shop\n");
    let services = project.file("services.conf", &services);
    project.environment = vec![(
        "PGSERVICEFILE",
        project.path().join(services).display().to_string().leak(),
    )];
    project.database = Some("service=shop".to_owned());
    project.run(&["db", "create"]).done();
    assert!(there("shop"));
    project.run(&["db", "drop", "--yes"]).done();
    assert!(!there("shop") && there("plain"));
}

#[test]
fn a_reset_empties_what_the_migrations_work_in() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration(
        "2030-01-01-000000_shop",
        "CREATE SCHEMA shop; CREATE TABLE shop.orders (); CREATE TYPE public.pair AS (a int, b int);
         CREATE DOMAIN public.small AS int; CREATE FUNCTION public.one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "DROP SCHEMA shop CASCADE; DROP FUNCTION one; DROP DOMAIN small; DROP TYPE pair;",
    );
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE EXTENSION pg_trgm; CREATE TABLE by_hand (); CREATE VIEW v AS SELECT * FROM users; CREATE SCHEMA theirs;
         CREATE TABLE theirs.kept (); CREATE INDEX ON users USING gin (full_name gin_trgm_ops);
         CREATE AGGREGATE public.total(int) (SFUNC = int4pl, STYPE = int);",
    );
    project
        .run(&["db", "reset", "--yes"])
        .refused(&["2 tables that no migration makes (public.by_hand, theirs.kept)"]);
    let name = database.url().database().expect("a name");
    let reset = ["db", "reset", "--yes-destroy", name.as_str()];
    let said = project.run(&reset).with(0);
    assert!(said.stderr.contains("emptied: public, shop"), "{said:?}");
    assert!(said.stdout.contains("2030-01-01-000000_shop"), "{said:?}");
    assert!(holds(
        &project,
        "to_regclass('by_hand') IS NULL AND to_regclass('theirs.kept') IS NOT NULL
         AND EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')
         AND NOT EXISTS (SELECT FROM pg_proc WHERE proname = 'total')"
    ));

    // A migration that does not run leaves everything as it is.
    project.migration(
        "2030-01-02-000000_broken",
        "CREATE TABLE users ();",
        "SELECT 1;",
    );
    project.run(&reset).refused(&["already exists"]);
    assert!(holds(&project, "to_regclass('shop.orders') IS NOT NULL"));
}

#[test]
fn a_backup_is_restored_to_an_empty_database_or_over_another() {
    let (_server, database) = tests::database();
    let project = on_a_new(&database, "saved");
    project.run(&["init"]).done();
    let said = project.run(&["backup", "shop.dump"]).with(0);
    assert!(said.stdout.contains(": shop.dump\n"), "{said:?}");
    project
        .run(&["backup", "shop.dump"])
        .refused(&["is there already"]);

    project
        .run(&["restore", "shop.dump"])
        .refused(&["is not empty", "--over"]);
    let url = Url::parse(project.database.as_deref().expect("a URL")).expect("a URL");
    let mut connection = connect(&url).expect("a connection");
    diesel::connection::SimpleConnection::batch_execute(&mut connection, "DELETE FROM users")
        .expect("deleted");
    drop(connection);
    project
        .run(&["restore", "shop.dump", "--over", "--yes"])
        .done();
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));

    project.run(&["db", "recreate", "--yes"]).done();
    project.run(&["restore", "shop.dump"]).done();
    assert!(holds(&project, "(SELECT count(*) = 2 FROM users)"));
    assert!(project.run(&["check"]).done().contains("database  in sync"));
    let _ = project.file("no.dump", "this is none");
    project
        .run(&["restore", "no.dump", "--over", "--yes"])
        .refused(&["pg_restore failed", "nothing was restored"]);

    project.migration(
        "2030-01-01-000000_more",
        "CREATE TABLE more ();",
        "DROP TABLE more;",
    );
    let said = project.run(&["upgrade", "--backup"]).with(0);
    assert!(said.stderr.contains("saved in "), "{said:?}");
    let saved = dumps(&project.path().join("backups"));
    assert_eq!(saved.len(), 1, "{saved:?}");
    project.run(&["upgrade", "--backup"]).done();
    assert_eq!(dumps(&project.path().join("backups")).len(), 1);
}

fn dumps(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    names.filter(|name| name.contains(".dump")).collect()
}

#[test]
fn a_backup_that_fails_leaves_no_file() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    // The disk is full after half of it.
    let major = connect(&database.url()).map(|mut connection| {
        generator::postgres::connection::server_version(&mut connection).expect("a version")
            / 10_000
    });
    let script = format!(
        "#!/bin/sh\ncase $1 in --version) echo 'pg_dump (PostgreSQL) {}.0'; exit;; esac\n\
         for file; do :; done\nprintf half > \"$file\"\n\
         echo 'pg_dump: error: could not write to output file: No space left on device' >&2\nexit 1\n",
        major.expect("a connection")
    );
    project.program("pg_dump", &script);

    project
        .run(&["backup", "shop.dump"])
        .refused(&["pg_dump failed", "No space left on device"]);
    assert_eq!(dumps(project.path()), Vec::<String>::new());
}

#[test]
fn the_embedded_database_runs_on_until_it_is_stopped() {
    let project = checkout().shipped();
    let started = project.run(&["db", "start"]).with(0);
    assert!(
        started.stdout.starts_with("started  postgres://"),
        "{started:?}"
    );
    let url = project.run(&["db", "url"]).done();
    let url = Url::parse(url.trim()).expect("a URL");
    assert!(connect(&url).is_ok());
    project.run(&["upgrade"]).done();
    let rows = project
        .run(&[
            "db",
            "psql",
            "--",
            "-At",
            "-c",
            "SELECT to_regclass('users')",
        ])
        .done();
    assert_eq!(rows, "users\n");
    assert!(connect(&url).is_ok());
    let stopped = project.run(&["db", "stop"]).done();
    assert!(stopped.starts_with("stopped"), "{stopped}");
    assert!(connect(&url).is_err());
    project.run(&["db", "stop"]).done();
    assert!(project.run(&["current"]).done().contains("(head)"));
    project.run(&["db", "recreate", "--yes"]).done();
    assert!(project.run(&["current"]).done().starts_with("base "));
}

#[test]
fn sizes_name_what_is_not_looked_after() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "INSERT INTO users (email, full_name) SELECT n || '@x.example', 'X' FROM generate_series(1, 100) n; ANALYZE users;
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_lower_idx'::regclass;",
    );
    let json = project.run(&["db", "size", "--format", "json"]).done();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let find = |list: &str, name: &str| {
        let list = json[list].as_array().expect("a list");
        let found = list.iter().find(|one| one["name"] == name);
        found.expect("there").clone()
    };
    assert_eq!(find("tables", "public.users")["rows"], 100);
    assert_eq!(find("indexes", "public.users_lower_idx")["valid"], false);
    assert_eq!(find("indexes", "public.users_email_key")["guards"], true);
    let text = project.run(&["db", "size"]).done();
    assert!(
        text.contains("INVALID") && text.contains("1 invalid"),
        "{text}"
    );
}

#[test]
fn a_database_that_was_half_dropped_is_dropped_and_made_anew() {
    let (_server, database) = tests::database();
    let url = database.url().with_database("half").to_string();
    let mut project = checkout().shipped();
    project.database = Some(url);
    for (command, code) in [("recreate", 0), ("create", 0), ("drop", 0)] {
        project.run(&["db", "create"]).done();
        // So Postgres marks it before it removes the first file.
        tests::run(
            &database,
            "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half'",
        );
        project
            .run(&["status"])
            .refused(&["invalid database", "`trueup db create`"]);
        project.run(&["db", command]).with(code);
        let wanted = if command == "drop" { "NOT" } else { "" };
        let mut connection = database.connect().expect("a connection");
        assert!(
            tests::holds(
                &mut connection,
                &format!(
                    "{wanted} EXISTS (SELECT FROM pg_database WHERE datname = 'half' AND datconnlimit = -1)"
                )
            ),
            "{command}"
        );
        assert!(
            tests::holds(
                &mut connection,
                "NOT EXISTS (SELECT FROM pg_database WHERE datconnlimit = -2)"
            ),
            "{command}"
        );
    }
}

#[test]
fn backups_of_the_same_second_are_all_kept() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    let running: Vec<_> = (0..3).map(|_| project.run(&["backup"])).collect();
    for ended in running {
        ended.done();
    }
    assert_eq!(dumps(&project.path().join("backups")).len(), 3);
}
