//! What a constraint compares with: the constants in its expression, and what lies beside them.

use serde_json::Value;

/// What strings often have to look like.
const SHAPES: [&str; 14] = [
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
];

/// Values that a constraint with these comparisons may be content with. What Postgres' own parser cannot read gives none.
pub(super) fn of(compares: &str, of_strings: bool) -> Vec<String> {
    let Some(tree) = pg_query::parse(compares, 0)
        .ok()
        .and_then(|parsed| serde_json::to_value(&parsed.protobuf).ok())
    else {
        return Vec::new();
    };
    let mut constants = Vec::new();
    collect(&tree, &mut constants);
    let mut hints = Vec::new();
    for constant in &constants {
        match constant {
            Constant::Whole(number) => {
                for near in [Some(*number), number.checked_add(1), number.checked_sub(1)] {
                    hints.extend(near.map(|near| near.to_string()));
                }
                if of_strings && let Ok(length @ 1..=300) = usize::try_from(*number) {
                    hints.push("a".repeat(length));
                    hints.push("1".repeat(length));
                }
            }
            Constant::Fraction(number) => {
                hints.push(number.clone());
                if let Ok(number) = number.parse::<f64>() {
                    hints.extend([(number + 1.0).to_string(), (number - 1.0).to_string()]);
                }
            }
            Constant::Text(text) => {
                hints.push(text.clone());
                if text.contains(['%', '_']) {
                    hints.push(text.replace('%', "a").replace('_', "b"));
                }
            }
        }
    }
    if of_strings {
        hints.extend(SHAPES.map(str::to_owned));
    }
    let mut distinct = Vec::new();
    for hint in hints {
        if !distinct.contains(&hint) {
            distinct.push(hint);
        }
    }
    distinct
}

enum Constant {
    Whole(i64),
    Fraction(String),
    Text(String),
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
    #[test]
    fn constants_and_their_neighbours() {
        let hints = super::of(
            "SELECT (price > 10 AND kind = ANY (ARRAY['a'::text, 'b'::text]))",
            false,
        );
        assert_eq!(hints, ["10", "11", "9", "a", "b"]);
        assert!(super::of("SELECT length(code) = 3", true).contains(&"aaa".to_owned()));
    }
}
