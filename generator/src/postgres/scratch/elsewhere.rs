//! Throw-away databases on a server that is not ours.
//!
//! Their names hold the number of an advisory lock that our session holds: it is free as soon as the session ends, however it
//! ends, and so tells the next run what to remove. Advisory locks belong to one database, hence its number in the name too.

use std::hash::{BuildHasher, RandomState};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Oid, Text};

use trueup::name::{literal, quoted_ident};

use super::live::{self, Registration};
use super::{Host, ScratchError};
use crate::postgres::connection::connect;
use crate::postgres::url::Url;

/// The upper half of our locks' numbers, so that they are nobody else's.
const LOCKS: i64 = 0x7472_7565 << 32;

/// The throw-away databases of this process on somebody's server.
#[derive(Debug)]
pub(super) struct Elsewhere {
    prefix: String,
    _registration: Registration,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Role {
    #[diesel(sql_type = Text)]
    name: String,
    /// The prefix of the process that made it.
    #[diesel(sql_type = Text)]
    of: String,
}

impl Elsewhere {
    pub(super) fn new(admin: &mut PgConnection, url: &Url) -> Result<Self, ScratchError> {
        let prefix = claim(admin).map_err(ScratchError::sql("prepare throw-away databases"))?;
        let (later_url, later_prefix) = (url.clone(), prefix.clone());
        let registration = live::register(move || {
            if let Ok(mut admin) = connect(&later_url) {
                // The session may be about to make another one.
                let _ = end_holder(&mut admin, &later_prefix);
                let _ = remove_all(&mut admin, &later_prefix);
            }
        });
        Ok(Self {
            prefix,
            _registration: registration,
        })
    }

    /// Makes a role, and notes on it whose it is.
    pub(super) fn make_role(&self, admin: &mut PgConnection, role: &str) -> QueryResult<()> {
        let role = quoted_ident(role);
        admin.transaction(|admin| {
            admin.batch_execute(&format!(
                "CREATE ROLE {role}; COMMENT ON ROLE {role} IS {}",
                literal(&self.prefix)
            ))
        })
    }

    /// Drops the databases and roles of this process, in a new session where the old one was cut off. A role that somebody
    /// else's database has come to need meanwhile stays.
    pub(super) fn remove(&self, admin: &mut PgConnection, url: &Url) {
        if remove_all(admin, &self.prefix).is_err()
            && let Ok(mut admin) = connect(url)
        {
            let _ = remove_all(&mut admin, &self.prefix);
        }
    }

    /// The prefix of this process's database names.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// The common prefix of all scratch databases, whoever made them.
const COMMON: &str = "trueup_scratch_";

/// Sweeps what others left, and takes a lock for ourselves.
fn claim(admin: &mut PgConnection) -> QueryResult<String> {
    let here =
        "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";
    let here: u32 = diesel::select(diesel::dsl::sql::<Oid>(here)).get_result(admin)?;
    sweep(admin)?;
    loop {
        let number = RandomState::new().hash_one(std::process::id()) & 0xffff_ffff;
        let locked = diesel::sql_query("SELECT pg_catalog.pg_try_advisory_lock($1) AS done")
            .bind::<BigInt, _>(LOCKS | number.cast_signed())
            .get_result::<Answer>(admin)?;
        if locked.done {
            return Ok(format!("{COMMON}{here}_{number:08x}"));
        }
    }
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    done: bool,
}

/// The lock that a name tells of, as `pg_locks` shows it in every database of the server: the database in which it is
/// held, and the lower half of its number.
fn holder(name: &str) -> Option<(i64, i64)> {
    let (database, number) = name.strip_prefix(COMMON)?.split_once('_')?;
    let number = u32::from_str_radix(number.get(..8)?, 16).ok()?;
    Some((database.parse::<u32>().ok()?.into(), number.into()))
}

/// True if the process that a name tells of has ended. It took its lock before it made anything, and nobody takes that again.
fn is_gone(admin: &mut PgConnection, name: &str) -> QueryResult<bool> {
    let Some((database, number)) = holder(name) else {
        return Ok(false);
    };
    let query = "
        SELECT NOT EXISTS (
            SELECT FROM pg_catalog.pg_locks
            WHERE locktype = 'advisory' AND objsubid = 1 AND database = $1::oid AND classid = ($2 >> 32)::oid AND objid = $3::oid
        ) AS done";
    diesel::sql_query(query)
        .bind::<BigInt, _>(database)
        .bind::<BigInt, _>(LOCKS)
        .bind::<BigInt, _>(number)
        .get_result(admin)
        .map(|answer: Answer| answer.done)
}

/// Ends the session that holds the lock that a name tells of.
fn end_holder(admin: &mut PgConnection, name: &str) -> QueryResult<()> {
    let Some((database, number)) = holder(name) else {
        return Ok(());
    };
    let query = "
        SELECT pg_catalog.pg_terminate_backend(pid, 5000)
        FROM pg_catalog.pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND database = $1::oid AND classid = ($2 >> 32)::oid AND objid = $3::oid";
    diesel::sql_query(query)
        .bind::<BigInt, _>(database)
        .bind::<BigInt, _>(LOCKS)
        .bind::<BigInt, _>(number)
        .execute(admin)
        .map(|_| ())
}

/// Removes the databases and roles of processes that have ended, as far as this user may.
fn sweep(admin: &mut PgConnection) -> QueryResult<()> {
    for name in named(admin, COMMON)? {
        if is_gone(admin, &name)? {
            let _ = Host::drop_database(admin, &name);
        }
    }
    for Role { name, of } in roles(admin, COMMON)? {
        if is_gone(admin, &of)? {
            // One that a database needs stays.
            let _ = admin.batch_execute(&format!("DROP ROLE {}", quoted_ident(&name)));
        }
    }
    Ok(())
}

fn drop_roles(admin: &mut PgConnection, prefix: &str) -> QueryResult<()> {
    for Role { name, .. } in roles(admin, prefix)? {
        // One that a database needs stays.
        let _ = admin.batch_execute(&format!("DROP ROLE {}", quoted_ident(&name)));
    }
    Ok(())
}

/// The roles that were made for processes whose prefix begins so.
fn roles(admin: &mut PgConnection, prefix: &str) -> QueryResult<Vec<Role>> {
    let query = "
        SELECT rolname::text AS name, pg_catalog.shobj_description(oid, 'pg_authid') AS of
        FROM pg_catalog.pg_roles
        WHERE pg_catalog.starts_with(pg_catalog.shobj_description(oid, 'pg_authid'), $1)";
    diesel::sql_query(query).bind::<Text, _>(prefix).load(admin)
}

/// Removes every database whose name begins so.
fn remove_all(admin: &mut PgConnection, prefix: &str) -> QueryResult<()> {
    named(admin, prefix)?
        .iter()
        .try_for_each(|name| Host::drop_database(admin, name))?;
    drop_roles(admin, prefix)
}

fn named(admin: &mut PgConnection, prefix: &str) -> QueryResult<Vec<String>> {
    let query = "SELECT datname::text AS name FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname::text, $1)";
    let found: Vec<Found> = diesel::sql_query(query)
        .bind::<Text, _>(prefix)
        .load(admin)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}
