//! Patterns that cannot mean what they say: an include that matches nothing, a model that is left out.

use std::collections::BTreeSet;

use trueup::{Declarations, Id, Schema, name::dotted};

use super::{Scope, Spelled};
use crate::{Error, words::most_like};

impl Scope {
    /// Fails where a pattern of `include` matches nothing in these schemas, and where a model declares what does not count in
    /// `wanted`, the schema that the models want, and is none of the `platform`'s.
    pub fn refuse(
        &self,
        declarations: &Declarations,
        platform: &BTreeSet<Id>,
        wanted: &Schema,
        others: &[&Schema],
    ) -> Result<(), Error> {
        if self.is_everything() {
            return Ok(());
        }
        let schemas: Vec<&Schema> = others.iter().copied().chain([wanted]).collect();
        self.refuse_idle(&schemas, "in the models, the migrations or the database")?;
        self.refuse_models(declarations, platform, wanted)
    }

    /// Fails where a pattern of `include` matches nothing in these schemas. `place` says in words what they are.
    pub fn refuse_idle(&self, schemas: &[&Schema], place: &str) -> Result<(), Error> {
        let idle = idle(&self.include, schemas);
        if idle.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = idle
            .iter()
            .map(|pattern| {
                format!(
                    "trueup.toml: include = [{:?}] matches nothing {place}",
                    pattern.text
                )
            })
            .collect();
        let near = idle.iter().filter_map(|pattern| near(pattern, schemas));
        let hints: Vec<String> = near.collect();
        let general = hints.is_empty().then_some(
            "a pattern is compared with a whole name, as `check` prints it: \"public.users\", \"shop.*\", \"table public.u*\"",
        );
        Err(Error::input(lines.join("\n"))
            .hints(hints)
            .hints(general.map(str::to_owned)))
    }

    /// The patterns of `exclude`, of names alone, that match nothing in these schemas.
    #[must_use]
    pub fn idle_excludes(&self, schemas: &[&Schema]) -> Vec<String> {
        let idle = idle(&self.exclude, schemas);
        let names = idle.iter().map(|pattern| pattern.text.clone());
        names.filter(|text| !text.contains(' ')).collect()
    }

    /// Fails if a model declares an object outside of the scope: it would be compared with nothing. A model may still name an
    /// object of the prelude, to refer to it.
    pub fn refuse_models(
        &self,
        declarations: &Declarations,
        platform: &BTreeSet<Id>,
        wanted: &Schema,
    ) -> Result<(), Error> {
        if self.is_everything() {
            return Ok(());
        }
        let held = self.held(wanted);
        let declared: BTreeSet<&Id> = declarations.ids().collect();
        let outside = declared.into_iter().filter(|id| {
            wanted.entry(id).is_some() && !held.contains(id) && !platform.contains(id)
        });
        let (mut lines, mut hints) = (Vec::new(), BTreeSet::new());
        for id in outside {
            let Some(origin) = declarations.origin(id) else {
                continue;
            };
            lines.push(format!("{origin}: trueup.toml leaves out {id}"));
            hints.insert(match self.excluding(id, wanted) {
                Some(pattern) => format!(
                    "exclude = [{:?}] matches it: make that narrower, or take the model away",
                    pattern.text
                ),
                None => format!(
                    "add {:?} to include, or take the model away",
                    dotted(id.path())
                ),
            });
        }
        if lines.is_empty() {
            return Ok(());
        }
        Err(Error::input(lines.join("\n")).hints(hints).hint(
            "where it is a platform's and models only refer to it: have a file make it on the scratch, prelude = \"platform.sql\" below \
             [scratch] in trueup.toml",
        ))
    }

    fn excluding(&self, id: &Id, within: &Schema) -> Option<&Spelled> {
        let line: Vec<String> = within.line(id).map(|id| id.to_string()).collect();
        let mut patterns = self.exclude.iter();
        patterns.find(|pattern| line.iter().any(|words| pattern.matches(words)))
    }
}

fn idle<'a>(patterns: &'a [Spelled], schemas: &[&Schema]) -> Vec<&'a Spelled> {
    let mut idle: Vec<&Spelled> = patterns.iter().collect();
    for schema in schemas {
        for words in words(schema) {
            idle.retain(|pattern| !pattern.matches(&words));
            if idle.is_empty() {
                return idle;
            }
        }
    }
    idle
}

/// All that a pattern is compared with.
fn words(schema: &Schema) -> impl Iterator<Item = String> + '_ {
    let read = schema.entries().map(|(id, _)| id.to_string());
    read.chain(schema.unread().iter().map(|unread| unread.what.clone()))
}

/// The names that a pattern could have meant, as a question.
fn near(pattern: &Spelled, schemas: &[&Schema]) -> Option<String> {
    // Each as a person may write it, and as it is spelled.
    let tops = |schema: &Schema| -> Vec<(String, String)> {
        let tops = schema
            .entries()
            .filter(|(_, entry)| entry.parent().is_none());
        tops.map(|(id, _)| (id.path().join("."), dotted(id.path())))
            .collect()
    };
    let names: BTreeSet<(String, String)> =
        schemas.iter().flat_map(|schema| tops(schema)).collect();
    // Without its namespace or its quotes a name is what people write first.
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let means = |name: &str| pattern.whole.matches(&last(name)) || pattern.whole.matches(name);
    let matched: Vec<&String> = names
        .iter()
        .filter(|(name, _)| means(name))
        .map(|(_, spelled)| spelled)
        .collect();
    let found = match matched.as_slice() {
        [] => {
            let short = pattern.text.rsplit(' ').next().unwrap_or_default();
            let pairs = names.iter().map(|(name, spelled)| {
                let compared = if short.contains('.') {
                    name.clone()
                } else {
                    last(name)
                };
                (compared, spelled.clone())
            });
            most_like(short, pairs)
        }
        found => found.iter().take(3).map(|name| (*name).clone()).collect(),
    };
    let quoted: Vec<String> = found.iter().map(|name| format!("{name:?}")).collect();
    (!quoted.is_empty()).then(|| format!("did you mean {}?", quoted.join(" or ")))
}
