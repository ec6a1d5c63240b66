//! SQL that the rooms share.

use serde::{Deserialize, Serialize};

use super::{Id, Registered, materialized_view::MaterializedView, table::Table, view::View};
use crate::{
    Name, Server,
    name::{chosen, joined, literal, quoted_ident},
};

/// The condition that namespace `n` is neither Postgres' own nor a session's.
pub(super) const USER_NAMESPACE: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The condition that the object is no member of an extension.
pub(super) fn no_member(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_depend member
            WHERE member.classid = 'pg_catalog.{class}'::regclass AND member.objid = {oid} AND member.deptype = 'e')"
    )
}

/// The condition that `c` is neither Diesel's own record nor what stands beside it.
const NO_RECORD: &str = "c.relname !~ '^__(diesel_schema_migrations$|trueup_)'";

/// The condition that `c` is a table that [`super::table`] reads.
pub(super) fn table() -> String {
    format!(
        "c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {NO_RECORD} AND {USER_NAMESPACE} AND {}",
        no_member("pg_class", "c.oid")
    )
}

/// The condition that `c` is a view that [`super::view`] reads.
pub(super) fn view() -> String {
    format!("{NO_RECORD} AND {}", of_kind('v'))
}

/// The condition that `c` is a materialized view that [`super::materialized_view`] reads.
pub(super) fn materialized_view() -> String {
    of_kind('m')
}

fn of_kind(relkind: char) -> String {
    format!(
        "c.relkind = '{relkind}' AND c.relpersistence <> 't' AND {USER_NAMESPACE} AND {}",
        no_member("pg_class", "c.oid")
    )
}

/// Sort of relation that a rule or an index stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RelationKind {
    Table,
    View,
    MaterializedView,
}

impl RelationKind {
    /// The JSON of what `c` is.
    pub(super) const JSON: &'static str =
        "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' ELSE 'table' END";

    /// The relation of that sort with this name.
    pub(super) fn id(self, name: &Name) -> Id {
        match self {
            Self::Table => Table::id(name.clone()),
            Self::View => View::id(name.clone()),
            Self::MaterializedView => MaterializedView::id(name.clone()),
        }
    }
}

/// The name of relation `c` in namespace `n`, as [`crate::Name`] in JSON.
pub(super) const RELATION: &str = "json_build_object('namespace', n.nspname, 'name', c.relname)";

/// The columns of constraint `k` in their order.
pub(super) const COLUMNS: &str = "ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY c(attnum, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY c.place)";

/// The columns of the other table that foreign key `k` refers to, in its order.
pub(super) const REFERENCED_COLUMNS: &str = "ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY c(attnum, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY c.place)";

/// The columns of index `i` in their order, those that it carries along among them, as names are chosen after them: an
/// expression is called what its own column is.
pub(super) const INDEX_COLUMNS: &str = "ARRAY(SELECT COALESCE(a.attname, e.attname) FROM unnest(i.indkey) WITH ORDINALITY c(attnum, place)
    JOIN pg_catalog.pg_attribute e ON e.attrelid = i.indexrelid AND e.attnum = c.place
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = c.attnum AND c.attnum <> 0
    ORDER BY c.place)";

/// The rows of table `c` in namespace `n` themselves, without those of tables that inherit from it.
pub(super) const OWN_ROWS: &str =
    "(CASE WHEN c.relkind <> 'p' AND c.relhassubclass THEN 'ONLY ' ELSE '' END
    || quote_ident(n.nspname) || '.' || quote_ident(c.relname))";

/// The SELECT that finds the keys which stand in several rows, of unique index `i` on table `c`; NULL where `=` tells other
/// keys apart than the index does.
pub(super) fn duplicates(server: Server, predicate: &str) -> String {
    let nulls_are_equal = if server.at_least(15) {
        "i.indnullsnotdistinct"
    } else {
        "false"
    };
    format!(
        "CASE WHEN i.indisunique
            AND NOT i.indclass::oid[] && ARRAY(SELECT oid FROM pg_catalog.pg_opclass WHERE NOT opcdefault)
            AND NOT i.indcollation::oid[] && ARRAY(SELECT oid FROM pg_catalog.pg_collation WHERE NOT collisdeterministic)
        THEN (SELECT 'SELECT ' || string_agg(key.text, ', ' ORDER BY key.place) || ', count(*) FROM ' || {OWN_ROWS}
                || COALESCE(' WHERE ' || NULLIF(concat_ws(' AND ', '(' || {predicate} || ')',
                    string_agg(key.text || ' IS NOT NULL', ' AND ' ORDER BY key.place)
                        FILTER (WHERE NOT {nulls_are_equal} AND NOT key.not_null)), ''), '')
                || ' GROUP BY ' || string_agg(key.place::text, ', ' ORDER BY key.place) || ' HAVING count(*) > 1'
            FROM (SELECT k.place, COALESCE(quote_ident(a.attname), pg_get_indexdef(i.indexrelid, k.place::int4, true)) AS text,
                    COALESCE(a.attnotnull, false) AS not_null
                FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place)
                    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                WHERE k.place <= i.indnkeyatts) key) END"
    )
}

/// The condition that Postgres may print these expressions with few parentheses: it leaves out those of AND in AND and of OR
/// in OR, as BETWEEN brings them, and what is then read again is another tree to `pg_dump`.
pub(super) fn few_parentheses(trees: &str) -> String {
    format!(
        "concat({trees}) NOT LIKE ALL ('{{%:boolop and %:boolop and %,%:boolop or %:boolop or %}}'::text[])"
    )
}

/// An expression as Postgres prints it, with few parentheses where none of them would be missed; those around the whole are not
/// needed where parentheses are written anyway.
pub(super) fn expression(tree: &str, relation: &str) -> String {
    let few = few_parentheses(tree);
    format!(
        r"CASE WHEN {few} THEN pg_get_expr({tree}, {relation}, true)
            WHEN {tree}::text LIKE '{{BOOLEXPR %' THEN regexp_replace(pg_get_expr({tree}, {relation}), '^\((.*)\)$', '\1')
            ELSE pg_get_expr({tree}, {relation}) END"
    )
}

/// The name that Postgres would choose for something of these columns, joined.
pub(super) fn chosen_name(relation: &Name, columns: &[String], label: &str) -> String {
    chosen(&relation.name, Some(&joined(columns)), label)
}

/// Storage parameters (`reloptions`, `attoptions`: `{fillfactor=70}`) in parentheses, as SQL.
pub(super) fn parameters(options: &[String]) -> String {
    let written: Vec<String> = options
        .iter()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => format!("{name} = {}", parameter(value)),
            None => option.clone(),
        })
        .collect();
    format!("({})", written.join(", "))
}

/// The `SET (…)` and `RESET (…)` that lead from one list of storage parameters to another.
pub(super) fn parameter_changes(from: &[String], to: &[String]) -> Vec<String> {
    let set: Vec<String> = to
        .iter()
        .filter(|option| !from.contains(option))
        .cloned()
        .collect();
    let names = |options: &[String]| -> Vec<String> {
        options
            .iter()
            .map(|option| {
                option
                    .split_once('=')
                    .map_or(option.as_str(), |(name, _)| name)
                    .to_owned()
            })
            .collect()
    };
    let kept = names(to);
    let reset: Vec<String> = names(from)
        .into_iter()
        .filter(|name| !kept.contains(name))
        .collect();
    let mut changes = Vec::new();
    if !set.is_empty() {
        changes.push(format!("SET {}", parameters(&set)));
    }
    if !reset.is_empty() {
        changes.push(format!("RESET ({})", reset.join(", ")));
    }
    changes
}

/// A parameter's value: numbers and plain words stand as they are.
fn parameter(value: &str) -> String {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_number =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.parse::<f64>().is_ok();
    let plain = !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    if plain || is_number {
        value.to_owned()
    } else {
        literal(value)
    }
}

/// The SQL that moves a table or an index (`ALTER TABLE …`) to a tablespace. Nothing in SQL names the database's own, which
/// may be another on each server: it is looked up where the statement runs.
pub(super) fn set_tablespace(alter: &str, tablespace: Option<&str>) -> String {
    if let Some(tablespace) = tablespace {
        return format!("{alter} SET TABLESPACE {}", quoted_ident(tablespace));
    }
    let template = literal(&format!("{} SET TABLESPACE %I", alter.replace('%', "%%")));
    let body = format!(
        "
BEGIN
    EXECUTE (
        SELECT pg_catalog.format({template}, s.spcname)
        FROM pg_catalog.pg_database d
            JOIN pg_catalog.pg_tablespace s ON s.oid = d.dattablespace
        WHERE d.datname = pg_catalog.current_database()
    );
END
"
    );
    if body.contains("$$") {
        format!("DO {}", literal(&body))
    } else {
        format!("DO $${body}$$")
    }
}

/// Name of a tablespace in messages.
pub(super) fn tablespace_name(tablespace: Option<&str>) -> String {
    tablespace.map_or_else(
        || "the tablespace of the database".to_owned(),
        |name| format!("tablespace {}", quoted_ident(name)),
    )
}
