//! Many objects in a few words.

use std::collections::BTreeMap;

use trueup::{Hazard, Id, Unread};

/// The number of objects of each kind: `13 tables and 2 enum types`.
#[must_use]
pub fn kinds(ids: &[Id]) -> String {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for id in ids {
        *numbers.entry(id.kind().to_string()).or_default() += 1;
    }
    let mut numbers: Vec<(String, usize)> = numbers.into_iter().collect();
    numbers.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let counted: Vec<String> = numbers
        .iter()
        .map(|(kind, number)| many(*number, kind))
        .collect();
    match counted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Objects that no kind reads: each by its name where there are few of its kind, else their number with the first of them.
#[must_use]
pub fn unread_by_kind(all: &[Unread]) -> Vec<String> {
    let all = all.iter();
    by_kind(all.map(|Unread { kind, what, .. }| (kind.as_str(), what.as_str())))
}

/// The same for the kinds of objects and what each is called.
pub(crate) fn by_kind<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, what) in all {
        kinds.entry(kind).or_default().push(what);
    }
    let lines = kinds.into_iter().map(|(kind, whats)| {
        if whats.len() <= FEW || kind.is_empty() {
            return whats.into_iter().map(str::to_owned).collect();
        }
        let names = whats[..FEW].iter();
        let names = names.map(|what| what.strip_prefix(kind).unwrap_or(what).trim_start());
        let names: Vec<&str> = names.collect();
        let number = many(whats.len(), kind);
        vec![format!("{number} ({}, …)", names.join(", "))]
    });
    lines.flatten().collect()
}

/// The risks of a migration, for a terminal: one line for all that differ in what they are about alone.
pub(super) fn risks(hazards: &[Hazard]) -> Vec<String> {
    let mut alike: Vec<([String; 2], Vec<String>)> = Vec::new();
    for hazard in hazards {
        let [before, about, after] = hazard.words();
        let same = alike
            .iter_mut()
            .find(|(words, _)| words[0] == before && words[1] == after);
        match same {
            Some((_, all)) if all.contains(&about) => {}
            Some((_, all)) => all.push(about),
            None => alike.push(([before, after], vec![about])),
        }
    }
    let lines = alike.into_iter().map(|([before, after], all)| {
        if all.len() <= FEW {
            let lines = all.iter().map(|about| format!("{before} {about}{after}"));
            return lines.collect();
        }
        let first = all[..FEW].join(", ");
        let more = all.len() - FEW;
        vec![format!("{before} {first} and {more} more{after}")]
    });
    lines.flatten().collect()
}

/// The number of objects of a kind that are listed by name.
const FEW: usize = 3;

/// `1 policy`, `2 policies`.
pub(super) fn many(number: usize, thing: &str) -> String {
    if number == 1 {
        return format!("1 {thing}");
    }
    let stem = thing
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match stem {
        Some(stem) => format!("{number} {stem}ies"),
        None if thing.ends_with('s') => format!("{number} {thing}"),
        None if thing.ends_with('x') => format!("{number} {thing}es"),
        None => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use trueup::LockMode;

    use super::*;

    #[test]
    fn things_are_counted_in_english() {
        let counted = ["table", "policy", "index", "extended statistics"].map(|it| many(2, it));
        let words = [
            "2 tables",
            "2 policies",
            "2 indexes",
            "2 extended statistics",
        ];
        assert_eq!(counted, words);
        assert_eq!(many(1, "policy"), "1 policy");
    }

    #[test]
    fn many_of_a_kind_are_one_line() {
        let locks = |table: &str| Hazard::ScansTable {
            table: table.to_owned(),
            mode: LockMode::Share,
        };
        let fails = Hazard::MayFail {
            because: "where a is NULL".to_owned(),
        };
        let all = ["a", "b", "a", "c"].map(locks);
        assert_eq!(risks(&all).len(), 3);
        let mut all: Vec<Hazard> = all.to_vec();
        all.extend([fails, locks("d"), locks("e")]);
        let lines = [
            "scans a, b, c and 2 more under SHARE: nobody can write there meanwhile",
            "fails where a is NULL",
        ];
        assert_eq!(risks(&all), lines);

        let names = ["t.a", "t.b", "t.c", "t.d"].map(Hazard::names);
        let line = "breaks deployed code that names t.a, t.b, t.c and 1 more";
        assert_eq!(risks(&names), [line]);

        let function = |name: &str| Unread {
            what: format!("function {name}()"),
            kind: "function".to_owned(),
            ..Unread::default()
        };
        let three = ["a", "b", "c"].map(function);
        assert_eq!(unread_by_kind(&three)[2], "function c()");
        let four = ["a", "b", "c", "d"].map(function);
        assert_eq!(unread_by_kind(&four), ["4 functions (a(), b(), c(), …)"]);
    }
}
