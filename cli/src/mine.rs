//! What is the user's own to change: neither others nor a database have it.

use std::io::{self, IsTerminal};

use dialoguer::Confirm;
use generator::{Error, ErrorKind, apply, connection::connect, migration::Migration};

use crate::{
    context::Context,
    git::{self, Sharing},
};

/// Refuses where others could have one of the migrations. `because` ends the sentence, as in "and would keep it".
pub(crate) fn refuse_shared(context: &Context, migrations: &[Migration]) -> Result<(), Error> {
    for migration in migrations {
        match git::sharing(&context.project.migrations, &migration.name) {
            Sharing::Ours => {}
            Sharing::Shared { commit } => {
                return Err(Error::input(format!(
                    "others could have {} already: it is in commit {commit}, which is not only here",
                    migration.name
                ))
                .hint("what others have is changed by a new migration")
                .hint("--force does it all the same"));
            }
            Sharing::Unknown(why) => {
                return Err(Error::caused(
                    ErrorKind::Environment,
                    format!(
                        "whether others could have {} already is not known",
                        migration.name
                    ),
                    why,
                )
                .hint("where nobody has it, say so: --force"));
            }
        }
    }
    Ok(())
}

/// What the database has, where there is one to ask.
pub(crate) fn applied(context: &Context) -> Result<Vec<String>, Error> {
    match context.live_if_there()? {
        Some(live) => Ok(apply::applied(&mut connect(&live.url)?)?),
        None => Ok(Vec::new()),
    }
}

/// Asks somebody at a terminal; elsewhere, and with --yes, the command itself is the word.
pub(crate) fn agreed(question: &str, yes: bool) -> Result<bool, Error> {
    if yes || !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(true);
    }
    let answer = Confirm::new()
        .with_prompt(question)
        .default(false)
        .interact();
    answer.map_err(|error| {
        Error::caused(ErrorKind::Environment, "cannot ask on this terminal", error)
            .hint("--yes answers without a question")
    })
}
