//! Sources of schemas. Whatever the source, the schema is read by [`catalog::read`] from a Postgres.

pub(crate) mod authors;
pub mod models;
mod piecewise;
pub(crate) mod rendered;
mod side;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Formatter},
    path::PathBuf,
    sync::Arc,
};

use diesel::{PgConnection, connection::SimpleConnection};
use trueup::{Id, Schema, Statement, name::quoted_ident};

use crate::{
    Error, ErrorKind, Project,
    diff::{Delta, diff},
    files,
    migrations::folder::{self, Migration},
    plan::{Folding, plan},
    postgres::{
        catalog,
        connection::{connect, holds_nothing, run_sql},
        dump::{self, WitnessError},
        scratch::{
            Database, Locale, Scratch, Surroundings,
            cluster::{self, Roles},
        },
        url::Url,
    },
    rename::{self, Renaming},
    render,
};

pub(crate) use rendered::render;
pub use side::Side;

/// The source of a schema, as it is spelled on the command line.
#[derive(Clone, Debug)]
pub enum Source {
    /// `models`: what this program's models declare.
    Models,
    /// `database`: the one that is configured; `postgres://…`, or any other libpq connection string: that one.
    Database(Url),
    /// `migrations` or `migrations:DIR`: the migrations, replayed.
    Migrations(PathBuf),
    /// `file:PATH`, or a path that ends in `.sql`: the file, run on an empty database.
    Sql(PathBuf),
}

impl Source {
    /// Reads a source as it is spelled on the command line; `migrations` without a folder are the project's.
    pub fn parse(text: &str, project: &Project) -> Result<Self, Error> {
        if text == "models" {
            return Ok(Self::Models);
        }
        if text == "database" {
            let configured = project.database.clone().map(Self::Database);
            return configured.ok_or_else(|| {
                Error::input("no database is configured")
                    .hint("set DATABASE_URL, or write the URL in place of `database`")
            });
        }
        if text == "migrations" {
            return Ok(Self::Migrations(project.migrations.clone()));
        }
        if let Some(folder) = text.strip_prefix("migrations:") {
            return Ok(Self::Migrations(folder.into()));
        }
        if let Some(path) = text.strip_prefix("file:") {
            return Ok(Self::Sql(path.into()));
        }
        if std::path::Path::new(text)
            .extension()
            .is_some_and(|extension| extension == "sql")
        {
            return Ok(Self::Sql(text.into()));
        }
        Url::parse(text).map(Self::Database).map_err(|error| {
            Error::caused(ErrorKind::Input, "this is not a source that trueup knows", error).hint(
                "a source is `models`, `database`, `migrations`, `migrations:DIR`, `file:PATH`, a path that ends in .sql, or a \
                 database: postgres://USER@HOST/NAME",
            )
        })
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Models => f.write_str("the models"),
            Self::Database(url) => write!(f, "{url}"),
            Self::Migrations(folder) => write!(f, "the migrations in {}", folder.display()),
            Self::Sql(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Reads a live database as it is.
pub fn live(project: &Project, url: &Url) -> Result<Side, Error> {
    let mut connection = connect(url)?;
    let doing = || format!("cannot read the database at {url}");
    project
        .saw(url, &mut connection)
        .map_err(|error| Error::caused(ErrorKind::Environment, doing(), error))?;
    let schema = catalog::read(&mut connection)
        .map_err(|error| Error::caused(ErrorKind::Environment, doing(), error))?;
    if let Some(folder) = catalog::programs(&mut connection) {
        project.binaries.add_live_server(folder);
    }
    Ok(Side::at(schema, url.clone()))
}

/// The side `to`, with what the project leaves out of account as it is in `from`. An error where something that counts needs
/// something that neither does nor is in `from`.
pub(crate) fn narrowed(project: &Project, from: &Side, to: Side) -> Result<Side, Error> {
    if project.scope.is_everything() {
        return Ok(to);
    }
    let schema = project.scope.narrow(&from.schema, &to.schema);
    let dangling: Vec<String> = schema
        .entries()
        .flat_map(|(id, _)| to.schema.needs(id).map(move |need| (id, need)))
        .filter(|(_, need)| schema.entry(need).is_none())
        .map(|(id, need)| {
            format!("{id} needs {need}, which trueup.toml leaves out and nothing makes here")
        })
        .collect();
    if dangling.is_empty() {
        return Ok(Side {
            whole: false,
            ..to.read_as(schema)
        });
    }
    Err(Error::input(dangling.join("\n"))
        .hint(
            "let a migration that is written by hand make it where it is not there (CREATE SCHEMA IF NOT EXISTS, CREATE TABLE IF \
             NOT EXISTS), so that it replays everywhere",
        )
        .hint("or take it out of `exclude`, or do without what needs it"))
}

/// Replays migrations on an empty scratch database.
pub fn replay(project: &Project, folder: &std::path::Path) -> Result<Side, Error> {
    replay_these(project, &folder::read(folder)?)
}

/// Replays these migrations, in this order, on an empty scratch database.
pub fn replay_these(project: &Project, migrations: &[Migration]) -> Result<Side, Error> {
    authors::replay(project, migrations).map(|(side, _)| side)
}

/// An empty scratch database for these texts of SQL, with what the project's migrations presume.
pub(crate) fn empty<'a>(
    project: &Project,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<Database, Error> {
    let database = project.scratch(None)?.create(&Locale::default())?;
    let mut namespaces = project.surroundings().namespaces;
    if !namespaces.is_empty() {
        // One that a migration makes is not there before it.
        let ours = folder::read(&project.migrations).unwrap_or_default();
        let ours = cluster::namespaces(ours.iter().map(|migration| migration.up.as_str()));
        let theirs = cluster::namespaces(texts);
        namespaces.retain(|name| !ours.contains(name) && !theirs.contains(name));
        let mut connection = database.connect()?;
        for name in namespaces {
            connection.batch_execute(&format!("CREATE SCHEMA {}", quoted_ident(&name)))?;
        }
    }
    if let Some(path) = &project.presumed.prelude {
        run_file(&database, path)?;
    }
    Ok(database)
}

/// The objects that the prelude makes; none without a prelude.
pub(crate) fn prelude(project: &Project) -> Result<BTreeSet<Id>, Error> {
    if project.presumed.prelude.is_none() {
        return Ok(BTreeSet::new());
    }
    let plain = project.scratch(None)?.create(&Locale::default())?;
    let plain = side(plain)?.schema;
    let made = side(empty(project, [])?)?.schema;
    let ids = made.entries().map(|(id, _)| id.clone());
    Ok(ids.filter(|id| plain.entry(id).is_none()).collect())
}

/// Runs a file of SQL on an empty scratch database.
pub fn file(project: &Project, path: &std::path::Path) -> Result<Side, Error> {
    let sql = text(path)?;
    let database = empty(project, [sql.as_str()])?;
    run_file(&database, path)?;
    side(database)
}

fn text(path: &std::path::Path) -> Result<String, Error> {
    files::read(path).map_err(|error| {
        Error::caused(
            ErrorKind::Input,
            format!("cannot read {}", path.display()),
            error,
        )
    })
}

fn run_file(database: &Database, path: &std::path::Path) -> Result<(), Error> {
    let sql = text(path)?;
    for sql in database.fit(&[&sql])? {
        if !holds_nothing(&sql) {
            run_sql(&mut database.connect()?, &sql, &path.display().to_string())?;
        }
    }
    Ok(())
}

/// Copies a schema to the scratch from what Postgres prints of it: by way of `pg_dump`, or by our own statements where there
/// is no `pg_dump` that is new enough or it may not lock the tables, and everything has a room or a definition.
pub fn restored(project: &Project, scratch: &Scratch, from: &Side) -> Result<Side, Error> {
    let mut there = connect(&from.url)?;
    let like = Surroundings::of(&mut there)?;
    let locale = Locale::of(&mut there)?;
    let mut database = scratch.create_like(&locale, &like)?;
    let public = dump::Public::of(&mut there)?;
    scratch.make_tablespaces(&mut there)?;
    let barred = dump::barred(&mut there)?;
    drop(there);
    let is_known = rendered::is_known(project, &from.schema);
    let mut no_dump = from.no_dump.clone();
    let mut refused = Vec::new();
    match (
        project.binaries.pg_dump(from.schema.server().major()),
        barred,
    ) {
        (_, Some(barred)) if is_known => {
            render(&database, &from.schema)?;
            no_dump = Some(barred.to_string());
        }
        (_, Some(barred)) => {
            let undefined = rendered::undefined(project, &from.schema).map(|one| &*one.what);
            let undefined: Vec<&str> = undefined.collect();
            return Err(Error::from(barred).hint(format!(
                "or leave out of account what only pg_dump can copy, with `exclude` in trueup.toml: {}",
                undefined.join(", ")
            )));
        }
        (Ok(pg_dump), None) => {
            let dump = from.dump().of(&pg_dump)?;
            let entries = from.schema.entries();
            let same = entries.filter_map(|(_, entry)| entry.dumped());
            let dump = same.fold(dump.to_string(), |dump, [line, same]| {
                dump.replacen(&line, &same, 1)
            });
            match dump::restore(&project.binaries.psql()?, &database.url(), &dump, public) {
                Err(WitnessError::Failed { .. }) => {
                    scratch.make_roles(&Roles::of([dump.as_str()]).named)?;
                    database = scratch.create_like(&locale, &like)?;
                    refused = piecewise::restore(&mut database.connect()?, &dump, public)?;
                }
                done => done?,
            }
        }
        (Err(_), None) if is_known => render(&database, &from.schema)?,
        (Err(error), None) => return Err(error.into()),
    }
    let mut connection = database.connect()?;
    let copy = side(database)?;
    let without = piecewise::judge(
        &mut connection,
        &project.scope,
        &from.schema,
        &copy.schema,
        &refused,
    )?;
    drop(connection);
    // Objects outside of the scope are the same on both sides.
    let left_out = project.left_out(without.ids, &without.words);
    let copy = if left_out.is_empty() {
        complete(scratch, copy, &from.schema)?
    } else {
        complete(
            scratch,
            copy,
            &from.schema.only(|id| !left_out.contains(id)),
        )?
    };
    let left_out = [from.left_out.as_slice(), &without.words].concat();
    let schema = copy.schema.clone();
    let schema = schema
        .with_rights_of(&from.schema, &BTreeMap::new())
        .unread_as(&from.schema);
    Ok(Side {
        whole: from.whole,
        reprinted: true,
        guidance: Arc::clone(&from.guidance),
        no_dump,
        left_out,
        ..copy.read_as(schema)
    })
}

/// Makes up for what `pg_dump` does not say: that the comment of an extension was taken away, for one.
fn complete(scratch: &Scratch, copy: Side, of: &Schema) -> Result<Side, Error> {
    let missing = of
        .entries()
        .filter(|(id, _)| copy.schema.entry(id).is_none());
    let wanted = copy.schema.only(|id| of.entry(id).is_some());
    let wanted = wanted.with(missing.map(|(_, entry)| Arc::clone(entry)), of);
    let plan = plan(&copy.schema, &wanted, Folding::Wherever)?;
    if plan.is_empty() {
        return Ok(copy);
    }
    let database = copy.into_database(scratch)?;
    let sql = render::sql(plan.statements());
    run_sql(&mut database.connect()?, &sql, "a copy of the database")?;
    side(database)
}

/// Both sides in the form that can be compared.
///
/// A printed expression may print differently when it is read again: `c IN ('a', 'b')` on a varchar becomes `ARRAY[…]::text[]`,
/// and that becomes `ARRAY['a'::text, …]`, which is stable. So if both sides have an object and it differs, both are read again
/// from what was printed.
pub fn alike(project: &Project, from: Side, to: Side) -> Result<(Side, Side), Error> {
    alike_after(project, from, &Renaming::default(), to)
}

/// Both sides in the form that can be compared once the renames are done.
pub fn alike_after(
    project: &Project,
    from: Side,
    renaming: &Renaming,
    to: Side,
) -> Result<(Side, Side), Error> {
    let renamed = if renaming.is_empty() {
        None
    } else {
        rename::aligned(project, &from, renaming, &to.schema)?
    };
    let base = renamed.as_ref().map_or(&from, |(side, _)| side);
    let doubtful = diff(&base.schema, &to.schema)
        .iter()
        .any(|(_, delta)| matches!(delta, Delta::Change { .. }));
    if doubtful {
        return Ok((reprinted(project, from)?, reprinted(project, to)?));
    }
    // Unread objects are compared on copies. If a copy fails, the sides are compared without.
    if base.schema.unread_changes(&to.schema) {
        return Ok(copied(project, from, to));
    }
    Ok((from, to))
}

/// Copies of both sides on the scratch, or both as they are where one of them cannot be copied.
pub(crate) fn copied(project: &Project, from: Side, to: Side) -> (Side, Side) {
    match (copy_of_print(project, &from), copy_of_print(project, &to)) {
        (Ok(one), Ok(other)) => (one.unwrap_or(from), other.unwrap_or(to)),
        (Err(_), _) | (_, Err(_)) => (from, to),
    }
}

/// A side as it is when everything was read from what Postgres printed, where this machine can tell.
pub fn reprinted(project: &Project, side: Side) -> Result<Side, Error> {
    Ok(copy_of_print(project, &side)?.unwrap_or(side))
}

/// A copy of a side that was made from what Postgres printed, where it is none yet and this machine can make one.
fn copy_of_print(project: &Project, side: &Side) -> Result<Option<Side>, Error> {
    let major = side.schema.server().major();
    let can_copy =
        rendered::is_known(project, &side.schema) || project.binaries.pg_dump(major).is_ok();
    if side.reprinted || !can_copy {
        return Ok(None);
    }
    match project.scratch(Some(major)) {
        Ok(scratch) if scratch.major() == major => {
            side.printed(|| restored(project, scratch, side)).map(Some)
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Reads a database on the scratch.
pub fn side(database: Database) -> Result<Side, Error> {
    let mut connection = database.connect()?;
    let mut schema = catalog::read(&mut connection)?;
    if refresh(&mut connection, &schema) {
        schema = catalog::read(&mut connection)?;
    }
    let schema = schema.on_scratch();
    drop(connection);
    Ok(Side::on(schema, database))
}

/// Has computed what a dump of a schema leaves to compute, since what is made anew may be computed from it; true if anything was.
fn refresh(connection: &mut PgConnection, schema: &Schema) -> bool {
    let mut left: Vec<Statement> = schema
        .entries()
        .filter_map(|(_, entry)| entry.refresh())
        .collect();
    let all = left.len();
    loop {
        let before = left.len();
        // One may be computed from another, and what cannot be computed here may still never be needed.
        left.retain(|statement| connection.batch_execute(statement.sql()).is_err());
        if left.len() == before {
            return before < all;
        }
    }
}
