//! Rows that a new database begins with: files of SQL, in the order of their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::connection::{Code, run_sql};
use crate::{Error, ErrorKind};

/// A file of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Where it is.
    pub path: PathBuf,
    /// Its file's name, without its ending.
    pub name: String,
}

/// The seeds in a folder: those that are for everywhere, then those in the sub-folder of this environment.
pub fn find(folder: &Path, environment: &str) -> Result<Vec<Seed>, Error> {
    let mut seeds = files(folder)?;
    seeds.extend(files(&folder.join(environment))?);
    Ok(seeds)
}

fn files(folder: &Path) -> Result<Vec<Seed>, Error> {
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
        if path.extension().is_some_and(|extension| extension == "sql") && path.is_file() {
            let name = path.file_stem().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            seeds.push(Seed { path, name });
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

/// Runs a seed, all of it or nothing, and says how long it took.
pub fn run(connection: &mut PgConnection, seed: &Seed) -> Result<Duration, Error> {
    let begun = Instant::now();
    let what = seed.path.display().to_string();
    let sql = fs::read_to_string(&seed.path)
        .map_err(|error| Error::caused(ErrorKind::Input, format!("cannot read {what}"), error))?;
    run_sql(connection, &sql, &what).map_err(|error| {
        let advice = (error.code == Code::Duplicate).then_some(
            "a row of that key is there already; with ON CONFLICT DO NOTHING (or DO UPDATE) at the end of its INSERT a seed \
             can be run again",
        );
        Error::input(format!("{error}\n  none of this seed's rows were kept")).hints(advice)
    })?;
    Ok(begun.elapsed())
}
