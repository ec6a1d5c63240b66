//! Queries to git: could others already have a migration?

use std::{path::Path, process::Command, time::Duration};

use generator::postgres::{children, environment};

/// Time limit for git, which may look through a long history.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answer to whether others could have a migration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Sharing {
    /// No commit that was pushed to, or fetched from, anywhere touches it.
    Ours,
    /// Such a commit touches it.
    Shared {
        /// The commit, in short.
        commit: String,
    },
    /// git cannot say, and why.
    Unknown(String),
}

/// Asks git about a migration's folder: it looks at what the branch follows and at all that is known of other repositories.
pub(crate) fn sharing(migrations: &Path, name: &str) -> Sharing {
    let follows = git(migrations, &["rev-parse", "--verify", "--quiet", UPSTREAM]).is_ok();
    let mut arguments = vec!["log", "--max-count=1", "--format=%h", "--remotes"];
    arguments.extend(follows.then_some(UPSTREAM));
    // A folder may be called anything, and git reads patterns.
    let path = format!(":(literal){name}");
    arguments.extend(["--", &path]);
    match git(migrations, &arguments) {
        Err(why) => Sharing::Unknown(why),
        Ok(commit) if commit.is_empty() => Sharing::Ours,
        Ok(commit) => Sharing::Shared { commit },
    }
}

const UPSTREAM: &str = "@{upstream}";

/// Output of git, or its error message.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    environment::for_git(&mut command);
    command
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0");
    let output = children::output(command, "git", None, Some(PATIENCE))
        .map_err(|error| format!("git does not run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}
