//! Databases as a whole: made, removed, emptied.
//!
//! Invariant: what is made, removed or emptied is the database that a session on the URL says it is in, never a name that
//! was taken from the URL's text alone.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use trueup::name::quoted_ident;

use crate::postgres::connection::{ConnectError, connect};
use crate::postgres::url::Url;
use crate::{Error, ErrorKind};

mod empty;
mod identity;
mod made;
mod unmanaged;

pub use empty::empty;
pub use identity::Identity;
pub use unmanaged::{unmanaged_tables, versions_of_others};

/// The databases that every server has, and that one connects to in order to make another.
const ALWAYS_THERE: &[&str] = &["postgres", "template1"];

/// The largest number of bytes in a name, unless a server was built with another.
const LONGEST_NAME: usize = 63;

/// True for the databases that a server comes with.
#[must_use]
pub fn is_the_servers_own(name: &str) -> bool {
    ALWAYS_THERE.contains(&name) || name.starts_with("template")
}

/// The database that a URL leads to; `None` where the server has no such database.
pub fn identify(url: &Url) -> Result<Option<Identity>, Error> {
    match connect(url) {
        Ok(mut connection) => Ok(Some(Identity::of(&mut connection)?)),
        Err(ConnectError::NoSuchDatabase { .. }) => Ok(None),
        Err(ConnectError::HalfDropped { .. } | ConnectError::Refused { .. })
            if remains(url).is_some() || is_missing(url) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// True if the server says so in another session: why it refused this one may be told in any language.
fn is_missing(url: &Url) -> bool {
    let Ok(name) = written_name(url) else {
        return false;
    };
    let is_there =
        diesel::dsl::sql::<Bool>("EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = ")
            .bind::<Text, _>(&name)
            .sql(")");
    let there =
        admin(url, &name).map(|mut admin| diesel::select(is_there).get_result::<bool>(&mut admin));
    matches!(there, Ok(Ok(false)))
}

/// The remains of an interrupted DROP DATABASE, to which nobody can connect any more.
struct Remains {
    name: String,
    admin: PgConnection,
}

fn remains(url: &Url) -> Option<Remains> {
    let name = written_name(url).ok()?;
    let mut admin = admin(url, &name).ok()?;
    // Postgres marks it so before the first of its files goes.
    let is_left = diesel::dsl::sql::<Bool>(
        "EXISTS (SELECT FROM pg_catalog.pg_database WHERE datconnlimit = -2 AND datname = ",
    )
    .bind::<Text, _>(&name)
    .sql(")");
    let is_left: bool = diesel::select(is_left).get_result(&mut admin).ok()?;
    is_left.then_some(Remains { name, admin })
}

/// Removes what a DROP DATABASE that was cut off has left, and says whether there was anything.
pub fn remove_remains(url: &Url) -> Result<bool, Error> {
    let Some(Remains { name, mut admin }) = remains(url) else {
        return Ok(false);
    };
    let sql = format!("DROP DATABASE {}", quoted_ident(&name));
    admin.batch_execute(&sql).map_err(|error| {
        let doing = format!("cannot drop what is left of the database {name}");
        Error::caused(ErrorKind::Environment, doing, error)
    })?;
    Ok(true)
}

/// The name of the database that a URL leads to: the server's word where it is there, else the one that the URL gives.
pub fn name(url: &Url) -> Result<String, Error> {
    match identify(url)? {
        Some(identity) => Ok(identity.name),
        None => written_name(url),
    }
}

/// The name that a URL gives a database which need not be there.
pub fn written_name(url: &Url) -> Result<String, Error> {
    url.database().ok_or_else(|| {
        Error::input(format!("{url} names no database"))
            .hint("write its name at the end of the URL, as dbname=…, or in PGDATABASE")
    })
}

/// Makes the database unless it is there, and says whether it did.
pub fn create(url: &Url) -> Result<bool, Error> {
    if identify(url)?.is_some() {
        return Ok(false);
    }
    let name = written_name(url)?;
    if name.len() > LONGEST_NAME {
        return Err(Error::input(format!(
            "the name {name} has {} bytes, and PostgreSQL cuts a database's name to {LONGEST_NAME}; nothing was made",
            name.len()
        ))
        .hint("write a shorter one"));
    }
    remove_remains(url)?;
    let sql = format!("CREATE DATABASE {}", quoted_ident(&name));
    let mut admin = admin(url, &name)?;
    admin.batch_execute(&sql).map_err(|error| {
        let doing = format!("cannot make the database {name}");
        Error::caused(ErrorKind::Environment, doing, error)
            .hint("the user needs the right to (ALTER ROLE … CREATEDB), or somebody who has it makes the database")
    })?;
    match identify(url)? {
        Some(made) if made.name == name && made.is_of_server(&mut admin)? => Ok(true),
        Some(_) | None => Err(Error::new(
            ErrorKind::Environment,
            format!("the database {name} was made, and {url} does not lead to it"),
        )
        .hint(
            "a pooler or a list of hosts in between leads elsewhere: use the server's own address",
        )),
    }
}

/// Removes the database that is meant, to which the URL leads, whoever is connected to it.
pub fn remove(url: &Url, meant: &Identity) -> Result<(), Error> {
    let mut admin = admin(url, &meant.name)?;
    if !meant.is_of_server(&mut admin)? {
        return Err(Error::new(
            ErrorKind::Environment,
            format!(
                "{url} leads to more than one server, and {} of the one is not {} of the other; nothing was dropped",
                meant.name, meant.name
            ),
        )
        .hint("write the address of one server"));
    }
    let sql = format!("DROP DATABASE {} WITH (FORCE)", quoted_ident(&meant.name));
    admin.batch_execute(&sql).map_err(|error| {
        let doing = format!("cannot drop the database {}", meant.name);
        Error::caused(ErrorKind::Environment, doing, error)
    })
}

/// A session in another database of the same server than `own`.
fn admin(url: &Url, own: &str) -> Result<PgConnection, Error> {
    let mut failed = None;
    for name in ALWAYS_THERE.iter().filter(|name| own != **name) {
        match connect(&url.with_database(name)) {
            Ok(connection) => return Ok(connection),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.map_or_else(
        || Error::input("there is no other database to connect to meanwhile"),
        Error::from,
    ))
}

/// True if the database has no relations but those of extensions.
pub fn is_empty(connection: &mut PgConnection) -> QueryResult<bool> {
    let query = "NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'))";
    diesel::select(diesel::dsl::sql::<Bool>(query)).get_result(connection)
}
