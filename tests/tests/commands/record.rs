//! One record of applied migrations, wherever it is and whatever the search path.

use generator::postgres::scratch::Database;
use tests::checkout::Checkout;

use crate::checkout;

fn holds(database: &Database, condition: &str) -> bool {
    tests::holds(&mut database.connect().expect("a connection"), condition)
}

/// The versions in the one record of this database, which is in a namespace.
fn recorded(database: &Database, namespace: &str, versions: &[&str]) -> bool {
    let versions = versions.join("', '");
    holds(
        database,
        &format!(
            "(SELECT array_agg(version::text ORDER BY version) FROM {namespace}.__diesel_schema_migrations) = ARRAY['{versions}']
             AND (SELECT count(*) = 1 FROM pg_class WHERE relname = '__diesel_schema_migrations' AND relkind = 'r')"
        ),
    )
}

const FIRST: &str = "20300101000000";
const SECOND: &str = "20300102000000";

/// A migration that makes a namespace, and one that would notice if the first one were applied twice.
fn project(database: &Database, namespace: &str) -> Checkout {
    let project = checkout().on(database);
    project.migration(
        "2030-01-01-000000_first",
        &format!(
            "CREATE SCHEMA IF NOT EXISTS {namespace}; CREATE TABLE IF NOT EXISTS public.t (n int); INSERT INTO public.t VALUES (1);"
        ),
        &format!("DROP TABLE public.t; DROP SCHEMA {namespace};"),
    );
    project
}

fn second(project: &Checkout) {
    project.migration(
        "2030-01-02-000000_second",
        "INSERT INTO public.t VALUES (2);",
        "DELETE FROM public.t WHERE n = 2;",
    );
}

#[test]
fn a_namespace_called_like_the_user_brings_no_second_record() {
    let (_server, database) = tests::database();
    let project = project(&database, "postgres");
    project.run(&["upgrade"]).done();
    let again = project.run(&["upgrade"]).done();
    assert!(again.contains("nothing to apply"), "{again}");
    second(&project);
    project.run(&["upgrade"]).done();
    assert!(recorded(&database, "public", &[FIRST, SECOND]));
    assert!(holds(&database, "(SELECT count(*) = 2 FROM public.t)"));
    let status = project.run(&["status"]).done();
    assert!(status.contains("in order"), "{status}");
    let current = project.run(&["current"]).done();
    assert!(current.contains("_second"), "{current}");
    let healthy = project.run(&["health"]).done();
    assert!(healthy.contains("healthy"), "{healthy}");

    project.run(&["redo"]).done();
    assert!(recorded(&database, "public", &[FIRST, SECOND]));
    project.run(&["downgrade"]).done();
    assert!(recorded(&database, "public", &[FIRST]));
    project.run(&["stamp", "head", "--yes"]).done();
    assert!(recorded(&database, "public", &[FIRST, SECOND]));
    project.run(&["db", "reset", "--yes"]).done();
    assert!(recorded(&database, "public", &[FIRST, SECOND]));
    assert!(holds(&database, "(SELECT count(*) = 2 FROM public.t)"));
    let dump = project.path().join("a.dump").display().to_string();
    project.run(&["backup", &dump]).done();
    project.run(&["restore", &dump, "--over", "--yes"]).done();
    assert!(recorded(&database, "public", &[FIRST, SECOND]));
    let doctor = project.run(&["doctor"]).done();
    assert!(
        doctor.contains("public.__diesel_schema_migrations")
            && doctor.contains("make a second record there"),
        "{doctor}"
    );
}

#[test]
fn two_records_are_an_error_that_names_both() {
    let (_server, database) = tests::database();
    let project = project(&database, "postgres");
    project.run(&["upgrade"]).done();
    second(&project);
    tests::run(
        &database,
        "CREATE TABLE postgres.__diesel_schema_migrations (LIKE public.__diesel_schema_migrations INCLUDING ALL)",
    );
    tests::run(&database, "CREATE ROLE blind LOGIN");
    for arguments in [
        &["upgrade"][..],
        &["upgrade", "--dry-run"],
        &["downgrade"],
        &["redo"],
        &["stamp", "head", "--yes"],
        &["status"],
        &["current"],
        &["check"],
        &["db", "reset", "--yes"],
    ] {
        project.run(arguments).refused(&[
            "more than one record of applied migrations",
            "postgres.__diesel_schema_migrations (empty)",
            "public.__diesel_schema_migrations (1 version)",
            "DROP TABLE postgres.__diesel_schema_migrations, which is empty",
        ]);
    }
    for command in ["health", "doctor"] {
        let ended = project.run(&[command]).with(1);
        assert!(
            format!("{}{}", ended.stdout, ended.stderr).contains("more than one record"),
            "{command}: {ended:?}"
        );
    }
    assert!(holds(&database, "(SELECT count(*) = 1 FROM public.t)"));

    // A user who may not read one of the records is told of both.
    tests::run(
        &database,
        "GRANT SELECT ON public.__diesel_schema_migrations TO blind",
    );
    let mut blind = project;
    blind.database = Some(database.url().to_string().replace("postgres@", "blind@"));
    blind.run(&["status"]).refused(&[
        "postgres.__diesel_schema_migrations (not for this user to read)",
        "public.__diesel_schema_migrations (1 version)",
        "find out which one",
    ]);
    tests::run(
        &database,
        "DROP TABLE postgres.__diesel_schema_migrations; DROP OWNED BY blind; DROP ROLE blind",
    );
    let project = blind.on(&database);
    project.run(&["upgrade"]).done();
    assert!(recorded(&database, "public", &[FIRST, SECOND]));
}

#[test]
fn the_record_is_found_where_no_search_path_leads() {
    let (_server, database) = tests::database();
    let project = project(&database, "meta");
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "ALTER TABLE __diesel_schema_migrations SET SCHEMA meta; CREATE SCHEMA app",
    );
    let again = project.run(&["upgrade"]).done();
    assert!(again.contains("nothing to apply"), "{again}");
    second(&project);
    project.run(&["upgrade"]).done();
    assert!(recorded(&database, "meta", &[FIRST, SECOND]));
    assert!(
        project.run(&["status"]).done().contains("in order"),
        "in order"
    );
    // Later settings of the sessions change nothing.
    for setting in [
        "ALTER DATABASE postgres SET search_path = app, public",
        "ALTER ROLE postgres SET search_path = ''",
    ] {
        let name = database.url().database().expect("a name");
        tests::run(
            &database,
            &setting.replace("DATABASE postgres", &format!("DATABASE \"{name}\"")),
        );
        let again = project.run(&["upgrade"]).done();
        assert!(again.contains("nothing to apply"), "{again}");
        project.run(&["redo"]).done();
        assert!(recorded(&database, "meta", &[FIRST, SECOND]), "{setting}");
    }
    tests::run(&database, "ALTER ROLE postgres RESET search_path");
    // A view where it was shows the same rows, so that Diesel's own runner goes on.
    tests::run(
        &database,
        "CREATE VIEW public.__diesel_schema_migrations AS TABLE meta.__diesel_schema_migrations",
    );
    project.run(&["downgrade"]).done();
    assert!(recorded(&database, "meta", &[FIRST]));
    // One that shows something else is another record.
    tests::run(
        &database,
        "CREATE OR REPLACE VIEW public.__diesel_schema_migrations AS SELECT 'x'::varchar(50) AS version, now()::timestamp AS run_on, NULL::text AS trueup_hash",
    );
    project.run(&["upgrade"]).refused(&[
        "more than one record",
        "meta.__diesel_schema_migrations (1 version)",
    ]);
}

#[test]
fn a_migration_may_do_what_it_likes_with_the_path_and_the_record() {
    for (up, down, namespace) in [
        (
            "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.a ();",
            "SET search_path = ''; DROP TABLE public.a;",
            "public",
        ),
        (
            "CREATE SCHEMA meta; ALTER TABLE __diesel_schema_migrations SET SCHEMA meta;",
            "ALTER TABLE meta.__diesel_schema_migrations SET SCHEMA public; DROP SCHEMA meta;",
            "meta",
        ),
        (
            "CREATE SCHEMA postgres; SET search_path = postgres; CREATE TABLE a ();",
            "DROP SCHEMA postgres CASCADE; SET search_path = nowhere;",
            "public",
        ),
        (
            "CREATE TEMPORARY TABLE __diesel_schema_migrations (version text);",
            "SELECT 1;",
            "public",
        ),
    ] {
        let (_server, database) = tests::database();
        let project = checkout().on(&database);
        project.migration("2030-01-01-000000_first", up, down);
        project.migration("2030-01-02-000000_second", "SELECT 1;", "SELECT 1;");
        project.run(&["upgrade"]).done();
        assert!(recorded(&database, namespace, &[FIRST, SECOND]), "{up}");
        project.run(&["upgrade"]).done();
        project.run(&["redo", "-2"]).done();
        project.run(&["prove"]).done();
        project.run(&["downgrade", "base"]).done();
        assert!(
            holds(
                &database,
                "(SELECT count(*) = 0 FROM public.__diesel_schema_migrations)"
            ),
            "{up}"
        );
        project.run(&["upgrade"]).done();
        assert!(recorded(&database, namespace, &[FIRST, SECOND]), "{up}");
    }
}

#[test]
fn what_only_has_the_name_is_no_record() {
    let (_server, database) = tests::database();
    let project = project(&database, "app");
    tests::run(&database, "CREATE SEQUENCE __diesel_schema_migrations");
    project.run(&["upgrade"]).refused(&[
        "no table in which migrations could be recorded",
        "rename it",
    ]);
    tests::run(
        &database,
        "DROP SEQUENCE __diesel_schema_migrations; CREATE TABLE __diesel_schema_migrations (n int)",
    );
    project
        .run(&["upgrade"])
        .refused(&["public.__diesel_schema_migrations is there, and is no table"]);
    tests::run(
        &database,
        "DROP TABLE __diesel_schema_migrations; CREATE SCHEMA other; CREATE SEQUENCE other.__diesel_schema_migrations",
    );
    project.run(&["upgrade"]).done();
    assert!(recorded(&database, "public", &[FIRST]));
}

#[test]
fn a_reset_empties_a_record_that_stands_elsewhere() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.migration(
        "2030-01-01-000000_first",
        "CREATE TABLE public.t ();",
        "DROP TABLE public.t;",
    );
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE SCHEMA meta; ALTER TABLE __diesel_schema_migrations SET SCHEMA meta",
    );
    project.run(&["db", "reset", "--yes"]).done();
    assert!(recorded(&database, "meta", &[FIRST]));
    assert!(holds(&database, "to_regclass('public.t') IS NOT NULL"));
}

#[test]
fn what_was_applied_is_remembered_with_the_record() {
    let (_server, database) = tests::database();
    let project = project(&database, "app");
    project.run(&["upgrade"]).done();
    let hashed = "(SELECT count(trueup_hash) = count(*) FROM __diesel_schema_migrations)";
    assert!(holds(&database, hashed));
    // An upgrade adds the column again after somebody dropped it.
    tests::run(
        &database,
        "ALTER TABLE __diesel_schema_migrations DROP COLUMN trueup_hash",
    );
    second(&project);
    project.run(&["upgrade"]).done();
    assert!(holds(
        &database,
        "(SELECT count(trueup_hash) = 1 FROM __diesel_schema_migrations)"
    ));
    project.run(&["redo", "-2"]).done();
    assert!(holds(&database, hashed));
}

#[test]
fn a_script_records_in_the_record_wherever_it_is() {
    let (project, database) = tests::database();
    let psql = project.binaries.psql().expect("psql");
    let url = database.url().as_secret_str().to_owned();
    let own = checkout().on(&database);
    own.migration(
        "2030-01-01-000000_a",
        "CREATE SCHEMA postgres; CREATE TABLE public.a ();",
        "DROP TABLE public.a; DROP SCHEMA postgres;",
    );
    own.migration(
        "2030-01-02-000000_b",
        "SET LOCAL search_path = postgres; CREATE TABLE public.b ();",
        "DROP TABLE public.b;",
    );
    own.migration(
        "2030-01-03-000000_c",
        "CREATE TABLE public.c ();",
        "DROP TABLE public.c;",
    );
    let play = |arguments: &[&str]| {
        let sql = own.run(&[&["upgrade", "--sql"], arguments].concat()).done();
        let file = own.file("all.sql", &sql);
        let words = [
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            &url,
            "--file",
            &file,
        ];
        let ran = std::process::Command::new(&psql)
            .args(words)
            .output()
            .expect("psql");
        (
            ran.status.success(),
            String::from_utf8_lossy(&ran.stderr).into_owned(),
        )
    };
    let (_, said) = play(&["--from", "2030-01-02"]);
    assert!(said.contains("no record of applied migrations"), "{said}");
    assert_eq!(play(&["2030-01-02"]), (true, String::new()));
    // By now a session's tables are made in another namespace.
    assert_eq!(play(&["--from", "2030-01-02"]), (true, String::new()));
    assert!(own.run(&["status"]).done().contains("in order"));
    tests::run(
        &database,
        "ALTER TABLE __diesel_schema_migrations SET SCHEMA postgres; DELETE FROM __diesel_schema_migrations WHERE version = '20300103000000'; DROP TABLE public.c",
    );
    assert_eq!(play(&["--from", "2030-01-02"]), (true, String::new()));
    assert!(own.run(&["status"]).done().contains("in order"));
    tests::run(
        &database,
        "CREATE TABLE public.__diesel_schema_migrations (version varchar(50))",
    );
    let (_, said) = play(&[]);
    assert!(said.contains("more than one record"), "{said}");
}
