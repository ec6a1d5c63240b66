//! The proof finds what is wrong: here each of its halves is given something to find.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use generator::{
    Error, ErrorKind, Project,
    draft::{DraftOptions, draft},
    plan::{Folding, plan},
    prove,
    rename::Renaming,
    source::{self, Side},
};
use trueup::Schema;

const FROM: &str = "CREATE TABLE t (a int);";
const TO: &str = "CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a);";

/// Runs SQL on an empty database and reads it.
fn side(project: &Project, sql: &str) -> Side {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.sql");
    std::fs::write(&path, sql).expect("a file");
    let scratch = project.scratch(None).expect("a scratch");
    let side = source::file(scratch, &path).expect("a schema");
    // It is taken for what Postgres printed, lest it be printed and read again.
    Side {
        reprinted: true,
        ..side
    }
}

fn project() -> Project {
    tests::project(PathBuf::from("no migrations"))
}

fn refused(outcome: Result<impl Sized, Error>, kind: ErrorKind, says: &[&str]) {
    let Err(error) = outcome else {
        panic!("nothing was found");
    };
    let text = tests::full(&error);
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

/// What comes into the target after it was read is in no schema of ours, and in the dump.
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
