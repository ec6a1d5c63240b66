//! Owners, grants, default privileges and security labels, where they are not as they come by themselves.
//!
//! Rights on a whole database, on parameters, tablespaces and large objects are no part of a schema.

use std::collections::BTreeSet;

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use trueup::{Address, Grant, Of, Right, Rights, Says, read::Reading};

use super::ReadError;

/// The roles that are compared by what they are: the one that migrates, and the session's.
const ROLES: &str = "
    SELECT migrator::int8 AS migrator, session::int8 AS session, pg_get_userbyid(migrator)::text AS migrator_name,
        pg_get_userbyid(session)::text AS session_name
    FROM (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) self(session) CROSS JOIN LATERAL (
        SELECT COALESCE(
            (SELECT relowner FROM pg_catalog.pg_class WHERE relname = '__diesel_schema_migrations' AND relkind = 'r'
                ORDER BY relnamespace::regnamespace::text LIMIT 1),
            session)
    ) other(migrator)";

/// The privileges of a list, as JSON that is a set of [`Grant`]. The owner's own are left out if they are complete, as by default.
/// A missing entry for the owner is written as such.
const LIST: &str = "
    (SELECT COALESCE(jsonb_agg(jsonb_build_object(
            'to', CASE WHEN g.grantee = 0 THEN '\"public\"'::jsonb WHEN g.grantee = o.grantor THEN '\"owner\"'::jsonb
                ELSE jsonb_build_object('role', pg_get_userbyid(g.grantee)) END,
            'privileges', CASE g.list WHEN o.everything THEN 'ALL' ELSE COALESCE(g.list, 'nothing') END
                || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
            'by', CASE WHEN g.grantor <> o.grantor THEN pg_get_userbyid(g.grantor) END)), '[]'::jsonb)::text
        FROM (
            SELECT grantee, grantor, is_grantable, string_agg(privilege_type, ', ' ORDER BY privilege_type) AS list
            FROM aclexplode(o.list) GROUP BY grantee, grantor, is_grantable
            UNION ALL SELECT o.grantor, o.grantor, false, NULL
            WHERE o.owners AND NOT EXISTS (SELECT FROM aclexplode(o.list) WHERE grantee = o.grantor)
        ) g
        WHERE NOT (o.owners AND g.grantee = o.grantor AND NOT g.is_grantable AND g.list IS NOT DISTINCT FROM o.everything))";

/// Everything with an owner or a list of privileges. An owned sequence has its table's owner always; what comes with Postgres or
/// with an extension has the owner and the privileges that `pg_init_privs` has, or that are the default.
fn on_objects() -> String {
    format!(
        "
    WITH found(class, object, sub, owner, grantor, list, kind) AS (
        SELECT 'pg_catalog.pg_class'::regclass, c.oid, 0, CASE WHEN d.objid IS NULL THEN c.relowner END, c.relowner, c.relacl,
            CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END
        FROM pg_catalog.pg_class c
            LEFT JOIN pg_catalog.pg_depend d ON c.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid <> 0 AND d.deptype IN ('a', 'i')
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
            -- Postgres opens its information schema to everybody after it notes what is granted at first.
            AND (c.relowner = 10 AND c.relnamespace = to_regnamespace('information_schema')
                AND c.relacl = acldefault('r', c.relowner) || makeaclitem(0, c.relowner, 'SELECT', false)) IS NOT TRUE
        UNION ALL SELECT 'pg_catalog.pg_class'::regclass, a.attrelid, a.attnum, NULL, c.relowner, a.attacl, 'c'
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relpersistence <> 't'
        UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, 0, t.typowner, t.typowner, t.typacl, 'T'
        FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
        WHERE t.typtype <> 'm' AND COALESCE(c.relkind, 'c') = 'c'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
        UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, 0, proowner, proowner, proacl, 'f' FROM pg_catalog.pg_proc
        WHERE oid >= 16384 OR proacl IS NOT NULL
            OR oid IN (SELECT objoid FROM pg_catalog.pg_init_privs WHERE classoid = 'pg_catalog.pg_proc'::regclass)
        UNION ALL SELECT 'pg_catalog.pg_namespace'::regclass, oid, 0, nspowner, nspowner, nspacl, 'n' FROM pg_catalog.pg_namespace
        WHERE nspname NOT LIKE 'pg\\_t%'
        UNION ALL SELECT 'pg_catalog.pg_language'::regclass, oid, 0, lanowner, lanowner, lanacl, 'l' FROM pg_catalog.pg_language
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, 0, fdwowner, fdwowner, fdwacl, 'F'
        FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, 0, srvowner, srvowner, srvacl, 'S'
        FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT class, object, 0, owner, owner, NULL, NULL FROM (
            SELECT 'pg_catalog.pg_operator'::regclass, oid, oprowner FROM pg_catalog.pg_operator
            UNION ALL SELECT 'pg_catalog.pg_opclass'::regclass, oid, opcowner FROM pg_catalog.pg_opclass
            UNION ALL SELECT 'pg_catalog.pg_opfamily'::regclass, oid, opfowner FROM pg_catalog.pg_opfamily
            UNION ALL SELECT 'pg_catalog.pg_collation'::regclass, oid, collowner FROM pg_catalog.pg_collation
            UNION ALL SELECT 'pg_catalog.pg_conversion'::regclass, oid, conowner FROM pg_catalog.pg_conversion
            UNION ALL SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, dictowner FROM pg_catalog.pg_ts_dict
            UNION ALL SELECT 'pg_catalog.pg_ts_config'::regclass, oid, cfgowner FROM pg_catalog.pg_ts_config
            UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, stxowner FROM pg_catalog.pg_statistic_ext
            UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, evtowner FROM pg_catalog.pg_event_trigger
            UNION ALL SELECT 'pg_catalog.pg_publication'::regclass, oid, pubowner FROM pg_catalog.pg_publication
            UNION ALL SELECT 'pg_catalog.pg_subscription'::regclass, oid, subowner FROM pg_catalog.pg_subscription
            WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        ) owned(class, object, owner)
        WHERE object >= 16384
    ), told AS (
        SELECT f.*, u.public OR f.object < 16384 OR e.objid IS NOT NULL AS built_in,
            COALESCE(f.list, acldefault(f.kind::\"char\", f.grantor)) AS privileges,
            CASE
                WHEN u.public AND current_setting('server_version_num')::int4 < 150000
                    THEN makeaclitem(0, f.grantor, 'CREATE', false) || (makeaclitem(0, f.grantor, 'USAGE', false) || acldefault('n', f.grantor))
                WHEN u.public THEN makeaclitem(0, f.grantor, 'USAGE', false) || acldefault('n', f.grantor)
                ELSE COALESCE(p.initprivs, acldefault(f.kind::\"char\", f.grantor))
            END AS usual,
            CASE WHEN u.public THEN CASE WHEN current_setting('server_version_num')::int4 < 150000 THEN 10 ELSE 6171 END END AS first_owner
        FROM found f
            LEFT JOIN pg_catalog.pg_init_privs p ON p.classoid = f.class AND p.objoid = f.object AND p.objsubid = f.sub
            LEFT JOIN pg_catalog.pg_depend e ON e.classid = f.class AND e.objid = f.object AND e.objsubid = 0 AND e.deptype = 'e'
            CROSS JOIN LATERAL (SELECT f.kind = 'n' AND f.object = to_regnamespace('public') IS TRUE AS public) u
        WHERE u.public OR (f.object >= 16384 OR p.objoid IS NOT NULL OR f.list IS NOT NULL)
            AND (f.owner <> $1 OR f.owner <> $2 OR f.list IS DISTINCT FROM p.initprivs)
    )
    SELECT t.class::int8 AS class, t.object::int8 AS object, t.sub::int8 AS sub, t.built_in,
        CASE WHEN CASE WHEN t.built_in THEN t.owner <> t.first_owner ELSE t.owner <> $1 OR t.owner <> $2 END
            THEN pg_get_userbyid(t.owner)::text END AS owner,
        CASE WHEN t.kind IS NOT NULL AND ARRAY(SELECT item::text FROM aclexplode(t.privileges) item ORDER BY 1)
                <> ARRAY(SELECT item::text FROM aclexplode(t.usual) item ORDER BY 1)
            THEN {LIST} END AS grants
    FROM told t CROSS JOIN LATERAL (
        SELECT t.grantor, t.privileges AS list, t.kind <> 'c' AS owners, CASE t.kind WHEN 'c' THEN 'INSERT, REFERENCES, SELECT, UPDATE'
            ELSE (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type)
                FROM aclexplode(acldefault(t.kind::\"char\", t.grantor)) WHERE grantee = t.grantor) END AS everything
    ) o"
    )
}

/// Default privileges, granted on objects that a role will make. Those of one namespace are added to those for everywhere.
fn on_new() -> String {
    format!(
        "
    SELECT pg_get_userbyid(d.defaclrole)::text AS role,
        CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
            WHEN 'n' THEN 'namespaces' WHEN 'L' THEN 'large objects' ELSE d.defaclobjtype::text END
            || COALESCE(' in ' || NULLIF(d.defaclnamespace, 0)::regnamespace::text, '') AS objects,
        {LIST} AS grants
    FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL (
        SELECT d.defaclrole AS grantor, d.defaclacl AS list, d.defaclnamespace = 0 AS owners,
            (SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type)
                FROM aclexplode(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole))
                WHERE grantee = d.defaclrole) AS everything
    ) o"
    )
}

const LABELS: &str = "
    SELECT l.classoid::int8 AS class, l.objoid::int8 AS object, l.objsubid::int8 AS sub, l.provider, l.label AS words,
        l.objoid < 16384 OR e.objid IS NOT NULL AS built_in
    FROM pg_catalog.pg_seclabel l
        LEFT JOIN pg_catalog.pg_depend e ON e.classid = l.classoid AND e.objid = l.objoid AND e.objsubid = 0 AND e.deptype = 'e'
    WHERE l.classoid <> 'pg_catalog.pg_largeobject'::regclass";

#[derive(QueryableByName)]
struct Roles {
    #[diesel(sql_type = BigInt)]
    migrator: i64,
    #[diesel(sql_type = BigInt)]
    session: i64,
    #[diesel(sql_type = Text)]
    migrator_name: String,
    #[diesel(sql_type = Text)]
    session_name: String,
}

#[derive(QueryableByName)]
struct OnObject {
    #[diesel(sql_type = BigInt)]
    class: i64,
    #[diesel(sql_type = BigInt)]
    object: i64,
    #[diesel(sql_type = BigInt)]
    sub: i64,
    #[diesel(sql_type = Bool)]
    built_in: bool,
    #[diesel(sql_type = Nullable<Text>)]
    owner: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    grants: Option<String>,
}

#[derive(QueryableByName)]
struct OnNew {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    objects: String,
    #[diesel(sql_type = Text)]
    grants: String,
}

#[derive(QueryableByName)]
struct Label {
    #[diesel(sql_type = BigInt)]
    class: i64,
    #[diesel(sql_type = BigInt)]
    object: i64,
    #[diesel(sql_type = BigInt)]
    sub: i64,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    words: String,
    #[diesel(sql_type = Bool)]
    built_in: bool,
}

/// Reads all rights into `reading`.
pub(super) fn read(connection: &mut PgConnection, reading: &mut Reading) -> Result<(), ReadError> {
    let failed = |source| ReadError::Query {
        what: "owners and grants".to_owned(),
        source,
    };
    let roles: Roles = sql_query(ROLES).get_result(connection).map_err(failed)?;
    let objects: Vec<OnObject> = sql_query(on_objects())
        .bind::<BigInt, _>(roles.migrator)
        .bind::<BigInt, _>(roles.session)
        .load(connection)
        .map_err(failed)?;
    let new: Vec<OnNew> = sql_query(on_new()).load(connection).map_err(failed)?;
    let labels: Vec<Label> = sql_query(LABELS).load(connection).map_err(failed)?;
    let mut rights = Vec::new();
    for OnNew {
        role,
        objects,
        grants,
    } in new
    {
        rights.push(Right {
            of: Of::New { role, objects },
            built_in: false,
            says: self::grants(grants)?,
        });
    }
    reading.rights(Rights {
        migrator: roles.migrator_name,
        session: roles.session_name,
        stands_in: false,
        rights,
    });
    for row in objects {
        let address = Address {
            class: row.class,
            object: row.object,
            sub: row.sub,
        };
        if let Some(owner) = row.owner {
            reading.right(address, row.built_in, Says::Owner(owner));
        }
        if let Some(grants) = row.grants {
            reading.right(address, row.built_in, self::grants(grants)?);
        }
    }
    for row in labels {
        let address = Address {
            class: row.class,
            object: row.object,
            sub: row.sub,
        };
        let (provider, label) = (row.provider, row.words);
        reading.right(address, row.built_in, Says::Label { provider, label });
    }
    Ok(())
}

fn grants(json: String) -> Result<Says, ReadError> {
    let grants: Result<BTreeSet<Grant>, _> = serde_json::from_str(&json);
    let grants = grants.map_err(|source| ReadError::Grants {
        grants: json,
        source,
    })?;
    Ok(Says::Grants(grants))
}
