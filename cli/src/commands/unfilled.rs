//! Rows without a value for a column that requires one: asked about at a terminal, refused elsewhere.

use dialoguer::{Input, Select};
use generator::{
    Error, ErrorKind,
    named::Named,
    pipeline::autogen::{Autogen, Unfilled, Value},
    report::Output,
    shell,
};

use super::losses::Allowed;
use crate::context::Context;

/// The migration fails on rows that may be there.
pub(super) const FAILS: &str = "fails";

/// The refusal of a migration that fails on rows without a value, unless that was allowed.
pub(super) fn refusal(found: &Autogen, allow: &[Allowed], context: &Context) -> Option<Error> {
    let allowed: Vec<&Vec<Named>> = allow
        .iter()
        .filter_map(|allowed| match allowed {
            Allowed::Fails(names) => Some(names),
            Allowed::Losses(_) | Allowed::CodeBreaks(_) => None,
        })
        .collect();
    let all = &found.unfilled;
    for named in allowed.iter().copied().flatten() {
        if !all.iter().any(|one| named.means(&one.column)) {
            context.output.note(format!(
                "--allow {FAILS}={named}: this migration requires no value there that rows could be without"
            ));
        }
    }
    let is_allowed = |one: &&Unfilled| {
        allowed
            .iter()
            .any(|names| names.is_empty() || names.iter().any(|named| named.means(&one.column)))
    };
    let open: Vec<&Unfilled> = all.iter().filter(|one| !is_allowed(one)).collect();
    let first = open.first()?;
    let listed: Vec<String> = open.iter().map(|one| format!("- {}", place(one))).collect();
    let paths: Vec<String> = all.iter().map(Unfilled::path).collect();
    let refusal = Error::input(format!(
        "rows that are there may have no value where one is required from now on; nothing was written\n{}",
        listed.join("\n")
    ))
    .hint(format!(
        "`#[model(fill = \"…\")]` on the field gives them one, an SQL expression; --fill {} gives it in this migration alone",
        shell::argument(&format!("{}=…", first.path()))
    ));
    Some(refusal.hints(without(&open)).hint(format!(
        "where no row is without one, --allow {} writes it as it is, and it fails where one is",
        shell::argument(&format!("{FAILS}={}", paths.join(",")))
    )))
}

/// What a model can say but for a value of the rows alone.
fn without(open: &[&Unfilled]) -> Option<String> {
    let takes_null: Vec<&&Unfilled> = open.iter().filter(|one| !one.never_null).collect();
    let are_new = open.iter().any(|one| one.is_new);
    let default = "`#[model(default = \"…\")]` counts for the rows that are there too";
    let null = match takes_null.as_slice() {
        [] if are_new => return Some(format!("or {default}")),
        [] => return None,
        all if all.len() == open.len() => "or let them stay without".to_owned(),
        some => {
            let paths: Vec<String> = some.iter().map(|one| one.path()).collect();
            format!("or let them stay without {}", paths.join(", "))
        }
    };
    let null = format!("{null}: `Option<…>` is a column that takes NULL");
    Some(if are_new {
        format!("{null}, and {default}")
    } else {
        null
    })
}

fn place(one: &Unfilled) -> String {
    let becomes = if one.is_new {
        "is new"
    } else {
        "becomes NOT NULL"
    };
    match &one.origin {
        Some(origin) => format!("{} ({origin}) {becomes}", one.column),
        None => format!("{} {becomes}", one.column),
    }
}

/// Asks somebody at a terminal.
pub(super) fn ask(unfilled: &Unfilled) -> Result<Value, Error> {
    let output = Output::default();
    let prompt = format!(
        "{}, and rows that are there may have no value for it. What do they get?",
        place(unfilled)
    );
    let items = [
        "a value, in this migration alone",
        "nothing: no row is without one, and it fails where one is",
        "write nothing, I change the model",
    ];
    let items = items.map(|item| output.question(item));
    let answer = Select::new()
        .with_prompt(output.question(&prompt))
        .items(&items)
        .default(0)
        .interact()
        .map_err(|error| unanswered(unfilled, error))?;
    match answer {
        0 => {}
        1 => return Ok(Value::Missing),
        _ => {
            return Err(Error::input("nothing was written")
                .hint(format!(
                    "`#[model(fill = \"…\")]` on the field of {} gives a value to the rows that are there",
                    unfilled.path()
                ))
                .hints(without(&[unfilled])));
        }
    }
    let sql = Input::<String>::new()
        .with_prompt(output.question("an SQL expression, such as 'none', 0 or now()"))
        .validate_with(|text: &String| unfilled.check(text))
        .interact_text()
        .map_err(|error| unanswered(unfilled, error))?;
    output.note(format!(
        "`#[model(fill = {sql:?})]` on the field keeps it, for `trueup recreate` and other drafts from the models"
    ));
    Ok(Value::Sql(sql))
}

fn unanswered(unfilled: &Unfilled, error: dialoguer::Error) -> Error {
    Error::caused(ErrorKind::Environment, "cannot ask on this terminal", error).hint(format!(
        "--fill {} answers without a question, and so does --allow {}",
        shell::argument(&format!("{}=…", unfilled.path())),
        shell::argument(&format!("{FAILS}={}", unfilled.path()))
    ))
}
