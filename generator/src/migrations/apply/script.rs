//! The SQL that applies migrations, for whoever runs it elsewhere: with Diesel's record, and without a database at hand.

use diesel::migration::CREATE_MIGRATIONS_TABLE;

use trueup::{name::literal, one_line};
use trueup_startup::IS_RECORD;

use super::run::Direction;
use super::steering;
use super::{ApplyError, UpTarget, find};
use crate::migrations::folder::Migration;
use crate::postgres::connection::{PINNED, ended};

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
    text += &record(from.is_none());
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
            "\n-- migration {}\n{begin}{}\n{}{commit}",
            // A folder may be called anything, and its name up to the first `_` is the version.
            one_line(&migration.name),
            ended(&up),
            recorded(&migration.version),
        );
    }
    Ok((text, chosen))
}

/// The setting of the session in which the record's qualified name stands: a migration may change the search path, or make a
/// namespace that comes first in it.
const SETTING: &str = "trueup.record";

/// Looks the record up, or makes it as Diesel would.
fn record(may_make: bool) -> String {
    let find = format!(
        "records := ARRAY(
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE {IS_RECORD});"
    );
    let missing = if may_make {
        let create = CREATE_MIGRATIONS_TABLE.trim_end().trim_end_matches(';');
        format!("{create};\n        {find}")
    } else {
        "RAISE EXCEPTION 'this database has no record of applied migrations';".to_owned()
    };
    let body = format!(
        "DECLARE
    records text[];
BEGIN
    {find}
    IF pg_catalog.cardinality(records) = 0 THEN
        {missing}
    END IF;
    IF pg_catalog.cardinality(records) > 1 THEN
        RAISE EXCEPTION 'there is more than one record of applied migrations: %', records;
    END IF;
    PERFORM pg_catalog.set_config('{SETTING}', records[1], false);
END"
    );
    format!(
        "\n-- the record of applied migrations, in whatever namespace\nDO $record$\n{body}\n$record$;\n"
    )
}

/// Records a version, which may be any text: a dollar quote would not hold it.
fn recorded(version: &str) -> String {
    let insert = format!(
        "BEGIN EXECUTE 'INSERT INTO ' || pg_catalog.current_setting('{SETTING}') || ' (version) VALUES ($1)' USING {}; END",
        literal(version)
    );
    format!("DO {};\n", literal(&insert))
}
