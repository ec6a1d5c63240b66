//! The newest migrations, back and there again.

use std::path::Path;

use diesel::prelude::*;

use super::lock::with_lock;
use super::run::Direction;
use super::{AppliedReport, ApplyError, DownTarget, Options, run_all, to_take_back};
use crate::migration;

/// Takes so many applied migrations back and applies them again; returns what ran on the way back, and on the way there.
pub fn redo(
    connection: &mut PgConnection,
    dir: &Path,
    target: &DownTarget,
    options: Options<'_>,
) -> Result<[Vec<AppliedReport>; 2], ApplyError> {
    let migrations = migration::read(dir)?;
    with_lock(connection, options, |connection| {
        let mut chosen = to_take_back(connection, &migrations, target)?;
        let back = run_all(connection, &chosen, Direction::Down, options)?;
        chosen.reverse();
        let again = run_all(connection, &chosen, Direction::Up, options)?;
        Ok([back, again])
    })
}
