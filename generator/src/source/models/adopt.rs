//! Unnamed means any name: what a model did not name takes the name of its equal in the database.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Entry, Id, Schema, Statement};

/// The statements that give what models declared without a name the names that their equals have in `from`.
///
/// All of them get a name that nothing has before they get their own, since two may have swapped theirs.
pub(super) fn renames(from: &Schema, settled: &Schema, named: &BTreeSet<Id>) -> Vec<String> {
    let stands = |here: &Schema, id: &Id, entry: &Entry, there: &Schema| {
        there
            .entry(id)
            .is_some_and(|other| entry.same_but_for_name(here, other, there))
    };
    let mut spare: BTreeMap<Id, Vec<(&Entry, String)>> = BTreeMap::new();
    for (id, entry) in from.entries() {
        if let Some((scope, name)) = entry.naming(from)
            && !stands(from, id, entry, settled)
        {
            spare.entry(scope).or_default().push((entry, name));
        }
    }
    let (mut aside, mut home) = (Vec::new(), Vec::new());
    for (id, entry) in settled.entries() {
        let Some((scope, _)) = entry.naming(settled) else {
            continue;
        };
        if named.contains(id) || stands(settled, id, entry, from) {
            continue;
        }
        let Some(free) = spare.get_mut(&scope) else {
            continue;
        };
        let equal = free
            .iter()
            .position(|(other, _)| entry.same_but_for_name(settled, other, from));
        let Some(equal) = equal else { continue };
        let (_, name) = free.remove(equal);
        let temporary = format!("trueup_{}", aside.len());
        aside.extend(sql(entry.rename(&temporary)));
        home.extend(sql(entry.named(&temporary).rename(&name)));
    }
    aside.extend(home);
    aside
}

fn sql(statements: Option<Vec<Statement>>) -> Vec<String> {
    statements
        .into_iter()
        .flatten()
        .map(|statement| statement.sql().to_owned())
        .collect()
}
