//! Strings that a regular expression matches.
//!
//! Postgres' expressions are not Rust's, except the simple ones, which are most. One that does not parse gives no string, and
//! Postgres is asked about each string that comes of it.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// The longest that is made.
const LONGEST: usize = 300;

/// Up to so many strings that differ.
pub(super) fn samples(pattern: &str, count: usize) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(pattern) else {
        return Vec::new();
    };
    let mut samples: Vec<String> = Vec::new();
    for seed in 0..count {
        let mut sample = Sample {
            seed,
            text: String::new(),
        };
        sample.add(&hir);
        if !samples.contains(&sample.text) {
            samples.push(sample.text);
        }
    }
    samples
}

struct Sample {
    seed: usize,
    text: String,
}

impl Sample {
    fn add(&mut self, hir: &Hir) {
        if self.text.len() > LONGEST {
            return;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.text += &String::from_utf8_lossy(&literal.0),
            HirKind::Class(class) => self.text.extend(self.one(class)),
            HirKind::Repetition(repetition) => {
                let more = u32::try_from(self.seed % 4).unwrap_or_default();
                let most = repetition.max.unwrap_or(u32::MAX);
                for _ in 0..repetition.min.saturating_add(more).min(most) {
                    self.add(&repetition.sub);
                }
            }
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.add(part)),
            HirKind::Alternation(parts) => {
                if let Some(part) = parts.get(self.seed % parts.len().max(1)) {
                    self.add(part);
                }
            }
        }
    }

    /// A character of a class, a plain one where it has such; another for each seed.
    fn one(&self, class: &Class) -> Option<char> {
        let holds = |c: &char| match class {
            Class::Unicode(class) => class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(c)),
            Class::Bytes(class) => u8::try_from(*c).is_ok_and(|byte| {
                let mut ranges = class.ranges().iter();
                ranges.any(|range| (range.start()..=range.end()).contains(&byte))
            }),
        };
        let plain = ('0'..='9').chain('a'..='z').chain('A'..='Z');
        let plain: Vec<char> = plain.chain("-_. ".chars()).filter(holds).collect();
        let at = self.seed + self.text.len();
        let first = match class {
            Class::Unicode(class) => class.ranges().first().map(ClassUnicodeRange::start),
            Class::Bytes(class) => class
                .ranges()
                .first()
                .map(|range| char::from(range.start())),
        };
        plain.get(at % plain.len().max(1)).copied().or(first)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn samples_match() {
        assert_eq!(super::samples("^[0-9a-f]{4}$", 1), ["0123"]);
        assert_eq!(super::samples("^v(1|2)\\.", 2), ["v2.", "v1."]);
        assert_eq!(super::samples("(?=a)", 2), Vec::<String>::new());
    }
}
