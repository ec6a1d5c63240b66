use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use std::path::PathBuf;

use super::*;
use crate::postgres::binaries::BinariesError;

pub(crate) fn scratch() -> Scratch {
    let binaries = Binaries::find(None);
    let options = ScratchOptions {
        binaries: &binaries,
        prefer_major: None,
        url: None,
    };
    Scratch::start(&options).expect("a scratch")
}

fn count(connection: &mut PgConnection, sql: &str) -> i64 {
    diesel::select(diesel::dsl::sql::<BigInt>(&format!("({sql})")))
        .get_result(connection)
        .expect("a count")
}

fn databases(url: &Url) -> i64 {
    let mut admin = connect(url).expect("a connection");
    count(
        &mut admin,
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'trueup%'",
    )
}

#[test]
fn makes_copies_and_leaves_nothing() {
    let scratch = scratch();
    let folder = scratch_folder(&scratch);
    let first = scratch.create(&Locale::default()).expect("a database");
    first
        .connect()
        .expect("a connection")
        .batch_execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        .expect("a table");
    let second = scratch.copy(&first).expect("a copy");
    let mut connection = second.connect().expect("a connection");
    assert_eq!(count(&mut connection, "SELECT count(*) FROM t"), 1);
    assert!(matches!(
        scratch.copy(&second),
        Err(ScratchError::InUse { .. })
    ));
    assert_eq!(
        scratch.major(),
        server_version(&mut connection).expect("a version") / 10_000
    );
    drop((connection, first, second));
    assert!(folder.exists());
    drop(scratch);
    assert!(!folder.exists());
}

#[test]
fn two_processes_may_start_at_once() {
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(scratch)).collect();
        let scratches: Vec<_> = starts
            .into_iter()
            .map(|start| start.join().expect("a scratch"))
            .collect();
        let mut folders: Vec<_> = scratches.iter().map(scratch_folder).collect();
        folders.dedup();
        assert_eq!(folders.len(), 3);
    });
}

#[test]
fn spent_databases_are_removed_before_the_end() {
    let scratch = scratch();
    for _ in 0..SPENT_AT_MOST {
        scratch.create(&Locale::default()).expect("a database");
    }
    let mut admin = scratch.host.admin();
    assert_eq!(
        count(
            &mut admin,
            "SELECT count(*) FROM pg_database WHERE datname LIKE 'scratch%'"
        ),
        0
    );
}

#[test]
fn a_database_has_the_locale_that_is_asked_for_where_it_exists() {
    let scratch = scratch();
    let database = scratch.create(&Locale::default()).expect("a database");
    let locale = Locale::of(&mut database.connect().expect("a connection")).expect("a locale");
    let same = scratch.create(&locale).expect("a database");
    assert_eq!(
        Locale::of(&mut same.connect().expect("a connection")).expect("a locale"),
        locale
    );
    let latin =
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    scratch
        .host
        .admin()
        .batch_execute(latin)
        .expect("a database");
    let latin =
        Locale::of(&mut connect(&scratch.host.url.with_database("latin")).expect("a connection"))
            .expect("a locale");
    let latin = scratch.create(&latin).expect("a database");
    let encoding: String = diesel::select(diesel::dsl::sql::<Text>(
        "current_setting('server_encoding')",
    ))
    .get_result(&mut latin.connect().expect("a connection"))
    .expect("an encoding");
    assert_eq!(encoding, "LATIN1");
}

#[test]
fn databases_on_a_server_that_is_given_are_always_dropped() {
    let server = scratch();
    let url = server.host.url.clone();
    let binaries = Binaries::find(None);
    let start = || {
        let options = ScratchOptions {
            binaries: &binaries,
            prefer_major: None,
            url: Some(url.clone()),
        };
        Scratch::start(&options).expect("a scratch")
    };
    let live = start();
    let kept = live.create(&Locale::default()).expect("a database");
    let copy = live.copy(&kept).expect("a copy");
    assert_eq!(databases(&url), 2);
    drop((copy, start()));
    assert_eq!(
        databases(&url),
        2,
        "a sweep leaves what a live session holds"
    );
    // A process that is killed closes its session and drops nothing.
    let mut admin = connect(&url).expect("a connection");
    let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'";
    admin.batch_execute(kill).expect("killed");
    drop(start());
    assert_eq!(databases(&url), 0);
    drop(kept);
}

#[test]
fn a_sweep_finds_what_was_made_from_another_database() {
    let server = scratch();
    let url = server.host.url.clone();
    let binaries = Binaries::find(None);
    let start = |database: &str| {
        let options = ScratchOptions {
            binaries: &binaries,
            prefer_major: None,
            url: Some(url.with_database(database)),
        };
        Scratch::start(&options).expect("a scratch")
    };
    let other = server.create(&Locale::default()).expect("a database");
    let (here, there) = (start("postgres"), start(other.name()));
    let kept = [&here, &there].map(|live| live.create(&Locale::default()).expect("a database"));
    there
        .make_roles(&BTreeSet::from(["swept".to_owned()]))
        .expect("a role");
    drop(start("postgres"));
    assert_eq!(
        databases(&url),
        2,
        "a sweep leaves what a live session holds"
    );
    let kill = format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'",
        other.name()
    );
    let mut admin = connect(&url).expect("a connection");
    admin.batch_execute(&kill).expect("killed");
    drop(start("postgres"));
    assert_eq!(databases(&url), 1, "the living one's stays");
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname = 'swept'";
    assert_eq!(count(&mut admin, roles), 0);
    drop(kept);
}

#[test]
fn no_programs_and_no_server_is_an_error_that_helps() {
    let error = ScratchError::from(BinariesError::NoServer);
    assert!(error.hint().expect("a hint").contains("--scratch-url"));
}

fn scratch_folder(scratch: &Scratch) -> PathBuf {
    scratch.folder().expect("it was started here").to_owned()
}
