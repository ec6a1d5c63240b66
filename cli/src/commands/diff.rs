//! `trueup diff`: the SQL from any source to any other.

use std::io::{self, IsTerminal};

use generator::{
    Error,
    pipeline::{
        autogen,
        compare::{self, CompareOptions},
    },
    render,
    summary::Summary,
};

use super::Status;
use crate::{arguments, context::Context};

/// Print the SQL that takes one source to another
///
/// A source is `models`, `migrations`, `migrations:DIR`, `database`, a database URL, `file:PATH`, or a path that ends in .sql. The SQL
/// is tried on a throw-away PostgreSQL where there is one of the right version. It goes to stdout and runs in psql as it
/// is; where both are the same, nothing is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup diff --from postgres://localhost/staging --to postgres://localhost/production
  trueup diff --from migrations --to models
  trueup diff --from old.sql --to new.sql > change.sql

Exit codes: 0 the same, 1 different, 2 an error, or something that is not done yet.")]
pub(crate) struct Args {
    /// Where to begin
    #[arg(long, value_name = "SOURCE")]
    from: String,

    /// Where to end
    #[arg(long, value_name = "SOURCE")]
    to: String,

    /// Compare also where a side has objects of a kind that trueup does not read; they are left out
    #[arg(long)]
    ignore_unread: bool,

    /// Something that has another name on the other side: users.phone=phone_number; as often as needed
    ///
    /// What is written is [KIND:]PATH=NEW. The namespace of a path may be left out where no two things are called alike;
    /// users=shop.users moves a table to another namespace. Names with dots, = or quotes stand in double quotes.
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,

    /// Do not try the SQL
    #[arg(long)]
    no_proof: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let (from, to) = (context.source(&args.from)?, context.source(&args.to)?);
    let renames = arguments::renames(&args.rename)?;
    let options = CompareOptions {
        renames: &renames,
        ignore_unread: args.ignore_unread,
        prove: !args.no_proof,
    };
    let compared = compare::diff(&context.project, autogen::declarations, &from, &to, options)?;
    if compared.left_out > 0 {
        let objects = if compared.left_out == 1 {
            "object"
        } else {
            "objects"
        };
        context.output.note(format!(
            "left out by trueup.toml: {} {objects}",
            compared.left_out
        ));
    }
    if compared.is_empty() {
        context.output.note(format!("{from} and {to} are the same"));
        return Ok(Status::Done);
    }
    if let Some(why) = &compared.unproved {
        context.output.note(format!("the SQL was not tried: {why}"));
    }
    if let Some(why) = &compared.no_dump {
        context.output.note(format!(
            "the SQL was tried on a copy that trueup made by its own statements, for {why}"
        ));
    }
    // A pipe has its own use for stderr; a person reads what it comes to before the SQL.
    if io::stderr().is_terminal() {
        for (word, text) in compared.summary.iter().flat_map(Summary::lines) {
            context.output.note(format!("{word}: {text}"));
        }
    }
    context.output.data(&render::sql(compared.statements()))?;
    Ok(Status::Different)
}
