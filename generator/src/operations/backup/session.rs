//! The session of a `pg_dump` or `pg_restore` on the server: it may outlive its program, and only there is known whether a
//! restore was committed.

use std::fmt;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::postgres::connection::{ConnectError, connect};
use crate::postgres::url::Url;

/// The longest time that the server may take to end a session.
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(20);

/// Objects that people made, each with a number that no other object gets: a restore that is committed made them anew.
const OBJECTS: &str = "
    SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(class || ' ' || oid, ',' ORDER BY class, oid), '')) AS text
    FROM (
        SELECT 'class' AS class, oid FROM pg_catalog.pg_class
        UNION ALL SELECT 'type', oid FROM pg_catalog.pg_type
        UNION ALL SELECT 'proc', oid FROM pg_catalog.pg_proc
        UNION ALL SELECT 'namespace', oid FROM pg_catalog.pg_namespace
        UNION ALL SELECT 'constraint', oid FROM pg_catalog.pg_constraint
        UNION ALL SELECT 'extension', oid FROM pg_catalog.pg_extension
        UNION ALL SELECT 'publication', oid FROM pg_catalog.pg_publication
        UNION ALL SELECT 'event trigger', oid FROM pg_catalog.pg_event_trigger
    ) objects
    WHERE oid >= 16384";

/// A session by its name.
#[derive(Debug, Clone)]
pub(super) struct Session {
    url: Url,
    name: String,
}

/// A restore, and the database as it was before.
#[derive(Debug, Clone)]
pub(super) struct Restore {
    session: Session,
    before: String,
}

/// The outcome of an interrupted restore.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The database is as it was.
    Nothing,
    /// It is not as it was.
    Restored,
    /// Nobody can tell now.
    Unknown(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing was restored: it is all or nothing"),
            Self::Restored => f.write_str(
                "pg_restore had committed before it ended: all of the backup is restored; `trueup status` says what is applied",
            ),
            Self::Unknown(why) => write!(
                f,
                "the backup is restored as a whole or not at all, and which of both is not known: {why}; \
                 `trueup status` will say what is applied"
            ),
        }
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Session {
    pub(super) fn new(url: &Url, does: &str) -> Self {
        let name = format!(
            "trueup {does} {}-{:08x}",
            std::process::id(),
            fastrand::u32(..)
        );
        Self {
            url: url.with_parameter("application_name", &name),
            name,
        }
    }

    /// The URL, with the session's name as `application_name`.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Ends it, where it outlives its program, and returns a session that looks on.
    pub(super) fn end(&self) -> Result<PgConnection, String> {
        let url = self.url.with_parameter("application_name", "trueup");
        let mut connection = connect(&url).map_err(|error: ConnectError| error.to_string())?;
        let begun = Instant::now();
        // One that is idle belongs to a pooler.
        let end = "
            SELECT pg_catalog.count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(pid) IS NOT NULL) AS number
            FROM pg_catalog.pg_stat_activity
            WHERE application_name = $1 AND state IS DISTINCT FROM 'idle' AND usename = current_user";
        loop {
            let left: Count = diesel::sql_query(end)
                .bind::<Text, _>(&self.name)
                .get_result(&mut connection)
                .map_err(|error| error.to_string())?;
            if left.number == 0 {
                return Ok(connection);
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!(
                    "the server has not ended its session `{}` yet",
                    self.name
                ));
            }
            thread::sleep(TICK);
        }
    }
}

impl Restore {
    pub(super) fn new(connection: &mut PgConnection, session: Session) -> QueryResult<Self> {
        let before = objects(connection)?;
        Ok(Self { session, before })
    }

    /// Its outcome where its program ended so.
    pub(super) fn outcome(&self, status: ExitStatus) -> Outcome {
        if status.success() {
            Outcome::Restored
        } else {
            self.ended()
        }
    }

    /// Its outcome once its session has ended.
    pub(super) fn ended(&self) -> Outcome {
        let after = self
            .session
            .end()
            .and_then(|mut connection| objects(&mut connection).map_err(|error| error.to_string()));
        match after {
            Ok(after) if after == self.before => Outcome::Nothing,
            Ok(_) => Outcome::Restored,
            Err(why) => Outcome::Unknown(why),
        }
    }
}

fn objects(connection: &mut PgConnection) -> QueryResult<String> {
    let found: Line = diesel::sql_query(OBJECTS).get_result(connection)?;
    Ok(found.text)
}
