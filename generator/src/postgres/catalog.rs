//! The one door to a live catalog: every schema that is compared came through [`read`].
//!
//! Architecture invariant: the number of queries does not depend on the size of the database.

mod definitions;
mod rights;
mod unread;

use std::{marker::PhantomData, path::PathBuf};

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::{CacheSize, SimpleConnection},
    pg::{Pg, PgRowByRowLoadingMode},
    query_builder::{self, AstPass, QueryFragment, QueryId},
    query_dsl::LoadQuery,
    sql_query,
    sql_types::{Array, BigInt, Bool, CChar, Integer, Text, Untyped},
};
use serde::de::DeserializeOwned;
use trueup::{
    Address, Cast, CastContext, Casts, Kind, Schema, Server,
    read::{Depend, Identity, Reading},
};

/// Why a catalog could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Postgres refused a query, or went away.
    #[error("cannot read {what}: {source}")]
    Query {
        /// The catalog or rows that were being read.
        what: String,
        /// Postgres' error.
        source: diesel::result::Error,
    },
    /// A row does not fit its room.
    #[error(transparent)]
    Row(#[from] trueup::read::ReadError),
    /// The names or the definition of something unread do not have the form that was asked for.
    #[error("{json} does not have the form that was asked for: {source}")]
    Unread {
        /// The JSON that was read.
        json: String,
        /// The mismatch.
        source: serde_json::Error,
    },
    /// The privileges of something do not have the form that was asked for.
    #[error("the grants {grants} do not have the form that was asked for: {source}")]
    Grants {
        /// The JSON.
        grants: String,
        /// The mismatch.
        source: serde_json::Error,
    },
    /// `pg_cast` holds a context that is none of Postgres'.
    #[error("pg_cast has the context {0:?}, which this version of trueup does not know")]
    CastContext(String),
}

#[derive(QueryableByName)]
struct IdentityRow {
    #[diesel(sql_type = BigInt)]
    class: i64,
    #[diesel(sql_type = BigInt)]
    object: i64,
    #[diesel(sql_type = BigInt)]
    sub: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    occupies: String,
    #[diesel(sql_type = Text)]
    definition: String,
}

/// Dependencies of each object. An object without a row in `pg_depend` appears with none, so that it is not overlooked. Default
/// privileges are read with the [`rights`].
const DEPENDS: &str = "
    SELECT classid::int8 AS class, objid::int8 AS object, objsubid::int8 AS sub,
        refclassid::int8 AS on_class, refobjid::int8 AS on_object, refobjsubid::int8 AS on_sub, deptype AS kind
    FROM pg_catalog.pg_depend
    WHERE objid >= 16384 AND classid <> 'pg_catalog.pg_default_acl'::regclass
    UNION ALL
    SELECT lone.class::int8, lone.object::int8, 0, 0, 0, 0, 'n'
    FROM (
        SELECT 'pg_catalog.pg_publication'::regclass, oid FROM pg_catalog.pg_publication
        UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_catalog.pg_language'::regclass, oid FROM pg_catalog.pg_language
        UNION ALL SELECT 'pg_catalog.pg_cast'::regclass, oid FROM pg_catalog.pg_cast
        UNION ALL SELECT 'pg_catalog.pg_am'::regclass, oid FROM pg_catalog.pg_am
        UNION ALL SELECT 'pg_catalog.pg_transform'::regclass, oid FROM pg_catalog.pg_transform
        UNION ALL SELECT 'pg_catalog.pg_subscription'::regclass, oid FROM pg_catalog.pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    ) lone(class, object)
    WHERE lone.object >= 16384";

type Depends = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, CChar);

/// Diesel's own table and ours beside it, and what sessions keep for themselves.
const BOOKKEEPING: &str = "
    SELECT 'pg_catalog.pg_class'::regclass::int8 AS class, oid::int8 AS object
    FROM pg_catalog.pg_class
    WHERE oid >= 16384 AND (relpersistence = 't' OR relname ~ '^__(diesel_schema_migrations$|trueup_)')";

/// Objects whose grants differ from those that they get when their owner recreates them: then default privileges count.
const GRANTED: &str = "
    SELECT acl.class::int8, acl.object::int8, acl.sub::int8
    FROM (
        SELECT 'pg_catalog.pg_class'::regclass, c.oid, 0, c.relacl, c.relowner, c.relnamespace,
            CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END::\"char\"
        FROM pg_catalog.pg_class c
        UNION ALL SELECT 'pg_catalog.pg_class'::regclass, a.attrelid, a.attnum, a.attacl, 0, 0, 'c'
        FROM pg_catalog.pg_attribute a
        UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, 0, t.typacl, t.typowner, t.typnamespace, 'T'
        FROM pg_catalog.pg_type t
        UNION ALL SELECT 'pg_catalog.pg_namespace'::regclass, n.oid, 0, n.nspacl, n.nspowner, 0, 'n'
        FROM pg_catalog.pg_namespace n
    ) acl(class, object, sub, list, owner, namespace, kind)
        LEFT JOIN pg_catalog.pg_default_acl everywhere ON everywhere.defaclrole = acl.owner
            AND everywhere.defaclnamespace = 0 AND everywhere.defaclobjtype = acl.kind
        LEFT JOIN pg_catalog.pg_default_acl there ON there.defaclrole = acl.owner
            AND there.defaclnamespace = acl.namespace AND there.defaclobjtype = acl.kind
    WHERE acl.object >= 16384 AND acl.list IS NOT NULL
        AND ARRAY(SELECT item::text FROM aclexplode(acl.list) item ORDER BY 1) <> ARRAY(
            SELECT item::text FROM aclexplode(COALESCE(everywhere.defaclacl,
                acldefault(CASE acl.kind WHEN 'S' THEN 's' ELSE acl.kind END, acl.owner))) item
            UNION SELECT item::text FROM aclexplode(there.defaclacl) item ORDER BY 1)";

const CASTS: &str = "
    SELECT format_type(castsource, NULL) AS source, format_type(casttarget, NULL) AS target, castcontext::text AS context,
        castmethod = 'b' AS is_binary
    FROM pg_catalog.pg_cast";

/// The queries of a reading, but for the one about what no room reads, which is only asked where there is something.
#[must_use]
pub fn queries(server: Server) -> Vec<String> {
    let rooms = Kind::all().into_iter().map(|kind| select(kind, server));
    let rest = [BOOKKEEPING, GRANTED, DEPENDS, CASTS].map(str::to_owned);
    let presence = std::iter::once(presence());
    presence.chain(rooms).chain(rest).collect()
}

fn select(kind: Kind, server: Server) -> String {
    format!(
        "SELECT addresses, position, object::text AS object FROM ({}) room",
        kind.catalog(server)
    )
}

/// Without a search path Postgres prints every name in full. With the usual 4 MB of working memory it sorts the columns of
/// some thousand tables on disk. The SELECTs are written in an order in which they can be joined, by hash or by index: to
/// look for better ones took half of the time of planning, and found none.
pub const SETTINGS: &str = "SET LOCAL search_path = ''; SET LOCAL work_mem = '64MB';
    SET LOCAL join_collapse_limit = 3; SET LOCAL from_collapse_limit = 3; SET LOCAL enable_mergejoin = off;
    SET LOCAL enable_material = off; SET LOCAL enable_memoize = off; SET LOCAL enable_incremental_sort = off;
    SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off";

/// Reads the whole schema of a database in one snapshot.
pub fn read(connection: &mut PgConnection) -> Result<Schema, ReadError> {
    match read_once(connection) {
        // `pg_get_*def` look at the catalog of now, not of the snapshot: what vanished in between fails once.
        Err(first @ ReadError::Query { .. }) => match read_once(connection) {
            Err(ReadError::Query {
                source: diesel::result::Error::BrokenTransactionManager,
                ..
            }) => Err(first),
            done => done,
        },
        done => done,
    }
}

fn read_once(connection: &mut PgConnection) -> Result<Schema, ReadError> {
    connection
        .build_transaction()
        .repeatable_read()
        .read_only()
        .run(|connection| {
            connection
                .batch_execute(SETTINGS)
                .map_err(|source| ReadError::Query {
                    what: "the catalog".to_owned(),
                    source,
                })?;
            read_snapshot(connection)
        })
}

impl From<diesel::result::Error> for ReadError {
    fn from(source: diesel::result::Error) -> Self {
        Self::Query {
            what: "the catalog".to_owned(),
            source,
        }
    }
}

fn read_snapshot(connection: &mut PgConnection) -> Result<Schema, ReadError> {
    let server = server(connection)?;
    let mut reading = Reading::new(server);
    for kind in present(connection)? {
        let what = format!("every {kind}");
        each_row::<(Array<BigInt>, Integer, Text), (Vec<i64>, i32, String)>(
            connection,
            &select(kind, server),
            &what,
            |(addresses, position, object)| {
                Ok(reading.row(kind, &addresses, position, object.as_bytes())?)
            },
        )?;
    }
    each_row::<(BigInt, BigInt), (i64, i64)>(
        connection,
        BOOKKEEPING,
        "Diesel's own tables",
        |row| {
            reading.bookkeeping(whole(row));
            Ok(())
        },
    )?;
    each_row::<(BigInt, BigInt, BigInt), (i64, i64, i64)>(
        connection,
        GRANTED,
        "what is granted",
        |(class, object, sub)| {
            reading.granted(Address { class, object, sub });
            Ok(())
        },
    )?;
    each_row::<Depends, (i64, i64, i64, i64, i64, i64, u8)>(
        connection,
        DEPENDS,
        "pg_depend",
        |(class, object, sub, on_class, on_object, on_sub, kind)| {
            reading.depend(Depend {
                from: Address { class, object, sub },
                to: Address {
                    class: on_class,
                    object: on_object,
                    sub: on_sub,
                },
                kind,
            });
            Ok(())
        },
    )?;
    rights::read(connection, &mut reading)?;
    for (address, says) in unread::read(connection, server, &reading.unread_addresses())? {
        reading.says(address, says);
    }
    let identities = identify(connection, server, &reading.unclaimed())?;
    Ok(reading.finish(identities, casts(connection)?))
}

/// The kinds that the database may hold objects of: to plan a SELECT takes longer than to run it where it finds nothing.
fn present(connection: &mut PgConnection) -> Result<Vec<Kind>, ReadError> {
    let all = Kind::all();
    let mut present = Vec::new();
    each_row::<Array<Bool>, Vec<bool>>(
        connection,
        &presence(),
        "which kinds there are",
        |found| {
            let found = all.iter().zip(found).filter(|(_, is_there)| *is_there);
            present = found.map(|(kind, _)| *kind).collect();
            Ok(())
        },
    )?;
    Ok(present)
}

/// The query of a kind each, in the order of the register.
fn presence() -> String {
    let kinds = Kind::all().into_iter();
    let exist = kinds.map(|kind| format!("EXISTS (SELECT FROM {})", kind.traces()));
    let exist: Vec<String> = exist.collect();
    format!("SELECT ARRAY[{}]", exist.join(", "))
}

fn whole((class, object): (i64, i64)) -> Address {
    Address {
        class,
        object,
        sub: 0,
    }
}

/// A query with columns of these types, which a session that is told to remembers: planning some of them takes longer than
/// running them.
struct Rows<T>(String, PhantomData<T>);

impl<T> QueryFragment<Pg> for Rows<T> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql(&self.0);
        Ok(())
    }
}

impl<T> QueryId for Rows<T> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> query_builder::Query for Rows<T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<PgConnection> for Rows<T> {}

/// A query whose columns go by their names, which a session that is told to remembers.
pub(crate) struct Query(pub(crate) &'static str);

impl QueryFragment<Pg> for Query {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql(self.0);
        Ok(())
    }
}

impl QueryId for Query {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl query_builder::Query for Query {
    type SqlType = Untyped;
}

impl RunQueryDsl<PgConnection> for Query {}

/// Has a session remember the queries by which it is read: worth its while where it is read more than once, and is nobody's
/// but ours.
pub(crate) fn remember_queries(session: &mut PgConnection) {
    session.set_prepared_statement_cache_size(CacheSize::Unbounded);
}

/// Takes a query's rows one by one while the server still makes the next: both are busy at the same time, and nothing is
/// held twice.
fn each_row<T, R>(
    connection: &mut PgConnection,
    query: &str,
    what: &str,
    mut take: impl FnMut(R) -> Result<(), ReadError>,
) -> Result<(), ReadError>
where
    Rows<T>: for<'query> LoadQuery<'query, PgConnection, R, PgRowByRowLoadingMode>,
{
    let failed = |source| ReadError::Query {
        what: what.to_owned(),
        source,
    };
    let rows = Rows::<T>(query.to_owned(), PhantomData);
    let rows = rows.load_iter::<R, PgRowByRowLoadingMode>(connection);
    for row in rows.map_err(failed)? {
        take(row.map_err(failed)?)?;
    }
    Ok(())
}

/// The folder of the server's own programs, where it tells: only a superuser may ask.
pub fn programs(connection: &mut PgConnection) -> Option<PathBuf> {
    configured(connection, "BINDIR")
}

/// The folders with all that an extension can bring: its scripts, and the libraries. Only a superuser may ask for them, as
/// above.
pub(crate) fn extensions(connection: &mut PgConnection) -> Option<[PathBuf; 2]> {
    let scripts = configured(connection, "SHAREDIR")?.join("extension");
    Some([scripts, configured(connection, "PKGLIBDIR")?])
}

fn configured(connection: &mut PgConnection, name: &str) -> Option<PathBuf> {
    #[derive(QueryableByName)]
    struct Folder {
        #[diesel(sql_type = Text)]
        setting: String,
    }
    let folder: Folder = sql_query("SELECT setting FROM pg_catalog.pg_config() WHERE name = $1")
        .bind::<Text, _>(name)
        .get_result(connection)
        .ok()?;
    Some(folder.setting.into())
}

/// The server's version.
pub fn server(connection: &mut PgConnection) -> Result<Server, ReadError> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Integer)]
        version_num: i32,
    }
    let version: Version =
        sql_query("SELECT current_setting('server_version_num')::int4 AS version_num")
            .get_result(connection)
            .map_err(|source| ReadError::Query {
                what: "the server's version".to_owned(),
                source,
            })?;
    Ok(Server {
        version_num: version.version_num.unsigned_abs(),
    })
}

fn identify(
    connection: &mut PgConnection,
    server: Server,
    addresses: &[Address],
) -> Result<Vec<Identity>, ReadError> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<IdentityRow> = sql_query(definitions::query(server))
        .bind::<Array<BigInt>, _>(
            addresses
                .iter()
                .map(|address| address.class)
                .collect::<Vec<_>>(),
        )
        .bind::<Array<BigInt>, _>(
            addresses
                .iter()
                .map(|address| address.object)
                .collect::<Vec<_>>(),
        )
        .bind::<Array<BigInt>, _>(
            addresses
                .iter()
                .map(|address| address.sub)
                .collect::<Vec<_>>(),
        )
        .load(connection)
        .map_err(|source| ReadError::Query {
            what: "what no room reads".to_owned(),
            source,
        })?;
    let identified = rows.into_iter().map(|row| {
        Ok(Identity {
            address: Address {
                class: row.class,
                object: row.object,
                sub: row.sub,
            },
            kind: row.kind,
            name: row.name,
            occupies: decoded(row.occupies)?,
            definition: decoded(row.definition)?,
        })
    });
    identified.collect()
}

fn decoded<T: DeserializeOwned>(json: String) -> Result<T, ReadError> {
    serde_json::from_str(&json).map_err(|source| ReadError::Unread { json, source })
}

fn casts(connection: &mut PgConnection) -> Result<Casts, ReadError> {
    let mut casts = Vec::new();
    each_row::<(Text, Text, Text, Bool), (String, String, String, bool)>(
        connection,
        CASTS,
        "pg_cast",
        |(source, target, context, is_binary)| {
            let context = match context.as_str() {
                "i" => CastContext::Implicit,
                "a" => CastContext::Assignment,
                "e" => CastContext::Explicit,
                _ => return Err(ReadError::CastContext(context)),
            };
            casts.push((source, target, Cast { context, is_binary }));
            Ok(())
        },
    )?;
    Ok(Casts::new(casts))
}
