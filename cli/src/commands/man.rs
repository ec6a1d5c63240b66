//! `trueup man`: the manual's pages.

use std::{fs, path::PathBuf};

use clap::CommandFactory;
use generator::{Error, ErrorKind};

use super::Status;
use crate::{arguments::Cli, context::Context};

/// Write the manual's pages, one a command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup man ~/.local/share/man/man1 && man trueup-upgrade")]
pub(crate) struct Args {
    /// The folder
    folder: PathBuf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let folder = &args.folder;
    let written = fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .and_then(|()| Ok(fs::read_dir(folder)?.count()));
    let pages = written.map_err(|error| {
        let doing = format!("cannot write to {}", folder.display());
        Error::caused(ErrorKind::Environment, doing, error)
    })?;
    let folder = folder.display();
    context
        .output
        .result(&format!("{pages} pages in {folder}\n"))?;
    Ok(Status::Done)
}
