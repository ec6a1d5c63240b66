//! Sources of settings, and the report of `doctor` on them and on the database.

use serde_json::{Value, json};
use tests::checkout::Checkout;

use crate::checkout;

fn doctor(project: &Checkout, code: i32) -> Value {
    let said = project.run(&["doctor", "--format", "json"]).with(code);
    assert!(!format!("{said:?}").contains("s3cret"), "{said:?}");
    serde_json::from_str(&said.stdout).expect("JSON")
}

/// A setting's value and where it is from, without the folder.
fn setting(doctor: &Value, name: &str) -> (String, String) {
    let settings = doctor["settings"].as_array().expect("settings");
    let found = settings.iter().find(|setting| setting["name"] == name);
    let found = found.expect("a setting");
    let from = found["from"].as_str().expect("a place");
    let from = from.rsplit('/').next().unwrap_or_default();
    (
        found["value"].as_str().unwrap_or_default().to_owned(),
        from.to_owned(),
    )
}

#[test]
fn each_layer_hides_the_weaker_ones() {
    let mut project = checkout().shipped();
    let layers = [
        ("trueup.toml", "lock_timeout = '1s'\nseeds = 'toml'\n"),
        (
            ".env",
            "TRUEUP_LOCK_TIMEOUT=2s\nDATABASE_URL=postgres://me:s3cret@127.0.0.1:1/a\n",
        ),
        (".env.local", "TRUEUP_LOCK_TIMEOUT=3s\n"),
        (".env.staging", "TRUEUP_LOCK_TIMEOUT=4s\n"),
        (".env.staging.local", "TRUEUP_LOCK_TIMEOUT=5s\n"),
    ];
    let lock = |project: &Checkout| setting(&doctor(project, 1), "TRUEUP_LOCK_TIMEOUT");
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    for (name, text) in layers {
        let _ = project.file(name, text);
    }

    assert_eq!(lock(&project), pair("3s", ".env.local"));
    project.environment = vec![("APP_ENV", "test")];
    assert_eq!(lock(&project), pair("2s", ".env"));
    project.environment = vec![("APP_ENV", "staging")];
    assert_eq!(lock(&project), pair("5s", ".env.staging.local"));
    std::fs::remove_file(project.path().join(".env.staging.local")).expect("a file");
    assert_eq!(lock(&project), pair("4s", ".env.staging"));
    project.environment.push(("TRUEUP_LOCK_TIMEOUT", "6s"));
    assert_eq!(lock(&project), pair("6s", "the environment"));

    let found = doctor(&project, 1);
    assert_eq!(
        setting(&found, "DATABASE_URL"),
        pair("postgres://me:***@127.0.0.1:1/a", ".env")
    );
    assert_eq!(setting(&found, "TRUEUP_SEEDS"), pair("toml", "trueup.toml"));
    assert_eq!(
        setting(&found, "TRUEUP_LOCK_RETRIES"),
        pair("10", "the default")
    );
    assert_eq!(found["environment"]["value"], "staging");
    let problems = found["problems"].to_string();
    assert!(problems.contains("cannot reach the database"), "{problems}");

    let option = project.run(&["doctor", "--lock-timeout", "7s"]).with(1);
    assert!(option.stdout.contains("--lock-timeout"), "{option:?}");
}

#[test]
fn a_setting_that_is_none_is_named() {
    let project = checkout().shipped();
    let _ = project.file("trueup.toml", "lok_timeout = '1s'\n");
    project
        .run(&["current"])
        .refused(&["trueup.toml", "lok_timeout", "lock_timeout"]);
    let _ = project.file("trueup.toml", "exclude = ['[a']\n");
    project.run(&["current"]).refused(&["\"[a\" is no pattern"]);
}

#[test]
fn a_time_without_a_unit_is_named_with_its_line() {
    let mut project = checkout().shipped();
    for (text, line) in [
        ("\nlock_timeout = 5\n", 2),
        ("seeds = 'a'\n\nstatement_timeout = '90'\n", 3),
    ] {
        let _ = project.file("trueup.toml", text);
        let place = format!("trueup.toml:{line}: ");
        project
            .run(&["current"])
            .refused(&[&place, "a time without a unit", "s for seconds"]);
    }
    std::fs::remove_file(project.path().join("trueup.toml")).expect("a file");
    let _ = project.file(".env", "A=1\n# ours\nTRUEUP_LOCK_TIMEOUT=5\n");
    project
        .run(&["current"])
        .refused(&[".env:3: TRUEUP_LOCK_TIMEOUT = 5 is a time without a unit"]);
    project.run(&["current", "--lock-timeout", "0"]).done();
    project
        .run(&["current", "--lock-timeout", "7"])
        .refused(&["--lock-timeout = 7 is a time without a unit"]);
    let _ = project.file(".env", "A=1\nTRUEUP_LOCK_RETRIES=many\n");
    project
        .run(&["current"])
        .refused(&[".env:2: TRUEUP_LOCK_RETRIES: \"many\" is no number"]);
    let _ = project.file(".env", "DATABASE_URL=mysql://me:s3cret@h/d\n");
    let said = project
        .run(&["current"])
        .refused(&[".env:1: DATABASE_URL is no connection string"]);
    assert!(!said.contains("s3cret"), "{said}");
    project.environment = vec![("TRUEUP_STATEMENT_TIMEOUT", "10")];
    let _ = project.file(".env", "");
    project
        .run(&["current"])
        .refused(&["TRUEUP_STATEMENT_TIMEOUT in the environment = 10"]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_setting() {
    let project = checkout().shipped();
    let _ = project.file(
        ".env",
        "\u{feff}DATABASE_URL=postgres://me:s3cret@127.0.0.1:1/a\r\nA=1\r\n",
    );
    let _ = project.file("trueup.toml", "\u{feff}seeds = 'toml'\n");
    let found = doctor(&project, 1);
    assert_eq!(
        setting(&found, "DATABASE_URL"),
        (
            "postgres://me:***@127.0.0.1:1/a".to_owned(),
            ".env".to_owned()
        )
    );
    assert_eq!(setting(&found, "TRUEUP_SEEDS").0, "toml");
}

#[test]
fn a_misspelt_setting_is_named_with_its_line() {
    let project = checkout().shipped();
    let _ = project.file("trueup.toml", "# ours\n\nlok_timeout = '5s'\n");
    project.run(&["current"]).refused(&[
        "trueup.toml:3 has a setting that trueup does not know: lok_timeout",
        "was lock_timeout meant?",
    ]);
    let _ = project.file(
        "trueup.toml",
        "seeds = 'a'\n[scratch]\nroles = []\nrole = 'a'\n",
    );
    project
        .run(&["current"])
        .refused(&["trueup.toml:4 does not parse", "role"]);
}

#[test]
fn git_ignores_what_stands_beside_migrations() {
    let project = checkout();
    project.run(&["autogen", "begin"]).done();
    let ignore = project.path().join("migrations/.gitignore");
    let text = std::fs::read_to_string(&ignore).expect("a file");
    assert!(text.lines().any(|line| line == ".diesel_lock"), "{text}");
    project.git(&["init", "--quiet"]);
    let status = std::process::Command::new("git")
        .args([
            "status",
            "--porcelain",
            "--untracked-files=all",
            "migrations",
        ])
        .current_dir(project.path())
        .output()
        .expect("git");
    let status = String::from_utf8(status.stdout).expect("UTF-8");
    assert!(
        status.contains("up.sql") && !status.contains(".diesel_lock"),
        "{status}"
    );
    // A hand-written .gitignore stays.
    std::fs::write(&ignore, "mine\n").expect("a file");
    project.run(&["new", "more"]).done();
    assert_eq!(std::fs::read_to_string(&ignore).expect("a file"), "mine\n");
}

#[test]
fn migrations_are_where_a_file_says() {
    let project = checkout().shipped();
    let moved = project.path().join("db/migrations");
    std::fs::create_dir(project.path().join("db")).expect("a folder");
    std::fs::rename(project.path().join("migrations"), &moved).expect("a folder");
    let _ = project.file(
        "diesel.toml",
        "[migrations_directory]\ndir = 'db/migrations'\n",
    );
    project.run(&["check", "--offline"]).done();
    let _ = project.file("diesel.toml", "");
    let _ = project.file(".env", "MIGRATION_DIRECTORY=db/migrations\n");
    project.run(&["check", "--offline"]).done();
}

#[test]
fn doctor_knows_the_database_and_its_user() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    let found = doctor(&project, 0);
    assert_eq!(found["problems"], json!([]));
    assert_eq!(found["migrations"]["Ok"], 1);
    let facts = &found["database"]["Ok"];
    assert_eq!(facts["superuser"], true);
    assert_eq!(facts["record"], serde_json::Value::Null);
    let text = project.run(&["doctor"]).done();
    assert!(text.contains("postgres, who may anything"), "{text}");
    assert!(text.ends_with("all is well\n"), "{text}");

    tests::run(
        &database,
        "CREATE USER guest; REVOKE CREATE ON SCHEMA public FROM public;
         ALTER USER guest SET default_transaction_read_only = on;",
    );
    let url = database.url().to_string().replace("postgres@", "guest@");
    project.database = Some(url);
    let found = doctor(&project, 1);
    let problems = found["problems"].to_string();
    assert!(problems.contains("takes no writes"), "{problems}");
    // Enough for all that changes nothing there.
    let advice = found["advice"].to_string();
    assert!(
        advice.contains("GRANT CREATE ON SCHEMA public TO guest"),
        "{advice}"
    );
    let text = project.run(&["doctor"]).with(1).stdout;
    assert!(
        text.contains("guest, who may read the catalog and no more"),
        "{text}"
    );
    let words = ["takes no writes", "read-only", "primary"];
    project.run(&["upgrade"]).refused(&words);
}

#[test]
fn what_is_excluded_is_no_difference() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE SCHEMA audit; CREATE TABLE audit.log (id int PRIMARY KEY, note text DEFAULT 'x');
         CREATE VIEW audit.recent AS SELECT * FROM audit.log;
         CREATE TABLE legacy_orders (id int REFERENCES users (id));",
    );
    let drift = project.run(&["check"]).with(1).stdout;
    assert!(drift.contains("table audit.log"), "{drift}");

    let exclude = "exclude = ['audit.*', 'namespace audit', 'table public.legacy_*']\n";
    let _ = project.file("trueup.toml", exclude);
    project.run(&["check"]).done();
    let said = project.run(&["autogen", "x"]).done();
    assert!(said.starts_with("nothing to do"), "{said}");
    let said = project
        .run(&["diff", "--from", "database", "--to", "migrations"])
        .done();
    assert_eq!(said, "");

    tests::run(&database, "ALTER TABLE users ADD COLUMN extra integer");
    let drift = project.run(&["check"]).with(1).stdout;
    assert!(drift.contains("1 difference"), "{drift}");
    let sql = project
        .run(&["diff", "--from", "database", "--to", "migrations"])
        .with(1)
        .stdout;
    assert!(
        sql.contains("DROP COLUMN extra;") && !sql.contains("audit"),
        "{sql}"
    );

    let _ = project.file(
        "trueup.toml",
        "include = ['audit.*', 'public.*']\nexclude = ['public.legacy_*']\n",
    );
    let drift = project.run(&["check"]).with(1).stdout;
    assert!(
        drift.contains("audit.log") && !drift.contains("legacy"),
        "{drift}"
    );
}
