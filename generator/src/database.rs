//! Databases as a whole: made, removed, emptied.
//!
//! Invariant: what is made, removed or emptied is the database that a session on the URL says it is in, never a name that
//! was taken from the URL's text alone.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use trueup::name::quoted_ident;

use crate::connection::{ConnectError, connect};
use crate::url::Url;
use crate::{Error, ErrorKind, Project, source};

mod identity;
mod unmanaged;

pub use identity::Identity;
pub use unmanaged::unmanaged_tables;

/// The databases that every server has, and that one connects to in order to make another.
const ALWAYS_THERE: &[&str] = &["postgres", "template1"];

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
        Err(error) => Err(error.into()),
    }
}

/// The name of the database that a URL leads to: the server's word where it is there, else the one that the URL gives.
pub fn name(url: &Url) -> Result<String, Error> {
    match identify(url)? {
        Some(identity) => Ok(identity.name),
        None => written_name(url),
    }
}

fn written_name(url: &Url) -> Result<String, Error> {
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

/// Removes the database, whoever is connected to it, and says whether it was there.
pub fn remove(url: &Url) -> Result<bool, Error> {
    let Some(meant) = identify(url)? else {
        return Ok(false);
    };
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
    })?;
    Ok(true)
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

/// Whether nobody has made anything in the database yet.
pub fn is_empty(connection: &mut PgConnection) -> QueryResult<bool> {
    let query = "NOT EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'))";
    diesel::select(diesel::dsl::sql::<Bool>(query)).get_result(connection)
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    words: String,
}

/// The namespaces that are nobody's but the user's.
const NAMESPACES: &str = "
    SELECT nspname::text AS words FROM pg_catalog.pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1";

/// All that stands in a namespace, in the words of a `DROP`; what is a part of something else, of an extension or of a column, goes with that, and the
/// extensions in `$2` stay.
const CONTENTS: &str = "
    SELECT pg_catalog.format('DROP %s IF EXISTS %s CASCADE',
                             CASE o.type WHEN 'composite type' THEN 'type' ELSE o.type END, o.identity) AS words
    FROM pg_catalog.pg_depend d, pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND d.refobjid = pg_catalog.to_regnamespace($1) AND d.deptype = 'n'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                      WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype IN ('e', 'i'))
      AND NOT (d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND o.identity = ANY ($2))
    ORDER BY 1";

/// Empties the namespaces that the migrations make or make something in, record of applied migrations included. What
/// other namespaces hold stays, and so do extensions that no migration makes. Returns the namespaces.
pub fn empty(project: &Project, url: &Url) -> Result<Vec<String>, Error> {
    // The replay is also the proof that there is a way back up.
    let replayed = source::replay(project.scratch(None)?, &project.migrations)?;
    let mut made = connect(&replayed.url)?;
    let managed = namespaces(&mut made)?;
    let mut live = connect(url)?;
    let theirs: BTreeSet<String> = extensions(&mut live)?
        .difference(&extensions(&mut made)?)
        .map(|name| quoted_ident(name))
        .collect();
    let theirs: Vec<String> = theirs.into_iter().collect();
    let there: BTreeSet<String> = namespaces(&mut live)?.into_iter().collect();
    live.transaction(|live| {
        live.batch_execute(
            "SET LOCAL lock_timeout = '5s'; SET LOCAL client_min_messages = warning",
        )?;
        for namespace in managed.iter().filter(|name| there.contains(*name)) {
            if namespace != "public" {
                live.batch_execute(&format!("DROP SCHEMA {} CASCADE", quoted_ident(namespace)))?;
                continue;
            }
            let contents: Vec<Words> = diesel::sql_query(CONTENTS)
                .bind::<Text, _>(quoted_ident(namespace))
                .bind::<Array<Text>, _>(&theirs)
                .load(live)?;
            for Words { words } in contents {
                live.batch_execute(&words)?;
            }
        }
        live.batch_execute("DROP TABLE IF EXISTS __diesel_schema_migrations")
    })
    .map_err(|error| {
        Error::caused(
            ErrorKind::Environment,
            "the database could not be emptied, and is as it was",
            error,
        )
    })?;
    Ok(managed)
}

fn namespaces(connection: &mut PgConnection) -> QueryResult<Vec<String>> {
    let found: Vec<Words> = diesel::sql_query(NAMESPACES).load(connection)?;
    Ok(found.into_iter().map(|found| found.words).collect())
}

fn extensions(connection: &mut PgConnection) -> QueryResult<BTreeSet<String>> {
    let query = "SELECT extname::text AS words FROM pg_catalog.pg_extension";
    let found: Vec<Words> = diesel::sql_query(query).load(connection)?;
    Ok(found.into_iter().map(|found| found.words).collect())
}
