//! The commands, one a file: what each takes, and what it does.

use clap::Subcommand;
use generator::Error;

use crate::context::Context;

mod autogen;
mod backup;
mod check;
mod completions;
mod current;
mod db;
mod diff;
mod doctor;
mod downgrade;
mod heads;
mod health;
mod history;
mod init;
mod inspect;
mod losses;
mod man;
mod merge;
mod models;
mod new;
mod prove;
mod rebase;
mod recreate;
mod redo;
mod restore;
mod seed;
mod show;
mod squash;
mod stamp;
mod status;
mod uncommit;
mod unfilled;
mod upgrade;

/// Outcome of a command that did not fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// All is well: exit 0.
    Done,
    /// The two sides differ: exit 1.
    Different,
    /// The user said no: exit 2.
    Refused,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Autogen(autogen::Args),
    New(new::Args),
    #[command(visible_alias = "migrate")]
    Upgrade(upgrade::Args),
    #[command(visible_alias = "rollback")]
    Downgrade(downgrade::Args),
    Redo(redo::Args),
    Stamp(stamp::Args),
    Status(status::Args),
    Check(check::Args),
    Prove(prove::Args),
    Current(current::Args),
    History(history::Args),
    Heads(heads::Args),
    Show(show::Args),
    Recreate(recreate::Args),
    Uncommit(uncommit::Args),
    Rebase(rebase::Args),
    Merge(merge::Args),
    Squash(squash::Args),
    Diff(diff::Args),
    Inspect(inspect::Args),
    Init(init::Args),
    Seed(seed::Args),
    Db(db::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Health(health::Args),
    Models(models::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    /// True if GitHub Actions reads what it says.
    pub(crate) fn is_for_github(&self) -> bool {
        matches!(self, Self::Check(args) if args.is_for_github())
    }
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Status, Error> {
    match command {
        Command::Autogen(args) => autogen::run(args, context),
        Command::New(args) => new::run(args, context),
        Command::Upgrade(args) => upgrade::run(args, context),
        Command::Downgrade(args) => downgrade::run(args, context),
        Command::Redo(args) => redo::run(args, context),
        Command::Stamp(args) => stamp::run(args, context),
        Command::Status(args) => status::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Prove(args) => prove::run(args, context),
        Command::Current(args) => current::run(args, context),
        Command::History(args) => history::run(args, context),
        Command::Heads(args) => heads::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Recreate(args) => recreate::run(args, context),
        Command::Uncommit(args) => uncommit::run(args, context),
        Command::Rebase(args) => rebase::run(args, context),
        Command::Merge(args) => merge::run(args, context),
        Command::Squash(args) => squash::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Inspect(args) => inspect::run(args, context),
        Command::Init(args) => init::run(args, context),
        Command::Seed(args) => seed::run(args, context),
        Command::Db(args) => db::run(args, context),
        Command::Backup(args) => backup::run(args, context),
        Command::Restore(args) => restore::run(args, context),
        Command::Health(args) => health::run(args, context),
        Command::Models(args) => models::run(args, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(args, context),
    }
}
