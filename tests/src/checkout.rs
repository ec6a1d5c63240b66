//! A project's folder, and the binary run in it as a user would.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use generator::{
    migrations::folder::{self, Folder, Header, Parent},
    postgres::scratch::Database,
};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// Time limit for every wait, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);
const TICK: Duration = Duration::from_millis(5);

/// A throw-away project.
#[derive(Debug)]
pub struct Checkout {
    binary: &'static str,
    folder: TempDir,
    /// The value of `DATABASE_URL`.
    pub database: Option<String>,
    /// Further environment variables.
    pub environment: Vec<(&'static str, &'static str)>,
    /// Words in front of the binary, of a program that runs it: `unshare`, say.
    pub by: Vec<String>,
}

/// Outcome of a command.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, as the shell sees it.
    pub code: Option<i32>,
    /// The result.
    pub stdout: String,
    /// The remarks.
    pub stderr: String,
}

/// A command that runs, and is killed when this is dropped: a test that fails does not leave it behind.
#[derive(Debug)]
pub struct Running(Option<Child>);

impl Checkout {
    /// An empty project without a database, whose commands are those of `binary`.
    ///
    /// # Panics
    ///
    /// If the folder cannot be made.
    #[must_use]
    pub fn new(binary: &'static str) -> Self {
        // A server that root starts runs as another user, who has to get here.
        let open = fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(open).tempdir();
        let folder = folder.expect("a folder");
        fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").expect("a file");
        Self {
            binary,
            folder,
            database: None,
            environment: Vec::new(),
            by: Vec::new(),
        }
    }

    /// The same project with a live database.
    #[must_use]
    pub fn on(mut self, database: &Database) -> Self {
        self.database = Some(database.url().to_string());
        self
    }

    /// The same project with the migrations that ship with trueup.
    #[must_use]
    pub fn shipped(self) -> Self {
        self.migrations_in(&crate::root().join("migrations"));
        self
    }

    /// Copies the migrations in a folder.
    ///
    /// # Panics
    ///
    /// If they cannot be copied.
    pub fn migrations_in(&self, folder: &Path) {
        crate::copy_migrations(folder, &self.path().join("migrations"));
    }

    /// Its root.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a migration by hand, or over one that is there.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn migration(&self, name: &str, up: &str, down: &str) {
        let folder = self.path().join("migrations").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("up.sql"), up).expect("a file");
        fs::write(folder.join("down.sql"), down).expect("a file");
    }

    /// Writes a migration that was made on others, as its header says.
    ///
    /// # Panics
    ///
    /// If it cannot be written, or one of the others is not there.
    pub fn made_on(&self, parents: &[&str], name: &str, up: &str, down: &str) {
        let read = folder::read(&self.path().join("migrations"));
        let all = if parents.is_empty() {
            Vec::new()
        } else {
            read.expect("migrations")
        };
        let parent = |name: &&str| {
            let found = all.iter().find(|one| one.name == **name);
            Parent::of(found.expect("the parent"))
        };
        let header = Header {
            message: name.to_owned(),
            parents: parents.iter().map(parent).collect(),
            proof: vec!["by a test".to_owned()],
            ..Header::default()
        };
        let folder = Folder {
            name: name.to_owned(),
            up: up.to_owned(),
            down: Some(down.to_owned()),
            run_in_transaction: true,
        };
        self.migration(name, &folder.under(header).up, down);
    }

    /// Runs git in it.
    ///
    /// # Panics
    ///
    /// If git is not there or fails.
    pub fn git(&self, arguments: &[&str]) {
        let names = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
        let done = Command::new("git")
            .args(names)
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("git");
        assert!(done.status.success(), "{done:?}");
    }

    /// Makes it a clone of a repository that others have too, with all that is there now.
    ///
    /// # Panics
    ///
    /// If git is not there or fails.
    pub fn pushed(&self) {
        self.git(&["init", "--quiet", "--bare", ".upstream"]);
        self.git(&["init", "--quiet", "--initial-branch", "main"]);
        self.git(&["remote", "add", "origin", "./.upstream"]);
        self.git(&["add", "migrations"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "shared"]);
        self.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    }

    /// Writes a file and returns where it is.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[must_use]
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// Puts a program in place of the one of Postgres that has this name.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn program(&mut self, name: &str, script: &str) {
        let folder = self.path().join("bin");
        fs::create_dir(&folder).expect("a folder");
        let program = folder.join(name);
        fs::write(&program, script).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        self.environment = vec![("TRUEUP_PG_BIN", folder.display().to_string().leak())];
    }

    /// The names of all that is in the folder of migrations, half-written or not, but for Diesel's lock and what git
    /// ignores; the oldest first.
    #[must_use]
    pub fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path().join("migrations"));
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.into_iter().flatten().flatten().map(name).collect();
        names.retain(|name| name != ".diesel_lock" && name != ".gitignore");
        // In Diesel's order, in which no dash counts.
        let version = |name: &String| name.split('_').next().unwrap_or_default().replace('-', "");
        names.sort_by_key(version);
        names
    }

    /// The newest migration's folder.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn newest(&self) -> PathBuf {
        let names = self.folders();
        let name = names.last().expect("a migration");
        self.path().join("migrations").join(name)
    }

    /// Runs a command and waits for its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Starts a command.
    ///
    /// # Panics
    ///
    /// If the binary is not there.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        let words = self.by.iter().map(String::as_str);
        let mut words = words.chain([self.binary]).chain(arguments.iter().copied());
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        // Whoever runs the tests may have a database of their own configured.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = text.starts_with("TRUEUP_") && text != "TRUEUP_PG_BIN";
            let others = ["DATABASE_URL", "APP_ENV", "MIGRATION_DIRECTORY"];
            if ours || text.starts_with("PG") || others.contains(&&*text) {
                command.env_remove(name);
            }
        }
        command.envs(self.database.iter().map(|url| ("DATABASE_URL", url)));
        command.envs(self.environment.iter().copied());
        let started = command
            .process_group(0)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Running(Some(started.expect("the binary")))
    }
}

impl Running {
    /// Does what Ctrl-C does: all that the command has started is told too.
    ///
    /// # Panics
    ///
    /// If the command has ended already.
    pub fn interrupt(&mut self) {
        let child = self.0.as_mut().expect("a child");
        let ended = child.try_wait().expect("a child");
        assert_eq!(ended, None, "it has ended already");
        kill_process_group(Pid::from_child(child), Signal::INT).expect("a process to interrupt");
    }

    /// Sends a signal to the command alone.
    ///
    /// # Panics
    ///
    /// If the command has ended already.
    pub fn tell(&self, signal: Signal) {
        let child = self.0.as_ref().expect("a child");
        kill_process(Pid::from_child(child), signal).expect("a process");
    }

    /// The number of its process.
    ///
    /// # Panics
    ///
    /// If it was waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.as_ref().expect("a child").id()
    }

    /// Ends it without a word.
    pub fn kill(self) {
        drop(self);
    }

    /// Waits for the end.
    ///
    /// # Panics
    ///
    /// If it prints anything that is not UTF-8.
    #[must_use]
    pub fn end(mut self) -> Ended {
        let child = self.0.take().expect("a child");
        let output = child.wait_with_output().expect("a child");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[allow(
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "what they insist on is often all that is of interest"
)]
impl Ended {
    /// Insists on an exit code.
    ///
    /// # Panics
    ///
    /// If it was another one; with all that was said.
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Insists that 0 was returned and gives the result.
    pub fn done(self) -> String {
        self.with(0).stdout
    }

    /// Insists on an exit with 2, nothing on stdout, and words in what is said instead.
    ///
    /// # Panics
    ///
    /// If it ended otherwise, or some of the words are missing.
    pub fn refused(self, words: &[&str]) -> String {
        let Self { stdout, stderr, .. } = self.with(2);
        assert_eq!(stdout, "", "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "{word:?} is not in: {stderr}");
        }
        stderr
    }
}

/// Waits until something is so.
///
/// # Panics
///
/// If it does not become so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(TICK);
    }
}
