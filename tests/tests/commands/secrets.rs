//! A password is in nothing that leaves the process, whatever made the words.

use std::fs;

use tests::checkout::Checkout;

use crate::checkout;

/// A secret in every spelling that a URL allows.
const PLAIN: &str = "S3cr3t/Pw!x";
const ENCODED: &str = "S3cr3t%2FPw%21x";

/// Every command that says something of a database, and some that ask none.
const COMMANDS: &[&[&str]] = &[
    &["autogen", "x"],
    &["upgrade"],
    &["upgrade", "--dry-run"],
    &["downgrade"],
    &["stamp", "head", "--yes"],
    &["status"],
    &["status", "--format", "json"],
    &["check"],
    &["check", "--format", "json"],
    &["check", "--format", "github"],
    &["current", "--format", "json"],
    &["history", "--verbose"],
    &["redo"],
    &["rebase"],
    &["diff", "--from", "database", "--to", "models"],
    &["inspect", "database"],
    &["init"],
    &["seed"],
    &["db", "create"],
    &["db", "drop", "--yes"],
    &["db", "recreate", "--yes"],
    &["db", "reset", "--yes"],
    &["db", "url"],
    &["db", "size"],
    &["backup", "a.dump"],
    &["restore", "a.dump"],
    &["health"],
    &["health", "--format", "json"],
    &["doctor"],
    &["doctor", "--format", "json"],
];

fn said_by(project: &Checkout, arguments: &[&str]) -> String {
    let ended = project.run(&[arguments, &["--verbose"][..]].concat());
    format!("{}\n{}", ended.stdout, ended.stderr)
}

fn hides(said: &str, arguments: &[&str]) {
    for secret in [PLAIN, ENCODED, "S3cr3t", "Pw!x", "Pw%21x", "hunter"] {
        assert!(!said.contains(secret), "{arguments:?}: {said}");
    }
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
}

#[test]
fn a_uri_that_libpq_repeats_is_said_without_its_password() {
    let mut project = checkout().shipped();
    let _ = project.file("a.dump", "none");
    for url in [
        format!("postgres://u:{ENCODED}@[::1]x/d"),
        format!("postgres://u:{ENCODED}@[::1/d"),
        format!("postgres://u:{ENCODED}@127.0.0.1:port/d"),
        format!("postgres://u:{ENCODED}@127.0.0.1:1/d?nothing=hunter2hunter"),
        format!("host=127.0.0.1 port=1 password='{PLAIN}' nothing=hunter2hunter"),
    ] {
        project.database = Some(url.clone());
        for arguments in COMMANDS {
            hides(&said_by(&project, arguments), arguments);
        }
        // Wherever else a URL may stand.
        project.database = None;
        for arguments in [
            &["diff", "--from", &url, "--to", "models"][..],
            &["inspect", &url],
            &["check", "--database-url", &url],
            &["check", &format!("--database-url={url}")],
            &[
                "autogen",
                "x",
                "--scratch-url",
                &url,
                "--from",
                "migrations",
            ],
            &["upgrade", &url],
            &["show", &url],
            &["--no-such-option", &url],
            &["backup", &url],
            &["db", "drop", "--yes-destroy", &url],
        ] {
            hides(&said_by(&project, arguments), arguments);
        }
    }
    // A short one is hidden where it stands, and the rest can be read.
    project.database = Some("postgres://u:a@[::1]x/d".to_owned());
    let said = said_by(&project, &["status"]);
    assert!(said.contains("postgres://u:***@[::1]x/d"), "{said}");
}

#[test]
fn a_panic_says_no_password() {
    let mut project = Checkout::new(env!("CARGO_BIN_EXE_panicking"));
    project.database = Some(format!("postgres://u:{ENCODED}@h/d"));
    for arguments in [
        &["models"][..],
        &["completions", "bash"],
        &["no such command"],
    ] {
        let said = project.run(arguments).stderr;
        assert!(
            said.contains("panicked at") && said.contains("postgres://u:***@h/d"),
            "{said}"
        );
        assert!(
            !said.contains(ENCODED) && !said.contains("S3cr3t"),
            "{said}"
        );
    }
}

#[test]
fn passwords_from_files_and_variables_are_hidden_too() {
    let mut project = checkout().shipped();
    let passfile = project.file("pgpass", "*:*:*:*:fr0mThePassfile\n");
    let service = project.file(
        "services",
        "[shop]\nhost=127.0.0.1\nport=1\nuser=u\npassword=fr0mTheService\n",
    );
    let _ = project.file(
        ".env",
        "PGPASSWORD='fr0mTheDotEnv'\nSHOP_URL=postgres://u:fr0mAnother@h/d\n",
    );
    project.environment = vec![
        ("PGPASSFILE", passfile.leak()),
        ("PGSERVICEFILE", service.leak()),
        ("APP_SECRET", "fr0mTheEnvironment"),
    ];
    project.database = Some("service=shop".to_owned());
    // The only words of theirs in these messages are the names that were asked for.
    for secret in [
        "fr0mThePassfile",
        "fr0mTheService",
        "fr0mTheDotEnv",
        "fr0mAnother",
        "fr0mTheEnvironment",
    ] {
        for arguments in [
            &["show", secret][..],
            &["seed", secret],
            &["upgrade", secret],
            &["status"],
        ] {
            let said = said_by(&project, arguments);
            assert!(!said.contains(secret), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn an_ordinary_password_spoils_no_words() {
    let (_server, database) = tests::database();
    let mut project = checkout().shipped();
    let url = database.url().to_string();
    for password in ["a", "postgres", "users", "e", "public"] {
        project.database = Some(url.replace("postgres@", &format!("postgres:{password}@")));
        let said = said_by(&project, &["upgrade"]);
        assert!(
            !said.contains("***") || said.contains("postgres://postgres:***@"),
            "{said}"
        );
        let said = said_by(&project, &["inspect", "database"]);
        assert!(said.contains("CREATE TABLE public.users"), "{said}");
        let said = project.run(&["check"]).done();
        assert!(said.contains("models and migrations  in sync"), "{said}");
        assert_eq!(said.matches("***").count(), 1, "{said}");
    }
    let files = fs::read_dir(project.path()).expect("a folder").count();
    assert!(files > 0);
}

#[test]
fn sql_with_the_password_in_it_stays_sql_and_is_told() {
    let mut project = checkout();
    project.database = Some("postgres://u:S3cr3tOfAll@h/d".to_owned());
    project.migration(
        "2030-01-01-000000_user",
        "CREATE ROLE app PASSWORD 'S3cr3tOfAll';",
        "DROP ROLE app;",
    );
    let printed = project.run(&["upgrade", "--sql"]).with(0);
    assert!(
        printed.stdout.contains("PASSWORD 'S3cr3tOfAll'"),
        "{printed:?}"
    );
    assert!(
        printed.stderr.contains("has a password of this run in it"),
        "{printed:?}"
    );
    let shown = project.run(&["show", "2030-01-01"]).with(0);
    assert!(shown.stdout.contains("PASSWORD 'S3cr3tOfAll'"), "{shown:?}");
    assert!(
        shown.stderr.contains("has a password of this run in it"),
        "{shown:?}"
    );
}
