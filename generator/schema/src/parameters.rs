//! Storage parameters as Postgres means them: it keeps each as it was spelled, and reads `on`, `TRUE` and `1` as the same.
//!
//! No catalog says of which type a parameter is. Those that the server's own source declares as booleans or as numbers with a
//! fraction are named here; all others, those of other access methods among them, are compared as they are spelled.

/// Booleans, and one that is either a boolean or `auto`.
pub const BOOLEANS: [&str; 9] = [
    "autosummarize",
    "autovacuum_enabled",
    "deduplicate_items",
    "fastupdate",
    "security_barrier",
    "security_invoker",
    "user_catalog_table",
    "vacuum_index_cleanup",
    "vacuum_truncate",
];

/// Numbers with a fraction.
pub const FRACTIONS: [&str; 7] = [
    "autovacuum_analyze_scale_factor",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_vacuum_scale_factor",
    "n_distinct",
    "n_distinct_inherited",
    "vacuum_max_eager_freeze_failure_rate",
];

/// The SQL that gives the parameters of a column like `pg_class.reloptions`, each spelled in one way, in the order of their names.
pub(crate) fn meant(list: &str) -> String {
    let named = |names: &[&str]| format!("'{}'", names.join("', '"));
    format!(
        "CASE WHEN {list} IS NULL THEN '{{}}'::text[] ELSE ARRAY(
            SELECT CASE
                    WHEN o.option_name IN ({booleans}) AND lower(o.option_value) <> 'auto'
                        THEN o.option_name || '=' || o.option_value::boolean::text
                    WHEN o.option_name IN ({fractions}) THEN o.option_name || '=' || o.option_value::float8::text
                    ELSE w.option END
            FROM unnest({list}) w(option), pg_catalog.pg_options_to_table(ARRAY[w.option]) o
            ORDER BY o.option_name) END",
        booleans = named(&BOOLEANS),
        fractions = named(&FRACTIONS),
    )
}

/// True if the type of a parameter is known.
#[must_use]
pub fn is_known(name: &str) -> bool {
    BOOLEANS.contains(&name) || FRACTIONS.contains(&name)
}

/// The value of such a parameter, spelled in one way.
#[must_use]
pub fn spelled(name: &str, value: &str) -> String {
    if BOOLEANS.contains(&name)
        && let Some(value) = boolean(value)
    {
        return value.to_string();
    }
    if FRACTIONS.contains(&name)
        && let Ok(value) = value.parse::<f64>()
    {
        return value.to_string();
    }
    value.to_owned()
}

/// Reads a boolean as Postgres' `parse_bool` does: a word, or its beginning where no other word begins so.
fn boolean(value: &str) -> Option<bool> {
    let value = value.to_ascii_lowercase();
    let begins = |word: &str| !value.is_empty() && word.starts_with(&value);
    match value.as_str() {
        "on" | "1" => Some(true),
        "of" | "off" | "0" => Some(false),
        _ if begins("true") || begins("yes") => Some(true),
        _ if begins("false") || begins("no") => Some(false),
        _ => None,
    }
}
