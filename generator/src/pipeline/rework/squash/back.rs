//! The ways back of several migrations: their own where they run, and drawn anew from the schemas where they do not.

use std::fmt;

use super::{as_migration, text::Text};
use crate::{
    Error, ErrorKind, Project,
    diff::words,
    draft::{DraftOptions, draft},
    migrations::{
        apply::{self, ApplyError},
        folder::{Folder, Migration},
    },
    pipeline::rework::touch::{self, after},
    postgres::{
        connection::{SqlError, holds_nothing, unwrapped},
        scratch::Scratch,
    },
    prove::migrations::raised,
    source::{self, Side},
};

/// A way back that was drawn anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The folder that it is from.
    pub name: String,
    /// The fault of its own way back: file, line and statement.
    pub why: String,
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, why } = self;
        write!(
            f,
            "the way back of {name} is drawn anew from the schemas, which bring no rows back: {why}"
        )
    }
}

/// Which ways back are drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anew {
    /// Those that do not run.
    Broken,
    /// Those that do not lead back to what was there before, too.
    Strays,
}

/// The ways back of migrations from what they give to what was there before them, in one text.
pub(super) fn ways_back(
    project: &Project,
    scratch: &Scratch,
    start: &Side,
    wanted: &Side,
    many: &[Migration],
) -> Result<(Text, Vec<Drawn>), Error> {
    let (texts, drawn) = one_by_one(project, scratch, start, many, Anew::Broken)?;
    let text = joined(&texts, None);
    let Some(failure) = failure(scratch, wanted, many, &text)? else {
        return Ok((text, drawn));
    };
    let again = touch::copied(scratch, wanted)?;
    if raised(&mut again.connect()?, text.sql(), &failure) {
        return Ok((text, drawn));
    }
    // Deferred trigger events of one way back block the statements of the next.
    if failure.message.contains("pending trigger events") {
        let text = joined(&texts, Some(COMMITTED));
        if self::failure(scratch, wanted, many, &text)?.is_none() {
            return Ok((text, drawn));
        }
    }
    // Each runs where it stands, and not after those that leave something.
    let (texts, drawn) = one_by_one(project, scratch, start, many, Anew::Strays)?;
    Ok((joined(&texts, None), drawn))
}

/// Checks what a commit would check.
const COMMITTED: &str = "-- Check now what waits for the commit: Postgres alters no table before\nSET CONSTRAINTS ALL IMMEDIATE;\n\n";

/// A migration's place, its name and its way back.
type WayBack<'a> = (usize, &'a str, String);

/// The ways back in one text, the last one's first; `between` stands before each but that.
fn joined(texts: &[WayBack<'_>], between: Option<&str>) -> Text {
    let mut text = Text::default();
    for (number, (at, name, sql)) in texts.iter().rev().enumerate() {
        let between = between.filter(|_| number > 0).unwrap_or_default();
        text.add(*at, name, &format!("{between}{sql}"));
    }
    text
}

/// The reason why a way back does not run as one transaction, if it does not.
fn failure(
    scratch: &Scratch,
    wanted: &Side,
    many: &[Migration],
    text: &Text,
) -> Result<Option<SqlError>, Error> {
    let migration = as_migration(&Folder {
        name: many
            .last()
            .map_or_else(String::new, |last| last.name.clone()),
        up: String::new(),
        down: Some(text.sql().to_owned()),
        run_in_transaction: true,
    });
    let database = touch::copied(scratch, wanted)?;
    let Err(ApplyError::Failed { failure, .. }) = apply::replay_back(&database, &[migration])
    else {
        return Ok(None);
    };
    Ok(Some(*failure))
}

fn one_by_one<'a>(
    project: &Project,
    scratch: &Scratch,
    start: &Side,
    many: &'a [Migration],
    anew: Anew,
) -> Result<(Vec<WayBack<'a>>, Vec<Drawn>), Error> {
    let (mut texts, mut drawn) = (Vec::new(), Vec::new());
    let mut before = touch::copy(scratch, start)?;
    for (at, one) in many.iter().enumerate() {
        let reached = after(scratch, &before, std::slice::from_ref(one))?;
        let own = unwrapped(one.down.as_deref().unwrap_or_default()).into_owned();
        let sql = match fault(scratch, one, &before, &reached, anew)? {
            None => own,
            Some(why) => {
                let sql = draw(project, scratch, &reached, &before, one, &why)?;
                let name = one.name.clone();
                drawn.push(Drawn { name, why });
                sql
            }
        };
        texts.push((at, one.name.as_str(), sql));
        before = reached;
    }
    Ok((texts, drawn))
}

/// The fault of a migration's own way back. One that itself declares that there is none is not at fault.
fn fault(
    scratch: &Scratch,
    one: &Migration,
    before: &Side,
    reached: &Side,
    anew: Anew,
) -> Result<Option<String>, Error> {
    let down = match one.down.as_deref() {
        None => return Ok(Some("there is no down.sql".to_owned())),
        Some(down) if holds_nothing(down) => {
            return Ok(Some("its down.sql holds no statement".to_owned()));
        }
        Some(down) => down,
    };
    let copy = touch::copied(scratch, reached)?;
    let done = apply::replay_back(&copy, std::slice::from_ref(one));
    match done {
        Ok(()) if anew == Anew::Broken => Ok(None),
        Ok(()) => {
            let strays = words(&source::side(copy)?.schema, &before.schema);
            Ok(strays
                .first()
                .map(|first| format!("its down.sql does not lead back: {first}")))
        }
        Err(ApplyError::Failed { failure, .. }) => {
            let again = touch::copied(scratch, reached)?;
            let raises = raised(&mut again.connect()?, down, &failure);
            Ok((!raises).then(|| failure.to_string()))
        }
        Err(other) => Ok(Some(other.to_string())),
    }
}

/// The way back as the schemas show it.
fn draw(
    project: &Project,
    scratch: &Scratch,
    reached: &Side,
    before: &Side,
    one: &Migration,
    why: &str,
) -> Result<String, Error> {
    let [from, to] = [
        touch::copy(scratch, reached)?,
        touch::copy(scratch, before)?,
    ];
    let cannot = |reason: String| {
        Error::new(
            ErrorKind::NotYet,
            format!(
                "not yet: the way back of {} cannot be drawn from the schemas; nothing was changed\n{why}\n{reason}",
                one.name
            ),
        )
        .hint(format!(
            "mend {}, or squash what comes before it and after it",
            one.dir.join("down.sql").display()
        ))
    };
    let known: Vec<&str> = before
        .schema
        .unread()
        .iter()
        .map(|it| it.what.as_str())
        .collect();
    let unread = reached.schema.unread().iter();
    if let Some(unread) = unread
        .map(|it| it.what.as_str())
        .find(|what| !known.contains(what))
    {
        return Err(cannot(format!(
            "it makes {unread}, and trueup does not read that kind of object"
        )));
    }
    let drafted = draft(project, from, to, DraftOptions::default());
    let sql = match drafted {
        Ok(None) => "SELECT 1;\n".to_owned(),
        Ok(Some(draft)) => match draft.parts.as_slice() {
            [part] if part.in_transaction => part.up_sql(),
            _ => return Err(cannot("it takes a commit in its middle".to_owned())),
        },
        Err(error) if matches!(error.kind(), ErrorKind::NotYet | ErrorKind::Defect) => {
            return Err(cannot(error.full()));
        }
        Err(error) => return Err(error),
    };
    Ok(format!(
        "-- Drawn from the schemas, for its own did not run. It brings no rows back.\n\n{sql}"
    ))
}
