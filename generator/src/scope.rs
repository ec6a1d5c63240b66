//! The scope of a project: patterns over the names of objects, as they are shown everywhere.
//!
//! Architecture invariant: names no kind. A pattern is compared with the words that an id is spelled with.

mod mistakes;

use std::collections::BTreeSet;

use glob::{Pattern, PatternError};
use trueup::{Id, Schema, Unread};

/// The objects of a database that count; everything, unless it is narrowed.
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
    text: String,
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

    /// True if nothing is excluded.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// The objects of a schema that count. The parts of an object go with it, and objects that an included one depends on come
    /// along, unless they are excluded.
    #[must_use]
    pub fn held(&self, schema: &Schema) -> BTreeSet<Id> {
        let named = schema.entries().map(|(id, _)| id);
        let named = named.filter(|id| self.names(id, schema));
        let mut held: BTreeSet<Id> = named.cloned().collect();
        if self.include.is_empty() {
            return held;
        }
        let mut left: Vec<Id> = held.iter().cloned().collect();
        while let Some(id) = left.pop() {
            for need in schema.needs(&id) {
                let Some(top) = schema.line(need).last() else {
                    continue;
                };
                let shared = schema.entry(&top).is_some_and(|entry| entry.is_shared());
                if shared && !self.excludes(need, schema) {
                    self.take(&top, schema, &mut held, &mut left);
                }
            }
        }
        held
    }

    /// Takes an object and its parts.
    fn take(&self, id: &Id, schema: &Schema, held: &mut BTreeSet<Id>, left: &mut Vec<Id>) {
        if self.excludes(id, schema) || !held.insert(id.clone()) {
            return;
        }
        left.push(id.clone());
        for part in schema.children(id) {
            self.take(part, schema, held, left);
        }
    }

    /// True if a pattern takes the object, or what it is a part of, and none leaves it out.
    fn names(&self, id: &Id, within: &Schema) -> bool {
        let mut line = within.line(id);
        let included =
            self.include.is_empty() || line.any(|id| matches(&self.include, &id.to_string()));
        included && !self.excludes(id, within)
    }

    /// True if an object counts by its own name, or that of what it is a part of.
    #[must_use]
    pub fn holds(&self, id: &Id, within: &Schema) -> bool {
        self.names(id, within)
    }

    /// True if something counts that has no id, by the words for it.
    #[must_use]
    pub fn holds_words(&self, words: &str) -> bool {
        (self.include.is_empty() || matches(&self.include, words)) && !matches(&self.exclude, words)
    }

    fn excludes(&self, id: &Id, within: &Schema) -> bool {
        let mut line = within.line(id);
        line.any(|id| matches(&self.exclude, &id.to_string()))
    }

    /// True if an object counts that no kind reads. One that belongs to a table counts as that does.
    #[must_use]
    pub fn holds_unread(&self, unread: &Unread) -> bool {
        let owners = unread.part_of.iter().map(ToString::to_string);
        let words: Vec<String> = owners.chain([unread.what.clone()]).collect();
        self.holds_any(&words)
    }

    /// True if something counts that goes by any of these words: its own, and those of what it is a part of.
    #[must_use]
    pub fn holds_any(&self, words: &[String]) -> bool {
        let any = |patterns: &[Spelled]| words.iter().any(|words| matches(patterns, words));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// True if `exclude` matches these words, whatever `include` says.
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
        let held: BTreeSet<Id> = [from, to]
            .map(|side| self.held(side))
            .into_iter()
            .flatten()
            .collect();
        let theirs = from
            .entries()
            .filter(|(id, _)| !held.contains(id))
            .map(|(_, entry)| entry.clone());
        to.only(|id| held.contains(id)).with(theirs, from)
    }

    /// The live schema without unmanaged objects outside of the scope. Objects that migrations made are compared regardless of
    /// patterns.
    #[must_use]
    pub fn without_theirs(&self, live: &Schema, made: &Schema) -> Schema {
        if self.is_everything() {
            return live.clone();
        }
        let held = self.held(live);
        live.only(|id| {
            let (known, new): (Vec<Id>, Vec<Id>) =
                live.line(id).partition(|id| made.entry(id).is_some());
            if known.is_empty() {
                return held.contains(id);
            }
            let mut excluded = new.iter().map(ToString::to_string);
            !excluded.any(|words| matches(&self.exclude, &words))
        })
    }

    /// The objects that do not count, each with all that hangs on it counted once.
    #[must_use]
    pub fn left_out(&self, schemas: &[&Schema]) -> BTreeSet<String> {
        let mut left_out = BTreeSet::new();
        if self.is_everything() {
            return left_out;
        }
        for schema in schemas {
            let (held, initial) = (self.held(schema), schema.initial());
            let gone = schema.entries().map(|(id, _)| id);
            let gone = gone.filter(|id| !held.contains(id) && initial.entry(id).is_none());
            let gone = gone.filter(|id| {
                let above = schema.line(id).nth(1);
                above.is_none_or(|above| held.contains(&above))
            });
            left_out.extend(gone.map(ToString::to_string));
            let unread = schema.unread().iter();
            let unread = unread.filter(|unread| !self.holds_unread(unread));
            left_out.extend(unread.map(|unread| unread.what.clone()));
        }
        left_out
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
            text: text.to_owned(),
            whole: pattern(text)?,
            name: pattern(&format!("* {text}"))?,
        })
    }

    fn matches(&self, words: &str) -> bool {
        self.whole.matches(words) || self.name.matches(words)
    }
}

fn matches(patterns: &[Spelled], words: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(scope: &Scope, what: &str) -> bool {
        scope.holds_unread(&Unread {
            what: what.to_owned(),
            ..Unread::default()
        })
    }

    #[test]
    fn a_pattern_is_for_a_name_or_for_kind_and_name() {
        let scope = Scope::new(&[], &["audit.*", "view public.v?"]).expect("patterns");
        assert!(!holds(&scope, "table audit.log"));
        assert!(!holds(&scope, "view public.v1"));
        assert!(holds(&scope, "table public.v1"));
        let scope = Scope::new(&["shop.*"], &["shop.old_*"]).expect("patterns");
        assert!(holds(&scope, "foreign key shop.orders_fkey"));
        assert!(!holds(&scope, "table shop.old_orders"));
        assert!(!holds(&scope, "table public.orders"));
        assert!(Scope::new(&[], &["[a"]).is_err());
    }
}
