//! Rows that a new database begins with: files of SQL, in the order of their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::files;
use crate::files::hash::short_hash;
use crate::postgres::connection::{Code, SqlError, Steering, parts, run_sql, steering};
use crate::{Error, ErrorKind};

mod remembered;

pub use remembered::Remembered;
pub(crate) use remembered::forget;

/// A file of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The path of the file.
    pub path: PathBuf,
    /// Its file's name, without its ending.
    pub name: String,
    /// Its name among all seeds: `010_users`, `test/020_more`.
    pub key: String,
}

/// The seeds in a folder: those that are for everywhere, then those in the sub-folder of this environment.
pub fn find(folder: &Path, environment: &str) -> Result<Vec<Seed>, Error> {
    let mut seeds = files(folder, "")?;
    seeds.extend(files(
        &folder.join(environment),
        &format!("{environment}/"),
    )?);
    Ok(seeds)
}

fn files(folder: &Path, within: &str) -> Result<Vec<Seed>, Error> {
    let fail = |error| {
        let doing = format!("cannot read {}", folder.display());
        Error::caused(ErrorKind::Environment, doing, error)
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(fail)?,
    };
    let mut seeds = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "sql") && !path.is_dir() {
            let name = path.file_stem().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let key = format!("{within}{name}");
            seeds.push(Seed { path, name, key });
        }
    }
    seeds.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(seeds)
}

/// The seeds of a name; a number before it need not be written.
pub fn named(seeds: Vec<Seed>, name: &str) -> Result<Vec<Seed>, Error> {
    let known: Vec<String> = seeds.iter().map(|seed| seed.name.clone()).collect();
    let found: Vec<Seed> = seeds
        .into_iter()
        .filter(|seed| {
            let rest = seed
                .name
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
            seed.name == name || rest == name
        })
        .collect();
    if found.is_empty() {
        return Err(Error::input(format!("there is no seed {name}"))
            .hint(format!("there are: {}", known.join(", "))));
    }
    Ok(found)
}

/// The text of a seed, as it is now.
#[derive(Debug)]
pub struct Text {
    sql: String,
    /// A hash of it.
    pub hash: String,
}

/// Reads a seed.
pub fn read(seed: &Seed) -> Result<Text, Error> {
    let sql = files::read(&seed.path).map_err(|error| {
        let doing = format!("cannot read {}", seed.path.display());
        Error::caused(ErrorKind::Input, doing, error)
    })?;
    let hash = short_hash(sql.as_bytes());
    Ok(Text { sql, hash })
}

/// Runs a seed, all of it or nothing, remembers that where it can be, and says how long it took.
pub fn run(
    connection: &mut PgConnection,
    seed: &Seed,
    text: &Text,
    remembered: Option<&Remembered>,
) -> Result<Duration, Error> {
    let begun = Instant::now();
    let what = seed.path.display().to_string();
    refuse_commits(&text.sql, &what)?;
    let ran = connection.transaction(|connection| {
        run_sql(connection, &text.sql, &what)?;
        remember(connection, seed, text, remembered)
    });
    let mut is_whole = true;
    let ran = match ran {
        // VACUUM and its like, and code that commits: what they do is done before it can be remembered.
        Err(Failed::Sql(error)) if has_no_place_in_a_transaction(&text.sql, &error) => {
            is_whole = false;
            run_sql(connection, &text.sql, &what)
                .map_err(Failed::from)
                .and_then(|()| remember(connection, seed, text, remembered))
        }
        ran => ran,
    };
    ran.map_err(|failed| match failed {
        Failed::Sql(error) => {
            let advice = (error.code == Code::Duplicate).then_some(
                "a row of that key is there already; with ON CONFLICT DO NOTHING (or DO UPDATE) at the end of its INSERT a \
                 seed can be run again",
            );
            let kept = if is_whole {
                "none of this seed's rows were kept"
            } else {
                "it is no transaction, and what it had committed itself is kept"
            };
            Error::input(format!("{error}\n  {kept}")).hints(advice)
        }
        Failed::Record(error) => Error::caused(
            ErrorKind::Environment,
            format!("{what} ran, and that could not be recorded or committed"),
            error,
        ),
    })?;
    Ok(begun.elapsed())
}

/// Refuses a seed that ends its transaction: what it commits would stay where the rest fails, and what it rolls back would count
/// as having run.
fn refuse_commits(sql: &str, what: &str) -> Result<(), Error> {
    let at = match steering(sql) {
        Some(Steering::One { .. }) | None => return Ok(()),
        Some(Steering::Several(all)) => all.into_iter().find_map(|one| one.commit),
        Some(Steering::Broken(_, part)) => Some(part),
    };
    let line = at.map_or_else(String::new, |part| format!(":{}", part.line(sql)));
    Err(Error::input(format!(
        "{what}{line}: a seed is one transaction, all of it or nothing, and this ends it; nothing was run"
    ))
    .hint("take BEGIN, COMMIT and ROLLBACK out, or make two seeds of it"))
}

fn remember(
    connection: &mut PgConnection,
    seed: &Seed,
    text: &Text,
    remembered: Option<&Remembered>,
) -> Result<(), Failed> {
    match remembered {
        Some(remembered) => Ok(remembered.add(connection, &seed.key, &text.hash)?),
        None => Ok(()),
    }
}

/// Why a seed was not run, or not remembered.
enum Failed {
    Sql(SqlError),
    Record(diesel::result::Error),
}

impl From<SqlError> for Failed {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self::Record(error)
    }
}

/// True if a statement may have failed for no other reason than the transaction around it. Diesel has no name for these codes
/// (25001, 2D000), and the words are in the server's language. One that stands alone is all or nothing without a transaction, too.
fn has_no_place_in_a_transaction(sql: &str, error: &SqlError) -> bool {
    error.code == Code::Unnamed && parts(sql).is_some_and(|parts| parts.len() == 1)
}
