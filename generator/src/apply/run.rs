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
use super::steering::{self, Partly, Refused};
use crate::connection::{self, Code, SqlError, Steering, is_one_transaction, run_sql};
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

    /// Where that file is.
    pub(super) fn path(self, migration: &Migration) -> String {
        let file = match self {
            Self::Up => "up.sql",
            Self::Down => "down.sql",
        };
        migration.dir.join(file).to_string_lossy().into_owned()
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

    pub(super) fn into_error(
        self,
        migration: &Migration,
        direction: Direction,
        done: Vec<String>,
    ) -> ApplyError {
        let name = migration.name.clone();
        let rolled_back = runs_in_transaction(migration, direction);
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
        let error = match error.downcast::<SqlError>() {
            Ok(failure) => {
                return ApplyError::Failed {
                    name,
                    failure,
                    in_transaction: migration.run_in_transaction,
                    rolled_back,
                    done,
                };
            }
            Err(other) => other,
        };
        let error = match error.downcast::<Partly>() {
            Ok(partly) => {
                let Partly { failure, line } = *partly;
                return ApplyError::Partly {
                    name,
                    failure,
                    line,
                    done,
                };
            }
            Err(other) => other,
        };
        match error.downcast::<Refused>() {
            Ok(refused) => {
                let Refused { why, statement } = *refused;
                ApplyError::Steers {
                    name,
                    why,
                    statement,
                }
            }
            Err(other) => at_its_end(name, rolled_back, &*other),
        }
    }
}

/// What went wrong after the last statement: at the record, or at the commit.
fn at_its_end(
    name: String,
    rolled_back: bool,
    error: &(dyn Error + Send + Sync + 'static),
) -> ApplyError {
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
        Some(_) | None => ApplyError::NotRecorded {
            name,
            rolled_back,
            message,
        },
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
        in_transaction: runs_in_transaction(migration, direction),
    };
    let done = match direction {
        Direction::Up => connection.run_migration(&diesels),
        Direction::Down => connection.revert_migration(&diesels),
    };
    done.map(|_| ()).map_err(Failed::Harness)
}

/// True if a migration is all or nothing, together with its record.
fn runs_in_transaction(migration: &Migration, direction: Direction) -> bool {
    migration.run_in_transaction || is_one_transaction(direction.sql(migration))
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
        self.send(connection, Direction::Up)
    }

    fn revert(&self, connection: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.send(connection, Direction::Down)
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
        direction: Direction,
    ) -> migration::Result<()> {
        let connection = connection
            .downcast_mut::<PgConnection>()
            .ok_or("this is no connection to Postgres")?;
        let (sql, path) = (
            direction.sql(self.migration),
            direction.path(self.migration),
        );
        if let Some(refused) = steering::refused(sql, &path, self.in_transaction) {
            return Err(Box::new(refused));
        }
        match connection::steering(sql) {
            Some(Steering::Several(all)) => steering::run_several(connection, sql, &path, &all),
            Some(Steering::One { .. } | Steering::Broken(..)) | None => {
                Ok(run_sql(connection, sql, &path)?)
            }
        }
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
