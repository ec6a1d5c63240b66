//! Remembered agreement: a state found in sync is not tried again, and a remembered answer is never a wrong one.

use std::{fs, path::Path};

use generator::{
    Project,
    pipeline::{
        autogen::declarations,
        check::{Check, Scope},
    },
    postgres::scratch::Database,
};
use models as _;
use tests::checkout::Checkout;
use trueup::{Decision, Declaration, Declarations, Detail, Model, Part};

trueup::sequence!("numbers", namespace = "words", start = 100);

#[derive(Model)]
#[model(table = "entries", namespace = "words")]
#[model(check("amount > 0", name = "positive", comment = "Nothing is free."))]
#[model(statistics(amount, kind, name = "together", kinds(mcv)))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Entry {
    #[model(primary_key, default = "nextval('words.numbers')")]
    id: i64,
    #[model(statistics = 500)]
    amount: i32,
    kind: i32,
}

/// SQL of this test's models, and storage parameters, which they do not declare.
const ENTRIES: &str = "
    CREATE SCHEMA words;
    CREATE SEQUENCE words.numbers START WITH 100;
    CREATE TABLE words.entries (
        id bigint DEFAULT nextval('words.numbers') PRIMARY KEY,
        amount integer NOT NULL CONSTRAINT positive CHECK (amount > 0),
        kind integer NOT NULL
    ) WITH (fillfactor = 70);
    ALTER TABLE words.entries ALTER COLUMN amount SET STATISTICS 500;
    CREATE STATISTICS words.together (mcv) ON amount, kind FROM words.entries;
    COMMENT ON CONSTRAINT positive ON words.entries IS 'Nothing is free.';";

/// A checkout whose migrations make what is declared here.
fn checkout() -> Checkout {
    let checkout = Checkout::new(env!("CARGO_BIN_EXE_shipped")).shipped();
    checkout.migration(
        "2026-11-21-200000-0000_entries",
        ENTRIES,
        "DROP SCHEMA words CASCADE;",
    );
    checkout
}

/// The result of a check, and whether it needed a scratch.
fn check(checkout: &Checkout, memory: &Path, database: Option<&Database>) -> (Check, bool) {
    let migrations = checkout.path().join("migrations");
    let Project { binaries, .. } = tests::project(migrations.clone());
    let url = database.map(Database::url);
    let project =
        Project::new(migrations, url, binaries, None).remembering(Some(memory.to_owned()));
    let check = generator::pipeline::check::check(
        &project,
        &declarations().expect("models"),
        Scope::Database,
    );
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

/// The same for what is said of something beside its table, and what is said and is no SQL.
const EDITS_BESIDE: &[Edit] = &[
    ("parameters, of which there are none", |one| {
        if one.head.starts_with("CREATE TABLE words.entries") {
            decided(one, Detail::Parameters)
        } else {
            one
        }
    }),
    ("another start", |one| {
        said(one, "START WITH 100", "START WITH 200")
    }),
    ("other statistics", |one| said(one, "(mcv)", "(ndistinct)")),
    ("another target", |one| {
        said(one, "STATISTICS 500", "STATISTICS 400")
    }),
    ("another comment", |one| {
        said(one, "Nothing is free.", "All is free.")
    }),
];

fn decided(table: Declaration, detail: Detail) -> Declaration {
    let id = table.of.clone();
    let mut decides = table.decides.clone();
    decides.push(Decision { id, detail });
    Declaration { decides, ..table }
}

fn said(one: Declaration, from: &str, to: &str) -> Declaration {
    Declaration {
        head: one.head.replace(from, to),
        ..one
    }
}

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

/// One changed model gives the same check result, whether the rest is remembered or compared again.
#[test]
fn one_changed_model_is_told_as_all_are() {
    let memory = tempfile::tempdir().expect("a folder");
    let checkout = checkout();
    let migrations = checkout.path().join("migrations");
    let check = |declarations: &Declarations, memory: Option<&Path>| {
        let Project { binaries, .. } = tests::project(migrations.clone());
        let project = Project::new(migrations.clone(), None, binaries, None)
            .remembering(memory.map(Path::to_owned));
        let check = generator::pipeline::check::check(&project, declarations, Scope::Offline);
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
    let edited = EDITS.iter().enumerate().map(|(number, (edit, change))| {
        // Each in another table, as long as it changes anything there.
        let mut tables = tables.iter().cycle().skip(number).take(tables.len());
        let table = tables.find(|table| change(Declaration::clone(table)) != ***table);
        let table = table.expect("a table that it changes");
        let edited = all.map(|one| if one.id == table.id { change(one) } else { one });
        (format!("{edit} in {:?}", table.of), edited)
    });
    let beside = EDITS_BESIDE
        .iter()
        .map(|(edit, change)| ((*edit).to_owned(), all.map(change)));
    let told = |edit: &str, declarations: &Declarations| {
        let (quick, whole) = (
            check(declarations, Some(memory.path())),
            check(declarations, None),
        );
        assert_eq!(format!("{quick:#?}"), format!("{whole:#?}"), "{edit}");
        whole
    };
    for (edit, declarations) in edited.chain(beside) {
        let is_clean = told(&edit, &declarations).is_ok_and(|check| check.is_clean());
        assert!(!is_clean, "{edit} is no difference");
    }
    // Of some things that models no longer say, what is there stays.
    for one in &all {
        if one.id.as_ref() == Some(&one.of) {
            let fewer = all.only(|of| *of != one.of);
            let _ = told(&format!("no {:?}", one.of), &fewer);
        }
    }
}

#[test]
fn nothing_is_tried_twice_and_nothing_wrong_is_believed() {
    let memory = tempfile::tempdir().expect("a folder");
    let memory = memory.path();
    let checkout = checkout();
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
    let checkout = checkout().on(&database);
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
