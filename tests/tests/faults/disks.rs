//! Disks that are full, read-only, or of another user.

use super::{mounting, small_cache, undrafted};

#[test]
fn a_full_disk_below_the_cache_is_named_and_mends_itself() {
    for megabytes in [2, 30, 60] {
        let mounts = small_cache(megabytes);
        let mut project = undrafted();
        if !mounting(&mut project, &mounts) {
            return;
        }
        let before = project.folders();
        project.run(&["autogen", "x"]).refused(&[
            "No space left on device",
            "make room",
            "trueup-",
        ]);
        assert_eq!(project.folders(), before);
        // Leftovers of the first run's cluster do not disturb the second.
        let room = "\"$0\" \"$@\" >/dev/null 2>&1 || true; mount -o remount,size=500m $CACHE";
        mounting(&mut project, &format!("{mounts}; {room}"));
        let said = project.run(&["autogen", "x"]).done();
        assert!(said.contains("proved"), "{said}");
    }
}

#[test]
fn a_full_disk_below_the_migrations_leaves_no_half_migration() {
    let mut project = undrafted();
    let folder = project.path().join("migrations").display().to_string();
    let mounts = format!(
        "cp -r {folder} {folder}.kept; mount -t tmpfs -o size=48k tmpfs {folder}; cp -r {folder}.kept/. {folder}; \
         head -c 1m /dev/zero > {folder}/full 2>/dev/null || true; \
         trap 'ls -A {folder}' EXIT; set +e; \"$0\" \"$@\"; code=$?; rm {folder}/full; \"$0\" \"$@\" >&2; \
         \"$0\" check >&2; exit $code"
    );
    if !mounting(&mut project, &mounts) {
        return;
    }
    let ended = project.run(&["autogen", "x"]).with(2);
    assert!(
        ended.stderr.contains("No space left on device"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("hint:"), "{ended:?}");
    let names: Vec<&str> = ended.stdout.lines().collect();
    assert!(
        !names.iter().any(|name| name.starts_with(".trueup")),
        "{names:?}"
    );
    assert_eq!(
        names.iter().filter(|name| name.ends_with("_x")).count(),
        1,
        "{names:?}"
    );
    assert!(
        ended.stdout.is_empty() || !ended.stdout.contains("proved"),
        "{ended:?}"
    );
}

#[test]
fn a_read_only_checkout_can_be_checked_and_not_written_to() {
    let (_server, database) = tests::database();
    let mut project = undrafted().on(&database);
    let root = project.path().display().to_string();
    let mounts = format!("mount --bind {root} {root}; mount -o remount,ro,bind {root}; cd {root}");
    if !mounting(&mut project, &mounts) {
        return;
    }
    project.run(&["upgrade"]).done();
    project.run(&["history"]).done();
    let _ = project.run(&["check"]).with(1);
    let drafted = project.run(&["autogen", "x", "--dry-run"]).done();
    assert!(drafted.contains("ADD COLUMN active"), "{drafted}");
    project
        .run(&["autogen", "x"])
        .refused(&["Read-only file system", "migrations", "--dry-run"]);
    project.database = None;
    project
        .run(&["upgrade"])
        .refused(&["Read-only file system", ".trueup", "DATABASE_URL"]);
}

#[test]
fn a_cache_of_another_user_is_passed_over() {
    let mounts = format!("{}; chown 54321 $CACHE", small_cache(300));
    let mut project = undrafted();
    if !mounting(&mut project, &mounts) {
        return;
    }
    let said = project.run(&["autogen", "x"]).done();
    assert!(said.contains("proved"), "{said}");
}
