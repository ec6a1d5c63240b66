//! Users who may do little.

use std::fs;

use generator::postgres::scratch::Database;
use tests::checkout::Checkout;

use super::{DROP, checkout, undrafted};

#[test]
fn a_user_whose_statements_may_take_no_time_can_check_and_draft() {
    let (_server, database) = tests::database();
    let project = undrafted().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "ALTER ROLE postgres SET statement_timeout = '20ms'; ALTER ROLE postgres SET idle_in_transaction_session_timeout = '20ms'",
    );
    let _ = project.run(&["check"]).with(1);
    let _ = project
        .run(&["diff", "--from", "database", "--to", "models"])
        .with(1);
    let _ = project.run(&["autogen", "x"]).done();
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
}

/// A user who may connect, and nothing else: not even use a namespace.
fn reader(project: &Checkout, database: &Database) -> Checkout {
    tests::run(
        database,
        "CREATE ROLE reader LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC;",
    );
    let url = database.url().to_string().replace("postgres@", "reader@");
    let mut theirs = checkout();
    // The revoked grants are drift, but not the subject of this test.
    let _ = theirs.file(
        "trueup.toml",
        "exclude = [\"grants on namespace public\"]\n",
    );
    for name in project.folders() {
        let folder = project.path().join("migrations").join(&name);
        let read = |file| fs::read_to_string(folder.join(file)).expect("a file");
        theirs.migration(&name, &read("up.sql"), &read("down.sql"));
    }
    theirs.database = Some(url);
    theirs
}

#[test]
fn whoever_may_read_the_catalog_can_check_and_compare() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let theirs = reader(&project, &database);

    let clean = theirs.run(&["check"]).with(0);
    assert!(
        clean.stdout.contains("migrations and database  in sync"),
        "{clean:?}"
    );
    assert!(
        clean
            .stderr
            .contains("reader may not read public.__diesel_schema_migrations"),
        "{clean:?}"
    );
    // With USAGE on the namespace the record is visible, and still not readable.
    tests::run(&database, "GRANT USAGE ON SCHEMA public TO reader");
    let _ = theirs.run(&["check"]).with(0);
    tests::run(&database, "REVOKE USAGE ON SCHEMA public FROM reader");
    for arguments in [
        ["diff", "--from", "database", "--to", "migrations"],
        ["diff", "--from", "migrations", "--to", "database"],
        ["diff", "--from", "database", "--to", "models"],
    ] {
        let same = theirs.run(&arguments).done();
        assert_eq!(same, "");
    }

    tests::run(
        &database,
        "ALTER TABLE users DROP COLUMN active; CREATE TABLE quick (a int)",
    );
    let drift = theirs.run(&["check"]).with(1);
    for what in ["column public.users.active", "table public.quick"] {
        assert!(drift.stdout.contains(what), "{drift:?}");
    }
    let ended = theirs
        .run(&["diff", "--from", "database", "--to", "migrations"])
        .with(1);
    assert!(ended.stdout.contains("ADD COLUMN active"), "{ended:?}");
    assert!(
        ended.stderr.contains("reader may not read public."),
        "{ended:?}"
    );

    let said = theirs.run(&["autogen", "x"]).refused(&[
        "reader may not read public.__diesel_schema_migrations",
        "GRANT SELECT",
    ]);
    assert!(said.contains("hint:"), "{said}");
    tests::run(
        &database,
        "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON __diesel_schema_migrations TO reader; DROP TABLE quick;
         ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL",
    );
    theirs.migration(DROP.0, DROP.1, DROP.2);
    project.migration(DROP.0, DROP.1, DROP.2);
    project.run(&["upgrade"]).done();
    theirs.run(&["autogen", "x"]).done();
    let up = fs::read_to_string(theirs.newest().join("up.sql")).expect("a file");
    assert!(up.contains("reader may not read public."), "{up}");
}

/// Diesel's own first migration.
const DIESEL: (&str, &str, &str) = (
    "00000000000000_diesel_initial_setup",
    "CREATE OR REPLACE FUNCTION diesel_manage_updated_at(_tbl regclass) RETURNS VOID AS $$
     BEGIN
         EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE PROCEDURE diesel_set_updated_at()', _tbl);
     END;
     $$ LANGUAGE plpgsql;
     CREATE OR REPLACE FUNCTION diesel_set_updated_at() RETURNS trigger AS $$
     BEGIN
         IF (NEW IS DISTINCT FROM OLD AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) THEN
             NEW.updated_at := current_timestamp;
         END IF;
         RETURN NEW;
     END;
     $$ LANGUAGE plpgsql;",
    "DROP FUNCTION diesel_manage_updated_at(_tbl regclass); DROP FUNCTION diesel_set_updated_at();",
);

/// Functions that tables call, functions that are about tables, and what else no kind reads.
const CODE: (&str, &str, &str) = (
    "2030-01-01-000000_code",
    "CREATE DOMAIN positive AS int DEFAULT 1 NOT NULL CONSTRAINT one CHECK (value > 0) CONSTRAINT few CHECK (value < 10);
     COMMENT ON DOMAIN positive IS 'It is.';
     CREATE FUNCTION next_code(p positive) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''x'' || p';
     COMMENT ON FUNCTION next_code(positive) IS 'It''s a code.';
     CREATE TABLE codes (p positive, kind varchar(9) CHECK (kind IN ('a', 'b')), code text DEFAULT next_code(1), updated_at timestamptz,
         CHECK (next_code(p) <> ''), CHECK (length(kind) > 0));
     CREATE INDEX ON codes (next_code(p));
     CREATE FUNCTION all_codes() RETURNS SETOF codes LANGUAGE sql STABLE AS 'SELECT * FROM public.codes';
     CREATE VIEW seen AS SELECT code FROM all_codes();
     SELECT diesel_manage_updated_at('codes');
     ALTER TABLE codes ENABLE ROW LEVEL SECURITY;
     CREATE POLICY p ON codes FOR SELECT USING (next_code(p) = code);
     CREATE PROCEDURE nothing() LANGUAGE plpgsql AS 'BEGIN END';",
    "DROP VIEW seen; DROP FUNCTION all_codes(); DROP TABLE codes; DROP FUNCTION next_code(positive); DROP DOMAIN positive; DROP PROCEDURE nothing();",
);

#[test]
fn whoever_may_connect_can_check_a_database_with_functions() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration(DIESEL.0, DIESEL.1, DIESEL.2);
    project.run(&["upgrade"]).done();
    let theirs = reader(&project, &database);
    let _ = theirs.run(&["check"]).done();
    project.migration(CODE.0, CODE.1, CODE.2);
    theirs.migration(CODE.0, CODE.1, CODE.2);
    project.run(&["upgrade"]).done();
    let clean = theirs.run(&["check"]).done();
    assert!(
        clean.contains("migrations and database  in sync"),
        "{clean}"
    );

    // Differing definitions are read again from a copy.
    tests::run(
        &database,
        "ALTER TABLE codes ALTER code SET DEFAULT next_code(2), DROP CONSTRAINT codes_kind_check,
             ADD CONSTRAINT codes_kind_check CHECK (kind IN ('a', 'c'))",
    );
    let drift = theirs.run(&["check"]).with(1).stdout;
    assert!(drift.contains("2 differences"), "{drift}");
    assert!(
        !drift.contains("not read") && !drift.contains("gone"),
        "{drift}"
    );
    let diff = [
        "diff",
        "--from",
        "database",
        "--to",
        "migrations",
        "--ignore-unread",
    ];
    let sql = theirs.run(&diff).with(1).stdout;
    assert!(sql.contains("SET DEFAULT public.next_code((1)"), "{sql}");
}

#[test]
fn what_is_left_out_is_no_reason_to_stop() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE ROLE app LOGIN; CREATE ROLE auditor; CREATE SCHEMA audit;
         CREATE TABLE audit.log (id int, user_id bigint REFERENCES users (id));
         CREATE AGGREGATE audit.total(int) (sfunc = int4pl, stype = int);
         CREATE FUNCTION audit.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
         CREATE TRIGGER t BEFORE INSERT ON audit.log FOR EACH ROW EXECUTE FUNCTION audit.f();
         ALTER TABLE audit.log OWNER TO auditor;
         ALTER TABLE users OWNER TO app; ALTER TABLE equipment OWNER TO app; ALTER TABLE devices OWNER TO app;
         ALTER TABLE calibrations OWNER TO app; ALTER TABLE readings OWNER TO app; GRANT SELECT ON __diesel_schema_migrations TO app;
         ALTER TABLE users DROP COLUMN active",
    );
    let mut theirs = reader(&project, &database);
    theirs.database = Some(database.url().to_string().replace("postgres@", "app@"));
    tests::run(&database, "GRANT USAGE ON SCHEMA public TO app");
    let _ = theirs.file("trueup.toml", "exclude = ['audit.*', 'namespace audit']\n");
    let drift = theirs.run(&["check"]).with(1).stdout;
    assert!(drift.contains("1 difference"), "{drift}");
    for from in ["database", "migrations"] {
        let diff = ["diff", "--from", from, "--to", "models"];
        let ended = theirs.run(&diff);
        assert_eq!(ended.code, Some(i32::from(from == "database")), "{ended:?}");
        assert!(!ended.stdout.contains("audit"), "{ended:?}");
    }
    tests::run(
        &database,
        "ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL",
    );
    theirs.migration(DROP.0, DROP.1, DROP.2);
    project.migration(DROP.0, DROP.1, DROP.2);
    project.run(&["upgrade"]).done();
    theirs.run(&["autogen", "x"]).done();
}

#[test]
fn what_only_pg_dump_could_copy_asks_for_more_rights() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int); ALTER TABLE users DROP COLUMN active",
    );
    let theirs = reader(&project, &database);
    let drift = theirs.run(&["check"]).with(1);
    assert!(
        drift.stdout.contains("column public.users.active"),
        "{drift:?}"
    );
    theirs
        .run(&[
            "diff",
            "--from",
            "database",
            "--to",
            "models",
            "--ignore-unread",
        ])
        .refused(&[
            "reader may not read public.",
            "GRANT pg_read_all_data TO reader",
            "what only pg_dump can copy, with `exclude` in trueup.toml: aggregate public.total(integer)",
        ]);
}
