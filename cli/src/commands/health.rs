//! `trueup health`: can the database be used?

use std::net::SocketAddr;

use generator::{Error, ErrorKind, operations::health::health};

use super::Status;
use crate::{arguments::FormatArg, context::Context};

mod looker;
mod server;

use looker::Looker;

/// Say whether the database answers and has every migration
///
/// For probes, before a rollout and while it runs. With --listen, answers GET /health: 200, or 503 with the reason, which
/// names no host and no user; and GET /metrics for Prometheus. Every answer comes within 2 s, from a look at the database that
/// is at most a second old.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trueup health
  trueup health --format json
  trueup health --listen 0.0.0.0:8080

Exit codes: 0 healthy, 1 not.")]
pub(crate) struct Args {
    /// Answer GET /health and /metrics at this address until Ctrl-C
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// How to report
    #[arg(long, value_enum, default_value = "text")]
    format: FormatArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Status, Error> {
    let Some(url) = &context.project.database else {
        return Err(Error::input("no database is configured")
            .hint("set DATABASE_URL: a probe is for a database that others use too"));
    };
    let (migrations, scope) = (&context.project.migrations, &context.project.scope);
    if let Some(address) = args.listen {
        let (url, migrations, scope) = (url.clone(), migrations.clone(), scope.clone());
        let looker = Looker::new(move || health(&url, &migrations, &scope));
        return server::listen(address, context.output, &looker).map_err(|error| {
            let doing = format!("cannot listen on {address}");
            Error::caused(ErrorKind::Environment, doing, error)
        });
    }
    let found = health(url, migrations, scope);
    if let Some(detail) = &found.detail {
        context.output.note(detail);
    }
    context.output.report(&found, args.format.into())?;
    Ok(if found.healthy {
        Status::Done
    } else {
        Status::Different
    })
}
