//! The guard before commands that destroy: who must agree, and in which words.
//!
//! In a protected environment, and before the loss of a database that the migrations alone would not bring back, nothing but
//! the database's name, repeated, is a yes. Elsewhere a person at a terminal is asked, and a script says `--yes`.

use std::{
    env,
    io::{self, IsTerminal},
};

use dialoguer::Confirm;
use generator::{
    Error, ErrorKind,
    operations::database::{self, Identity},
    postgres::url::Url,
    report::Output,
};

use crate::context::{Context, Live};

/// The word that nothing else stands for.
#[derive(Debug, clap::Args)]
pub(crate) struct Consent {
    /// Repeat the database's name: yes, this one. In a protected environment nothing else will do
    #[arg(long, value_name = "NAME")]
    yes_destroy: Option<String>,
}

impl Consent {
    /// Lets a command pass that loses all of a database, and says which one that is, where it is there.
    pub(crate) fn to_lose_all(
        &self,
        live: &Live,
        context: &Context,
    ) -> Result<Option<Identity>, Error> {
        let Some(meant) = database::identify(&live.url)? else {
            // Nothing is there to lose; a name that is repeated is compared all the same.
            let name = database::written_name(&live.url)?;
            return self.repeats(&name).map(|_| None);
        };
        let name = meant.name.clone();
        if self.repeats(&name)? {
            return Ok(Some(meant));
        }
        if let Some(reason) = reason(&name, live, context)? {
            return Err(refused(
                &reason,
                &format!("all of {name} would be lost"),
                &name,
            ));
        }
        if context.yes || asked(&format!("All of {name} is lost. Go on?"))? {
            return Ok(Some(meant));
        }
        if can_ask() {
            return Err(Error::input(format!("{name} is as it was")));
        }
        Err(Error::input(format!(
            "all of {name} would be lost, and there is no terminal to ask at; nothing was done"
        ))
        .hint(format!("where that is meant: {}", again("--yes"))))
    }

    /// Lets a command pass that only a protected environment is guarded from; `loss` says what it does there.
    pub(crate) fn in_protected(
        &self,
        live: &Live,
        context: &Context,
        loss: &str,
    ) -> Result<(), Error> {
        if self.yes_destroy.is_none() && !context.settings.is_protected() {
            return Ok(());
        }
        let name = database::name(&live.url)?;
        if self.repeats(&name)? {
            return Ok(());
        }
        Err(refused(
            &protected(context),
            &format!("{loss} in {name}"),
            &name,
        ))
    }

    /// Refuses a name that is repeated and is not the database's, where nothing else asks for it.
    pub(crate) fn compared(&self, live: &Live) -> Result<(), Error> {
        if self.yes_destroy.is_some() {
            self.repeats(&database::name(&live.url)?)?;
        }
        Ok(())
    }

    fn repeats(&self, name: &str) -> Result<bool, Error> {
        match &self.yes_destroy {
            None => Ok(false),
            Some(repeated) if repeated == name => Ok(true),
            Some(repeated) => Err(Error::input(format!(
                "--yes-destroy says {repeated}, and the database is {name}; nothing was done"
            ))),
        }
    }
}

/// The reason why a database goes only with its name repeated.
fn reason(name: &str, live: &Live, context: &Context) -> Result<Option<String>, Error> {
    if context.settings.is_protected() {
        return Ok(Some(protected(context)));
    }
    // The project's own server holds nothing that the project did not put there.
    if live.is_embedded() {
        return Ok(None);
    }
    if database::is_the_servers_own(name) {
        return Ok(Some(format!("{name} is one of the server's own databases")));
    }
    let others = database::versions_of_others(&context.project, &live.url)?;
    if let [first, rest @ ..] = others.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        return Ok(Some(format!(
            "{name} may be another project's: it has {first}{more} applied, and no migration here is of such a version"
        )));
    }
    let unmanaged = database::unmanaged_tables(&context.project, &live.url)?;
    let shown = unmanaged.iter().take(3).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join(", ");
    Ok(match unmanaged.len() {
        0 => None,
        1 => Some(format!(
            "{name} has a table that no migration makes ({shown})"
        )),
        many @ 2..=3 => Some(format!(
            "{name} has {many} tables that no migration makes ({shown})"
        )),
        many => Some(format!(
            "{name} has {many} tables that no migration makes ({shown}, …)"
        )),
    })
}

fn protected(context: &Context) -> String {
    let environment = &context.settings.environment;
    format!(
        "{} is a protected environment (from {})",
        environment.value.to_string_lossy(),
        environment.place
    )
}

fn refused(reason: &str, loss: &str, name: &str) -> Error {
    let name = shlex::try_quote(name).unwrap_or_default();
    Error::input(format!("{reason}, and {loss}; nothing was done")).hint(format!(
        "where that is meant, repeat the database's name: {}",
        again(&format!("--yes-destroy {name}"))
    ))
}

/// The command as it was written, with one word more; passwords in URLs are left out.
fn again(word: &str) -> String {
    let shown = |argument: String| {
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (format!("{option}="), value),
            Some(_) | None => (String::new(), argument.as_str()),
        };
        let value = Url::parse(value).map_or_else(|_| value.to_owned(), |url| url.to_string());
        shlex::try_quote(&format!("{option}{value}"))
            .unwrap_or_default()
            .into_owned()
    };
    let written = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned());
    let words = std::iter::once("trueup".to_owned()).chain(written.map(shown));
    words
        .chain(std::iter::once(word.to_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// True if a person sits at both ends: one who can answer and who sees the question.
fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks at a terminal; elsewhere the command itself is the word.
pub(crate) fn agreed(question: &str, context: &Context) -> Result<bool, Error> {
    if context.yes || !can_ask() {
        return Ok(true);
    }
    asked(question)
}

/// Asks at a terminal; false where there is none.
fn asked(question: &str) -> Result<bool, Error> {
    if !can_ask() {
        return Ok(false);
    }
    let answer = Confirm::new()
        .with_prompt(Output::default().question(question))
        .default(false)
        .interact();
    answer.map_err(|error| {
        Error::caused(ErrorKind::Environment, "cannot ask on this terminal", error)
            .hint("--yes answers without a question")
    })
}
