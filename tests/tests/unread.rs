//! Objects that no room reads are compared all the same: each row changes one thing, and that thing alone is named.

use std::{collections::BTreeSet, fs};

use generator::{
    Error, ErrorKind, Project,
    pipeline::compare::{self, CompareOptions},
    postgres::{connection::connect, url::Url},
    source::{self, Source},
};
use trueup::Kind;

/// One of everything that no room reads.
const BASE: &str = include_str!("unread/base.sql");

/// A change to [`BASE`], and what is named for it.
const CHANGES: &[(&str, &str)] = &[
    (
        "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "function public.f(integer) differs",
    ),
    (
        "ALTER FUNCTION f(int) COST 7",
        "function public.f(integer) differs",
    ),
    (
        "ALTER FUNCTION f(int) SET search_path = public",
        "function public.f(integer) differs",
    ),
    (
        "ALTER FUNCTION f(int) SECURITY DEFINER",
        "function public.f(integer) differs",
    ),
    (
        "CREATE OR REPLACE PROCEDURE pr() LANGUAGE sql AS 'SELECT 2'",
        "procedure public.pr() differs",
    ),
    (
        "CREATE OR REPLACE AGGREGATE ag (int) (SFUNC = int4pl, STYPE = int, INITCOND = '1')",
        "aggregate public.ag(integer) differs",
    ),
    (
        "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function public.f(pg_catalog.text) is to come",
    ),
    (
        "ALTER TABLE t DISABLE TRIGGER tg",
        "trigger tg on public.t differs",
    ),
    (
        "ALTER TABLE t ENABLE REPLICA TRIGGER tg",
        "trigger tg on public.t differs",
    ),
    (
        "CREATE OR REPLACE TRIGGER tg AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        "trigger tg on public.t differs",
    ),
    (
        "ALTER TABLE parted_1 DISABLE TRIGGER ptg",
        // The trigger of a partition is a part of the one that made it.
        "trigger ptg on public.parted differs",
    ),
    ("ALTER EVENT TRIGGER et DISABLE", "event trigger et differs"),
    (
        "ALTER POLICY p ON t USING (n IN ('a', 'c'))",
        "policy p on public.t differs",
    ),
    (
        "ALTER POLICY p ON t TO pg_monitor",
        "policy p on public.t differs",
    ),
    (
        "ALTER POLICY p ON t WITH CHECK (n <> '')",
        "policy p on public.t differs",
    ),
    ("ALTER DOMAIN d SET DEFAULT 3", "type public.d differs"),
    ("ALTER DOMAIN d SET NOT NULL", "type public.d differs"),
    (
        "ALTER DOMAIN d DROP CONSTRAINT d_check; ALTER DOMAIN d ADD CONSTRAINT d_check CHECK (VALUE > 1)",
        "type public.d differs",
    ),
    (
        "ALTER TYPE comp ADD ATTRIBUTE z int",
        "type public.comp differs",
    ),
    (
        "ALTER TYPE comp ALTER ATTRIBUTE b TYPE varchar(4)",
        "type public.comp differs",
    ),
    (
        "COMMENT ON COLUMN comp.a IS 'a'",
        "type public.comp differs",
    ),
    (
        "COMMENT ON FUNCTION f(int) IS 'a'",
        "function public.f(integer) differs",
    ),
    (
        "DROP TYPE rng; CREATE TYPE rng AS RANGE (subtype = float8)",
        "type public.rng differs",
    ),
    (
        "DROP CAST (comp AS int); CREATE CAST (comp AS int) WITH INOUT AS ASSIGNMENT",
        "cast (public.comp AS integer) differs",
    ),
    (
        "ALTER OPERATOR === (int, int) SET (RESTRICT = eqsel)",
        "operator public.===(integer,integer) differs",
    ),
    (
        "ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 <(int, int)",
        "operator family public.fam USING btree differs",
    ),
    (
        "DROP OPERATOR CLASS oc USING btree; CREATE OPERATOR CLASS oc FOR TYPE int USING btree FAMILY ocfam AS OPERATOR 3 =, FUNCTION 1 btint4cmp(int, int)",
        "operator family public.ocfam USING btree differs",
    ),
    (
        "DROP CONVERSION cv; CREATE CONVERSION cv FOR 'LATIN2' TO 'UTF8' FROM iso8859_to_utf8",
        "conversion public.cv differs",
    ),
    (
        "DROP ACCESS METHOD am; CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler",
        "access method am differs",
    ),
    (
        "ALTER TEXT SEARCH CONFIGURATION ts DROP MAPPING FOR email",
        "text search configuration public.ts differs",
    ),
    (
        "ALTER TEXT SEARCH DICTIONARY di (ACCEPT = false)",
        "text search dictionary public.di differs",
    ),
    (
        "ALTER FOREIGN DATA WRAPPER w OPTIONS (a 'b')",
        "foreign-data wrapper w differs",
    ),
    ("ALTER SERVER s OPTIONS (SET host 'y')", "server s differs"),
    (
        "ALTER USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (SET password 'other secret')",
        "user mapping postgres on server s differs",
    ),
    (
        "ALTER FOREIGN TABLE ft OPTIONS (SET o 'q')",
        "foreign table public.ft differs",
    ),
    (
        "ALTER FOREIGN TABLE ft ALTER a SET DEFAULT 2",
        "foreign table public.ft differs",
    ),
    (
        "ALTER FOREIGN TABLE ft ALTER b OPTIONS (SET c 'e')",
        "foreign table public.ft differs",
    ),
    (
        "ALTER FOREIGN TABLE ft ADD CHECK (a < 9)",
        "foreign table public.ft differs",
    ),
    (
        "CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
        "transform for integer on language sql is to come",
    ),
    (
        "CREATE SUBSCRIPTION sub CONNECTION 'dbname=x password=hush' PUBLICATION p WITH (connect = false, slot_name = NONE)",
        "subscription sub is to come",
    ),
    (
        "ALTER PUBLICATION pub SET (publish = 'insert')",
        "publication pub differs",
    ),
    (
        "ALTER PUBLICATION pub ADD TABLE other",
        "publication relation public.other in publication pub is to come",
    ),
    (
        "ALTER PUBLICATION pub SET TABLE t (id) WHERE (id > 2)",
        "publication relation public.t in publication pub differs",
    ),
    (
        "ALTER TABLE t OWNER TO pg_monitor",
        "owner of table public.t: the migrating role",
    ),
    (
        "ALTER VIEW v OWNER TO pg_monitor",
        "owner of view public.v: the migrating role",
    ),
    (
        "ALTER TYPE mood OWNER TO pg_monitor",
        "owner of enum type public.mood: the migrating role",
    ),
    (
        "ALTER DOMAIN d OWNER TO pg_monitor",
        "owner of type public.d: the migrating role",
    ),
    (
        "ALTER SEQUENCE sq OWNER TO pg_monitor",
        "owner of sequence public.sq: the migrating role",
    ),
    (
        "ALTER FUNCTION f(int) OWNER TO pg_monitor",
        "owner of function public.f(integer): the migrating role",
    ),
    (
        "ALTER SCHEMA side OWNER TO pg_monitor",
        "owner of namespace side: the migrating role",
    ),
    (
        "ALTER SCHEMA public OWNER TO pg_monitor",
        "owner of namespace public: as by default",
    ),
    (
        "ALTER STATISTICS st OWNER TO pg_monitor",
        "owner of extended statistics public.st: the migrating role",
    ),
    (
        "ALTER OPERATOR === (int, int) OWNER TO pg_monitor",
        "owner of operator public.===(integer,integer): the migrating role",
    ),
    (
        "ALTER PUBLICATION pub OWNER TO postgres; ALTER SERVER s OWNER TO postgres; GRANT USAGE ON FOREIGN SERVER s TO pg_monitor",
        "grants on server s: as by default on one side, ALL to pg_monitor",
    ),
    (
        "GRANT SELECT ON t TO pg_monitor WITH GRANT OPTION",
        "grants on table public.t: as by default on one side, SELECT WITH GRANT OPTION to pg_monitor",
    ),
    (
        "GRANT ALL ON t TO PUBLIC",
        "grants on table public.t: as by default on one side, ALL to PUBLIC",
    ),
    (
        "REVOKE INSERT ON t FROM CURRENT_USER",
        "grants on table public.t",
    ),
    (
        "GRANT UPDATE (n) ON t TO pg_monitor",
        "grants on column public.t.n: as by default on one side, UPDATE to pg_monitor",
    ),
    (
        "GRANT SELECT (n) ON v TO pg_monitor",
        "grants on view column public.v.n",
    ),
    (
        "GRANT SELECT (a) ON ft TO pg_monitor",
        "grants on foreign table column public.ft.a",
    ),
    (
        "REVOKE ALL ON FUNCTION f(int) FROM PUBLIC",
        "grants on function public.f(integer): as by default on one side, nothing to anyone else",
    ),
    (
        "REVOKE ALL ON TYPE mood FROM PUBLIC",
        "grants on enum type public.mood",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO pg_monitor",
        "grants on namespace public",
    ),
    (
        "GRANT USAGE ON SCHEMA side TO PUBLIC",
        "grants on namespace side: as by default on one side, USAGE to PUBLIC",
    ),
    (
        "GRANT USAGE ON SEQUENCE sq TO pg_monitor",
        "grants on sequence public.sq",
    ),
    (
        "REVOKE EXECUTE ON FUNCTION pg_catalog.version() FROM PUBLIC",
        "grants on function pg_catalog.version()",
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor",
        "default privileges of the migrating role for tables: as by default on one side, SELECT to pg_monitor",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA side GRANT EXECUTE ON FUNCTIONS TO pg_monitor",
        "default privileges of the migrating role for functions in side",
    ),
    (
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "default privileges of the migrating role for functions",
    ),
];

/// A change that is none in the end.
const SAME: &[&str] = &[
    "GRANT SELECT ON t TO pg_monitor; REVOKE SELECT ON t FROM pg_monitor",
    "ALTER TABLE t OWNER TO pg_monitor; ALTER TABLE t OWNER TO CURRENT_USER",
    "GRANT USAGE ON SCHEMA public TO PUBLIC; GRANT ALL ON SCHEMA side TO CURRENT_USER",
    "GRANT EXECUTE ON FUNCTION f(int) TO PUBLIC; GRANT USAGE ON TYPE mood TO PUBLIC",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor; ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM pg_monitor",
    "ALTER TABLE t DISABLE TRIGGER tg; ALTER TABLE t ENABLE TRIGGER tg",
    // It is printed otherwise when it is read again.
    "ALTER POLICY p ON t USING (n::text = ANY ((ARRAY['a'::varchar, 'b'::varchar])::text[]))",
    // Another order of the same.
    "ALTER SERVER s OPTIONS (DROP host); ALTER SERVER s OPTIONS (DROP port, ADD host 'x', ADD port '1')",
    "REVOKE ALL ON t FROM pg_monitor; CREATE TEMPORARY TABLE passing (a int); GRANT SELECT ON passing TO pg_monitor",
];

struct Pair {
    project: Project,
    folder: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        Self {
            project: tests::project_on(None),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn source(&self, name: &str, sql: &str) -> Source {
        let path = self.folder.path().join(name);
        std::fs::write(&path, sql).expect("a file");
        Source::Sql(path)
    }

    fn diff(&self, from: &str, to: &str) -> Result<String, Error> {
        let (from, to) = (self.source("from.sql", from), self.source("to.sql", to));
        let options = CompareOptions {
            ignore_unread: false,
            prove: true,
            renames: &[],
        };
        let none = || Err(Error::input("no models"));
        let compared = compare::diff(&self.project, none, &from, &to, options)?;
        Ok(generator::render::sql(compared.statements()))
    }

    fn refused(&self, from: &str, to: &str) -> String {
        let error = self.diff(from, to).expect_err(to);
        assert_eq!(error.kind(), ErrorKind::NotYet, "{error}");
        error.to_string()
    }
}

#[test]
fn whatever_no_room_reads_and_differs_is_named() {
    let pair = Pair::new();
    let mut wrong = Vec::new();
    for (change, what) in CHANGES {
        let said = match pair.diff(BASE, &format!("{BASE}\n{change};")) {
            Ok(sql) => format!("nothing refused: {sql}"),
            Err(error) => error.to_string(),
        };
        if !said.contains(&format!("not yet: {what}")) || said.lines().count() != 1 {
            wrong.push(format!("{change}\n  {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_the_same_in_the_end_is_no_difference() {
    let pair = Pair::new();
    for change in SAME {
        let found = pair.diff(BASE, &format!("{BASE}\n{change};"));
        assert_eq!(found.expect(change), "", "{change}");
    }
}

#[test]
fn what_both_have_is_no_reason_to_decline() {
    let pair = Pair::new();
    let found = pair.diff(
        BASE,
        &format!("{BASE}\nALTER TABLE other ADD COLUMN more text"),
    );
    assert_eq!(
        found.expect("a way"),
        "-- Add column public.other.more\nALTER TABLE public.other ADD COLUMN more text;\n"
    );
    let other = BASE.replace("other (a int,", "other (a bigint,");
    let said = pair.refused(BASE, &other);
    assert!(said.contains("policy q on public.other needs it"), "{said}");
}

#[test]
fn a_secret_is_in_no_output() {
    let pair = Pair::new();
    let to = BASE.replace("a secret", "s3cr3t");
    let said = pair.refused(BASE, &to);
    assert!(
        said.contains("user mapping postgres on server s differs"),
        "{said}"
    );
    let inspected = compare::inspect(
        &pair.project,
        || Err(Error::input("no models")),
        &pair.source("a.sql", &to),
    );
    let json = inspected.expect("a schema").schema.to_json().expect("JSON");
    assert!(
        !json.contains("s3cr3t") && !said.contains("s3cr3t"),
        "{json}"
    );
}

/// A recreated object belongs to the role that recreates it.
#[test]
fn what_is_made_anew_keeps_its_owner_or_is_not_yet() {
    let pair = Pair::new();
    let base = "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE t (id int, n int, m mood);
        CREATE VIEW v AS SELECT id, n FROM t; CREATE MATERIALIZED VIEW mv AS SELECT id FROM t; CREATE STATISTICS st ON id, n FROM t;
        CREATE TABLE parted (id int) PARTITION BY RANGE (id);";
    let anew: &[(&str, [&str; 2], &str)] = &[
        (
            "VIEW v",
            ["SELECT id, n FROM t", "SELECT id::text AS id FROM t"],
            "view public.v",
        ),
        (
            "MATERIALIZED VIEW mv",
            ["AS SELECT id FROM t", "AS SELECT n FROM t"],
            "materialized view public.mv",
        ),
        (
            "TYPE mood",
            ["('a', 'b')", "('b')"],
            "enum type public.mood",
        ),
        (
            "STATISTICS st",
            ["ON id, n FROM t", "(mcv) ON id, n FROM t"],
            "extended statistics public.st",
        ),
        (
            "TABLE parted",
            ["PARTITION BY RANGE (id)", "PARTITION BY LIST (id)"],
            "table public.parted",
        ),
    ];
    for (object, [old, new], what) in anew {
        let owned = format!("\nALTER {object} OWNER TO pg_monitor;");
        let (from, to) = (
            format!("{base}{owned}"),
            format!("{}{owned}", base.replace(old, new)),
        );
        assert_ne!(from, to);
        for (from, to) in [(&from, &to), (&to, &from)] {
            let found = pair.diff(from, to);
            // An enum gets its label without being made anew.
            if matches!(&found, Ok(sql) if sql.contains("ADD VALUE")) {
                continue;
            }
            let said = found.expect_err(to).to_string();
            let lost = format!(
                "{what}: it has to be made anew, and would belong to postgres then and not to pg_monitor"
            );
            assert!(said.contains(&lost), "{said}");
        }
        let found = pair.diff(base, &base.replace(old, new));
        assert!(found.is_ok(), "{found:?}");
    }
    let to = base.replace("SELECT id, n FROM t", "SELECT id, n, 1 AS more FROM t");
    let owned = "\nALTER VIEW v OWNER TO pg_monitor;";
    let found = pair.diff(&format!("{base}{owned}"), &format!("{to}{owned}"));
    assert!(found.expect("in place").contains("CREATE OR REPLACE VIEW"));
}

/// Said by whoever migrates, and of whoever migrates.
const OWN: &str = "
    CREATE TABLE t (n int);
    CREATE POLICY p ON t TO CURRENT_USER, pg_monitor USING (true);
    CREATE FOREIGN DATA WRAPPER w;
    CREATE SERVER s FOREIGN DATA WRAPPER w;
    CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (user 'me');";

#[test]
fn the_role_that_migrates_is_the_same_on_the_scratch() {
    let (_server, database) = tests::database();
    tests::run(&database, "CREATE ROLE boss SUPERUSER LOGIN");
    let boss = database.url().to_string().replacen("postgres@", "boss@", 1);
    let boss = Url::parse(&boss).expect("a URL");
    let mut connection = generator::postgres::connection::connect(&boss).expect("a connection");
    generator::postgres::connection::run_sql(&mut connection, OWN, "the live side")
        .expect("SQL that runs");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("own.sql");
    let project = tests::project(folder.path().to_owned());
    let live = Source::Database(boss);
    let differ = |sql: &str| {
        std::fs::write(&file, sql).expect("a file");
        let no_models = || Err(Error::input("no models"));
        let file = Source::Sql(file.clone());
        compare::diff(&project, no_models, &live, &file, CompareOptions::default())
            .err()
            .map(|error| error.full())
    };
    assert_eq!(differ(OWN), None);
    let other = OWN.replace("TO CURRENT_USER, pg_monitor", "TO CURRENT_USER");
    let said = differ(&other).expect("a difference");
    assert!(said.contains("policy p on public.t differs"), "{said}");
    let other = OWN.replace("'me'", "'you'");
    let said = differ(&other).expect("a difference");
    assert!(
        said.contains("user mapping") && said.contains("differs"),
        "{said}"
    );
}

/// A kind whose traces are not found is not read, so they are where its rows are: on the schemas of the first case about each
/// kind.
#[test]
fn a_kind_without_traces_is_not_there() {
    let (project, _database) = tests::database();
    let kinds = fs::read_dir(tests::root().join("fixtures")).expect("fixtures");
    let mut seen = BTreeSet::new();
    for kind in kinds {
        let cases = tests::folders_with(&kind.expect("a kind").path(), "from.sql");
        let Some(case) = cases.iter().find(|case| tests::min_major(case) == 0) else {
            continue;
        };
        for file in ["from.sql", "to.sql"] {
            let side = source::file(&project, &case.join(file));
            let side = side.map_err(|error| error.full()).expect("a schema");
            let mut connection = connect(&side.url).expect("a connection");
            for kind in Kind::all() {
                let leaves_traces = format!("EXISTS (SELECT FROM {})", kind.traces());
                if tests::holds(&mut connection, &leaves_traces) {
                    seen.insert(kind);
                    continue;
                }
                let rows = kind.catalog(side.schema.server());
                let is_there = format!("EXISTS (SELECT FROM ({rows}) room)");
                let case = case.display();
                assert!(
                    !tests::holds(&mut connection, &is_there),
                    "{kind}: {case}/{file}"
                );
            }
        }
    }
    let unseen = Kind::all().into_iter().filter(|kind| !seen.contains(kind));
    let unseen: Vec<String> = unseen.map(|kind| kind.to_string()).collect();
    assert!(unseen.is_empty(), "no case has {unseen:?}");
}
