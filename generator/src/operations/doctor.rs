//! Facts about a server and a user on it, for diagnosis.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use serde::Serialize;

use crate::{
    Error, Project,
    migrations::folder,
    postgres::{catalog, connection::connect, scratch::cluster, url::Url},
    source,
};
use trueup_startup::IS_RECORD;

/// A database, its server, and what the user may do there.
#[derive(Debug, QueryableByName, Serialize)]
pub struct Facts {
    /// The server's version, in its own words.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// The user that the session is for.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// The database.
    #[diesel(sql_type = Text)]
    pub database: String,
    /// True for a superuser.
    #[diesel(sql_type = Bool)]
    pub superuser: bool,
    /// True if the user may create databases.
    #[diesel(sql_type = Bool)]
    pub may_create_databases: bool,
    /// True if the user may create namespaces in this one.
    #[diesel(sql_type = Bool)]
    pub may_create_namespaces: bool,
    /// True if the user may create tables in the default namespace.
    #[diesel(sql_type = Bool)]
    pub may_create_tables: bool,
    /// True if transactions are read-only.
    #[diesel(sql_type = Bool)]
    pub read_only: bool,
    /// True for a standby.
    #[diesel(sql_type = Bool)]
    pub standby: bool,
    /// The extensions, with their versions.
    #[diesel(sql_type = Text)]
    pub extensions: String,
    /// The namespace in which its sessions make tables that are given none.
    #[diesel(sql_type = Nullable<Text>)]
    pub default_namespace: Option<String>,
    /// The tables of the name of Diesel's record of applied migrations.
    #[diesel(sql_type = Nullable<Text>)]
    pub record: Option<String>,
}

const FACTS: &str = "
    SELECT pg_catalog.current_setting('server_version') AS version,
           r.rolname::text AS user,
           pg_catalog.current_database()::text AS database,
           r.rolsuper AS superuser,
           r.rolcreatedb OR r.rolsuper AS may_create_databases,
           pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create_namespaces,
           coalesce(pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'CREATE'), false) AS may_create_tables,
           pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only,
           pg_catalog.pg_is_in_recovery() AS standby,
           coalesce((SELECT pg_catalog.string_agg(extname || ' ' || extversion, ', ' ORDER BY extname)
                     FROM pg_catalog.pg_extension), '') AS extensions,
           pg_catalog.current_schema()::text AS default_namespace,
           (SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, c.relname), ' and ' ORDER BY n.nspname)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE ";

/// Looks at a database and its server.
pub fn examine(url: &Url) -> Result<Facts, Error> {
    let mut connection = connect(url)?;
    let facts = format!(
        "{FACTS} {IS_RECORD}) AS record FROM pg_catalog.pg_roles r WHERE r.rolname = current_user"
    );
    Ok(diesel::sql_query(facts).get_result(&mut connection)?)
}

/// Properties of a scratch, found by starting one.
#[derive(Debug, Serialize)]
pub struct Furnished {
    /// Its version, in its own words.
    pub version: String,
    /// The number of roles but Postgres' own.
    pub roles: i64,
    /// The search path of its sessions.
    pub search_path: String,
    /// The extensions of the live database that it does not have, with their packages.
    pub lacking: Vec<String>,
    /// The tablespaces that migrations or the live database use, and that it neither has nor can be given.
    pub no_tablespaces: Vec<String>,
    /// True if its user is a superuser.
    pub superuser: bool,
}

/// Starts a scratch, furnishes it as for any command, and runs on it what the project presumes.
pub fn furnish(project: &Project) -> Result<Furnished, Error> {
    let live = project.database.as_ref().and_then(|url| connect(url).ok());
    let mut wanted = Vec::new();
    let texts = folder::read(&project.migrations).unwrap_or_default();
    let texts = texts.iter().map(|migration| migration.up.as_str());
    let mut tablespaces: BTreeSet<String> = cluster::tablespaces(texts);
    let mut major = None;
    if let Some(mut live) = live {
        major = Some(catalog::server(&mut live)?.major());
        let all = "SELECT extname::text AS name FROM pg_catalog.pg_extension ORDER BY extname";
        let all: Vec<Named> = diesel::sql_query(all).load(&mut live)?;
        wanted.extend(all.into_iter().map(|one| one.name));
        let used = "SELECT DISTINCT s.spcname::text AS name FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace WHERE s.oid >= 16384";
        let used: Vec<Named> = diesel::sql_query(used).load(&mut live)?;
        tablespaces.extend(used.into_iter().map(|one| one.name));
    }
    let scratch = project.scratch(major)?;
    let mut there = source::empty(project, [])?.connect()?;
    let found: Found = diesel::sql_query(
        "SELECT r.rolsuper AS superuser, pg_catalog.current_setting('search_path') AS search_path,
                (SELECT pg_catalog.count(*) FROM pg_catalog.pg_roles WHERE NOT pg_catalog.starts_with(rolname, 'pg_')) AS roles,
                ARRAY(SELECT name FROM pg_catalog.unnest($1) wanted(name) WHERE NOT EXISTS (
                    SELECT FROM pg_catalog.pg_available_extension_versions v
                    WHERE v.name::text = wanted.name AND (r.rolsuper OR NOT v.superuser OR v.trusted))) AS lacking,
                ARRAY(SELECT name FROM pg_catalog.unnest($2) used(name) WHERE NOT EXISTS (
                    SELECT FROM pg_catalog.pg_tablespace s WHERE s.spcname::text = used.name)) AS no_tablespaces
         FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
    )
    .bind::<Array<Text>, _>(wanted)
    .bind::<Array<Text>, _>(Vec::from_iter(tablespaces))
    .get_result(&mut there)?;
    Ok(Furnished {
        version: scratch.version_text().to_owned(),
        roles: found.roles,
        search_path: found.search_path,
        lacking: found.lacking,
        no_tablespaces: if scratch.makes_tablespaces() {
            Vec::new()
        } else {
            found.no_tablespaces
        },
        superuser: found.superuser,
    })
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    superuser: bool,
    #[diesel(sql_type = Text)]
    search_path: String,
    #[diesel(sql_type = BigInt)]
    roles: i64,
    #[diesel(sql_type = Array<Text>)]
    lacking: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    no_tablespaces: Vec<String>,
}
