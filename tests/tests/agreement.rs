//! What was found in sync is not tried again, and whatever is remembered, nothing wrong is said.

use std::{fs, path::Path};

use generator::{
    Project,
    autogen::declarations,
    check::{Check, Scope},
    scratch::Database,
};
use models as _;
use tests::checkout::Checkout;
use trueup::{Declaration, Declarations, Part};

/// What a check says, and whether it had to try.
fn check(checkout: &Checkout, memory: &Path, database: Option<&Database>) -> (Check, bool) {
    let migrations = checkout.path().join("migrations");
    let Project { binaries, .. } = tests::project(migrations.clone());
    let url = database.map(Database::url);
    let project =
        Project::new(migrations, url, binaries, None).remembering(Some(memory.to_owned()));
    let check =
        generator::check::check(&project, &declarations().expect("models"), Scope::Database);
    (check.expect("a check"), project.has_scratch())
}

/// A way in which a model could say otherwise.
type Edit = (&'static str, fn(Declaration) -> Declaration);

const EDITS: &[Edit] = &[
    ("another column", |table| {
        with_part(table, "added_later integer")
    }),
    ("another check", |table| with_part(table, "CHECK (id > 0)")),
    ("a unique one", |table| with_part(table, "code text UNIQUE")),
    ("a column less", |table| Declaration {
        parts: table
            .parts
            .iter()
            .take(table.parts.len() - 1)
            .cloned()
            .collect(),
        ..table
    }),
    ("wider numbers", |table| {
        rewritten(table, "integer", "bigint")
    }),
    ("narrower numbers", |table| {
        rewritten(table, "bigint", "integer")
    }),
    ("no such type", |table| {
        with_part(table, "odd of_no_such_type")
    }),
];

fn with_part(table: Declaration, sql: &str) -> Declaration {
    let mut parts = table.parts.clone();
    parts.push(Part {
        id: None,
        sql: sql.to_owned(),
        origin: table.origin.clone(),
    });
    Declaration { parts, ..table }
}

fn rewritten(table: Declaration, from: &str, to: &str) -> Declaration {
    let parts = table.parts.iter().map(|part| Part {
        sql: part.sql.replace(from, to),
        ..part.clone()
    });
    Declaration {
        parts: parts.collect(),
        ..table
    }
}

/// What one changed model makes a check say is the same, whether the rest is remembered or compared again.
#[test]
fn one_changed_model_is_told_as_all_are() {
    let memory = tempfile::tempdir().expect("a folder");
    let checkout = Checkout::new(env!("CARGO_BIN_EXE_shipped")).shipped();
    let migrations = checkout.path().join("migrations");
    let check = |declarations: &Declarations, memory: Option<&Path>| {
        let Project { binaries, .. } = tests::project(migrations.clone());
        let project = Project::new(migrations.clone(), None, binaries, None)
            .remembering(memory.map(Path::to_owned));
        let check = generator::check::check(&project, declarations, Scope::Offline);
        check.map_err(|error| error.to_string())
    };
    let all = declarations().expect("models");
    assert!(
        check(&all, Some(memory.path()))
            .expect("a check")
            .is_clean()
    );
    let tables: Vec<&Declaration> = all
        .iter()
        .filter(|declaration| !declaration.parts.is_empty())
        .collect();
    let edited = EDITS
        .iter()
        .zip(tables.iter().cycle())
        .map(|((edit, change), table)| {
            let edited = all.map(|one| if one.id == table.id { change(one) } else { one });
            (format!("{edit} in {:?}", table.of), edited)
        });
    let without = all
        .iter()
        .filter(|declaration| declaration.id.as_ref() == Some(&declaration.of))
        .map(|one| {
            let fewer = all.only(|of| *of != one.of);
            (format!("no {:?}", one.of), fewer)
        });
    for (edit, declarations) in edited.chain(without) {
        let (quick, whole) = (
            check(&declarations, Some(memory.path())),
            check(&declarations, None),
        );
        assert_eq!(format!("{quick:#?}"), format!("{whole:#?}"), "{edit}");
    }
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
