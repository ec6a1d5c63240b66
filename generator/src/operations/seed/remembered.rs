//! Which seeds a database has: by name and hash, beside Diesel's record.

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use crate::migrations::apply::Record;
use crate::migrations::noted::Noted;

/// The view that holds the notes. A name with this prefix is no part of a schema.
const VIEW: &str = "__trueup_seeds";

/// A seed that ran.
#[derive(Serialize, Deserialize)]
struct Ran {
    name: String,
    hash: String,
}

/// The seeds that a database has.
#[derive(Debug)]
pub struct Remembered(Noted);

impl Remembered {
    /// Finds the notes, or says where they will be; `None` where this user may not read or write them.
    pub fn prepare(connection: &mut PgConnection) -> Option<Self> {
        let noted = match Noted::find(connection, VIEW).ok()? {
            Some(found) => found,
            None => Noted::within(&namespace(connection)?, VIEW),
        };
        let known: Vec<Ran> = noted.read(connection).ok()?;
        if known.is_empty() && !may_note(connection, &noted) {
            return None;
        }
        Some(Self(noted))
    }

    /// True if a seed of this name ran with exactly this text.
    pub fn has(&self, connection: &mut PgConnection, name: &str, hash: &str) -> QueryResult<bool> {
        let known: Vec<Ran> = self.0.read(connection)?;
        Ok(known.iter().any(|ran| ran.name == name && ran.hash == hash))
    }

    pub(super) fn add(
        &self,
        connection: &mut PgConnection,
        name: &str,
        hash: &str,
    ) -> QueryResult<()> {
        // Another session may be adding one of its own.
        let lock = diesel::dsl::sql::<Text>(
            "pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('__trueup_seeds'))::text",
        );
        diesel::select(lock).get_result::<String>(connection)?;
        let mut known: Vec<Ran> = self.0.read(connection)?;
        known.retain(|ran| ran.name != name || ran.hash != hash);
        known.push(Ran {
            name: name.to_owned(),
            hash: hash.to_owned(),
        });
        self.0.write(connection, &known)
    }
}

/// The namespace of the record, or the one in which it would be made.
fn namespace(connection: &mut PgConnection) -> Option<String> {
    if let Some(record) = Record::find(connection).ok()? {
        return Some(record.namespace().to_owned());
    }
    let query = diesel::dsl::sql::<Text>("pg_catalog.current_schema()::text");
    diesel::select(query).get_result(connection).ok()
}

/// Tries it, and takes it back.
fn may_note(connection: &mut PgConnection, noted: &Noted) -> bool {
    let none = Ran {
        name: String::new(),
        hash: String::new(),
    };
    let mut is_written = false;
    let _ = connection.transaction(|connection| {
        is_written = noted.write(connection, &[none]).is_ok();
        QueryResult::<()>::Err(diesel::result::Error::RollbackTransaction)
    });
    is_written
}

/// Forgets all seeds of a database.
pub(crate) fn forget(connection: &mut PgConnection) -> QueryResult<()> {
    match Noted::find(connection, VIEW)? {
        Some(noted) => noted.write::<Ran>(connection, &[]),
        None => Ok(()),
    }
}
