use diesel::connection::SimpleConnection;

use super::*;
use crate::postgres::connection::connect;
use crate::postgres::scratch::tests::scratch;
use crate::postgres::scratch::{Database, Locale};

fn migrations(files: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, up, down) in files {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("up.sql"), up).expect("a file");
        std::fs::write(folder.join("down.sql"), down).expect("a file");
    }
    dir
}

const GOOD: &[(&str, &str, &str)] = &[
    ("2026-01-01-000000_a", "CREATE TABLE a ();", "DROP TABLE a;"),
    ("2026-01-02-000000_b", "CREATE TABLE b ();", "DROP TABLE b;"),
    ("2026-02-01-000000_c", "CREATE TABLE c ();", "DROP TABLE c;"),
];

fn database() -> (Database, PgConnection) {
    let database = scratch().create(&Locale::default()).expect("a database");
    let connection = database.connect().expect("a connection");
    (database, connection)
}

fn names(reports: &[AppliedReport]) -> Vec<&str> {
    reports.iter().map(|report| &report.name[11..]).collect()
}

#[test]
fn goes_up_and_down_and_stamps() {
    let dir = migrations(GOOD);
    let (_database, mut connection) = database();
    let now = Options::default();
    assert_eq!(
        applied(&mut connection).expect("nothing"),
        Vec::<String>::new()
    );
    connection
        .batch_execute("SELECT 1 / (to_regclass('__diesel_schema_migrations') IS NULL)::int")
        .expect("no table was made");
    let up = |connection: &mut PgConnection, target| upgrade(connection, dir.path(), &target, now);
    let down =
        |connection: &mut PgConnection, target| downgrade(connection, dir.path(), &target, now);
    assert_eq!(
        names(&up(&mut connection, UpTarget::Plus(1)).expect("up")),
        ["000000_a"]
    );
    assert_eq!(
        names(&up(&mut connection, UpTarget::Version("2026-01-02".to_owned())).expect("up")),
        ["000000_b"]
    );
    assert_eq!(
        names(&up(&mut connection, UpTarget::Head).expect("up")),
        ["000000_c"]
    );
    assert_eq!(
        names(&up(&mut connection, UpTarget::Head).expect("nothing")),
        Vec::<&str>::new()
    );
    assert_eq!(
        names(&down(&mut connection, DownTarget::Minus(1)).expect("down")),
        ["000000_c"]
    );
    assert_eq!(
        names(
            &down(
                &mut connection,
                DownTarget::Version("2026-01-01-000000_a".to_owned())
            )
            .expect("down")
        ),
        ["000000_b"]
    );
    assert!(matches!(
        down(&mut connection, DownTarget::Version("202602".to_owned())),
        Err(ApplyError::NotApplied { .. })
    ));
    assert!(matches!(
        down(&mut connection, DownTarget::Minus(2)),
        Err(ApplyError::TooFew { asked: 2, there: 1 })
    ));
    assert_eq!(
        names(&down(&mut connection, DownTarget::Base).expect("down")),
        ["000000_a"]
    );
    let stamped = |connection: &mut PgConnection, target| {
        stamp(connection, dir.path(), &target, now)
            .expect("stamped")
            .len()
    };
    assert_eq!(stamped(&mut connection, StampTarget::Head), 3);
    assert_eq!(
        stamped(
            &mut connection,
            StampTarget::Version("202601020".to_owned())
        ),
        2
    );
    assert_eq!(stamped(&mut connection, StampTarget::Base), 0);
}

#[test]
fn a_failure_names_file_line_and_statement() {
    let broken = [
        GOOD,
        &[(
            "2026-03-01-000000_d",
            "CREATE TABLE d ();\n\n-- twice\nCREATE TABLE\n  a ();\nCREATE TABLE e ();",
            "",
        )],
    ]
    .concat();
    let dir = migrations(&broken);
    let (_database, mut connection) = database();
    let error = upgrade(
        &mut connection,
        dir.path(),
        &UpTarget::Head,
        Options::default(),
    )
    .expect_err("broken");
    let text = error.to_string();
    assert!(
        text.contains(
            "2026-03-01-000000_d/up.sql:4: relation \"a\" already exists\n  statement: CREATE TABLE"
        ),
        "{text}"
    );
    assert!(
        text.contains("rolled back as a whole; 2026-01-01-000000_a, "),
        "{text}"
    );
    assert_eq!(applied(&mut connection).expect("three").len(), 3);
    connection
        .batch_execute("SELECT 1 / (to_regclass('d') IS NULL)::int")
        .expect("d was rolled back");
    let (fresh, _) = database();
    let read = folder::read(dir.path()).expect("four");
    let error = replay(&fresh, &read).expect_err("d fails").to_string();
    assert!(
        error.starts_with("the migrations do not replay") && error.contains("_d/up.sql:"),
        "{error}"
    );
}

#[test]
fn a_position_is_turned_into_a_line() {
    let (_database, mut connection) = database();
    let mut fails = |sql: &str| {
        crate::postgres::connection::run_sql(&mut connection, sql, "x.sql")
            .expect_err("broken")
            .to_string()
    };
    assert_eq!(
        fails("SELECT 'ü';\nSELECT 1,\n  nope;"),
        "x.sql:3: column \"nope\" does not exist\n  statement: SELECT 1,\n      nope"
    );
    assert_eq!(
        fails("SELECT 1;\nSELEC 2;"),
        "x.sql:2: syntax error at or near \"SELEC\""
    );
    assert_eq!(
        fails("BEGIN;\nSELECT nope;\nCOMMIT"),
        "x.sql:2: column \"nope\" does not exist\n  statement: SELECT nope"
    );
    assert_eq!(fails("-- nothing"), "x.sql: Received an empty query");
}

#[test]
fn older_pending_migrations_need_a_word() {
    let dir = migrations(GOOD);
    let (database, mut connection) = database();
    let only = |name: &str| Migration {
        name: name.to_owned(),
        ..folder::read(dir.path()).expect("three").remove(1)
    };
    replay(&database, &[only("b")]).expect("b");
    let late = upgrade(
        &mut connection,
        dir.path(),
        &UpTarget::Head,
        Options::default(),
    );
    assert!(
        matches!(late, Err(ApplyError::OutOfOrder { names, .. }) if names == ["2026-01-01-000000_a"])
    );
    let allowed = Options {
        allow_out_of_order: true,
        ..Options::default()
    };
    let reports = upgrade(&mut connection, dir.path(), &UpTarget::Head, allowed).expect("up");
    assert_eq!(names(&reports), ["000000_a", "000000_c"]);
}

#[test]
fn one_at_a_time() {
    let dir = migrations(GOOD);
    let (database, mut connection) = database();
    let mut other = connect(&database.url()).expect("a connection");
    let lock = format!("SELECT pg_advisory_lock({})", lock::NUMBER);
    other
        .batch_execute("SET application_name = 'the other'")
        .expect("named");
    other.batch_execute(&lock).expect("locked");
    let at_once = Options {
        wait: Duration::ZERO,
        ..Options::default()
    };
    let error = upgrade(&mut connection, dir.path(), &UpTarget::Head, at_once)
        .expect_err("busy")
        .to_string();
    assert!(error.contains("the other, user postgres"), "{error}");
    drop(other);
    assert_eq!(
        upgrade(
            &mut connection,
            dir.path(),
            &UpTarget::Head,
            Options::default()
        )
        .expect("up")
        .len(),
        3
    );
}

#[test]
fn unknown_and_ambiguous_versions_are_explained() {
    let dir = migrations(GOOD);
    let all = folder::read(dir.path()).expect("three");
    let fails = |version: &str| {
        find(&all, version)
            .expect_err("no such version")
            .to_string()
    };
    assert_eq!(
        fails("202601"),
        "202601 may be any of 2026-01-01-000000_a, 2026-01-02-000000_b"
    );
    assert!(
        fails("202602029")
            .starts_with("there is no migration 202602029; similar: 2026-02-01-000000_c, ")
    );
    assert!(fails("").starts_with("there is no migration ;"));
}

#[test]
fn nothing_is_taken_back_when_a_folder_or_a_down_is_missing() {
    let dir = migrations(GOOD);
    let (_database, mut connection) = database();
    upgrade(
        &mut connection,
        dir.path(),
        &UpTarget::Head,
        Options::default(),
    )
    .expect("up");
    std::fs::remove_file(dir.path().join("2026-01-01-000000_a/down.sql")).expect("removed");
    let base = |connection: &mut PgConnection| {
        downgrade(
            connection,
            dir.path(),
            &DownTarget::Base,
            Options::default(),
        )
    };
    assert!(matches!(
        base(&mut connection),
        Err(ApplyError::NoDown { .. })
    ));
    std::fs::remove_dir_all(dir.path().join("2026-01-01-000000_a")).expect("removed");
    assert!(matches!(
        base(&mut connection),
        Err(ApplyError::NoFolder { .. })
    ));
    assert_eq!(applied(&mut connection).expect("three").len(), 3);
}
