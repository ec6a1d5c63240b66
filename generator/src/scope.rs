//! What is taken into account: patterns over the names of objects, as they are shown everywhere.
//!
//! Architecture invariant: names no kind. A pattern is compared with the words that an id is spelled with.

use glob::{Pattern, PatternError};
use trueup::{Id, Schema};

/// What is taken into account of a database; everything, unless it is narrowed.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    include: Vec<Spelled>,
    exclude: Vec<Spelled>,
}

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no pattern: {source}")]
pub struct ScopeError {
    text: String,
    source: PatternError,
}

/// A pattern, compared with an object's kind and name, or with its name alone.
#[derive(Clone, Debug)]
struct Spelled {
    whole: Pattern,
    name: Pattern,
}

impl Scope {
    /// Only what is in `include`, where that says anything, and never what is in `exclude`. In a pattern `*` stands for any
    /// text and `?` for one character: `audit.*`, `table public.legacy_*`.
    pub fn new<S: AsRef<str>>(include: &[S], exclude: &[S]) -> Result<Self, ScopeError> {
        let all = |patterns: &[S]| -> Result<Vec<Spelled>, ScopeError> {
            let spelled = patterns.iter().map(|text| Spelled::new(text.as_ref()));
            spelled.collect()
        };
        Ok(Self {
            include: all(include)?,
            exclude: all(exclude)?,
        })
    }

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether an object counts. What hangs on another object goes with it.
    #[must_use]
    pub fn holds(&self, id: &Id, within: &Schema) -> bool {
        let mut included = self.include.is_empty();
        for id in within.line(id) {
            let words = id.to_string();
            if matches(&self.exclude, &words) {
                return false;
            }
            included |= matches(&self.include, &words);
        }
        included
    }

    /// Whether something that no room reads counts, by the words that Postgres has for it.
    #[must_use]
    pub fn holds_words(&self, words: &str) -> bool {
        (self.include.is_empty() || matches(&self.include, words)) && !matches(&self.exclude, words)
    }

    /// Whether `exclude` has these words, whatever `include` says.
    #[must_use]
    pub fn leaves_out(&self, words: &str) -> bool {
        matches(&self.exclude, words)
    }

    /// The schema `to`, with what does not count as it is in `from`.
    #[must_use]
    pub fn narrow(&self, from: &Schema, to: &Schema) -> Schema {
        if self.is_everything() {
            return to.clone();
        }
        let theirs = from
            .entries()
            .filter(|(id, _)| !self.holds(id, from))
            .map(|(_, entry)| entry.clone());
        to.only(|id| self.holds(id, to)).with(theirs, from)
    }
}

impl Spelled {
    fn new(text: &str) -> Result<Self, ScopeError> {
        let pattern = |glob: &str| {
            Pattern::new(glob).map_err(|source| ScopeError {
                text: text.to_owned(),
                source,
            })
        };
        Ok(Self {
            whole: pattern(text)?,
            name: pattern(&format!("* {text}"))?,
        })
    }
}

fn matches(patterns: &[Spelled], words: &str) -> bool {
    patterns
        .iter()
        .any(|Spelled { whole, name }| whole.matches(words) || name.matches(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_for_a_name_or_for_kind_and_name() {
        let scope = Scope::new(&[], &["audit.*", "view public.v?"]).expect("patterns");
        assert!(!scope.holds_words("table audit.log"));
        assert!(!scope.holds_words("view public.v1"));
        assert!(scope.holds_words("table public.v1"));
        let scope = Scope::new(&["shop.*"], &["shop.old_*"]).expect("patterns");
        assert!(scope.holds_words("foreign key shop.orders_fkey"));
        assert!(!scope.holds_words("table shop.old_orders"));
        assert!(!scope.holds_words("table public.orders"));
        assert!(Scope::new(&[], &["[a"]).is_err());
    }
}
