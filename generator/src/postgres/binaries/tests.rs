use std::os::unix::fs::PermissionsExt;

use super::*;

fn install(folder: &Path, programs: &[&str], version: &str) -> Folder {
    fs::create_dir_all(folder).expect("a folder");
    for program in programs {
        let path = folder.join(program);
        fs::write(
            &path,
            format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n"),
        )
        .expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an executable");
    }
    Folder::new(folder.to_owned(), false)
}

fn binaries(folders: Vec<Folder>) -> Binaries {
    Binaries {
        folders,
        by_pg_config: OnceLock::from(Vec::new()),
        of_live_server: OnceLock::new(),
    }
}

#[test]
fn majors_by_name() {
    let major = |path: &str| major_by_name(Path::new(path));
    assert_eq!(major("/usr/lib/postgresql/15/bin"), Some(15));
    assert_eq!(major("/usr/pgsql-16/bin"), Some(16));
    assert_eq!(major("/opt/homebrew/opt/postgresql@17/bin"), Some(17));
    assert_eq!(
        major("/Applications/Postgres.app/Contents/Versions/18/bin"),
        Some(18)
    );
    assert_eq!((major("/usr/bin"), major("/opt/tool/15/bin")), (None, None));
}

#[test]
fn takes_the_preferred_major_else_the_newest() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = ["initdb", "postgres"];
    let stray = install(&dir.path().join("stray"), &["postgres"], "99.1");
    let old = install(&dir.path().join("old"), &server, "14.2");
    let new = install(&dir.path().join("new"), &server, "18beta1");
    let found = binaries(vec![stray, old, new]);
    assert_eq!(found.server(Some(14)).map(|server| server.major), Ok(14));
    assert_eq!(found.server(Some(16)).map(|server| server.major), Ok(18));
    assert_eq!(found.server(None).map(|server| server.major), Ok(18));
    assert_eq!(
        found.server_of(16),
        Err(BinariesError::NotThisMajor {
            wanted: 16,
            found: vec![14, 18]
        })
    );
}

#[test]
fn takes_the_first_that_a_person_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = ["initdb", "postgres"];
    let install = |name: &str, version| install(&dir.path().join(name), &server, version);
    let named = |folder| Folder {
        named: true,
        ..folder
    };
    let found = binaries(vec![
        named(install("first", "16.2")),
        named(install("second", "17.1")),
        install("installed", "18.0"),
    ]);
    assert_eq!(found.server(None).map(|server| server.major), Ok(16));
    assert_eq!(found.server(Some(17)).map(|server| server.major), Ok(17));
    assert_eq!(found.server(Some(18)).map(|server| server.major), Ok(18));
    assert_eq!(found.server(Some(14)).map(|server| server.major), Ok(16));
}

#[test]
fn a_pg_dump_is_never_older_than_the_server() {
    let dir = tempfile::tempdir().expect("a folder");
    let old = install(&dir.path().join("old"), &["pg_dump", "psql"], "15.1");
    let new = install(&dir.path().join("new"), &["pg_dump", "psql"], "18.1");
    let found = binaries(vec![new, old]);
    assert_eq!(found.pg_dump(15), Ok(dir.path().join("old/pg_dump")));
    assert_eq!(found.pg_dump(16), Ok(dir.path().join("new/pg_dump")));
    assert_eq!(found.psql(), Ok(dir.path().join("new/psql")));
    assert_eq!(
        found.pg_dump(19),
        Err(BinariesError::NoDump { at_least: 19 })
    );
}

#[test]
fn says_what_to_install() {
    let none = binaries(Vec::new());
    let error = none.server(None).expect_err("nothing there");
    assert!(
        error.hint().contains("apt-get install postgresql")
            && error.hint().contains("brew install")
    );
    assert_eq!(none.psql(), Err(BinariesError::NoPsql));
}
