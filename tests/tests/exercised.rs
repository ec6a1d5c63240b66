//! Code around tables of every sort that Postgres has runs in the proof, before and after.

use generator::{draft::Draft, prove::code::Broken};
use tests::drafted::drafted;

const TABLES: &str = "
CREATE TABLE users (id integer PRIMARY KEY, full_name text, age integer);
CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
";

fn renamed(code: &str, table: &str, old: &str) -> Draft {
    let change = format!("ALTER TABLE {table} RENAME {old} TO renamed");
    let rename = format!("public.{table}.{old}=renamed");
    let from = format!("{TABLES}{code}");
    drafted(&from, &change, &[&rename]).unwrap_or_else(|error| panic!("{}", error.full()))
}

/// Asserts that these attempts fail after up.sql, which renames the column.
#[track_caller]
fn fails(code: &str, table: &str, old: &str, attempts: &[&str]) {
    let draft = renamed(code, table, old);
    let said: Vec<&Broken> = draft.proof.broken.iter().collect();
    for attempt in attempts {
        let is_it = |one: &&Broken| {
            one.file == "up.sql"
                && one.attempt == *attempt
                && one
                    .function
                    .as_deref()
                    .is_some_and(|name| name.starts_with("public.code("))
        };
        assert!(said.iter().any(is_it), "{attempt}: {said:#?}");
    }
    // Another column is in nobody's way.
    let harmless = renamed(code, "users", "age");
    assert_eq!(harmless.proof.broken, []);
    let sentence = harmless.proof.sentence();
    assert!(
        sentence.contains("runs as before") || code.contains("POLICY"),
        "{sentence}"
    );
}

/// A trigger's function that writes the log.
const LOGS: &str = "
CREATE FUNCTION code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (what) VALUES (TG_OP);
    RETURN NULL;
END $$;";

#[test]
fn a_policy_calls_a_function() {
    fails(
        "CREATE FUNCTION code(given integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
         BEGIN
             RETURN (SELECT u.full_name IS NULL FROM users u WHERE u.id = given);
         END $$;
         ALTER TABLE users ENABLE ROW LEVEL SECURITY;
         CREATE POLICY mine ON users USING (code(id)) WITH CHECK (code(id) IS NOT NULL);",
        "users",
        "full_name",
        &["policy mine on users"],
    );
}

#[test]
fn a_rule_calls_a_function() {
    fails(
        "CREATE FUNCTION code(given integer) RETURNS bigint LANGUAGE plpgsql AS $$
         BEGIN
             RETURN (SELECT count(l.what) FROM log l WHERE l.id = given);
         END $$;
         CREATE RULE counts AS ON UPDATE TO users DO ALSO SELECT code(NEW.id);",
        "log",
        "what",
        &["UPDATE public.users"],
    );
}

#[test]
fn a_trigger_waits_for_truncate() {
    let code = format!(
        "{LOGS} CREATE TRIGGER code AFTER TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION code();"
    );
    fails(&code, "log", "what", &["TRUNCATE public.users"]);
}

#[test]
fn a_trigger_of_a_statement_and_one_that_waits_run() {
    let code = format!(
        "{LOGS} CREATE TRIGGER code AFTER DELETE ON users FOR EACH STATEMENT EXECUTE FUNCTION code();"
    );
    fails(&code, "log", "what", &["DELETE FROM public.users"]);
    let code = format!(
        "{LOGS} CREATE CONSTRAINT TRIGGER code AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION code();"
    );
    fails(&code, "log", "what", &["INSERT INTO public.users"]);
}

#[test]
fn triggers_stand_instead_of_writing_a_view() {
    fails(
        "CREATE VIEW ages AS SELECT id, full_name IS NULL AS nameless FROM users;
         CREATE FUNCTION code() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF TG_OP = 'INSERT' THEN
                 INSERT INTO users (id) VALUES (NEW.id);
             END IF;
             INSERT INTO log (what) VALUES (TG_OP);
             RETURN NEW;
         END $$;
         CREATE TRIGGER code INSTEAD OF INSERT OR UPDATE OR DELETE ON ages FOR EACH ROW EXECUTE FUNCTION code();",
        "log",
        "what",
        &["INSERT INTO ages"],
    );
}

#[test]
fn a_default_and_a_check_call_a_function() {
    let function = "CREATE FUNCTION code() RETURNS integer LANGUAGE plpgsql AS $$
         BEGIN
             RETURN (SELECT count(l.what) FROM log l);
         END $$;";
    let code = format!("{function} ALTER TABLE users ALTER age SET DEFAULT code();");
    let draft = renamed(&code, "log", "what");
    let said: Vec<String> = draft.proof.broken.iter().map(ToString::to_string).collect();
    assert!(
        said[0].starts_with("INSERT INTO public.users, after up.sql"),
        "{said:#?}"
    );
}

/// Rows that were made up are counted by nobody, so that what a counter says of them may be any number.
#[test]
fn a_counter_without_a_foreign_key_is_no_fault_of_the_code() {
    let code = "
        CREATE TABLE stats (user_id integer PRIMARY KEY, posts integer NOT NULL DEFAULT 0);
        CREATE TABLE posts (id integer PRIMARY KEY, user_id integer NOT NULL);
        CREATE FUNCTION code() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                UPDATE stats SET posts = posts - 1 WHERE user_id = OLD.user_id;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO stats VALUES (NEW.user_id, 1) ON CONFLICT (user_id) DO UPDATE SET posts = stats.posts + 1;
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER code AFTER INSERT OR UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION code();";
    let proof = |change: &str| {
        let draft = drafted(code, change, &[]).unwrap_or_else(|error| panic!("{}", error.full()));
        draft.proof
    };
    let mut said = Vec::new();
    for change in [
        "ALTER TABLE stats ADD CHECK (posts >= 0)",
        "ALTER TABLE stats ADD CHECK (posts <> 0)",
    ] {
        let proof = proof(change);
        assert_eq!(proof.broken, [], "{change}");
        let suspects = proof.suspects.iter();
        said.extend(suspects.map(|one| one.hazard().to_string()));
    }
    // It is no fault, and is said.
    let words = "some rows make it fail: new row for relation \"stats\" violates check constraint";
    assert!(said.iter().any(|one| one.contains(words)), "{said:#?}");
    let harmless = proof("ALTER TABLE posts ADD CHECK (user_id > 0)");
    assert_eq!(
        (harmless.broken, harmless.suspects),
        (Vec::new(), Vec::new())
    );
    // A limit that nothing gets past.
    let said = proof("ALTER TABLE stats ADD CHECK (posts < 0)").broken;
    assert!(
        said.iter()
            .any(|one| one.attempt == "INSERT INTO public.posts"),
        "{said:#?}"
    );
}
