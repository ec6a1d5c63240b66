//! A database in a file, through `pg_dump` and `pg_restore`.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::iter;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::migrations::apply::{self, with_lock};
use crate::operations::database::{self, Identity};
use crate::postgres::children::{self, Running};
use crate::postgres::connection::{connect, server_version};
use crate::postgres::dump::{command, name};
use crate::postgres::environment;
use crate::postgres::url::Url;
use crate::{Error, ErrorKind, Project, files, report};

mod session;
mod unfinished;

use session::{Restore, Session};
use unfinished::{Kept, Unfinished};

/// The required state of a database that a backup is restored to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto<'a> {
    /// It must be empty.
    Empty,
    /// Objects that are also in the backup are replaced. The user has confirmed this for the database of this identity.
    Over(&'a Identity),
}

/// Whose everything is when it is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// As in the database that was saved.
    AsSaved,
    /// The user's who restores.
    Mine,
}

/// The progress of pg_dump or pg_restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage<'a> {
    /// The number of finished items.
    pub done: usize,
    /// The number of all items.
    pub of: usize,
    /// The current item, in the program's words.
    pub at: &'a str,
}

/// Makes a folder for backups, which git is told to ignore.
pub fn prepare(folder: &Path) -> Result<(), Error> {
    let private = || fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    let made = files::refuse_link(folder)
        .and_then(|()| fs::create_dir_all(folder))
        .and_then(|()| private())
        .and_then(|()| files::ignore_all(folder));
    made.map_err(|error| {
        let doing = format!("cannot make {}", folder.display());
        Error::caused(ErrorKind::Environment, doing, error)
            .hint("name the file to write it elsewhere: `trueup backup /safe/shop.dump`")
    })
}

/// Saves a database in a new file, in Postgres' custom format. The file is there when it is whole, and not before.
pub fn save(
    project: &Project,
    url: &Url,
    file: &Path,
    tell: impl FnMut(Stage<'_>),
) -> Result<(), Error> {
    if file.exists() {
        return Err(Error::input(format!("{} is there already", file.display()))
            .hint("name another file, or move that one away"));
    }
    let at = |error| {
        let doing = format!("cannot write {}", file.display());
        Error::caused(ErrorKind::Environment, doing, error)
    };
    let mut connection = connect(url)?;
    let major = server_version(&mut connection)? / 10_000;
    let pg_dump = project.binaries.pg_dump(major)?;
    let unfinished = Unfinished::beside(file).map_err(at)?;
    let session = Session::new(url, "backup");
    let mut dump = command(&pg_dump, session.url());
    dump.args(["--format=custom", "--verbose", "--file"])
        .arg(unfinished.path());
    let nothing = |error: Error| {
        error.hint(format!(
            "{} was not written: it is there whole, or not at all",
            file.display()
        ))
    };
    let tables = diesel::sql_query(TABLES).get_result(&mut connection)?;
    drop(connection);
    let (kept, name) = (unfinished.kept(), file.display().to_string());
    let ending = session.clone();
    let so = move |_| {
        let _ = ending.end();
        let said = match kept.give_up() {
            Kept::Whole => format!("{name} is written, and whole"),
            Kept::Unfinished => format!("{name} was not written"),
        };
        Some(said)
    };
    let told = counted(&tables, &["dumping contents"], tell);
    let dumped = run(&pg_dump, dump, told, so).map_err(|error| {
        // It may wait for a lock long after its program is gone.
        let _ = session.end();
        nothing(error)
    })?;
    let kept = unfinished.keep_as(file).map_err(at).map_err(nothing);
    // Up to here a signal could take it back.
    drop(dumped);
    kept
}

/// The tables: dumping them takes the time of a backup.
const TABLES: &str = "SELECT pg_catalog.count(*) AS number
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";

/// A number of things.
#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Counts the lines that begin with one of these words, of which so many are to come.
fn counted(
    all: &Count,
    words: &'static [&'static str],
    mut tell: impl FnMut(Stage<'_>),
) -> impl FnMut(&str) {
    let of = usize::try_from(all.number).unwrap_or_default();
    let mut begun = 0;
    move |at: &str| {
        if words.iter().any(|word| at.starts_with(word)) {
            begun += 1;
        }
        // The item that has just begun is not done, and there may be more items than were counted.
        let done = usize::saturating_sub(begun, 1).min(of);
        tell(Stage { done, of, at });
    }
}

/// The number of entries in a backup.
fn contents(pg_restore: &Path, file: &Path) -> Count {
    let mut command = Command::new(pg_restore);
    environment::for_program(&mut command);
    command.arg("--list").arg("--").arg(file);
    let listed = children::output(command, &name(pg_restore), None, None);
    // An unreadable backup is reported by the restore itself.
    let text = listed.map_or_else(|_| Vec::new(), |listed| listed.stdout);
    let text = String::from_utf8_lossy(&text);
    let entries = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'));
    Count {
        number: i64::try_from(entries.count()).unwrap_or_default(),
    }
}

/// Brings back what [`save`] saved, all of it or nothing, while nobody applies migrations: one that follows would be recorded in a
/// database that no longer has those before it.
pub fn restore(
    project: &Project,
    url: &Url,
    file: &Path,
    onto: Onto<'_>,
    owners: Owners,
    tell: impl FnMut(Stage<'_>),
) -> Result<(), Error> {
    files::open(file).map_err(|error| {
        let doing = format!("cannot read {}", file.display());
        Error::caused(ErrorKind::Input, doing, error)
    })?;
    let mut connection = connect(url)?;
    let options = apply::Options {
        url: Some(url),
        ..apply::Options::default()
    };
    with_lock(&mut connection, options, |connection| {
        refuse_another(connection, url, onto)?;
        let major = server_version(connection)? / 10_000;
        let pg_restore = project.binaries.pg_restore(major)?;
        let session = Session::new(url, "restore");
        let restoring = Restore::new(connection, session.clone())?;
        let mut restore = command(&pg_restore, session.url());
        restore.args(["--verbose", "--exit-on-error", "--single-transaction"]);
        if matches!(onto, Onto::Over(_)) {
            restore.args(["--clean", "--if-exists"]);
        }
        if owners == Owners::Mine {
            restore.args(["--no-owner", "--no-privileges"]);
        }
        // A file may be called as an option is.
        restore.arg("--").arg(file);
        let all = contents(&pg_restore, file);
        let words = &["creating", "processing", "executing"];
        let told = counted(&all, words, tell);
        let ending = restoring.clone();
        let so = move |status: ExitStatus| Some(ending.outcome(status).to_string());
        run(&pg_restore, restore, told, so)
            .map(drop)
            .map_err(|error| error.hint(restoring.ended().to_string()))
    })
}

/// Refuses a database that is not the one that is meant, or not in the required state.
fn refuse_another(connection: &mut PgConnection, url: &Url, onto: Onto<'_>) -> Result<(), Error> {
    if onto == Onto::Empty && !database::is_empty(connection)? {
        return Err(Error::input(format!("{url} is not empty; nothing was restored"))
            .hint("`trueup db recreate` makes it anew and empty (then `restore`), or --over replaces what the backup has"));
    }
    if let Onto::Over(meant) = onto {
        meant.expect(connection)?;
    }
    // One that is not empty may stand behind another address.
    if let Some(hosts) = url.several_hosts() {
        return Err(Error::input(format!(
            "pg_restore may go to any of {hosts}, and the database that was asked about is on one; nothing was restored"
        ))
        .hint("write the address of one server"));
    }
    Ok(())
}

/// Runs a program to its end, which tells on stderr what it is at. Until what it returns is dropped, `so` says what has come of
/// it where this process has to end.
fn run(
    program: &Path,
    mut command: Command,
    mut tell: impl FnMut(&str),
    so: impl FnOnce(ExitStatus) -> Option<String> + Send + 'static,
) -> Result<Running, Error> {
    let failed = |error: io::Error| {
        let doing = format!("cannot run {}", program.display());
        Error::caused(ErrorKind::Environment, doing, error)
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let name = name(program);
    let mut running = children::start(&mut command, &name, so).map_err(failed)?;
    let begins = format!("{name}: ");
    let mut wrong = Vec::new();
    for line in lines(&mut running, &name) {
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line);
        let words = line.strip_prefix(&begins).unwrap_or(&line);
        let is_wrong = words.starts_with("error:")
            || words.starts_with("detail:")
            || words.starts_with("hint:");
        if is_wrong || !line.starts_with(&begins) {
            wrong.push(words.to_owned());
        } else {
            tell(words);
        }
    }
    let status = running.wait(None).map_err(failed)?;
    if status.success() {
        return Ok(running);
    }
    let said = match wrong.as_slice() {
        [] => status.to_string(),
        lines => lines.join("\n"),
    };
    Err(Error::new(
        ErrorKind::Environment,
        format!("{name} failed: {said}"),
    ))
}

/// The lines of a program's stderr. A program that is silent for long is named, and again after twice the time.
fn lines(running: &mut Running, name: &str) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let (sender, lines) = mpsc::channel();
    if let Some(said) = running.stderr() {
        thread::spawn(move || {
            for line in BufReader::new(said).split(b'\n') {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    let (name, number) = (name.to_owned(), running.id());
    let mut last = String::new();
    let mut patience = children::LONG;
    iter::from_fn(move || {
        loop {
            match lines.recv_timeout(patience) {
                Ok(line) => {
                    if let Ok(line) = &line {
                        last = String::from_utf8_lossy(line).into_owned();
                    }
                    return Some(line);
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let at = if last.is_empty() {
                        ""
                    } else {
                        "; its last words: "
                    };
                    report::Output::default().note(format!(
                        "waiting for {name} (process {number}), which has said nothing for {} s{at}{last}",
                        patience.as_secs()
                    ));
                    patience *= 2;
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_is_counted_and_never_more_than_all() {
        let mut seen = Vec::new();
        let mut hear = counted(&Count { number: 2 }, &["creating"], |stage| {
            seen.push((stage.done, stage.of));
        });
        for line in [
            "connecting",
            "creating A",
            "creating B",
            "creating C",
            "creating D",
        ] {
            hear(line);
        }
        drop(hear);
        assert_eq!(seen, [(0, 2), (0, 2), (1, 2), (2, 2), (2, 2)]);
    }
}
