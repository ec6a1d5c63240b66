//! Bodies of functions that name what goes, gets another name or another type, where nothing ran to show it.

use generator::{draft::Draft, prove::code::Suspect};
use tests::drafted::drafted;

const SCHEMA: &str = "
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE users (id integer PRIMARY KEY, full_name text, mood mood, age integer);
CREATE TABLE teams (id integer PRIMARY KEY, full_name text, leader integer);
CREATE SCHEMA shop;
CREATE TABLE shop.users (id integer PRIMARY KEY, full_name text);
";

/// A trigger with code that rows do not reach.
const TRIGGER: &str = "
CREATE FUNCTION greet() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other record;
BEGIN
    IF NEW.full_name = 'somebody whom no row is called after' THEN
        NEW.full_name := upper(NEW.full_name);
        OLD.age := 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER greet BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.age = 77) EXECUTE FUNCTION greet();
";

fn draft(functions: &str, change: &str, renames: &[&str]) -> Draft {
    let from = format!("{SCHEMA}{functions}");
    drafted(&from, change, renames).unwrap_or_else(|error| panic!("{}", error.full()))
}

/// One function in PL/pgSQL that nobody calls.
fn function(body: &str) -> String {
    format!(
        "CREATE FUNCTION f(given integer) RETURNS void LANGUAGE plpgsql AS $$\nDECLARE\n    r record;\n    full_name text;\nBEGIN\n{body}\nEND $$;"
    )
}

fn said(draft: &Draft) -> Vec<String> {
    told(draft, "up.sql")
}

fn told(draft: &Draft, file: &str) -> Vec<String> {
    let of_file = draft.proof.suspects.iter().filter(|one| one.file == file);
    let told = |one: &Suspect| format!("{}: {}", one.file, one.hazard());
    of_file.map(told).collect()
}

const RENAME: &str = "ALTER TABLE users RENAME full_name TO name";
const RENAMED: [&str; 1] = ["public.users.full_name=name"];

const NAMES: &str = "it names public.users.full_name, which is called name then";

#[track_caller]
fn names_the_name(body: &str, line: usize) {
    let draft = draft(&function(body), RENAME, &RENAMED);
    let says = format!("up.sql: may break function public.f(given integer) line {line}: {NAMES}");
    assert_eq!(said(&draft), [says], "{body}");
}

#[track_caller]
fn names_nothing(body: &str) {
    let draft = draft(&function(body), RENAME, &RENAMED);
    assert_eq!(said(&draft), Vec::<String>::new(), "{body}");
}

#[test]
fn the_row_of_a_trigger_is_one_of_its_table() {
    let draft = draft(TRIGGER, RENAME, &RENAMED);
    let hazard = format!("may break function public.greet() line 5: {NAMES}");
    assert_eq!(said(&draft), [format!("up.sql: {hazard}")]);
    let up = draft.parts[0].up_sql();
    assert!(up.contains(&format!("-- hazard: {hazard}\n")), "{up}");
}

#[test]
fn what_a_query_gives_goes_into_the_row_of_a_trigger() {
    let trigger = TRIGGER.replace(
        "NEW.full_name := upper(NEW.full_name)",
        "SELECT '' INTO NEW.full_name",
    );
    let trigger = trigger.replace("IF NEW.full_name =", "IF NEW.age::text =");
    let draft = draft(&trigger, RENAME, &RENAMED);
    let hazard = format!("may break function public.greet() line 6: {NAMES}");
    assert_eq!(said(&draft), [format!("up.sql: {hazard}")]);
}

#[test]
fn statements_of_all_sorts_name_a_column() {
    for body in [
        "PERFORM u.full_name FROM users u;",
        "PERFORM 1 FROM public.users WHERE full_name = 'a';",
        "UPDATE users SET full_name = 'a';",
        "INSERT INTO users (id, full_name) VALUES (1, 'a');",
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET full_name = 'a';",
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = length(excluded.full_name);",
        "DELETE FROM users WHERE users.full_name = 'a';",
        "FOR r IN SELECT id FROM teams WHERE id IN (SELECT leader FROM users WHERE full_name = 'a') LOOP NULL; END LOOP;",
        "WITH few AS (SELECT full_name AS a FROM users) SELECT few.a INTO r FROM few;",
        "PERFORM 1 FROM teams t JOIN users u USING (id) WHERE u.full_name = t.full_name;",
        "EXECUTE 'UPDATE users SET full_name = NULL';",
        "IF (SELECT public.users.full_name FROM users) = 'a' THEN NULL; END IF;",
        "RETURN; RAISE NOTICE '%', (SELECT max(full_name) FROM users);",
    ] {
        names_the_name(body, 6);
    }
    names_the_name(
        "SELECT *\nINTO r\nFROM users;\nRAISE NOTICE '%',\n    r.full_name;",
        9,
    );
}

#[test]
fn what_only_sounds_like_it_is_none() {
    for body in [
        "-- users.full_name\nNULL;",
        "RAISE NOTICE 'UPDATE users SET full_name = NULL';",
        "full_name := 'a';",
        "PERFORM full_name FROM teams;",
        "PERFORM t.full_name FROM teams t, users u WHERE t.id = u.id;",
        "UPDATE shop.users SET full_name = 'a';",
        "WITH users AS (SELECT 'a' AS full_name) SELECT users.full_name INTO r FROM users;",
        "PERFORM id FROM users;",
        "SELECT * INTO r FROM users;",
    ] {
        names_nothing(body);
    }
}

#[test]
fn a_function_looks_where_its_own_setting_says() {
    let function = "
CREATE FUNCTION f() RETURNS text LANGUAGE sql SET search_path = shop, public AS $$
    SELECT full_name FROM users WHERE false
$$;
CREATE FUNCTION shop.g() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM full_name FROM users; END $$;";
    let here = draft(function, RENAME, &RENAMED);
    let says = format!("up.sql: may break function shop.g() line 1: {NAMES}");
    assert_eq!(said(&here), [says]);
    let there = draft(
        function,
        "ALTER TABLE shop.users RENAME full_name TO name",
        &["shop.users.full_name=name"],
    );
    let broken = there.proof.broken.iter().map(|one| one.function.clone());
    assert_eq!(broken.collect::<Vec<_>>(), [Some("public.f()".to_owned())]);
    // The attempt says it already.
    assert_eq!(said(&there), Vec::<String>::new());
}

#[test]
fn what_goes_and_what_is_retyped_is_named() {
    let all = function("INSERT INTO users VALUES (1, 'a', 'sad', 3);");
    let drop = draft(&all, "ALTER TABLE users DROP age", &[]);
    let code = "may break function public.f(given integer) line 6: it";
    assert_eq!(
        said(&drop),
        [format!(
            "up.sql: {code} takes every column of public.users, and age goes"
        )]
    );
    let some = function("UPDATE users SET age = 1;");
    let drop = draft(&some, "ALTER TABLE users DROP age", &[]);
    assert_eq!(
        said(&drop),
        [format!("up.sql: {code} names public.users.age, which goes")]
    );
    let retyped = draft(&some, "ALTER TABLE users ALTER age TYPE bigint", &[]);
    assert_eq!(
        said(&retyped),
        [format!(
            "up.sql: {code} names public.users.age, which is bigint then"
        ),]
    );
    let table = draft(&some, "DROP TABLE users", &[]);
    assert_eq!(
        said(&table),
        [format!("up.sql: {code} names public.users, which goes")]
    );
    let moved = draft(
        &some,
        "ALTER TABLE public.users RENAME TO people",
        &["public.users=people"],
    );
    let renamed = format!("up.sql: {code} names public.users, which is called public.people then");
    assert_eq!(said(&moved), [renamed]);
    let none = draft(&some, "ALTER TABLE users ADD nickname text", &[]);
    assert_eq!(said(&none), Vec::<String>::new());
}

#[test]
fn types_labels_and_sequences_are_named_too() {
    let cast = function("PERFORM 'sad'::mood;");
    let label = "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'";
    let code = "may break function public.f(given integer) line 6: it";
    assert_eq!(
        said(&draft(&cast, label, &["public.mood.sad=blue"])),
        [format!(
            "up.sql: {code} says 'sad', which is no label of public.mood then"
        )]
    );
    let named = said(&draft(
        &cast,
        "ALTER TYPE mood RENAME TO temper",
        &["public.mood=temper"],
    ));
    assert_eq!(
        named,
        [format!(
            "up.sql: {code} names public.mood, which is called public.temper then"
        )]
    );
    let numbers = format!(
        "CREATE SEQUENCE numbers; {}",
        function("PERFORM nextval('numbers');")
    );
    let renamed = draft(
        &numbers,
        "ALTER SEQUENCE numbers RENAME TO counter",
        &["public.numbers=counter"],
    );
    assert_eq!(
        said(&renamed),
        [format!(
            "up.sql: {code} names public.numbers, which is called public.counter then"
        )]
    );
}

#[test]
fn what_cannot_be_looked_into_is_said_where_it_matters() {
    let computed = function("EXECUTE format('UPDATE %I SET full_name = NULL', 'users');");
    let says = "up.sql: may break function public.f(given integer) line 6: it runs SQL that it puts together, which was not \
                looked into";
    assert_eq!(said(&draft(&computed, RENAME, &RENAMED)), [says]);
    let harmless = draft(&computed, "ALTER TABLE users ADD nickname text", &[]);
    assert_eq!(said(&harmless), Vec::<String>::new());
}

/// A function may be there before the column that it names: then the way back takes that away.
#[test]
fn the_way_back_is_looked_at_too() {
    let early = function("UPDATE users SET nickname = 'a';");
    let draft = draft(&early, "ALTER TABLE users ADD nickname text", &[]);
    let hazard = "may break function public.f(given integer) line 6: it names public.users.nickname, which goes";
    assert_eq!(said(&draft), Vec::<String>::new());
    assert_eq!(told(&draft, "down.sql"), [format!("down.sql: {hazard}")]);
    let down = draft.parts[0].down_sql();
    assert!(down.contains(&format!("-- hazard: {hazard}\n")), "{down}");
}

/// PL/pgSQL's parser here knows no tables, and takes a row of one for a single value, which has no fields to set.
#[test]
fn fields_of_declared_rows_are_columns() {
    let mut functions = Vec::new();
    for (declared, body) in [
        ("r users;", "r.full_name := 'a';"),
        ("r public.users;", "r.full_name := 'a';"),
        ("r users%ROWTYPE;", "r.full_name := 'a';"),
        (
            "r \"public\" . users % rowtype;",
            "RAISE NOTICE '%', r.full_name;",
        ),
        (
            "r CONSTANT users := NULL::users;",
            "RAISE NOTICE '%', r.full_name;",
        ),
        ("\"R r\" users /* its type */;", "\"R r\".full_name = 'a';"),
        ("r held.one%TYPE;", "r.full_name := 'a';"),
        ("r user_domain;", "r.full_name := 'a';"),
        ("r users[];", "r[1].full_name := 'a';"),
        ("r users[];", "RAISE NOTICE '%', r[1].full_name;"),
        ("r users ARRAY[4];", "RAISE NOTICE '%', (r[1]).full_name;"),
        ("r users;", "RAISE NOTICE '%', (r).full_name;"),
        ("r users;", "SELECT '' INTO r.full_name;"),
        ("r users;", "EXECUTE 'SELECT $1' INTO r.full_name USING 1;"),
        ("r users; n integer;", "SELECT 1, '' INTO n, r.full_name;"),
        ("r users;", "GET DIAGNOSTICS r.full_name = ROW_COUNT;"),
        ("r held;", "r.one.full_name := 'a';"),
        ("r held;", "PERFORM (r.one).full_name;"),
        ("", "DECLARE r users; BEGIN r.full_name := 'a'; END;"),
        (
            "",
            "IF true THEN <<b>> DECLARE r users; BEGIN b.r.full_name := 'a'; END; END IF;",
        ),
        (
            "",
            "LOOP DECLARE r users; BEGIN r.full_name := 'a'; EXIT; END; END LOOP;",
        ),
        ("", "PERFORM (user_one()).full_name;"),
        ("", "PERFORM g.full_name FROM user_one() g;"),
        ("", "PERFORM full_name FROM user_one();"),
        (
            "r record;",
            "FOR r IN SELECT * FROM user_one() LOOP RAISE NOTICE '%', r.full_name; END LOOP;",
        ),
        ("", "PERFORM (NULL::users).full_name;"),
        ("", "PERFORM (u).full_name FROM users u;"),
    ] {
        functions.push((declared, body));
    }
    let made = functions.iter().enumerate();
    let made = made.map(|(n, (declared, body))| declaring(n, declared, body));
    let draft = draft(
        &format!("{HELD}{}", made.collect::<String>()),
        RENAME,
        &RENAMED,
    );
    let said = said(&draft);
    for (n, (declared, body)) in functions.iter().enumerate() {
        let says = format!("up.sql: may break function public.f{n:02}() line 5: {NAMES}");
        assert!(said.contains(&says), "{declared} {body}: {said:#?}");
    }
    assert_eq!(said.len(), functions.len(), "{said:#?}");
}

const HELD: &str = "
CREATE TABLE held (id integer PRIMARY KEY, one users);
CREATE DOMAIN user_domain AS users;
CREATE FUNCTION user_one() RETURNS SETOF users LANGUAGE sql STABLE AS 'TABLE users';
";

/// A function without arguments, on whose fifth line its body stands.
fn declaring(n: usize, declared: &str, body: &str) -> String {
    format!(
        "CREATE FUNCTION f{n:02}() RETURNS void LANGUAGE plpgsql AS $$
DECLARE {declared}
    r2 record;
BEGIN
{body}
END $$;\n"
    )
}

#[test]
fn parameters_that_are_rows_have_columns() {
    let functions = [
        "FUNCTION f0(r users) RETURNS void LANGUAGE plpgsql AS $$ BEGIN\nr.full_name := 'a'; END $$",
        "FUNCTION f1(r users) RETURNS text LANGUAGE plpgsql AS $$ BEGIN\nRETURN r.full_name; END $$",
        "FUNCTION f2(r users) RETURNS text LANGUAGE plpgsql AS $$ BEGIN\nRETURN $1.full_name; END $$",
        "FUNCTION f3(users) RETURNS text LANGUAGE plpgsql AS $$ DECLARE one ALIAS FOR $1; BEGIN\nRETURN one.full_name; END $$",
        "FUNCTION f4(r users[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN\nRETURN r[1].full_name; END $$",
        "FUNCTION f5(OUT r users) LANGUAGE plpgsql AS $$ BEGIN\nr.full_name := 'a'; END $$",
        "FUNCTION f7(r users) RETURNS void LANGUAGE plpgsql AS $$ BEGIN\nf7.r.full_name := 'a'; END $$",
        "PROCEDURE f6(INOUT r users) LANGUAGE plpgsql AS $$ BEGIN\nr.full_name := 'a'; END $$",
    ];
    let made = functions
        .map(|function| format!("CREATE {function};\n"))
        .concat();
    let said = said(&draft(&made, RENAME, &RENAMED));
    for n in 0..functions.len() {
        let begins = format!("up.sql: may break function public.f{n}(");
        let mut found = said.iter().filter(|one| one.starts_with(&begins));
        let found = found.next().unwrap_or_else(|| panic!("f{n}: {said:#?}"));
        assert!(found.ends_with(&format!(" line 2: {NAMES}")), "{found}");
    }
    assert_eq!(said.len(), functions.len(), "{said:#?}");
}

#[test]
fn fields_of_other_rows_are_none() {
    let functions = [
        ("r teams;", "r.full_name := 'a'; PERFORM id FROM users;"),
        (
            "r shop.users;",
            "r.full_name := 'a'; PERFORM id FROM users;",
        ),
        (
            "r users;",
            "r.id := 1; RAISE NOTICE '% %', r.age, 'r.full_name';",
        ),
        ("x text := 'DECLARE r users; BEGIN r.full_name';", "NULL;"),
        (
            "full_name text;",
            "full_name := (SELECT 1 AS declare); full_name := 'a';",
        ),
    ];
    let made = functions.iter().enumerate();
    let made = made.map(|(n, (declared, body))| declaring(n, declared, body));
    let draft = draft(&made.collect::<String>(), RENAME, &RENAMED);
    assert_eq!(said(&draft), Vec::<String>::new());
}

#[test]
fn a_declared_row_is_filled_and_begins_with_a_value() {
    let first = "r users := (SELECT u FROM users u WHERE u.full_name = 'a');";
    let of_record = first.replace("r users", "r record");
    let made = [
        declaring(0, first, "NULL;"),
        declaring(1, &of_record, "NULL;"),
        declaring(
            2,
            "r users;",
            "SELECT id, full_name, NULL, 7 INTO r FROM teams;",
        ),
        declaring(3, "r users;", "r.age := 3;"),
    ];
    let made = made.concat();
    let code = |n, line| format!("up.sql: may break function public.f{n:02}() line {line}: it");
    let renamed = draft(&made, RENAME, &RENAMED);
    let name = NAMES.trim_start_matches("it");
    assert_eq!(
        said(&renamed),
        [
            format!("{}{name}", code(0, 2)),
            format!("{}{name}", code(1, 2))
        ]
    );
    let dropped = draft(&made, "ALTER TABLE users DROP age", &[]);
    assert_eq!(
        said(&dropped),
        [
            format!(
                "{} takes every column of public.users, and age goes",
                code(2, 5)
            ),
            format!("{} names public.users.age, which goes", code(3, 5)),
        ]
    );
    let retyped = draft(&made, "ALTER TABLE users ALTER age TYPE bigint", &[]);
    let said = said(&retyped);
    let says = format!(
        "{} names public.users.age, which is bigint then",
        code(3, 5)
    );
    assert!(said.contains(&says), "{said:#?}");
}

/// Whatever PL/pgSQL has, its parser reads, whatever types it names.
#[test]
fn functions_of_all_sorts_are_read() {
    let functions = "
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION rows_of(a users, b mood) RETURNS SETOF users LANGUAGE plpgsql AS $$
DECLARE
    c CURSOR (k integer) FOR SELECT full_name FROM users WHERE id = k;
    u users%ROWTYPE;
    p positive := 1;
BEGIN
    OPEN c(1);
    RETURN QUERY SELECT * FROM teams, shop.users;
EXCEPTION WHEN unique_violation THEN
    NULL;
END $$;
CREATE FUNCTION out_of(a integer, OUT x text, OUT y mood) LANGUAGE plpgsql AS $$
BEGIN
    SELECT full_name, mood INTO x, y FROM users;
END $$;
CREATE FUNCTION table_of(n integer) RETURNS TABLE (name text, feels mood) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT u.full_name, u.mood FROM users u;
END $$;
CREATE FUNCTION of_any(a anyelement) RETURNS anyarray LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET full_name = a::text;
    RETURN ARRAY[a];
END $$;
CREATE FUNCTION mood_of(a mood[]) RETURNS mood LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET full_name = '';
    RETURN a[1];
END $$;
CREATE FUNCTION many(VARIADIC a text[] DEFAULT '{}'::text[]) RETURNS users LANGUAGE plpgsql STABLE AS $$
DECLARE
    u users;
BEGIN
    SELECT * INTO u FROM users WHERE full_name = ANY (a);
    RETURN u;
END $$;
CREATE FUNCTION of_numbers(integer, integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    one ALIAS FOR $1;
BEGIN
    UPDATE users SET full_name = one WHERE id = $2;
    RETURN one + $2;
END $$;
CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET full_name = tg_tag;
END $$;
CREATE PROCEDURE done(INOUT a integer) LANGUAGE plpgsql AS $$
BEGIN
    a := a + 1;
    COMMIT;
    UPDATE users SET full_name = 'x';
END $$;";
    let draft = draft(functions, RENAME, &RENAMED);
    let lines = [
        ("done(INOUT a integer)", 5),
        ("many(VARIADIC a text[])", 5),
        ("mood_of(a mood[])", 3),
        ("of_any(a anyelement)", 3),
        ("of_numbers(integer, integer)", 5),
        ("out_of(a integer, OUT x text, OUT y mood)", 3),
        ("rows_of(a users, b mood)", 3),
        ("table_of(n integer)", 3),
        ("told()", 3),
    ];
    let lines = lines.map(|(function, line)| {
        format!("up.sql: may break function public.{function} line {line}: {NAMES}")
    });
    assert_eq!(said(&draft), lines);
}

/// The extension looks into every branch. Without it on the server, what it would find is a suspicion.
#[test]
fn plpgsql_check_is_asked_where_the_server_has_it() {
    let (_, database) = tests::database();
    let mut connection = database.connect().expect("a connection");
    let there = "EXISTS (SELECT FROM pg_available_extensions WHERE name = 'plpgsql_check')";
    let is_there = tests::holds(&mut connection, there);
    let draft = draft(TRIGGER, RENAME, &RENAMED);
    let found: Vec<(&str, Option<usize>)> = draft
        .proof
        .broken
        .iter()
        .map(|one| (one.attempt.as_str(), one.line))
        .collect();
    if is_there {
        assert_eq!(found, [("plpgsql_check", Some(5))]);
        assert_eq!(said(&draft), Vec::<String>::new());
    } else {
        assert_eq!(found, [], "plpgsql_check is not on this server");
        assert_eq!(said(&draft).len(), 1);
    }
}
