//! Sequences, as `sequence!` reads them.

use super::Item;
use crate::Name;

/// A sequence that stands alone. What is not written is as Postgres chooses.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is the clause of its name")]
pub struct SequenceDef {
    pub item: Item,
    pub name: &'static str,
    pub namespace: &'static str,
    pub comment: Option<&'static str>,
    pub data_type: &'static str,
    pub start: Option<i64>,
    pub increment: i64,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub cache: i64,
    pub cycle: bool,
}

/// One method for each setting that the macro takes, under its name.
#[allow(missing_docs, reason = "each method is the clause of its name")]
impl SequenceDef {
    /// A sequence of which nothing but its name is said.
    #[must_use]
    pub const fn new(item: Item, name: &'static str) -> Self {
        Self {
            item,
            name,
            namespace: "public",
            comment: None,
            data_type: "bigint",
            start: None,
            increment: 1,
            min: None,
            max: None,
            cache: 1,
            cycle: false,
        }
    }

    #[must_use]
    pub const fn namespace(self, namespace: &'static str) -> Self {
        Self { namespace, ..self }
    }

    #[must_use]
    pub const fn comment(self, comment: &'static str) -> Self {
        Self {
            comment: Some(comment),
            ..self
        }
    }

    #[must_use]
    pub const fn data_type(self, data_type: &'static str) -> Self {
        Self { data_type, ..self }
    }

    #[must_use]
    pub const fn start(self, start: i64) -> Self {
        Self {
            start: Some(start),
            ..self
        }
    }

    #[must_use]
    pub const fn increment(self, increment: i64) -> Self {
        Self { increment, ..self }
    }

    #[must_use]
    pub const fn min(self, min: i64) -> Self {
        Self {
            min: Some(min),
            ..self
        }
    }

    #[must_use]
    pub const fn max(self, max: i64) -> Self {
        Self {
            max: Some(max),
            ..self
        }
    }

    #[must_use]
    pub const fn cache(self, cache: i64) -> Self {
        Self { cache, ..self }
    }

    #[must_use]
    pub const fn cycle(self) -> Self {
        Self {
            cycle: true,
            ..self
        }
    }

    /// The sequence's qualified name.
    #[must_use]
    pub fn qualified(&self) -> Name {
        Name::new(self.namespace, self.name)
    }
}
