//! `trueup db url`: where the database is.

use generator::{Error, postgres::embedded::Embedded};

use crate::{commands::Status, context::Context};

/// Print the URL of the project's own database, or of the configured one without its password
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup db start && psql \"$(trueup db url)\"")]
pub(crate) struct Args {}

pub(crate) fn run(Args {}: &Args, context: &Context) -> Result<Status, Error> {
    let url = match &context.project.database {
        Some(url) => url.clone(),
        None => Embedded::url_of(&context.root)?,
    };
    context.output.data(&format!("{url}\n"))?;
    Ok(Status::Done)
}
