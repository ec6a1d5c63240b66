//! Which database of which server a session is in, by the server's own word.

use diesel::prelude::*;
use diesel::sql_types::{Oid, Text};

use crate::{Error, ErrorKind};

/// A database, told apart from one of the same name on another server.
#[derive(Clone, PartialEq, Eq, Debug, QueryableByName)]
pub struct Identity {
    /// The database's name.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Oid)]
    oid: u32,
    /// The start of the server, to the microsecond: any role may ask for it.
    #[diesel(sql_type = Text)]
    started: String,
}

const IDENTITY: &str = "
    SELECT d.datname::text AS name, d.oid, pg_catalog.pg_postmaster_start_time()::text AS started
    FROM pg_catalog.pg_database d WHERE d.datname = ";

impl Identity {
    /// The database that the session is in.
    pub fn of(connection: &mut PgConnection) -> QueryResult<Self> {
        diesel::sql_query(format!("{IDENTITY} pg_catalog.current_database()"))
            .get_result(connection)
    }

    /// Fails where a session is in another database than the one that is meant: a URL may lead to more than one.
    pub fn expect(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let found = Self::of(connection)?;
        if found == *self {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Environment,
            format!(
                "the database that was asked about is {}, and the next session is in {} of another server or of another \
                 beginning; nothing was done",
                self.name, found.name
            ),
        )
        .hint("write the address of one server"))
    }

    /// True if a session in any database of a server sees this database there, of this name and identity.
    pub fn is_of_server(&self, connection: &mut PgConnection) -> QueryResult<bool> {
        let there: Option<Self> = diesel::sql_query(format!("{IDENTITY} $1"))
            .bind::<Text, _>(&self.name)
            .get_result(connection)
            .optional()?;
        Ok(there.as_ref() == Some(self))
    }
}
