//! Faults around a command: it is killed, its server goes away, its disk is full or another's. Whatever happens, nothing is
//! half done, the messages are true, and the next run works.

mod cut_off;
mod disks;
mod kills;
mod probes;
mod published;
mod redone;
mod rights;
mod servers;
mod signals;
mod strangers;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use generator::{migrations::folder, postgres::scratch::Database, prove::agreement};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tests::checkout::{Checkout, Ended, Running};

/// Drops one of the shipped columns, so that there is something to draft.
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
    let all = folder::read(&project.path().join("migrations")).expect("whole migrations");
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

/// Folder of the server whose socket a URL names.
fn url_folder(url: &str) -> PathBuf {
    let socket = url.split("host=").nth(1).expect("a socket");
    let socket = socket
        .split('&')
        .next()
        .unwrap_or_default()
        .replace("%2F", "/");
    Path::new(&socket).parent().expect("a folder").to_owned()
}
