//! `check` of a database in which something was changed by hand that no room reads, and of owners and grants.

use serde_json::Value;
use tests::checkout::Checkout;

use crate::checkout;

/// Objects that no room reads, made by a migration.
const MADE: &str = "
    CREATE FUNCTION half(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n / 2';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.email IN ('a', 'b')) EXECUTE FUNCTION touch();
    CREATE DOMAIN percent AS int CHECK (VALUE <= 100);
    CREATE FOREIGN DATA WRAPPER nowhere;
    CREATE SERVER far FOREIGN DATA WRAPPER nowhere OPTIONS (host 'there');
    CREATE POLICY own ON users USING (email IN ('a', 'b'));";

const UNMADE: &str = "
    DROP POLICY own ON users; DROP FOREIGN DATA WRAPPER nowhere CASCADE; DROP DOMAIN percent; DROP TRIGGER touched ON users;
    DROP FUNCTION touch(); DROP FUNCTION half(int);";

/// A change by hand, its line in the report, and the SQL that undoes it.
const DRIFT: &[[&str; 3]] = &[
    [
        "CREATE OR REPLACE FUNCTION half(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n / 3'",
        "function public.half(integer) differs: in the migrations / in the database",
        "CREATE OR REPLACE FUNCTION half(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n / 2'",
    ],
    [
        "ALTER TABLE users DISABLE TRIGGER touched",
        "trigger touched on public.users differs",
        "ALTER TABLE users ENABLE TRIGGER touched",
    ],
    [
        "ALTER TABLE users OWNER TO someone",
        "owner of table public.users: the migrating role in the migrations, someone in the database",
        "ALTER TABLE users OWNER TO CURRENT_USER",
    ],
    [
        "GRANT SELECT ON users TO someone",
        "grants on table public.users: as by default in the migrations, SELECT to someone in the database",
        "REVOKE SELECT ON users FROM someone",
    ],
    [
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO someone",
        "default privileges of the migrating role for tables: as by default in the migrations, SELECT to someone",
        "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM someone",
    ],
    [
        "ALTER SERVER far OPTIONS (SET host 'elsewhere')",
        "server far differs",
        "ALTER SERVER far OPTIONS (SET host 'there')",
    ],
    [
        "ALTER POLICY own ON users USING (email IN ('a', 'c'))",
        "policy own on public.users differs",
        "ALTER POLICY own ON users USING (email IN ('a', 'b'))",
    ],
];

fn project() -> Checkout {
    let project = checkout().shipped();
    project.migration("2026-11-22-200000-0000_code", MADE, UNMADE);
    project
}

/// Objects that no kind reads stay as they are; a note says that they differ from the migrations.
#[test]
fn autogen_says_what_it_does_not_read_and_differs() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let silent = project.run(&["autogen", "x"]).with(0);
    assert!(!silent.stderr.contains("does not read"), "{silent:?}");
    tests::run(
        &database,
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    );
    let said = project.run(&["autogen", "x"]).with(0);
    let note = "1 object of a kind that trueup does not read differs between the database and the migrations: \
                function public.mine(); `trueup check` says how";
    assert!(said.stderr.contains(note), "{said:?}");
    tests::run(
        &database,
        "CREATE TYPE public.pair AS (a int, b int); CREATE FUNCTION public.n1() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION public.n2() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION public.n3() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    );
    let said = project.run(&["autogen", "x"]).with(0);
    assert!(said.stderr.contains("5 objects of kinds"), "{said:?}");
    // Owners and grants are no objects, and are told by themselves.
    assert!(!said.stderr.contains("not the same"), "{said:?}");
    tests::run(
        &database,
        "CREATE ROLE reader; GRANT SELECT ON readings TO reader; ALTER TABLE users OWNER TO reader;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;",
    );
    let said = project.run(&["autogen", "x"]).with(0);
    let note = "not the same in the database and the migrations: default privileges of the migrating role for tables, \
                grants on table public.readings, owner of table public.users; `trueup check` says how";
    assert!(said.stderr.contains(note), "{said:?}");
    tests::run(
        &database,
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    );
    let said = project.run(&["autogen", "x"]).with(0);
    assert!(said.stderr.contains("grants on 4 tables ("), "{said:?}");
    std::fs::write(
        project.path().join("trueup.toml"),
        "exclude = [\"grants *\", \"owner *\", \"default privileges *\"]\n",
    )
    .expect("a file");
    let said = project.run(&["autogen", "x"]).with(0);
    assert!(!said.stderr.contains("not the same"), "{said:?}");
    // Without the database nothing is known of it.
    let said = project
        .run(&["autogen", "x", "--from", "migrations"])
        .with(0);
    assert!(!said.stderr.contains("does not read"), "{said:?}");
}

#[test]
fn what_was_changed_by_hand_is_told_though_no_room_reads_it() {
    let (_server, database) = tests::database();
    let project = project().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(&database, "CREATE ROLE someone");
    project.run(&["check"]).done();
    for [by_hand, told, back] in DRIFT {
        tests::run(&database, by_hand);
        let drift = project.run(&["check"]).with(1);
        assert!(drift.stdout.contains(told), "{by_hand}: {drift:?}");
        assert!(
            drift.stdout.contains("migrations and database  in sync"),
            "{drift:?}"
        );
        tests::run(&database, back);
        project.run(&["check"]).done();
    }
}

#[test]
fn the_report_for_programs_has_each_and_the_text_has_their_number() {
    let (_server, database) = tests::database();
    let project = project().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; GRANT SELECT (email) ON users TO reader;
         ALTER FUNCTION half(int) COST 7",
    );
    let json = project.run(&["check", "--format", "json"]).with(1).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["unread_changed"][0], "function public.half(integer)");
    let rights = json["rights"].as_array().expect("a list");
    let tables: Vec<&Value> = rights
        .iter()
        .filter(|right| {
            right["what"]
                .as_str()
                .is_some_and(|what| what.starts_with("grants on table "))
        })
        .collect();
    assert!(tables.len() > 3, "{json:#}");
    assert_eq!(tables[0]["database"], "SELECT to reader");
    assert_eq!(tables[0]["migrations"], "as by default");

    let text = project.run(&["check"]).with(1).stdout;
    assert!(
        text.contains(&format!("grants on {} tables (", tables.len())),
        "{text}"
    );
    assert!(
        text.contains("grants on column public.users.email: "),
        "{text}"
    );
    let annotated = project.run(&["check", "--format", "github"]).with(1).stdout;
    assert!(
        annotated.contains("function public.half(integer)"),
        "{annotated}"
    );

    std::fs::write(
        project.path().join("trueup.toml"),
        "exclude = [\"grants *\", \"function public.half*\"]\n",
    )
    .expect("a file");
    project.run(&["check"]).done();
}

/// The scratch stands in for the role that migrates, whatever the names of both.
#[test]
fn who_migrates_is_known_by_the_record() {
    let (_server, database) = tests::database();
    let deployer = "CREATE ROLE deployer LOGIN; GRANT ALL ON SCHEMA public TO deployer; GRANT CREATE ON DATABASE";
    let name = database.url().database().expect("a name");
    tests::run(&database, &format!("{deployer} {name} TO deployer"));
    let mut project = checkout().shipped();
    let own = database.url().to_string();
    project.database = Some(own.replace("postgres@", "deployer@"));
    project.run(&["upgrade"]).done();
    std::fs::write(
        project.path().join("trueup.toml"),
        "exclude = [\"grants on namespace public\"]\n",
    )
    .expect("a file");
    project.run(&["check"]).done();
    // Another session sees the same.
    project.database = Some(own);
    project.run(&["check"]).done();
    tests::run(&database, "ALTER TABLE users OWNER TO postgres");
    let drift = project.run(&["check"]).with(1);
    let told = "owner of table public.users: the migrating role in the migrations, postgres in the database";
    assert!(drift.stdout.contains(told), "{drift:?}");
}

/// A recreated object would belong to the session's user, whoever owns the record.
#[test]
fn what_belongs_to_another_is_not_made_anew() {
    let (_server, database) = tests::database();
    tests::run(
        &database,
        "CREATE ROLE other; CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; ALTER VIEW v OWNER TO other",
    );
    let project = checkout();
    let new = project.file(
        "new.sql",
        "CREATE TABLE t (a bigint, b int); CREATE VIEW v AS SELECT a FROM t;",
    );
    let live = database.url().to_string();
    let diff = ["diff", "--from", &live, "--to", &new];
    project
        .run(&diff)
        .refused(&["owner of view public.v: other on one side, the migrating role on the other"]);
    let ignoring = [diff.as_slice(), &["--ignore-unread"]].concat();
    project.run(&ignoring).refused(&[
        "not yet: view public.v: it has to be made anew, and would belong to postgres then and not to other",
    ]);
    tests::run(&database, "ALTER VIEW v OWNER TO CURRENT_USER");
    let same = project.run(&diff).with(1);
    assert!(same.stdout.contains("CREATE VIEW public.v"), "{same:?}");
}

/// No provider of labels comes with a server, so two are planted where Postgres keeps them.
#[test]
fn a_security_label_is_told_with_a_way_out() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "SET allow_system_table_mods = on;
         INSERT INTO pg_catalog.pg_seclabel (objoid, classoid, objsubid, provider, label) VALUES
            ('users'::regclass, 'pg_class'::regclass, 0, 'dummy', 'secret'),
            ('users'::regclass, 'pg_class'::regclass, 1, 'dummy', 'top secret')",
    );
    let table = "security label of table public.users: none in the migrations, secret by dummy in the database";
    let said = project.run(&["check"]).with(1).stdout;
    for words in [
        table,
        "security label of column public.users.id: none in the migrations, top secret by dummy in the database",
        "exclude = [\"security label *\"]",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let said = project.run(&["autogen", "x"]).with(0).stderr;
    let note = "security label of column public.users.id, security label of table public.users; `trueup check` says how";
    assert!(said.contains(note), "{said}");
    for [from, to] in [["database", "migrations"], ["migrations", "database"]] {
        let diff = ["diff", "--from", from, "--to", to];
        project.run(&diff).refused(&[
            "not yet: security label of table public.users",
            "--ignore-unread",
        ]);
        let ignoring = [diff.as_slice(), &["--ignore-unread"]].concat();
        assert_eq!(project.run(&ignoring).done(), "");
    }
    // The copy of the database has to do without the label, and all else is as ever.
    let file = project.file("more.sql", "CREATE TABLE t (a int)");
    let ignoring = [
        "diff",
        "--from",
        "database",
        "--to",
        &file,
        "--ignore-unread",
    ];
    let sql = project.run(&ignoring).with(1).stdout;
    assert!(sql.contains("CREATE TABLE public.t"), "{sql}");
    std::fs::write(
        project.path().join("trueup.toml"),
        "exclude = [\"security label *\"]\n",
    )
    .expect("a file");
    project.run(&["check"]).done();

    // A migration says it, which runs only where the provider is.
    let labels = "SECURITY LABEL FOR dummy ON TABLE users IS 'secret';";
    project.migration("2030-01-01-000000_label", labels, "SELECT 1;");
    project
        .run(&["diff", "--from", "migrations", "--to", "migrations"])
        .refused(&[
            "security label provider \"dummy\" is not loaded",
            "--scratch-url",
            "EXCEPTION WHEN invalid_parameter_value",
        ]);
    let guarded =
        format!("DO $$ BEGIN {labels} EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$;");
    project.migration("2030-01-01-000000_label", &guarded, "SELECT 1;");
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
}
