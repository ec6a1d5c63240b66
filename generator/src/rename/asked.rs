//! Renames as they are spelled: `[kind:]path=new`, with dots in the path and quotes where SQL has them.

use trueup::{
    Schema,
    name::{dotted, parse_dotted, quoted_ident},
};

use super::{Task, turns::Thing};
use crate::{
    Error,
    named::{Named, split},
    words::most_like,
};

/// `--rename users.phone=phone_number`.
#[derive(Clone, Debug)]
pub struct Asked {
    text: String,
    what: Named,
    to: Vec<String>,
}

/// `--no-rename users.phone`, or `--no-rename` for all there is.
#[derive(Clone, Debug)]
pub struct Refused(Option<Named>);

impl Asked {
    /// Reads what stands after `--rename`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let read = split(text, '=').and_then(|(what, to)| {
            let what = Named::parse(what)?;
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
        let thing = find(what, text, schema)?;
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
        let spelled = Named::parse(text).ok_or_else(|| {
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
                find(spelled, &text, schema).map(|_| ())
            }
            None => Ok(()),
        }
    }

    /// True if it applies to this thing.
    pub(super) fn is_about(&self, thing: &Thing) -> bool {
        self.0.as_ref().is_none_or(|spelled| means(spelled, thing))
    }
}

/// True for a thing's path, with or without its namespace.
fn means(spelled: &Named, thing: &Thing) -> bool {
    spelled.is(&thing.kind(), &thing.path())
}

/// The one thing that is meant.
fn find(spelled: &Named, text: &str, schema: &Schema) -> Result<Thing, Error> {
    let all = things(schema);
    let mut found: Vec<Thing> = all
        .iter()
        .filter(|it| means(spelled, it))
        .cloned()
        .collect();
    match (found.pop(), found.as_slice()) {
        (Some(one), []) => Ok(one),
        (Some(last), others) => {
            let written = others.iter().chain([&last]).map(|thing| {
                let kind = thing.kind().replace(' ', "-");
                format!("{kind}:{}", dotted(thing.path()))
            });
            let written: Vec<String> = written.collect();
            Err(
                Error::input(format!("{text}: this could be {}", written.join(" or ")))
                    .hint("write it like that"),
            )
        }
        (None, _) => {
            let kind = spelled.kind.as_ref();
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
            let path = dotted(&spelled.path);
            Err(Error::input(format!(
                "{text}: there is {what} called {path}{}",
                near_paths(&spelled.path, &names)
            )))
        }
    }
}

/// The spelling of a thing that matches nothing else.
pub(super) fn spell(thing: &Thing, schema: &Schema) -> String {
    let mut spelled = Named {
        kind: None,
        path: thing.path(),
    };
    let meant = things(schema);
    if meant.iter().filter(|other| means(&spelled, other)).count() > 1 {
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

/// The end of a message: names that are like the one that is not there.
pub(super) fn near(name: &str, names: &[String]) -> String {
    let pairs = names
        .iter()
        .map(|other| (other.clone(), quoted_ident(other)));
    similar(&most_like(name, pairs))
}

fn near_paths(path: &[String], names: &[String]) -> String {
    let wanted = dotted(path);
    // A namespace that was not written must not make what is meant look far away.
    let without = |name: &str| {
        let written = parse_dotted(name).unwrap_or_default();
        let skip = written.len().saturating_sub(path.len());
        dotted(&written[skip..])
    };
    let pairs = names.iter().map(|name| (without(name), name.clone()));
    similar(&most_like(&wanted, pairs))
}

fn similar(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("; similar: {}", names.join(", "))
}
