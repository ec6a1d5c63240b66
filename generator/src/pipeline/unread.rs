//! Compares what no room reads: objects of other kinds by a hash of what the catalog says about them, and owners, grants, default
//! privileges and labels of all objects by their words.
//!
//! Invariant: finds differences and makes none go away. Nothing here has SQL for them.

use std::collections::{BTreeMap, BTreeSet};

use itertools::Itertools;
use serde::Serialize;
use trueup::{Id, RightDelta, Schema, Unread, UnreadDelta};

use crate::{Error, ErrorKind, Project, report::by_kind, scope::Scope};

/// As many are named where more than these are alike.
const NAMED: usize = 3;

/// A right that is not the same in the migrations and in the database.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RightDifference {
    /// The right: `owner of table public.users`.
    pub what: String,
    /// Its value in the migrations.
    pub migrations: String,
    /// Its value in the database.
    pub database: String,
    /// The aspect and the kind, for counting.
    #[serde(skip)]
    pub(crate) of: Group,
}

/// Rights of one aspect, on objects of one kind.
pub(crate) type Group = (&'static str, Option<String>);

/// The unread objects that differ, where they count.
pub(crate) fn objects<'a>(
    scope: &'a Scope,
    from: &'a Schema,
    to: &'a Schema,
) -> impl Iterator<Item = UnreadDelta<'a>> {
    let deltas = from.unread_differences(to).into_iter();
    deltas.filter(|delta| scope.holds_unread(delta.unread()))
}

/// Differences of the rights on objects that both have, within the scope.
pub(crate) fn rights(scope: &Scope, there: &Schema, wanted: &Schema) -> Vec<RightDifference> {
    let deltas = there.right_differences(wanted).into_iter();
    let deltas = deltas.filter(|delta| counts(scope, delta, [there, wanted]));
    let differences = deltas.map(|delta| RightDifference {
        what: delta.what,
        migrations: delta.to,
        database: delta.from,
        of: (delta.aspect, delta.kind),
    });
    differences.collect()
}

fn counts(scope: &Scope, delta: &RightDelta, sides: [&Schema; 2]) -> bool {
    match &delta.id {
        Some(id) => {
            let side = sides.into_iter().find(|side| side.entry(id).is_some());
            !scope.leaves_out(&delta.what) && side.is_none_or(|side| scope.holds(id, side))
        }
        None => scope.holds_words(&delta.what),
    }
}

/// One line for each right, or for many that are alike.
pub(crate) fn lines(differences: &[RightDifference]) -> Vec<String> {
    let mut groups: BTreeMap<(Group, &str, &str), Vec<&str>> = BTreeMap::new();
    for difference in differences {
        let RightDifference {
            what,
            migrations,
            database,
            of,
        } = difference;
        let alike = (of.clone(), migrations.as_str(), database.as_str());
        groups.entry(alike).or_default().push(what);
    }
    let lines = groups
        .into_iter()
        .flat_map(|((of, migrations, database), all)| {
            let says = format!("{migrations} in the migrations, {database} in the database");
            named(&of, &all)
                .into_iter()
                .map(move |what| format!("{what}: {says}"))
        });
    lines.collect()
}

/// What differs without how: one for each right, or for many of a kind.
pub(crate) fn names(differences: &[RightDifference]) -> Vec<String> {
    let mut groups: BTreeMap<&Group, Vec<&str>> = BTreeMap::new();
    for difference in differences {
        let group = groups.entry(&difference.of).or_default();
        group.push(&difference.what);
    }
    let names = groups.into_iter().flat_map(|(of, all)| named(of, &all));
    names.collect()
}

/// The names, or their number and the first.
fn named((aspect, kind): &Group, all: &[&str]) -> Vec<String> {
    let (Some(kind), true) = (kind, all.len() > NAMED) else {
        return all.iter().map(|what| (*what).to_owned()).collect();
    };
    // Each is spelled with its aspect and its kind.
    let bare = all.iter().map(|what| {
        let parts = what.split_once(kind.as_str());
        parts.map_or(*what, |(_, name)| name.trim_start())
    });
    let joint = if *aspect == "grants" { "on" } else { "of" };
    let first = bare.take(NAMED).join(", ");
    let (number, more) = (all.len(), all.len() - NAMED);
    let plural = if kind.ends_with('s') { "" } else { "s" };
    vec![format!(
        "{aspect} {joint} {number} {kind}{plural} ({first} and {more} more)"
    )]
}

/// The endings of what is said of one unread object, and of several.
type Endings = [&'static str; 2];

/// A line for each unread object that differs, or for many of a kind.
fn refused_objects(scope: &Scope, from: &Schema, to: &Schema) -> Vec<String> {
    let mut groups: BTreeMap<Endings, Vec<&Unread>> = BTreeMap::new();
    for delta in objects(scope, from, to) {
        let endings = match delta {
            // A table takes its triggers, policies and places in publications along.
            UnreadDelta::Remove(old) if old.goes_along(from, to) => continue,
            UnreadDelta::Create(_) => [
                "is to come: trueup does not read that kind of object",
                "are to come: trueup does not read that kind of object",
            ],
            UnreadDelta::Remove(_) => [
                "is to go: trueup does not read that kind of object",
                "are to go: trueup does not read that kind of object",
            ],
            UnreadDelta::Change(..) if delta.is_unknown() => [
                "may differ: this role may not read all of it",
                "may differ: this role may not read all of them",
            ],
            UnreadDelta::Change(..) => [
                "differs, and trueup does not read that kind of object",
                "differ, and trueup does not read that kind of object",
            ],
        };
        groups.entry(endings).or_default().push(delta.unread());
    }
    let lines = groups.into_iter().flat_map(|([one, several], all)| {
        let names: BTreeSet<&str> = all.iter().map(|it| it.what.as_str()).collect();
        let said = by_kind(all.iter().map(|it| (it.kind.as_str(), it.what.as_str())));
        said.into_iter().map(move |what| {
            let ending = if names.contains(what.as_str()) {
                one
            } else {
                several
            };
            format!("not yet: {what} {ending}")
        })
    });
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// Why there is no way from one schema to another by what is read; `None` where the rest is the same.
pub(crate) fn refusal(project: &Project, from: &Schema, to: &Schema) -> Option<Error> {
    let scope = &project.scope;
    let mut lines: Vec<String> = refused_objects(scope, from, to);
    let rights = from.right_differences(to).into_iter();
    let rights = rights.chain(from.rights_on_new(to));
    let rights = rights.filter(|delta| counts(scope, delta, [from, to]));
    let mut groups: BTreeMap<(Group, String, String), Vec<String>> = BTreeMap::new();
    for RightDelta {
        aspect,
        kind,
        id: _,
        what,
        from,
        to,
    } in rights
    {
        let alike = ((aspect, kind), from, to);
        groups.entry(alike).or_default().push(what);
    }
    for ((of, from, to), all) in groups {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let what = named(&of, &all);
        lines.extend(what.iter().map(|what| {
            format!("not yet: {what}: {from} on one side, {to} on the other, and trueup does not change that")
        }));
    }
    if lines.is_empty() {
        return None;
    }
    Some(
        Error::new(ErrorKind::NotYet, lines.join("\n"))
            .hint("--ignore-unread compares the rest and leaves these as they are"),
    )
}

/// True if an unread object hangs on one of these.
pub(crate) fn hangs_on(delta: UnreadDelta<'_>, ids: &BTreeSet<Id>) -> bool {
    !delta.unread().needs.is_disjoint(ids)
}
