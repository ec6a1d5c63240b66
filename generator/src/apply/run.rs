//! One migration through Diesel's harness.

use std::error::Error;

use diesel::connection::BoxableConnection;
use diesel::migration::{self, MigrationMetadata, MigrationName, MigrationVersion};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;

use super::ApplyError;
use crate::connection::{SqlError, run_sql};
use crate::migration::Migration;

/// Which of the two files is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// What Diesel's harness gave back.
pub(super) struct Failed(Box<dyn Error + Send + Sync>);

impl Failed {
    pub(super) fn into_error(self, migration: &Migration, done: Vec<String>) -> ApplyError {
        let name = migration.name.clone();
        match self.0.downcast::<SqlError>() {
            Ok(failure) => ApplyError::Failed {
                name,
                failure,
                in_transaction: migration.run_in_transaction,
                done,
            },
            Err(other) => ApplyError::NotRecorded {
                name,
                message: other.to_string(),
            },
        }
    }
}

/// Runs one migration and records it, in one transaction unless it is not to run in one.
pub(super) fn run(
    connection: &mut PgConnection,
    migration: &Migration,
    direction: Direction,
) -> Result<(), Failed> {
    let diesels = Diesels(migration);
    let done = match direction {
        Direction::Up => connection.run_migration(&diesels),
        Direction::Down => connection.revert_migration(&diesels),
    };
    done.map(|_| ()).map_err(Failed)
}

/// A migration as Diesel sees it. Diesel's own [`diesel_migrations::FileBasedMigrations`] sends a file in one piece, and then
/// Postgres does not say which statement failed.
struct Diesels<'a>(&'a Migration);

impl diesel::migration::Migration<Pg> for Diesels<'_> {
    fn run(&self, connection: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.send(connection, "up.sql", &self.0.up)
    }

    fn revert(&self, connection: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        self.send(
            connection,
            "down.sql",
            self.0.down.as_deref().unwrap_or_default(),
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
            &self.0.dir.join(file).to_string_lossy(),
        )?)
    }
}

impl MigrationMetadata for Diesels<'_> {
    fn run_in_transaction(&self) -> bool {
        self.0.run_in_transaction
    }
}

impl MigrationName for Diesels<'_> {
    fn version(&self) -> MigrationVersion<'_> {
        MigrationVersion::from(self.0.version.as_str())
    }
}

impl std::fmt::Display for Diesels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.name)
    }
}
