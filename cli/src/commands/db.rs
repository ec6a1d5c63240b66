//! `trueup db`: the database as a whole.

use clap::Subcommand;
use generator::Error;

use super::Status;
use crate::{context::Context, mine};

mod create;
mod drop;
mod psql;
mod recreate;
mod reset;
mod size;
mod start;
mod stop;
mod url;

/// Make, remove and look after the database
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Args),
    Drop(drop::Args),
    Recreate(recreate::Args),
    Reset(reset::Args),
    Start(start::Args),
    Stop(stop::Args),
    Url(url::Args),
    Psql(psql::Args),
    Size(size::Args),
}

/// What stands between a slip and the loss of a database.
#[derive(Debug, clap::Args)]
pub(super) struct Consent {
    /// Yes, this one; repeats the database's name. In production nothing else will do
    #[arg(long, value_name = "NAME")]
    yes_destroy: Option<String>,
}

impl Consent {
    /// Refuses in production, unless the name is repeated; elsewhere asks whoever sits at a terminal.
    pub(super) fn check(&self, name: &str, context: &Context) -> Result<(), Error> {
        match &self.yes_destroy {
            Some(repeated) if repeated == name => Ok(()),
            Some(repeated) => Err(Error::input(format!(
                "--yes-destroy says {repeated}, and the database is {name}; nothing was done"
            ))),
            None if context.settings.is_production() => Err(Error::input(format!(
                "this is production ({}), and all of {name} would be lost; nothing was done",
                context.settings.environment.place
            ))
            .hint(format!(
                "where that is meant, repeat its name: --yes-destroy {name}"
            ))),
            None if mine::agreed(&format!("All of {name} is lost. Go on?"), false)? => Ok(()),
            None => Err(Error::input(format!("{name} is as it was"))),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    match &args.command {
        Command::Create(args) => create::run(args, context),
        Command::Drop(args) => drop::run(args, context),
        Command::Recreate(args) => recreate::run(args, context),
        Command::Reset(args) => reset::run(args, context),
        Command::Start(args) => start::run(args, context),
        Command::Stop(args) => stop::run(args, context),
        Command::Url(args) => url::run(args, context),
        Command::Psql(args) => psql::run(args, context),
        Command::Size(args) => size::run(args, context),
    }
}
