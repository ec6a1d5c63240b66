//! Starting and ending one Postgres server on one cluster.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::account::{Account, command};
use crate::files;
use crate::postgres::binaries::Server;
use crate::postgres::children;
use crate::report::Output;

/// The longest time that a server may take to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// After how long one is named that is still being waited for.
const LONG: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(2);

/// The port that names the socket; it is a file in a private folder, so it can be the same for all.
pub(crate) const PORT: u16 = 5432;

/// The parameters of a cluster's start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Launch<'a> {
    pub(crate) server: &'a Server,
    pub(crate) account: Option<Account>,
    pub(crate) data: &'a Path,
    pub(crate) socket: &'a Path,
    pub(crate) settings: &'a [&'a str],
}

/// Why a server did not start.
#[derive(Debug)]
pub(crate) enum NotStarted {
    Io(io::Error),
    /// It ended, having written this.
    Ended(String),
    Slow,
}

impl From<io::Error> for NotStarted {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Starts a server and waits until it takes connections.
pub(crate) fn start(launch: Launch<'_>) -> Result<Child, NotStarted> {
    let log = launch.data.with_extension("log");
    let output = new_log(&log)?;
    // The number in a file that a killed server left may be another process' by now, and then Postgres would not start. The
    // file of one that is on its way stays: it keeps a second server off the cluster.
    if !is_running(launch.data) {
        remove_if_there(&launch.data.join("postmaster.pid"))?;
    }
    let mut postgres = command(&launch.server.folder.join("postgres"), launch.account);
    postgres
        .arg("-D")
        .arg(launch.data)
        .arg("-k")
        .arg(launch.socket)
        .args(["-h", "", "-p", &PORT.to_string()]);
    for setting in launch.settings {
        postgres.args(["-c", setting]);
    }
    postgres.stdout(output.try_clone()?).stderr(output);
    let program = launch.server.folder.join("postgres").display().to_string();
    let starting = children::start(&mut postgres, &program, |_| None)?;
    let begun = Instant::now();
    let mut named = false;
    while !is_ready(launch.data) {
        if !named && begun.elapsed() > LONG {
            named = true;
            Output::default().note(format!(
                "waiting for {program} (process {}) to take connections; its log is {}",
                starting.id(),
                log.display()
            ));
        }
        if starting.has_ended()? {
            return Err(NotStarted::Ended(fs::read_to_string(&log)?));
        }
        if begun.elapsed() > PATIENCE {
            let _ = starting.end();
            return Err(NotStarted::Slow);
        }
        std::thread::sleep(TICK);
    }
    // From here on it ends as a server does.
    Ok(starting.into_child())
}

/// A server's log has statements with all their values, so nobody else may read it. A file of its name may have come with a
/// checkout, and may be a link to another file.
fn new_log(path: &Path) -> io::Result<File> {
    remove_if_there(path)?;
    File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// Waits for a server that somebody else started to take connections.
pub(crate) fn wait(data: &Path) -> Result<(), NotStarted> {
    let begun = Instant::now();
    while !is_ready(data) {
        if !is_running(data) {
            let log = data.with_extension("log");
            return Err(NotStarted::Ended(files::read(&log).unwrap_or_default()));
        }
        if begun.elapsed() > PATIENCE {
            return Err(NotStarted::Slow);
        }
        std::thread::sleep(TICK);
    }
    Ok(())
}

/// True if the server on this cluster takes connections, which the eighth line of its pid file says.
pub(crate) fn is_ready(data: &Path) -> bool {
    let text = files::read(&data.join("postmaster.pid")).unwrap_or_default();
    text.lines()
        .nth(7)
        .is_some_and(|status| status.starts_with("ready"))
}

/// True if a server runs on this cluster.
pub(crate) fn is_running(data: &Path) -> bool {
    running(data).is_some()
}

/// Ends a server without letting it write anything more: for clusters that are thrown away.
pub(crate) fn kill(data: &Path) {
    if let Some(pid) = running(data) {
        let _ = kill_process(pid, Signal::QUIT);
        if !is_gone_within(data, Duration::from_secs(5)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Ends a server in good order: sessions are cut off, everything is written. Says whether it has ended.
pub(crate) fn stop(data: &Path) -> bool {
    if let Some(pid) = running(data) {
        let _ = kill_process(pid, Signal::INT);
        return is_gone_within(data, PATIENCE);
    }
    true
}

/// The last thing that a server does is to remove its pid file; its process may stay on until its parent looks.
fn is_gone_within(data: &Path, patience: Duration) -> bool {
    let begun = Instant::now();
    while running(data).is_some() {
        if begun.elapsed() > patience {
            return false;
        }
        std::thread::sleep(TICK);
    }
    true
}

/// The server of this cluster, if the process of that number is indeed it and no later one that got its number.
fn running(data: &Path) -> Option<Pid> {
    let text = files::read(&data.join("postmaster.pid")).ok()?;
    let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
    test_kill_process(pid).ok()?;
    let number = pid.as_raw_nonzero();
    let works_here = match fs::read_link(format!("/proc/{number}/cwd")) {
        Ok(folder) => Some(folder) == fs::canonicalize(data).ok(),
        // Of a process that has ended and was not waited for, nothing can be read.
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => {
            let mut ps = std::process::Command::new("ps");
            ps.args(["-o", "command=", "-p", &number.to_string()]);
            let ps = children::output(ps, "ps", None, Some(children::AT_ONCE)).ok()?;
            String::from_utf8_lossy(&ps.stdout).contains(&*data.to_string_lossy())
        }
    };
    works_here.then_some(pid)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
