//! The move of a product that was there before: what it has is taken over, and what comes next is written. A package registry
//! with eight migrations by hand, whose people, devices and readings are the models that ship with trueup.

mod history;

use std::fs;

use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use generator::postgres::connection::connect;
use tests::checkout::{Checkout, Ended};

use history::HISTORY;

/// Runs a command whose output nobody should ever see a word of blame in.
fn run(project: &Checkout, arguments: &[&str]) -> Ended {
    let ended = project.run(arguments);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains("mistake in trueup"), "{arguments:?}: {said}");
    ended
}

/// The shipped migration as somebody wrote it by hand: without its header, an index, and a comment.
fn laboratory(project: &Checkout) {
    let shipped = project.newest();
    let read = |file: &str| fs::read_to_string(shipped.join(file)).expect("a file");
    let by_hand = |text: String| -> String {
        let lines = text.lines().filter(|line| !line.starts_with("--"));
        let lines = lines.filter(|line| {
            !line.starts_with("CREATE INDEX users_lower_idx")
                && !line.starts_with("COMMENT ON COLUMN public.users.active")
        });
        lines.fold(String::new(), |text, line| text + line + "\n")
    };
    let (up, down) = (by_hand(read("up.sql")), by_hand(read("down.sql")));
    fs::remove_dir_all(&shipped).expect("a folder");
    project.migration("2019-01-01-000000_laboratory", &up, &down);
}

#[test]
fn a_product_moves_in_and_goes_on() {
    let (_server, database) = tests::database();
    let project = Checkout::new(env!("CARGO_BIN_EXE_shipped"))
        .on(&database)
        .shipped();
    laboratory(&project);
    for [name, up, down] in HISTORY {
        project.migration(name, up, down);
    }
    let folders = project.path().join("migrations");
    // Diesel's own runner has applied them all.
    let mut connection = connect(&database.url()).expect("a connection");
    let diesels = || FileBasedMigrations::from_path(&folders).expect("migrations");
    let applied = connection
        .run_pending_migrations(diesels())
        .expect("applied");
    assert_eq!(applied.len(), HISTORY.len() + 1);

    // The first look.
    run(&project, &["doctor"]).done();
    run(&project, &["status"]).done();
    let there = run(&project, &["inspect", "database"]).done();
    assert!(there.contains("\"Odd Name's\""), "{there}");
    let first = run(&project, &["check"]).with(1);
    for words in [
        "index public.users_lower_idx",
        "comment",
        "migrations and database  in sync",
    ] {
        assert!(
            first.stdout.contains(words),
            "{words:?} is not in: {first:?}"
        );
    }
    assert!(first.stderr.contains("were never proved"), "{first:?}");

    // What was there is proved, and nobody notices.
    let proved = run(&project, &["prove", "--all"]).done();
    assert!(proved.contains("8 headers written"), "{proved}");
    run(&project, &["status"]).done();
    assert!(!connection.has_pending_migration(diesels()).expect("known"));

    // What comes next.
    let drafted = run(&project, &["autogen", "find people"]).with(0);
    let words = "are in no model";
    assert!(drafted.stderr.contains(words), "{drafted:?}");
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert!(up.contains("CREATE INDEX users_lower_idx"), "{up}");
    assert!(!up.contains("DROP "), "{up}");
    run(&project, &["upgrade"]).done();
    let agreed = run(&project, &["check"]).done();
    assert!(
        agreed.contains("models and migrations  in sync"),
        "{agreed}"
    );
    run(&project, &["redo"]).done();
    assert!(!connection.has_pending_migration(diesels()).expect("known"));

    // Old history becomes one.
    let squashed = run(&project, &["squash", "base..head", "--message", "begin"]).done();
    assert!(squashed.contains("9 migrations are"), "{squashed}");
    let nothing = run(&project, &["upgrade"]).done();
    assert!(nothing.contains("nothing to apply"), "{nothing}");
    run(&project, &["check"]).done();
    run(&project, &["status"]).done();
    assert!(!connection.has_pending_migration(diesels()).expect("known"));
}
