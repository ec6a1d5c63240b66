//! Commands that are killed.

use std::{fs, thread, time::Duration};

use tests::checkout::{Checkout, until};

use super::{checkout, holds, moments, swept, took, undrafted, whole};

#[test]
fn an_autogen_killed_at_any_moment_writes_all_or_nothing() {
    let project = undrafted();
    let took = took(&project, &["autogen", "x", "--dry-run"]);
    let before = whole(&project);
    let mut killed = Vec::new();
    for moment in moments(8) {
        let autogen = project.start(&["autogen", "x"]);
        killed.push(autogen.id());
        thread::sleep(took.mul_f64(moment));
        autogen.kill();
        if whole(&project) > before {
            fs::remove_dir_all(project.newest()).expect("removed");
        }
    }
    project.run(&["autogen", "x"]).done();
    assert_eq!(whole(&project), before + 1);
    assert!(project.folders().iter().all(|name| !name.starts_with('.')));
    project.run(&["check"]).done();
    swept(&killed);
}

/// Steps that show whether they were cut in two, and an index that no transaction can hold.
fn steps(project: &Checkout) {
    for number in 1..=4 {
        let up = format!(
            "CREATE TABLE a{number} (n int); SELECT pg_sleep(0.02); CREATE TABLE b{number} ();"
        );
        let down = format!("DROP TABLE a{number}; DROP TABLE b{number};");
        project.migration(&format!("2030-01-0{number}-000000_step"), &up, &down);
    }
    let index = "2030-01-05-000000_index";
    project.migration(
        index,
        "CREATE INDEX CONCURRENTLY late ON a1 (n);",
        "DROP INDEX CONCURRENTLY late;",
    );
    let _ = project.file(
        &format!("migrations/{index}/metadata.toml"),
        "run_in_transaction = false\n",
    );
}

/// Every step is there as a whole and recorded, or neither; what is recorded comes before what is not. The index may be
/// there unrecorded: the next run looks at it.
const AT_A_BOUNDARY: &str = "(
    SELECT bool_and((to_regclass('a' || n) IS NULL) = (to_regclass('b' || n) IS NULL)
                    AND (to_regclass('a' || n) IS NOT NULL) = (version IS NOT NULL))
           AND count(version) = COALESCE(max(n) FILTER (WHERE version IS NOT NULL), 0)
    FROM generate_series(1, 4) n LEFT JOIN __diesel_schema_migrations ON version = '2030010' || n || '000000')
    AND (to_regclass('late') IS NOT NULL
         OR NOT EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = '20300105000000'))";

const AT_THE_END: &str =
    "(SELECT bool_and(indisvalid) FROM pg_index) AND to_regclass('late') IS NOT NULL
    AND (SELECT count(*) = 5 FROM __diesel_schema_migrations WHERE version LIKE '2030%')";

const NO_ONE: &str = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'trueup' AND pid <> pg_backend_pid())";

#[test]
fn an_upgrade_killed_at_any_moment_stops_between_migrations() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    steps(&project);
    let took = took(&project, &["upgrade"]);
    for moment in moments(8) {
        project.run(&["downgrade", "base"]).done();
        let upgrade = project.start(&["upgrade"]);
        thread::sleep(took.mul_f64(moment));
        upgrade.kill();
        until("its session is gone", || holds(&database, NO_ONE));
        assert!(holds(&database, AT_A_BOUNDARY), "at {moment}");
        project.run(&["upgrade"]).done();
        assert!(holds(&database, AT_THE_END), "at {moment}");
    }
}

#[test]
fn an_upgrade_of_the_embedded_database_killed_at_any_moment_can_be_run_again() {
    let project = checkout();
    steps(&project);
    let took = took(&project, &["upgrade"]);
    for moment in moments(4) {
        project.run(&["downgrade", "base"]).done();
        let upgrade = project.start(&["upgrade"]);
        thread::sleep(took.mul_f64(moment));
        upgrade.kill();
        project.run(&["upgrade"]).done();
        project.run(&["status"]).done();
    }
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
}

#[test]
fn a_first_run_that_is_killed_leaves_an_embedded_database_that_works() {
    let project = checkout();
    steps(&project);
    for moment in moments(3) {
        let upgrade = project.start(&["upgrade"]);
        thread::sleep(Duration::from_millis(400).mul_f64(moment));
        upgrade.kill();
    }
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
}
