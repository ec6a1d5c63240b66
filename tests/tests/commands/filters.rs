//! Effect of `include` and `exclude`: all that they leave out is counted in the output.

use generator::postgres::scratch::Database;
use serde_json::Value;
use tests::checkout::Checkout;

use crate::checkout;

fn configure(project: &Checkout, text: &str) {
    let _ = project.file("trueup.toml", text);
}

fn upgraded(database: &Database) -> Checkout {
    let project = checkout().shipped().on(database);
    project.run(&["upgrade"]).done();
    project
}

const ALL: &str = "include = ['public.*']\n";

#[test]
fn an_include_that_matches_nothing_is_an_error() {
    let (_server, database) = tests::database();
    let project = upgraded(&database);
    let odd = "CREATE TABLE \"Odd One\" (id int);";
    project.migration("2030-01-01-000000_odd", odd, "DROP TABLE \"Odd One\";");
    project.run(&["upgrade"]).done();
    for (pattern, near) in [
        ("public.Odd One", "did you mean \"public.\\\"Odd One\\\"\"?"),
        ("users", "did you mean \"public.users\"?"),
        ("public.user", "did you mean \"public.users\""),
        ("table user?", "did you mean \"public.users\"?"),
        ("shop.*", "a pattern is compared with a whole name"),
    ] {
        configure(&project, &format!("include = ['public.*', '{pattern}']\n"));
        let words = format!("include = [{pattern:?}] matches nothing");
        for command in [
            &["check"][..],
            &["check", "--offline"],
            &["autogen", "x"],
            &["diff", "--from", "database", "--to", "migrations"],
        ] {
            project.run(command).refused(&[&words, near]);
        }
    }
}

#[test]
fn a_model_that_is_left_out_is_an_error() {
    let (_server, database) = tests::database();
    let project = upgraded(&database);
    for (filter, words) in [
        (
            "include = ['public.users']",
            "add \"public.readings\" to include",
        ),
        (
            "exclude = ['public.read*']",
            "exclude = [\"public.read*\"] matches it",
        ),
        (
            "include = ['public.*']\nexclude = ['table public.readings']",
            "exclude = [\"table public.readings\"] matches it",
        ),
    ] {
        configure(&project, &format!("{filter}\n"));
        for command in [
            &["check"][..],
            &["autogen", "x"],
            &["diff", "--from", "database", "--to", "models"],
        ] {
            project.run(command).refused(&[
                "models/src/reading.rs",
                "trueup.toml leaves out table public.readings",
                words,
            ]);
        }
    }
}

/// The shipped models have one enum type, which no pattern names.
#[test]
fn what_an_included_table_needs_comes_along() {
    let (_server, database) = tests::database();
    let project = upgraded(&database);
    let tables = ["users", "equipment", "devices", "calibrations", "readings"];
    let tables = tables.map(|table| format!("'table public.{table}'"));
    configure(&project, &format!("include = [{}]\n", tables.join(", ")));
    tests::run(
        &database,
        "CREATE TYPE theirs AS ENUM ('a'); CREATE TABLE other (theirs theirs); CREATE SEQUENCE numbers",
    );
    let said = project.run(&["check"]).done();
    assert!(
        said.contains("left out by trueup.toml: 3 objects"),
        "{said}"
    );
    let json = project.run(&["check", "--format", "json"]).done();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["left_out"], 3);
    // Dependencies of included objects are compared.
    let name = "2030-01-01-000000_more";
    let more = "ALTER TYPE calibration_status ADD VALUE 'lost';";
    project.migration(name, more, "SELECT 1;");
    let said = project.run(&["check", "--offline"]).with(1).stdout;
    assert!(
        said.contains("different  enum type public.calibration_status"),
        "{said}"
    );
    project
        .run(&["autogen", "x", "--from", "migrations"])
        .done();
    project.run(&["check", "--offline"]).done();
}

#[test]
fn what_migrations_made_is_compared_whatever_is_left_out() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let audit = "CREATE SCHEMA audit; CREATE TABLE audit.log (id int PRIMARY KEY, note text);";
    project.migration(
        "2030-01-01-000000_audit",
        audit,
        "DROP SCHEMA audit CASCADE;",
    );
    project.run(&["upgrade"]).done();
    for filter in [ALL, "exclude = ['audit.*', 'namespace audit']\n"] {
        configure(&project, filter);
        let said = project.run(&["check"]).done();
        assert!(
            said.contains("left out by trueup.toml: 2 objects"),
            "{said}"
        );
        tests::run(
            &database,
            "ALTER TABLE audit.log DROP COLUMN note; CREATE TABLE audit.theirs (); CREATE SCHEMA more; CREATE VIEW more.v AS SELECT 1 AS one",
        );
        let said = project.run(&["check"]).with(1).stdout;
        assert!(said.contains("column audit.log.note"), "{said}");
        assert!(!said.contains("theirs"), "{said}");
        // Nobody left these out where only `audit` is excluded.
        assert_eq!(said.contains("more.v"), filter != ALL, "{said}");
        tests::run(
            &database,
            "ALTER TABLE audit.log ADD COLUMN note text; DROP TABLE audit.theirs; DROP SCHEMA more CASCADE",
        );
    }
}

#[test]
fn an_exclude_that_matches_nothing_is_a_note() {
    let (_server, database) = tests::database();
    let project = upgraded(&database);
    configure(&project, "exclude = ['audit.*']\n");
    let said = project.run(&["check"]).with(0);
    let words = "exclude = [\"audit.*\"] matches nothing";
    assert!(said.stderr.contains(words), "{said:?}");
    let said = project.run(&["check", "--offline"]).with(0);
    assert!(!said.stderr.contains("audit"), "{said:?}");
}
