//! Columns that come to require a value where rows may have none.

use std::{fs, process::Command};

use tests::checkout::{Checkout, Ended};

use crate::checkout;

/// The shipped tables as they were before some edits.
fn before(sql: &str) -> Checkout {
    let project = checkout().shipped();
    let first = project.folders().remove(0);
    project.made_on(&[&first], "2030-01-01-000000_before", sql, "SELECT 1;");
    project
}

fn up(project: &Checkout) -> String {
    fs::read_to_string(project.newest().join("up.sql")).expect("a file")
}

const NEW: &str = "ALTER TABLE users DROP full_name";
const NULLABLE: &str = "ALTER TABLE users ALTER full_name DROP NOT NULL";

#[test]
fn a_pipe_is_told_the_answers() {
    let project = before(NEW);
    let said = project.run(&["autogen", "x"]).refused(&[
        "nothing was written\n       - column public.users.full_name (models/src/user.rs:16, User::full_name) is new\n",
        "`#[model(fill = \"…\")]` on the field",
        "--fill 'public.users.full_name=…'",
        "`Option<…>`",
        "`#[model(default = \"…\")]`",
        "--allow fails=public.users.full_name writes it",
    ]);
    assert!(!said.contains("--rename"), "{said}");
    assert_eq!(project.folders().len(), 2);
    // Options that write no migration show it with the hazard.
    for how in ["--dry-run", "--sql"] {
        let said = project.run(&["autogen", "x", how]).done();
        assert!(
            said.contains("since it would hold NULL there: SELECT * FROM public.users"),
            "{said}"
        );
    }

    let project = before(NULLABLE);
    let said = project.run(&["autogen", "x"]).refused(&[
        "column public.users.full_name (models/src/user.rs:16, User::full_name) becomes NOT NULL",
        "--allow fails=public.users.full_name writes it",
    ]);
    assert!(!said.contains("default"), "{said}");
    // The option names what was allowed already too.
    let both = before(&format!(
        "{NULLABLE}; ALTER TABLE equipment DROP serial_number"
    ));
    both.run(&["autogen", "x", "--allow", "fails=users.full_name"])
        .refused(&[
            "- column public.equipment.serial_number",
            "--allow fails=public.users.full_name,public.equipment.serial_number",
        ]);
    both.run(&["autogen", "x", "--allow", "fails"]).done();
}

/// A part of the primary key is never NULL, so no `Option` is advised.
#[test]
fn no_answer_is_given_that_does_not_help() {
    let project = before("ALTER TABLE readings DROP taken_at CASCADE");
    let said = project
        .run(&["autogen", "x"])
        .refused(&["column public.readings.taken_at", "--fill"]);
    assert!(!said.contains("Option"), "{said}");
    let both = before(&format!(
        "ALTER TABLE readings DROP taken_at CASCADE; {NULLABLE}"
    ));
    both.run(&["autogen", "x"])
        .refused(&["or let them stay without public.users.full_name: `Option<…>`"]);
}

/// All that needs an answer is said at once.
#[test]
fn losses_and_missing_values_are_said_at_once() {
    let project = before(&format!("{NULLABLE}; ALTER TABLE users ADD fax text"));
    project.run(&["autogen", "x"]).refused(&[
        "column public.users.full_name (models/src/user.rs:16, User::full_name) becomes NOT NULL",
        "loses every value of public.users.fax",
        "--allow fails=public.users.full_name",
        "--allow data-loss=public.users.fax",
    ]);
    let answers = [
        "autogen",
        "x",
        "--allow",
        "fails=public.users.full_name",
        "--allow",
        "data-loss=public.users.fax",
    ];
    project.run(&answers).done();
}

#[test]
fn each_answer_leads_on() {
    for (before_it, filled) in [
        (NEW, "ADD COLUMN full_name text"),
        (NULLABLE, "WHERE full_name IS NULL"),
    ] {
        for (option, value, words) in [
            ("--allow", "fails=users.full_name", "-- hazard: fails while"),
            ("--fill", "users.full_name='none'", filled),
        ] {
            let (_server, database) = tests::database();
            let project = before(before_it).on(&database);
            project.run(&["upgrade"]).done();
            project.run(&["autogen", "x", option, value]).done();
            assert!(up(&project).contains(words), "{}", up(&project));
            let row = if before_it == NEW {
                "INSERT INTO users (email) VALUES ('a@b')"
            } else {
                "INSERT INTO users (email, full_name) VALUES ('a@b', NULL)"
            };
            tests::run(&database, row);
            let upgraded = project.run(&["upgrade"]);
            if option == "--allow" {
                upgraded.with(2);
                continue;
            }
            upgraded.done();
            let mut connection = database.connect().expect("a connection");
            assert!(tests::holds(
                &mut connection,
                "(SELECT full_name = 'none' FROM users)"
            ));
            let again = project.run(&["autogen", "y"]).done();
            assert!(!again.contains("up.sql"), "{again}");
        }
    }
}

#[test]
fn a_value_that_is_asked_for_is_tried() {
    let project = before(NULLABLE);
    let wrong: &[(&str, &[&str])] = &[
        (
            "users.full_name",
            &["this fills nothing", "users.phone='none'"],
        ),
        ("users.full_name=", &["this fills nothing"]),
        (
            "users.fullname=1",
            &["no field declares", "did you mean public.users.full_name?"],
        ),
        (
            "users.full_name=1; DROP TABLE users",
            &[
                "models/src/user.rs:16, User::full_name: --fill = ",
                "is not an expression",
            ],
        ),
        (
            "users.active=true",
            &["--fill users.active", "leave it out"],
        ),
        ("users.full_name=nothing_like_it", &["nothing_like_it"]),
    ];
    for (fill, words) in wrong {
        project
            .run(&["autogen", "x", "--fill", fill])
            .refused(words);
    }
    assert_eq!(project.folders().len(), 2);
    // It may read the row.
    let fill = "users.full_name=split_part(email, '@', 1)";
    project.run(&["autogen", "x", "--fill", fill]).done();
    assert!(
        up(&project).contains("SET full_name = split_part(email, '@', 1) WHERE full_name IS NULL"),
        "{}",
        up(&project)
    );
    // A `--fill` is remembered by no model.
    project
        .run(&["recreate", "y", "--force"])
        .refused(&["becomes NOT NULL", "--fill"]);
    assert!(up(&project).contains("split_part"));
    project
        .run(&[
            "recreate",
            "y",
            "--force",
            "--fill",
            "users.full_name='none'",
        ])
        .done();
    assert!(
        up(&project).contains("SET full_name = 'none'"),
        "{}",
        up(&project)
    );
}

#[test]
fn a_table_that_comes_too_has_no_rows() {
    let project = before("DROP TABLE calibrations; DROP TABLE readings");
    project.run(&["autogen", "x"]).done();
    assert!(up(&project).contains("CREATE TABLE public.readings"));
}

#[test]
fn what_keeps_its_name_is_not_renamed() {
    let project = before("ALTER TABLE readings ALTER value TYPE text");
    let said = project
        .run(&["autogen", "x"])
        .refused(&["--allow data-loss=public.readings.value"]);
    assert!(!said.contains("--rename"), "{said}");
    let project = before("ALTER TABLE users ADD fax text");
    project
        .run(&["autogen", "x"])
        .refused(&["--rename public.users.fax=…"]);
}

/// Output at a terminal where a person types the same keys again and again.
fn typed(project: &mut Checkout, keys: &str) -> Option<Ended> {
    at_a_terminal(project, "autogen less", keys)
}

fn at_a_terminal(project: &mut Checkout, arguments: &str, keys: &str) -> Option<Ended> {
    if Command::new("script").arg("--version").output().is_err() {
        return None;
    }
    let keys = format!("while printf '{keys}'; do sleep 0.2; done 2>/dev/null");
    let command = format!("{keys} | TERM=xterm script -qec \"$0 {arguments}\" /dev/null");
    project.by = ["sh", "-c", &command].map(str::to_owned).to_vec();
    let ended = project.run(&[]);
    project.by.clear();
    Some(ended)
}

#[test]
fn a_terminal_asks() {
    let mut project = before(NULLABLE);
    let Some(said) = typed(&mut project, r"jj\r") else {
        return;
    };
    let question = "column public.users.full_name (models/src/user.rs:16, User::full_name) becomes NOT NULL, and rows";
    assert!(said.stdout.contains(question), "{said:?}");
    assert!(said.stdout.contains("nothing was written"), "{said:?}");
    assert_eq!(project.folders().len(), 2);

    let said = typed(&mut project, r"0\r").expect("a terminal");
    assert_eq!(project.folders().len(), 3, "{said:?}");
    assert!(up(&project).contains("SET full_name = 0 WHERE full_name IS NULL"));
    assert!(
        said.stdout
            .contains("`#[model(fill = \"0\")]` on the field keeps it"),
        "{said:?}"
    );

    let mut project = before(NEW);
    let said = typed(&mut project, r"j\r").expect("a terminal");
    assert_eq!(project.folders().len(), 3, "{said:?}");
    assert!(up(&project).contains("since it would hold NULL there"));
}

#[test]
fn an_upgrade_that_fails_names_the_command_that_helps() {
    let (_server, database) = tests::database();
    let project = before(NULLABLE).on(&database);
    project.pushed();
    project.run(&["upgrade"]).done();
    let allow = ["autogen", "it's required", "--allow", "fails"];
    project.run(&allow).done();
    tests::run(&database, "INSERT INTO users (email) VALUES ('a@b')");
    let command = r"`trueup recreate 'it'\''s required'`";
    for dry in [&["upgrade"][..], &["upgrade", "--dry-run"]] {
        let said = project.run(dry).refused(&["contains null values", command]);
        assert!(!said.contains("--force"), "{said}");
    }
    project.run(&["autogen", "more"]).refused(&[command]);
    // It does help.
    let recreate = [
        "recreate",
        "it's required",
        "--fill",
        "users.full_name='none'",
    ];
    project.run(&recreate).done();
    project.run(&["upgrade"]).done();

    // Those after it go first.
    project.run(&["downgrade"]).done();
    project
        .run(&["recreate", "it's required", "--allow", "fails"])
        .done();
    tests::run(&database, "UPDATE users SET full_name = NULL");
    project.migration("2999-01-01-000000_later", "SELECT 1;", "SELECT 1;");
    project.run(&["upgrade"]).refused(&[
        "remove those after it with `trueup uncommit`, and write it anew",
        command,
    ]);
    project.run(&["uncommit", "--yes"]).done();

    // A person's own is mended where it stands.
    tests::run(&database, "UPDATE users SET full_name = ''");
    project.run(&["upgrade"]).done();
    project.migration("2999-01-01-000000_own", "SELECT 1/0;", "SELECT 1;");
    let said = project.run(&["upgrade"]).refused(&["mend its up.sql"]);
    assert!(!said.contains("recreate"), "{said}");
    project.git(&["add", "migrations"]);
    project.git(&["commit", "--quiet", "--message", "own"]);
    project.git(&["push", "--quiet"]);
    let said = project
        .run(&["upgrade"])
        .refused(&["others could have it already"]);
    assert!(!said.contains("recreate"), "{said}");
}

#[test]
fn a_diff_says_to_a_person_what_it_comes_to() {
    let mut project = before(NULLABLE);
    let _ = project.file("more.sql", "CREATE TABLE t (a integer);");
    let _ = project.file("less.sql", "CREATE TABLE t (a integer, b text);");
    let words = "diff --from less.sql --to more.sql";
    let Some(said) = at_a_terminal(&mut project, words, " ") else {
        return;
    };
    assert!(
        said.stdout.contains("change: ~ table public.t: - column b"),
        "{said:?}"
    );
    assert!(
        said.stdout.contains("locks: ACCESS EXCLUSIVE on public.t"),
        "{said:?}"
    );
    // A pipe is told nothing beside the SQL.
    let words: Vec<&str> = words.split(' ').collect();
    let said = project.run(&words).with(1);
    assert!(!said.stderr.contains("change:"), "{said:?}");
}

/// The models do not have it, so that a draft from them would not.
#[test]
fn a_value_that_was_given_once_moves_along() {
    let project = before(NULLABLE);
    let fill = ["autogen", "x", "--fill", "users.full_name='none'"];
    project.run(&fill).done();
    let ours = project.folders().pop().expect("a migration");
    let (up, down) = ("CREATE TABLE other ();", "DROP TABLE other;");
    project.made_on(
        &["2030-01-01-000000_before"],
        "2999-01-01-000000_other",
        up,
        down,
    );
    project.run(&["rebase", &ours]).done();
    assert_ne!(project.folders().last(), Some(&ours));
    let up = self::up(&project);
    assert!(
        up.contains("SET full_name = 'none' WHERE full_name IS NULL"),
        "{up}"
    );
}
