//! Can the application use its database now? Asked often, so it is two short questions and no scratch.

use std::time::Instant;

use serde::Serialize;

use crate::{apply, connection::connect, migration, url::Url};

/// What a probe goes by.
#[derive(Debug, Serialize)]
pub struct Health {
    /// Whether the database answers and has every migration.
    pub healthy: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The newest migration that is applied.
    pub version: Option<String>,
    /// How many migrations are not applied.
    pub pending: usize,
    /// How long the answer took.
    pub milliseconds: u64,
}

/// Asks the database.
#[must_use]
pub fn health(url: &Url, migrations: &std::path::Path) -> Health {
    let begun = Instant::now();
    let mut health = Health {
        healthy: false,
        reason: None,
        version: None,
        pending: 0,
        milliseconds: 0,
    };
    health.reason = ask(url, migrations, &mut health).err();
    health.healthy = health.reason.is_none();
    health.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    health
}

fn ask(url: &Url, migrations: &std::path::Path, health: &mut Health) -> Result<(), String> {
    let known = migration::read(migrations).map_err(|error| error.to_string())?;
    // Whoever probes has less patience than a person.
    let patient = url.with_default("connect_timeout", "3");
    let mut connection = connect(&patient).map_err(|error| error.to_string())?;
    let applied = apply::applied(&mut connection).map_err(|error| error.to_string())?;
    health.version = applied.last().cloned();
    let pending = apply::pending(&known, &applied);
    health.pending = pending.len();
    match pending.as_slice() {
        [] => Ok(()),
        [one] => Err(format!("{} is not applied", one.name)),
        [first, rest @ ..] => Err(format!(
            "{} and {} more are not applied",
            first.name,
            rest.len()
        )),
    }
}
