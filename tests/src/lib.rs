//! What the integration tests share: where the fixtures are, and a scratch for each thread.

use std::path::{Path, PathBuf};

use diesel::{PgConnection, RunQueryDsl, sql_types::Bool};
use generator::{Project, binaries::Binaries, scratch::Locale};

pub mod checkout;
pub mod pooler;

/// The top level of the repository.
#[must_use]
pub fn root() -> &'static Path {
    // Cargo runs a package's tests in the package's own folder.
    Path::new("..")
}

/// A project without a database of its own; its scratch starts when it is first used.
#[must_use]
pub fn project(migrations: PathBuf) -> Project {
    let binaries = Binaries::find(std::env::var_os("TRUEUP_PG_BIN").as_deref());
    Project::new(migrations, None, binaries, None)
}

/// All folders below `folder` that hold a file of this name, sorted.
///
/// # Panics
///
/// If a folder cannot be read: then cases would go untried.
#[must_use]
pub fn folders_with(folder: &Path, file: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .path();
        if path.is_dir() {
            if path.join(file).exists() {
                found.push(path.clone());
            }
            found.extend(folders_with(&path, file));
        }
    }
    found.sort();
    found
}

/// A project whose live database is `database`, with an empty folder of migrations at `migrations`.
#[must_use]
pub fn project_with(migrations: PathBuf, database: &generator::scratch::Database) -> Project {
    let Project { binaries, .. } = project(PathBuf::new());
    Project::new(migrations, Some(database.url()), binaries, None)
}

/// Runs SQL on a database.
///
/// # Panics
///
/// If Postgres refuses it.
pub fn run(database: &generator::scratch::Database, sql: &str) {
    let mut connection = database.connect().expect("a connection");
    generator::connection::run_sql(&mut connection, sql, "a test").expect("SQL that runs");
}

/// Whether a condition holds on a database.
///
/// # Panics
///
/// If it is no condition.
#[must_use]
pub fn holds(connection: &mut PgConnection, condition: &str) -> bool {
    let condition = diesel::dsl::sql::<Bool>(condition);
    let answer = diesel::select(condition).get_result(connection);
    answer.expect("a condition")
}

/// A database on a server of its own, which ends with the first of them.
///
/// # Panics
///
/// If there is no Postgres on this machine.
#[must_use]
pub fn database() -> (Project, generator::scratch::Database) {
    let project = project(PathBuf::new());
    let database = project
        .scratch(None)
        .and_then(|scratch| Ok(scratch.create(&Locale::default())?));
    (project, database.expect("a database"))
}

/// The SQL of all ups of a draft.
#[must_use]
pub fn ups(draft: Option<&generator::draft::Draft>) -> String {
    let parts = draft.into_iter().flat_map(|draft| &draft.parts);
    parts
        .map(generator::draft::Part::up_sql)
        .collect::<Vec<_>>()
        .join("\n")
}

/// An error and its causes, a line each.
#[must_use]
pub fn full(error: &generator::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        text += &format!("\n{below}");
        cause = below.source();
    }
    text
}
