//! The shipped models against the shipped migrations, and against nothing.

use generator::pipeline::{
    autogen::{self, AutogenOptions},
    check::{Scope, check},
};
use models as _;

#[test]
fn models_become_migrations_and_then_agree_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project(folder.path().join("migrations"));
    std::fs::create_dir(&project.migrations).expect("a folder of migrations");
    let declarations = autogen::declarations().expect("models");

    let first =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    let draft = first.draft.expect("something to do");
    let paths = autogen::write(&project, "begin", &draft).expect("folders");
    assert_eq!(paths.len(), 1);

    let second =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    assert!(second.draft.is_none(), "{:#?}", second.draft);
    let clean = check(&project, &declarations, Scope::Offline).expect("a check");
    assert!(clean.is_clean(), "{clean:#?}");
}
