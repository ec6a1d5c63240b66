//! The triggers and rules that may keep rows out of a table, and how they are turned off and on again.

use std::collections::BTreeMap;

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Text},
};

/// The triggers and rules of a table that are on.
#[derive(Default)]
pub(super) struct Guards(Vec<Guard>);

#[derive(QueryableByName)]
struct Guard {
    #[diesel(sql_type = BigInt)]
    table: i64,
    /// As in `TRIGGER name`.
    #[diesel(sql_type = Text)]
    what: String,
    /// The command that restores its state: `ENABLE ALWAYS`.
    #[diesel(sql_type = Text)]
    on: String,
}

const GUARDS: &str = "
    SELECT t.tgrelid::int8 AS table, 'TRIGGER ' || quote_ident(t.tgname) AS what,
        CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END AS on
    FROM pg_catalog.pg_trigger t
    WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgparentid = 0
    UNION ALL
    SELECT r.ev_class::int8, 'RULE ' || quote_ident(r.rulename),
        CASE r.ev_enabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
    WHERE c.relkind IN ('r', 'p') AND r.ev_enabled IN ('O', 'A')
    ORDER BY 1, 2";

/// Reads those of all tables that have some.
pub(super) fn read(connection: &mut PgConnection) -> QueryResult<BTreeMap<i64, Guards>> {
    let mut guards: BTreeMap<i64, Guards> = BTreeMap::new();
    for guard in sql_query(GUARDS).load::<Guard>(connection)? {
        guards.entry(guard.table).or_default().0.push(guard);
    }
    Ok(guards)
}

impl Guards {
    pub(super) fn off(&self, table: &str) -> String {
        let each = self
            .0
            .iter()
            .map(|guard| format!("ALTER TABLE {table} DISABLE {}", guard.what));
        each.collect::<Vec<_>>().join("; ")
    }

    pub(super) fn on(&self, table: &str) -> String {
        let each = self
            .0
            .iter()
            .map(|guard| format!("ALTER TABLE {table} {} {}", guard.on, guard.what));
        each.collect::<Vec<_>>().join("; ")
    }
}
