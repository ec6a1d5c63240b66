//! All that the catalog says about objects of kinds that no room reads, as one hash each.
//!
//! Invariants: nothing here leaves the server but as a hash, since options and connection strings hold passwords. A catalog
//! that is not in [`TEXTS`] has no row in the answer, and what is in it counts as unknown and not as equal.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};
use trueup::{Address, ROLE, Server};

use super::{ReadError, whole};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    class: i64,
    #[diesel(sql_type = BigInt)]
    object: i64,
    #[diesel(sql_type = Nullable<Text>)]
    says: Option<String>,
}

/// The query for one catalog.
struct Catalog {
    name: &'static str,
    /// The first major that has it.
    since: u32,
    /// All that a dump writes of its row, `x`, as text; empty for what comes with something else, NULL where this session may
    /// not read it.
    text: fn(Server, Allowed) -> String,
    /// Joins of the query.
    from: &'static str,
}

/// Catalog columns that only some roles may read.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    connections_of_subscriptions: bool,
}

/// A catalog of which one expression tells everything on all majors.
macro_rules! catalog {
    ($name:literal, $text:literal) => {
        catalog!($name, $text, "")
    };
    ($name:literal, $text:literal, $from:literal) => {
        Catalog {
            name: $name,
            since: 14,
            text: |_, _| $text.to_owned(),
            from: $from,
        }
    };
}

/// Every catalog that `pg_dump` dumps and of which something may be unread. Names of types, functions and operators are written
/// in full, since the search path is empty; what has no such form is joined.
const TEXTS: &[Catalog] = &[
    catalog!(
        "pg_proc",
        "CASE WHEN x.prokind <> 'a' THEN pg_get_functiondef(x.oid) ELSE jsonb_build_array(
            pg_get_function_arguments(x.oid), pg_get_function_result(x.oid), x.proparallel, g.aggkind, g.aggnumdirectargs,
            g.aggtransfn::oid::regprocedure, g.aggfinalfn::oid::regprocedure, g.aggcombinefn::oid::regprocedure,
            g.aggserialfn::oid::regprocedure, g.aggdeserialfn::oid::regprocedure, g.aggmtransfn::oid::regprocedure,
            g.aggminvtransfn::oid::regprocedure, g.aggmfinalfn::oid::regprocedure, g.aggfinalextra, g.aggmfinalextra,
            g.aggfinalmodify, g.aggmfinalmodify, g.aggsortop::regoperator, g.aggtranstype::regtype, g.aggtransspace,
            g.aggmtranstype::regtype, g.aggmtransspace, g.agginitval, g.aggminitval)::text END",
        "LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = x.oid"
    ),
    catalog!(
        "pg_type",
        "CASE
            WHEN EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = x.oid) OR x.typtype IN ('c', 'm') THEN ''
            ELSE jsonb_build_array(x.typtype, x.typisdefined, x.typlen, x.typbyval, x.typcategory, x.typispreferred, x.typdelim,
                x.typelem::regtype, x.typsubscript::oid::regprocedure, x.typinput::oid::regprocedure, x.typoutput::oid::regprocedure,
                x.typreceive::oid::regprocedure, x.typsend::oid::regprocedure, x.typmodin::oid::regprocedure,
                x.typmodout::oid::regprocedure, x.typanalyze::oid::regprocedure, x.typalign, x.typstorage, x.typnotnull,
                format_type(NULLIF(x.typbasetype, 0), x.typtypmod), x.typndims, x.typcollation::regcollation, x.typdefault,
                pg_get_expr(x.typdefaultbin, 0),
                (SELECT jsonb_build_array(r.rngsubtype::regtype, r.rngmultitypid::regtype, r.rngcollation::regcollation,
                        c.opcnamespace::regnamespace, c.opcname, r.rngcanonical::oid::regprocedure, r.rngsubdiff::oid::regprocedure)
                    FROM pg_catalog.pg_range r JOIN pg_catalog.pg_opclass c ON c.oid = r.rngsubopc
                    WHERE r.rngtypid = x.oid))::text
            END"
    ),
    catalog!(
        "pg_class",
        "jsonb_build_array(x.relkind, x.relpersistence, ARRAY(SELECT unnest(x.reloptions) ORDER BY 1), x.relrowsecurity,
            x.relforcerowsecurity, pg_get_expr(x.relpartbound, x.oid),
            CASE x.relkind WHEN 'v' THEN pg_get_viewdef(x.oid) WHEN 'm' THEN pg_get_viewdef(x.oid)
                WHEN 'i' THEN pg_get_indexdef(x.oid) WHEN 'I' THEN pg_get_indexdef(x.oid) END,
            (SELECT jsonb_build_array(s.srvname, ARRAY(SELECT unnest(f.ftoptions) ORDER BY 1))
                FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
                WHERE f.ftrelid = x.oid),
            (SELECT jsonb_agg(i.inhparent::regclass ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = x.oid),
            (SELECT to_jsonb(q) - 'seqrelid' - 'seqtypid' || jsonb_build_object('type', q.seqtypid::regtype)
                FROM pg_catalog.pg_sequence q WHERE q.seqrelid = x.oid),
            (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation,
                    a.attnotnull, a.attidentity, a.attgenerated, a.attislocal, a.attstorage, a.attcompression,
                    NULLIF(a.attstattarget, -1), ARRAY(SELECT unnest(a.attoptions) ORDER BY 1),
                    ARRAY(SELECT unnest(a.attfdwoptions) ORDER BY 1))
                    ORDER BY CASE x.relkind WHEN 'c' THEN a.attnum END, a.attname)
                FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.oid AND a.attnum > 0 AND NOT a.attisdropped))::text"
    ),
    catalog!(
        "pg_constraint",
        "jsonb_build_array(x.conname, pg_get_constraintdef(x.oid), x.convalidated, x.conislocal, x.connoinherit)::text"
    ),
    catalog!(
        "pg_attrdef",
        "jsonb_build_array(a.attname, pg_get_expr(x.adbin, x.adrelid))::text",
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = x.adrelid AND a.attnum = x.adnum"
    ),
    catalog!(
        "pg_rewrite",
        "jsonb_build_array(x.ev_enabled, pg_get_ruledef(x.oid))::text"
    ),
    // The name of an internal trigger has a number in it that differs everywhere.
    catalog!(
        "pg_trigger",
        "CASE WHEN x.tgisinternal AND x.tgparentid = 0 THEN '' ELSE
            jsonb_build_array(x.tgenabled, pg_get_triggerdef(x.oid))::text END"
    ),
    catalog!(
        "pg_policy",
        "jsonb_build_array(x.polcmd, x.polpermissive, pg_get_expr(x.polqual, x.polrelid), pg_get_expr(x.polwithcheck, x.polrelid),
            0 = ANY (x.polroles))::text"
    ),
    catalog!(
        "pg_event_trigger",
        "jsonb_build_array(x.evtevent, x.evtfoid::regprocedure, x.evtenabled, ARRAY(SELECT unnest(x.evttags) ORDER BY 1))::text"
    ),
    catalog!(
        "pg_cast",
        "jsonb_build_array(x.castfunc::regprocedure, x.castcontext, x.castmethod)::text"
    ),
    catalog!(
        "pg_operator",
        "jsonb_build_array(x.oprkind, x.oprcanmerge, x.oprcanhash, x.oprleft::regtype, x.oprright::regtype, x.oprresult::regtype,
            x.oprcom::regoperator, x.oprnegate::regoperator, x.oprcode::oid::regprocedure, x.oprrest::oid::regprocedure,
            x.oprjoin::oid::regprocedure)::text"
    ),
    catalog!(
        "pg_opclass",
        "jsonb_build_array(f.opfnamespace::regnamespace, f.opfname, x.opcintype::regtype, x.opcdefault, x.opckeytype::regtype)::text",
        "JOIN pg_catalog.pg_opfamily f ON f.oid = x.opcfamily"
    ),
    catalog!(
        "pg_opfamily",
        "jsonb_build_array(
            (SELECT jsonb_agg(item ORDER BY item) FROM (SELECT jsonb_build_array(o.amoplefttype::regtype, o.amoprighttype::regtype,
                    o.amopstrategy, o.amoppurpose, o.amopopr::regoperator, s.opfnamespace::regnamespace, s.opfname)
                FROM pg_catalog.pg_amop o LEFT JOIN pg_catalog.pg_opfamily s ON s.oid = o.amopsortfamily
                WHERE o.amopfamily = x.oid) items(item)),
            (SELECT jsonb_agg(item ORDER BY item) FROM (SELECT jsonb_build_array(p.amproclefttype::regtype, p.amprocrighttype::regtype,
                    p.amprocnum, p.amproc::oid::regprocedure)
                FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = x.oid) items(item)))::text"
    ),
    catalog!(
        "pg_amop",
        "pg_describe_object('pg_catalog.pg_amop'::regclass, x.oid, 0)"
    ),
    catalog!(
        "pg_amproc",
        "pg_describe_object('pg_catalog.pg_amproc'::regclass, x.oid, 0)"
    ),
    catalog!(
        "pg_am",
        "jsonb_build_array(x.amtype, x.amhandler::oid::regprocedure)::text"
    ),
    catalog!(
        "pg_conversion",
        "jsonb_build_array(pg_encoding_to_char(x.conforencoding), pg_encoding_to_char(x.contoencoding), x.condefault,
            x.conproc::oid::regprocedure)::text"
    ),
    catalog!(
        "pg_transform",
        "jsonb_build_array(x.trffromsql::oid::regprocedure, x.trftosql::oid::regprocedure)::text"
    ),
    catalog!(
        "pg_language",
        "jsonb_build_array(x.lanispl, x.lanpltrusted, x.lanplcallfoid::regprocedure, x.laninline::regprocedure,
            x.lanvalidator::regprocedure)::text"
    ),
    catalog!(
        "pg_ts_parser",
        "jsonb_build_array(x.prsstart::oid::regprocedure, x.prstoken::oid::regprocedure, x.prsend::oid::regprocedure,
            x.prsheadline::oid::regprocedure, x.prslextype::oid::regprocedure)::text"
    ),
    catalog!(
        "pg_ts_template",
        "jsonb_build_array(x.tmplinit::oid::regprocedure, x.tmpllexize::oid::regprocedure)::text"
    ),
    catalog!(
        "pg_ts_dict",
        "jsonb_build_array(t.tmplnamespace::regnamespace, t.tmplname, x.dictinitoption)::text",
        "JOIN pg_catalog.pg_ts_template t ON t.oid = x.dicttemplate"
    ),
    catalog!(
        "pg_ts_config",
        "jsonb_build_array(p.prsnamespace::regnamespace, p.prsname,
            (SELECT jsonb_agg(jsonb_build_array(m.maptokentype, m.mapdict::regdictionary) ORDER BY m.maptokentype, m.mapseqno)
                FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = x.oid))::text",
        "JOIN pg_catalog.pg_ts_parser p ON p.oid = x.cfgparser"
    ),
    catalog!(
        "pg_foreign_data_wrapper",
        "jsonb_build_array(x.fdwhandler::regprocedure, x.fdwvalidator::regprocedure,
            ARRAY(SELECT unnest(x.fdwoptions) ORDER BY 1))::text"
    ),
    catalog!(
        "pg_foreign_server",
        "jsonb_build_array(w.fdwname, x.srvtype, x.srvversion, ARRAY(SELECT unnest(x.srvoptions) ORDER BY 1))::text",
        "JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = x.srvfdw"
    ),
    // The catalog itself is for superusers; its view says NULL of what is not for everybody, and of no options too.
    catalog!(
        "pg_user_mapping",
        "CASE WHEN x.umoptions IS NOT NULL OR s.rolsuper THEN ARRAY(SELECT unnest(x.umoptions) ORDER BY 1)::text END",
        "JOIN pg_catalog.pg_roles s ON s.rolname = current_user"
    ),
    catalog!(
        "pg_publication",
        "(to_jsonb(x) - 'oid' - 'pubowner')::text"
    ),
    Catalog {
        name: "pg_publication_rel",
        since: 14,
        text: |server, _| {
            if server.at_least(15) {
                "jsonb_build_array(pg_get_expr(x.prqual, x.prrelid), ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = x.prrelid AND a.attnum = ANY (x.prattrs) ORDER BY 1))::text"
            } else {
                "'[]'"
            }
            .to_owned()
        },
        from: "",
    },
    Catalog {
        name: "pg_publication_namespace",
        since: 15,
        text: |_, _| "'[]'".to_owned(),
        from: "",
    },
    Catalog {
        name: "pg_subscription",
        since: 14,
        text: subscription,
        from: "",
    },
    catalog!(
        "pg_statistic_ext",
        "jsonb_build_array(pg_get_statisticsobjdef(x.oid), NULLIF(x.stxstattarget, -1))::text"
    ),
];

fn subscription(server: Server, allowed: Allowed) -> String {
    if !allowed.connections_of_subscriptions {
        return "NULL".to_owned();
    }
    let columns = [
        (
            14,
            "x.subconninfo, x.subenabled, x.subbinary, x.substream, x.subslotname, x.subsynccommit",
        ),
        (14, "ARRAY(SELECT unnest(x.subpublications) ORDER BY 1)"),
        (15, "x.subtwophasestate <> 'd', x.subdisableonerr"),
        (16, "x.subpasswordrequired, x.subrunasowner, x.suborigin"),
        (17, "x.subfailover"),
    ];
    let columns = columns.iter().filter(|(since, _)| server.at_least(*since));
    let columns: Vec<&str> = columns.map(|(_, columns)| *columns).collect();
    format!("jsonb_build_array({})::text", columns.join(", "))
}

/// One query for all catalogs: which of them have something unread is known by their numbers alone.
fn query(server: Server, allowed: Allowed) -> String {
    let branches = TEXTS
        .iter()
        .filter(|catalog| server.at_least(catalog.since));
    let branches: Vec<String> = branches
        .map(|catalog| {
            let Catalog {
                name, text, from, ..
            } = catalog;
            let text = text(server, allowed);
            let rows = if *name == "pg_user_mapping" {
                "(SELECT umid AS oid, umoptions FROM pg_catalog.pg_user_mappings)".to_owned()
            } else {
                format!("pg_catalog.{name}")
            };
            format!(
                "SELECT asked.class, asked.object, {text}
                FROM asked JOIN {rows} x ON x.oid = asked.object::oid {from}
                WHERE asked.class = 'pg_catalog.{name}'::regclass::int8"
            )
        })
        .collect();
    format!(
        "WITH asked AS MATERIALIZED (SELECT * FROM unnest($1, $2) asked(class, object))
        SELECT said.class, said.object,
            CASE WHEN said.text = '' AND told.comments IS NULL THEN ''
                WHEN said.text IS NOT NULL THEN encode(sha256(convert_to(
                    jsonb_build_array(said.text, told.comments)::text, 'UTF8')), 'hex') || roles.named END AS says
        FROM ({}) said(class, object, text)
            CROSS JOIN LATERAL (
                SELECT jsonb_agg(jsonb_build_array(d.objsubid, d.description) ORDER BY d.objsubid)
                FROM pg_catalog.pg_description d
                WHERE d.classoid = said.class::oid AND d.objoid = said.object::oid
            ) told(comments)
            CROSS JOIN LATERAL (
                SELECT COALESCE(string_agg(' {ROLE}' || encode(convert_to(pg_get_userbyid(role), 'UTF8'), 'hex'), '' ORDER BY role), '')
                FROM (
                    SELECT unnest(p.polroles) FROM pg_catalog.pg_policy p
                    WHERE said.class = 'pg_catalog.pg_policy'::regclass::int8 AND p.oid = said.object::oid
                    UNION ALL SELECT m.umuser FROM pg_catalog.pg_user_mappings m
                    WHERE said.class = 'pg_catalog.pg_user_mapping'::regclass::int8 AND m.umid = said.object::oid
                ) named(role)
                WHERE role <> 0
            ) roles(named)",
        branches.join("\nUNION ALL ")
    )
}

/// Reads a hash of each address; those of a catalog that is not known here are not in the answer.
pub(super) fn read(
    connection: &mut PgConnection,
    server: Server,
    addresses: &[Address],
) -> Result<Vec<(Address, Option<String>)>, ReadError> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |source| ReadError::Query {
        what: "the definitions of what no room reads".to_owned(),
        source,
    };
    let allowed = allowed(connection).map_err(failed)?;
    let classes: Vec<i64> = addresses.iter().map(|address| address.class).collect();
    let objects: Vec<i64> = addresses.iter().map(|address| address.object).collect();
    let rows: Vec<Row> = sql_query(query(server, allowed))
        .bind::<Array<BigInt>, _>(classes)
        .bind::<Array<BigInt>, _>(objects)
        .load(connection)
        .map_err(failed)?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|row| (whole((row.class, row.object)), row.says))
        .collect())
}

fn allowed(connection: &mut PgConnection) -> diesel::QueryResult<Allowed> {
    #[derive(QueryableByName)]
    struct May {
        #[diesel(sql_type = Bool)]
        read: bool,
    }
    let may: May = sql_query(
        "SELECT has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT') AS read",
    )
    .get_result(connection)?;
    Ok(Allowed {
        connections_of_subscriptions: may.read,
    })
}
