//! The proof finds what is wrong: here each of its halves is given something to find.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use generator::{
    Error, ErrorKind, Project,
    draft::{DraftOptions, draft},
    plan::{Folding, Segment, plan},
    prove,
    rename::Renaming,
    source::{self, Side},
};
use trueup::{Hazard, Schema, Statement};

const FROM: &str = "CREATE TABLE t (a int);";
const TO: &str = "CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a);";

/// Runs SQL on an empty database and reads it.
fn side(project: &Project, sql: &str) -> Side {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.sql");
    std::fs::write(&path, sql).expect("a file");
    let mut side = source::file(project, &path).expect("a schema");
    // It is taken for what Postgres printed, lest it be printed and read again.
    side.reprinted = true;
    side
}

fn project() -> Project {
    tests::project(PathBuf::from("no migrations"))
}

fn refused(outcome: Result<impl Sized, Error>, kind: ErrorKind, says: &[&str]) {
    let Err(error) = outcome else {
        panic!("nothing was found");
    };
    let text = error.full();
    assert_eq!(error.kind(), kind, "{text}");
    for part in says {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_draft_is_proved() {
    let project = project();
    let (from, to) = (side(&project, FROM), side(&project, TO));
    let draft = draft(&project, from, to, DraftOptions::default())
        .expect("a draft")
        .expect("something to do");
    assert!(draft.proof.postgres.is_some());
}

/// No CREATE INDEX of the room makes an index that is not valid, as if the room had forgotten a property.
#[test]
fn a_room_that_makes_something_else_is_found() {
    let project = project();
    let (from, mut to) = (side(&project, FROM), side(&project, TO));
    let json = to.schema.to_json().expect("JSON");
    let edited = json.replace("\"valid\": true", "\"valid\": false");
    assert_ne!(json, edited);
    to.schema = Schema::from_json(&edited).expect("a schema");
    refused(
        draft(&project, from, to, DraftOptions::default()),
        ErrorKind::Defect,
        &["up.sql does not lead where it should", "index public.i"],
    );
}

#[test]
fn a_statement_that_is_left_out_is_missed() {
    let project = project();
    let (from, to) = (side(&project, FROM), side(&project, TO));
    let whole = plan(&from.schema, &to.schema, Folding::Wherever).expect("a plan");
    assert_eq!(whole.steps.len(), 2);
    prove::there(
        &project,
        &from,
        &Renaming::default(),
        &to,
        &whole.clone().segments(),
    )
    .expect("the whole is right");
    for left_out in 0..2 {
        let mut plan = whole.clone();
        let step = plan.steps.remove(left_out);
        refused(
            prove::there(&project, &from, &Renaming::default(), &to, &plan.segments()),
            ErrorKind::Defect,
            &[&format!("{} is missing", step.ids[0])],
        );
    }
}

/// A change of the target after it was read is in no schema, and in the dump.
#[test]
fn what_only_pg_dump_sees_is_found() {
    let project = project();
    for (sql, says) in [
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "FUNCTION public.f()",
        ),
        ("ALTER TABLE t ALTER b SET DEFAULT 'x'", "DEFAULT 'x'"),
    ] {
        let (from, to) = (side(&project, FROM), side(&project, TO));
        to.scratch
            .as_ref()
            .expect("a database")
            .connect()
            .expect("a connection")
            .batch_execute(sql)
            .expect(sql);
        refused(
            draft(&project, from, to, DraftOptions::default()),
            ErrorKind::Defect,
            &["pg_dump sees a difference after up.sql", says],
        );
    }
}

#[test]
fn rows_come_into_every_table() {
    let project = project();
    for (folder, says) in [
        (
            "rows of every type stay when a column comes",
            "rows in 1 of 1 tables kept",
        ),
        ("tables that take few rows", "rows in 2 of 2 tables kept"),
    ] {
        let folder = tests::root().join("fixtures/data").join(folder);
        let read = |file| std::fs::read_to_string(folder.join(file)).expect("a file");
        let (from, to) = (
            side(&project, &read("from.sql")),
            side(&project, &read("to.sql")),
        );
        let draft = draft(&project, from, to, DraftOptions::default())
            .expect("a draft")
            .expect("something to do");
        let sentence = draft.proof.sentence();
        assert!(sentence.ends_with(says), "{sentence}");
    }
}

#[test]
fn a_table_that_takes_no_row_is_named() {
    let project = project();
    let refuses =
        "CREATE TABLE t (a int, CONSTRAINT never CHECK (a <> a AND a IS NOT NULL) NO INHERIT);
        ALTER TABLE t ALTER a SET NOT NULL;";
    let table = |columns| format!("{refuses} CREATE TABLE u ({columns});");
    let from = side(&project, &table("a int"));
    let to = side(&project, &table("a int, b int"));
    let draft = draft(&project, from, to, DraftOptions::default())
        .expect("a draft")
        .expect("something to do");
    let sentence = draft.proof.sentence();
    let says = "rows in 1 of 2 tables kept, none in public.t (new row for relation \"t\" violates check constraint \
                \"never\")";
    assert!(sentence.ends_with(says), "{sentence}");
}

/// A plan of one step, with other statements in it.
fn instead(from: &Side, to: &Side, statements: Vec<Statement>) -> Vec<Segment> {
    let mut plan = plan(&from.schema, &to.schema, Folding::Wherever).expect("a plan");
    assert_eq!(plan.steps.len(), 1);
    plan.steps[0].statements = statements;
    plan.segments()
}

/// Both lead to the target, and only the rows tell them from the one statement that keeps everything.
#[test]
fn what_is_made_anew_instead_of_altered_is_found() {
    let project = project();
    let (from, to) = (
        side(&project, "CREATE TABLE t (a int, b varchar(5));"),
        side(&project, "CREATE TABLE t (a int, b varchar(9));"),
    );
    let statement = |sql: &str| Statement::new(sql, sql);
    let drop_column = statement("ALTER TABLE t DROP COLUMN b");
    let add_column = statement("ALTER TABLE t ADD COLUMN b varchar(9)");
    let segments = instead(&from, &to, vec![drop_column, add_column]);
    refused(
        prove::there(&project, &from, &Renaming::default(), &to, &segments),
        ErrorKind::Defect,
        &[
            "up.sql loses what no hazard says",
            "column public.t.b: the column is gone",
            "it happens in `ALTER TABLE t DROP COLUMN b`",
        ],
    );
    let drop_table = statement("DROP TABLE t");
    let create_table = statement("CREATE TABLE t (a int, b varchar(9))");
    let segments = instead(&from, &to, vec![drop_table, create_table]);
    refused(
        prove::there(&project, &from, &Renaming::default(), &to, &segments),
        ErrorKind::Defect,
        &["table public.t: the table is gone", "`DROP TABLE t`"],
    );
}

#[test]
fn values_that_change_on_the_way_are_found() {
    let project = project();
    let (from, to) = (
        side(&project, "CREATE TABLE t (a int, b varchar(5));"),
        side(&project, "CREATE TABLE t (a int, b varchar(9));"),
    );
    let statement = |sql: &str| Statement::new(sql, sql);
    let retype = "ALTER TABLE t ALTER COLUMN b TYPE varchar(9)";
    for (sql, says) in [
        (
            "DELETE FROM t WHERE a = 0",
            "table public.t: there were 5 rows and are 4",
        ),
        ("UPDATE t SET b = upper(b)", "column public.t.b: "),
        (
            "UPDATE t SET a = (SELECT o.a FROM t o WHERE o.a <> t.a ORDER BY o.a DESC LIMIT 1)",
            "column public.t.a: ",
        ),
    ] {
        let segments = instead(&from, &to, vec![statement(retype), statement(sql)]);
        refused(
            prove::there(&project, &from, &Renaming::default(), &to, &segments),
            ErrorKind::Defect,
            &[says, sql],
        );
    }
}

#[test]
fn a_loss_that_does_not_happen_is_found() {
    let project = project();
    let (from, to) = (
        side(&project, "CREATE TABLE t (a int, b varchar(5));"),
        side(&project, "CREATE TABLE t (a int NOT NULL, b varchar(5));"),
    );
    let mut ids = from.schema.entries().map(|(id, _)| id.clone());
    let of = ids.find(|id| id.to_string() == "column public.t.b");
    let of = of.expect("the column");
    let set = Statement::new("Set", "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL")
        .hazard(Hazard::MayFail {
            because: "while a row holds NULL".to_owned(),
        })
        .hazard(Hazard::loses(of, "everything"));
    refused(
        prove::there(
            &project,
            &from,
            &Renaming::default(),
            &to,
            &instead(&from, &to, vec![set]),
        ),
        ErrorKind::Defect,
        &["up.sql does not do what a hazard says: it loses everything"],
    );
}

#[test]
fn a_failure_that_no_hazard_tells_of_is_found() {
    let project = project();
    let (from, to) = (
        side(&project, "CREATE TABLE t (a int);"),
        side(&project, "CREATE TABLE t (a int, b int NOT NULL);"),
    );
    let add = Statement::new("Add it", "ALTER TABLE public.t ADD COLUMN b int NOT NULL");
    refused(
        prove::there(
            &project,
            &from,
            &Renaming::default(),
            &to,
            &instead(&from, &to, vec![add]),
        ),
        ErrorKind::Defect,
        &["up.sql: `Add it` fails on rows", "and no hazard says so"],
    );
}

#[test]
fn an_unread_policy_in_the_way_is_named() {
    let project = project();
    let policy = "CREATE POLICY p ON t USING (a > 0);";
    let from = side(&project, &format!("{FROM}{policy}"));
    let to = side(&project, &format!("CREATE TABLE t (a bigint);{policy}"));
    refused(
        draft(&project, from, to, DraftOptions::default()),
        ErrorKind::NotYet,
        &["not yet: column public.t.a: policy p on public.t needs it"],
    );
}

/// A row that a column holds is written otherwise when the table whose row it is gains or loses a column.
#[test]
fn rows_of_a_table_that_another_holds_are_kept() {
    let from = "CREATE TABLE users (id integer PRIMARY KEY, name text, age integer);
        CREATE DOMAIN known AS users CHECK ((VALUE).id > 0);
        CREATE TABLE held (id integer PRIMARY KEY, one users, many users[], known known);";
    for change in [
        "ALTER TABLE users DROP age",
        "ALTER TABLE users ADD nickname text",
        "ALTER TABLE users DROP name; ALTER TABLE users ADD called text",
    ] {
        let draft = tests::drafted::drafted(from, change, &[]);
        let draft = draft.unwrap_or_else(|error| panic!("{change}: {}", error.full()));
        let sentence = draft.proof.sentence();
        assert!(
            sentence.contains("rows in 2 of 2 tables kept"),
            "{sentence}"
        );
    }
}
