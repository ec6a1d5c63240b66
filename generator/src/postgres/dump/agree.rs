//! Compares two dumps.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use trueup::parameters::{is_known, spelled};

use crate::postgres::connection::without_comments;

/// Two statements that differ, or one that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The statement in the first dump.
    pub from: Option<String>,
    /// The statement in the second dump.
    pub to: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "{from}\n  against\n{to}"),
            (Some(one), None) => write!(f, "{one}\n  is in the first dump only"),
            (None, Some(one)) => write!(f, "{one}\n  is in the second dump only"),
            (None, None) => Ok(()),
        }
    }
}

/// Compares two dumps but for the order of their statements, the physical order of columns, and what they set for the session.
///
/// Nearly all statements are the same letter by letter; only the others are parsed.
pub fn agree(a: &str, b: &str) -> Result<(), Vec<Difference>> {
    let (in_a, in_b) = (statements(a), statements(b));
    let (only_a, only_b) = unmatched(&in_a, &in_b, |statement| (*statement).to_owned());
    let (only_a, mut only_b) = unmatched(&only_a, &only_b, |statement| canonical(statement));
    let mut differences = Vec::new();
    for from in only_a {
        let same_object = only_b.iter().position(|to| head(to) == head(from));
        let to = same_object.map(|at| only_b.remove(at).to_owned());
        differences.push(Difference {
            from: Some(from.to_owned()),
            to,
        });
    }
    differences.extend(only_b.into_iter().map(|to| Difference {
        from: None,
        to: Some(to.to_owned()),
    }));
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences)
    }
}

/// The surplus of each list over the other, as multisets.
fn unmatched<'a>(
    a: &[&'a str],
    b: &[&'a str],
    key: impl Fn(&&'a str) -> String,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut by_key: BTreeMap<String, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for statement in a {
        by_key.entry(key(statement)).or_default().0.push(statement);
    }
    for statement in b {
        by_key.entry(key(statement)).or_default().1.push(statement);
    }
    let (mut only_a, mut only_b) = (Vec::new(), Vec::new());
    for (in_a, in_b) in by_key.into_values() {
        let common = in_a.len().min(in_b.len());
        only_a.extend(&in_a[common..]);
        only_b.extend(&in_b[common..]);
    }
    (only_a, only_b)
}

fn statements(dump: &str) -> Vec<&str> {
    // A dump that even the scanner rejects is compared all the same, split at line ends.
    let statements =
        pg_query::split_with_scanner(dump).unwrap_or_else(|_| dump.split(";\n").collect());
    let statements = statements
        .into_iter()
        .map(|statement| without_comments(statement).trim_end());
    statements
        .filter(|statement| !statement.is_empty() && !is_for_the_session(statement))
        .collect()
}

fn is_for_the_session(statement: &str) -> bool {
    [
        "SET ",
        "SELECT pg_catalog.set_config(",
        "\\restrict ",
        "\\unrestrict ",
    ]
    .iter()
    .any(|word| statement.starts_with(word))
}

fn head(statement: &str) -> &str {
    statement.lines().next().unwrap_or_default()
}

/// The statement's tree without positions, with a table's columns and constraints and the columns of statistics in one order. If
/// there is no tree, its lines in one order: some trees are too deep to be handed over, some statements newer than the parser.
fn canonical(statement: &str) -> String {
    let tree = pg_query::parse(statement, 0)
        .ok()
        .and_then(|parsed| serde_json::to_value(parsed.protobuf).ok());
    if let Some(mut tree) = tree {
        settle(&mut tree);
        return tree.to_string();
    }
    let mut lines: Vec<_> = statement
        .lines()
        .map(|line| line.trim().trim_end_matches(','))
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn settle(tree: &mut Value) {
    match tree {
        Value::Object(fields) => {
            fields.retain(|name, _| !is_position(name));
            fields.values_mut().for_each(settle);
            fields.get_mut("table_elts").map(sort);
            fields.get_mut("options").map(sort);
            if let Some(Value::String(name)) = fields.get("defname").cloned()
                && let Some(arg) = fields.get_mut("arg")
                && is_known(&name)
            {
                // A word that is no keyword stands in the tree as the name of a type.
                let text = [
                    "/node/String/sval",
                    "/node/Float/fval",
                    "/node/Integer/ival",
                    "/node/TypeName/names/0/node/String/sval",
                ]
                .into_iter()
                .find_map(|place| arg.pointer(place));
                if let Some(text) = text {
                    let text = text
                        .as_str()
                        .map_or_else(|| text.to_string(), str::to_owned);
                    *arg = Value::String(spelled(&name, &text));
                }
            }
            let statistics = fields.get_mut("CreateStatsStmt");
            statistics
                .and_then(|statement| statement.get_mut("exprs"))
                .map(sort);
        }
        Value::Array(elements) => elements.iter_mut().for_each(settle),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts a list into one order, where Postgres prints it in the physical order of columns.
fn sort(list: &mut Value) {
    if let Value::Array(elements) = list {
        elements.sort_by_cached_key(Value::to_string);
    }
}

/// True if a field of the tree is only a position in the text.
fn is_position(name: &str) -> bool {
    name.ends_with("location")
        || [
            "stmt_len",
            "list_start",
            "list_end",
            "rexpr_list_start",
            "rexpr_list_end",
        ]
        .contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_session_do_not_count() {
        let a = "\\restrict x\n\nSET a = 1;\n-- t\nCREATE TABLE t (\n    a integer,\n    b text DEFAULT ';'::text\n);\n\nCREATE VIEW v AS\n SELECT 1;\n\\unrestrict x\n";
        let b = "SET a = 2;\nCREATE VIEW v AS\n SELECT 1;\nCREATE TABLE t (\n    b text DEFAULT ';'::text,\n    a integer\n);\n";
        assert_eq!(agree(a, b), Ok(()));
    }

    #[test]
    fn storage_parameters_are_what_they_mean() {
        let table = |with: &str| format!("CREATE TABLE t (\n    a integer\n)\nWITH ({with});\n");
        let agrees = |a: &str, b: &str| agree(&table(a), &table(b)).is_ok();
        let a = "autovacuum_enabled='on', fillfactor='70'";
        assert!(agrees(a, "fillfactor='70', autovacuum_enabled='true'"));
        assert!(agrees(a, "autovacuum_enabled=yes, fillfactor='70'"));
        assert!(agrees(
            "vacuum_index_cleanup='on'",
            "vacuum_index_cleanup='1'"
        ));
        assert!(agrees("n_distinct=-0.5", "n_distinct='-0.50'"));
        assert!(agrees("n_distinct=-1", "n_distinct=-1.0"));
        assert!(!agrees(a, "autovacuum_enabled='off', fillfactor='70'"));
        assert!(!agrees(
            "vacuum_index_cleanup='on'",
            "vacuum_index_cleanup=auto"
        ));
        assert!(!agrees("strange='on'", "strange='true'"));
    }

    #[test]
    fn all_else_does() {
        let table = "CREATE TABLE t (\n    a integer\n);\n";
        let other = "CREATE TABLE t (\n    a bigint\n);\n";
        let (from, to) = (table.trim_end_matches(";\n"), other.trim_end_matches(";\n"));
        let changed = Difference {
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
        };
        assert_eq!(agree(table, other), Err(vec![changed]));
        let twice = Difference {
            from: Some(from.to_owned()),
            to: None,
        };
        assert_eq!(agree(&table.repeat(2), table), Err(vec![twice]));
        let statistics = |columns| format!("CREATE STATISTICS s ON {columns} FROM t;");
        let agrees = |to| agree(&statistics("a, b, (a + b)"), &statistics(to));
        assert_eq!(agrees("b, a, (a + b)"), Ok(()));
        assert!(agrees("b, a, (b + a)").is_err());
        // In an enum and a composite type the order is part of the meaning.
        assert!(
            agree(
                "CREATE TYPE e AS ENUM ('a', 'b');",
                "CREATE TYPE e AS ENUM ('b', 'a');"
            )
            .is_err()
        );
        assert!(
            agree(
                "CREATE TYPE c AS (a int, b int);",
                "CREATE TYPE c AS (b int, a int);"
            )
            .is_err()
        );
    }

    #[test]
    fn what_is_too_deep_to_parse_is_compared_by_lines() {
        let deep = vec!["a"; 200].join(" + ");
        let table = |first: &str, second: &str| {
            format!("CREATE TABLE t (\n    {first},\n    {second}\n);\n")
        };
        let check = format!("CONSTRAINT c CHECK (({deep} > 0))");
        assert!(pg_query::parse(&table("a integer", &check), 0).is_err());
        assert_eq!(
            agree(&table("a integer", &check), &table(&check, "a integer")),
            Ok(())
        );
        assert!(agree(&table("a integer", &check), &table("a bigint", &check)).is_err());
    }
}
