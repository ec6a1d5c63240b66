//! Programs that this process starts: each ends when this process does, however that ends.
//!
//! A signal handler ends them in order and waits for them. A process that is killed outright can do neither: then the kernel
//! tells a client of Postgres (Linux), whose own handler cancels its query on the server.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::postgres::scratch::live::{self, Registration};
use crate::report;

/// The timeout of a program that has next to nothing to do.
pub const AT_ONCE: Duration = Duration::from_secs(5);

/// After how long a program is named that is still being waited for.
pub(crate) const LONG: Duration = Duration::from_secs(5);

/// The grace period of a program that is told to end.
const GRACE: Duration = Duration::from_secs(5);

/// The longest pause between two looks.
const TICK: Duration = Duration::from_millis(10);

/// The first argument of this process where it is to become a program that ends with the process that started it.
const BECOME: &str = "__become";

/// The variable with the text of a service file for the program that is started.
pub(crate) const SERVICE: &str = "TRUEUP_SERVICE";

/// This process's own program, where it understands [`BECOME`].
static LAUNCHER: OnceLock<PathBuf> = OnceLock::new();

/// Becomes the program that the arguments name, where they say so; otherwise lets `client` start programs through this
/// process's own binary. To be called first of all in `main`.
pub fn become_or_launch() -> io::Result<()> {
    let mut arguments = std::env::args_os();
    let own = arguments.next();
    if arguments.next().as_deref() != Some(OsStr::new(BECOME)) {
        // Another name of the file may be that of a newer build by now.
        let itself = PathBuf::from("/proc/self/exe");
        if own.is_some() && cfg!(target_os = "linux") && itself.exists() {
            LAUNCHER.get_or_init(|| itself);
        }
        return Ok(());
    }
    let parent = arguments.next();
    let program = arguments.next().unwrap_or_default();
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
        let has = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().to_string());
        // Whoever ended before this line cannot be heard of any more.
        if has.map(OsString::from) != parent {
            return Err(io::Error::other("the process that asked for it has ended"));
        }
    }
    let _ = parent;
    let mut command = Command::new(&program);
    #[cfg(target_os = "linux")]
    if let Some(text) = std::env::var_os(SERVICE) {
        command
            .env_remove(SERVICE)
            .env("PGSERVICEFILE", service_file(&text)?);
    }
    let failed = command.args(arguments).exec();
    let doing = format!("cannot run {}: {failed}", program.to_string_lossy());
    Err(io::Error::new(failed.kind(), doing))
}

/// A file that is nowhere but in memory and that the program which this process becomes finds open.
#[cfg(target_os = "linux")]
fn service_file(text: &OsStr) -> io::Result<String> {
    use rustix::fs::{MemfdFlags, memfd_create};
    use std::os::{fd::IntoRawFd, unix::ffi::OsStrExt};

    let mut file = std::fs::File::from(memfd_create("service", MemfdFlags::empty())?);
    file.write_all(text.as_bytes())?;
    Ok(format!("/proc/self/fd/{}", file.into_raw_fd()))
}

/// True if [`SERVICE`] is heeded.
pub(crate) fn hands_services_on() -> bool {
    LAUNCHER.get().is_some()
}

/// A client of Postgres, which also ends when this process is killed outright.
pub(crate) fn client(program: &Path) -> Command {
    match LAUNCHER.get() {
        None => Command::new(program),
        Some(launcher) => {
            let mut command = Command::new(launcher);
            command
                .arg(BECOME)
                .arg(std::process::id().to_string())
                .arg(program);
            command
        }
    }
}

/// A program that runs. Whoever started it takes the pipes of its output.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
    /// Its standard input.
    pub(crate) stdin: Option<std::process::ChildStdin>,
    /// Its standard output.
    stdout: Option<std::process::ChildStdout>,
    /// Its standard error.
    stderr: Option<ChildStderr>,
    _registration: Registration,
}

#[derive(Debug)]
struct Shared {
    /// The program's name, for people.
    name: String,
    child: Mutex<Child>,
    /// True if it shares our terminal, and so our process group.
    attended: bool,
}

impl Shared {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end; `None` where it does not come in time.
    fn ended_within(&self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.child().try_wait()? {
                return Ok(Some(status));
            }
            if begun.elapsed() >= patience {
                return Ok(None);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(TICK);
        }
    }

    fn signal(&self, signal: Signal) {
        let mut child = self.child();
        // The number of a process that was waited for may be another one's.
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        let id = Pid::from_child(&child);
        // A program that is a script has children of its own, in the same group.
        let told = if self.attended {
            kill_process(id, signal)
        } else {
            kill_process_group(id, signal)
        };
        if told.is_err() {
            let _ = child.kill();
        }
    }

    /// Ends it, and waits for that.
    fn end(&self) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM);
        if let Some(status) = self.ended_within(GRACE)? {
            return Ok(status);
        }
        self.signal(Signal::KILL);
        self.child().wait()
    }
}

/// Starts a program, in a process group of its own so that Ctrl-C is ours to act on. If this process is told to end meanwhile,
/// the program ends first, and then `so` reports the outcome.
pub(crate) fn start(
    command: &mut Command,
    name: &str,
    so: impl FnOnce(ExitStatus) -> Option<String> + Send + 'static,
) -> io::Result<Running> {
    begin(command.process_group(0), name, false, so)
}

/// Runs a program that talks with the user itself.
pub fn attend(mut command: Command, name: &str) -> io::Result<ExitStatus> {
    let running = begin(&mut command, name, true, |_| None)?;
    while !running.has_ended()? {
        thread::sleep(TICK);
    }
    running.shared.child().wait()
}

fn begin(
    command: &mut Command,
    name: &str,
    attended: bool,
    so: impl FnOnce(ExitStatus) -> Option<String> + Send + 'static,
) -> io::Result<Running> {
    let mut started = None;
    let registration = live::register_started(|| -> io::Result<_> {
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            child: Mutex::new(child),
            attended,
        });
        started = Some((Arc::clone(&shared), pipes));
        Ok(move || shared.end().ok().and_then(so))
    })?;
    let (shared, (stdin, stdout, stderr)) =
        started.ok_or_else(|| io::Error::other("it was not started"))?;
    Ok(Running {
        shared,
        stdin,
        stdout,
        stderr,
        _registration: registration,
    })
}

impl Running {
    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.shared.child().id()
    }

    /// True if it has ended.
    pub(crate) fn has_ended(&self) -> io::Result<bool> {
        Ok(self.shared.child().try_wait()?.is_some())
    }

    /// Ends it, and waits for that.
    pub(crate) fn end(&self) -> io::Result<ExitStatus> {
        self.shared.end()
    }

    /// Leaves it to whoever ends it in another way.
    pub(crate) fn into_child(self) -> Child {
        let Self {
            shared,
            _registration: registration,
            ..
        } = self;
        drop(registration);
        let mut shared = shared;
        loop {
            match Arc::try_unwrap(shared) {
                Ok(Shared { child, .. }) => {
                    return child.into_inner().unwrap_or_else(PoisonError::into_inner);
                }
                // A signal handler has it, and then ends this process.
                Err(held) => shared = held,
            }
            thread::sleep(TICK);
        }
    }

    /// Takes its standard error.
    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.stderr.take()
    }

    /// Waits for its end; a program that takes long is named. One that takes longer than it may is ended, and that is an error.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> io::Result<ExitStatus> {
        let patience = patience.unwrap_or(Duration::MAX);
        if let Some(status) = self.shared.ended_within(patience.min(LONG))? {
            return Ok(status);
        }
        if patience > LONG {
            let (name, number) = (&self.shared.name, self.id());
            report::Output::default().note(format!(
                "waiting for {name} (process {number}), which has run for more than {} s",
                LONG.as_secs()
            ));
            if let Some(status) = self.shared.ended_within(patience.saturating_sub(LONG))? {
                return Ok(status);
            }
        }
        self.shared.end()?;
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it did not answer within {} s", patience.as_secs_f32()),
        ))
    }

    /// Waits for its end, and for all that it writes.
    fn wait_with_output(mut self, patience: Option<Duration>) -> io::Result<Output> {
        let stdout = read_all(self.stdout.take());
        let stderr = read_all(self.stderr.take());
        // Whatever holds the pipes of one that hangs open is not waited for.
        let status = self.wait(patience)?;
        let joined = |reader: thread::JoinHandle<io::Result<Vec<u8>>>| {
            let read = reader.join();
            read.unwrap_or_else(|_| Err(io::Error::other("what it writes could not be read")))
        };
        Ok(Output {
            status,
            stdout: joined(stdout)?,
            stderr: joined(stderr)?,
        })
    }
}

fn read_all(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    })
}

/// Runs a program to its end and returns its output. If it takes longer than `patience`, it is ended with an error; without
/// `patience`, it is only named.
pub fn output(
    mut command: Command,
    name: &str,
    input: Option<&str>,
    patience: Option<Duration>,
) -> io::Result<Output> {
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = start(&mut command, name, |_| None)?;
    let writer = running.stdin.take().zip(input.map(str::to_owned));
    // A program that stops reading says why when it ends, and that is worth more than that the pipe broke.
    let writer = writer.map(|(mut stdin, text)| {
        thread::spawn(move || {
            let _ = stdin.write_all(text.as_bytes());
        })
    });
    let output = running.wait_with_output(patience);
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    output
}

/// The end of a program, in words: its output on stderr, else its exit code or signal.
pub(crate) fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let killed = std::os::unix::process::ExitStatusExt::signal(&output.status).is_some();
    match (said.is_empty(), killed) {
        (true, _) => output.status.to_string(),
        (false, true) => format!("{said} ({})", output.status),
        (false, false) => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_a_program_reads_and_writes_is_passed_on() {
        let long = "x".repeat(300_000);
        let output =
            output(shell("cat; echo bad >&2; exit 3"), "sh", Some(&long), None).expect("it runs");
        assert_eq!(output.stdout, long.as_bytes());
        assert_eq!(
            (said(&output).as_str(), output.status.code()),
            ("bad", Some(3))
        );
    }

    #[test]
    fn a_program_that_stops_reading_is_waited_for() {
        let long = "x".repeat(300_000);
        let output = output(shell("exit 1"), "sh", Some(&long), None).expect("it runs");
        assert_eq!(said(&output), "exit status: 1");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let begun = Instant::now();
        let patience = Some(Duration::from_millis(100));
        let script = "trap '' TERM; sleep 1000 & echo $! >&2; wait";
        let error = output(shell("sleep 1000; true"), "sh", None, patience).expect_err("it hangs");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = output(shell(script), "sh", None, patience).expect_err("it hangs");
        assert!(error.to_string().contains("did not answer"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_signal_is_named() {
        let output = output(shell("kill -9 $$"), "sh", None, None).expect("it runs");
        assert!(said(&output).contains("signal: 9"), "{}", said(&output));
    }
}
