//! What is not as it should be around a command: it is killed, its server goes away, its disk is full or another's. Whatever
//! happens, nothing is half done, what is said is true, and the next run works.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use generator::{agreement, migration, scratch::Database};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tests::checkout::{Checkout, Ended, Running, until};

/// What takes one of the shipped columns away, so that there is something to draft.
const DROP: (&str, &str, &str) = (
    "2030-01-01-000000_drop",
    "ALTER TABLE users DROP COLUMN active;",
    "ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL;",
);

fn checkout() -> Checkout {
    Checkout::new(env!("CARGO_BIN_EXE_shipped"))
}

/// A project in which `autogen` has something to write.
fn undrafted() -> Checkout {
    let project = checkout().shipped();
    project.migration(DROP.0, DROP.1, DROP.2);
    project
}

/// Moments in the life of a command, as parts of the whole: the same each time, and nowhere in particular.
fn moments(number: u32) -> impl Iterator<Item = f64> {
    let mut state = 1_u64;
    (0..number).map(move |at| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(99);
        let jitter = f64::from(u32::try_from(state >> 32).unwrap_or(0)) / f64::from(u32::MAX);
        (f64::from(at) + jitter) / f64::from(number)
    })
}

fn took(project: &Checkout, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    project.run(arguments).done();
    begun.elapsed()
}

/// The folders below which servers of ours run.
fn runs() -> Vec<PathBuf> {
    let agreements = agreement::folder().expect("a cache");
    let cache = agreements.parent().expect("a cache").join("run");
    let memory = format!("/dev/shm/trueup-{}/run", geteuid().as_raw());
    vec![cache, memory.into()]
}

/// The folders of the servers that a process started.
fn servers_of(process: u32) -> Vec<PathBuf> {
    let folders = runs().into_iter().flat_map(fs::read_dir).flatten();
    let paths = folders.filter_map(|entry| Some(entry.ok()?.path()));
    let ours = format!("{process}-");
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(&ours)
    };
    paths.filter(is_ours).collect()
}

/// Insists that nothing is left of what these processes started.
fn swept(processes: &[u32]) {
    for process in processes {
        assert_eq!(servers_of(*process), Vec::<PathBuf>::new());
        let part = format!("/run/{process}-");
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let folder = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            assert!(
                !folder.to_string_lossy().contains(&part),
                "{} still runs in {}",
                entry.path().display(),
                folder.display()
            );
        }
    }
}

/// The migrations, of which each must be whole.
fn whole(project: &Checkout) -> usize {
    // Whoever reads the folder finishes what was begun.
    project.run(&["history"]).done();
    let all = migration::read(&project.path().join("migrations")).expect("whole migrations");
    for one in &all {
        let down = one.down.as_deref().unwrap_or_default();
        assert!(one.up.ends_with(['\n', ';']) && !down.is_empty(), "{one:?}");
    }
    all.len()
}

/// Insists that a command did what it should, or failed and said so. Says which.
fn done_or_refused(ended: Ended, words: &[&str]) -> bool {
    if ended.code == Some(0) {
        return true;
    }
    let said = ended.refused(words);
    assert!(
        said.contains("error:") && !said.contains("panicked"),
        "{said}"
    );
    false
}

fn holds(database: &Database, condition: &str) -> bool {
    tests::holds(&mut database.connect().expect("a connection"), condition)
}

fn kill(file: &Path, signal: Signal) {
    let text = fs::read_to_string(file).expect("a pid file");
    let pid = text.lines().next().and_then(|line| line.parse().ok());
    let pid = pid.and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, signal).expect("a process");
}

/// The pid file of the server that a command has started by now.
fn pid_file(command: &Running) -> Option<PathBuf> {
    let servers = servers_of(command.id()).into_iter();
    let mut files = servers.map(|folder| folder.join("data/postmaster.pid"));
    files.find(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("ready")))
}

#[test]
fn an_autogen_killed_at_any_moment_writes_all_or_nothing() {
    let project = undrafted();
    let took = took(&project, &["autogen", "x", "--dry-run"]);
    let before = whole(&project);
    let mut killed = Vec::new();
    for moment in moments(8) {
        let autogen = project.start(&["autogen", "x"]);
        killed.push(autogen.id());
        thread::sleep(took.mul_f64(moment));
        autogen.kill();
        if whole(&project) > before {
            fs::remove_dir_all(project.newest()).expect("removed");
        }
    }
    project.run(&["autogen", "x"]).done();
    assert_eq!(whole(&project), before + 1);
    assert!(project.folders().iter().all(|name| !name.starts_with('.')));
    project.run(&["check"]).done();
    swept(&killed);
}

/// Steps that show whether they were cut in two, and an index that no transaction can hold.
fn steps(project: &Checkout) {
    for number in 1..=4 {
        let up = format!(
            "CREATE TABLE a{number} (n int); SELECT pg_sleep(0.02); CREATE TABLE b{number} ();"
        );
        let down = format!("DROP TABLE a{number}; DROP TABLE b{number};");
        project.migration(&format!("2030-01-0{number}-000000_step"), &up, &down);
    }
    let index = "2030-01-05-000000_index";
    project.migration(
        index,
        "CREATE INDEX CONCURRENTLY late ON a1 (n);",
        "DROP INDEX CONCURRENTLY late;",
    );
    let _ = project.file(
        &format!("migrations/{index}/metadata.toml"),
        "run_in_transaction = false\n",
    );
}

/// Every step is there as a whole and recorded, or neither; what is recorded comes before what is not. The index may be
/// there unrecorded: the next run looks at it.
const AT_A_BOUNDARY: &str = "(
    SELECT bool_and((to_regclass('a' || n) IS NULL) = (to_regclass('b' || n) IS NULL)
                    AND (to_regclass('a' || n) IS NOT NULL) = (version IS NOT NULL))
           AND count(version) = COALESCE(max(n) FILTER (WHERE version IS NOT NULL), 0)
    FROM generate_series(1, 4) n LEFT JOIN __diesel_schema_migrations ON version = '2030010' || n || '000000')
    AND (to_regclass('late') IS NOT NULL
         OR NOT EXISTS (SELECT FROM __diesel_schema_migrations WHERE version = '20300105000000'))";

const AT_THE_END: &str =
    "(SELECT bool_and(indisvalid) FROM pg_index) AND to_regclass('late') IS NOT NULL
    AND (SELECT count(*) = 5 FROM __diesel_schema_migrations WHERE version LIKE '2030%')";

const NO_ONE: &str = "NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'trueup' AND pid <> pg_backend_pid())";

#[test]
fn an_upgrade_killed_at_any_moment_stops_between_migrations() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    steps(&project);
    let took = took(&project, &["upgrade"]);
    for moment in moments(8) {
        project.run(&["downgrade", "base"]).done();
        let upgrade = project.start(&["upgrade"]);
        thread::sleep(took.mul_f64(moment));
        upgrade.kill();
        until("its session is gone", || holds(&database, NO_ONE));
        assert!(holds(&database, AT_A_BOUNDARY), "at {moment}");
        project.run(&["upgrade"]).done();
        assert!(holds(&database, AT_THE_END), "at {moment}");
    }
}

#[test]
fn an_upgrade_of_the_embedded_database_killed_at_any_moment_can_be_run_again() {
    let project = checkout();
    steps(&project);
    let took = took(&project, &["upgrade"]);
    for moment in moments(4) {
        project.run(&["downgrade", "base"]).done();
        let upgrade = project.start(&["upgrade"]);
        thread::sleep(took.mul_f64(moment));
        upgrade.kill();
        project.run(&["upgrade"]).done();
        project.run(&["status"]).done();
    }
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
}

#[test]
fn a_first_run_that_is_killed_leaves_an_embedded_database_that_works() {
    let project = checkout();
    steps(&project);
    for moment in moments(3) {
        let upgrade = project.start(&["upgrade"]);
        thread::sleep(Duration::from_millis(400).mul_f64(moment));
        upgrade.kill();
    }
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    assert!(!project.path().join(".trueup/data/postmaster.pid").exists());
}

#[test]
fn a_scratch_that_is_killed_is_an_error_and_no_migration() {
    let project = undrafted();
    let took = took(&project, &["autogen", "x", "--dry-run"]);
    let before = whole(&project);
    let mut refused = 0;
    let mut started = Vec::new();
    for moment in moments(6) {
        let autogen = project.start(&["autogen", "x"]);
        started.push(autogen.id());
        until("its scratch is there", || pid_file(&autogen).is_some());
        let pid_file = pid_file(&autogen).expect("a server");
        thread::sleep(took.mul_f64(moment / 2.0));
        if pid_file.exists() {
            kill(&pid_file, Signal::KILL);
        }
        if done_or_refused(autogen.end(), &["the scratch server"]) {
            fs::remove_dir_all(project.newest()).expect("removed");
        } else {
            refused += 1;
        }
        assert_eq!(whole(&project), before);
    }
    assert!(refused > 0);
    project.run(&["autogen", "x"]).done();
    swept(&started);
}

/// The server ends in the middle of a migration that is replayed: that is no fault of the migration's.
#[test]
fn a_scratch_that_ends_in_a_replay_is_called_so() {
    for whom in ["$PPID", "$(head -n 1 postmaster.pid)"] {
        let project = checkout().shipped();
        let up = format!("COPY (SELECT 1) TO PROGRAM 'kill -9 {whom}'; SELECT pg_sleep(60);");
        project.migration("2030-01-01-000000_end", &up, "SELECT 1;");
        for command in [&["autogen", "x"][..], &["check"]] {
            let said = project
                .run(command)
                .refused(&["error:", "the scratch server", "hint:"]);
            assert!(!said.contains("mend that migration"), "{said}");
        }
    }
}

#[test]
fn a_live_server_that_goes_away_is_named() {
    let project = undrafted();
    let before = whole(&project);
    let (_server, database) = tests::database();
    let took = {
        let project = undrafted().on(&database);
        project.run(&["upgrade"]).done();
        took(&project, &["autogen", "x", "--dry-run"])
    };
    drop(database);
    for command in [
        &["autogen", "x"][..],
        &["check"],
        &["diff", "--from", "database", "--to", "models"],
    ] {
        for moment in moments(3) {
            let (_server, database) = tests::database();
            let mut project = undrafted().on(&database);
            project.run(&["upgrade"]).done();
            let url = project.database.take().expect("a URL");
            let folder = url_folder(&url);
            project.database = Some(url);
            let running = project.start(command);
            thread::sleep(took.mul_f64(moment / 2.0));
            kill(&folder.join("data/postmaster.pid"), Signal::QUIT);
            let ended = running.end();
            let differs = ended.code == Some(1) && command[0] != "autogen";
            if !differs && !done_or_refused(ended, &["postgres://postgres@"]) {
                assert_eq!(whole(&project), before);
            }
        }
    }
}

/// Where the server is whose socket a URL names.
fn url_folder(url: &str) -> PathBuf {
    let socket = url.split("host=").nth(1).expect("a socket");
    let socket = socket
        .split('&')
        .next()
        .unwrap_or_default()
        .replace("%2F", "/");
    Path::new(&socket).parent().expect("a folder").to_owned()
}

/// Has the project's commands run by a script that makes mounts which nobody else sees; `false`, said aloud, where this user
/// may not mount.
fn mounting(project: &mut Checkout, script: &str) -> bool {
    let may = geteuid().is_root()
        && Command::new("unshare")
            .args(["--mount", "true"])
            .status()
            .is_ok_and(|status| status.success());
    if !may {
        let name = thread::current().name().unwrap_or_default().to_owned();
        // Past the test harness, which shows nothing of a test that passes.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: {name}: it has to mount, and this user may not"
        );
        return false;
    }
    let script = format!("set -e; {script}; exec \"$0\" \"$@\"");
    let by = ["unshare", "--mount", "sh", "-c", &script];
    project.by = by.map(str::to_owned).to_vec();
    true
}

/// An empty cache of so many megabytes, which is all the room that there is.
fn small_cache(megabytes: u32) -> String {
    let cache = agreement::folder().expect("a cache");
    let cache = cache.parent().expect("a cache").display().to_string();
    format!(
        "CACHE={cache}; mount -t tmpfs -o size={megabytes}m,mode=711 tmpfs $CACHE; \
         mount -t tmpfs -o size=16m,mode=1777 tmpfs /dev/shm"
    )
}

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
        // What the first run left of its cluster does not disturb the second.
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
fn a_cache_of_another_user_is_refused_by_name() {
    let mounts = format!("{}; chown 54321 $CACHE", small_cache(300));
    let mut project = undrafted();
    if !mounting(&mut project, &mounts) {
        return;
    }
    let said = project.run(&["autogen", "x"]).refused(&[
        "it belongs to another user",
        "see who owns",
        "trueup-",
    ]);
    assert!(said.contains("/var/tmp/trueup-"), "{said}");
}

#[test]
fn a_pristine_cluster_that_is_broken_is_made_anew() {
    let breaks = [
        "echo nonsense > $cluster/postgresql.conf",
        "rm $cluster/PG_VERSION",
        "rm -r $cluster/base",
        ": > $cluster/global/pg_control",
    ];
    for broken in breaks {
        let mounts = format!(
            "{}; \"$0\" \"$@\" >/dev/null; cluster=$(echo $CACHE/pristine-*); {broken}; ls -d $CACHE/pristine-* >&2",
            small_cache(400)
        );
        let mut project = undrafted();
        if !mounting(&mut project, &mounts) {
            return;
        }
        let said = project.run(&["autogen", "x", "--dry-run"]).done();
        assert!(said.contains("ADD COLUMN active"), "{broken}: {said}");
    }
}

#[test]
fn an_embedded_database_that_does_not_start_says_where_and_why() {
    let project = undrafted();
    project.run(&["upgrade"]).done();
    let settings = project.path().join(".trueup/data/postgresql.conf");
    let good = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, format!("{good}\nwork_mem = 'much'\n")).expect("settings");
    project
        .run(&["status"])
        .refused(&["does not start", "work_mem", ".trueup/data", "hint:"]);
    fs::write(&settings, good).expect("settings");
    project.run(&["current"]).done();
}

#[test]
fn a_user_whose_statements_may_take_no_time_can_check_and_draft() {
    let (_server, database) = tests::database();
    let project = undrafted().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "ALTER ROLE postgres SET statement_timeout = '2ms'; ALTER ROLE postgres SET idle_in_transaction_session_timeout = '2ms'",
    );
    let _ = project.run(&["check"]).with(1);
    let _ = project
        .run(&["diff", "--from", "database", "--to", "models"])
        .with(1);
    let _ = project.run(&["autogen", "x"]).done();
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
}

/// A user who may connect, and nothing else: not even use a namespace.
fn reader(project: &Checkout, database: &Database) -> Checkout {
    tests::run(
        database,
        "CREATE ROLE reader LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC;",
    );
    let url = database.url().to_string().replace("postgres@", "reader@");
    let mut theirs = checkout();
    for name in project.folders() {
        let folder = project.path().join("migrations").join(&name);
        let read = |file| fs::read_to_string(folder.join(file)).expect("a file");
        theirs.migration(&name, &read("up.sql"), &read("down.sql"));
    }
    theirs.database = Some(url);
    theirs
}

#[test]
fn whoever_may_read_the_catalog_can_check_and_compare() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let theirs = reader(&project, &database);

    let clean = theirs.run(&["check"]).with(0);
    assert!(
        clean.stdout.contains("migrations and database  in sync"),
        "{clean:?}"
    );
    assert!(
        clean
            .stderr
            .contains("reader may not read __diesel_schema_migrations"),
        "{clean:?}"
    );
    for arguments in [
        ["diff", "--from", "database", "--to", "migrations"],
        ["diff", "--from", "migrations", "--to", "database"],
        ["diff", "--from", "database", "--to", "models"],
    ] {
        let same = theirs.run(&arguments).done();
        assert_eq!(same, "");
    }

    tests::run(
        &database,
        "ALTER TABLE users DROP COLUMN active; CREATE TABLE quick (a int)",
    );
    let drift = theirs.run(&["check"]).with(1);
    for what in ["column public.users.active", "table public.quick"] {
        assert!(drift.stdout.contains(what), "{drift:?}");
    }
    let ended = theirs
        .run(&["diff", "--from", "database", "--to", "migrations"])
        .with(1);
    assert!(ended.stdout.contains("ADD COLUMN active"), "{ended:?}");
    assert!(
        ended.stderr.contains("reader may not read public."),
        "{ended:?}"
    );

    let said = theirs.run(&["autogen", "x"]).refused(&[
        "reader may not read __diesel_schema_migrations",
        "GRANT SELECT",
    ]);
    assert!(said.contains("hint:"), "{said}");
    tests::run(
        &database,
        "GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON __diesel_schema_migrations TO reader; DROP TABLE quick;
         ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL",
    );
    theirs.migration(DROP.0, DROP.1, DROP.2);
    project.migration(DROP.0, DROP.1, DROP.2);
    project.run(&["upgrade"]).done();
    theirs.run(&["autogen", "x"]).done();
    let up = fs::read_to_string(theirs.newest().join("up.sql")).expect("a file");
    assert!(up.contains("reader may not read public."), "{up}");
}

#[test]
fn what_only_pg_dump_could_copy_asks_for_more_rights() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER TABLE users DROP COLUMN active",
    );
    let theirs = reader(&project, &database);
    let drift = theirs.run(&["check"]).with(1);
    assert!(
        drift.stdout.contains("column public.users.active"),
        "{drift:?}"
    );
    theirs
        .run(&[
            "diff",
            "--from",
            "database",
            "--to",
            "models",
            "--ignore-unread",
        ])
        .refused(&[
            "reader may not read public.",
            "GRANT pg_read_all_data TO reader",
        ]);
}
