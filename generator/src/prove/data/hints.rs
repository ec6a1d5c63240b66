//! Values that a constraint compares with: the constants in its expression, and their neighbours.

mod pattern;

use pg_query::protobuf::Token;
use serde_json::Value;
use trueup::name::literal;

use super::{shape::Type, values::quoted};

/// The number of distinct values made of one constant: rows have keys.
const VARIANTS: usize = 6;
/// The maximum number of values in all.
const MOST: usize = 120;

/// Common formats of strings.
const SHAPES: [&str; 16] = [
    "a",
    "A",
    "abc",
    "ABC",
    "user@example.com",
    "https://example.com",
    "2001-01-01",
    "0",
    "00000",
    "+49123456789",
    "#a1b2c3",
    "a-b",
    "en",
    "a b",
    "1.0.0",
    "0.2.3",
];

/// SQL of values that a constraint with these comparisons may accept. Comparisons that Postgres' own parser cannot read give
/// none. A value may have another type or fail the constraint: Postgres is asked.
pub(super) fn of(compares: &str, bodies: &[String], is: &Type) -> Vec<String> {
    let mut constants = Vec::new();
    let tree = pg_query::parse(compares, 0)
        .ok()
        .and_then(|parsed| serde_json::to_value(&parsed.protobuf).ok());
    if let Some(tree) = tree {
        collect(&tree, &mut constants);
    }
    for body in bodies {
        scan(body, &mut constants);
    }
    if constants.is_empty() && bodies.is_empty() {
        return Vec::new();
    }
    let mut hints = Hints::default();
    for constant in &constants {
        match (constant, is.category.as_str()) {
            (Constant::Whole(number), "S") => hints.lengths(*number),
            (Constant::Whole(number), "A") => hints.sized(*number, |n| {
                let numbers: Vec<String> = (1..=n).map(|number| number.to_string()).collect();
                vec![format!("{{{}}}", numbers.join(","))]
            }),
            (Constant::Whole(number), "U") => hints.sized(*number, |n| {
                let bytes =
                    |last: usize| format!("\\x{}{last:02x}", "61".repeat(n.saturating_sub(1)));
                let labels = vec!["a"; n].join(".");
                (0..VARIANTS).map(bytes).chain([labels]).collect()
            }),
            (Constant::Whole(number), _) => hints.near(*number),
            (Constant::Fraction(number), _) => {
                hints.value(number);
                if let Ok(number) = number.parse::<f64>() {
                    hints.value(&(number + 1.0).to_string());
                    hints.value(&(number - 1.0).to_string());
                }
            }
            (Constant::Text(text), "S") => hints.like(text),
            (Constant::Text(text), "D") => hints.dates(text, &is.name),
            (Constant::Text(text), "A") => hints.value(&format!("{{{}}}", quoted(text))),
            (Constant::Text(text), "U") => hints.keys(text),
            (Constant::Text(text), _) => hints.value(text),
        }
    }
    let texts = constants.iter().filter_map(|constant| match constant {
        Constant::Text(text) => Some(quoted(text)),
        Constant::Whole(_) | Constant::Fraction(_) => None,
    });
    let texts: Vec<String> = texts.collect();
    match is.category.as_str() {
        "S" => SHAPES.iter().for_each(|shape| hints.value(shape)),
        "A" => hints.value(&format!("{{{}}}", texts.join(","))),
        "U" => {
            let fields: Vec<String> = texts.iter().map(|text| format!("{text}: 1")).collect();
            hints.value(&format!("{{{}}}", fields.join(", ")));
            for json in ["{}", "[]", "1", "true"] {
                hints.value(json);
            }
        }
        _ => {}
    }
    hints.0
}

/// Distinct SQL expressions.
#[derive(Default)]
struct Hints(Vec<String>);

impl Hints {
    fn sql(&mut self, sql: String) {
        if self.0.len() < MOST && !self.0.contains(&sql) {
            self.0.push(sql);
        }
    }

    fn value(&mut self, value: &str) {
        self.sql(literal(value));
    }

    fn near(&mut self, number: i64) {
        for near in [0, 1, -1, 2, 3, 4, 5] {
            if let Some(near) = number.checked_add(near) {
                self.value(&near.to_string());
            }
        }
    }

    fn sized(&mut self, number: i64, values: impl Fn(usize) -> Vec<String>) {
        if let Ok(size @ 1..=300) = usize::try_from(number) {
            for value in values(size) {
                self.value(&value);
            }
        }
    }

    /// Strings of a length.
    fn lengths(&mut self, number: i64) {
        self.near(number);
        self.sized(number, |length| {
            let ending = |filler: &str| {
                let filled = filler.repeat(length);
                let last = |n: usize| format!("{}{n}", &filled[..length - 1]);
                let distinct = (1..=VARIANTS).map(last).collect::<Vec<_>>();
                [vec![filled.clone()], distinct].concat()
            };
            [ending("a"), ending("1"), ending("A")].concat()
        });
    }

    /// Values that are equal to a text, or match it as a pattern of LIKE or as a regular expression.
    fn like(&mut self, text: &str) {
        self.value(text);
        if text.contains(['%', '_']) {
            let filled = |n: usize| text.replace('%', &format!("a{n}")).replace('_', "b");
            self.value(&text.replace('%', "a").replace('_', "b"));
            (1..=VARIANTS).for_each(|n| self.value(&filled(n)));
        }
        if text.contains(['^', '$', '[', '(', '\\', '.', '+', '*', '?', '|']) {
            let samples = pattern::samples(text, VARIANTS + 2);
            for sample in samples {
                self.value(&sample);
            }
        }
    }

    /// A date and those after it: partitions begin with it, and checks are about what comes later.
    fn dates(&mut self, text: &str, of: &str) {
        self.value(text);
        for days in [1, 2, 3, 4, 5, 6, -1] {
            self.sql(format!(
                "({}::{of} + interval '{days} days')",
                literal(text)
            ));
        }
    }

    /// Values with a text as their key, their first label or their whole.
    fn keys(&mut self, text: &str) {
        self.value(text);
        for n in 1..=VARIANTS {
            self.value(&format!("{text}.a{n}"));
        }
        let key = quoted(text);
        self.value(&format!("{{{key}: 1}}"));
        self.value(&format!("{{{key}: \"a\"}}"));
        self.value(&format!("{key} => 1"));
    }
}

enum Constant {
    Whole(i64),
    Fraction(String),
    Text(String),
}

/// The constants in the body of a function that a constraint calls.
fn scan(body: &str, constants: &mut Vec<Constant>) {
    let Ok(scanned) = pg_query::scan(body) else {
        return;
    };
    for token in scanned.tokens {
        let (Ok(start), Ok(end)) = (usize::try_from(token.start), usize::try_from(token.end))
        else {
            continue;
        };
        let text = body.get(start..end).unwrap_or_default();
        if token.token == Token::Sconst as i32 {
            // The parser knows what quotes and escapes mean.
            let tree = pg_query::parse(&format!("SELECT {text}"), 0)
                .ok()
                .and_then(|parsed| serde_json::to_value(&parsed.protobuf).ok());
            if let Some(tree) = tree {
                collect(&tree, constants);
            }
        } else if token.token == Token::Iconst as i32 {
            constants.extend(text.parse().ok().map(Constant::Whole));
        }
    }
}

fn collect(tree: &Value, constants: &mut Vec<Constant>) {
    match tree {
        Value::Array(list) => list.iter().for_each(|one| collect(one, constants)),
        Value::Object(fields) => {
            if let Some(val) = fields
                .get("AConst")
                .and_then(|constant| constant.get("val"))
            {
                constants.extend(constant(val));
                return;
            }
            fields.values().for_each(|one| collect(one, constants));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn constant(val: &Value) -> Option<Constant> {
    let text = |kind: &str, field: &str| {
        let value = val.get(kind)?.get(field)?;
        value.as_str().map(str::to_owned)
    };
    if let Some(whole) = val.get("Ival") {
        return Some(Constant::Whole(whole.get("ival")?.as_i64()?));
    }
    let string = || text("Sval", "sval").map(Constant::Text);
    text("Fval", "fval").map(Constant::Fraction).or_else(string)
}

#[cfg(test)]
mod tests {
    use crate::prove::data::shape::Type;

    #[test]
    fn constants_and_their_neighbours() {
        let numeric = Type::example("integer", "N");
        let hints = super::of("SELECT (price > 10)", &[], &numeric);
        assert_eq!(
            hints,
            ["'10'", "'11'", "'9'", "'12'", "'13'", "'14'", "'15'"]
        );
        let text = Type::example("text", "S");
        let hints = super::of("SELECT length(code) = 3", &[], &text);
        assert!(hints.contains(&"'aaa'".to_owned()), "{hints:?}");
        let hints = super::of("SELECT code ~ '^[0-9]+\\.x$'::text", &[], &text);
        assert!(hints.contains(&"'0.x'".to_owned()), "{hints:?}");
        let hints = super::of(
            "SELECT f(code)",
            &["RETURN $1 = 'it''s';".to_owned()],
            &text,
        );
        assert!(hints.contains(&"'it''s'".to_owned()), "{hints:?}");
    }
}
