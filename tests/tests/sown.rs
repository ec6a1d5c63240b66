//! Rows reach every table that takes some.

use tests::drafted::drafted;

fn sentence(from: &str, change: &str) -> String {
    let draft = drafted(from, change, &[]).unwrap_or_else(|error| panic!("{}", error.full()));
    draft.proof.sentence()
}

#[track_caller]
fn all_have_rows(from: &str, change: &str, tables: usize) {
    let sentence = sentence(from, change);
    let says = format!("; rows in {tables} of {tables} tables kept");
    assert!(sentence.contains(&says), "{sentence}");
}

/// Each of the tables needs a row of the other.
#[test]
fn two_tables_that_need_each_other_get_rows() {
    for timing in ["DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE", ""] {
        let from = format!(
            "CREATE TABLE hens (id integer PRIMARY KEY, egg integer NOT NULL, name text);
             CREATE TABLE eggs (id integer PRIMARY KEY, hen integer NOT NULL REFERENCES hens {timing});
             ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs {timing};
             CREATE TABLE farms (id integer PRIMARY KEY, hen integer NOT NULL REFERENCES hens);"
        );
        all_have_rows(&from, "ALTER TABLE hens ADD COLUMN age integer", 3);
    }
}

#[test]
fn a_circle_of_three_and_numbered_keys_and_labels_get_rows() {
    all_have_rows(
        "CREATE TYPE mood AS ENUM ('glad', 'sad');
         CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c bigint NOT NULL, mood mood NOT NULL);
         CREATE TABLE b (id bigserial PRIMARY KEY, a bigint NOT NULL REFERENCES a, size integer CHECK (size > 5));
         CREATE TABLE c (id bigint PRIMARY KEY CHECK (id > 7), b bigint NOT NULL REFERENCES b);
         ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES c;",
        "ALTER TABLE b ADD COLUMN age integer",
        3,
    );
}

/// A trigger that brings rows into a table which can have none when it is altered.
const LOGGED: &str = "
CREATE TABLE users (id integer PRIMARY KEY, name text);
CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
CREATE TABLE notes (log bigint NOT NULL REFERENCES log);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log (what) VALUES (TG_OP);
    RETURN NULL;
END $$;
CREATE TRIGGER log AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION log();
";

#[test]
fn what_a_trigger_brought_is_out_where_no_row_may_be() {
    let draft = drafted(LOGGED, "ALTER TABLE log ADD COLUMN who text NOT NULL", &[])
        .unwrap_or_else(|error| panic!("{}", error.full()));
    let sentence = draft.proof.sentence();
    assert!(
        sentence.contains("; rows in 1 of 3 tables kept, none in public.log ("),
        "{sentence}"
    );
    assert!(
        sentence.contains("it refers to public.log, which has none"),
        "{sentence}"
    );
    // So the code is tried, and found to fail.
    let said: Vec<String> = draft.proof.broken.iter().map(ToString::to_string).collect();
    let says = "INSERT INTO public.users, after up.sql: null value in column \"who\" of relation \"log\" violates not-null constraint\n    \
                in function public.log() line 3";
    assert!(said.iter().any(|one| one.starts_with(says)), "{said:#?}");
}
