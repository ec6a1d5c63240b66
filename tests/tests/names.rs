//! Names and texts that nobody would choose, wherever one can stand: the way there and the way back are proved, and nothing
//! differs afterwards. `TRUEUP_PAIRS` says how often (6), `TRUEUP_SEED` from which number the chance begins (0).

use std::{collections::BTreeSet, path::PathBuf};

use generator::{
    Error, Project,
    draft::{DraftOptions, draft},
    postgres::{connection, scratch::Locale},
    source,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use trueup::name::{literal, quoted_ident};

/// Pieces of names.
const PIECES: &[&str] = &[
    "a",
    "Q",
    "_",
    "7",
    " ",
    ".",
    "\"",
    "'",
    "%",
    "%s",
    "%1$I",
    "\\",
    "\n",
    "\t",
    "\r",
    "$$",
    "$1",
    "--",
    "/*",
    "*/",
    ";",
    "é",
    "ß",
    "世界",
    "🌍",
    "{",
    "}",
    "(",
    ")",
    ":",
    "=",
    "::",
    "@",
    "select",
    "table",
    "user",
    "NULL",
    "public",
    "-- hazard: ",
    "e'",
    "U&",
    "\u{200d}",
    "\u{301}",
];

/// Number of names in a schema.
const NAMES: usize = 24;

fn name() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 1..6);
    // Postgres truncates a name to 63 bytes, between characters.
    let length = prop_oneof![4 => Just(0_usize), 1 => Just(63), 1 => Just(64), 1 => Just(200)];
    (pieces, length).prop_map(|(pieces, length)| {
        let mut name = pieces.concat();
        while name.len() < length {
            name.push(if length % 2 == 0 { 'ö' } else { 'x' });
        }
        if length == 63 {
            while name.len() > 63 {
                name.pop();
            }
        }
        name
    })
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), NAMES).prop_map(|mut names| {
        let different: BTreeSet<&str> = names.iter().map(|name| cut(name)).collect();
        if different.len() < names.len() {
            for (number, name) in names.iter_mut().enumerate() {
                *name = format!("{number}{name}");
            }
        }
        names
    })
}

/// A name as Postgres truncates it.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(63)]
}

/// Two schemas with a name in every place: `full` has what the other does not.
fn sql(names: &[String], full: bool) -> String {
    let ident: Vec<String> = names.iter().map(|name| quoted_ident(name)).collect();
    let text: Vec<String> = names.iter().map(|name| literal(name)).collect();
    let label = |at: usize| literal(&names[at].chars().take(15).collect::<String>());
    let [space, kind, sequence, table, child, view, kept, statistics] =
        [0, 1, 2, 3, 4, 5, 6, 7].map(|at| &ident[at]);
    let [id, state, words, number, more] = [8, 9, 10, 11, 12].map(|at| &ident[at]);
    let [
        key,
        unique,
        check,
        foreign,
        index,
        other_index,
        excluded,
        trim,
    ] = [13, 14, 15, 16, 17, 18, 19, 20].map(|at| &ident[at]);
    let (labels, comment) = if full {
        (format!("{}, {}", label(21), label(22)), &text[23])
    } else {
        (label(21), &text[22])
    };
    let first = label(21);
    let (words_default, check_text) = (&text[5], &text[6]);
    let mut sql = format!(
        "CREATE SCHEMA {space};
        COMMENT ON SCHEMA {space} IS {comment};
        CREATE TYPE {space}.{kind} AS ENUM ({labels});
        CREATE SEQUENCE {space}.{sequence};
        CREATE TABLE {space}.{table} (
            {id} bigint CONSTRAINT {key} PRIMARY KEY,
            {state} {space}.{kind} DEFAULT {first},
            {words} text DEFAULT {words_default} CONSTRAINT {check} CHECK ({words} <> {check_text})
        );
        COMMENT ON TABLE {space}.{table} IS {comment};
        COMMENT ON COLUMN {space}.{table}.{words} IS {comment};
        COMMENT ON CONSTRAINT {check} ON {space}.{table} IS {comment};
        CREATE VIEW {space}.{view} AS SELECT {id}, {words} AS {more} FROM {space}.{table};
        "
    );
    if full {
        let nextval = literal(&format!("{space}.{sequence}"));
        sql += &format!(
            "ALTER TABLE {space}.{table} ADD COLUMN {number} bigint DEFAULT nextval({nextval});
            ALTER SEQUENCE {space}.{sequence} OWNED BY {space}.{table}.{number};
            ALTER TABLE {space}.{table} ADD CONSTRAINT {unique} UNIQUE ({number}) INCLUDE ({words});
            ALTER TABLE {space}.{table} ADD CONSTRAINT {excluded} EXCLUDE USING btree ({number} WITH =);
            CREATE INDEX {index} ON {space}.{table} ({words}, lower({words} || {check_text})) WHERE {words} <> {words_default};
            CREATE TABLE {space}.{child} (
                {id} bigint CONSTRAINT {foreign} REFERENCES {space}.{table},
                {more} text GENERATED ALWAYS AS ({check_text} || {id}) STORED,
                UNIQUE ({id})
            );
            CREATE INDEX ON {space}.{child} ({more});
            CREATE MATERIALIZED VIEW {space}.{kept} AS SELECT {more} FROM {space}.{view};
            CREATE INDEX {other_index} ON {space}.{kept} ({more});
            CREATE STATISTICS {space}.{statistics} ON {id}, {words} FROM {space}.{table};
            CREATE RULE {trim} AS ON DELETE TO {space}.{child} DO ALSO NOTIFY {trim};
            COMMENT ON INDEX {space}.{index} IS {comment};
            COMMENT ON MATERIALIZED VIEW {space}.{kept} IS {comment};
            COMMENT ON SEQUENCE {space}.{sequence} IS {comment};
            COMMENT ON TYPE {space}.{kind} IS {comment};
            "
        );
    }
    sql
}

fn side(project: &Project, sql: &str) -> Result<source::Side, Error> {
    let database = project.scratch(None)?.create(&Locale::default())?;
    connection::run_sql(&mut database.connect()?, sql, "one side")?;
    source::side(database)
}

/// Both ways, each with its way back.
fn tried(project: &Project, names: &[String]) -> Result<(), Error> {
    for (from, to) in [(false, true), (true, false)] {
        let (from, to) = (
            side(project, &sql(names, from))?,
            side(project, &sql(names, to))?,
        );
        draft(project, from, to, DraftOptions::default())?;
    }
    Ok(())
}

#[test]
fn any_name_anywhere_goes_there_and_back() {
    let number = |name: &str, default: u64| {
        let written = std::env::var(name).ok();
        written.map_or(default, |text| text.parse().expect("a number"))
    };
    let (count, seed) = (number("TRUEUP_PAIRS", 6), number("TRUEUP_SEED", 0));
    let project = tests::project(PathBuf::from("no migrations"));
    let config = Config {
        cases: u32::try_from(count).unwrap_or(u32::MAX),
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng).run(&names(), |names| {
        tried(&project, &names).map_err(|error| TestCaseError::fail(error.full()))
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
