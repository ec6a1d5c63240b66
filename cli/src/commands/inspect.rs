//! `trueup inspect`: one source, as trueup sees it.

use clap::ValueEnum;
use generator::{
    Error, ErrorKind,
    pipeline::{autogen, compare},
    render,
    report::unread_by_kind,
};

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
    /// The statements that rebuild it in an empty database, as far as it is read
    Sql,
    /// Every object with all its fields
    Json,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let source = context.source(&args.source)?;
    let side = compare::inspect(&context.project, autogen::declarations, &source)?;
    for what in unread_by_kind(side.schema.unread()) {
        context.output.note(format!(
            "left out, for trueup does not read that kind of object: {what}"
        ));
    }
    match args.format {
        ShowArg::Sql => {
            let sql = render::sql(compare::rebuild(&side.schema)?.statements());
            if let Some(why) = compare::lacks_unread(&context.project, &side.schema, &sql) {
                context.output.note(format!(
                    "this SQL does not run by itself, since something that is left out has to be there first: {why}"
                ));
            }
            context.output.data(&sql)?;
        }
        ShowArg::Json => {
            let json = side.schema.to_json();
            let json = json.map_err(|error| {
                Error::caused(ErrorKind::Defect, "cannot write the JSON", error)
            })?;
            context.output.json(&(json + "\n"))?;
        }
    }
    Ok(Status::Done)
}
