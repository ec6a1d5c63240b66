//! The user that runs the server: Postgres refuses to run as root, so then another user of this machine does.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::postgres::environment;

/// A user of this machine other than us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

/// No user to run the server as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoAccount;

/// Whose id this process has.
pub(crate) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user that the server must run as, or nothing where that is ourselves.
pub(crate) fn server_account() -> Result<Option<Account>, NoAccount> {
    if own_uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|_| NoAccount)?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| in_passwd(&users, name))
        .map(Some)
        .ok_or(NoAccount)
}

fn in_passwd(users: &str, name: &str) -> Option<Account> {
    let fields = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[0] == name)?;
    let account = Account {
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
    };
    (account.uid != 0).then_some(account)
}

impl Account {
    /// True if this user can enter `folder` and all folders above it.
    pub(crate) fn reaches(self, folder: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        folder
            .ancestors()
            .filter_map(|folder| fs::metadata(folder).ok())
            .all(|folder| {
                let bit = if folder.uid() == self.uid {
                    0o100
                } else if folder.gid() == self.gid {
                    0o010
                } else {
                    0o001
                };
                folder.mode() & bit != 0
            })
    }
}

/// Gives a file or folder to the server's user.
pub(crate) fn give(path: &Path, to: Option<Account>) -> io::Result<()> {
    to.map_or(Ok(()), |account| {
        std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
    })
}

/// A command that runs as the server's user, in a process group of its own so that Ctrl-C is ours to act on.
pub(crate) fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    environment::for_program(&mut command);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    // The working folder may be one that this user cannot enter. TZ saves initdb from trying every time zone.
    command
        .process_group(0)
        .current_dir("/")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(std::process::Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_users() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\nbroken\n";
        assert_eq!(
            in_passwd(users, "postgres"),
            Some(Account { uid: 101, gid: 104 })
        );
        assert_eq!(
            (
                in_passwd(users, "root"),
                in_passwd(users, "nobody"),
                in_passwd(users, "broken")
            ),
            (None, None, None)
        );
    }

    #[test]
    fn nobody_else_reaches_a_private_folder() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("private");
        let stranger = Account {
            uid: 54_321,
            gid: 54_321,
        };
        assert!(!stranger.reaches(dir.path()) && stranger.reaches(Path::new("/")));
    }
}
