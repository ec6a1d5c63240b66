//! `trueup db`: the database as a whole.

use clap::Subcommand;
use generator::Error;

use super::Status;
use crate::context::Context;

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
