use diesel::connection::SimpleConnection;

use super::*;

fn project(mode: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("a mode");
    dir
}

#[test]
fn what_is_written_stays_and_commands_share_the_server() {
    let project = project(0o755);
    let binaries = Binaries::find(None);
    let first = Embedded::start(project.path(), &binaries).expect("a server");
    connect(first.url())
        .expect("a connection")
        .batch_execute("CREATE TABLE kept ()")
        .expect("a table");
    let second = Embedded::start(project.path(), &binaries).expect("the same server");
    let data = first.place.data();
    drop(first);
    connect(second.url())
        .expect("the server still runs")
        .batch_execute("TABLE kept")
        .expect("the table");
    drop(second);
    assert!(!postmaster::is_running(&data));
    let again = Embedded::start(project.path(), &binaries).expect("a server");
    connect(again.url())
        .expect("a connection")
        .batch_execute("TABLE kept")
        .expect("the table");
    assert_eq!(
        fs::read_to_string(project.path().join(".trueup/.gitignore")).expect("a file"),
        "*\n"
    );
}

#[test]
fn goes_elsewhere_when_the_server_cannot_reach_the_project() {
    let project = project(0o700);
    let embedded = Embedded::start(project.path(), &Binaries::find(None)).expect("a server");
    let folder = embedded.folder().to_owned();
    let reaches = server_account().expect("an account").is_none();
    assert_eq!(
        folder.starts_with(fs::canonicalize(project.path()).expect("a path")),
        reaches
    );
    assert_eq!(project.path().join(FOLDER).join(NOTE).exists(), !reaches);
    drop(embedded);
    remove_if_there(&folder).expect("removed");
}

#[test]
fn a_cluster_of_another_major_is_not_touched() {
    let project = project(0o755);
    let data = project.path().join(FOLDER).join("data");
    fs::create_dir_all(&data).expect("a folder");
    fs::write(data.join("PG_VERSION"), "9\n").expect("a file");
    let error =
        Embedded::start(project.path(), &Binaries::find(None)).expect_err("no such programs");
    assert!(
        matches!(error, EmbeddedError::Major { major: 9, .. }),
        "{error}"
    );
}
