//! Can the application use its database now? Asked often, so it is two short questions and no scratch.

use std::time::Instant;

use serde::Serialize;

use crate::{
    migrations::{
        apply::{self, Leftovers},
        folder,
    },
    postgres::{connection::connect, url::Url},
    scope::Scope,
};

/// The answer to a health probe.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// True if the database answers and has every migration.
    pub healthy: bool,
    /// Why not, in words for anybody who may ask over a network: without host, user or path.
    pub reason: Option<String>,
    /// All that is known about it, for whoever runs this.
    #[serde(skip)]
    pub detail: Option<String>,
    /// The newest migration that is applied.
    pub version: Option<String>,
    /// The number of pending migrations.
    pub pending: usize,
    /// INVALID indexes and half-detached partitions: the database is usable in spite of them.
    pub invalid: Vec<String>,
    /// The duration of the check in milliseconds.
    pub milliseconds: u64,
}

/// Asks the database.
#[must_use]
pub fn health(url: &Url, migrations: &std::path::Path, scope: &Scope) -> Health {
    let begun = Instant::now();
    let mut health = Health {
        healthy: false,
        reason: None,
        detail: None,
        version: None,
        pending: 0,
        invalid: Vec::new(),
        milliseconds: 0,
    };
    if let Err(Unwell { reason, detail }) = ask(url, migrations, scope, &mut health) {
        health.reason = Some(reason);
        health.detail = detail;
    }
    health.healthy = health.reason.is_none();
    health.milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    health
}

/// Why a database cannot be used.
struct Unwell {
    reason: String,
    detail: Option<String>,
}

impl Unwell {
    fn because(reason: &str, detail: &impl ToString) -> Self {
        Self {
            reason: reason.to_owned(),
            detail: Some(detail.to_string()),
        }
    }
}

fn ask(
    url: &Url,
    migrations: &std::path::Path,
    scope: &Scope,
    health: &mut Health,
) -> Result<(), Unwell> {
    let known = folder::read(migrations)
        .map_err(|error| Unwell::because("the migrations cannot be read", &error))?;
    let mut connection =
        connect(&impatient(url)).map_err(|error| Unwell::because(error.in_short(), &error))?;
    let applied = apply::applied(&mut connection).map_err(|error| {
        Unwell::because("the record of applied migrations cannot be read", &error)
    })?;
    health.version = applied.last().cloned();
    let pending = apply::pending(&known, &applied);
    health.pending = pending.len();
    let left = Leftovers::find(&mut connection, &known, scope)
        .map_err(|error| Unwell::because("what runs left cannot be read", &error))?;
    health.invalid = left.invalid;
    let cut_off = left.unfinished.into_iter().next();
    let reason = match (cut_off, pending.as_slice()) {
        (Some(cut_off), _) => cut_off,
        (None, []) => return Ok(()),
        (None, [one]) => format!("{} is not applied", one.name),
        (None, [first, rest @ ..]) => {
            format!("{} and {} more are not applied", first.name, rest.len())
        }
    };
    Err(Unwell {
        reason,
        detail: None,
    })
}

/// The same database for somebody with less patience than a person: an address that went silent is given up.
fn impatient(url: &Url) -> Url {
    const LIMITS: &[(&str, &str)] = &[
        ("connect_timeout", "3"),
        ("keepalives_idle", "3"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "10000"),
    ];
    let limited = |url: Url, (key, value): &(&str, &str)| url.with_default(key, value);
    LIMITS.iter().fold(url.clone(), limited)
}
