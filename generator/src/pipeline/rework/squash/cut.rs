//! Cuts a range into migrations: one that is not transactional stays by itself, and one that needs a commit before it begins
//! another one. The server's errors tell which need that.

use std::fmt;

use super::{
    as_migration,
    back::{Drawn, ways_back},
    text::Text,
};
use crate::{
    Error, Project,
    draft::Part,
    migrations::{
        apply,
        folder::{Folder, Header, Migration},
    },
    pipeline::rework::touch::{self, after},
    postgres::{
        connection::{SqlError, Steering, is_one_transaction, steering, unwrapped},
        scratch::Scratch,
    },
    source::Side,
};

/// The result for some consecutive migrations.
#[derive(Debug)]
pub(super) enum Piece {
    /// They become one.
    One(Box<One>),
    /// It stays as it is.
    Kept(Box<Migration>, Kept),
}

impl Piece {
    /// The number of migrations that become one; `None` if none do.
    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::One(one) => Some(one.many.len()),
            Self::Kept(..) => None,
        }
    }
}

/// A migration that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its folder's name.
    pub name: String,
    /// The reason.
    pub why: String,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, why } = self;
        write!(f, "{name} stays by itself: {why}")
    }
}

/// Migrations that become one.
#[derive(Debug)]
pub(super) struct One {
    pub(super) many: Vec<Migration>,
    /// The schema before them.
    pub(super) start: Side,
    /// The schema after them.
    pub(super) wanted: Side,
    up: Text,
    pub(super) down: Text,
    pub(super) drawn: Vec<Drawn>,
}

impl One {
    /// Migrations of which all that they gave was drafted anew.
    pub(super) fn redrafted(part: &Part, many: Vec<Migration>, start: Side, wanted: Side) -> Self {
        Self {
            many,
            start,
            wanted,
            up: Text::whole(part.up_sql()),
            down: Text::whole(part.down_sql()),
            drawn: Vec::new(),
        }
    }

    /// The folder, which has the last one's version, as it is written there.
    pub(super) fn folder(&self, slug: &str) -> Folder {
        let last = self.many.last().map_or("", |last| last.name.as_str());
        Folder {
            name: format!("{}_{slug}", last.split('_').next().unwrap_or_default()),
            up: self.up.sql().to_owned(),
            down: Some(self.down.sql().to_owned()),
            run_in_transaction: true,
        }
    }

    /// The error for a way back that does not run, with the folder that it is from.
    pub(super) fn no_way_back(&self, failure: &SqlError) -> Error {
        let whose = self.down.owner(failure.line).map_or_else(
            || "the way back".to_owned(),
            |(_, name)| format!("the way back of {name}"),
        );
        Error::input(format!(
            "{whose} does not run after those of the others; nothing was changed\n{failure}"
        ))
        .hint("mend its down.sql, or squash what comes before it and after it")
    }
}

/// The reason why a migration cannot share a transaction with another one, where there is one.
fn alone(migration: &Migration) -> Option<&'static str> {
    let files = [Some(&migration.up), migration.down.as_ref()];
    let mut texts = files.into_iter().flatten();
    let is_one = |sql: &String| matches!(steering(sql), Some(Steering::One { .. }) | None);
    if !migration.run_in_transaction && !texts.clone().all(|sql| is_one_transaction(sql)) {
        Some("it does not run in a transaction")
    } else if !texts.all(is_one) {
        Some("it ends a transaction in its middle")
    } else {
        None
    }
}

/// Cuts a range into as few pieces as there can be.
pub(super) fn cut(
    project: &Project,
    scratch: &Scratch,
    start: Side,
    range: &[Migration],
) -> Result<Vec<Piece>, Error> {
    let (mut pieces, mut start, mut rest) = (Vec::new(), start, range);
    while let [first, more @ ..] = rest {
        if let Some(why) = alone(first) {
            start = after(scratch, &start, std::slice::from_ref(first))?;
            pieces.push(kept(first, why.to_owned()));
            rest = more;
            continue;
        }
        let together = rest.iter().take_while(|one| alone(one).is_none()).count();
        let (number, why) = longest(scratch, &start, &rest[..together])?;
        let (many, others) = rest.split_at(number);
        let wanted = after(scratch, &start, many)?;
        let next = touch::copy(scratch, &wanted)?;
        if let [one] = many {
            let why = why.or_else(|| {
                let next = others.first()?;
                Some(format!("{} stays by itself after it", next.name))
            });
            let before = "there is no other beside it".to_owned();
            pieces.push(kept(one, why.unwrap_or(before)));
        } else {
            let (down, drawn) = ways_back(project, scratch, &start, &wanted, many)?;
            pieces.push(Piece::One(Box::new(One {
                many: many.to_vec(),
                start,
                wanted,
                up: ups(many),
                down,
                drawn,
            })));
        }
        (start, rest) = (next, others);
    }
    Ok(pieces)
}

fn kept(migration: &Migration, why: String) -> Piece {
    let name = migration.name.clone();
    Piece::Kept(Box::new(migration.clone()), Kept { name, why })
}

fn ups(many: &[Migration]) -> Text {
    let mut text = Text::default();
    for (at, one) in many.iter().enumerate() {
        text.add(at, &one.name, &unwrapped(Header::body(&one.up)));
    }
    text
}

/// The number of migrations, from the first on, that run as one transaction, and the reason why the next does not.
fn longest(
    scratch: &Scratch,
    start: &Side,
    many: &[Migration],
) -> Result<(usize, Option<String>), Error> {
    let (mut number, mut why) = (many.len(), None);
    while number > 1 {
        let up = ups(&many[..number]);
        let one = as_migration(&Folder {
            name: many[number - 1].name.clone(),
            up: up.sql().to_owned(),
            down: None,
            run_in_transaction: true,
        });
        let database = touch::copied(scratch, start)?;
        let failed = match apply::replay(&database, &[one]) {
            Ok(()) => break,
            Err(failed) => failed,
        };
        let fault = failed.statement();
        let line = fault.and_then(|fault| fault.line);
        let message = fault.map_or_else(|| failed.to_string(), |fault| fault.message.to_string());
        // One by one they ran, so the one that fails here needs a commit before it. If another is at fault, the next round
        // shows it.
        let at = up.owner(line).map_or(number - 1, |(at, _)| at);
        number = if at == 0 { number - 1 } else { at };
        let next = &many[number].name;
        why = Some(format!("{next} needs a commit before it ({message})"));
    }
    Ok((number, why))
}
