//! Tables, sequences and types of a database, as far as rows need them: read from its own catalog, independent of the rooms.

use std::collections::BTreeMap;

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Text},
};

use crate::postgres::catalog::Query;

/// Tables, sequences and types of one database.
pub(super) struct Shape {
    pub(super) tables: BTreeMap<i64, Table>,
    pub(super) sequences: Vec<Sequence>,
    pub(super) types: BTreeMap<i64, Type>,
    /// The columns of every composite type and table, by its oid in `pg_class`.
    pub(super) columns: BTreeMap<i64, Vec<Column>>,
    /// The constraints of domains, by the domain's oid.
    pub(super) domains: BTreeMap<i64, Vec<Constraint>>,
    /// True if text may hold any character.
    pub(super) unicode: bool,
}

/// A table, or a partition, or the root of some.
#[derive(QueryableByName)]
pub(super) struct Table {
    #[diesel(sql_type = BigInt)]
    pub(super) oid: i64,
    /// Qualified and quoted.
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    /// True if it stores rows itself, and not only in its partitions.
    #[diesel(sql_type = Bool)]
    pub(super) stores: bool,
    /// True if rows are inserted into it, rather than into the table that it is a partition of.
    #[diesel(sql_type = Bool)]
    pub(super) whole: bool,
    #[diesel(embed)]
    pub(super) constraints: Constraints,
}

/// Constraints on the rows of a table.
#[derive(Default)]
pub(super) struct Constraints(pub(super) Vec<Constraint>);

/// A column of a table or of a composite type.
#[derive(QueryableByName, Clone)]
pub(super) struct Column {
    #[diesel(sql_type = BigInt)]
    relation: i64,
    #[diesel(sql_type = Integer)]
    pub(super) number: i32,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    /// Quoted where it must be.
    #[diesel(sql_type = Text)]
    pub(super) ident: String,
    #[diesel(sql_type = BigInt)]
    pub(super) type_oid: i64,
    #[diesel(sql_type = Integer)]
    pub(super) modifier: i32,
    /// As `format_type` prints it.
    #[diesel(sql_type = Text)]
    pub(super) type_name: String,
    /// The fields of the rows that it holds, by the numbers that the catalog has for them and their types; empty where it holds
    /// none. What is written of a row is other where they are, and the name of its type is the same.
    #[diesel(sql_type = Text)]
    pub(super) fields: String,
    #[diesel(sql_type = Bool)]
    pub(super) required: bool,
    #[diesel(sql_type = Bool)]
    pub(super) generated: bool,
    /// True if a sequence numbers it.
    #[diesel(sql_type = Bool)]
    pub(super) numbered: bool,
    /// True if its values alone are unique.
    #[diesel(sql_type = Bool)]
    pub(super) unique: bool,
}

/// A constraint, a unique index or the bounds of a partition: what may refuse a row.
#[derive(QueryableByName, Clone)]
pub(super) struct Constraint {
    /// Of a domain, the domain's.
    #[diesel(sql_type = BigInt)]
    on: i64,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Array<Integer>)]
    pub(super) columns: Vec<i32>,
    /// The table that a foreign key refers to.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) target: Option<i64>,
    #[diesel(sql_type = Array<Integer>)]
    pub(super) target_columns: Vec<i32>,
    /// A statement with the constants in it that the constraint compares with.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) compares: Option<String>,
    #[diesel(sql_type = Bool)]
    of_domain: bool,
    /// The bodies of the functions that it calls.
    #[diesel(embed)]
    pub(super) bodies: Bodies,
}

/// The bodies of functions.
#[derive(Default, Clone)]
pub(super) struct Bodies(pub(super) Vec<String>);

#[derive(QueryableByName)]
struct Called {
    #[diesel(sql_type = BigInt)]
    on: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    body: String,
}

/// A type.
#[derive(QueryableByName)]
pub(super) struct Type {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    /// Its bare name where it is Postgres' own.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) own: Option<String>,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    /// `pg_type.typtype`.
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
    /// `pg_type.typcategory`.
    #[diesel(sql_type = Text)]
    pub(super) category: String,
    /// An array's elements', a domain's base, a range's bounds'.
    #[diesel(sql_type = BigInt)]
    pub(super) of: i64,
    #[diesel(sql_type = Integer)]
    pub(super) modifier: i32,
    #[diesel(sql_type = BigInt)]
    pub(super) relation: i64,
    #[diesel(sql_type = Array<Text>)]
    pub(super) labels: Vec<String>,
}

/// A sequence, and how far it has come.
#[derive(QueryableByName, Clone)]
pub(super) struct Sequence {
    #[diesel(sql_type = BigInt)]
    pub(super) oid: i64,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Bool)]
    pub(super) counts_up: bool,
    /// The table of the column that owns it.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) table: Option<i64>,
    /// The number of that column.
    #[diesel(sql_type = Nullable<Integer>)]
    pub(super) column: Option<i32>,
    /// True if it is the column's identity.
    #[diesel(sql_type = Bool)]
    pub(super) is_identity: bool,
}

impl diesel::deserialize::QueryableByName<diesel::pg::Pg> for Constraints {
    fn build<'a>(
        _row: &impl diesel::row::NamedRow<'a, diesel::pg::Pg>,
    ) -> diesel::deserialize::Result<Self> {
        Ok(Self::default())
    }
}

impl diesel::deserialize::QueryableByName<diesel::pg::Pg> for Bodies {
    fn build<'a>(
        _row: &impl diesel::row::NamedRow<'a, diesel::pg::Pg>,
    ) -> diesel::deserialize::Result<Self> {
        Ok(Self::default())
    }
}

const TABLES: &str = "
    SELECT c.oid::int8 AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relkind = 'r' AS stores,
        NOT c.relispartition AS whole
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relpersistence <> 't'
        AND c.relname !~ '^__(diesel_schema_migrations$|trueup_)'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    ORDER BY c.oid";

const COLUMNS: &str = "
    SELECT a.attrelid::int8 AS relation, a.attnum::int4 AS number, a.attname::text AS name, quote_ident(a.attname) AS ident,
        a.atttypid::int8 AS type_oid, a.atttypmod AS modifier, format_type(a.atttypid, a.atttypmod) AS type_name,
        CASE WHEN t.typtype IN ('c', 'd') OR t.typcategory = 'A' THEN COALESCE((
            SELECT string_agg(f.attnum || ' ' || f.atttypid, ',' ORDER BY f.attnum) FROM pg_catalog.pg_attribute f
            WHERE f.attrelid = ANY (ARRAY(SELECT e.typrelid FROM pg_catalog.pg_type e
                    WHERE e.oid IN (t.oid, t.typbasetype, t.typelem) AND e.typrelid <> 0))
                AND f.attnum > 0 AND NOT f.attisdropped), '') ELSE '' END AS fields,
        a.attnotnull OR t.typnotnull AS required, a.attgenerated <> '' AS generated,
        a.attidentity <> '' OR EXISTS (SELECT FROM pg_catalog.pg_attrdef d
            JOIN pg_catalog.pg_depend p ON p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
            JOIN pg_catalog.pg_sequence s ON p.refclassid = 'pg_catalog.pg_class'::regclass AND s.seqrelid = p.refobjid
            WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS numbered,
        EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique
            AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS \"unique\"
    FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.oid >= 16384 AND c.relkind IN ('r', 'p', 'c')
    ORDER BY a.attrelid, a.attnum";

const CONSTRAINTS: &str = "
    SELECT CASE WHEN contypid <> 0 THEN contypid ELSE conrelid END::int8 AS \"on\", conname::text AS name,
        COALESCE(conkey, '{}')::int4[] AS columns, NULLIF(confrelid, 0)::int8 AS target,
        COALESCE(confkey, '{}')::int4[] AS target_columns, 'SELECT ' || pg_get_expr(conbin, conrelid) AS compares,
        contypid <> 0 AS of_domain
    FROM pg_catalog.pg_constraint
    WHERE oid >= 16384 AND contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT i.indrelid::int8, c.relname, ARRAY(SELECT DISTINCT d.refobjsubid FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0
            ORDER BY 1), NULL, '{}', NULL, false
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indisunique AND c.oid >= 16384
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = i.indexrelid AND conrelid = i.indrelid)
    UNION ALL
    -- An expression that cannot be computed refuses a row as a check would.
    SELECT d.adrelid::int8, ' expression', ARRAY(SELECT DISTINCT p.refobjsubid FROM pg_catalog.pg_depend p
            WHERE p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                AND p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = d.adrelid
                AND p.refobjsubid NOT IN (0, d.adnum)
            UNION
            SELECT DISTINCT p.refobjsubid FROM pg_catalog.pg_depend p
            WHERE p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = d.adrelid AND p.objsubid = d.adnum
                AND p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = d.adrelid
                AND p.refobjsubid NOT IN (0, d.adnum)
            ORDER BY 1), NULL, '{}',
        'SELECT (CASE WHEN (' || pg_get_expr(d.adbin, d.adrelid) || ') IS NULL THEN true ELSE true END)', false
    FROM pg_catalog.pg_attrdef d
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE a.attgenerated <> '' AND d.oid >= 16384
    UNION ALL
    -- The bounds of partitions refuse a row as a check of the root that has no name.
    SELECT p.partrelid::int8, '', p.partattrs::int2[]::int4[], NULL, '{}',
        'CREATE TABLE a PARTITION OF b ' || pg_get_expr(c.relpartbound, c.oid), false
    FROM pg_catalog.pg_partitioned_table p
        JOIN pg_catalog.pg_inherits i ON i.inhparent = p.partrelid
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    ORDER BY 1, 2";

const CALLED: &str = "
    SELECT CASE WHEN c.contypid <> 0 THEN c.contypid ELSE c.conrelid END::int8 AS \"on\", c.conname::text AS name,
        p.prosrc AS body
    FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_constraint c ON d.classid = 'pg_catalog.pg_constraint'::regclass AND c.oid = d.objid
        JOIN pg_catalog.pg_proc p ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.refobjid
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND l.lanname IN ('sql', 'plpgsql')
    ORDER BY 1, 2, 3";

const TYPES: &str = "
    SELECT t.oid::int8 AS oid, CASE WHEN n.nspname = 'pg_catalog' THEN t.typname::text END AS own,
        format_type(t.oid, NULL) AS name, CASE WHEN r.rngmultitypid = t.oid THEN 'm' ELSE t.typtype::text END AS kind,
        t.typcategory::text AS category,
        COALESCE(r.rngsubtype, NULLIF(t.typbasetype, 0), CASE WHEN t.typcategory = 'A' THEN t.typelem END, 0)::int8 AS of,
        t.typtypmod AS modifier, t.typrelid::int8 AS relation,
        CASE WHEN t.typtype = 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
            WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) ELSE '{}' END AS labels
    FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid)
    WHERE t.typtype <> 'p' AND (t.typtype <> 'c' OR t.oid >= 16384)";

const SEQUENCES: &str = r#"
    SELECT c.oid::int8 AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, s.seqincrement > 0 AS counts_up,
        own.refobjid::int8 AS "table", own.refobjsubid AS "column", coalesce(own.deptype = 'i', false) AS is_identity
    FROM pg_catalog.pg_sequence s
        JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_depend own ON own.classid = 'pg_catalog.pg_class'::regclass AND own.objid = c.oid
            AND own.refclassid = 'pg_catalog.pg_class'::regclass AND own.refobjsubid > 0 AND own.deptype IN ('a', 'i')
    WHERE c.oid >= 16384 AND c.relpersistence <> 't'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    ORDER BY c.oid"#;

#[derive(QueryableByName)]
struct Encoding {
    #[diesel(sql_type = Bool)]
    unicode: bool,
}

/// Reads the shape of a database in a fixed number of queries.
pub(super) fn read(connection: &mut PgConnection) -> QueryResult<Shape> {
    let tables: Vec<Table> = Query(TABLES).load(connection)?;
    let mut tables: BTreeMap<i64, Table> =
        tables.into_iter().map(|table| (table.oid, table)).collect();
    let mut columns: BTreeMap<i64, Vec<Column>> = BTreeMap::new();
    for column in Query(COLUMNS).load::<Column>(connection)? {
        columns.entry(column.relation).or_default().push(column);
    }
    let mut domains: BTreeMap<i64, Vec<Constraint>> = BTreeMap::new();
    let mut bodies: BTreeMap<(i64, String), Bodies> = BTreeMap::new();
    for Called { on, name, body } in Query(CALLED).load::<Called>(connection)? {
        bodies.entry((on, name)).or_default().0.push(body);
    }
    for mut constraint in Query(CONSTRAINTS).load::<Constraint>(connection)? {
        let calls = bodies.remove(&(constraint.on, constraint.name.clone()));
        constraint.bodies = calls.unwrap_or_default();
        if constraint.of_domain {
            domains.entry(constraint.on).or_default().push(constraint);
        } else if let Some(table) = tables.get_mut(&constraint.on) {
            table.constraints.0.push(constraint);
        }
    }
    let types: Vec<Type> = Query(TYPES).load(connection)?;
    let Encoding { unicode } =
        Query("SELECT current_setting('server_encoding') = 'UTF8' AS unicode")
            .get_result(connection)?;
    Ok(Shape {
        tables,
        sequences: Query(SEQUENCES).load(connection)?,
        types: types.into_iter().map(|one| (one.oid, one)).collect(),
        columns,
        domains,
        unicode,
    })
}

impl Shape {
    /// The columns of a table or of a composite type.
    pub(super) fn columns(&self, relation: i64) -> &[Column] {
        self.columns.get(&relation).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
impl Type {
    /// A type of Postgres' own, for tests.
    pub(super) fn example(name: &str, category: &str) -> Self {
        Self {
            oid: 0,
            own: Some(name.to_owned()),
            name: name.to_owned(),
            kind: "b".to_owned(),
            category: category.to_owned(),
            of: 0,
            modifier: -1,
            relation: 0,
            labels: Vec::new(),
        }
    }
}
