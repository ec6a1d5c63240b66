//! `trueup db reset`: the database is as the migrations make it.

use generator::{
    Error,
    migrations::apply::{Event, UpTarget},
    operations::database,
    postgres::connection::connect,
};

use crate::{
    arguments::FormatArg,
    commands::{Status, upgrade},
    context::Context,
    guard::Consent,
};

/// Empty the namespaces that the migrations work in, then apply all migrations
///
/// The migrations are tried on a throw-away PostgreSQL first, and on the emptied database before anything is lost. What is in
/// other namespaces stays, and so do extensions that no migration makes, what the prelude stands for, roles and settings of
/// the database.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    consent: Consent,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let live = context.live()?;
    let Some(meant) = args.consent.to_lose_all(&live, context)? else {
        return Err(Error::input(format!("{} is not there", live.url))
            .hint("`trueup init` makes it and applies the migrations"));
    };
    let progress = context.output.progress();
    let tell = |event: &Event<'_>| progress.hear(event);
    let options = context.applying(&live, &tell);
    let emptied = database::empty(&context.project, &live.url, &meant, options)?;
    progress.note(format!("emptied: {}", emptied.join(", ")));
    let applied = upgrade::apply(&mut connect(&live.url)?, context, &UpTarget::Head, options)?;
    drop(progress);
    context.output.report(&applied, args.format.into())?;
    Ok(Status::Done)
}
