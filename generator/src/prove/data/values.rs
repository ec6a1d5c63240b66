//! Values of every type, as text: such that a change which loses something of them shows.

use std::collections::BTreeMap;

use super::shape::{Column, Shape};

/// The range of the values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Range {
    /// Extremes, all digits and letters that the type takes, and NULL.
    #[default]
    Extreme,
    /// Small and plain, no NULL; of an enum the first label.
    Plain,
    /// The same; of an enum the last label.
    PlainLast,
    /// None at all.
    None,
}

/// Values by type, for one database.
pub(super) struct Values<'a> {
    shape: &'a Shape,
    /// Accepted values of types that are not Postgres' own.
    pub(super) tried: BTreeMap<i64, Vec<String>>,
}

/// Guesses at values of an unknown type.
pub(super) const GUESSES: [&str; 11] = [
    "1", "2", "a", "b", "a=>1", "b=>NULL", "(1,2)", "{1,2}", "[1,2,3]", "1-2", "",
];

impl<'a> Values<'a> {
    pub(super) fn new(shape: &'a Shape) -> Self {
        Self {
            shape,
            tried: BTreeMap::new(),
        }
    }

    /// At least one value of the column's type and up to `count` that differ, or none where the type is unknown.
    pub(super) fn of_column(&self, column: &Column, range: Range, count: usize) -> Vec<String> {
        if column.numbered {
            return (1..=count).map(|number| number.to_string()).collect();
        }
        self.of(column.type_oid, column.modifier, range, count)
    }

    /// Two values or three of the column's type that differ, and are the same in one that is coarser: none where that is
    /// unknown.
    pub(super) fn near(&self, column: &Column) -> Vec<String> {
        let own = self.shape.types.get(&column.type_oid);
        let own = own.and_then(|own| own.own.as_deref());
        own.map_or_else(Vec::new, |name| near(name, column.modifier))
    }

    fn of(&self, type_oid: i64, modifier: i32, range: Range, count: usize) -> Vec<String> {
        let Some(is) = self.shape.types.get(&type_oid) else {
            return Vec::new();
        };
        match (is.kind.as_str(), is.own.as_deref()) {
            ("e", _) => labels(&is.labels, range),
            ("d", _) => self.of(is.of, is.modifier, range, count),
            ("r", _) => self.ranges(is.of, count),
            ("m", _) => self
                .ranges(is.of, count)
                .into_iter()
                .map(|range| format!("{{{range}}}"))
                .collect(),
            ("c", _) => self.composites(is.relation, range, count),
            (_, Some("int2vector" | "oidvector")) => numbered(count, |n| format!("{n} 7")),
            _ if is.category == "A" && is.of != 0 => self.arrays(is.of, modifier, range, count),
            (_, Some(name)) => own(name, modifier, range, count, self.shape.unicode),
            _ if is.category == "S" => strings(range, count, None, self.shape.unicode),
            _ => self.tried.get(&type_oid).cloned().unwrap_or_default(),
        }
    }

    /// The base types that a value of the column is made of and that nothing is known about.
    pub(super) fn unknown(&self, type_oid: i64, found: &mut BTreeMap<i64, String>) {
        let Some(is) = self.shape.types.get(&type_oid) else {
            return;
        };
        match is.kind.as_str() {
            "b" if is.of != 0 => self.unknown(is.of, found),
            "d" | "r" | "m" => self.unknown(is.of, found),
            "c" => {
                for column in self.shape.columns(is.relation) {
                    self.unknown(column.type_oid, found);
                }
            }
            "b" if is.own.is_none() && is.category != "S" => {
                found.insert(type_oid, is.name.clone());
            }
            _ => {}
        }
    }

    fn arrays(&self, of: i64, modifier: i32, range: Range, count: usize) -> Vec<String> {
        let elements = self.of(of, modifier, range, count);
        if elements.is_empty() {
            return vec!["{}".to_owned()];
        }
        let quoted: Vec<String> = elements.iter().map(|one| quoted(one)).collect();
        let mut arrays: Vec<String> = quoted.iter().map(|one| format!("{{{one}}}")).collect();
        if range == Range::Extreme {
            arrays.insert(0, format!("{{{},NULL}}", quoted.join(",")));
            arrays.insert(1, "{}".to_owned());
        }
        arrays
    }

    fn composites(&self, relation: i64, range: Range, count: usize) -> Vec<String> {
        let fields: Vec<Vec<String>> = self
            .shape
            .columns(relation)
            .iter()
            .map(|column| self.of(column.type_oid, column.modifier, range, count))
            .collect();
        let one = |n: usize| {
            let fields: Vec<String> = fields
                .iter()
                .map(|values| {
                    let value = values.get(n % values.len().max(1));
                    value.map_or(String::new(), |value| quoted(value))
                })
                .collect();
            format!("({})", fields.join(","))
        };
        (0..count).map(one).collect()
    }

    /// Ranges of one value each: whatever the type, they are in order and do not overlap.
    fn ranges(&self, of: i64, count: usize) -> Vec<String> {
        self.of(of, -1, Range::Plain, count)
            .iter()
            .map(|value| format!("[{0},{0}]", quoted(value)))
            .collect()
    }
}

fn labels(labels: &[String], range: Range) -> Vec<String> {
    match range {
        Range::Extreme | Range::None => labels.to_vec(),
        Range::Plain => labels.first().cloned().into_iter().collect(),
        Range::PlainLast => labels.last().cloned().into_iter().collect(),
    }
}

/// A value inside an array, a range or a row.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn numbered(count: usize, one: impl Fn(usize) -> String) -> Vec<String> {
    (1..=count).map(one).collect()
}

/// `extreme` first, and then as many of the others as are missing.
fn either(
    range: Range,
    count: usize,
    extreme: &[&str],
    one: impl Fn(usize) -> String,
) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    if range == Range::Extreme {
        values.extend(extreme.iter().map(|value| (*value).to_owned()));
    }
    let missing = count.saturating_sub(values.len());
    values.extend((1..=missing).map(one));
    values
}

fn strings(range: Range, count: usize, length: Option<usize>, unicode: bool) -> Vec<String> {
    let room = length.unwrap_or(300);
    let foreign = if unicode {
        "Grüße, 世界 🌍"
    } else {
        "Gruesse"
    };
    let long = "Lorem ipsum dolor sit amet ".repeat(12);
    let mut values: Vec<String> = Vec::new();
    if range == Range::Extreme {
        for value in [long.as_str(), foreign, "it's \\ \"quoted\", {so}\n", "b "] {
            let cut: String = value.chars().take(room).collect();
            if !values.contains(&cut) {
                values.push(cut);
            }
        }
    }
    for number in 1..=count {
        let number = number.to_string();
        if values.len() < count && number.len() <= room {
            values.push(number);
        }
    }
    if range == Range::Extreme {
        values.push(String::new());
    }
    values
}

/// A number of `precision` digits, all of them in use.
fn numeric(modifier: i32, range: Range, count: usize) -> Vec<String> {
    let one = |n: usize| n.to_string();
    if modifier < 4 {
        let extreme = ["12345678901234567890.123456789", "0.1", "-7.25", "NaN"];
        return either(range, count, &extreme, one);
    }
    let precision = ((modifier - 4) >> 16) & 0xffff;
    // The scale has 11 bits and a sign.
    let scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
    let (Ok(precision), Ok(scale)) = (usize::try_from(precision), usize::try_from(scale)) else {
        return vec!["0".to_owned()];
    };
    let whole = precision.saturating_sub(scale);
    let digits = |n: usize, from: usize| -> String {
        (0..n)
            .map(|at| char::from(b"123456789"[(at + from) % 9]))
            .collect()
    };
    let number = |from: usize| {
        let before = if whole == 0 {
            "0".to_owned()
        } else {
            digits(whole, from)
        };
        if scale == 0 {
            before
        } else {
            format!("{before}.{}", digits(scale, from + 4))
        }
    };
    let extreme = [number(8), format!("-{}", number(2)), number(0)];
    let extreme: Vec<&str> = extreme.iter().map(String::as_str).collect();
    if whole == 0 {
        let zeros = |n: usize| format!("0.{n:0scale$}");
        return either(range, count.min(9), &extreme, zeros);
    }
    let small = if whole == 1 { count.min(9) } else { count };
    either(range, small, &extreme, one)
}

fn bits(length: i32, count: usize, exact: bool) -> Vec<String> {
    let length = usize::try_from(length).unwrap_or(8).max(1);
    let distinct = if length < 5 { 1 << length } else { count };
    (0..distinct.min(count))
        .map(|n| {
            let bits = format!("{n:0length$b}");
            // The last bits tell them apart; the first are set so that they show when they go.
            if exact || n % 2 == 0 {
                bits.replacen('0', "1", usize::from(length > 5))
            } else {
                bits
            }
        })
        .collect()
}

/// Values that differ by as little as the type can tell.
fn near(name: &str, modifier: i32) -> Vec<String> {
    let both = |one: &str, other: &str| vec![one.to_owned(), other.to_owned()];
    let seconds = |day: &str, zone: &str| {
        let (one, other) = match modifier {
            0 => ("56", "57"),
            1 => ("56.1", "56.2"),
            _ => ("56.11", "56.12"),
        };
        [one, other]
            .map(|one| format!("{day}12:34:{one}{zone}"))
            .to_vec()
    };
    match name {
        "bpchar" => both("n", "N"),
        "varchar" if (4..9).contains(&modifier) => both("n", "N"),
        "text" | "varchar" => ["near", "NEAR", "near "].map(str::to_owned).to_vec(),
        "timestamp" => seconds("2024-02-28 ", ""),
        "timestamptz" => seconds("2024-02-28 ", "+00"),
        "time" => seconds("", ""),
        "interval" if modifier < 0 => seconds("", ""),
        "timetz" => seconds("", "+00"),
        "numeric" if modifier < 4 => both("0.1", "0.10000000000000001"),
        "numeric" => {
            let scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
            let Some(zeros) = usize::try_from(scale - 1).ok() else {
                return Vec::new();
            };
            let zeros = "0".repeat(zeros);
            both(&format!("0.{zeros}1"), &format!("0.{zeros}2"))
        }
        "float8" => both("0.1234567890123456", "0.1234567890123457"),
        "int8" => both("9007199254740992", "9007199254740993"),
        "int4" => both("16777216", "16777217"),
        _ => Vec::new(),
    }
}

/// Values of a type that is Postgres' own.
#[expect(clippy::too_many_lines, reason = "a table of types, a line each")]
fn own(name: &str, modifier: i32, range: Range, count: usize, unicode: bool) -> Vec<String> {
    let restrict = |extreme: &[&str], one: fn(usize) -> String| either(range, count, extreme, one);
    let length = usize::try_from(modifier - 4).ok().filter(|_| modifier >= 4);
    match name {
        "int2" => restrict(&["32767", "-32768", "0"], |n| n.to_string()),
        "int4" => restrict(&["2147483647", "-2147483648", "0"], |n| n.to_string()),
        "int8" => restrict(&["9223372036854775807", "-9223372036854775808", "0"], |n| {
            n.to_string()
        }),
        "numeric" => numeric(modifier, range, count),
        "float4" => restrict(&["0.1", "-3.4e+38", "1.17e-38", "NaN"], |n| n.to_string()),
        "float8" => restrict(
            &["0.1234567890123456", "-1.7e+308", "2.3e-308", "NaN"],
            |n| n.to_string(),
        ),
        "money" => restrict(&["12.34", "-0.01", "92233720368547758.07"], |n| {
            n.to_string()
        }),
        "text" => strings(range, count, None, unicode),
        "varchar" | "bpchar" => strings(range, count, length, unicode),
        "name" => strings(range, count, Some(15), unicode),
        "char" => numbered(count.min(9), |n| n.to_string()),
        "bytea" => restrict(&["\\x00ff10", "\\x", "\\xdeadbeef"], |n| {
            format!("\\x{n:02x}")
        }),
        "bool" => match range {
            Range::Extreme | Range::None => vec!["t".to_owned(), "f".to_owned()],
            Range::Plain => vec!["t".to_owned()],
            Range::PlainLast => vec!["f".to_owned()],
        },
        "date" => restrict(&["2024-02-29", "1969-07-20", "0001-01-01"], |n| {
            format!("2001-01-{n:02}")
        }),
        "timestamp" => restrict(
            &[
                "2024-02-29 12:34:56.789123",
                "1969-07-20 20:17:40.999999",
                "1999-12-31 23:59:59.5",
            ],
            |n| format!("2001-01-{n:02} 00:00:00"),
        ),
        "timestamptz" => restrict(
            &[
                "2024-02-29 12:34:56.789123+05:30",
                "1969-07-20 20:17:40.999999+00",
                "1999-12-31 23:59:59.5-08",
            ],
            |n| format!("2001-01-{n:02} 00:00:00+00"),
        ),
        "time" => restrict(&["12:34:56.789123", "23:59:58.999999", "00:00:00.5"], |n| {
            format!("{n:02}:00:00")
        }),
        "timetz" => restrict(
            &[
                "12:34:56.789123+05:30",
                "23:59:58.999999-08",
                "00:00:00.5+00",
            ],
            |n| format!("{n:02}:00:00+00"),
        ),
        "interval" => restrict(
            &[
                "1 year 2 mons 3 days 04:05:06.789123",
                "-1 days -00:00:00.5",
                "36:00:00",
            ],
            |n| format!("{n} years"),
        ),
        "uuid" => numbered(count, |n| format!("00000000-0000-4000-8000-{n:012}")),
        "json" => restrict(
            &[
                "{\"b\": 1,  \"a\": [1, 2.50], \"b\": \"zwei\"}",
                "[null, true]",
                "\"text\"",
            ],
            |n| format!("{{\"n\": {n}}}"),
        ),
        "jsonb" => restrict(
            &["{\"b\": 1, \"a\": [1, 2.50]}", "[null, true]", "\"text\""],
            |n| format!("{{\"n\": {n}}}"),
        ),
        "xml" => numbered(count, |n| format!("<a n=\"{n}\">x</a>")),
        "inet" => restrict(&["192.168.1.5/24", "::1", "2001:db8::5/64"], |n| {
            format!("10.0.0.{n}")
        }),
        "cidr" => numbered(count, |n| format!("10.{n}.0.0/16")),
        "macaddr" => numbered(count, |n| format!("08:00:2b:01:02:{n:02x}")),
        "macaddr8" => restrict(&["08:00:2b:01:02:03:04:05"], |n| {
            format!("08:00:2b:ff:fe:01:02:{n:02x}")
        }),
        "bit" => bits(modifier.max(1), count, true),
        "varbit" => bits(if modifier > 0 { modifier } else { 9 }, count, false),
        "point" => numbered(count, |n| format!("({n}.5,-{n})")),
        "line" => numbered(count, |n| format!("{{1,-1,{n}}}")),
        "lseg" | "path" => numbered(count, |n| format!("[(0,0),({n},1.5)]")),
        "polygon" => numbered(count, |n| format!("((0,0),({n},1.5),(3,0))")),
        "box" => numbered(count, |n| format!("({n},2.5),(0,0)")),
        "circle" => numbered(count, |n| format!("<(0,0.5),{n}>")),
        "tsvector" => numbered(count, |n| format!("'cat':{n} 'sat'")),
        "tsquery" => numbered(count, |n| format!("'cat' & 'n{n}'")),
        "jsonpath" => numbered(count, |n| format!("$.\"a\"[{n}]")),
        "oid" | "xid" | "cid" | "xid8" => numbered(count, |n| n.to_string()),
        "tid" => numbered(count, |n| format!("({n},1)")),
        "pg_lsn" => numbered(count, |n| format!("0/{n}6B3748")),
        "pg_snapshot" | "txid_snapshot" => numbered(count, |n| format!("10:{}:", n + 10)),
        "regclass" => own_names(&[
            "pg_catalog.pg_class",
            "pg_catalog.pg_type",
            "pg_catalog.pg_proc",
        ]),
        "regtype" => own_names(&["integer", "text", "bigint", "uuid"]),
        "regproc" => own_names(&["pg_catalog.now", "pg_catalog.version"]),
        "regprocedure" => own_names(&["pg_catalog.now()", "pg_catalog.version()"]),
        "regnamespace" => own_names(&["pg_catalog", "information_schema"]),
        "regconfig" => own_names(&["pg_catalog.simple", "pg_catalog.english"]),
        "regdictionary" => own_names(&["pg_catalog.simple"]),
        "regcollation" => own_names(&["pg_catalog.\"C\"", "pg_catalog.\"POSIX\""]),
        _ => Vec::new(),
    }
}

fn own_names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
