//! The report of `check`.

use serde::Serialize;
use trueup::Origin;

use super::{
    Report,
    counted::by_kind,
    github::annotation,
    style::{DIM, GOOD, HEADING, WARNING, columns},
};
use crate::{
    pipeline::{
        check::{Check, Difference, How},
        unread::{RightDifference, lines},
    },
    prove::migrations::{Outcome, Tried},
    words::count,
};

/// A check, with its verdict.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// True if everything that was compared agrees.
    pub in_sync: bool,
    /// The findings.
    #[serde(flatten)]
    pub found: Check,
}

impl From<Check> for CheckReport {
    fn from(found: Check) -> Self {
        Self {
            in_sync: found.is_clean(),
            found,
        }
    }
}

impl CheckReport {
    /// The findings as GitHub workflow commands, which GitHub shows beside the lines of a change.
    #[must_use]
    pub fn annotations(&self) -> String {
        let Check {
            models,
            database,
            pending,
            unknown,
            leftovers,
            compared: _,
            history,
            broken,
            unread,
            unread_missing,
            unread_changed,
            unread_hidden,
            unread_kinds: _,
            rights,
            unmodelled: _,
            left_out: _,
            idle_excludes: _,
            unmigrated: _,
            unproved: _,
            stale: _,
            hidden: _,
        } = &self.found;
        let mut text = String::new();
        for (differences, title) in [
            (models, "models and migrations differ"),
            (database, "migrations and database differ"),
        ] {
            for Difference {
                object,
                how,
                to,
                origin,
            } in differences
            {
                let (wanted, there) = match title {
                    "models and migrations differ" => ("the models", "the migrations"),
                    _ => ("the migrations", "the database"),
                };
                let words = match how {
                    How::Missing => format!("{object} is in {wanted} and not in {there}"),
                    How::Extra => format!("{object} is in {there} and not in {wanted}"),
                    How::Renamed => {
                        format!(
                            "{object} is {} in {wanted}",
                            to.as_deref().unwrap_or_default()
                        )
                    }
                    How::Different => {
                        format!("{object} is not the same in {wanted} and in {there}")
                    }
                };
                text += &annotation(title, origin.as_ref(), &words);
            }
        }
        for one in broken {
            text += &annotation(
                "a migration does not go up and down",
                place(one).as_ref(),
                &one.says(),
            );
        }
        for (items, title) in [
            (history, "the migrations do not follow each other"),
            (pending, "pending migration"),
            (unknown, "applied, and no folder here has that version"),
            (leftovers, "a run was cut off"),
            (
                unread,
                "only the database has it, and trueup does not read that kind",
            ),
            (unread_missing, "the database does not have it"),
            (
                unread_changed,
                "differs in the migrations and in the database",
            ),
            (
                unread_hidden,
                "may differ: this role may not read all of it",
            ),
            (&lines(rights), "owners and grants differ"),
        ] {
            for item in items {
                text += &annotation(title, None, item);
            }
        }
        text
    }
}

/// The line at which a migration does not go up and down, where there is one.
fn place(tried: &Tried) -> Option<Origin> {
    match &tried.outcome {
        Outcome::Broken(fault) => Some(Origin {
            file: fault.file.clone(),
            line: fault
                .line
                .and_then(|line| u32::try_from(line).ok())
                .unwrap_or(1),
            item: tried.name.clone(),
            field: None,
        }),
        Outcome::Strays(_) | Outcome::Returns | Outcome::Irreversible(_) => None,
    }
}

impl Report for CheckReport {
    fn text(&self) -> String {
        let Check {
            models,
            database: _,
            pending,
            unknown,
            leftovers,
            compared,
            history,
            broken,
            unread,
            unread_missing,
            unread_changed,
            unread_hidden,
            unread_kinds: _,
            rights,
            unmodelled: _,
            left_out: _,
            idle_excludes: _,
            unmigrated: _,
            unproved: _,
            stale: _,
            hidden: _,
        } = &self.found;
        let mut text = group(
            "models and migrations",
            models,
            |how| match how {
                How::Missing => "in the models only",
                How::Extra => "in the migrations only",
                How::Different => "different",
                How::Renamed => "renamed in the models",
            },
            &["`trueup autogen MESSAGE` writes the migration that is missing"],
        );
        text += &list(
            "history",
            history,
            "problem",
            "`trueup status` says what to do",
        );
        let broken: Vec<String> = broken.iter().map(Tried::says).collect();
        text += &list(
            "up and down",
            &broken,
            "problem",
            "mend it; where there is no way back, its down.sql says so: DO $$ BEGIN RAISE EXCEPTION 'why'; END $$;",
        );
        let Some(url) = compared else {
            return text + &self.found.left_out();
        };
        text += &self.found.in_the_database();
        text += &list(
            "pending",
            pending,
            "migration",
            if history.is_empty() {
                "`trueup upgrade` applies them"
            } else {
                "once the history is in order, `trueup upgrade` applies them"
            },
        );
        text += &list(
            "unknown",
            unknown,
            "applied version",
            "no folder here has that version: bring it back from another branch, or `trueup stamp` what is really there",
        );
        text += &list(
            "cut off",
            leftovers,
            "problem",
            "a run was cut off, or failed, and left it",
        );
        text += &self.found.unread_list(
            "not read",
            unread,
            "only the database has them, and trueup does not read that kind: it neither changes nor proves them",
        );
        text += &self.found.unread_list(
            "gone",
            unread_missing,
            "the migrations make them, the database does not have them, and trueup does not read that kind: put them back",
        );
        text += &self.found.not_alike(unread_changed);
        text += &self.found.unread_list(
            "hidden",
            unread_hidden,
            "this role may not read all of it in the database: connect as its owner, or `exclude` it",
        );
        text += &rights_list(rights);
        text + &self.found.left_out() + &format!("{DIM}database: {url}{DIM:#}\n")
    }
}

/// Owners and grants that differ; nothing where none does.
fn rights_list(rights: &[RightDifference]) -> String {
    let Some(first) = rights.first() else {
        return String::new();
    };
    let advice = format!(
        "trueup has no SQL for them: say them in a migration, or leave them out, as in `exclude = [\"{} *\"]`",
        first.of.0
    );
    rows(
        "owners and grants",
        &count(rights.len(), "difference"),
        &lines(rights),
        &advice,
    )
}

impl Check {
    /// Objects that no kind reads, each by its name where there are few of its kind.
    fn by_kind(&self, whats: &[String]) -> Vec<String> {
        let kind = |what: &String| self.unread_kinds.get(what).map_or("", String::as_str);
        by_kind(whats.iter().map(|what| (kind(what), what.as_str())))
    }

    fn unread_list(&self, heading: &str, whats: &[String], advice: &str) -> String {
        if whats.is_empty() {
            return String::new();
        }
        let said = count(whats.len(), "object");
        rows(heading, &said, &self.by_kind(whats), advice)
    }

    fn not_alike(&self, changed: &[String]) -> String {
        if changed.is_empty() {
            return String::new();
        }
        let both: Vec<String> = self
            .by_kind(changed)
            .into_iter()
            .map(|what| {
                let differs = if changed.contains(&what) {
                    "differs"
                } else {
                    "differ"
                };
                format!("{what} {differs}: in the migrations / in the database")
            })
            .collect();
        rows(
            "not alike",
            &count(changed.len(), "object"),
            &both,
            "trueup does not read that kind and has no SQL for it: where the migrations are right, run their statement again;\n     \
             where the database is, say so in a migration",
        )
    }

    /// The number of objects that are left out of account, where there are any.
    fn left_out(&self) -> String {
        if self.left_out == 0 {
            return String::new();
        }
        let objects = count(self.left_out, "object");
        format!("{DIM}left out by trueup.toml: {objects}{DIM:#}\n")
    }

    /// The database's differences from the migrations, or the reason why they are unknown.
    fn in_the_database(&self) -> String {
        let by = if self.history.is_empty() {
            "the database was changed by hand."
        } else {
            "the database was changed by hand, or a migration was."
        };
        let advice = if self.unmigrated {
            [
                "there is no migration yet: `trueup autogen MESSAGE --from migrations` writes one that makes it all, and"
                    .to_owned(),
                "`trueup stamp head` records that this database has it".to_owned(),
            ]
        } else {
            [
                format!(
                    "{by} Where it should go back, `trueup diff --from database --to migrations` prints the SQL;"
                ),
                "where it is right, say so in the models or in a migration".to_owned(),
            ]
        };
        let not_compared = if !self.pending.is_empty() {
            Some("not compared while migrations are pending")
        } else if !self.unknown.is_empty() {
            Some("not compared while it has a version that is unknown here")
        } else {
            None
        };
        match not_compared {
            Some(why) => {
                format!("{HEADING}migrations and database{HEADING:#}  {WARNING}{why}{WARNING:#}\n")
            }
            None => group(
                "migrations and database",
                &self.database,
                |how| match how {
                    How::Missing => "in the migrations only",
                    How::Extra => "in the database only",
                    How::Different => "different",
                    How::Renamed => "renamed",
                },
                &advice.each_ref().map(String::as_str),
            ),
        }
    }
}

fn group(
    heading: &str,
    differences: &[Difference],
    word: impl Fn(How) -> &'static str,
    advice: &[&str],
) -> String {
    if differences.is_empty() {
        return format!("{HEADING}{heading}{HEADING:#}  {GOOD}in sync{GOOD:#}\n");
    }
    let said = count(differences.len(), "difference");
    let rows: Vec<_> = differences
        .iter()
        .map(|difference| {
            let Difference {
                object,
                how,
                to,
                origin: _,
            } = difference;
            let to = to
                .as_ref()
                .map_or_else(String::new, |to| format!(" -> {to}"));
            [word(*how).to_owned(), format!("{object}{to}")]
        })
        .collect();
    format!("{HEADING}{heading}{HEADING:#}  {WARNING}{said}{WARNING:#}\n")
        + &columns(2, &rows)
        + &arrows(advice)
}

fn list(heading: &str, items: &[String], thing: &str, advice: &str) -> String {
    if items.is_empty() {
        return String::new();
    }
    rows(heading, &count(items.len(), thing), items, advice)
}

fn rows(heading: &str, said: &str, items: &[String], advice: &str) -> String {
    let rows: Vec<_> = items
        .iter()
        .flat_map(|item| item.lines())
        .map(|line| [line.to_owned()])
        .collect();
    format!("{HEADING}{heading}{HEADING:#}  {WARNING}{said}{WARNING:#}\n")
        + &columns(2, &rows)
        + &arrows(&[advice])
}

fn arrows(advice: &[&str]) -> String {
    format!("  -> {}\n", advice.join("\n     "))
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn each_group_says_what_to_do() {
        let difference = |object: &str, how| Difference {
            object: object.to_owned(),
            how,
            origin: None,
            to: None,
        };
        let check = CheckReport::from(Check {
            models: vec![
                difference("column public.users.phone", How::Missing),
                difference("table public.old", How::Extra),
            ],
            pending: vec!["20261121063000_add".to_owned()],
            compared: Some("postgres://h/db".to_owned()),
            ..Check::default()
        });
        let text = strip_str(&check.text()).to_string();
        assert_eq!(
            text,
            "\
models and migrations  2 differences
  in the models only      column public.users.phone
  in the migrations only  table public.old
  -> `trueup autogen MESSAGE` writes the migration that is missing
migrations and database  not compared while migrations are pending
pending  1 migration
  20261121063000_add
  -> `trueup upgrade` applies them
database: postgres://h/db
"
        );
    }

    #[test]
    fn json_has_the_verdict_beside_what_was_found() {
        let json = serde_json::to_value(CheckReport::from(Check::default())).expect("JSON");
        assert_eq!(json["in_sync"], true);
        assert_eq!(json["models"], serde_json::json!([]));
    }
}
