//! Migrations that come and go: by hand, anew, away.

use std::fs;

use crate::checkout;

const LATER: &str = "2030-01-01-000000_notes";

#[test]
fn a_new_one_fails_until_it_is_written() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.run(&["new", "first"]).done();
    let said = project.run(&["new", "fill countries", "--data"]).done();
    assert!(said.contains("_fill_countries"), "{said}");
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert!(
        up.contains("LIMIT 5000") && up.contains("-- message: fill countries"),
        "{up}"
    );

    let first = project.folders().remove(0);
    project
        .run(&["upgrade"])
        .refused(&[&first, "was not written yet"]);
    project
        .run(&["check"])
        .refused(&[&first, "was not written yet"]);
    let current = project.run(&["current"]).done();
    assert!(
        current.starts_with("base (2 migrations pending)"),
        "{current}"
    );

    let up = project
        .path()
        .join("migrations")
        .join(&first)
        .join("up.sql");
    let text = fs::read_to_string(&up).expect("a file");
    let header = text.split_inclusive("\n\n").next().expect("a header");
    fs::write(&up, format!("{header}SELECT 1;\n")).expect("a file");
    project.run(&["upgrade", "+1"]).done();
    // Its down.sql was not written: it stays applied.
    project
        .run(&["downgrade"])
        .refused(&["way back", "not written yet"]);
    let current = project.run(&["current"]).done();
    assert!(current.starts_with(&first), "{current}");
}

#[test]
fn the_advice_on_many_rows_runs() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project
        .run(&["new", "fill", "--data", "--no-transaction"])
        .done();
    let up = project.newest().join("up.sql");
    let text = fs::read_to_string(&up).expect("a file");
    let block = text.lines().filter_map(|line| line.strip_prefix("--     "));
    let block: Vec<&str> = block.skip_while(|line| *line != "DO $$").collect();
    fs::write(&up, block.join("\n")).expect("a file");
    tests::run(
        &database,
        "CREATE TABLE users (id int, country text); INSERT INTO users SELECT i FROM generate_series(1, 12000) i",
    );
    project.run(&["upgrade"]).done();
    let mut connection = database.connect().expect("a connection");
    let all = "(SELECT count(*) = 12000 AND count(DISTINCT xmin::text) = 3 FROM users WHERE country = 'DE')";
    assert!(tests::holds(&mut connection, all));
}

#[test]
fn any_message_of_a_new_one_becomes_a_folder_or_is_refused() {
    let project = checkout();
    for nothing in ["", "/ .. '"] {
        project
            .run(&["new", nothing])
            .refused(&["no letter or digit"]);
        project
            .run(&["recreate", nothing])
            .refused(&["no letter or digit"]);
    }
    let message = format!("../it's \"a\"\n; {}", "x".repeat(300));
    project.run(&["new", &message]).done();
    // A folder of the year 2099: somebody's clock was wrong.
    project.migration("2099-01-01-000000-0000_far", "SELECT 1;", "SELECT 1;");
    project.run(&["new", "next"]).done();
    assert!(project.folders()[2].starts_with("2099-01-01-000000-0001_next"));
}

#[test]
fn uncommit_removes_what_is_only_here() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let begin = project.folders().remove(0);
    project
        .run(&["uncommit"])
        .refused(&["is not known", "--force"]);
    project.pushed();
    project
        .run(&["uncommit"])
        .refused(&["others could have", &begin]);
    project.migration(LATER, "CREATE TABLE notes ();", "DROP TABLE notes;");
    project.run(&["upgrade"]).done();
    project
        .run(&["uncommit"])
        .refused(&["is applied", "`trueup downgrade`"]);
    project.run(&["downgrade"]).done();
    // A commit that is only here is no hindrance.
    project.git(&["add", "migrations"]);
    project.git(&["commit", "--quiet", "--message", "mine"]);
    let said = project.run(&["uncommit"]).done();
    assert!(said.contains(&format!("removed  {LATER}")), "{said}");
    assert_eq!(project.folders(), [begin]);
    project
        .run(&["uncommit", "--force"])
        .refused(&["is applied"]);
    project.run(&["downgrade"]).done();
    project.run(&["uncommit", "--force"]).done();
    assert!(project.folders().is_empty());
    project
        .run(&["uncommit"])
        .refused(&["no migrations to remove"]);
}

#[test]
fn recreate_takes_back_and_writes_anew() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.pushed();
    let begin = project.folders().remove(0);
    project
        .run(&["recreate", "x"])
        .refused(&["others could have", &begin]);

    // Somebody drops a column, so that there is something to draft.
    let dropped = "2030-01-01-000000_drop";
    project.migration(
        dropped,
        "ALTER TABLE users DROP COLUMN active;",
        "ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL;",
    );
    project.run(&["upgrade"]).done();
    project
        .run(&["recreate", "x"])
        .refused(&["was not written by autogen", "uncommit"]);
    project.run(&["autogen", "bring it back"]).done();
    project.run(&["upgrade"]).done();
    let old = project.folders().pop().expect("a folder");

    let ended = project.run(&["recreate", "bring active back"]).with(0);
    assert!(
        ended.stderr.contains(&format!("{old} was taken back")),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("proved"), "{ended:?}");
    let folders = project.folders();
    assert_eq!(folders.len(), 3);
    assert!(folders[2].ends_with("_bring_active_back"), "{folders:?}");
    project.run(&["status"]).with(1);
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    project.run(&["check"]).done();
}

#[test]
fn recreate_of_what_is_no_longer_needed_removes_it() {
    let project = checkout().shipped();
    let begin = project.folders().remove(0);
    project.made_on(
        &[&begin],
        LATER,
        "CREATE TABLE notes ();",
        "DROP TABLE notes;",
    );
    let said = project.run(&["recreate", "x", "--force"]).done();
    assert!(said.contains(&format!("removed  {LATER}")), "{said}");
    assert_eq!(project.folders(), [begin]);
}
