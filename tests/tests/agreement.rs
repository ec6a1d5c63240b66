//! What was found in sync is not tried again, and whatever is remembered, nothing wrong is said.

use std::{fs, path::Path};

use generator::{Project, check::Check, scratch::Database};
use models as _;
use tests::checkout::Checkout;

/// What a check says, and whether it had to try.
fn check(checkout: &Checkout, memory: &Path, database: Option<&Database>) -> (Check, bool) {
    let migrations = checkout.path().join("migrations");
    let Project { binaries, .. } = tests::project(migrations.clone());
    let url = database.map(Database::url);
    let project =
        Project::new(migrations, url, binaries, None).remembering(Some(memory.to_owned()));
    let declarations = generator::autogen::declarations().expect("models");
    let check = generator::check::check(&project, &declarations, generator::check::Scope::Database)
        .expect("a check");
    (check, project.has_scratch())
}

#[test]
fn nothing_is_tried_twice_and_nothing_wrong_is_believed() {
    let memory = tempfile::tempdir().expect("a folder");
    let memory = memory.path();
    let checkout = Checkout::new(env!("CARGO_BIN_EXE_shipped")).shipped();
    let says = |clean, tried| {
        let (check, has_tried) = check(&checkout, memory, None);
        assert_eq!((check.is_clean(), has_tried), (clean, tried), "{check:?}");
    };
    says(true, true);
    says(true, false);

    for file in fs::read_dir(memory).expect("a folder") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a file");
        fs::write(&path, text.replace(['0', '7', 'c'], "1")).expect("a file");
    }
    says(true, true);
    says(true, false);

    checkout.migration(
        "2026-11-22-000000-0000_by_hand",
        "ALTER TABLE public.users ADD COLUMN by_hand text;",
        "ALTER TABLE public.users DROP COLUMN by_hand;",
    );
    says(false, true);
    says(false, true);
}

#[test]
fn a_change_by_hand_is_found_whatever_is_remembered() {
    let memory = tempfile::tempdir().expect("a folder");
    let memory = memory.path();
    let (_project, database) = tests::database();
    let checkout = Checkout::new(env!("CARGO_BIN_EXE_shipped"))
        .on(&database)
        .shipped();
    assert_eq!(checkout.run(&["upgrade"]).code, Some(0));
    let says = |clean, tried| {
        let (check, has_tried) = check(&checkout, memory, Some(&database));
        assert_eq!((check.is_clean(), has_tried), (clean, tried), "{check:?}");
    };
    says(true, true);
    says(true, false);
    tests::run(
        &database,
        "ALTER TABLE users ALTER COLUMN active DROP DEFAULT",
    );
    says(false, true);
    tests::run(
        &database,
        "ALTER TABLE users ALTER COLUMN active SET DEFAULT true",
    );
    says(true, false);
    tests::run(&database, "CREATE VIEW by_hand AS SELECT 1 AS one");
    says(false, true);
}
