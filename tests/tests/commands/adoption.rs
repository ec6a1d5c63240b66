//! A database whose tables are not all in models yet: what no model declares and autogen did not make stays.

use std::{
    fs,
    io::{self, Write},
    process::Command,
};

use serde_json::{Value, json};
use tests::checkout::Checkout;

use crate::checkout;

/// Made by a person, and in no model.
const LEGACY: (&str, &str, &str) = (
    "2030-01-01-000000_legacy",
    "CREATE TYPE legacy_mood AS ENUM ('good');
     CREATE TABLE legacy (id int PRIMARY KEY, mood legacy_mood, user_id bigint REFERENCES users (id));
     CREATE TABLE legacy_rows (id int REFERENCES legacy (id));",
    "DROP TABLE legacy_rows; DROP TABLE legacy; DROP TYPE legacy_mood;",
);

const NOTES: (&str, &str) = (
    "CREATE TABLE public.notes (id int PRIMARY KEY, body text);",
    "DROP TABLE public.notes;",
);

/// The shipped tables as a person would have made them, and more than the models declare.
fn by_hand() -> Checkout {
    let project = checkout().shipped();
    let up = project.newest().join("up.sql");
    let text = fs::read_to_string(&up).expect("a file");
    let (_, body) = text.split_once("\n\n").expect("a header");
    fs::write(&up, body).expect("a file");
    project.migration(LEGACY.0, LEGACY.1, LEGACY.2);
    project
}

fn up(project: &Checkout) -> String {
    fs::read_to_string(project.newest().join("up.sql")).expect("a file")
}

#[test]
fn what_no_model_declares_and_a_person_made_is_a_note() {
    let (_server, database) = tests::database();
    for with_database in [false, true] {
        let mut project = by_hand();
        if with_database {
            project = project.on(&database);
            project.run(&["upgrade"]).done();
        }
        let note = "2 tables and 1 enum type are in no model";
        let said = project.run(&["autogen", "x"]).with(0);
        assert!(said.stdout.starts_with("nothing to do"), "{said:?}");
        assert!(said.stderr.contains(note), "{said:?}");
        // The second time it is remembered.
        for _ in 0..2 {
            let said = project.run(&["check"]).with(0);
            assert!(said.stderr.contains(note), "{said:?}");
        }
        let json = project.run(&["check", "--format", "json"]).done();
        let json: Value = serde_json::from_str(&json).expect("JSON");
        let names = [
            "enum type public.legacy_mood",
            "table public.legacy",
            "table public.legacy_rows",
        ];
        assert_eq!(json["unmodelled"], json!(names));
        for source in ["migrations", "database"] {
            if source == "migrations" || with_database {
                let diff = ["diff", "--from", source, "--to", "models"];
                assert_eq!(project.run(&diff).done(), "");
            }
        }
    }
}

#[test]
fn a_change_beside_it_leaves_it_alone() {
    let project = by_hand();
    project.migration(
        "2030-01-02-000000_less",
        "ALTER TABLE users DROP COLUMN active;",
        "ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL;",
    );
    project.run(&["autogen", "x"]).done();
    let up = up(&project);
    assert!(up.contains("ADD COLUMN active"), "{up}");
    assert!(!up.contains("legacy") && !up.contains("DROP"), "{up}");
    project.run(&["check"]).done();
}

#[test]
fn what_autogen_made_goes_when_its_model_does() {
    let project = checkout().shipped();
    let first = project.folders().remove(0);
    let name = "2030-01-01-000000_notes";
    project.made_on(&[&first], name, NOTES.0, NOTES.1);
    project.migration(
        "2030-01-02-000000_legacy",
        "CREATE TABLE legacy ();",
        "DROP TABLE legacy;",
    );
    let more = "CREATE TABLE public.more ();";
    project.made_on(
        &[name],
        "2030-01-03-000000_more",
        more,
        "DROP TABLE public.more;",
    );
    let said = project.run(&["autogen", "less"]).refused(&[
        "loses every row of public.notes",
        "loses every row of public.more",
        "--allow data-loss=public.more,public.notes",
    ]);
    assert!(said.contains("1 table is in no model"), "{said}");
    assert!(!said.contains("public.legacy"), "{said}");
    // The line to paste repeats the losses that were allowed already.
    project
        .run(&["autogen", "less", "--allow", "data-loss=public.notes"])
        .refused(&["--allow data-loss=public.notes,public.more"]);
    let check = project.run(&["check"]).with(1).stdout;
    assert!(check.contains("2 differences"), "{check}");

    // Edited since, it is a person's.
    let file = project.path().join("migrations").join(name).join("up.sql");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, format!("{text}-- mended\n")).expect("a file");
    let said = project
        .run(&["autogen", "less"])
        .refused(&["loses every row of public.more", "2 tables are in no model"]);
    assert!(!said.contains("public.notes"), "{said}");
}

#[test]
fn a_loss_is_allowed_by_name() {
    let project = checkout().shipped();
    let first = project.folders().remove(0);
    let both = format!("{} CREATE TABLE public.\"odd, one\" ();", NOTES.0);
    project.made_on(&[&first], "2030-01-01-000000_notes", &both, NOTES.1);
    for allow in ["data-loss", "data-loss=notes"] {
        let said = project
            .run(&["autogen", "x", "--allow", allow])
            .refused(&["public.\"odd, one\"'", "loses every row"]);
        assert_eq!(said.contains("row of public.notes"), allow == "data-loss");
    }
    project
        .run(&["autogen", "x", "--allow", "rows"])
        .refused(&["data-loss"]);
    let one = "data-loss=public.\"odd, one\",users.fax";
    let arguments = ["autogen", "x", "--allow", "data-loss=notes", "--allow", one];
    let said = project.run(&arguments).with(0);
    assert!(
        said.stderr
            .contains("--allow data-loss=users.fax: this migration loses nothing there"),
        "{said:?}"
    );
    let up = up(&project);
    assert!(up.contains("DROP TABLE public.notes;"), "{up}");
}

#[test]
fn a_person_says_what_goes() {
    let (_server, database) = tests::database();
    let project = by_hand().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(&database, "CREATE TABLE theirs ()");
    project
        .run(&["autogen", "x", "--drop", "legcy"])
        .refused(&["nothing of that name", "public.legacy"]);
    project
        .run(&["autogen", "x", "--drop", "users"])
        .refused(&["models/src/user.rs", "declares table public.users"]);
    project
        .run(&["autogen", "x", "--drop", "theirs"])
        .refused(&["no migration made table public.theirs", "by hand"]);
    project
        .run(&["autogen", "x", "--drop", "legacy.id"])
        .refused(&["autogen does not drop column public.legacy.id"]);

    let said = project
        .run(&["autogen", "rows", "--drop", "legacy_rows"])
        .with(0);
    let note = "2 tables and 1 enum type";
    assert!(said.stderr.contains(note), "{said:?}");
    let up = up(&project);
    assert!(up.contains("\nDROP TABLE public.legacy_rows;"), "{up}");
    assert_eq!(up.matches("DROP").count(), 1, "{up}");
    project.run(&["upgrade"]).done();
    project.run(&["downgrade"]).done();
}

#[test]
fn what_is_squashed_stays_whose_it_was() {
    let project = checkout().shipped();
    let first = project.folders().remove(0);
    project.made_on(&[&first], "2030-01-01-000000_notes", NOTES.0, NOTES.1);
    project
        .run(&["squash", "base..head", "--message", "all"])
        .done();
    project
        .run(&["autogen", "x"])
        .refused(&["--allow data-loss=public.notes"]);

    let project = by_hand();
    project
        .run(&["squash", "base..head", "--message", "all"])
        .done();
    let said = project.run(&["autogen", "x"]).with(0);
    assert!(said.stdout.starts_with("nothing to do"), "{said:?}");
}

#[test]
fn another_source_has_nothing_of_autogens() {
    let project = checkout();
    let sql = format!("{};", NOTES.0);
    let there = project.file("there.sql", &sql);
    let said = project
        .run(&["autogen", "x", "--from", &there, "--dry-run"])
        .done();
    assert!(!said.contains("public.notes"), "{said}");
}

/// No migration makes the database yet: what is drafted from it would be no beginning for another one.
#[test]
fn the_first_migration_does_not_begin_in_the_middle() {
    let (_server, database) = tests::database();
    let shipped = checkout().shipped();
    tests::run(&database, &up(&shipped));
    let project = checkout().on(&database);
    let said = project.run(&["autogen", "begin"]).with(0);
    assert!(said.stderr.contains("--from migrations"), "{said:?}");

    tests::run(&database, "ALTER TABLE users DROP COLUMN active");
    let words = "what is drafted from there would not replay on a database that the migrations alone have made";
    project.run(&["autogen", "active"]).refused(&[
        words,
        "table public.users: the models declare it",
        "--from migrations",
        "trueup stamp",
    ]);
    assert_eq!(project.folders(), Vec::<String>::new());
    // To find what models and database differ in, it is shown all the same.
    for how in ["--dry-run", "--sql"] {
        let said = project.run(&["autogen", "active", how]).with(0);
        assert!(said.stdout.contains("ADD COLUMN active"), "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
    }
    project
        .run(&["autogen", "begin", "--from", "migrations"])
        .done();
    assert!(up(&project).contains("CREATE TABLE public.users"));
}

#[test]
fn a_terminal_asks_for_each_loss() {
    if Command::new("script").arg("--version").output().is_err() {
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: there is no `script` to make a terminal"
        );
        return;
    }
    let answered = |key: &str, allow: &str| {
        let mut project = checkout().shipped();
        let first = project.folders().remove(0);
        let both = format!("{} CREATE TABLE public.more ();", NOTES.0);
        project.made_on(&[&first], "2030-01-01-000000_both", &both, NOTES.1);
        let keys = format!("while printf {key}; do sleep 0.2; done 2>/dev/null");
        let command =
            format!("{keys} | TERM=xterm script -qec \"$0 autogen less {allow}\" /dev/null");
        project.by = ["sh", "-c", &command].map(str::to_owned).to_vec();
        let ended = project.run(&[]);
        project.by.clear();
        let written = project.folders().len() == 3;
        (ended, written)
    };
    let asked = |said: &str, table: &str| {
        said.contains(&format!("This loses every row of public.{table}, "))
    };
    let (ended, written) = answered("y", "--allow data-loss");
    let said = &ended.stdout;
    assert!(
        written && asked(said, "notes") && asked(said, "more"),
        "{ended:?}"
    );
    // A loss named on the command line is not asked about.
    let (ended, written) = answered("y", "--allow data-loss=more");
    let said = &ended.stdout;
    assert!(
        written && asked(said, "notes") && !asked(said, "more"),
        "{ended:?}"
    );
    // The first no ends it.
    let (ended, written) = answered("n", "");
    let said = &ended.stdout;
    assert!(
        !written && said.contains("nothing was written"),
        "{ended:?}"
    );
    assert!(asked(said, "more") != asked(said, "notes"), "{ended:?}");
    assert_eq!(ended.code, Some(2), "{ended:?}");
}
