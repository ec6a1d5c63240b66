//! The command line, for any models crate.
//!
//! A project gets all of it with a binary of three lines: `use my_models as _;` and a `main` that calls [`main`].
//! Each command is one file under `commands/`; what they share is the `context::Context`.

use std::process::ExitCode;

use clap::Parser;
use generator::{postgres::children, report::Output};

mod arguments;
mod commands;
mod context;
mod exit;
mod git;
mod guard;
mod interrupt;
mod mine;
mod settings;
mod target;
mod workspace;

use arguments::Cli;
use commands::Status;
use context::Context;

/// Runs the command that this process was started with: 0 where all is well, 1 where something differs, 2 where something
/// went wrong.
#[must_use]
pub fn main() -> ExitCode {
    if let Err(error) = children::become_or_launch() {
        Output::default().refusal(&format!("{error}\n"));
        return ExitCode::from(127);
    }
    exit::prepare();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return arguments::refuse(&error),
    };
    let output = cli.output();
    let done = interrupt::install().and_then(|()| run(&cli, output));
    interrupt::wait_if_ending();
    match done {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Different) => ExitCode::from(1),
        Ok(Status::Refused) => ExitCode::from(2),
        Err(error) => {
            output.failure(&error);
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli, output: Output) -> Result<Status, generator::Error> {
    let context = Context::new(&cli.global, output)?;
    let done = commands::run(&cli.command, &context);
    if let Some(remark) = context.project.remark() {
        output.note(remark);
    }
    done.map_err(|error| context.project.explained(error))
}
