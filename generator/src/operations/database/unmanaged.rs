//! Tables of a live database that no migration makes.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::{
    Error, Project,
    migrations::{apply, folder},
    postgres::{connection::connect, url::Url},
    source,
};

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Tables that are no partitions, of no extension, and not the record of migrations. Partitions come from scheduled jobs too.
const TABLES: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND c.relname !~ '^__(diesel_schema_migrations$|trueup_)'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1";

/// The tables of a database that the project's migrations do not make, by their qualified names.
///
/// Migrations that cannot be replayed make none: whoever is asked about a loss is asked about more, never about less.
pub fn unmanaged_tables(project: &Project, url: &Url) -> Result<Vec<String>, Error> {
    let there = tables(&mut connect(url)?)?;
    if there.is_empty() || !project.migrations.exists() {
        return Ok(there.into_iter().collect());
    }
    let made = made(project).unwrap_or_default();
    Ok(there.difference(&made).cloned().collect())
}

/// The versions that a database records, where none of them is of a migration of the project: it is another project's.
pub fn versions_of_others(project: &Project, url: &Url) -> Result<Vec<String>, Error> {
    let mut connection = connect(url)?;
    // A record that cannot be read says nothing of whose it is.
    let applied = apply::applied(&mut connection).unwrap_or_default();
    let known = if project.migrations.exists() {
        folder::read(&project.migrations).unwrap_or_default()
    } else {
        Vec::new()
    };
    let is_ours = |version: &String| {
        let mut all = known.iter();
        all.any(|one| one.version == *version || one.replaces(version).is_some())
    };
    Ok(if applied.iter().any(is_ours) {
        Vec::new()
    } else {
        applied
    })
}

/// The tables that the migrations make; those of the prelude stand for what somebody else makes.
fn made(project: &Project) -> Result<BTreeSet<String>, Error> {
    let replayed = source::replay(project, &project.migrations)?;
    let mut made = tables(&mut connect(&replayed.url)?)?;
    if project.presumed.prelude.is_some() {
        let before = tables(&mut source::empty(project, [])?.connect()?)?;
        made.retain(|table| !before.contains(table));
    }
    Ok(made)
}

fn tables(connection: &mut PgConnection) -> QueryResult<BTreeSet<String>> {
    let found: Vec<Named> = diesel::sql_query(TABLES).load(connection)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}
