//! A column's type changes between every two types that Postgres has a cast for: what the hazards say of the table's file
//! and of the values is what Postgres does with rows.

use std::{collections::BTreeMap, path::PathBuf};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use generator::{
    pipeline::{autogen::declarations, compare::CompareOptions},
    source::Source,
};
use models as _;
use trueup::{Hazard, Statement};

/// Types that a cast alone does not name: with modifiers, of extensions, arrays, domains.
const MORE: &[(&str, &str)] = &[
    ("text", "citext"),
    ("citext", "text"),
    ("varchar(20)", "citext"),
    ("varchar(20)", "varchar(40)"),
    ("varchar(20)", "varchar(10)"),
    ("varchar(20)", "varchar"),
    ("text", "varchar(10)"),
    ("char(5)", "char(9)"),
    ("char(5)", "varchar(9)"),
    ("char(5)", "text"),
    ("text", "char(40)"),
    ("numeric(10,2)", "numeric(12,2)"),
    ("numeric(10,2)", "numeric(10,1)"),
    ("numeric(10,2)", "numeric(12,4)"),
    ("numeric(10,2)", "numeric"),
    ("numeric", "numeric(10,2)"),
    ("timestamp(3)", "timestamp(6)"),
    ("timestamp(3)", "timestamp"),
    ("timestamp", "timestamp(0)"),
    ("timestamptz", "timestamptz(0)"),
    ("time", "time(0)"),
    ("interval(3)", "interval(6)"),
    ("interval", "interval(0)"),
    ("interval", "interval year"),
    ("interval year", "interval"),
    ("bit(4)", "bit varying(8)"),
    ("bit varying(4)", "bit varying(8)"),
    ("text[]", "text"),
    ("integer[]", "bigint[]"),
    ("varchar(20)[]", "text[]"),
    ("name", "text"),
    ("xml", "text"),
    ("json", "text"),
    ("jsonb", "text"),
    ("uuid", "text"),
    ("inet", "text"),
    ("integer", "text"),
    ("bytea", "text"),
    ("text", "plain_domain"),
    ("plain_domain", "text"),
    ("text", "checked_domain"),
    ("checked_domain", "text"),
];

/// Values that show what a cast loses; each type takes those that it can read.
const VALUES: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "17",
    "16777217",
    "9007199254740993",
    "2147483648",
    "40000",
    "1.5",
    "-2.25",
    "9.99",
    "1e300",
    "0.1234567890123456789",
    "t",
    "f",
    "true",
    "a",
    "b  ",
    "abc",
    "a longer text of twenty and more characters",
    "a text of more than the sixty-three bytes that a name can hold, and then some more",
    "2020-02-29 23:59:58.123456",
    "2020-02-29 23:59:58.123456+02",
    "23:59:58.123456",
    "23:59:58.123456+02",
    "2020-02-29",
    "1 year 2 mons 3 days 04:05:06.789",
    "10.1.2.3",
    "10.0.0.0/8",
    "10.1.2.3/24",
    "::1",
    "08:00:2b:01:02:03",
    "08:00:2b:01:02:03:04:05",
    "(1,2)",
    "(5,9),(1,2)",
    "((1,2),(3,4))",
    "[(0,0),(1,1),(2,0)]",
    "((0,0),(1,1),(2,0))",
    "<(1,2),3>",
    "{1,2,3}",
    "[1,5)",
    "{[1,5)}",
    "101",
    "B1010",
    "1010",
    "\"x\"",
    "{\"b\": 1, \"a\": 2, \"b\": 3}",
    "[1, 2]",
    "null",
    "<a>x</a>",
    "00112233-4455-6677-8899-aabbccddeeff",
    "pg_class",
    "pg_catalog",
    "postgres",
    "english",
    "simple",
    "int4",
    "1259",
    "'a':1 'b':2",
    "a & b",
    "$1.50",
    "{a,b}",
    "0/16B3748",
    "(0,1)",
    "1:2:",
    "\\xdeadbeef",
];

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = Text)]
    old: String,
    #[diesel(sql_type = Text)]
    new: String,
}

/// Every cast between two types that a column can have, by name.
const CASTS: &str = "
    SELECT format_type(castsource, NULL) AS old, format_type(casttarget, NULL) AS new
    FROM pg_cast JOIN pg_type s ON s.oid = castsource JOIN pg_type t ON t.oid = casttarget
    WHERE castsource <> casttarget AND s.typtype <> 'p' AND t.typtype <> 'p'
        AND castsource < 16384 AND casttarget < 16384 AND NOT '\"char\"'::regtype = ANY (ARRAY[castsource, casttarget])
        AND s.typname NOT LIKE 'pg\\_%' AND t.typname NOT LIKE 'pg\\_%'
    ORDER BY 1, 2";

const TYPES: &str = "
    CREATE EXTENSION citext;
    CREATE DOMAIN plain_domain AS text;
    CREATE DOMAIN checked_domain AS text CHECK (VALUE <> 'nothing');";

/// Effect of a type change on a table, by the hazards or by a look at it.
#[derive(PartialEq, Eq, Debug, Clone, Copy)]
struct Outcome {
    rewrites: bool,
    /// `None` where there is no way back, so that nothing can be looked at.
    loses: Option<bool>,
}

impl Outcome {
    fn agrees(self, other: Self) -> bool {
        let known = self.loses.zip(other.loses);
        self.rewrites == other.rewrites && known.is_none_or(|(one, other)| one == other)
    }
}

#[test]
fn hazards_of_type_changes_are_what_postgres_does() {
    let (_, database) = tests::database();
    let mut connection = database.connect().expect("a connection");
    connection.batch_execute(TYPES).expect("types");
    let mut pairs: Vec<Pair> = sql_query(CASTS).load(&mut connection).expect("casts");
    pairs.extend(MORE.iter().map(|(old, new)| Pair {
        old: (*old).to_owned(),
        new: (*new).to_owned(),
    }));
    let said = said(&pairs);
    let mut wrong = Vec::new();
    let mut agree = 0;
    for (at, pair) in pairs.iter().enumerate() {
        let Pair { old, new } = pair;
        let Some(said) = said.get(&at) else {
            wrong.push(format!("{old} → {new}: nothing is said"));
            continue;
        };
        match done(&mut connection, pair) {
            Ok(done) if done.agrees(*said) => agree += 1,
            Ok(done) => wrong.push(format!("{old} → {new}: said {said:?}, done {done:?}")),
            Err(error) => wrong.push(format!("{old} → {new}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{agree} agree\n{}", wrong.join("\n"));
}

/// Effects as the hazards tell, by the pair's number.
fn said(pairs: &[Pair]) -> BTreeMap<usize, Outcome> {
    let project = tests::project(PathBuf::from("no migrations"));
    let folder = tempfile::tempdir().expect("a folder");
    let side = |name: &str, data_type: fn(&Pair) -> &str| {
        let tables = pairs.iter().enumerate();
        let tables =
            tables.map(|(at, pair)| format!("CREATE TABLE t{at} (v {});\n", data_type(pair)));
        let path = folder.path().join(name);
        let sql = format!("{TYPES}\n{}", tables.collect::<String>());
        std::fs::write(&path, sql).expect("a file");
        Source::Sql(path)
    };
    let (from, to) = (
        side("from.sql", |pair| &pair.old),
        side("to.sql", |pair| &pair.new),
    );
    let options = CompareOptions {
        ignore_unread: false,
        prove: true,
        renames: &[],
    };
    let compared = generator::pipeline::compare::diff(&project, declarations, &from, &to, options)
        .unwrap_or_else(|error| panic!("{}", error.full()));
    let mut said: BTreeMap<usize, Outcome> = BTreeMap::new();
    for statement in compared.statements() {
        let at = statement
            .says()
            .split("public.t")
            .nth(1)
            .and_then(|rest| rest.split('.').next());
        let Some(at) = at.and_then(|at| at.parse().ok()) else {
            continue;
        };
        let is = |wanted: fn(&Hazard) -> bool| statement.hazards().iter().any(wanted);
        said.insert(
            at,
            Outcome {
                rewrites: is(|hazard| matches!(hazard, Hazard::RewritesTable { .. })),
                loses: Some(is(Hazard::loses_data)),
            },
        );
    }
    let statements = compared.statements().map(Statement::sql);
    assert_eq!(
        said.len(),
        statements.count(),
        "each statement is about one table"
    );
    said
}

#[derive(QueryableByName)]
struct File {
    #[diesel(sql_type = BigInt)]
    file: i64,
}

#[derive(QueryableByName, PartialEq, Debug)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Effect in Postgres on a table of the values that survive the change.
fn done(connection: &mut PgConnection, pair: &Pair) -> Result<Outcome, diesel::result::Error> {
    let Pair { old, new } = pair;
    connection.batch_execute(&format!(
        "DROP TABLE IF EXISTS pair; CREATE TABLE pair (at serial, v {old})"
    ))?;
    for value in VALUES {
        let value = value.replace('\'', "''");
        // A value that one of both types refuses shows nothing.
        let _ = connection.transaction(|connection| {
            connection.batch_execute(&format!("INSERT INTO pair (v) VALUES ('{value}')"))?;
            connection
                .transaction(|connection| {
                    change(connection, old, new)?;
                    Err::<(), _>(diesel::result::Error::RollbackTransaction)
                })
                .or_else(|error| {
                    let is_ours = matches!(error, diesel::result::Error::RollbackTransaction);
                    if is_ours { Ok(()) } else { Err(error) }
                })
        });
    }
    let values = |connection: &mut PgConnection| -> Result<Vec<Value>, diesel::result::Error> {
        sql_query("SELECT coalesce(v::text, 'NULL') AS value FROM pair ORDER BY at")
            .load(connection)
    };
    let file = |connection: &mut PgConnection| -> Result<i64, diesel::result::Error> {
        let row: File = sql_query("SELECT pg_relation_filenode('pair'::regclass)::bigint AS file")
            .get_result(connection)?;
        Ok(row.file)
    };
    let (before, stood) = (values(connection)?, file(connection)?);
    change(connection, old, new)?;
    let rewrites = file(connection)? != stood;
    let back = change(connection, new, old).and_then(|()| values(connection));
    let loses = back.ok().map(|after| after != before);
    Ok(Outcome { rewrites, loses })
}

/// Changes the type by the cast that Postgres applies when a value is stored, or by one that must be written where it has
/// no other.
fn change(
    connection: &mut PgConnection,
    old: &str,
    new: &str,
) -> Result<(), diesel::result::Error> {
    let stores = connection.transaction(|connection| {
        connection.batch_execute(&format!(
            "CREATE TEMPORARY TABLE bare (v {old}) ON COMMIT DROP; ALTER TABLE bare ALTER COLUMN v TYPE {new}"
        ))
    });
    let written = if stores.is_ok() {
        String::new()
    } else {
        format!(" USING v::{new}")
    };
    connection.transaction(|connection| {
        connection.batch_execute(&format!(
            "ALTER TABLE pair ALTER COLUMN v TYPE {new}{written}"
        ))
    })
}
