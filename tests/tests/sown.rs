//! Rows reach every table that takes some.

use std::path::PathBuf;

use generator::{
    prove::data::{Kept, Run, keep},
    source,
};
use tests::drafted::drafted;
use trueup::{Action, Hazard, Pass, Statement};

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

/// Tries a statement on rows of a schema.
fn tried(from: &str, statement: Statement) -> Kept {
    let project = tests::project(PathBuf::from("no migrations"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("from.sql");
    std::fs::write(&path, from).expect("a file");
    let start = source::file(&project, &path).unwrap_or_else(|error| panic!("{}", error.full()));
    let ups = [Run {
        statements: vec![statement],
        in_transaction: true,
    }];
    let kept = keep(&project, &start, None, None, &ups, &[]);
    kept.unwrap_or_else(|error| panic!("{}", error.full()))
}

const COARSER: [(&str, &str); 9] = [
    ("text", "public.citext"),
    ("varchar(20)", "char(20)"),
    ("timestamp", "timestamp(0)"),
    ("timestamptz", "timestamptz(1)"),
    ("time", "time(0)"),
    ("interval", "interval(0)"),
    ("numeric(10, 4)", "numeric(10, 2)"),
    ("bigint", "double precision"),
    ("integer", "real"),
];

#[test]
fn rows_that_must_differ_are_near_enough_to_be_the_same_in_a_coarser_type() {
    let alone = COARSER.map(|types| (types, "a {} UNIQUE"));
    let beside_another =
        "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b integer, a {}, UNIQUE (b, a)";
    for ((old, new), columns) in alone.into_iter().chain([(COARSER[0], beside_another)]) {
        let columns = columns.replace("{}", old);
        let from = format!("CREATE EXTENSION citext; CREATE TABLE t ({columns});");
        let sql = format!("ALTER TABLE public.t ALTER COLUMN a TYPE {new}");
        let failed = tried(&from, Statement::new("Change it", sql)).extremes;
        let says = "`Change it` fails on rows: could not create unique index";
        assert!(
            failed.iter().any(|one| one.contains(says)),
            "{old} to {new} in {columns}: {failed:?}"
        );
    }
}

/// A hazard of one of them does not excuse another.
#[test]
fn of_what_one_statement_does_the_one_that_fails_is_told() {
    let action = |pass, words: &str| Action::new("public.t", pass, words);
    let narrow = Statement::of(
        "Narrow a",
        action(Pass::Retype, "ALTER COLUMN a TYPE smallint"),
    );
    let require = Statement::of(
        "Require b",
        action(Pass::Constrain, "ALTER COLUMN b SET NOT NULL"),
    );
    let because = "while a row has none".to_owned();
    let require = require.hazard(Hazard::MayFail { because });
    let joined = require.join(&narrow).expect("one statement");
    let told = tried("CREATE TABLE t (a bigint, b integer);", joined).told;
    let told: Vec<String> = told.iter().map(|one| one.hazard.to_string()).collect();
    assert!(
        told.iter().any(|one| one.contains("smallint out of range")),
        "{told:?}"
    );
}

const FAMILY: &str = "CREATE TABLE users (id integer PRIMARY KEY, email text, age integer, born date, kind text);
    CREATE TABLE posts (id integer PRIMARY KEY, author integer NOT NULL REFERENCES users, of text NOT NULL);
    CREATE TABLE notes (id integer PRIMARY KEY, post integer NOT NULL REFERENCES posts);";

/// Generated rows satisfy the constraints to come.
#[test]
fn rows_satisfy_the_constraints_that_come() {
    for change in [
        "ALTER TABLE users ADD CONSTRAINT c CHECK (email LIKE '%_@_%')",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (age BETWEEN 18 AND 120)",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (born >= '1900-01-01')",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (kind IN ('person', 'robot'))",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0 OR kind = 'robot')",
        "ALTER TABLE users ADD CONSTRAINT c CHECK (email LIKE '%_@_%'), ADD CONSTRAINT d CHECK (age > 17)",
        "ALTER TABLE users ADD CONSTRAINT u UNIQUE (kind)",
        "ALTER TABLE users ADD CONSTRAINT u UNIQUE (kind, email)",
        "ALTER TABLE users ADD CONSTRAINT x EXCLUDE USING btree (kind WITH =)",
        "ALTER TABLE users ADD CONSTRAINT x EXCLUDE USING btree (kind WITH =, born WITH =) WHERE (age > 17)",
        "ALTER TABLE users ADD CONSTRAINT x EXCLUDE USING gist (int4range(age, age + 10) WITH &&) WHERE (age < 1000)",
        "CREATE UNIQUE INDEX u ON users (lower(email))",
        "ALTER TABLE posts ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users",
    ] {
        all_have_rows(FAMILY, change, 3);
    }
    // One takes the place of another of its name.
    let there = format!("{FAMILY} ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0);");
    let change = "ALTER TABLE users DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (age > 100)";
    all_have_rows(&there, change, 3);
}

/// A constraint on a column that is new too applies to no existing table.
#[test]
fn a_constraint_on_a_new_column_needs_no_rows_before() {
    let change =
        "ALTER TABLE users ADD level integer DEFAULT 7, ADD CONSTRAINT c CHECK (level > 5)";
    all_have_rows(FAMILY, change, 3);
    let says = sentence(
        FAMILY,
        "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 5 AND age < 3 AND age IS NOT NULL)",
    );
    assert!(
        says.contains("rows in 0 of 3 tables kept, none in public.users ("),
        "{says}"
    );
}
