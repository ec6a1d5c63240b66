//! Tables and indexes go to a tablespace and leave it. A tablespace belongs to a whole server and is made outside of
//! transactions, so no case can have one.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use generator::{
    Error,
    pipeline::compare::{CompareOptions, diff},
    postgres::scratch::{Database, Locale},
    render,
    source::Source,
};

const PLAIN: &str = "CREATE TABLE \"50% $$\" (a int PRIMARY KEY, b int);
    INSERT INTO \"50% $$\" VALUES (1, 2);
    CREATE INDEX i ON \"50% $$\" (b);";
const ELSEWHERE: &str = "CREATE TABLE \"50% $$\" (a int PRIMARY KEY USING INDEX TABLESPACE side, b int) TABLESPACE side;
    INSERT INTO \"50% $$\" VALUES (1, 2);
    CREATE INDEX i ON \"50% $$\" (b) TABLESPACE side;";

/// The SQL that leads from one database to the other, found and proved on another server than theirs.
fn way(from: &Database, to: &Database) -> String {
    let project = tests::project(PathBuf::from("no migrations"));
    let source = |database: &Database| Source::Database(database.url());
    let options = CompareOptions {
        ignore_unread: false,
        prove: true,
        renames: &[],
    };
    let no_models = || Err(Error::input("there are no models"));
    let compared = diff(&project, no_models, &source(from), &source(to), options);
    let compared = compared.unwrap_or_else(|error| panic!("{}", error.full()));
    assert_eq!(compared.unproved, None);
    render::sql(compared.plan.statements())
}

#[test]
fn tables_and_indexes_go_to_a_tablespace_and_leave_it() {
    let (project, plain) = tests::database();
    let scratch = project.scratch(None).expect("a scratch");
    if scratch.major() < 15 {
        // Only from 15 on can a tablespace be without a folder of its own.
        return;
    }
    let mut connection = plain.connect().expect("a connection");
    for sql in [
        "SET allow_in_place_tablespaces = on",
        "CREATE TABLESPACE side LOCATION ''",
        "CREATE TABLESPACE own LOCATION ''",
    ] {
        connection.batch_execute(sql).expect(sql);
    }
    let elsewhere = scratch.create(&Locale::default()).expect("a database");
    // A database has a tablespace of its own, and what has none of its own lies there.
    let move_it = format!("ALTER DATABASE {} SET TABLESPACE own", elsewhere.name());
    connection.batch_execute(&move_it).expect("moved");
    tests::run(&plain, PLAIN);
    tests::run(&elsewhere, ELSEWHERE);

    let away = way(&plain, &elsewhere);
    assert_eq!(away.matches("SET TABLESPACE side").count(), 3, "{away}");
    let home = way(&elsewhere, &plain);
    tests::run(&plain, &away);
    tests::run(&elsewhere, &home);
    assert_eq!(way(&elsewhere, &plain).matches("SET TABLESPACE").count(), 3);
    for (database, tablespace) in [(&plain, "side"), (&elsewhere, "own")] {
        let mut connection = database.connect().expect("a connection");
        let lies_there = format!(
            "(SELECT count(*) = 3 AND bool_and(pg_relation_filepath(c.oid) LIKE '%pg_tblspc/' || s.oid || '/%')
            FROM pg_class c, pg_tablespace s
            WHERE c.relname IN ('50% $$', '50% $$_pkey', 'i') AND s.spcname = '{tablespace}')"
        );
        assert!(tests::holds(&mut connection, &lies_there), "{tablespace}");
        assert!(tests::holds(
            &mut connection,
            "(SELECT b = 2 FROM \"50% $$\")"
        ));
    }
}
