//! The newest migrations, back and there again.

use std::path::Path;

use diesel::prelude::*;

use super::lock::with_lock;
use super::run::Direction;
use super::{
    AppliedReport, ApplyError, DownTarget, Options, applied, run_all, to_take_back, unfinished,
    with_down,
};
use crate::migrations::folder::{self, Migration};

/// Takes so many applied migrations back and applies them again, or finishes an interrupted redo. Returns the migrations that ran
/// down, and those that ran up.
pub fn redo(
    connection: &mut PgConnection,
    dir: &Path,
    target: &DownTarget,
    options: Options<'_>,
) -> Result<[Vec<AppliedReport>; 2], ApplyError> {
    let migrations = folder::read(dir)?;
    with_lock(connection, options, |connection| {
        let cut_off = unfinished::before_redo(connection, &migrations, options)?;
        let (chosen, all) = if cut_off.is_empty() {
            let chosen = to_take_back(connection, &migrations, target)?;
            unfinished::begin_redo(connection, &chosen, options)?;
            (chosen.clone(), chosen)
        } else {
            let applied = applied(connection)?;
            let is_cut_off = |one: &&Migration| cut_off.contains(&one.version);
            let all: Vec<_> = migrations.iter().filter(is_cut_off).rev().collect();
            let is_there = |version: &&String| cut_off.contains(version);
            let left: Vec<_> = applied.iter().filter(is_there).cloned().collect();
            (with_down(&migrations, &left)?, all)
        };
        back_and_again(connection, &chosen, &all, options)
    })
}

/// Takes `chosen` back and applies `all`; both are the newest first.
fn back_and_again(
    connection: &mut PgConnection,
    chosen: &[&Migration],
    all: &[&Migration],
    options: Options<'_>,
) -> Result<[Vec<AppliedReport>; 2], ApplyError> {
    let back = match run_all(connection, chosen, Direction::Down, options) {
        Ok(back) => back,
        Err(error) => {
            // Nobody wants that finished of which nothing was done.
            if error.done().is_empty() && chosen.len() == all.len() {
                unfinished::end_redo(connection, all);
            }
            return Err(error);
        }
    };
    let again: Vec<_> = all.iter().rev().copied().collect();
    let again = run_all(connection, &again, Direction::Up, options)?;
    Ok([back, again])
}
