//! The commands that are killed: what is there before, and what must be there in the end.

use std::{fs, os::unix::fs::symlink, path::Path};

use tests::checkout::Checkout;

use crate::{
    migrations,
    place::{self, Server},
};

/// The databases that others are copies of.
pub(crate) const BASE: &str = "template_base";
pub(crate) const MIDDLE: &str = "template_middle";
pub(crate) const HEAD: &str = "template_head";

/// One command.
#[derive(Clone, Copy)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// Its words.
    pub(crate) words: &'static [&'static str],
    /// The command to run after it was killed: itself, but for one.
    pub(crate) again: &'static [&'static str],
    /// The database that is there before.
    from: Option<&'static str>,
    project: Made,
    ends: Ends,
}

/// Content of the project.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// Thirty migrations.
    Mixed,
    /// Two branches.
    Branches,
    /// Models that are ahead of the migrations.
    Models,
    /// Some migrations that can become one.
    Several,
}

/// State to compare in the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The database.
    Database,
    /// The migrations.
    Files,
    /// The database and the migrations.
    Both,
    /// The folder of backups, in which there is one or, where the first one was done already, two.
    Backups,
}

const fn on(name: &'static str, words: &'static [&'static str], from: &'static str) -> Command {
    Command {
        name,
        words,
        again: words,
        from: Some(from),
        project: Made::Mixed,
        ends: Ends::Database,
    }
}

const fn of(name: &'static str, words: &'static [&'static str], project: Made) -> Command {
    Command {
        name,
        words,
        again: words,
        from: None,
        project,
        ends: Ends::Files,
    }
}

pub(crate) const COMMANDS: &[Command] = &[
    on("upgrade", &["upgrade"], BASE),
    on("downgrade", &["downgrade", "base", "--yes"], HEAD),
    Command {
        again: &["upgrade"],
        ..on(
            "downgrade, then upgrade",
            &["downgrade", "-20", "--yes"],
            HEAD,
        )
    },
    on("redo", &["redo", "-8"], HEAD),
    Command {
        again: &["upgrade"],
        ..on("redo, then upgrade", &["redo", "-8"], HEAD)
    },
    on(
        "restore --over",
        &["restore", "whole.dump", "--over", "--yes"],
        MIDDLE,
    ),
    on("db reset", &["db", "reset", "--yes"], HEAD),
    on("db recreate", &["db", "recreate", "--yes"], HEAD),
    Command {
        ends: Ends::Backups,
        ..on("backup", &["backup"], HEAD)
    },
    of(
        "squash",
        &["squash", "base..head", "--message", "one"],
        Made::Several,
    ),
    of("rebase", &["rebase"], Made::Branches),
    of("autogen", &["autogen", "x"], Made::Models),
    Command {
        from: Some(BASE),
        ends: Ends::Both,
        ..of(
            "recreate",
            &["recreate", "y", "--force", "--yes"],
            Made::Models,
        )
    },
];

impl Command {
    /// True if what it works with is a live database.
    pub(crate) fn is_live(&self) -> bool {
        self.from.is_some()
    }

    /// A project of its own, with a database of its own where it needs one.
    pub(crate) fn prepare(&self, server: &Server, database: &str, backup: &Path) -> Checkout {
        let mut project = match self.project {
            Made::Mixed => mixed(),
            Made::Branches => branches(),
            Made::Models => models(),
            Made::Several => several(),
        };
        if let Some(from) = self.from {
            server.make(database, from);
            project.database = Some(server.url(database).to_string());
        }
        if self.ends == Ends::Both {
            // `recreate` replaces the migration that this autogen writes.
            project.run(&["upgrade"]).done();
            project.run(&["autogen", "x"]).done();
            project.run(&["upgrade"]).done();
        }
        if self.name.starts_with("restore") {
            symlink(backup, project.path().join("whole.dump")).expect("a link");
        }
        project
    }

    /// All that must be there in the end, as text.
    pub(crate) fn seen(&self, project: &Checkout, server: &Server, database: &str) -> String {
        let database = || server.seen(database);
        match self.ends {
            Ends::Database => database(),
            Ends::Files => place::files(project),
            Ends::Both => place::files(project) + &without_versions(&database()),
            Ends::Backups => backups(project),
        }
    }
}

/// A migration that was written anew has another version, and so another line in the record.
fn without_versions(seen: &str) -> String {
    let cut = |line: &str| {
        if line.starts_with("record ") {
            "record".to_owned()
        } else {
            line.to_owned()
        }
    };
    seen.lines().map(cut).collect::<Vec<_>>().join("\n")
}

fn backups(project: &Checkout) -> String {
    let entries = fs::read_dir(project.path().join("backups"))
        .into_iter()
        .flatten()
        .flatten();
    let (dumps, others): (Vec<_>, Vec<_>) = entries.map(|entry| entry.path()).partition(|path| {
        path.extension()
            .is_some_and(|extension| extension == "dump")
    });
    let whole = dumps.iter().filter(|path| place::is_whole(path)).count();
    let names: Vec<_> = others.iter().filter_map(|path| path.file_name()).collect();
    let is_right = whole == dumps.len() && (1..=2).contains(&whole);
    format!(
        "{} {names:?}",
        if is_right {
            "whole".to_owned()
        } else {
            format!("{dumps:?}")
        }
    )
}

fn project() -> Checkout {
    Checkout::new(env!("CARGO_BIN_EXE_shipped"))
}

pub(crate) fn mixed() -> Checkout {
    let project = project();
    migrations::write(&project);
    project
}

fn models() -> Checkout {
    let project = project().shipped();
    project.migration(
        "2030-01-01-000000_drop",
        "ALTER TABLE users DROP COLUMN active;",
        "ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL;",
    );
    project
}

fn several() -> Checkout {
    let project = project();
    for number in 1..=6 {
        let up = format!("CREATE TABLE s{number} (id int PRIMARY KEY, word text);\n");
        let down = format!("DROP TABLE s{number};\n");
        project.migration(&format!("2030-01-0{number}-000000_s{number}"), &up, &down);
    }
    project
}

fn branches() -> Checkout {
    let project = project();
    let (base, theirs) = ("2030-01-01-000000_base", "2030-01-03-000000_theirs");
    project.made_on(
        &[],
        base,
        "CREATE TABLE t (id int PRIMARY KEY);\n",
        "DROP TABLE t;\n",
    );
    let add = |name: &str| {
        [
            format!("ALTER TABLE t ADD {name} text;\n"),
            format!("ALTER TABLE t DROP {name};\n"),
        ]
    };
    let [up, down] = add("theirs");
    project.made_on(&[base], theirs, &up, &down);
    project.pushed();
    let (one, two) = ("2030-01-02-000000_one", "2030-01-02-000001_two");
    let [up, down] = add("one");
    project.made_on(&[base], one, &up, &down);
    let [up, down] = add("two");
    project.made_on(&[one], two, &up, &down);
    project
}
