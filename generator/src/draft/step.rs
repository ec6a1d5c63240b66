//! The place in a migration where a person's statements move rows: what comes is there by then, and what goes is still there.

use trueup::{DataStep, Hazard, Schema, Statement, moves, one_line, waits};

use super::Part;
use crate::{Error, migrations::folder::UNWRITTEN_STATE, render};

/// The text that stands in the place of a person's statements until they are written.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Steps {
    /// On the way there.
    pub up: Option<String>,
    /// On the way back.
    pub down: Option<String>,
}

/// Cuts a draft where rows can be moved: on the way there, and on the way back where there is such a place.
pub(super) fn leave(parts: &mut [Part], from: &Schema, to: &Schema) -> Result<(), Error> {
    let ups: Vec<&[Statement]> = parts.iter().map(|part| &part.up[..]).collect();
    let Some(number) = place(ups.iter().copied()) else {
        return Err(refuse(ups.into_iter().flatten()));
    };
    let downs: Vec<&[Statement]> = parts.iter().rev().map(|part| &part.down[..]).collect();
    let back = place(downs.iter().copied()).map(|number| parts.len() - 1 - number);
    parts[number].steps.up = Some(skeleton(&parts[number].up, from, to, "up.sql"));
    if let Some(back) = back {
        parts[back].steps.down = Some(skeleton(&parts[back].down, to, from, "down.sql"));
    }
    Ok(())
}

/// The first list with something that comes after a data step, once something was made that takes rows.
fn place<'a>(lists: impl Iterator<Item = &'a [Statement]>) -> Option<usize> {
    let mut there = false;
    for (number, statements) in lists.enumerate() {
        for statement in statements {
            match statement.data_step() {
                Some(DataStep::TakesRows) => there = true,
                Some(DataStep::After) if there => return Some(number),
                Some(DataStep::After) | None => {}
            }
        }
    }
    None
}

/// True if rows that a person moves must be where they belong by the time of this statement.
pub(crate) fn is_after(statement: &Statement) -> bool {
    statement.data_step() == Some(DataStep::After)
}

fn refuse<'a>(mut statements: impl Iterator<Item = &'a Statement>) -> Error {
    let makes = |one: &Statement| one.data_step() == Some(DataStep::TakesRows);
    let (why, hint) = if statements.any(makes) {
        (
            "nothing goes, and nothing asks anything of rows, once what is new is there",
            "leave --data out; rows can be written by a migration after this one: `trueup new MESSAGE --data`",
        )
    } else {
        (
            "nothing comes that rows could be moved to before something goes",
            "leave --data out; to write rows before this migration, put them into one of their own: `trueup new MESSAGE --data`",
        )
    };
    Error::input(format!(
        "--data: there is no place to move rows: {why}; nothing was written"
    ))
    .hint(hint)
}

fn skeleton(statements: &[Statement], from: &Schema, to: &Schema, file: &str) -> String {
    let mut text = "\
-- Move rows here, in place of the statement below, which fails on purpose. New tables and columns are there by now, and what is
-- dropped is there still.
"
    .to_owned();
    let after = statements.iter().filter(|one| is_after(one));
    for hazard in after.flat_map(Statement::hazards) {
        if let Hazard::LosesData { what, .. } = hazard {
            text += &format!("-- Dropped below: {}\n", one_line(what));
        }
    }
    for (number, example) in moves(from, to).iter().enumerate() {
        if number == 0 {
            text += "-- For example:\n";
        }
        text += &format!("--     {}\n", one_line(example));
    }
    text + &format!(
        "DO $$ BEGIN RAISE EXCEPTION 'the data step of {file} is not written: put it in place of this statement, \
         then `trueup prove`' USING ERRCODE = '{UNWRITTEN_STATE}'; END $$;\n"
    ) + if waits(from) || waits(to) {
        "\n-- Check now what waits for the commit: Postgres alters no table before\nSET CONSTRAINTS ALL IMMEDIATE;\n"
    } else {
        ""
    }
}

/// Statements as a person reads them, with the step before what comes after it.
pub(super) fn around(statements: &[Statement], step: Option<&String>) -> String {
    let Some(step) = step else {
        return render::sql(statements);
    };
    let place = statements.iter().position(is_after);
    let (before, after) = statements.split_at(place.unwrap_or(statements.len()));
    let before = match before {
        [] => String::new(),
        some => render::sql(some) + "\n",
    };
    format!("{before}{step}\n{}", render::sql(after))
}
