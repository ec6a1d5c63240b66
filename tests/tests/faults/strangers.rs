//! Another user of the same machine: reads nothing of ours, stops nothing, gets into no server, and wins no race for a name.
//!
//! The tests have to be root's to become somebody else; elsewhere there is nobody to try it as.

use std::{
    fs,
    io::{self, Write},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output},
};

use generator::postgres::connection::server_version;
use rustix::process::geteuid;
use tests::checkout::Checkout;

use super::{checkout, mounting, runs, undrafted};

/// `nobody`, on every system that has one.
const STRANGER: (u32, u32) = (65_534, 65_534);

/// A secret that must be readable nowhere.
const SECRET: &str = "S3cr3tOfTheRun";

fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        let _ = writeln!(io::stderr(), "SKIPPED: only root can become another user");
    }
    is_root
}

fn as_user((uid, gid): (u32, u32), script: &str) -> Output {
    Command::new("sh")
        .args(["-c", script])
        .uid(uid)
        .gid(gid)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .expect("a shell")
}

fn as_stranger(script: &str) -> String {
    let done = as_user(STRANGER, script);
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// All that is below a folder and that the stranger may read or write, but for what says nothing.
fn open_to_others(folder: &Path) -> String {
    let folder = folder.display();
    as_stranger(&format!(
        "find {folder} ! -type d ! -name .gitignore ! -name kept -readable 2>/dev/null; find {folder} -writable 2>/dev/null"
    ))
}

/// A project with its own server, started and kept, whose environment holds a secret.
fn served() -> Checkout {
    let mut project = checkout().shipped();
    project.environment = vec![("PGPASSWORD", SECRET), ("SHOP_API_TOKEN", SECRET)];
    project.run(&["db", "start"]).done();
    project.run(&["upgrade"]).done();
    project
}

/// The folder of the project's own server.
fn place(project: &Checkout) -> PathBuf {
    let url = project.run(&["db", "url"]).done();
    let url = generator::postgres::url::Url::parse(url.trim()).expect("a URL");
    let host = url.to_string();
    let host = host
        .split("host=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let socket = host
        .expect("a socket")
        .replace("%2F", "/")
        .replace("%2f", "/");
    Path::new(&socket).parent().expect("a folder").to_owned()
}

#[test]
fn a_stranger_reads_nothing_and_gets_into_no_server() {
    if !is_root() {
        return;
    }
    let project = served();
    let place = place(&project);
    assert_eq!(open_to_others(&place), "", "{}", place.display());
    for name in ["data", "socket"] {
        let mode = fs::metadata(place.join(name)).expect("a folder").mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    let mode = fs::metadata(place.join("data.log")).expect("a log").mode();
    assert_eq!(mode & 0o777, 0o600);
    // A connection needs the socket, and its folder lets nobody in.
    let socket = place.join("socket");
    let entered = as_user(
        STRANGER,
        &format!(
            "psql -h {} -U postgres -d trueup -c 'SELECT 1'",
            socket.display()
        ),
    );
    assert!(!entered.status.success(), "{entered:?}");
    assert!(
        String::from_utf8_lossy(&entered.stderr).contains("Permission denied"),
        "{entered:?}"
    );

    // The server runs as a user of its own, who can read its environment.
    let pid = fs::read_to_string(place.join("data/postmaster.pid")).expect("a number");
    let pid = pid.lines().next().expect("a number");
    let owner = fs::metadata(format!("/proc/{pid}")).expect("a process");
    let owner = (owner.uid(), owner.gid());
    let environment = as_user(owner, &format!("cat /proc/{pid}/environ | tr '\\0' '\\n'"));
    let environment = String::from_utf8_lossy(&environment.stdout).into_owned();
    assert!(environment.contains("PATH="), "{environment}");
    for word in [SECRET, "PGPASSWORD", "DATABASE_URL", "TOKEN"] {
        assert!(!environment.contains(word), "{environment}");
    }
    let killed = as_user(STRANGER, &format!("kill -TERM {pid}"));
    assert!(!killed.status.success());
    project.run(&["db", "stop"]).done();
}

#[test]
fn a_stranger_holds_no_lock_of_ours() {
    if !is_root() {
        return;
    }
    let project = undrafted();
    // Whatever is made on first use is there.
    project.run(&["check", "--offline"]).with(1);
    project.run(&["autogen", "x"]).done();
    let own = served();
    let mut folders = vec![
        project.path().to_owned(),
        own.path().to_owned(),
        place(&own),
    ];
    folders.extend(
        runs()
            .iter()
            .filter_map(|run| run.parent())
            .map(Path::to_owned),
    );
    let held: Vec<String> = folders
        .iter()
        .map(|folder| {
            // A lock needs no more than the right to open the file.
            as_stranger(&format!(
                "find {} -maxdepth 3 \\( -name gate -o -name users -o -name '*.lock' -o -name '.diesel_lock' \\) 2>/dev/null |
                 while read f; do flock -n -x \"$f\" true 2>/dev/null && echo \"$f\"; done",
                folder.display()
            ))
        })
        .collect();
    assert_eq!(held.concat(), "");
    let gates = folders.iter().filter(|folder| folder.join("gate").exists());
    assert!(gates.count() >= 2, "{folders:?}");
    own.run(&["db", "stop"]).done();
}

#[test]
fn a_backup_and_its_folder_are_for_nobody_else() {
    if !is_root() {
        return;
    }
    let project = served();
    project.run(&["backup"]).done();
    let folder = project.path().join("backups");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let dumps: Vec<_> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "dump"))
        .collect();
    assert_eq!(dumps.len(), 1);
    assert_eq!(mode(&dumps[0]), 0o600);
    assert_eq!(open_to_others(&folder), "");
    project.run(&["db", "stop"]).done();
}

#[test]
fn a_secret_is_in_no_argument_and_in_no_environment_of_a_stranger() {
    if !is_root() {
        return;
    }
    let (_server, database) = tests::database();
    let mut project = checkout().shipped().on(&database);
    project.run(&["upgrade"]).done();
    let url = database
        .url()
        .to_string()
        .replace("postgres@", &format!("postgres:{SECRET}@"))
        + "&sslpassword=K3yS3cret%21";
    project.database = Some(url.clone());
    // Postgres' own programs find what is not in the arguments.
    project.run(&["backup", "first.dump"]).done();
    // In place of pg_dump, a program that shows what it was started with.
    let seen = project.path().join("seen");
    let mut connection = database.connect().expect("a connection");
    let major = server_version(&mut connection).expect("a version") / 10_000;
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--version*) echo 'pg_dump (PostgreSQL) {major}.0'; exit;; esac\n\
         {{ tr '\\0' '\\n' < /proc/$$/cmdline; echo --; env; echo --; cat \"$PGSERVICEFILE\"; }} > {}\nexit 1\n",
        seen.display()
    );
    project.program("pg_dump", &script);
    project
        .environment
        .push(("SHOP_API_TOKEN", "An0therS3cret"));
    let said = project.run(&["backup"]).with(2);
    let seen = fs::read_to_string(&seen).expect("it was started");
    let (arguments, rest) = seen.split_once("\n--\n").expect("three parts");
    let (environment, service) = rest.split_once("\n--\n").expect("three parts");
    for secret in [SECRET, "K3yS3cret"] {
        assert!(!arguments.contains(secret), "{arguments}");
    }
    assert!(arguments.contains("service=trueup"), "{arguments}");
    assert_eq!(service, "[trueup]\nsslpassword=K3yS3cret!\n");
    assert!(
        environment.contains(&format!("PGPASSWORD={SECRET}")),
        "{environment}"
    );
    for word in ["DATABASE_URL", "An0therS3cret", "TRUEUP_"] {
        assert!(!environment.contains(word), "{environment}");
    }
    assert!(!format!("{said:?}").contains(SECRET), "{said:?}");
}

#[test]
fn a_stranger_who_took_the_names_first_stops_nobody() {
    let mut project = undrafted();
    let taken = "mount -t tmpfs -o mode=1777 tmpfs /dev/shm; mount -t tmpfs -o mode=1777 tmpfs /var/tmp; \
                 mount -t tmpfs -o mode=755 tmpfs /var/cache; \
                 setpriv --reuid=65534 --regid=65534 --clear-groups mkdir /dev/shm/trueup-0 /var/tmp/trueup-0";
    if !mounting(&mut project, taken) {
        return;
    }
    project.run(&["autogen", "x"]).done();
}

#[test]
fn links_that_came_with_a_checkout_are_not_followed() {
    let project = checkout().shipped();
    let outside = tempfile::tempdir().expect("a folder");
    let precious = outside.path().join("precious");
    fs::write(&precious, "mine").expect("a file");
    let planted = outside.path().join("planted");
    let own = project.path().join(".trueup");
    fs::create_dir(&own).expect("a folder");
    symlink(&precious, own.join("data.log")).expect("a link");
    project.run(&["db", "start"]).done();
    project.run(&["db", "stop"]).done();
    assert_eq!(fs::read_to_string(&precious).expect("a file"), "mine");
    for name in ["gate", "users"] {
        let _ = fs::remove_file(own.join(name));
        symlink(&planted, own.join(name)).expect("a link");
        project
            .run(&["db", "start"])
            .refused(&[&own.display().to_string()]);
        fs::remove_file(own.join(name)).expect("the link");
    }
    symlink(&planted, project.path().join("migrations/.diesel_lock")).expect("a link");
    project.run(&["new", "more"]).refused(&[".diesel_lock"]);
    assert!(!planted.exists());
}

#[test]
fn what_a_server_of_ours_notes_does_not_go_through_a_link() {
    let project = checkout().shipped();
    let outside = tempfile::tempdir().expect("a folder");
    let precious = outside.path().join("precious");
    fs::write(&precious, "mine").expect("a file");
    let own = project.path().join(".trueup");
    fs::create_dir(&own).expect("a folder");
    for name in ["kept", "postgres-is-elsewhere.txt", ".gitignore"] {
        symlink(&precious, own.join(name)).expect("a link");
    }
    project.run(&["db", "start"]).done();
    project.run(&["db", "stop"]).done();
    assert_eq!(fs::read_to_string(&precious).expect("a file"), "mine");

    // A cluster behind a link is another project's, and nobody is asked before all of it is lost.
    let other = checkout().shipped();
    other.run(&["upgrade"]).done();
    let theirs = other.path().join(".trueup");
    fs::remove_dir_all(&own).expect("a folder");
    symlink(&theirs, &own).expect("a link");
    for command in [&["db", "reset", "--yes"][..], &["db", "stop"], &["current"]] {
        if theirs.join("data").exists() {
            project.run(command).refused(&[".trueup is a link"]);
        }
    }
    fs::remove_file(&own).expect("the link");
    fs::create_dir(&own).expect("a folder");
    symlink(theirs.join("data"), own.join("data")).expect("a link");
    project
        .run(&["db", "drop", "--yes"])
        .refused(&[".trueup/data is a link"]);
    assert!(other.run(&["status"]).done().contains("in order"));
}

#[test]
fn backups_go_into_a_folder_of_the_project_and_through_no_link() {
    let project = checkout().shipped();
    let outside = tempfile::tempdir().expect("a folder");
    let mode = |path: &Path| fs::metadata(path).expect("a folder").mode() & 0o777;
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(outside.path(), open).expect("a mode");
    symlink(outside.path(), project.path().join("backups")).expect("a link");
    project
        .run(&["backup"])
        .refused(&["backups is a link", "trueup backup /safe/shop.dump"]);
    assert_eq!(mode(outside.path()), 0o755);
    let left = fs::read_dir(outside.path()).expect("a folder").count();
    assert_eq!(left, 0);
    // Whoever names the file means it; and it may be called like an option.
    let named = outside.path().join("-x.dump");
    project
        .run(&["backup", &named.display().to_string()])
        .done();
    fs::copy(&named, project.path().join("-x.dump")).expect("a file");
    project.run(&["restore", "--", "-x.dump"]).done();
}

#[test]
fn a_pipe_in_the_folder_of_our_server_is_not_waited_for() {
    for name in ["PG_VERSION", "postmaster.pid"] {
        let project = checkout().shipped();
        let data = project.path().join(".trueup/data");
        fs::create_dir_all(&data).expect("a folder");
        let pipe = data.join(name);
        let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        for command in ["start", "stop"] {
            let begun = std::time::Instant::now();
            let _ = project.run(&["db", command]);
            assert!(begun.elapsed().as_secs() < 30, "{name}, {command}");
        }
    }
}

#[test]
fn git_is_told_nothing_of_the_database() {
    let mut project = checkout().shipped();
    project.pushed();
    let seen = project.path().join("seen");
    let script = format!("#!/bin/sh\nenv >> {}\nexit 1\n", seen.display());
    project.program("git", &script);
    let path = format!("{}/bin:/usr/bin:/bin", project.path().display());
    project.environment = vec![
        ("PATH", path.leak()),
        ("PGPASSWORD", SECRET),
        ("SHOP_API_TOKEN", SECRET),
        ("GIT_CONFIG_COUNT", "0"),
    ];
    project.database = Some(format!("postgres://u:{SECRET}@127.0.0.1:1/d"));
    let _ = project.file(".env", "FROM_A_FILE=S3cr3tOfTheRun\n");
    let _ = project.run(&["uncommit", "--yes", "--database-url", ""]);
    let seen = fs::read_to_string(seen).expect("git was asked");
    assert!(
        seen.contains("PATH=") && seen.contains("GIT_CONFIG_COUNT=0"),
        "{seen}"
    );
    for word in [SECRET, "PGPASSWORD", "DATABASE_URL", "FROM_A_FILE"] {
        assert!(!seen.contains(word), "{seen}");
    }
}

#[test]
fn what_another_role_plants_in_the_database_is_neither_believed_nor_run() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.migration("2030-01-01-000000_t", "CREATE TABLE t ();", "DROP TABLE t;");
    project.run(&["upgrade"]).done();
    tests::run(
        &database,
        "CREATE ROLE mallory LOGIN; CREATE SCHEMA mallory AUTHORIZATION mallory; CREATE TABLE witness ();
         SET ROLE mallory;
         CREATE FUNCTION mallory.evil() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
             EXECUTE 'DROP TABLE IF EXISTS public.witness'; RETURN '2030'; END $$;
         CREATE VIEW mallory.__trueup_journal AS SELECT mallory.evil() AS version;
         COMMENT ON VIEW mallory.__trueup_journal IS
             '[{\"version\":\"20300101000000\",\"direction\":\"down\",\"started\":\"\",\"statement\":0,\"hash\":\"\",\"was\":\"\"}]'",
    );
    let words = [
        "mallory.__trueup_journal belongs to mallory",
        "DROP VIEW mallory.__trueup_journal",
    ];
    for command in ["upgrade", "downgrade", "redo"] {
        project.run(&[command]).refused(&words);
    }
    let status = project.run(&["status"]).with(1).stdout;
    assert!(status.contains(words[0]), "{status}");
    assert!(super::holds(
        &database,
        "to_regclass('t') IS NOT NULL AND to_regclass('witness') IS NOT NULL"
    ));

    tests::run(
        &database,
        "DROP VIEW mallory.__trueup_journal; SET ROLE mallory;
         CREATE VIEW mallory.__diesel_schema_migrations AS SELECT mallory.evil() AS version",
    );
    let words = [
        "mallory.__diesel_schema_migrations is a view of mallory",
        "DROP VIEW mallory.__diesel_schema_migrations",
    ];
    for command in ["upgrade", "status", "check", "stamp"] {
        let target = if command == "stamp" {
            &["head", "--yes"][..]
        } else {
            &[]
        };
        let ended = project.run(&[&[command], target].concat()).with(2);
        assert!(
            words.iter().all(|word| ended.stderr.contains(word)),
            "{command}: {ended:?}"
        );
    }
    let doctor = project.run(&["doctor"]).with(1).stdout;
    assert!(doctor.contains(words[0]), "{doctor}");
    assert!(super::holds(
        &database,
        "to_regclass('witness') IS NOT NULL"
    ));
}

#[test]
fn a_record_that_runs_its_owners_code_is_neither_read_nor_written() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    project.migration("2030-01-01-000000_t", "CREATE TABLE t ();", "DROP TABLE t;");
    let record = "mallory.__diesel_schema_migrations";
    let plain = "(version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now())";
    tests::run(
        &database,
        "CREATE ROLE mallory LOGIN; CREATE SCHEMA mallory AUTHORIZATION mallory; CREATE TABLE witness ();
         SET ROLE mallory;
         CREATE FUNCTION mallory.evil() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
             EXECUTE 'DROP TABLE IF EXISTS public.witness'; RETURN true; END $$;
         CREATE FUNCTION mallory.sly(varchar) RETURNS varchar IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
             PERFORM mallory.evil(); RETURN $1; END $$;
         CREATE FUNCTION mallory.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             PERFORM mallory.evil(); RETURN NEW; END $$;
         CREATE DOMAIN mallory.odd AS varchar(50) CHECK (mallory.evil())",
    );
    let planted = [
        format!(
            "CREATE TABLE {record} {plain};
             CREATE TRIGGER fired BEFORE INSERT ON {record} FOR EACH ROW EXECUTE FUNCTION mallory.fired()"
        ),
        format!(
            "CREATE TABLE {record} {plain};
             CREATE RULE also AS ON INSERT TO {record} DO ALSO SELECT mallory.evil()"
        ),
        format!(
            "CREATE TABLE {record} {plain}; ALTER TABLE {record} ENABLE ROW LEVEL SECURITY;
             CREATE POLICY seen ON {record} USING (mallory.evil())"
        ),
        format!("CREATE TABLE {record} {plain}; ALTER TABLE {record} ADD CHECK (mallory.evil())"),
        format!("CREATE TABLE {record} {plain}; CREATE INDEX ON {record} (mallory.sly(version))"),
        format!(
            "CREATE TABLE {record} {plain}; CREATE INDEX ON {record} (run_on) WHERE mallory.sly(version) = 'a'"
        ),
        format!(
            "CREATE TABLE {record} (version varchar(50) PRIMARY KEY, run_on boolean DEFAULT mallory.evil())"
        ),
        format!("CREATE TABLE {record} (version mallory.odd PRIMARY KEY, run_on timestamp DEFAULT now())"),
        format!(
            "CREATE TABLE {record} (version varchar(50) NOT NULL, run_on timestamp DEFAULT now()) PARTITION BY LIST (version);
             CREATE TABLE mallory.one PARTITION OF {record} DEFAULT;
             CREATE TRIGGER fired BEFORE INSERT ON mallory.one FOR EACH ROW EXECUTE FUNCTION mallory.fired()"
        ),
        format!(
            "CREATE TABLE {record} {plain};
             CREATE TABLE mallory.one (version varchar(50) DEFAULT mallory.sly('')) INHERITS ({record})"
        ),
    ];
    let said = format!("{record} is a table of mallory");
    for sql in planted {
        tests::run(&database, &format!("SET ROLE mallory; {sql}"));
        for command in [&["upgrade"][..], &["status"], &["stamp", "head", "--yes"]] {
            let ended = project.run(command).with(2);
            assert!(
                ended.stderr.contains(&said),
                "{command:?}, {sql}: {ended:?}"
            );
            assert!(
                ended.stderr.contains(&format!("DROP TABLE {record}")),
                "{sql}: {ended:?}"
            );
        }
        assert!(
            super::holds(
                &database,
                "to_regclass('t') IS NULL AND to_regclass('witness') IS NOT NULL"
            ),
            "{sql}"
        );
        tests::run(&database, &format!("DROP TABLE {record} CASCADE"));
    }

    // A record that somebody else owns and that runs nothing is one: applications make theirs.
    tests::run(
        &database,
        &format!("SET ROLE mallory; CREATE TABLE {record} {plain}"),
    );
    project.run(&["upgrade"]).done();
    project.run(&["upgrade"]).done();
    project.run(&["downgrade", "--yes"]).done();
    assert!(super::holds(&database, "to_regclass('t') IS NULL"));
}
