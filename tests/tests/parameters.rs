//! Storage parameters are what Postgres takes them for, however they are spelled.

use generator::postgres::connection::run_sql;
use tests::drafted::drafted;
use trueup::parameters::{BOOLEANS, FRACTIONS};

const FROM: &str = "
CREATE TABLE t (a integer, b tsvector) WITH (fillfactor = 70, autovacuum_enabled = on, vacuum_truncate = 1,
    vacuum_index_cleanup = yes, autovacuum_vacuum_scale_factor = 0.10, user_catalog_table = 'TRUE',
    toast.autovacuum_enabled = off);
ALTER TABLE t ALTER a SET (n_distinct = -0.50);
CREATE INDEX t_a ON t (a) WITH (deduplicate_items = off, fillfactor = 90);
CREATE INDEX t_b ON t USING gin (b) WITH (fastupdate = 0);
CREATE INDEX t_c ON t USING brin (a) WITH (autosummarize = On);
CREATE TABLE k (a integer, CONSTRAINT k_pkey PRIMARY KEY (a) WITH (deduplicate_items = no));
CREATE VIEW v WITH (security_barrier = 1) AS SELECT a FROM t;
CREATE MATERIALIZED VIEW m WITH (autovacuum_enabled = no) AS SELECT a FROM t;
";

/// The same in other words, and in another order.
const OTHERWISE: &str = "
ALTER TABLE t RESET (fillfactor);
ALTER TABLE t SET (autovacuum_enabled = true, vacuum_truncate = on, vacuum_index_cleanup = on,
    autovacuum_vacuum_scale_factor = '.1', user_catalog_table = yes, toast.autovacuum_enabled = false, fillfactor = 70);
ALTER TABLE t ALTER a SET (n_distinct = -0.5);
ALTER INDEX t_a SET (fillfactor = 90, deduplicate_items = false);
ALTER INDEX t_b SET (fastupdate = 'n');
ALTER INDEX t_c SET (autosummarize = 'yes');
ALTER INDEX k_pkey SET (deduplicate_items = '0');
ALTER VIEW v SET (security_barrier = true);
ALTER MATERIALIZED VIEW m SET (autovacuum_enabled = f);
";

#[test]
fn the_same_in_other_words_is_no_difference() {
    let change = format!("{OTHERWISE} ALTER TABLE k ADD b text");
    let draft = drafted(FROM, &change, &[]).unwrap_or_else(|error| panic!("{}", error.full()));
    let sql = |statements: &[trueup::Statement]| {
        let all: Vec<&str> = statements.iter().map(trueup::Statement::sql).collect();
        all.join("\n")
    };
    assert_eq!(
        sql(&draft.parts[0].up),
        "ALTER TABLE public.k ADD COLUMN b text"
    );
    assert_eq!(
        sql(&draft.parts[0].down),
        "ALTER TABLE public.k DROP COLUMN b"
    );
}

#[test]
fn what_they_mean_is_a_difference() {
    let change = "ALTER TABLE t SET (autovacuum_enabled = 'n', vacuum_index_cleanup = auto, toast.autovacuum_enabled = y);
        ALTER INDEX t_b SET (fastupdate = t)";
    let draft = drafted(FROM, change, &[]).unwrap_or_else(|error| panic!("{}", error.full()));
    let up = draft.parts[0].up_sql();
    for words in [
        "autovacuum_enabled = false",
        "vacuum_index_cleanup = auto",
        "toast.autovacuum_enabled = true",
        "ALTER INDEX public.t_b SET (fastupdate = true)",
    ] {
        assert!(up.contains(words), "{words} is not in: {up}");
    }
    assert!(!up.contains("vacuum_truncate"), "{up}");
}

/// Nothing in the catalog says of which type a parameter is; what it says of nonsense does.
#[test]
fn the_server_takes_them_for_what_they_are_taken_for() {
    let (_server, database) = tests::database();
    let mut connection = database.connect().expect("a connection");
    let setup = "CREATE TABLE t (a integer, b tsvector); CREATE VIEW v AS SELECT a FROM t; CREATE INDEX b ON t (a);
        CREATE INDEX g ON t USING gin (b); CREATE INDEX r ON t USING brin (a);";
    run_sql(&mut connection, setup, "setup").expect("tables");
    let alters = [
        "TABLE t",
        "VIEW v",
        "INDEX b",
        "INDEX g",
        "INDEX r",
        "TABLE t ALTER a",
    ];
    let mut says = |name: &str| -> Vec<String> {
        let refusals = alters.iter().filter_map(|of| {
            let sql = format!("ALTER {of} SET ({name} = nonsense)");
            let error = run_sql(&mut connection, &sql, "sql").err()?;
            Some(error.to_string())
        });
        refusals.collect()
    };
    let mut unknown = Vec::new();
    for (names, kind) in [
        (BOOLEANS.as_slice(), "boolean"),
        (FRACTIONS.as_slice(), "floating point"),
    ] {
        for name in names {
            let said = says(name).join("\n");
            let is_one = said.contains(&format!("invalid value for {kind} option \"{name}\""));
            let is_nearly = said.contains(&format!("invalid value for enum option \"{name}\""));
            if !is_one && (!is_nearly || *name != "vacuum_index_cleanup") {
                unknown.push(*name);
            }
        }
    }
    // Each came with a major, or has not come yet.
    unknown.retain(|name| {
        !matches!(
            *name,
            "security_invoker" | "vacuum_max_eager_freeze_failure_rate"
        )
    });
    assert_eq!(unknown, Vec::<&str>::new());
}
