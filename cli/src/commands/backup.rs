//! `trueup backup`: the database in a file.

use std::iter;
use std::path::{Path, PathBuf};

use generator::{
    Error,
    migrations::folder,
    operations::{
        backup::{self, Stage},
        database,
    },
    report::{DatabaseDone, Progress, What},
};

use super::Status;
use crate::{
    arguments::FormatArg,
    context::{Context, Live},
};

/// Save the database in a file, through pg_dump
///
/// The file is in PostgreSQL's custom format; `restore` and pg_restore read it. It is there when it is whole: a full disk or
/// a cut connection leaves none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup backup                    backups/<database>-<time>.dump in the project's root
  trueup backup /safe/shop.dump")]
pub(crate) struct Args {
    /// The file, which must not be there yet
    file: Option<PathBuf>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => usual_file(context, &live)?,
    };
    let report = save(context, &live, &file)?;
    context.output.report(&report, args.format.into())?;
    Ok(Status::Done)
}

/// Saves the database under a name that says which it is and when that was.
pub(super) fn save_as_usual(context: &Context, live: &Live) -> Result<DatabaseDone, Error> {
    save(context, live, &usual_file(context, live)?)
}

fn save(context: &Context, live: &Live, file: &Path) -> Result<DatabaseDone, Error> {
    let progress = context.output.progress();
    backup::save(&context.project, &live.url, file, |at| {
        stage(&progress, at);
    })?;
    Ok(DatabaseDone {
        done: What::Saved,
        database: live.url.to_string(),
        detail: file.display().to_string(),
    })
}

/// Shows where pg_dump or pg_restore is.
pub(super) fn stage(progress: &Progress, stage: Stage<'_>) {
    progress.at(stage.done, stage.of, stage.at);
}

fn usual_file(context: &Context, live: &Live) -> Result<PathBuf, Error> {
    let folder = context.root.join("backups");
    backup::prepare(&folder)?;
    let name = database::name(&live.url)?.replace(['/', '\\'], "_");
    let time = folder::new_version(&[], std::time::SystemTime::now().into());
    let first = folder.join(format!("{name}-{time}.dump"));
    // Another one may be of the same second.
    let more = (2..).map(|number| folder.join(format!("{name}-{time}-{number}.dump")));
    let mut free = iter::once(first.clone())
        .chain(more)
        .filter(|file| !file.exists());
    Ok(free.next().unwrap_or(first))
}
