//! `trueup db psql`: a session by hand.

use std::ffi::OsString;

use generator::{
    Error, ErrorKind,
    postgres::{children, dump},
};

use crate::{commands::Status, context::Context, interrupt};

/// Open psql on the database
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup db psql
  trueup db psql -- -c 'SELECT count(*) FROM users'")]
pub(crate) struct Args {
    /// What psql is given beside the database
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let psql = context.project.binaries.psql()?;
    // There Ctrl-C ends a query, not the session.
    let _theirs = interrupt::leave_to_others();
    let mut session = dump::session(&psql, &live.url);
    session.args(&args.arguments);
    let ended = children::attend(session, "psql").map_err(|error| {
        let doing = format!("cannot run {}", psql.display());
        Error::caused(ErrorKind::Environment, doing, error)
    })?;
    Ok(if ended.success() {
        Status::Done
    } else {
        Status::Refused
    })
}
