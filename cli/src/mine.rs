//! Guards for rewriting migrations: only those that neither others nor a database have are the user's own to change.

use generator::{
    Error, ErrorKind,
    migrations::{apply, folder::Migration},
    postgres::connection::connect,
};

use crate::{
    context::Context,
    git::{self, Sharing},
};

/// Refuses where others could have one of the migrations.
pub(crate) fn refuse_shared(context: &Context, migrations: &[Migration]) -> Result<(), Error> {
    for migration in migrations {
        match git::sharing(&context.project.migrations, &migration.name) {
            Sharing::Ours => {}
            Sharing::Shared { commit } => {
                return Err(Error::input(format!(
                    "others could have {} already: it is in commit {commit}, which is not only here",
                    migration.name
                ))
                .hint("what others have is changed by a new migration")
                .hint("--force does it all the same"));
            }
            Sharing::Unknown(why) => {
                return Err(Error::caused(
                    ErrorKind::Environment,
                    format!(
                        "whether others could have {} already is not known",
                        migration.name
                    ),
                    why,
                )
                .hint("where nobody has it, say so: --force"));
            }
        }
    }
    Ok(())
}

/// The versions that the database has; none where no database is configured. An error while somebody applies migrations, or
/// where a run was cut off: whoever rewrites a migration then takes it from under their hands.
pub(crate) fn applied(context: &Context) -> Result<Vec<String>, Error> {
    let Some(live) = context.live_if_there()? else {
        return Ok(Vec::new());
    };
    let mut connection = connect(&live.url)?;
    if let [version, ..] = apply::begun(&mut connection)?.as_slice() {
        return Err(Error::input(format!(
            "a run of {version} was cut off, and what it left is not finished; no file was changed"
        ))
        .hint("`trueup upgrade` finishes it; `trueup status` says more"));
    }
    Ok(apply::applied(&mut connection)?)
}
