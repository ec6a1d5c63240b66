//! Shared parts of the integration tests: the place of the fixtures, and a scratch for each thread.

use std::path::{Path, PathBuf};

use diesel::{PgConnection, RunQueryDsl, sql_types::Bool};
use generator::{
    Project,
    draft::Draft,
    pipeline::autogen::{self, Autogen, AutogenOptions},
    postgres::{binaries::Binaries, scratch::Locale, url::Url},
    source::Source,
};
use trueup::Declarations;

pub mod checkout;
pub mod drafted;
pub mod hazards;
pub mod pooler;
pub mod walk;

/// Diesel's `table!` is asked for a namespace that its path does not tell. Without an answer the struct does not compile:
///
/// ```compile_fail,E0080
/// mod schema {
///     pub mod v2 {
///         diesel::table! { v2.account (id) { id -> BigInt, } }
///     }
/// }
/// use schema::v2::account;
///
/// #[derive(trueup::Model)]
/// #[diesel(table_name = account)]
/// struct Account {
///     #[model(primary_key)]
///     id: i64,
/// }
/// fn main() {}
/// ```
///
/// ```compile_fail,E0080
/// mod schema {
///     pub mod v2 {
///         diesel::table! { letter (id) { id -> BigInt, } }
///     }
/// }
///
/// #[derive(trueup::Model)]
/// #[diesel(table_name = schema::v2::letter)]
/// struct Letter {
///     #[model(primary_key)]
///     id: i64,
/// }
/// fn main() {}
/// ```
///
/// With one it does:
///
/// ```
/// mod schema {
///     pub mod v2 {
///         diesel::table! { v2.account (id) { id -> BigInt, } }
///     }
/// }
/// use schema::v2::account;
///
/// #[derive(trueup::Model)]
/// #[diesel(table_name = account)]
/// #[model(namespace = "v2")]
/// struct Account {
///     #[model(primary_key)]
///     id: i64,
/// }
/// fn main() {}
/// ```
pub const NAMESPACES: () = ();

/// The end of a message that asks for a report. Where Postgres or the code of a database refuses something, it is wrong.
pub const PHRASE: &str = "mistake in trueup";

/// The top level of the repository.
#[must_use]
pub fn root() -> &'static Path {
    // Cargo runs a package's tests in the package's own folder.
    Path::new("..")
}

/// A project without a database of its own; its scratch starts when it is first used.
#[must_use]
pub fn project(migrations: PathBuf) -> Project {
    Project::new(migrations, None, binaries(), None)
}

fn binaries() -> Binaries {
    Binaries::find(std::env::var_os("TRUEUP_PG_BIN").as_deref())
}

/// The same as [`project`], with its scratch on a server of this major, which is the first to be found where it is `None`.
///
/// # Panics
///
/// If there is none on this machine.
#[must_use]
pub fn project_on(major: Option<u32>) -> Project {
    let project = project(PathBuf::from("no migrations"));
    let found = project.scratch(major).expect("a scratch").major();
    assert_eq!(major.unwrap_or(found), found, "the major that was found");
    project
}

/// The majors that `TRUEUP_MAJORS` names and this machine has, and those that it has not. Where none is named, the one that
/// is found first counts.
///
/// # Panics
///
/// If something else than numbers is named.
#[must_use]
pub fn majors() -> (Vec<Option<u32>>, Vec<u32>) {
    let named = std::env::var("TRUEUP_MAJORS").unwrap_or_default();
    let number = |word: &str| {
        word.parse()
            .unwrap_or_else(|error| panic!("TRUEUP_MAJORS={named}: {error}"))
    };
    let named: Vec<u32> = named.split_whitespace().map(number).collect();
    if named.is_empty() {
        return (vec![None], Vec::new());
    }
    let binaries = binaries();
    let (there, missing): (Vec<u32>, Vec<u32>) = named
        .into_iter()
        .partition(|major| binaries.server_of(*major).is_ok());
    (there.into_iter().map(Some).collect(), missing)
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

/// Copies the folders of migrations, each with all of its files.
///
/// # Panics
///
/// If they cannot be copied.
pub fn copy_migrations(from: &Path, to: &Path) {
    for folder in folders_with(from, "up.sql") {
        let to = to.join(folder.file_name().expect("a name"));
        std::fs::create_dir_all(&to).expect("a folder");
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a file");
        }
    }
}

/// A project whose live database is `database`, with an empty folder of migrations at `migrations`.
#[must_use]
pub fn project_with(
    migrations: PathBuf,
    database: &generator::postgres::scratch::Database,
) -> Project {
    Project::new(migrations, Some(database.url()), binaries(), None)
}

/// The same as [`project_with`] for any database, with its scratch on a server of the same major.
///
/// # Panics
///
/// If there is none on this machine.
#[must_use]
pub fn project_at(migrations: PathBuf, url: &Url, major: u32) -> Project {
    let project = Project::new(migrations, Some(url.clone()), binaries(), None);
    let found = project.scratch(Some(major)).expect("a scratch").major();
    assert_eq!(found, major, "the major that was found");
    project
}

/// The first major version that knows what a case is about, as its `min_major.txt` says.
///
/// # Panics
///
/// If something else than a number stands there.
#[must_use]
pub fn min_major(folder: &Path) -> u32 {
    let file = folder.join("min_major.txt");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|_| "0".to_owned());
    let number = text.trim().parse();
    number.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Runs SQL on a database.
///
/// # Panics
///
/// If Postgres refuses it.
pub fn run(database: &generator::postgres::scratch::Database, sql: &str) {
    let mut connection = database.connect().expect("a connection");
    generator::postgres::connection::run_sql(&mut connection, sql, "a test")
        .expect("SQL that runs");
}

/// True if a condition holds on a database.
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
pub fn database() -> (Project, generator::postgres::scratch::Database) {
    let project = project(PathBuf::new());
    let database = project
        .scratch(None)
        .and_then(|scratch| Ok(scratch.create(&Locale::default())?));
    (project, database.expect("a database"))
}

/// The draft that takes a project's database to what these models declare, where there is anything to do.
///
/// # Panics
///
/// Where it cannot be made.
#[must_use]
pub fn draft(project: &Project, declarations: &Declarations) -> Option<Draft> {
    autogen(project, declarations).draft
}

/// The differences that autogen finds between a project's database and these models.
///
/// # Panics
///
/// Where it refuses.
#[must_use]
pub fn autogen(project: &Project, declarations: &Declarations) -> Autogen {
    let found = autogen::autogen(project, declarations, AutogenOptions::default());
    found.map_err(|error| error.full()).expect("a draft")
}

/// The draft that takes what this SQL makes to what the models of the test declare.
///
/// # Panics
///
/// Where there is none.
#[must_use]
pub fn drafted(there: &str) -> Draft {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("there.sql");
    std::fs::write(&file, there).expect("a file");
    let project = project(folder.path().join("migrations"));
    let declarations = autogen::declarations().expect("models");
    let options = AutogenOptions {
        from: Some(&Source::Sql(file)),
        ..AutogenOptions::default()
    };
    let found = autogen::autogen(&project, &declarations, options).expect("a draft");
    found.draft.expect("a change")
}

/// The SQL of all ups of a draft.
#[must_use]
pub fn ups(draft: Option<&Draft>) -> String {
    let parts = draft.into_iter().flat_map(|draft| &draft.parts);
    parts
        .map(generator::draft::Part::up_sql)
        .collect::<Vec<_>>()
        .join("\n")
}
