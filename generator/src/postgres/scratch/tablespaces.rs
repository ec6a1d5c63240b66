//! Tablespaces, by name alone: where files lie is no part of a schema, and a scratch has none of another server's disks.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use trueup::name::quoted_ident;

#[derive(QueryableByName)]
struct Tablespace {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Makes those of the server `there` that the server `here` does not have, within the folder of its cluster.
pub(super) fn make(here: &mut PgConnection, there: &mut PgConnection) -> QueryResult<()> {
    let wanted = made_by_people(there)?;
    make_named(here, wanted)
}

/// Makes those of these names that the server does not have, within the folder of its cluster.
pub(super) fn make_named(
    here: &mut PgConnection,
    wanted: impl IntoIterator<Item = String>,
) -> QueryResult<()> {
    let had = made_by_people(here)?;
    let mut missing: Vec<String> = wanted.into_iter().collect();
    missing.retain(|name| !had.contains(name));
    if missing.is_empty() {
        return Ok(());
    }
    here.batch_execute("SET allow_in_place_tablespaces = on")?;
    for name in missing {
        let name = quoted_ident(&name);
        here.batch_execute(&format!("CREATE TABLESPACE {name} LOCATION ''"))?;
    }
    Ok(())
}

fn made_by_people(connection: &mut PgConnection) -> QueryResult<Vec<String>> {
    let all = "SELECT spcname::text AS name FROM pg_catalog.pg_tablespace WHERE oid >= 16384 ORDER BY spcname";
    let rows: Vec<Tablespace> = diesel::sql_query(all).load(connection)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
