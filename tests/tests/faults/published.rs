//! A database whose every table is published: what is noted beside the record must not reach a subscriber, which has no place for
//! it and would stop replicating.

use std::path::Path;

use diesel::{PgConnection, connection::SimpleConnection, prelude::*, sql_types::Bool};
use generator::postgres::{connection::connect, url::Url};
use tests::checkout::{Checkout, until};

use super::checkout;

const INDEX: &str = "2030-01-02-000000_index";

/// A server of a project that sends its changes on.
fn server() -> (Checkout, Url) {
    let project = checkout();
    project.run(&["db", "start"]).done();
    let url = project.run(&["db", "url"]).done();
    let url = Url::parse(url.trim()).expect("a URL");
    execute(
        &mut session(&url, "postgres"),
        "ALTER SYSTEM SET wal_level = 'logical'",
    );
    project.run(&["db", "stop"]).done();
    project.run(&["db", "start"]).done();
    (project, url)
}

fn session(url: &Url, database: &str) -> PgConnection {
    connect(&url.with_database(database)).expect("a connection")
}

fn execute(connection: &mut PgConnection, sql: &str) {
    connection
        .batch_execute(sql)
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
}

fn is_so(connection: &mut PgConnection, condition: &str) -> bool {
    let found = diesel::select(diesel::dsl::sql::<Bool>(condition)).get_result(connection);
    found.unwrap_or_else(|error| panic!("{error}: {condition}"))
}

fn subscribe(url: &Url, socket: &Path) {
    let connection = format!("host={} user=postgres dbname=here", socket.display());
    execute(
        &mut session(url, "here"),
        "SELECT pg_create_logical_replication_slot('s', 'pgoutput')",
    );
    let subscribe = format!(
        "CREATE SUBSCRIPTION s CONNECTION '{connection}' PUBLICATION p WITH (create_slot = false, slot_name = s)"
    );
    execute(&mut session(url, "there"), &subscribe);
}

#[test]
fn a_subscriber_of_all_tables_goes_on_through_upgrades_and_redos() {
    let (server, url) = server();
    let record = "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now());
         CREATE TABLE t (n int PRIMARY KEY);";
    for database in ["here", "there"] {
        execute(
            &mut session(&url, "postgres"),
            &format!("CREATE DATABASE {database}"),
        );
        execute(&mut session(&url, database), record);
    }
    execute(
        &mut session(&url, "here"),
        "CREATE PUBLICATION p FOR ALL TABLES",
    );
    subscribe(&url, &server.path().join(".trueup/socket"));

    let mut project = checkout();
    project.database = Some(url.with_database("here").to_string());
    project.migration(
        "2030-01-01-000000_one",
        "INSERT INTO t VALUES (1);",
        "DELETE FROM t WHERE n = 1;",
    );
    project.migration(
        INDEX,
        "CREATE INDEX CONCURRENTLY late ON t (n);",
        "DROP INDEX CONCURRENTLY late;",
    );
    let _ = project.file(
        &format!("migrations/{INDEX}/metadata.toml"),
        "run_in_transaction = false\n",
    );
    std::fs::create_dir_all(project.path().join("fixtures/seeds")).expect("a folder");
    let _ = project.file(
        "fixtures/seeds/010_two.sql",
        "INSERT INTO t VALUES (2) ON CONFLICT DO NOTHING;",
    );
    project.run(&["upgrade"]).done();
    project.run(&["redo", "-2"]).done();
    project.run(&["seed"]).done();
    project.run(&["downgrade", "base", "--yes"]).done();
    project.run(&["init"]).done();

    let mut there = session(&url, "there");
    until("the subscriber has all of it", || {
        is_so(
            &mut there,
            "(SELECT array_agg(n ORDER BY n) = ARRAY[1, 2] FROM t) AND (SELECT count(*) = 2 FROM __diesel_schema_migrations)",
        )
    });
    execute(
        &mut there,
        "ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE)",
    );
    execute(&mut there, "DROP SUBSCRIPTION s");
    drop(there);
    server.run(&["db", "stop"]).done();
}
