//! Refusals: a clear message, exit code 2, and nothing is lost.

use generator::postgres::connection::connect;
use tests::checkout::Checkout;

use crate::checkout;

/// All commands that ask the database, and what they need beside it.
const ASKING: &[&[&str]] = &[
    &["autogen", "x"],
    &["upgrade"],
    &["downgrade"],
    &["stamp", "head"],
    &["check"],
    &["current"],
    &["status"],
    &["redo"],
    &["rebase"],
];

#[test]
fn a_program_without_models_is_refused() {
    let project = Checkout::new(env!("CARGO_BIN_EXE_modelless"));
    for command in [
        &["autogen", "x"][..],
        &["check"],
        &["inspect", "models"],
        &["diff", "--from", "migrations", "--to", "models"],
    ] {
        std::fs::create_dir_all(project.path().join("migrations")).expect("a folder");
        project
            .run(command)
            .refused(&["there are no models in this program"]);
    }
    assert_eq!(project.folders().len(), 0);
}

#[test]
fn an_unreachable_database_is_named_without_its_password() {
    let mut project = checkout().shipped();
    let url = "postgres://me:s3cret@127.0.0.1:1/shop";
    project.database = Some(url.to_owned());
    let folders = project.folders();

    for command in ASKING {
        for verbose in [false, true] {
            let more: &[&str] = if verbose { &["--verbose"] } else { &[] };
            let said = project
                .run(&[command, more].concat())
                .refused(&["cannot reach the database at postgres://me:***@127.0.0.1:1/shop"]);
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
    let said = project
        .run(&["diff", "--from", url, "--to", "models"])
        .refused(&["me:***@"]);
    assert!(!said.contains("s3cret"), "{said}");
    assert_eq!(project.folders(), folders);

    project.run(&["check", "--offline"]).done();
    // The list is on disk; only what is applied is not known.
    let history = project.run(&["history", "--verbose"]).with(0);
    assert!(history.stdout.contains(&folders[0]), "{history:?}");
    assert!(history.stderr.contains("me:***@") && !history.stderr.contains("s3cret"));
}

#[test]
fn a_connection_string_that_is_none_is_not_repeated() {
    let mut project = checkout().shipped();
    for wrong in [
        "postgres://me:s3c%ret@h/db",
        "host=h password=s3c ret",
        "mysql://me:s3c@h/db",
    ] {
        project.database = Some(wrong.to_owned());
        let said = project
            .run(&["check"])
            .refused(&["DATABASE_URL", "no connection string"]);
        assert!(!said.contains("s3c"), "{said}");
    }
    for misspelt in ["host=h passwort=s3cret", "postgres://h/db?passwort=s3cret"] {
        project.database = Some(misspelt.to_owned());
        let said = project.run(&["check", "--verbose"]).refused(&["passwort"]);
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_wrong_password_is_called_so_and_not_shown() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped();
    tests::run(
        &database,
        "CREATE USER guest PASSWORD 'right';
         DO $$ BEGIN
             EXECUTE format('COPY (SELECT ''local all all scram-sha-256'') TO %L', current_setting('hba_file'));
         END $$;
         SELECT pg_reload_conf()",
    );
    let url = database.url().to_string();
    let with = |password: &str| url.replace("postgres@", &format!("guest:{password}@"));
    let wrong = generator::postgres::url::Url::parse(&with("s3cret")).expect("a URL");
    // The server reads the file in its own time.
    tests::checkout::until("passwords are asked for", || connect(&wrong).is_err());

    project.database = Some(with("s3cret"));
    for command in ASKING {
        let verbosely = [command, &["--verbose"][..]].concat();
        let said = project
            .run(&verbosely)
            .refused(&["does not accept the password"]);
        assert!(!said.contains("s3cret"), "{said}");
    }
    project.database = Some(with("right"));
    let current = project.run(&["current", "--verbose"]).with(0);
    assert!(!format!("{current:?}").contains("right"), "{current:?}");
}

#[test]
fn an_unknown_version_is_answered_with_those_that_are_near() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let name = &project.folders()[0];
    for command in ["upgrade", "downgrade", "stamp"] {
        project
            .run(&[command, "2026-11-21-999999"])
            .refused(&["there is no migration 2026-11-21-999999", name]);
    }
    assert!(project.run(&["current"]).done().starts_with("base "));
    project
        .run(&["upgrade", "-1"])
        .refused(&["use `downgrade` to go back"]);
    project
        .run(&["upgrade", "+2"])
        .refused(&["2 migrations were asked for"]);
}

#[test]
fn a_broken_migration_is_named_with_line_and_statement() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let broken = "CREATE TABLE fine ();\n\n-- twice\nCREATE TABLE users ();\n";
    project.migration("2030-01-01-000000_broken", broken, "SELECT 1;");
    let words = [
        "2030-01-01-000000_broken/up.sql:4: relation \"users\" already exists",
        "statement: CREATE TABLE users ()",
    ];

    let offline = [
        &["check", "--offline"][..],
        &["autogen", "x", "--from", "migrations"],
    ];
    for command in offline {
        project.run(command).refused(&words);
    }
    let said = project.run(&["upgrade"]).refused(&words);
    assert!(said.contains("rolled back as a whole"), "{said}");
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "to_regclass('fine') IS NULL"));
    let current = project.run(&["current"]).done();
    assert!(
        current.contains("pending: 2030-01-01-000000_broken"),
        "{current}"
    );
    assert_eq!(project.folders().len(), 2);

    std::fs::remove_file(project.newest().join("up.sql")).expect("a file");
    project
        .run(&["upgrade"])
        .refused(&["2030-01-01-000000_broken has no up.sql"]);
}

#[test]
fn any_message_becomes_a_folder_or_is_refused() {
    let project = checkout();
    for nothing in ["", "  ", "/ .. '"] {
        project
            .run(&["autogen", nothing])
            .refused(&["no letter or digit"]);
    }
    assert!(project.folders().is_empty());

    let message = format!("../it's \"a\"; DROP\n-- {}", "é".repeat(300));
    project.run(&["autogen", &message]).done();
    let folders = project.folders();
    assert_eq!(folders.len(), 1);
    assert!(folders[0].contains("_it_s_a_drop_é"), "{folders:?}");
    assert!(folders[0].len() < 120, "{folders:?}");
    project.run(&["check"]).done();
    let history = project.run(&["history", "--verbose"]).done();
    assert!(history.contains("../it's \"a\"; DROP -- éé"), "{history}");
}

#[test]
fn autogen_refuses_while_migrations_are_pending() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let folders = project.folders();
    project.run(&["autogen", "x"]).refused(&[
        "not applied to the database yet",
        &folders[0],
        "`trueup upgrade` first",
        "`trueup recreate 'create the laboratory'` writes it anew",
    ]);
    assert_eq!(project.folders(), folders);
}

#[test]
fn a_pending_migration_older_than_an_applied_one_needs_a_word() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let old = "2020-01-01-000000_late";
    project.migration(old, "CREATE TABLE late ();", "DROP TABLE late;");

    project
        .run(&["upgrade"])
        .refused(&[old, "--allow-out-of-order"]);
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "to_regclass('late') IS NULL"));
    assert!(
        project
            .run(&["current"])
            .done()
            .contains(&format!("out of order: {old}"))
    );
    let said = project.run(&["upgrade", "--allow-out-of-order"]).done();
    assert!(said.contains(&format!("applied  {old}")), "{said}");
    assert!(tests::holds(
        &mut connection,
        "to_regclass('late') IS NOT NULL"
    ));
}

#[test]
fn a_policy_in_the_way_is_named_and_nothing_is_touched() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let shorter = "ALTER TABLE users ALTER full_name TYPE varchar(80);";
    project.migration("2030-01-01-000000_shorter", shorter, "SELECT 1;");
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE POLICY named ON users USING (full_name <> '')",
    );
    let folders = project.folders();

    project.run(&["autogen", "text again"]).refused(&[
        "not yet: ",
        "column public.users.full_name",
        "policy named on public.users",
    ]);
    assert_eq!(project.folders(), folders);
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(
        &mut connection,
        "EXISTS (SELECT FROM pg_policy WHERE polname = 'named')"
    ));
}

#[test]
fn a_view_that_no_migration_made_is_not_taken_down() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let shorter = "ALTER TABLE users ALTER full_name TYPE varchar(80);";
    project.migration("2030-01-01-000000_shorter", shorter, "SELECT 1;");
    project.run(&["upgrade"]).done();
    let names = "CREATE VIEW names AS SELECT full_name FROM users;";
    tests::run(&database, names);

    project
        .run(&["autogen", "text again"])
        .refused(&["view public.names", "no migration made"]);
    let made = "2030-01-01-000001_names";
    project.migration(made, names, "DROP VIEW names;");
    project.run(&["stamp", "head"]).done();
    project.run(&["autogen", "text again"]).done();
    project.run(&["upgrade"]).done();
    let clean = project.run(&["check"]).done();
    assert!(
        clean.contains("migrations and database  in sync"),
        "{clean}"
    );
}
