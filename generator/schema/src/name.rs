//! Names of Postgres objects, and the one place where identifiers and literals are quoted.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// The words that Postgres reads as something else than a name when they stand unquoted: every keyword of PostgreSQL 14
/// to 18 whose `catcode` in `pg_get_keywords()` is not `U`. Sorted.
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// The name of something that lives in a namespace: a table, an index, a type, a sequence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// The namespace, as `pg_namespace.nspname` holds it.
    pub namespace: String,
    /// The name within the namespace, as the catalog holds it.
    pub name: String,
}

impl Name {
    /// Names `name` in `namespace`; both as the catalog holds them, unquoted.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}",
            quoted_ident(&self.namespace),
            quoted_ident(&self.name)
        )
    }
}

/// The name of something that belongs to a relation and is unique only there: a column, a constraint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The table (or other relation) that it belongs to.
    pub relation: Name,
    /// Its name there.
    pub name: String,
}

impl Member {
    /// Names `name` within `relation`.
    pub fn new(relation: Name, name: impl Into<String>) -> Self {
        Self {
            relation,
            name: name.into(),
        }
    }

    /// The member's own name, quoted where it must be.
    #[must_use]
    pub fn ident(&self) -> String {
        quoted_ident(&self.name)
    }
}

impl Display for Member {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.relation, quoted_ident(&self.name))
    }
}

/// Writes an identifier as SQL, in double quotes only where Postgres would otherwise read it differently.
#[must_use]
pub fn quoted_ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && KEYWORDS.binary_search(&name).is_err();
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The key of an object within its kind, as the names that lead to it from the outside in.
pub(crate) trait Path: Sized {
    /// The names, as the catalog holds them; none where SQL has no way to write them one after the other.
    fn path(&self) -> Vec<&str>;

    /// The same with another name at the end; `None` where it ends in no name.
    fn with_name(&self, name: &str) -> Option<Self>;

    /// The same in another namespace; `None` where what it is in has one.
    fn in_namespace(&self, namespace: &str) -> Option<Self>;
}

impl Path for String {
    fn path(&self) -> Vec<&str> {
        vec![self]
    }

    fn with_name(&self, name: &str) -> Option<Self> {
        Some(name.to_owned())
    }

    fn in_namespace(&self, _namespace: &str) -> Option<Self> {
        None
    }
}

impl Path for Name {
    fn path(&self) -> Vec<&str> {
        vec![&self.namespace, &self.name]
    }

    fn with_name(&self, name: &str) -> Option<Self> {
        Some(Self::new(&self.namespace, name))
    }

    fn in_namespace(&self, namespace: &str) -> Option<Self> {
        Some(Self::new(namespace, &self.name))
    }
}

impl Path for Member {
    fn path(&self) -> Vec<&str> {
        vec![&self.relation.namespace, &self.relation.name, &self.name]
    }

    fn with_name(&self, name: &str) -> Option<Self> {
        Some(Self::new(self.relation.clone(), name))
    }

    fn in_namespace(&self, _namespace: &str) -> Option<Self> {
        None
    }
}

/// Reads names with dots between them, as [`dotted`] writes them. A name that is quoted may hold anything, and quotes
/// twice; one that is not stands for itself, capitals included. `None` where a name is empty or a quote is not closed.
#[must_use]
pub fn parse_dotted(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = if let Some(quoted) = rest.strip_prefix('"') {
            parse_quoted(quoted)?
        } else {
            let (name, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
            (name.to_owned(), after)
        };
        if name.is_empty() {
            return None;
        }
        names.push(name);
        if after.is_empty() {
            return Some(names);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// Reads up to the quote that closes, and returns the name and what stands after it.
fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        name += &rest[..end];
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, rest)),
        }
    }
}

/// Writes names with dots between them, each quoted where SQL needs it.
#[must_use]
pub fn dotted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = names
        .into_iter()
        .map(|name| quoted_ident(name.as_ref()))
        .collect();
    quoted.join(".")
}

/// Temporary name of an object while another takes its own.
#[must_use]
pub fn set_aside(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 1;
    loop {
        let suffix = if number == 1 {
            "__old".to_owned()
        } else {
            format!("__old{number}")
        };
        let beginning = &name[..name.floor_char_boundary(LONGEST - suffix.len())];
        let aside = format!("{beginning}{suffix}");
        if !taken(&aside) {
            return aside;
        }
        number += 1;
    }
}

/// The name that Postgres chooses for something that has none: of the table, of the columns and of what it is, cut so that
/// the longer of the first two gives way (`makeObjectName`).
pub(crate) fn chosen(table: &str, columns: Option<&str>, label: &str) -> String {
    let columns_or_none = columns.unwrap_or_default();
    let overhead = label.len() + 1 + usize::from(columns.is_some());
    let room = LONGEST.saturating_sub(overhead);
    let (mut one, mut other) = (table.len(), columns_or_none.len());
    while one + other > room {
        if one > other {
            one -= 1;
        } else {
            other -= 1;
        }
    }
    let table = &table[..table.floor_char_boundary(one)];
    match columns {
        Some(columns) => {
            let columns = &columns[..columns.floor_char_boundary(other)];
            format!("{table}_{columns}_{label}")
        }
        None => format!("{table}_{label}"),
    }
}

/// Several columns as they stand in such a name.
pub(crate) fn joined(columns: &[String]) -> String {
    let mut joined = String::new();
    for column in columns {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined += column;
        if joined.len() > LONGEST {
            break;
        }
    }
    joined
}

/// Longest name, in bytes.
pub(crate) const LONGEST: usize = 63;

/// Writes identifiers as a list with commas, each quoted where it must be.
pub fn ident_list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = names
        .into_iter()
        .map(|name| quoted_ident(name.as_ref()))
        .collect();
    quoted.join(", ")
}

/// Writes a string as an SQL literal that means the same whatever `standard_conforming_strings` says.
#[must_use]
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_where_postgres_needs_it() {
        let cases = [
            ("users", "users"),
            ("order", "\"order\""),
            ("Users", "\"Users\""),
            ("a b", "\"a b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("1st", "\"1st\""),
            ("é", "\"é\""),
            ("", "\"\""),
            ("json", "\"json\""),
        ];
        for (name, quoted) in cases {
            assert_eq!(quoted_ident(name), quoted);
        }
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn dots_part_names_and_quotes_hold_them_together() {
        let names = |text| parse_dotted(text).unwrap_or_default();
        assert_eq!(names("users.phone"), ["users", "phone"]);
        assert_eq!(names("Users.very sad"), ["Users", "very sad"]);
        assert_eq!(names(r#""a.b"."say ""hi""".c"#), ["a.b", "say \"hi\"", "c"]);
        for wrong in ["", "a.", ".a", "a..b", "\"a", "\"a\"b"] {
            assert_eq!(parse_dotted(wrong), None, "{wrong}");
        }
        assert_eq!(dotted(["a.b", "c", "D"]), r#""a.b".c."D""#);
    }

    #[test]
    fn chosen_names_are_cut_part_by_part() {
        assert_eq!(chosen("users", Some("email"), "key"), "users_email_key");
        assert_eq!(chosen("users", None, "pkey"), "users_pkey");
        let (long, longer) = ("t".repeat(40), "é".repeat(30));
        let name = chosen(&long, Some(&longer), "fkey");
        // Postgres gives the same.
        assert_eq!(name, format!("{}_{}_fkey", "t".repeat(29), "é".repeat(14)));
    }

    #[test]
    fn what_is_set_aside_keeps_to_63_bytes() {
        assert_eq!(set_aside("b", |_| false), "b__old");
        assert_eq!(set_aside("b", |name| name == "b__old"), "b__old2");
        assert_eq!(set_aside(&"n".repeat(63), |_| false).len(), 63);
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\b"), "E'a\\\\b'");
    }
}
