//! The tables that code is around, and their rows.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};

use super::{Act, Deed, verb};
use crate::prove::{
    code::Attempt,
    data::shape::{Shape, Table},
};

/// The tables, policies and views to exercise.
pub(super) struct Covered {
    tables: BTreeMap<i64, Coded>,
    policies: Vec<Policy>,
    views: Vec<View>,
    written: Vec<Written>,
}

#[derive(QueryableByName)]
struct Coded {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    namespace: String,
    /// True if it has a trigger on TRUNCATE.
    #[diesel(sql_type = Bool)]
    truncates: bool,
    /// The numbers of the columns with a default.
    #[diesel(sql_type = Array<BigInt>)]
    defaults: Vec<i64>,
    /// The tables with foreign keys to it.
    #[diesel(sql_type = Array<Text>)]
    referrers: Vec<String>,
}

#[derive(QueryableByName)]
struct Policy {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Nullable<Text>)]
    reads: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    writes: Option<String>,
}

#[derive(QueryableByName)]
struct View {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    materialized: bool,
}

/// A view that triggers or rules write.
#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    /// The tables that it reads.
    #[diesel(sql_type = Array<Text>)]
    reads: Vec<String>,
    #[diesel(sql_type = Bool)]
    inserts: bool,
    #[diesel(sql_type = Bool)]
    updates: bool,
    #[diesel(sql_type = Bool)]
    deletes: bool,
}

/// A row, and where it is.
#[derive(QueryableByName)]
pub(super) struct Found {
    #[diesel(sql_type = BigInt)]
    pub(super) table: i64,
    #[diesel(sql_type = Text)]
    pub(super) place: String,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    pub(super) values: Vec<Option<String>>,
}

/// The number of rows of a table that are tried.
const ROWS: usize = 5;

/// Functions that are neither Postgres' own nor written in C.
const OURS: &str = "
    SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND l.lanname NOT IN ('c', 'internal')";

/// Code is around a table where a trigger, a rule or a policy is on it, a default, a check or an index of it calls a
/// function, or an action of a foreign key reaches a table that has such.
const TABLES: &str = "
    WITH RECURSIVE called AS (
        SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN ours ON ours.oid = d.refobjid
        WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    ), coded AS (
        SELECT tgrelid AS oid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'
        UNION SELECT ev_class FROM pg_catalog.pg_rewrite WHERE rulename <> '_RETURN'
        UNION SELECT d.adrelid FROM called c JOIN pg_catalog.pg_attrdef d ON d.oid = c.objid
            AND c.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        UNION SELECT o.conrelid FROM called c JOIN pg_catalog.pg_constraint o ON o.oid = c.objid
            AND c.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND o.conrelid <> 0
        UNION SELECT a.attrelid FROM called c JOIN pg_catalog.pg_constraint o ON o.oid = c.objid
            AND c.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            JOIN pg_catalog.pg_attribute a ON a.atttypid = o.contypid AND o.contypid <> 0 AND a.attnum > 0
        UNION SELECT i.indrelid FROM called c JOIN pg_catalog.pg_index i ON i.indexrelid = c.objid
            AND c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    ), reached AS (
        SELECT COALESCE(pg_catalog.pg_partition_root(oid)::pg_catalog.oid, oid) AS oid FROM coded
        UNION SELECT f.confrelid FROM reached r JOIN pg_catalog.pg_constraint f ON f.conrelid = r.oid
        WHERE f.contype = 'f' AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd'))
    )
    SELECT c.oid::int8 AS oid, quote_ident(n.nspname) AS namespace,
        EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgtype & 32 <> 0)
            AS truncates,
        ARRAY(SELECT d.adnum::int8 FROM pg_catalog.pg_attrdef d WHERE d.adrelid = c.oid) AS defaults,
        ARRAY(SELECT f.conrelid::pg_catalog.regclass::text FROM pg_catalog.pg_constraint f
            WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.conrelid <> c.oid) AS referrers
    FROM reached r JOIN pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')";

const POLICIES: &str = "
    SELECT p.oid::int8 AS oid, quote_ident(p.polname) AS name, p.polrelid::pg_catalog.regclass::text AS table,
        pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS reads, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS writes
    FROM pg_catalog.pg_policy p WHERE p.oid >= 16384";

/// Views that call a function.
const VIEWS: &str = "
    SELECT DISTINCT c.oid::int8 AS oid, c.oid::pg_catalog.regclass::text AS name, c.relkind = 'm' AS materialized
    FROM ours
        JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = ours.oid
            AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
        JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
    WHERE c.relkind IN ('v', 'm')
    ORDER BY oid";

const WRITTEN: &str = "
    SELECT c.oid::int8 AS oid, c.oid::pg_catalog.regclass::text AS name,
        ARRAY(SELECT quote_ident(a.attname) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
        ARRAY(SELECT DISTINCT r.oid::pg_catalog.regclass::text FROM pg_catalog.pg_rewrite w
                JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
                JOIN pg_catalog.pg_class r ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    AND r.oid = d.refobjid AND r.relkind IN ('r', 'p')
            WHERE w.ev_class = c.oid AND w.rulename = '_RETURN') AS reads,
        EXISTS (SELECT FROM events e WHERE e.relation = c.oid AND e.event = 'insert') AS inserts,
        EXISTS (SELECT FROM events e WHERE e.relation = c.oid AND e.event = 'update') AS updates,
        EXISTS (SELECT FROM events e WHERE e.relation = c.oid AND e.event = 'delete') AS deletes
    FROM pg_catalog.pg_class c
    WHERE c.relkind = 'v' AND c.oid IN (SELECT relation FROM events)
    ORDER BY c.oid";

/// Events of a view that triggers or rules handle.
const EVENTS: &str = "
    SELECT t.tgrelid AS relation, e.event FROM pg_catalog.pg_trigger t
        JOIN (VALUES (4, 'insert'), (8, 'delete'), (16, 'update')) e(bit, event) ON t.tgtype & e.bit <> 0
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
    UNION SELECT r.ev_class, e.event FROM pg_catalog.pg_rewrite r
        JOIN (VALUES ('3', 'insert'), ('4', 'delete'), ('2', 'update')) e(bit, event) ON r.ev_type::text = e.bit
    WHERE r.rulename <> '_RETURN'";

impl Covered {
    pub(super) fn read(connection: &mut PgConnection) -> QueryResult<Self> {
        let tables = TABLES.replacen(
            "WITH RECURSIVE called",
            &format!("WITH RECURSIVE ours AS ({OURS}), called"),
            1,
        );
        let tables: Vec<Coded> = sql_query(tables).load(connection)?;
        Ok(Self {
            tables: tables.into_iter().map(|table| (table.oid, table)).collect(),
            policies: sql_query(POLICIES).load(connection)?,
            views: sql_query(format!("WITH ours AS ({OURS}) {VIEWS}")).load(connection)?,
            written: sql_query(format!("WITH events AS ({EVENTS}) {WRITTEN}")).load(connection)?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
            && self.policies.is_empty()
            && self.views.is_empty()
            && self.written.is_empty()
    }

    pub(super) fn tables<'a>(&self, shape: &'a Shape) -> impl Iterator<Item = &'a Table> {
        let tables = self.tables.keys();
        let tables = tables.filter_map(|oid| shape.tables.get(oid));
        tables.collect::<Vec<_>>().into_iter()
    }

    pub(super) fn namespace(&self, table: i64) -> Option<String> {
        self.tables.get(&table).map(|one| one.namespace.clone())
    }

    pub(super) fn truncates(&self, table: i64) -> bool {
        self.tables.get(&table).is_some_and(|one| one.truncates)
    }

    pub(super) fn referrers(&self, table: i64) -> &[String] {
        self.tables.get(&table).map_or(&[], |one| &one.referrers)
    }

    /// The numbers of the columns with a default.
    pub(super) fn defaults(&self, table: i64) -> BTreeSet<i64> {
        let one = self.tables.get(&table);
        one.map_or_else(BTreeSet::new, |one| one.defaults.iter().copied().collect())
    }

    /// Attempts on policies and views, beside the statements on tables.
    pub(super) fn others(&self) -> Vec<(Deed, String, Attempt)> {
        let attempt = |sql: String| Attempt {
            before: Vec::new(),
            sql,
            namespace: None,
        };
        let policies = self.policies.iter().flat_map(|policy| {
            let deed = Deed {
                of: policy.oid,
                act: Act::Policy,
            };
            let words = verb(Act::Policy, &format!("{} on {}", policy.name, policy.table));
            let expressions = [&policy.reads, &policy.writes].into_iter().flatten();
            expressions.map(move |expression| {
                let sql = format!("SELECT ({expression}) FROM {}", policy.table);
                (deed, words.clone(), attempt(sql))
            })
        });
        let views = self.views.iter().map(|view| {
            let deed = Deed {
                of: view.oid,
                act: Act::Read,
            };
            let View { name, .. } = view;
            if view.materialized {
                let sql = format!("REFRESH MATERIALIZED VIEW {name}");
                (deed, sql.clone(), attempt(sql))
            } else {
                let sql = format!("SELECT v::text FROM {name} v");
                (deed, verb(Act::Read, name), attempt(sql))
            }
        });
        let written = self.written.iter().flat_map(Written::attempts);
        policies.chain(views).chain(written).collect()
    }
}

impl Written {
    /// Statements that a program may send about the rows of the view.
    fn attempts(&self) -> Vec<(Deed, String, Attempt)> {
        let Self { oid, name, .. } = self;
        let sets = self
            .columns
            .iter()
            .map(|column| format!("{column} = {column}"));
        let sets = sets.collect::<Vec<_>>().join(", ");
        let deed = |act: Act, before: Vec<String>, sql: String| {
            let attempt = Attempt {
                before,
                sql,
                namespace: None,
            };
            (Deed { of: *oid, act }, verb(act, name), attempt)
        };
        // The rows that come are those that were there, lest a key refuse them.
        let aside =
            format!("CREATE TEMPORARY TABLE trueup_rows AS SELECT * FROM {name} LIMIT {ROWS}");
        let gone = self
            .reads
            .iter()
            .map(|table| format!("DELETE FROM {table}"));
        let before = [aside].into_iter().chain(gone).collect();
        let insert = format!("INSERT INTO {name} SELECT * FROM pg_temp.trueup_rows");
        let inserts = self.inserts.then(|| deed(Act::Insert, before, insert));
        let update = format!("UPDATE {name} SET {sets}");
        let updates = self.updates.then(|| deed(Act::Touch, Vec::new(), update));
        let delete = format!("DELETE FROM {name}");
        let deletes = self.deletes.then(|| deed(Act::Delete, Vec::new(), delete));
        [inserts, updates, deletes].into_iter().flatten().collect()
    }
}

/// Some rows of a table, those of its partitions included.
pub(super) fn rows(connection: &mut PgConnection, shape: &Shape, table: &Table) -> Vec<Found> {
    let columns = shape.columns(table.oid).iter();
    let columns: Vec<String> = columns
        .map(|column| format!("{}::text", column.ident))
        .collect();
    let only = if table.stores { "ONLY " } else { "" };
    let query = format!(
        "SELECT tableoid::int8 AS table, ctid::text AS place, ARRAY[{}]::text[] AS values FROM {only}{} r
        ORDER BY r.tableoid, r.ctid LIMIT {ROWS}",
        columns.join(", "),
        table.name
    );
    let found = connection.transaction(|connection| sql_query(query).load(connection));
    found.unwrap_or_default()
}
