//! A partitioned model: its partitions come with it, follow it when it changes, and what a job adds is nobody's drift.

use generator::{
    Project,
    migrations::apply,
    pipeline::{
        autogen::{self, AutogenOptions},
        check::{Scope, check},
    },
    postgres::scratch::Database,
};
use trueup::Model;

#[derive(Model)]
#[model(
    table = "readings",
    primary_key(id, taken_at),
    partition_by(range(taken_at))
)]
#[model(partitions(monthly, from = "2026-01", to = "2026-03"))]
#[model(partition("readings_rest", default))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Reading {
    id: i64,
    #[model(sql_type = "date", index)]
    taken_at: String,
    note: Option<String>,
}

const AS_IT_WAS: &str = "
    CREATE TABLE readings (id bigint NOT NULL, taken_at date NOT NULL, PRIMARY KEY (id, taken_at))
        PARTITION BY RANGE (taken_at);
    CREATE INDEX ON readings (taken_at);
    CREATE TABLE readings_2026_01 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE readings_rest PARTITION OF readings DEFAULT;";

/// A partition that a scheduled job made meanwhile, and rows.
const BY_A_JOB: &str = "
    CREATE TABLE readings_2030_01 PARTITION OF readings FOR VALUES FROM ('2030-01-01') TO ('2030-02-01');
    INSERT INTO readings VALUES (1, '2026-01-15'), (2, '2030-01-15'), (3, '2040-01-01');";

fn upgrade(project: &Project, database: &Database) {
    let mut connection = database.connect().expect("a connection");
    let (head, options) = (apply::UpTarget::Head, apply::Options::default());
    apply::upgrade(&mut connection, &project.migrations, &head, options).expect("an upgrade");
}

fn migrate(project: &Project, version: &str, up: &str) {
    let folder = project.migrations.join(version);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("up.sql"), up).expect("a file");
    std::fs::write(folder.join("down.sql"), "DROP TABLE readings;").expect("a file");
}

#[test]
fn what_a_job_made_is_no_drift_and_in_no_migration() {
    let (_server, database) = tests::database();
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_with(folder.path().to_owned(), &database);
    let declarations = autogen::declarations().expect("models");
    migrate(&project, "2026-01-01-000000-0000_begin", AS_IT_WAS);
    upgrade(&project, &database);
    tests::run(&database, BY_A_JOB);

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    let up = tests::ups(found.draft.as_ref());
    insta::assert_snapshot!(up);
    let draft = found.draft.expect("a change");
    autogen::write(&project, "notes", &draft).expect("a migration");
    upgrade(&project, &database);

    let mut connection = database.connect().expect("a connection");
    for condition in [
        "(SELECT count(*) = 3 FROM readings)",
        "(SELECT count(note) = 0 FROM readings_2030_01)",
        "(SELECT bool_and(indisvalid) FROM pg_index)",
    ] {
        assert!(tests::holds(&mut connection, condition), "{condition}");
    }
    let clean = check(&project, &declarations, Scope::Database).expect("a check");
    assert!(clean.is_clean(), "{clean:?}");
    let strict = check(&project, &declarations, Scope::Strict).expect("a check");
    let drifted: Vec<&str> = strict
        .database
        .iter()
        .map(|one| one.object.as_str())
        .collect();
    assert_eq!(drifted, ["table public.readings_2030_01"]);
}
