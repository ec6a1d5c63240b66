//! `db reset`: what migrations made goes, whatever its kind, and nothing else.

use generator::postgres::connection::connect;

use crate::checkout;

/// One object of each kind that a role without files of its own can make.
const EVERY_KIND: &str = "
    CREATE SCHEMA shop;
    CREATE SCHEMA apart;
    CREATE EXTENSION citext SCHEMA apart;
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TYPE pair AS (a int, b mood);
    CREATE DOMAIN small AS int CHECK (VALUE < 10);
    CREATE TYPE span AS RANGE (SUBTYPE = float8);
    CREATE COLLATION plain (LOCALE = 'C');
    CREATE SEQUENCE shop.numbers;
    CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
    CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
    CREATE TABLE events (id int DEFAULT nextval('shop.numbers'), at date NOT NULL, mood mood, PRIMARY KEY (id, at))
        PARTITION BY RANGE (at);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE shop.events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
    CREATE TABLE base (n small, t text COLLATE plain, e apart.citext);
    CREATE TABLE child () INHERITS (base);
    CREATE TABLE typed OF pair;
    CREATE TABLE owner (id serial PRIMARY KEY, refers int, FOREIGN KEY (refers) REFERENCES owner);
    CREATE STATISTICS both_columns ON n, t FROM base;
    CREATE TRIGGER touched BEFORE UPDATE ON base FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE POLICY open ON base USING (one() = 1);
    CREATE RULE quiet AS ON DELETE TO child DO INSTEAD NOTHING;
    CREATE VIEW seen AS SELECT one() AS one, base.* FROM base;
    CREATE MATERIALIZED VIEW kept AS SELECT * FROM seen;
    CREATE INDEX ON kept (n);
    CREATE FUNCTION same(pair, pair) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR ~~~ (FUNCTION = same, LEFTARG = pair, RIGHTARG = pair);
    CREATE OPERATOR FAMILY numbers USING btree;
    CREATE OPERATOR CLASS small_ops FOR TYPE int4 USING btree FAMILY numbers AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int4, int4);
    CREATE FUNCTION to_pair(int) RETURNS pair LANGUAGE sql AS 'SELECT NULL::pair';
    CREATE CAST (int AS pair) WITH FUNCTION to_pair(int);
    CREATE CONVERSION to_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
    CREATE TEXT SEARCH TEMPLATE own_template (LEXIZE = dsimple_lexize, INIT = dsimple_init);
    CREATE TEXT SEARCH DICTIONARY own_dictionary (TEMPLATE = own_template);
    CREATE TEXT SEARCH PARSER own_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
    CREATE TEXT SEARCH CONFIGURATION own_configuration (PARSER = own_parser);
    CREATE ACCESS METHOD own_heap TYPE TABLE HANDLER heap_tableam_handler;
    CREATE FOREIGN DATA WRAPPER own_wrapper;
    CREATE SERVER own_server FOREIGN DATA WRAPPER own_wrapper;
    CREATE USER MAPPING FOR PUBLIC SERVER own_server;
    CREATE FOREIGN TABLE far (a int) SERVER own_server;
    CREATE EVENT TRIGGER own_watch ON ddl_command_end EXECUTE FUNCTION watch();
    CREATE PUBLICATION own_news FOR TABLE base;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;";

#[test]
fn every_kind_that_a_migration_makes_goes_and_comes_back() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration("2030-01-01-000000_every_kind", EVERY_KIND, "SELECT 1;");
    project.run(&["upgrade"]).done();
    for _ in 0..2 {
        let said = project.run(&["db", "reset", "--yes"]).with(0);
        assert!(
            said.stderr.contains("emptied: apart, public, shop"),
            "{said:?}"
        );
        assert!(
            said.stdout.contains("2030-01-01-000000_every_kind"),
            "{said:?}"
        );
    }
    let status = project.run(&["status"]).done();
    assert!(!status.contains("pending"), "{status}");
}

#[test]
fn nothing_of_anybody_else_falls_with_a_reset() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration(
        "2030-01-01-000000_shared",
        "CREATE TYPE mood AS ENUM ('glad'); CREATE SEQUENCE numbers; CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
         CREATE TABLE events (at date) PARTITION BY RANGE (at); CREATE TABLE base (n int); CREATE DOMAIN small AS int;",
        "DROP DOMAIN small; DROP TABLE base; DROP TABLE events; DROP FUNCTION one; DROP SEQUENCE numbers; DROP TYPE mood;",
    );
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE SCHEMA theirs;
         CREATE TABLE theirs.ours (id int PRIMARY KEY, mood public.mood, n int DEFAULT nextval('public.numbers'),
             who bigint REFERENCES public.users, checked int CHECK (checked > public.one()), pair public.small[]);
         INSERT INTO theirs.ours VALUES (1, 'glad');
         CREATE INDEX by_one ON theirs.ours ((id + public.one()));
         CREATE VIEW theirs.seen AS SELECT email FROM public.users;
         CREATE VIEW theirs.seen_twice AS SELECT * FROM theirs.seen;
         CREATE TABLE theirs.events_1 PARTITION OF public.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE TABLE theirs.heir () INHERITS (public.base);
         CREATE FUNCTION theirs.takes(public.mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE POLICY open ON theirs.ours USING (public.one() = 1);
         CREATE TRIGGER touched BEFORE UPDATE ON theirs.ours FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
    );
    let name = database.url().database().expect("a name");
    let reset = ["db", "reset", "--yes-destroy", name.as_str()];
    let said = project.run(&reset).refused(&[
        "used elsewhere, and that would fall with it",
        "table column theirs.ours.mood",
        "table column theirs.ours.pair",
        "default value for theirs.ours.n",
        "table constraint ours_who_fkey on theirs.ours",
        "table constraint ours_checked_check on theirs.ours",
        "index theirs.by_one",
        "view theirs.seen\n",
        "view theirs.seen_twice",
        "table theirs.events_1",
        "table theirs.heir",
        "function theirs.takes(public.mood)",
        "policy open on theirs.ours",
        "the database is as it was",
    ]);
    assert!(!said.contains("touched"), "{said}");
    assert!(tests::holds(
        &mut connect(&database.url()).expect("a connection"),
        "(SELECT mood = 'glad' FROM theirs.ours) AND to_regclass('public.users') IS NOT NULL"
    ));
    tests::run(&database, "DROP SCHEMA theirs CASCADE");
    project.run(&["db", "reset", "--yes"]).done();
}

/// What stands for a platform: a namespace with rows, an event trigger, an extension, and one table in `public`.
const PLATFORM: &str = "
    CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY);
    CREATE FUNCTION auth.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER platform ON ddl_command_end EXECUTE FUNCTION auth.watch();
    CREATE EXTENSION citext;
    CREATE TABLE public.theirs (id int);";

#[test]
fn what_the_prelude_stands_for_stays_in_a_reset() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    let _ = project.file("platform.sql", PLATFORM);
    let _ = project.file("trueup.toml", "[scratch]\nprelude = 'platform.sql'\n");
    tests::run(&database, PLATFORM);
    tests::run(
        &database,
        "INSERT INTO auth.users VALUES (1); INSERT INTO public.theirs VALUES (1); CREATE TABLE auth.more ()",
    );
    project.migration(
        "2030-01-01-000000_a",
        "CREATE TABLE profiles (id int REFERENCES auth.users, mail citext);
         CREATE FUNCTION made() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER made AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION made();
         CREATE POLICY own ON auth.users USING (true);
         CREATE TABLE auth.ours (id serial);",
        "DROP TABLE auth.ours; DROP POLICY own ON auth.users; DROP TRIGGER made ON auth.users; DROP FUNCTION made; DROP TABLE profiles;",
    );
    project.run(&["upgrade"]).done();
    // Tables of a platform are none that a migration makes.
    project
        .run(&["db", "reset", "--yes"])
        .refused(&["has 3 tables that no migration makes", "auth.more"]);
    let name = database.url().database().expect("a name");
    let reset = ["db", "reset", "--yes-destroy", name.as_str()];
    let holds = |condition: &str| {
        tests::holds(
            &mut connect(&database.url()).expect("a connection"),
            condition,
        )
    };
    // A policy of the migrations' own stays on a table that stays, and is in the way of itself.
    project.run(&reset).refused(&[
        "policy \"own\" for table \"users\" already exists",
        "the database is as it was",
    ]);
    let stays = "(SELECT count(*) = 1 FROM auth.users) AND (SELECT count(*) = 1 FROM public.theirs)
        AND to_regclass('auth.more') IS NOT NULL AND to_regclass('auth.ours') IS NOT NULL
        AND EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'platform')
        AND EXISTS (SELECT FROM pg_extension WHERE extname = 'citext')
        AND (SELECT count(*) = 1 FROM pg_trigger WHERE tgname = 'made')";
    assert!(holds(stays));
    tests::run(
        &database,
        "DROP POLICY own ON auth.users; INSERT INTO profiles VALUES (1)",
    );
    let said = project.run(&reset).with(0);
    assert!(
        said.stderr
            .contains("emptied: public, auth (only what migrations make there)"),
        "{said:?}"
    );
    assert!(holds(stays) && holds("NOT EXISTS (SELECT FROM profiles)"));
}

#[test]
fn a_namespace_of_the_search_path_is_not_the_migrations_own() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    let name = database.url().database().expect("a name");
    tests::run(
        &database,
        &format!(
            "CREATE SCHEMA app; CREATE SCHEMA shared; CREATE TABLE shared.theirs AS SELECT 1 AS a;
             ALTER DATABASE \"{name}\" SET search_path = app, shared, public"
        ),
    );
    project.migration("2030-01-01-000000_a", "CREATE TABLE t ();", "DROP TABLE t;");
    project.run(&["upgrade"]).done();
    let reset = ["db", "reset", "--yes-destroy", name.as_str()];
    let said = project.run(&reset).with(0);
    assert!(said.stderr.contains("emptied: app, public\n"), "{said:?}");
    assert!(tests::holds(
        &mut connect(&database.url()).expect("a connection"),
        "(SELECT count(*) = 1 FROM shared.theirs) AND to_regclass('app.t') IS NOT NULL"
    ));
    assert!(project.run(&["status"]).done().contains("in order"));
}

/// What no namespace has stays in a reset, and the migration that made it may not get past it.
#[test]
fn nothing_is_emptied_where_the_migrations_would_not_apply_again() {
    for (up, words) in [
        ("SELECT lo_create(424242);", "duplicate key value"),
        (
            "CREATE SUBSCRIPTION news CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false);",
            "subscription \"news\" already exists",
        ),
        (
            "CREATE ROLE clerk_of_resets;",
            "role \"clerk_of_resets\" already exists",
        ),
        (
            "ALTER TABLE elsewhere.t ADD COLUMN mine int;",
            "column \"mine\" of relation \"t\" already exists",
        ),
    ] {
        let (_server, database) = tests::database();
        let project = checkout().on(&database);
        let elsewhere = "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t ();";
        let _ = project.file("platform.sql", elsewhere);
        let _ = project.file("trueup.toml", "[scratch]\nprelude = 'platform.sql'\n");
        tests::run(&database, elsewhere);
        project.migration(
            "2030-01-01-000000_a",
            &format!("CREATE TABLE t (a int); {up}"),
            "DROP TABLE t;",
        );
        project.run(&["upgrade"]).done();
        tests::run(&database, "INSERT INTO t VALUES (1)");
        let name = database.url().database().expect("a name");
        project
            .run(&["db", "reset", "--yes-destroy", &name])
            .refused(&[words, "the database is as it was", "drop it by hand"]);
        assert!(tests::holds(
            &mut connect(&database.url()).expect("a connection"),
            "(SELECT count(*) = 1 FROM t)"
        ));
        assert!(project.run(&["status"]).done().contains("in order"));
    }
}

#[test]
fn an_event_trigger_that_forbids_drops_goes_first() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.migration(
        "2030-01-01-000000_a",
        "CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no drops here'; END $$;
         CREATE AGGREGATE first_in_order(int) (SFUNC = int4pl, STYPE = int); CREATE TABLE t ();
         CREATE EVENT TRIGGER forbids ON sql_drop EXECUTE FUNCTION forbid();",
        "DROP EVENT TRIGGER forbids; DROP TABLE t; DROP AGGREGATE first_in_order(int); DROP FUNCTION forbid;",
    );
    project.run(&["upgrade"]).done();
    project.run(&["db", "reset", "--yes"]).done();
    assert!(project.run(&["status"]).done().contains("in order"));
}

#[test]
fn an_extension_that_no_migration_makes_keeps_its_namespace() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    tests::run(
        &database,
        "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions",
    );
    project.migration(
        "2030-01-01-000000_a",
        "CREATE SCHEMA IF NOT EXISTS extensions; CREATE TABLE extensions.t (a int);",
        "DROP TABLE extensions.t;",
    );
    project.run(&["upgrade"]).done();
    project.run(&["db", "reset", "--yes"]).done();
    assert!(tests::holds(
        &mut connect(&database.url()).expect("a connection"),
        "EXISTS (SELECT FROM pg_extension WHERE extname = 'citext') AND to_regclass('extensions.t') IS NOT NULL"
    ));
}
