//! `trueup completions`: the shell knows the commands.

use clap::CommandFactory;
use clap_complete::Shell;
use generator::Error;

use super::Status;
use crate::{arguments::Cli, context::Context};

/// Print what makes a shell complete commands and options
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup completions bash > ~/.local/share/bash-completion/completions/trueup
  trueup completions zsh > ~/.zfunc/_trueup
  trueup completions fish > ~/.config/fish/completions/trueup.fish")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let mut command = Cli::command();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "trueup", &mut script);
    context.output.data(&String::from_utf8_lossy(&script))?;
    Ok(Status::Done)
}
