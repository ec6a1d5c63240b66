//! The scratch is like the live server: roles, settings, extensions, and what a platform brings.

use std::fs;

use diesel::connection::SimpleConnection;
use generator::postgres::{
    scratch::{Database, Locale},
    url::Url,
};
use tests::checkout::Checkout;

use crate::checkout;

fn holds(database: &Database, condition: &str) -> bool {
    tests::holds(&mut database.connect().expect("a connection"), condition)
}

/// Runs each statement by itself, as some cannot run in a transaction.
fn each(database: &Database, statements: &[&str]) {
    let mut connection = database.connect().expect("a connection");
    for sql in statements {
        connection.batch_execute(sql).expect(sql);
    }
}

/// A project without models whose comparisons are of SQL alone.
fn same(project: &Checkout, from: &str, to: &str) {
    let ended = project
        .run(&["diff", "--from", from, "--to", to, "--ignore-unread"])
        .with(0);
    assert_eq!(ended.stdout, "", "{}", ended.stderr);
}

const ROLES: &str = "
    CREATE ROLE app_owner;
    CREATE ROLE app_login LOGIN PASSWORD 'x;y' IN ROLE app_owner;
    CREATE TABLE things (id integer PRIMARY KEY);
    GRANT SELECT ON things TO app_rw, app_login;
    ALTER TABLE things ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON things TO app_rw USING (id > 0);
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app_ro;
    ALTER TABLE things OWNER TO app_owner;
    SET ROLE app_other;
    RESET ROLE;
    ALTER DATABASE shop SET statement_timeout = '1min';
    GRANT CONNECT ON DATABASE shop TO app_rw;
    COMMENT ON DATABASE shop IS 'the shop';
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_guarded') THEN CREATE ROLE app_guarded; END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO app_guarded', current_database());
    END $$;";
const ROLES_BACK: &str = "
    DROP TABLE things;
    ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM app_ro;
    DROP ROLE app_login, app_owner;";

#[test]
fn migrations_that_presume_roles_and_the_databases_name_replay_again_and_again() {
    let mut project = checkout();
    project.migration("2030-01-01-000000_first", ROLES, ROLES_BACK);
    project.migration(
        "2030-01-02-000000_second",
        "ALTER ROLE app_login RENAME TO app_in; COMMENT ON ROLE app_in IS 'in'; GRANT app_owner TO app_in;",
        "ALTER ROLE app_in RENAME TO app_login;",
    );
    project.database = None;
    // Each replays several times on one server.
    same(&project, "migrations", "migrations:migrations");
    let file = project.file("schema.sql", ROLES);
    same(&project, &file, &file);
}

#[test]
fn what_is_made_on_somebody_elses_server_is_taken_away_again() {
    let (_server, database) = tests::database();
    each(
        &database,
        &[
            "CREATE ROLE app_owner LOGIN",
            "CREATE DATABASE shop",
            "COMMENT ON DATABASE shop IS 'theirs'",
            "CREATE DATABASE theirs OWNER app_owner",
        ],
    );
    let mut project = checkout();
    project.migration(
        "2030-01-01-000000_first",
        &format!("{ROLES} ALTER ROLE app_owner NOLOGIN; REASSIGN OWNED BY app_owner TO app_login; DROP DATABASE IF EXISTS theirs;"),
        "",
    );
    project.database = None;
    let url = database.url().as_secret_str().to_owned();
    let ended = project
        .run(&[
            "diff",
            "--from",
            "migrations",
            "--to",
            "migrations:migrations",
            "--ignore-unread",
            "--scratch-url",
            &url,
        ])
        .with(0);
    assert_eq!(ended.stdout, "", "{}", ended.stderr);
    for condition in [
        "NOT EXISTS (SELECT FROM pg_roles WHERE rolname IN ('app_rw', 'app_login', 'app_ro', 'app_other', 'app_guarded'))",
        "(SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app_owner')",
        "(SELECT shobj_description(oid, 'pg_database') = 'theirs' FROM pg_database WHERE datname = 'shop')",
        "EXISTS (SELECT FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE datname = 'theirs' AND rolname = 'app_owner')",
        "NOT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = 'shop')",
        "NOT EXISTS (SELECT FROM pg_database WHERE datname LIKE 'trueup_scratch%')",
    ] {
        assert!(holds(&database, condition), "{condition}");
    }
}

#[test]
fn a_role_that_cannot_be_made_is_named_with_the_ways_out() {
    let (_server, database) = tests::database();
    each(&database, &["CREATE ROLE maker LOGIN CREATEDB"]);
    let mut project = checkout();
    project.migration(
        "2030-01-01-000000_first",
        "CREATE TABLE t (); GRANT SELECT ON t TO app_rw;",
        "",
    );
    project.database = None;
    let url = as_user(&database, "maker");
    project
        .run(&[
            "diff",
            "--from",
            "migrations",
            "--to",
            "migrations:migrations",
            "--scratch-url",
            &url,
        ])
        .refused(&["role app_rw", "CREATEROLE"]);
    let doctor = project
        .run(&["doctor", "--scratch-url", &url])
        .with(1)
        .stdout;
    assert!(doctor.contains("role app_rw"), "{doctor}");
}

/// The URL of a database for another user, who gets in without a password.
fn as_user(database: &Database, user: &str) -> String {
    let url = database.url().as_secret_str().to_owned();
    let at = url.replacen("postgres://postgres@", &format!("postgres://{user}@"), 1);
    assert_ne!(at, url);
    Url::parse(&at).expect("a URL").as_secret_str().to_owned()
}

const UNQUALIFIED: &str = "CREATE TABLE things (id integer PRIMARY KEY, name text);";

#[test]
fn the_search_path_of_the_live_database_counts() {
    for (namespace, statement, first) in [
        (
            "app",
            "ALTER DATABASE it SET search_path TO app, public",
            "CREATE SCHEMA IF NOT EXISTS app;",
        ),
        (
            "app",
            "ALTER ROLE me SET search_path TO \"app\"",
            "CREATE SCHEMA IF NOT EXISTS app;",
        ),
        // Somebody made it by hand.
        (
            "app",
            "ALTER ROLE me IN DATABASE it SET search_path = app,public",
            "",
        ),
        // The name of the user is the first namespace by default.
        (
            "me",
            "ALTER SCHEMA app RENAME TO me",
            "CREATE SCHEMA IF NOT EXISTS me;",
        ),
        ("me", "ALTER SCHEMA app RENAME TO me", ""),
    ] {
        let (_server, database) = tests::database();
        let it = database.name();
        let grant = format!("GRANT CREATE ON DATABASE {it} TO me");
        each(
            &database,
            &[
                "CREATE ROLE me LOGIN SUPERUSER",
                &grant,
                "CREATE SCHEMA app AUTHORIZATION me",
            ],
        );
        let sql = statement.replace("DATABASE it", &format!("DATABASE {it}"));
        each(&database, &[&sql]);
        let mut project = checkout();
        project.database = Some(as_user(&database, "me"));
        project.migration(
            "2030-01-01-000000_first",
            &format!("{first} {UNQUALIFIED}"),
            "DROP TABLE things;",
        );
        project.run(&["upgrade"]).done();
        assert!(holds(
            &database,
            &format!("to_regclass('{namespace}.things') IS NOT NULL")
        ));
        same(&project, "migrations", "database");
        same(&project, "database", "migrations");
        let check = project.run(&["check"]).with(1);
        assert!(
            check.stdout.contains("migrations and database  in sync"),
            "{}",
            check.stdout
        );
        // Without the database, the file says it.
        let _ = project.file(
            "trueup.toml",
            &format!("[scratch]\nsearch_path = '{namespace}, public'\n"),
        );
        if !first.is_empty() {
            let url = project.database.take().expect("a URL");
            project.run(&["inspect", "migrations"]).done();
            same(&project, "migrations", &url);
        }
    }
}

#[test]
fn a_migration_that_alters_the_database_counts_for_those_after_it() {
    let (_server, database) = tests::database();
    let mut project = checkout().on(&database);
    let it = database.name();
    for path in [
        format!("ALTER DATABASE {it} SET search_path TO app, public;"),
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO app, public', current_database()); END $$;".to_owned(),
    ] {
        project.migration(
            "2030-01-01-000000_path",
            // The first is for sessions to come.
            &format!("CREATE SCHEMA app; {path} SET search_path TO app, public;"),
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET search_path', current_database()); END $$; DROP SCHEMA app;",
        );
        project.migration(
            "2030-01-02-000000_table",
            "CREATE TABLE app.things (id integer PRIMARY KEY);",
            "DROP TABLE things;",
        );
        project.migration(
            "2030-01-03-000000_column",
            "ALTER TABLE things ADD COLUMN name text;",
            "ALTER TABLE things DROP COLUMN name;",
        );
        let check = project.run(&["check", "--prove"]).with(1);
        assert!(check.stdout.contains("pending  3 migrations"), "{check:?}");
        assert!(!check.stdout.contains("up and down"), "{check:?}");
    }
    let url = project.database.take();
    let check = project.run(&["check", "--prove"]).with(1);
    assert!(!check.stdout.contains("up and down"), "{check:?}");
    project.database = url;
    // The role's own search_path takes precedence, on the live server too.
    each(
        &database,
        &["ALTER ROLE CURRENT_USER SET search_path TO public"],
    );
    let check = project.run(&["check", "--prove"]).with(2);
    assert!(
        check.stderr.contains("relation \"things\" does not exist"),
        "{check:?}"
    );
}

#[test]
fn the_embedded_database_has_the_roles_that_migrations_presume() {
    let project = checkout();
    project.migration(
        "2030-01-01-000000_first",
        "CREATE TABLE t (id integer PRIMARY KEY); GRANT SELECT ON t TO app_ro; CREATE ROLE made; GRANT SELECT ON t TO made;",
        "DROP TABLE t; DROP ROLE made;",
    );
    let _ = project.file("trueup.toml", "[scratch]\nroles = ['service']\n");
    project.run(&["upgrade"]).done();
    project.run(&["redo"]).done();
    project.migration(
        "2030-01-02-000000_second",
        "DO $$ BEGIN GRANT SELECT ON t TO service; END $$; GRANT SELECT ON t TO newcomer;",
        "SELECT 1;",
    );
    project.run(&["upgrade"]).done();
}

const UNACCENT: &str = "
    CREATE EXTENSION unaccent;
    CREATE FUNCTION immutable_unaccent(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
        AS $$ SELECT unaccent('unaccent', $1) $$;
    CREATE TABLE people (
        id integer PRIMARY KEY,
        name text CHECK (immutable_unaccent(name) <> ''),
        plain text GENERATED ALWAYS AS (immutable_unaccent(name)) STORED
    );
    INSERT INTO people VALUES (1, 'Zoë');
    CREATE MATERIALIZED VIEW plain AS SELECT immutable_unaccent(name) AS name FROM people;";
const INDEX: &str = "CREATE INDEX people_name ON people (immutable_unaccent(name));";

#[test]
fn functions_that_name_others_without_their_namespace_work() {
    let (server, database) = tests::database();
    let scratch = server.scratch(None).expect("a scratch");
    tests::run(&database, UNACCENT);
    if scratch.major() < 17 {
        // From 17 on Postgres itself makes no such index.
        tests::run(&database, INDEX);
    }
    let to = scratch.create(&Locale::default()).expect("a database");
    tests::run(&to, UNACCENT);
    tests::run(
        &to,
        "ALTER TABLE people ADD born date; CREATE INDEX ON people (born);",
    );
    let project = checkout().on(&database);
    let url = to.url().as_secret_str().to_owned();
    let ended = project
        .run(&[
            "diff",
            "--from",
            "database",
            "--to",
            &url,
            "--ignore-unread",
        ])
        .with(1);
    assert!(ended.stdout.contains("ADD COLUMN born"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("not tried"), "{}", ended.stderr);
    tests::run(&database, &ended.stdout);
    same(&project, "database", &url);
}

/// Makes an extension on a server and takes its files away from every other: it is known to this database alone.
fn strange_extension(database: &Database) {
    // An extension is a row: no file of it has to be anywhere for those who only read it.
    each(
        database,
        &[
            "CREATE EXTENSION hstore",
            "SET allow_system_table_mods = on; UPDATE pg_extension SET extname = 'strange' WHERE extname = 'hstore'",
        ],
    );
}

#[test]
fn an_extension_that_the_scratch_lacks_is_left_out_where_nothing_needs_it() {
    let (server, database) = tests::database();
    strange_extension(&database);
    tests::run(
        &database,
        "CREATE TABLE t (a integer); CREATE TABLE excluded (h hstore);",
    );
    let to = server
        .scratch(None)
        .expect("a scratch")
        .create(&Locale::default());
    let to = to.expect("a database");
    tests::run(&to, "CREATE TABLE t (a integer, b text);");
    let project = checkout().on(&database);
    let url = to.url().as_secret_str().to_owned();
    let diff = [
        "diff",
        "--from",
        "database",
        "--to",
        &url,
        "--ignore-unread",
    ];
    let _ = project.file(
        "trueup.toml",
        "exclude = ['extension *', 'public.excluded']\n",
    );
    let ended = project.run(&diff).with(1);
    assert!(
        ended.stderr.contains("extension strange"),
        "{}",
        ended.stderr
    );
    let _ = project.file("trueup.toml", "exclude = ['extension *']\n");
    project.run(&diff).refused(&[
        "table public.excluded",
        "postgresql-",
        "-strange",
        "--scratch-url",
        "exclude",
    ]);
    let doctor = project.run(&["doctor"]).stdout;
    assert!(doctor.contains("no extension strange"), "{doctor}");
    fs::remove_file(project.path().join("trueup.toml")).expect("removed");
    project.migration("2030-01-01-000000_first", "CREATE EXTENSION nowhere;", "");
    project
        .run(&["diff", "--from", "migrations", "--to", &url])
        .refused(&["lacks the extension nowhere", "--scratch-url"]);
}

#[test]
fn a_scratch_user_who_may_not_do_everything_does_without() {
    let (_server, database) = tests::database();
    let (_other, elsewhere) = tests::database();
    each(&elsewhere, &["CREATE ROLE maker LOGIN CREATEDB CREATEROLE"]);
    each(
        &database,
        &[
            "CREATE ROLE reader",
            "CREATE TABLE t (a integer)",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY p ON t TO reader USING (a > 0)",
            "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
            "CREATE PUBLICATION everything FOR ALL TABLES",
            "CREATE EXTENSION file_fdw",
        ],
    );
    let project = checkout().on(&database);
    let to = project.file("to.sql", "CREATE TABLE t (a integer, b text);");
    let url = as_user(&elsewhere, "maker");
    let ended = project.run(&[
        "diff",
        "--from",
        "database",
        "--to",
        &to,
        "--ignore-unread",
        "--scratch-url",
        &url,
    ]);
    assert!(
        ended.stdout.contains("ADD COLUMN b text"),
        "{}",
        ended.stderr
    );
    for word in ["event trigger e", "publication everything", "file_fdw"] {
        assert!(ended.stderr.contains(word), "{}", ended.stderr);
    }
    assert!(holds(
        &elsewhere,
        "NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader')"
    ));
}

/// A role gives a table to another only where it is a member of that.
#[test]
fn a_migration_may_need_that_roles_are_members_of_others() {
    let (_server, database) = tests::database();
    each(
        &database,
        &[
            "CREATE ROLE old_crew",
            "CREATE ROLE old_hand IN ROLE old_crew",
        ],
    );
    let mut project = checkout().on(&database);
    let gives = |crew: &str, hand: &str| {
        format!(
            "GRANT ALL ON SCHEMA s TO {crew}, {hand}; SET ROLE {hand}; CREATE TABLE s.of_{hand} (a int);
             ALTER TABLE s.of_{hand} OWNER TO {crew}; RESET ROLE;"
        )
    };
    project.migration(
        "2030-01-01-000000_first",
        &format!(
            "CREATE SCHEMA s; {} CREATE ROLE new_crew; CREATE ROLE new_hand; GRANT new_crew TO new_hand; {}",
            gives("old_crew", "old_hand"),
            gives("new_crew", "new_hand"),
        ),
        "DROP SCHEMA s CASCADE; DROP ROLE new_hand, new_crew;",
    );
    project.run(&["upgrade"]).done();
    same(&project, "migrations", "database");
    project.run(&["prove"]).done();
    // Without that database nobody knows of the old members.
    project.database = None;
    project
        .run(&["inspect", "migrations"])
        .refused(&["old_crew"]);
}

#[test]
fn a_migration_may_make_a_tablespace_and_use_one() {
    let (server, _database) = tests::database();
    if server.scratch(None).expect("a scratch").major() < 15 {
        // Only from 15 on can a tablespace be without a folder of its own.
        return;
    }
    let project = checkout();
    project.migration(
        "2030-01-01-000000_place",
        "CREATE TABLESPACE quick LOCATION '/nowhere/quick';",
        "DROP TABLESPACE quick;",
    );
    let metadata = project
        .path()
        .join("migrations/2030-01-01-000000_place/metadata.toml");
    fs::write(metadata, "run_in_transaction = false\n").expect("a file");
    project.migration(
        "2030-01-02-000000_table",
        "CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE quick) TABLESPACE spacious;
         CREATE INDEX i ON t (a) TABLESPACE quick; GRANT CREATE ON TABLESPACE quick TO PUBLIC;
         ALTER TABLE t SET TABLESPACE quick;",
        "DROP TABLE t;",
    );
    same(&project, "migrations", "migrations:migrations");
    let there = project.run(&["inspect", "migrations"]).done();
    assert!(there.contains("quick"), "{there}");
    project.run(&["prove"]).done();
}

/// On somebody else's server nobody makes a tablespace but its owner.
#[test]
fn doctor_names_the_tablespaces_that_a_scratch_lacks() {
    let (_other, elsewhere) = tests::database();
    let url = elsewhere.url().as_secret_str().to_owned();
    let project = checkout();
    project.migration(
        "2030-01-01-000000_table",
        "CREATE TABLE t (a int PRIMARY KEY USING INDEX TABLESPACE \"Quick\") TABLESPACE spacious;
         CREATE INDEX i ON t (a) TABLESPACE pg_default;",
        "DROP TABLE t;",
    );
    let doctor = project.run(&["doctor", "--scratch-url", &url]).with(1);
    for words in [
        "no tablespace Quick, spacious,",
        "CREATE TABLESPACE \"Quick\" LOCATION",
        "tablespace \"spacious\" does not exist",
    ] {
        assert!(
            doctor.stdout.contains(words),
            "{words:?} is not in: {doctor:?}"
        );
    }
    let json = project
        .run(&["doctor", "--format", "json", "--scratch-url", &url])
        .with(1);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let names = &json["scratch"]["Ok"]["no_tablespaces"];
    assert_eq!(names, &serde_json::json!(["Quick", "spacious"]), "{json}");
    each(
        &elsewhere,
        &[
            "SET allow_in_place_tablespaces = on",
            "CREATE TABLESPACE \"Quick\" LOCATION ''",
            "CREATE TABLESPACE spacious LOCATION ''",
        ],
    );
    let doctor = project.run(&["doctor", "--scratch-url", &url]).stdout;
    assert!(!doctor.contains("spacious"), "{doctor}");
}

/// What the live database has put there, the scratch wants too.
#[test]
fn doctor_names_the_tablespaces_of_the_database_too() {
    let (_server, database) = tests::database();
    let (_other, elsewhere) = tests::database();
    each(
        &database,
        &[
            "SET allow_in_place_tablespaces = on",
            "CREATE TABLESPACE roomy LOCATION ''",
            "CREATE TABLE t (a int) TABLESPACE roomy",
        ],
    );
    let url = elsewhere.url().as_secret_str().to_owned();
    let project = checkout().on(&database);
    let doctor = project.run(&["doctor", "--scratch-url", &url]).stdout;
    assert!(doctor.contains("no tablespace roomy,"), "{doctor}");
    let own = project.run(&["doctor"]).stdout;
    assert!(!own.contains("roomy"), "{own}");
}

#[test]
fn a_prelude_makes_what_a_platform_brings() {
    let mut project = checkout().shipped();
    project.database = None;
    let _ = project.file(
        "platform.sql",
        "CREATE SCHEMA auth; CREATE TABLE auth.users (id integer PRIMARY KEY);
         ALTER DATABASE postgres SET search_path TO public, auth; CREATE ROLE anon;",
    );
    let _ = project.file(
        "trueup.toml",
        "[scratch]\nprelude = 'platform.sql'\nroles = ['service']\n",
    );
    project.migration(
        "2099-01-01-000000_last",
        "DO $$ BEGIN EXECUTE 'GRANT SELECT ON auth.users TO service, anon'; END $$;",
        "",
    );
    // The platform's table is nobody's to drop.
    project.run(&["check"]).done();
    let doctor = project.run(&["doctor"]).stdout;
    assert!(doctor.contains("public, auth"), "{doctor}");
}

/// Postgres names the keys that a foreign key to a partitioned table has for each partition, and `pg_dump` writes keys in the
/// order of their names.
#[test]
fn keys_that_no_dump_brings_back_are_told() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    tests::run(
        &database,
        "CREATE TABLE periods (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE first PARTITION OF periods FOR VALUES FROM (0) TO (10);
         CREATE TABLE things (id int PRIMARY KEY, parent int, period int);
         ALTER TABLE things ADD CONSTRAINT things_period_fkey FOREIGN KEY (parent) REFERENCES things NOT VALID;
         ALTER TABLE things ADD CONSTRAINT a_period FOREIGN KEY (period) REFERENCES periods;",
    );
    let to = project.file("to.sql", "CREATE TABLE other ();");
    let told = project
        .run(&["diff", "--from", "database", "--to", &to])
        .refused(&[
            "things_period_fkey",
            "already exists",
            "no dump of this database can be restored",
        ]);
    assert!(!told.contains("search path"), "{told}");
    assert!(!told.contains(tests::PHRASE), "{told}");
}
