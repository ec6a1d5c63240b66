//! Renames as they are spelled: `[kind:]path=new`, with dots in the path and quotes where SQL has them.

use std::fmt::{self, Display, Formatter};

use trueup::{
    Schema,
    name::{dotted, parse_dotted, quoted_ident},
};

use super::{Task, turns::Thing};
use crate::Error;

/// `--rename users.phone=phone_number`.
#[derive(Clone, Debug)]
pub struct Asked {
    text: String,
    what: Spelled,
    to: Vec<String>,
}

/// `--no-rename users.phone`, or `--no-rename` for all there is.
#[derive(Clone, Debug)]
pub struct Refused(Option<Spelled>);

/// A path, and a kind where that is needed to tell two things apart.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Spelled {
    kind: Option<String>,
    path: Vec<String>,
}

impl Asked {
    /// Reads what stands after `--rename`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let read = split(text, '=').and_then(|(what, to)| {
            let what = Spelled::parse(what)?;
            Some((what, parse_dotted(to)?))
        });
        let (what, to) = read.ok_or_else(|| {
            Error::input(format!("--rename {text}: this is no rename"))
                .hint("write --rename users.phone=phone_number, --rename users=people or --rename users=shop.users")
                .hint("names with dots, `=` or quotes in them stand in double quotes, as in SQL")
        })?;
        Ok(Self {
            text: format!("--rename {text}"),
            what,
            to,
        })
    }

    /// Finds what it is about.
    pub fn task(&self, schema: &Schema) -> Result<Task, Error> {
        let Self { text, what, to } = self;
        let thing = what.find(text, schema)?;
        let (name, place) = to.split_last().ok_or_else(|| Error::input(text.clone()))?;
        let path = thing.path();
        let home = &path[..path.len() - 1];
        let moves = thing.part.is_none() && thing.entry.relocate("elsewhere").is_some();
        let namespace = match place {
            [] => None,
            place if home.ends_with(place) => None,
            [namespace] if moves => Some(namespace.clone()),
            _ => {
                return Err(Error::input(format!(
                    "{text}: {thing} stays where it is, and only its name can change"
                ))
                .hint(format!("write --rename {}={}", what, quoted_ident(name))));
            }
        };
        let mut task = Task::of(&thing, name)
            .ok_or_else(|| Error::input(format!("{text}: {thing} has no name of its own")))?;
        task.namespace = namespace;
        task.by.clone_from(text);
        Ok(task)
    }
}

impl Refused {
    /// Reads what stands after `--no-rename`; nothing is about all.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let spelled = Spelled::parse(text).ok_or_else(|| {
            Error::input(format!("--no-rename {text}: this names nothing"))
                .hint("write --no-rename users.phone, or --no-rename alone for all")
        })?;
        Ok(Self(Some(spelled)))
    }

    /// Fails where nothing is there of that name.
    pub fn check(&self, schema: &Schema) -> Result<(), Error> {
        match &self.0 {
            Some(spelled) => {
                let text = format!("--no-rename {spelled}");
                spelled.find(&text, schema).map(|_| ())
            }
            None => Ok(()),
        }
    }

    /// Whether it is about this.
    pub(super) fn is_about(&self, thing: &Thing) -> bool {
        self.0.as_ref().is_none_or(|spelled| spelled.means(thing))
    }
}

impl Spelled {
    fn parse(text: &str) -> Option<Self> {
        let (kind, path) = match split(text, ':') {
            Some((kind, path)) => (Some(kind.trim().replace('-', " ").to_lowercase()), path),
            None => (None, text),
        };
        let path = parse_dotted(path)?;
        Some(Self { kind, path })
    }

    /// Whether this is a thing's path, with or without its namespace.
    fn means(&self, thing: &Thing) -> bool {
        let path = thing.path();
        let (all, without) = (path.as_slice(), path.get(1..).unwrap_or_default());
        let is_path = self.path == all || !without.is_empty() && self.path == without;
        is_path && self.kind.as_ref().is_none_or(|kind| *kind == thing.kind())
    }

    /// The one thing that is meant.
    fn find(&self, text: &str, schema: &Schema) -> Result<Thing, Error> {
        let all = things(schema);
        let mut found: Vec<Thing> = all.iter().filter(|it| self.means(it)).cloned().collect();
        match (found.pop(), found.as_slice()) {
            (Some(one), []) => Ok(one),
            (Some(last), others) => {
                let spelled = others.iter().chain([&last]).map(|thing| {
                    let kind = thing.kind().replace(' ', "-");
                    format!("{kind}:{}", dotted(thing.path()))
                });
                let spelled: Vec<String> = spelled.collect();
                Err(
                    Error::input(format!("{text}: this could be {}", spelled.join(" or ")))
                        .hint("write it like that"),
                )
            }
            (None, _) => {
                let kind = self.kind.as_ref();
                let same_kind = |thing: &&Thing| kind.is_none_or(|kind| *kind == thing.kind());
                let names: Vec<String> = all
                    .iter()
                    .filter(same_kind)
                    .map(|thing| dotted(thing.path()))
                    .collect();
                let what = kind.map_or("nothing", String::as_str);
                let what = match kind {
                    Some(_) => format!("no {what}"),
                    None => what.to_owned(),
                };
                let path = dotted(&self.path);
                Err(Error::input(format!(
                    "{text}: there is {what} called {path}{}",
                    near_paths(&self.path, &names)
                )))
            }
        }
    }
}

impl Display for Spelled {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(kind) = &self.kind {
            write!(f, "{}:", kind.replace(' ', "-"))?;
        }
        f.write_str(&dotted(&self.path))
    }
}

/// How a thing is spelled, so that nothing else is meant.
pub(super) fn spell(thing: &Thing, schema: &Schema) -> String {
    let mut spelled = Spelled {
        kind: None,
        path: thing.path(),
    };
    let meant = things(schema);
    if meant.iter().filter(|other| spelled.means(other)).count() > 1 {
        spelled.kind = Some(thing.kind());
    }
    spelled.to_string()
}

/// Everything with a name of its own.
fn things(schema: &Schema) -> Vec<Thing> {
    let mut things = Vec::new();
    for (_, entry) in schema.entries() {
        let whole = Thing::whole(entry);
        let parts = entry.parts().iter().map(|part| Thing {
            part: Some(part.clone()),
            ..whole.clone()
        });
        things.extend(parts);
        if entry.rename("x").is_some() {
            things.push(whole);
        }
    }
    things
}

/// Parts a text at the first of a character that stands in no quotes.
fn split(text: &str, at: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (place, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == at && !quoted {
            return Some((&text[..place], &text[place + at.len_utf8()..]));
        }
    }
    None
}

/// The end of a message: names that are like the one that is not there.
pub(super) fn near(name: &str, names: &[String]) -> String {
    most_like(
        name,
        names
            .iter()
            .map(|other| (other.as_str(), quoted_ident(other))),
    )
}

fn near_paths(path: &[String], names: &[String]) -> String {
    let wanted = dotted(path);
    // A namespace that was not written must not make what is meant look far away.
    let without = |name: &str| {
        let written = parse_dotted(name).unwrap_or_default();
        let skip = written.len().saturating_sub(path.len());
        dotted(&written[skip..])
    };
    let pairs: Vec<(String, String)> = names
        .iter()
        .map(|name| (without(name), name.clone()))
        .collect();
    most_like(
        &wanted,
        pairs
            .iter()
            .map(|(short, name)| (short.as_str(), name.clone())),
    )
}

fn most_like<'a>(wanted: &str, names: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut near: Vec<(u32, String)> = names
        .map(|(short, name)| (likeness(wanted, short), name))
        .filter(|(likeness, _)| *likeness >= 50)
        .collect();
    near.sort();
    near.dedup();
    near.sort_by(|(one, name), (other, other_name)| {
        other.cmp(one).then_with(|| name.cmp(other_name))
    });
    let Some((best, _)) = near.first() else {
        return String::new();
    };
    let names: Vec<&str> = near
        .iter()
        .take_while(|(likeness, _)| likeness + 20 >= *best)
        .take(3)
        .map(|(_, name)| name.as_str())
        .collect();
    format!("; similar: {}", names.join(", "))
}

/// How like two names are, of a hundred.
pub(super) fn likeness(one: &str, other: &str) -> u32 {
    let likeness = strsim::normalized_damerau_levenshtein(one, other);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and 1"
    )]
    let of_a_hundred = (likeness * 100.0) as u32;
    of_a_hundred
}
