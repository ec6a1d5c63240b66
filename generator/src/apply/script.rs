//! The SQL that applies migrations, for whoever runs it elsewhere: with Diesel's record, and without a database at hand.

use diesel::migration::CREATE_MIGRATIONS_TABLE;

use trueup::{name::literal, one_line};

use super::run::Direction;
use super::steering;
use super::{ApplyError, UpTarget, find};
use crate::connection::{PINNED, ended};
use crate::migration::Migration;

/// Writes what `upgrade` would run on a database that has all up to `from`, or nothing. The second of what is returned are
/// the migrations that are in it.
pub fn script<'a>(
    migrations: &'a [Migration],
    from: Option<&str>,
    target: &UpTarget,
) -> Result<(String, Vec<&'a Migration>), ApplyError> {
    let from = from.map(|from| find(migrations, from)).transpose()?;
    let pending = migrations
        .iter()
        .filter(|one| from.is_none_or(|from| one.version > from.version))
        .collect();
    let chosen = target.choose(migrations, pending)?;
    let mut text = String::new();
    for (name, value) in PINNED {
        text += &format!("SET {name} = '{value}';\n");
    }
    if from.is_none() {
        text += &format!("\n{CREATE_MIGRATIONS_TABLE}");
    }
    for migration in &chosen {
        let is_one = steering::left_out(migration, Direction::Up).is_some();
        let (begin, commit, up) = if migration.run_in_transaction || is_one {
            let up = steering::within(migration, Direction::Up)?;
            ("BEGIN;\n\n", "\nCOMMIT;\n", up)
        } else {
            steering::check(migration, Direction::Up)?;
            ("", "", migration.up.clone())
        };
        text += &format!(
            "\n-- migration {}\n{begin}{}\nINSERT INTO __diesel_schema_migrations (version) VALUES ({});\n{commit}",
            // A folder may be called anything, and its name up to the first `_` is the version.
            one_line(&migration.name),
            ended(&up),
            literal(&migration.version),
        );
    }
    Ok((text, chosen))
}
