//! `trueup inspect`: one source, as trueup sees it.

use clap::ValueEnum;
use generator::{Error, ErrorKind, autogen, compare, render};

use super::Status;
use crate::context::Context;

/// Show what trueup reads from one source
///
/// A source is `models`, `migrations`, `migrations:DIR`, `database`, a database URL, `file:PATH`, or a path that ends in .sql.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup inspect models                          the SQL that makes what the models say
  trueup inspect postgres://localhost/app | psql empty
  trueup inspect migrations --format json")]
pub(crate) struct Args {
    /// What to read
    source: String,

    /// How to show it
    #[arg(long, value_enum, default_value = "sql")]
    format: ShowArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShowArg {
    /// The statements that rebuild it in an empty database
    Sql,
    /// Every object with all its fields
    Json,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let source = context.source(&args.source)?;
    let side = compare::inspect(&context.project, autogen::declarations, &source)?;
    for unread in side.schema.unread() {
        context.output.note(format!(
            "{} is left out: trueup does not read that kind of object",
            unread.what
        ));
    }
    let text = match args.format {
        ShowArg::Sql => render::sql(compare::rebuild(&side.schema)?.statements()),
        ShowArg::Json => {
            side.schema
                .to_json()
                .map_err(|error| Error::caused(ErrorKind::Defect, "cannot write the JSON", error))?
                + "\n"
        }
    };
    context.output.data(&text)?;
    Ok(Status::Done)
}
