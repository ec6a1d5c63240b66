//! A database emptied of what migrations make or work in, and of nothing else.
//!
//! Postgres' own dependency graph decides. All that would fall is found first; where any of it belongs to somebody else, that
//! is listed and nothing falls. So the CASCADE of each DROP never reaches outwards. The migrations are then tried on what is
//! left, before anything is lost: a role, a large object or a subscription that they made stays, and they may not get past it.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Oid, Text};
use trueup::name::quoted_ident;

use super::Identity;
use super::made::{self, Made};
use crate::migrations::apply::{self, Record, with_lock};
use crate::postgres::connection::connect;
use crate::postgres::url::Url;
use crate::{Error, ErrorKind, Project, operations::seed};

/// Empties the namespaces that the migrations make or make something in, record of applied migrations included, in one
/// transaction under the lock that `upgrade` takes. Objects without a namespace go where a migration makes them; extensions
/// that no migration makes stay, and so does all that the project's prelude stands for. Returns the namespaces.
pub fn empty(
    project: &Project,
    url: &Url,
    meant: &Identity,
    options: apply::Options<'_>,
) -> Result<Vec<String>, Error> {
    // The replay is also the proof that there is a way back up.
    let made = Made::by_migrations(project)?;
    let mut live = connect(url)?;
    meant.expect(&mut live)?;
    with_lock(&mut live, options, |live| {
        let emptied = live.transaction(|live| {
            live.batch_execute(
                "SET LOCAL lock_timeout = '5s'; SET LOCAL client_min_messages = warning;
                 SET LOCAL search_path = ''",
            )?;
            let what = Emptied { made: &made };
            // Which of two would be emptied is not for us to say.
            Record::find(live)?;
            what.lock(live)?;
            what.refuse_elsewhere(live)?;
            what.drop(live)?;
            // It may stand in a namespace that stays.
            if let Some(record) = Record::find(live)? {
                record.clear(live)?;
            }
            seed::forget(live)?;
            live.batch_execute("SET LOCAL search_path TO DEFAULT")?;
            apply::try_all(live, &project.migrations).map_err(|error| {
                Error::from(error).hint(
                    "what a migration makes and no namespace has, such as a role or a large object, stays: drop it by hand, or \
                     have the migration make it only where it is missing",
                )
            })
        });
        emptied.map_err(|error: Error| {
            error.hint("the database is as it was: it is emptied in one transaction, or not at all")
        })
    })?;
    Ok(made.shown())
}

/// Names of the objects to drop, which are the same on the scratch and on the live database.
struct Emptied<'a> {
    made: &'a Made,
}

impl Emptied<'_> {
    /// Keeps others from making something that needs a table before it is dropped.
    fn lock(&self, live: &mut PgConnection) -> Result<(), Error> {
        let tables: Vec<Named> = diesel::sql_query(TABLES)
            .bind::<Array<Text>, _>(&self.made.namespaces)
            .load(live)?;
        if tables.is_empty() {
            return Ok(());
        }
        let tables: Vec<String> = tables.into_iter().map(|table| table.name).collect();
        Ok(live.batch_execute(&format!("LOCK TABLE {}", tables.join(", ")))?)
    }

    fn refuse_elsewhere(&self, live: &mut PgConnection) -> Result<(), Error> {
        let mut elsewhere = self.load(live, ELSEWHERE)?;
        // A trigger or a policy of the migrations' own, on a table that stays.
        elsewhere.retain(|one| !self.made.parts.contains(&one.name));
        if elsewhere.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = elsewhere
            .iter()
            .map(|one| format!("  {}", one.name))
            .collect();
        Err(Error::input(format!(
            "what would be emptied is used elsewhere, and that would fall with it:\n{}",
            lines.join("\n")
        ))
        .hint(
            "drop or change it by hand first; `trueup db recreate` makes the whole database anew",
        ))
    }

    fn drop(&self, live: &mut PgConnection) -> Result<(), Error> {
        for Falling { name, drop } in self.load(live, ROOTS)? {
            let sql = drop.ok_or_else(|| {
                Error::new(
                    ErrorKind::NotYet,
                    format!("not yet: trueup cannot empty a database of {name}"),
                )
                .hint(
                    "drop it by hand first, or make the whole database anew: `trueup db recreate`",
                )
            })?;
            live.batch_execute(&sql).map_err(|error| {
                let doing = format!("cannot drop {name}");
                Error::caused(ErrorKind::Environment, doing, error)
            })?;
        }
        // An extension that no migration makes may stand in one that a migration makes where it is missing.
        let there: Vec<Named> = diesel::sql_query(
            "SELECT nspname::text AS name FROM pg_catalog.pg_namespace n WHERE nspname = ANY ($1) AND NOT EXISTS (
                 SELECT FROM pg_catalog.pg_depend d
                 WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid
                   AND d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass)",
        )
        .bind::<Array<Text>, _>(&self.made.own)
        .load(live)?;
        for Named { name } in there {
            let sql = format!("DROP SCHEMA {}", quoted_ident(&name));
            live.batch_execute(&sql).map_err(|error| {
                let doing = format!("cannot drop the namespace {name}");
                Error::caused(ErrorKind::Environment, doing, error)
            })?;
        }
        Ok(())
    }

    fn load(&self, live: &mut PgConnection, query: &str) -> Result<Vec<Falling>, Error> {
        let (classes, objects) = made::addresses(live, &self.made.objects)?;
        let (kept_classes, kept) = made::addresses(live, &self.made.kept)?;
        let found = diesel::sql_query(format!("WITH RECURSIVE {GRAPH} {query}"))
            .bind::<Array<Text>, _>(&self.made.namespaces)
            .bind::<Array<Text>, _>(&self.made.extensions)
            .bind::<Array<Oid>, _>(classes)
            .bind::<Array<Oid>, _>(objects)
            .bind::<Array<Oid>, _>(kept_classes)
            .bind::<Array<Oid>, _>(kept)
            .load(live)?;
        Ok(found)
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Falling {
    /// As Postgres identifies it: `table public.users`.
    #[diesel(sql_type = Text)]
    name: String,
    /// The statement that drops it; `None` for a kind that has none that can be rolled back.
    #[diesel(sql_type = Nullable<Text>)]
    drop: Option<String>,
}

const TABLES: &str = "
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v')
    ORDER BY 1";

/// `root`: the objects of the namespaces `$1` but for those at the addresses `$5`, `$6`, and the objects at the addresses
/// `$3`, `$4`. `inside`: those, and all that Postgres
/// removes with its owner. `going`: all that a CASCADE would take. Extensions other than `$2` stay, and their members with them.
const GRAPH: &str = "namespace AS (
    SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($1)
), kept AS (
    SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname <> ALL ($2)
), root AS (
    SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid IN (SELECT oid FROM namespace)
      AND d.deptype IN ('n', 'a') AND d.objsubid = 0
      AND NOT EXISTS (SELECT FROM unnest($5::pg_catalog.oid[], $6::pg_catalog.oid[]) s(classid, objid)
                      WHERE s.classid = d.classid AND s.objid = d.objid)
      AND NOT (d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.objid IN (SELECT oid FROM kept))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend m
                      WHERE m.classid = d.classid AND m.objid = d.objid AND m.deptype IN ('e', 'i')
                        -- The columns of a partition key are parts of the table.
                        AND m.objsubid = 0)
    UNION SELECT * FROM unnest($3::pg_catalog.oid[], $4::pg_catalog.oid[])
), inside AS (
    SELECT classid, objid FROM root
    UNION
    SELECT d.classid, d.objid
    FROM inside i JOIN pg_catalog.pg_depend d ON d.refclassid = i.classid AND d.refobjid = i.objid
    WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e')
      -- A partition, or a sequence that a column owns, may stand in a namespace of somebody else.
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend home
          WHERE home.classid = d.classid AND home.objid = d.objid AND home.deptype = 'n'
            AND home.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
            AND home.refobjid NOT IN (SELECT oid FROM namespace))
), going AS (
    SELECT classid, objid, 0 AS objsubid FROM root
    UNION
    SELECT found.*
    FROM going g, LATERAL (
        SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
        WHERE d.refclassid = g.classid AND d.refobjid = g.objid AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
        -- A part takes its whole along, as a rule its view.
        UNION ALL
        SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d
        WHERE d.classid = g.classid AND d.objid = g.objid AND d.deptype = 'i' AND g.objsubid = 0 AND d.objsubid = 0
    ) found
)";

/// Of what falls elsewhere, that which is no part of anything: a view and not its rule, a constraint and not its triggers.
const ELSEWHERE: &str = "
    SELECT DISTINCT o.type || ' ' || o.identity AS name, NULL::text AS drop
    FROM going g, pg_catalog.pg_identify_object(g.classid, g.objid, g.objsubid) o
    WHERE NOT EXISTS (SELECT FROM inside i WHERE i.classid = g.classid AND i.objid = g.objid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = g.classid AND d.objid = g.objid AND d.objsubid = g.objsubid AND d.deptype = 'i')
    ORDER BY 1";

/// The statement for each, in words that differ from those that Postgres identifies a kind by.
const ROOTS: &str = "
    SELECT o.type || ' ' || o.identity AS name,
        CASE o.type
            WHEN 'user mapping' THEN (
                SELECT pg_catalog.format('DROP USER MAPPING IF EXISTS FOR %s SERVER %I',
                    CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(m.usename) END, m.srvname)
                FROM pg_catalog.pg_user_mappings m WHERE m.umid = r.objid)
            WHEN 'transform' THEN (
                SELECT pg_catalog.format('DROP TRANSFORM IF EXISTS FOR %s LANGUAGE %I CASCADE',
                    pg_catalog.format_type(t.trftype, NULL), l.lanname)
                FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang WHERE t.oid = r.objid)
            WHEN 'default acl' THEN (
                SELECT pg_catalog.string_agg(pg_catalog.format(
                    'ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE ALL ON %s FROM %s',
                    pg_catalog.pg_get_userbyid(a.defaclrole), n.nspname,
                    CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' END,
                    CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.grantee)) END), ';')
                FROM pg_catalog.pg_default_acl a
                    JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace,
                    pg_catalog.aclexplode(a.defaclacl) p
                WHERE a.oid = r.objid)
            ELSE pg_catalog.format('DROP %s IF EXISTS %s CASCADE', k.word, o.identity)
        END AS drop
    FROM root r, pg_catalog.pg_identify_object(r.classid, r.objid, 0) o
        LEFT JOIN (VALUES
            ('access method', 'ACCESS METHOD'), ('aggregate', 'AGGREGATE'), ('cast', 'CAST'), ('collation', 'COLLATION'),
            ('composite type', 'TYPE'), ('conversion', 'CONVERSION'), ('domain', 'DOMAIN'), ('event trigger', 'EVENT TRIGGER'),
            ('extension', 'EXTENSION'), ('foreign table', 'FOREIGN TABLE'), ('foreign-data wrapper', 'FOREIGN DATA WRAPPER'),
            ('function', 'FUNCTION'), ('index', 'INDEX'), ('language', 'LANGUAGE'), ('materialized view', 'MATERIALIZED VIEW'),
            ('operator', 'OPERATOR'), ('operator class', 'OPERATOR CLASS'), ('operator family', 'OPERATOR FAMILY'),
            ('procedure', 'PROCEDURE'), ('publication', 'PUBLICATION'), ('sequence', 'SEQUENCE'), ('server', 'SERVER'),
            ('statistics object', 'STATISTICS'), ('table', 'TABLE'), ('text search configuration', 'TEXT SEARCH CONFIGURATION'),
            ('text search dictionary', 'TEXT SEARCH DICTIONARY'), ('text search parser', 'TEXT SEARCH PARSER'),
            ('text search template', 'TEXT SEARCH TEMPLATE'), ('type', 'TYPE'), ('view', 'VIEW')
        ) k(type, word) ON k.type = o.type
    -- A membership goes with its publication.
    WHERE o.type NOT IN ('publication namespace', 'publication relation')
    -- An event trigger may forbid what comes after it.
    ORDER BY r.classid <> 'pg_catalog.pg_event_trigger'::pg_catalog.regclass,
        r.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass, 1";
