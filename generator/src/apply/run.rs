//! One migration through Diesel's harness.

use std::error::Error;

use diesel::connection::BoxableConnection;
use diesel::migration::{self, MigrationMetadata, MigrationName, MigrationVersion};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as Failure};
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;

use super::ApplyError;
use crate::connection::{Code, SqlError, is_one_transaction, run_sql};
use crate::migration::Migration;

/// Which of the two files is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Direction {
    /// The file that is run.
    pub(super) fn sql(self, migration: &Migration) -> &str {
        match self {
            Self::Up => &migration.up,
            Self::Down => migration.down.as_deref().unwrap_or_default(),
        }
    }
}

/// Why a migration did not run.
pub(super) enum Failed {
    /// What Diesel's harness gave back.
    Harness(Box<dyn Error + Send + Sync>),
    /// Others had what it needed, each time.
    Blocked { holder: Option<String>, times: u32 },
}

impl From<diesel::result::Error> for Failed {
    fn from(error: diesel::result::Error) -> Self {
        Self::Harness(Box::new(error))
    }
}

impl Failed {
    /// Whether it is worth trying again. The server may say it in any language; then what a second session saw must do.
    pub(super) fn is_for_want_of_a_lock(&self, was_blocked: bool) -> bool {
        let Self::Harness(error) = self else {
            return false;
        };
        let Some(error) = error.downcast_ref::<SqlError>() else {
            return false;
        };
        let says = |words| error.message.contains(words);
        says("lock timeout")
            || says("deadlock detected")
            || was_blocked && error.code == Code::Unnamed && !says("statement timeout")
    }

    pub(super) fn into_error(self, migration: &Migration, done: Vec<String>) -> ApplyError {
        let name = migration.name.clone();
        let error = match self {
            Self::Blocked { holder, times } => {
                return ApplyError::Blocked {
                    name,
                    holder,
                    times,
                    done,
                };
            }
            Self::Harness(error) => error,
        };
        match error.downcast::<SqlError>() {
            Ok(failure) => ApplyError::Failed {
                name,
                failure,
                in_transaction: migration.run_in_transaction,
                done,
            },
            Err(other) => at_its_end(name, &*other),
        }
    }
}

/// What went wrong after the last statement: at the record, or at the commit.
fn at_its_end(name: String, error: &(dyn Error + Send + Sync + 'static)) -> ApplyError {
    let message = error.to_string();
    let error = match error.downcast_ref::<Failure>() {
        Some(Failure::RollbackErrorOnCommit { commit_error, .. }) => Some(&**commit_error),
        other => other,
    };
    match error {
        Some(Failure::DatabaseError(DatabaseErrorKind::ClosedConnection, _)) => {
            ApplyError::Lost { name, message }
        }
        Some(Failure::DatabaseError(_, said))
            if said
                .table_name()
                .is_some_and(|table| table != "__diesel_schema_migrations") =>
        {
            ApplyError::Deferred { name, message }
        }
        Some(_) | None => ApplyError::NotRecorded { name, message },
    }
}

/// Runs one migration and records it, in one transaction unless it cannot run in one.
pub(super) fn run(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> Result<(), Failed> {
    let diesels = Diesels {
        migration,
        in_transaction: migration.run_in_transaction
            || is_one_transaction(direction.sql(migration)),
    };
    let done = match direction {
        Direction::Up => connection.run_migration(&diesels),
        Direction::Down => connection.revert_migration(&diesels),
    };
    done.map(|_| ()).map_err(Failed::Harness)
}

/// Records a migration that was run already, or no longer is.
pub(super) fn record(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> QueryResult<()> {
    let sql = match direction {
        Direction::Up => "INSERT INTO __diesel_schema_migrations (version) VALUES ($1)",
        Direction::Down => "DELETE FROM __diesel_schema_migrations WHERE version = $1",
    };
    diesel::sql_query(sql)
        .bind::<Text, _>(&migration.version)
        .execute(connection)
        .map(|_| ())
}

/// A migration as Diesel sees it. Diesel's own [`diesel_migrations::FileBasedMigrations`] sends a file in one piece, and then
/// Postgres does not say which statement failed.
struct Diesels<'a> {
    migration: &'a Migration,
    in_transaction: bool,
}

impl diesel::migration::Migration<Pg> for Diesels<'_> {
    fn run(&self, connection: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.send(connection, "up.sql", &self.migration.up)
    }

    fn revert(&self, connection: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.send(
            connection,
            "down.sql",
            self.migration.down.as_deref().unwrap_or_default(),
        )
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        self
    }
}

impl Diesels<'_> {
    fn send(
        &self,
        connection: &mut dyn BoxableConnection<Pg>,
        file: &str,
        sql: &str,
    ) -> migration::Result<()> {
        let connection = connection
            .downcast_mut::<PgConnection>()
            .ok_or("this is no connection to Postgres")?;
        Ok(run_sql(
            connection,
            sql,
            &self.migration.dir.join(file).to_string_lossy(),
        )?)
    }
}

impl MigrationMetadata for Diesels<'_> {
    fn run_in_transaction(&self) -> bool {
        self.in_transaction
    }
}

impl MigrationName for Diesels<'_> {
    fn version(&self) -> MigrationVersion<'_> {
        MigrationVersion::from(self.migration.version.as_str())
    }
}

impl std::fmt::Display for Diesels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.migration.name)
    }
}
