//! A plan in a few lines: what comes, changes and goes, and what is locked meanwhile.
//!
//! Architecture invariant: names no kind. The parts of an object stand with the object.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Formatter},
};

use serde::Serialize;
use trueup::{Hazard, Id, LockMode, Schema, Statement, name::dotted, one_line};

use crate::{
    diff::{Delta, diff},
    prove::Held,
    words::count,
};

/// As many lines as are read at a glance; the rest is counted.
const LINES: usize = 12;
/// As many parts of one object as fit a line.
const PARTS: usize = 6;

/// The effects of one migration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Summary {
    /// The objects that stand by themselves, renames first.
    pub changes: Vec<Change>,
    /// The strongest locks, on what was there before; `None` where nothing was measured.
    pub locks: Option<Locks>,
    /// Tables that are written anew.
    pub rewrites: Vec<String>,
    /// Tables that are read from end to end.
    pub scans: Vec<String>,
    /// True if it runs in a transaction.
    pub in_transaction: bool,
}

/// The change of one object.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Change {
    /// The kind of change.
    pub how: How,
    /// Kind and name; of a rename, the whole sentence.
    pub what: String,
    /// The changes of its parts, by kind and name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Change>,
}

/// The kind of change of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It has another name.
    Renamed,
    /// It comes.
    Added,
    /// It is there before and after.
    Changed,
    /// It goes.
    Dropped,
}

/// The locks that a migration takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Locks {
    /// The strongest mode that writing waits for, and the tables that are locked so.
    pub strongest: Option<(LockMode, Vec<String>)>,
    /// The number of statements that run outside of a transaction, where locks cannot be observed.
    #[serde(skip_serializing_if = "is_zero")]
    pub unmeasured: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Summary {
    /// The changes from one schema to another; `renames` come before the first schema.
    pub(crate) fn new(
        from: &Schema,
        to: &Schema,
        renames: &[Statement],
        in_transaction: bool,
    ) -> Self {
        let mut changes: Vec<Change> = renames.iter().map(renamed).collect();
        changes.extend(changed(from, to, &BTreeMap::new()));
        Self {
            changes,
            locks: None,
            rewrites: Vec::new(),
            scans: Vec::new(),
            in_transaction,
        }
    }

    /// The changes that a person's SQL made to a database, which was read before and after it.
    pub(crate) fn seen(before: &Schema, after: &Schema, in_transaction: bool) -> Self {
        Self {
            changes: changed(before, after, &renames(before, after)),
            locks: None,
            rewrites: Vec::new(),
            scans: Vec::new(),
            in_transaction,
        }
    }

    /// Adds what was measured of the statements.
    pub(crate) fn measured(&mut self, statements: &[Statement], held: &Held) {
        for hazard in statements.iter().flat_map(Statement::hazards) {
            if let Hazard::RewritesTable { table } = hazard {
                self.rewrites.push(table.clone());
            }
            if let Hazard::ScansTable { table, .. } = hazard {
                self.scans.push(table.clone());
            }
        }
        for tables in [&mut self.rewrites, &mut self.scans] {
            tables.sort();
            tables.dedup();
        }
        let strongest = held.modes.values().max().copied();
        self.locks = Some(Locks {
            strongest: strongest.map(|mode| {
                let those = held.modes.iter().filter(|(_, own)| **own == mode);
                (mode, those.map(|(table, _)| table.clone()).collect())
            }),
            unmeasured: held.unmeasured,
        });
    }

    /// A word and a line, for a terminal and for the top of a file.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines: Vec<(&str, String)> = self
            .changes
            .iter()
            .take(LINES)
            .map(|change| ("change", one_line(&change.to_string())))
            .collect();
        if self.changes.len() > LINES {
            lines.push(("change", rest(&self.changes[LINES..])));
        }
        lines.push(("locks", self.work()));
        lines
    }

    fn work(&self) -> String {
        let mut work = Vec::new();
        match &self.locks {
            None => work.push("not measured".to_owned()),
            Some(Locks {
                strongest,
                unmeasured,
            }) => {
                match strongest {
                    Some((mode, tables)) => {
                        work.push(format!("{} on {}", mode.words(), few(tables)));
                    }
                    None if *unmeasured == 0 => {
                        work.push("none that reading or writing waits for".to_owned());
                    }
                    None => {}
                }
                if *unmeasured > 0 {
                    let statements = count(*unmeasured, "statement");
                    work.push(format!("{statements} outside a transaction, not measured"));
                }
            }
        }
        for (does, tables) in [("rewrites", &self.rewrites), ("scans", &self.scans)] {
            if !tables.is_empty() {
                work.push(format!("{does} {}", few(tables)));
            }
        }
        work.push(if self.in_transaction {
            "in a transaction".to_owned()
        } else {
            "in no transaction".to_owned()
        });
        work.join("; ")
    }
}

impl How {
    fn sign(self) -> char {
        match self {
            Self::Renamed => '>',
            Self::Added => '+',
            Self::Changed => '~',
            Self::Dropped => '-',
        }
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.how.sign(), self.what)?;
        if self.parts.is_empty() {
            return Ok(());
        }
        let parts: Vec<String> = self.parts.iter().map(ToString::to_string).collect();
        write!(f, ": {}", few(&parts))
    }
}

fn renamed(statement: &Statement) -> Change {
    let mut says = statement.says().chars();
    let first = says.next().map(|first| first.to_lowercase().to_string());
    Change {
        how: How::Renamed,
        what: first.unwrap_or_default() + says.as_str(),
        parts: Vec::new(),
    }
}

/// Objects that have another name in the same database later: the new id with the old one.
fn renames<'a>(before: &'a Schema, after: &Schema) -> BTreeMap<Id, &'a Id> {
    let claims = after.claims();
    let renamed = before.entries().filter_map(|(id, entry)| {
        let now = claims.get(entry.address()?)?;
        (now != id && now.kind() == id.kind() && after.entry(id).is_none())
            .then(|| (now.clone(), id))
    });
    renamed.collect()
}

/// Differences, grouped by the top-level object. `renames`: the new id of what is renamed, with the old one.
fn changed(from: &Schema, to: &Schema, renames: &BTreeMap<Id, &Id>) -> Vec<Change> {
    let mut tops: BTreeMap<Id, (How, Vec<Change>)> = BTreeMap::new();
    let old: BTreeSet<&Id> = renames.values().copied().collect();
    let mut deltas = diff(from, to);
    deltas.retain(|(id, _)| !renames.contains_key(*id) && !old.contains(id));
    let whole: BTreeSet<&Id> = deltas
        .iter()
        .filter(|(_, delta)| !matches!(delta, Delta::Change { .. }))
        .map(|(id, _)| *id)
        .collect();
    for (id, delta) in deltas {
        let (how, within) = match delta {
            Delta::Create(_) => (How::Added, to),
            Delta::Remove(_) => (How::Dropped, from),
            Delta::Change { .. } => (How::Changed, to),
        };
        // Parts come and go with the object that they belong to.
        if within.line(id).skip(1).any(|above| whole.contains(&above)) {
            continue;
        }
        let top = within.line(id).last().unwrap_or_else(|| id.clone());
        let is_top = top == *id;
        let (own, parts) = tops.entry(top).or_insert((How::Changed, Vec::new()));
        if is_top {
            *own = how;
        } else {
            let name = id
                .path()
                .last()
                .map_or_else(|| id.to_string(), |name| format!("{} {name}", id.kind()));
            parts.push(Change {
                how,
                what: name,
                parts: Vec::new(),
            });
        }
    }
    for (new, old) in renames {
        // What is renamed with its whole needs no word.
        let mut above = to.line(new).skip(1);
        if above.any(|above| renames.contains_key(&above)) {
            continue;
        }
        let last = |id: &Id| {
            id.path()
                .last()
                .map_or_else(|| id.to_string(), ToString::to_string)
        };
        let top = to.line(new).last().unwrap_or_else(|| new.clone());
        let is_top = top == *new;
        let (own, parts) = tops.entry(top).or_insert((How::Changed, Vec::new()));
        if is_top {
            *own = How::Renamed;
        } else {
            parts.push(Change {
                how: How::Renamed,
                what: format!("{} {} to {}", old.kind(), last(old), last(new)),
                parts: Vec::new(),
            });
        }
    }
    let change = |(id, (how, mut parts)): (Id, (How, Vec<Change>))| {
        parts.sort_by_key(|part| part.how);
        let what = match renames.get(&id) {
            Some(old) => format!("{old} to {}", dotted(id.path())),
            None => id.to_string(),
        };
        Change { how, what, parts }
    };
    let mut changes: Vec<Change> = tops.into_iter().map(change).collect();
    changes.sort_by_key(|change| change.how);
    changes
}

/// `a, b, c and 4 more`.
fn few(names: &[String]) -> String {
    match names.len().checked_sub(PARTS) {
        Some(more @ 1..) => format!("{} and {more} more", names[..PARTS].join(", ")),
        Some(0) | None => names.join(", "),
    }
}

/// `and 6 more: 4 added, 2 changed`.
fn rest(changes: &[Change]) -> String {
    let mut numbers: BTreeMap<How, usize> = BTreeMap::new();
    for change in changes {
        *numbers.entry(change.how).or_default() += 1;
    }
    let word = |how: &How| match how {
        How::Renamed => "renamed",
        How::Added => "added",
        How::Changed => "changed",
        How::Dropped => "dropped",
    };
    let counted = numbers
        .iter()
        .map(|(how, number)| format!("{number} {}", word(how)));
    format!(
        "and {} more: {}",
        changes.len(),
        counted.collect::<Vec<_>>().join(", ")
    )
}
