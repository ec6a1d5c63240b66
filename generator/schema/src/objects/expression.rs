//! Expressions as Postgres prints them, in the form that outlives being written and read again.
//!
//! `c IN ('x', 'y')` on a varchar column is kept as an array that is cast as a whole, and printed as
//! `ARRAY['x'::character varying, 'y'::character varying]::text[]`. Postgres reads that as an array whose elements are cast
//! one by one, and prints it so from then on. So the two are one, and a dump and its restoration differ in nothing else.

use serde::{Deserialize, Deserializer};

/// Reads an expression from a row.
pub(super) fn settled<'de, D: Deserializer<'de>>(row: D) -> Result<String, D::Error> {
    String::deserialize(row).map(|text| settle(&text))
}

/// Reads an expression that may be missing from a row.
pub(super) fn settled_if_any<'de, D: Deserializer<'de>>(
    row: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(row)?.map(|text| settle(&text)))
}

/// Casts the elements of an array one by one where the array is cast as a whole.
fn settle(text: &str) -> String {
    let mut settled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = find(rest, "ARRAY[") {
        let inside = start + "ARRAY[".len();
        let Some((elements, length)) = elements(&rest[inside..]) else {
            break;
        };
        let after = &rest[inside + length..];
        let cast = after.strip_prefix("]::").and_then(|cast| {
            let end = cast.find("[]")?;
            cast[..end]
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '"'))
                .then_some(&cast[..end])
        });
        settled.push_str(&rest[..inside]);
        match cast {
            Some(cast) if elements.iter().all(|element| is_cast(element)) => {
                let each: Vec<String> = elements
                    .iter()
                    .map(|element| format!("{element}::{cast}"))
                    .collect();
                settled.push_str(&each.join(", "));
                settled.push(']');
                rest = &after["]::[]".len() + cast.len()..];
            }
            Some(_) | None => rest = &rest[inside..],
        }
    }
    settled.push_str(rest);
    settled
}

/// Whether an element of an array is a literal with its type behind it.
fn is_cast(element: &str) -> bool {
    element.starts_with('\'')
        && find(element, "::").is_some_and(|at| !element[at..].contains(['(', '\'']))
}

/// Where a word first stands outside quotes.
fn find(text: &str, word: &str) -> Option<usize> {
    let mut quoted = None;
    text.char_indices()
        .find(|(at, c)| match quoted {
            Some(quote) => {
                if quote == *c {
                    quoted = None;
                }
                false
            }
            None if matches!(c, '"' | '\'') => {
                quoted = Some(*c);
                false
            }
            None => text[*at..].starts_with(word),
        })
        .map(|(at, _)| at)
}

/// The elements before the bracket that closes an array, and their length in bytes.
fn elements(text: &str) -> Option<(Vec<&str>, usize)> {
    let (mut quoted, mut depth, mut start) = (None, 0_u32, 0);
    let mut elements = Vec::new();
    for (at, c) in text.char_indices() {
        match (quoted, c) {
            (Some(quote), _) if quote == c => quoted = None,
            (None, '"' | '\'') => quoted = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']') if depth == 0 => {
                elements.push(text[start..at].trim());
                return Some((elements, at));
            }
            (None, ']' | ')') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                elements.push(text[start..at].trim());
                start = at + 1;
            }
            (Some(_) | None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::settle;

    #[test]
    fn an_array_is_cast_by_its_elements() {
        let whole = "c::text = ANY (ARRAY['x, ]'::character varying, 'it''s'::character varying]::text[]) AND a > 1";
        let each = "c::text = ANY (ARRAY['x, ]'::character varying::text, 'it''s'::character varying::text]) AND a > 1";
        assert_eq!(settle(whole), each);
        assert_eq!(settle(each), each);
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "a = ANY (ARRAY[1, 2])",
            "b = 'ARRAY[''x''::text]::text[]'",
            "b = ANY (ARRAY[a, b]::text[])",
            "ARRAY[ARRAY['x'::text]]::text[]",
            "ARRAY['x'::text",
        ] {
            assert_eq!(settle(text), text);
        }
    }
}
