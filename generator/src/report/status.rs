//! The report of `status`: a database, a folder of migrations, and their history compared.

use serde::Serialize;

use super::{
    Report,
    style::{DIM, GOOD, HEADING, WARNING, columns},
};
use crate::{
    migrations::{
        apply::{self, Halfway, Leftovers},
        folder::{HistoryProblem, Lineage, Migration, Proved, history_problems},
    },
    words::count,
};

/// The state of a project and its database.
#[derive(Debug, Default, Serialize)]
pub struct Status {
    /// True if nothing below requires an action.
    pub in_order: bool,
    /// The database, where there is one; its password is not in it.
    pub database: Option<String>,
    /// The newest migration that is applied: its folder's name, or its version where there is no folder.
    pub current: Option<String>,
    /// The newest migration on disk.
    pub latest: Option<String>,
    /// The names of those that are not applied.
    pub pending: Vec<String>,
    /// The names of the pending ones that are older than an applied one.
    pub out_of_order: Vec<String>,
    /// The migrations that were squashed of several, of which the database has only some.
    pub halfway: Vec<Halfway>,
    /// The applied versions that no folder has.
    pub unknown: Vec<String>,
    /// The migrations that were edited after another was made on them, or after they were applied.
    pub edited: Vec<String>,
    /// The migrations of which a file was edited after it was proved.
    pub edited_since_proved: Vec<String>,
    /// The migrations that were never proved. There is nothing that must be done about them.
    pub never_proved: Vec<String>,
    /// The versions that a migration was made on and no folder has.
    pub missing: Vec<String>,
    /// The names of the heads, where there is more than one.
    pub heads: Vec<String>,
    /// Leftovers of interrupted runs, and NOT VALID constraints, which may be intended.
    #[serde(flatten)]
    pub leftovers: Leftovers,
}

/// The migrations that a database records.
#[derive(Debug)]
pub struct Recorded {
    /// The database; its password is not in it.
    pub database: String,
    /// The versions that are applied.
    pub applied: Vec<String>,
    /// The names of the migrations that were edited since they were applied.
    pub edited: Vec<String>,
    /// Leftovers of interrupted runs.
    pub leftovers: Leftovers,
}

impl Status {
    /// Looks at the migrations, and at what the database has, where there is one.
    #[must_use]
    pub fn new(migrations: &[Migration], live: Option<Recorded>) -> Self {
        let names = |some: Vec<&Migration>| some.iter().map(|one| one.name.clone()).collect();
        let mut status = Self {
            latest: migrations.last().map(|one| one.name.clone()),
            ..Self::default()
        };
        if let Some(Recorded {
            database,
            applied,
            edited,
            leftovers,
        }) = live
        {
            status.halfway = apply::halfway(migrations, &applied);
            status.leftovers = leftovers;
            let applied = apply::without_replaced(migrations, &applied);
            status.edited = edited;
            status.database = Some(database);
            status.pending = names(apply::pending(migrations, &applied));
            status.out_of_order = names(apply::out_of_order(migrations, &applied));
            let found = |version: &String| migrations.iter().find(|one| one.version == *version);
            status.current = applied
                .last()
                .map(|version| found(version).map_or(version, |one| &one.name).clone());
            status.unknown = apply::unknown(migrations, applied);
            for halfway in &status.halfway {
                status.pending.retain(|name| *name != halfway.name);
                status.out_of_order.retain(|name| *name != halfway.name);
                status
                    .unknown
                    .retain(|version| !halfway.has.contains(version));
            }
        }
        for problem in history_problems(migrations) {
            match problem {
                HistoryProblem::Edited { name, .. } | HistoryProblem::EditedSince { name } => {
                    status.edited.push(name);
                }
                HistoryProblem::EditedSinceProved { name, files, .. } => {
                    let edited = format!("{name}: {}", files.join(", "));
                    status.edited_since_proved.push(edited);
                }
                HistoryProblem::ParentMissing { parent, .. } => status.missing.push(parent),
                HistoryProblem::TwoChildren { .. } => {}
            }
        }
        let never = |one: &&Migration| matches!(one.proved(), Proved::Never | Proved::Unsealed);
        status.never_proved = names(migrations.iter().filter(never).collect());
        status.edited.sort();
        status.edited.dedup();
        let heads = Lineage::of(migrations).heads();
        if heads.len() > 1 {
            status.heads = names(heads);
        }
        let nothing = status.groups().iter().all(|group| group.names.is_empty());
        status.in_order = nothing && status.halfway.is_empty();
        status
    }

    fn groups(&self) -> [Group<'_>; 9] {
        let group = |word, names, advice| Group {
            word,
            names,
            advice,
        };
        let upgrade = if self.heads.is_empty() {
            "`trueup upgrade` applies them"
        } else {
            "`trueup upgrade` applies them once there is one head"
        };
        [
            group(
                "cut off",
                &self.leftovers.unfinished,
                "neither applied nor taken back: what finishes it stands beside each",
            ),
            group(
                "invalid",
                &self.leftovers.invalid,
                "no query uses it: a run that was cut off, or failed, left it",
            ),
            group("pending", &self.pending, upgrade),
            group(
                "out of order",
                &self.out_of_order,
                "older than what is applied: `trueup rebase` moves yours, `trueup upgrade --allow-out-of-order` applies them",
            ),
            group(
                "unknown",
                &self.unknown,
                "applied, and no folder here: bring it back from another branch, or `trueup stamp` what is there",
            ),
            group(
                "edited",
                &self.edited,
                "changed after it was applied, or after another was made on it: databases that had it already do not get the change",
            ),
            group(
                "edited since proved",
                &self.edited_since_proved,
                "it says that it was proved, and is not what was: `trueup prove` proves it as it is now",
            ),
            group(
                "missing",
                &self.missing,
                "a migration here was made on it: bring it back from another branch",
            ),
            group(
                "two heads",
                &self.heads,
                "`trueup rebase` moves yours after the other's; `trueup merge` joins what others have already",
            ),
        ]
    }
}

struct Group<'a> {
    word: &'static str,
    names: &'a [String],
    advice: &'static str,
}

impl Report for Status {
    fn text(&self) -> String {
        let none = || "none".to_owned();
        let at = match &self.database {
            None => "not known: there is no database".to_owned(),
            Some(_) => self.current.clone().unwrap_or_else(|| "base".to_owned()),
        };
        let rows = [
            [format!("{HEADING}database is at{HEADING:#}"), at],
            [
                format!("{HEADING}latest on disk{HEADING:#}"),
                self.latest.clone().unwrap_or_else(none),
            ],
        ];
        let mut text = columns(0, &rows);
        let mut said = Vec::new();
        for Group {
            word,
            names,
            advice,
        } in self.groups()
        {
            if names.is_empty() {
                continue;
            }
            let rows: Vec<_> = names.iter().map(|name| [name.clone()]).collect();
            text += &format!(
                "{HEADING}{word}{HEADING:#}\n{}  -> {advice}\n",
                columns(2, &rows)
            );
            said.push(match word {
                "two heads" => format!("{} heads", names.len()),
                word => format!("{} {word}", names.len()),
            });
        }
        for halfway in &self.halfway {
            text += &format!(
                "{HEADING}halfway{HEADING:#}\n  {halfway}\n  -> {}\n",
                halfway.advice
            );
        }
        if !self.halfway.is_empty() {
            said.push(format!("{} halfway", self.halfway.len()));
        }
        if let Some(first) = self.never_proved.first() {
            let said = match self.never_proved.len() {
                1 => first.clone(),
                many => format!("{many} migrations, the first is {first}"),
            };
            text += &format!("{DIM}never proved: {said}; `trueup prove` does it{DIM:#}\n");
        }
        for line in &self.leftovers.not_validated {
            text += &format!("{DIM}{line}{DIM:#}\n");
        }
        if self.in_order {
            let state = match &self.database {
                Some(_) => "the database has all migrations",
                None => "the migrations are one line",
            };
            text + &format!("{GOOD}in order{GOOD:#}: {state}\n")
        } else {
            text + &format!("{WARNING}{}{WARNING:#}\n", said.join(", "))
        }
    }
}

/// The heads of the migrations.
#[derive(Debug, Serialize)]
pub struct Heads {
    /// One, or more where branches know nothing of each other.
    pub heads: Vec<super::Listed>,
}

impl Report for Heads {
    fn text(&self) -> String {
        let rows: Vec<_> = self
            .heads
            .iter()
            .map(|head| [head.name.clone(), head.state()])
            .collect();
        let text = columns(0, &rows);
        match self.heads.len() {
            0 => "there are no migrations\n".to_owned(),
            1 => text,
            many => {
                let said = count(many, "head");
                text + &format!(
                    "{WARNING}{said}{WARNING:#}: `trueup rebase` moves yours after the other's; `trueup merge` joins \
                     what others have already\n"
                )
            }
        }
    }
}
