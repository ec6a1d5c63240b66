//! Folders of migrations as they come: with links, with what other systems and editors make of files, and with what is no
//! migration. Each command copes, or says what is wrong and where.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
};

use tests::checkout::Checkout;

use crate::checkout;

const NOTES: (&str, &str, &str) = (
    "2030-01-01-000000_notes",
    "CREATE TABLE notes (a int);\nCOMMENT ON TABLE notes IS 'one\ntwo';\n",
    "DROP TABLE notes;\n",
);

/// All commands that read the folder, beside `upgrade`.
const READING: &[&[&str]] = &[
    &["history"],
    &["check"],
    &["status"],
    &["autogen", "x", "--dry-run"],
];

/// Insists that every command refuses in these words.
fn all_refuse(project: &Checkout, words: &[&str]) {
    let folders = project.folders();
    for command in READING.iter().chain(&[&["upgrade"][..]]) {
        project.run(command).refused(words);
    }
    assert_eq!(project.folders(), folders);
}

#[test]
fn a_migration_may_be_a_link() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration("../elsewhere", NOTES.1, NOTES.2);
    let link = project.path().join("migrations").join(NOTES.0);
    symlink("../elsewhere", &link).expect("a link");
    project.run(&["upgrade"]).done();
    let history = project.run(&["history"]).done();
    assert!(history.contains(NOTES.0), "{history}");
    project.run(&["status"]).done();
    // The table is in no model, and stays.
    let _ = project.run(&["check"]).done();
    project.run(&["downgrade"]).done();
    project.run(&["uncommit", "--force"]).done();
    assert!(fs::symlink_metadata(&link).is_err());
    let kept = project.path().join("elsewhere/up.sql");
    assert!(kept.exists(), "what a link leads to is not ours to remove");
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let (_server, database) = tests::database();
    for to in ["nowhere", NOTES.0] {
        let project = checkout().shipped().on(&database);
        let link = project.path().join("migrations").join(NOTES.0);
        symlink(to, link).expect("a link");
        all_refuse(&project, &[NOTES.0, "a link that leads nowhere"]);
    }
}

#[test]
fn what_is_no_folder_is_passed_over() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let folder = project.path().join("migrations");
    let strange = OsStr::from_bytes(b"caf\xe9.txt");
    for name in ["README.md", "up.sql", "2030-01-01-000000_file", ".DS_Store"] {
        fs::write(folder.join(name), "no SQL").expect("a file");
    }
    fs::write(folder.join(strange), "").expect("a file");
    fs::create_dir(folder.join(".hidden")).expect("a folder");
    fs::create_dir(folder.join(OsStr::from_bytes(b".hid\xe9"))).expect("a folder");
    project.run(&["upgrade"]).done();
    for command in READING {
        project.run(command).done();
    }
}

#[test]
fn what_is_not_utf_8_is_named() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.migration(NOTES.0, NOTES.1, NOTES.2);
    let file = project.path().join("migrations").join(NOTES.0);
    fs::write(
        file.join("up.sql"),
        b"COMMENT ON SCHEMA public IS 'caf\xe9';",
    )
    .expect("a file");
    all_refuse(&project, &[NOTES.0, "up.sql is not UTF-8", "hint:"]);

    let project = checkout().shipped().on(&database);
    let folder = project.path().join("migrations");
    fs::create_dir(folder.join(OsStr::from_bytes(b"2030_caf\xe9"))).expect("a folder");
    all_refuse(&project, &["2030_caf", "is not UTF-8"]);
}

#[test]
fn what_windows_makes_of_a_file_does_not_matter() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let begin = project.folders().remove(0);
    project.made_on(&[&begin], NOTES.0, NOTES.1, NOTES.2);
    for name in project.folders() {
        let folder = project.path().join("migrations").join(name);
        for file in ["up.sql", "down.sql"] {
            let text = fs::read_to_string(folder.join(file)).expect("a file");
            let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
            fs::write(folder.join(file), text).expect("a file");
        }
        let metadata = "\u{feff}run_in_transaction = true\r\n";
        fs::write(folder.join("metadata.toml"), metadata).expect("a file");
    }
    project.run(&["upgrade"]).done();
    let status = project.run(&["status"]).done();
    assert!(!status.contains("edited"), "{status}");
    let history = project.run(&["history", "--verbose"]).done();
    assert!(
        history.contains(NOTES.0) && !history.contains('\r'),
        "{history:?}"
    );
    project.run(&["autogen", "away", "--drop", "notes"]).done();
    project.run(&["downgrade"]).done();
}

#[test]
fn a_nul_is_refused_where_it_stands() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let up = "CREATE TABLE fine ();\nCOMMENT ON TABLE fine IS 'a\0b';\n";
    project.migration(NOTES.0, up, NOTES.2);
    for command in [
        &["upgrade"][..],
        &["check"],
        &["autogen", "x", "--from", "migrations"],
    ] {
        if command[0] != "check" {
            project.run(command).refused(&[NOTES.0, "up.sql:2", "NUL"]);
        }
    }
    let file = project.file("one.sql", up);
    project
        .run(&["diff", "--from", &file, "--to", "migrations"])
        .refused(&["one.sql:2", "NUL"]);
    assert!(tests::holds(
        &mut database.connect().expect("a connection"),
        "to_regclass('fine') IS NULL"
    ));
}

/// Nothing can be kept from root by permissions: then another user has to look.
#[test]
fn what_may_not_be_read_is_named() {
    let mut project = checkout().shipped();
    project.migration(NOTES.0, NOTES.1, NOTES.2);
    if rustix::process::geteuid().is_root() {
        let nobody = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ];
        project.by = nobody.map(str::to_owned).to_vec();
    }
    project.run(&["history"]).done();
    let folder = project.path().join("migrations").join(NOTES.0);
    for path in [folder.join("up.sql"), folder] {
        fs::set_permissions(&path, Permissions::from_mode(0o0)).expect("set");
        project
            .run(&["history"])
            .refused(&[NOTES.0, "Permission denied", "see who owns it"]);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("set");
    }
}

#[test]
fn a_folder_in_place_of_a_file_is_named() {
    let project = checkout().shipped();
    let folder = project.path().join("migrations").join(NOTES.0);
    fs::create_dir_all(folder.join("up.sql")).expect("a folder");
    project
        .run(&["history"])
        .refused(&[NOTES.0, "up.sql", "a folder"]);
}
