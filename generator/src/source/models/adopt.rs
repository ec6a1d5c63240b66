//! Unnamed means any name: what a model did not name takes the name of its equal in the database.

use std::collections::{BTreeMap, BTreeSet};

use trueup::{Entry, Id, Keeping, Schema, Statement};

/// One object that is to have another name.
struct AdoptedName<'a> {
    entry: &'a Entry,
    now: String,
    then: String,
}

/// The statements that give what models declared without a name the names that their equals have in `from`.
///
/// All of them get a name that nothing has before they get their own, since two may have swapped theirs.
pub(super) fn renames(from: &Schema, settled: &Schema, named: &BTreeSet<Id>) -> Vec<String> {
    // Neither details that models cannot declare, nor dependents that are not declared yet, tell two objects apart.
    let keeping = Keeping {
        decided: &BTreeSet::new(),
        within: from,
        from,
    };
    let equal = |declared: &Entry, there: &Entry| {
        declared
            .keep(there, &keeping)
            .same_but_for_name(settled, there, from)
    };
    let mut spare: BTreeMap<Id, Vec<(&Entry, String)>> = BTreeMap::new();
    for (id, entry) in from.entries() {
        if let Some((scope, name)) = entry.naming(from)
            && !settled
                .entry(id)
                .is_some_and(|declared| equal(declared, entry))
        {
            spare.entry(scope).or_default().push((entry, name));
        }
    }
    let mut renamings: BTreeMap<Id, Vec<AdoptedName<'_>>> = BTreeMap::new();
    let mut rest: Vec<(Id, &Entry, String)> = Vec::new();
    for (id, entry) in settled.entries().filter(|(id, _)| !named.contains(id)) {
        let Some((scope, now)) = entry.naming(settled) else {
            continue;
        };
        let free = spare
            .get_mut(&scope)
            .filter(|_| !from.entry(id).is_some_and(|there| equal(entry, there)));
        let taken = free.and_then(|free| {
            let place = free.iter().position(|(there, _)| equal(entry, there))?;
            Some(free.remove(place).1)
        });
        match taken {
            Some(then) => {
                renamings
                    .entry(scope)
                    .or_default()
                    .push(AdoptedName { entry, now, then });
            }
            None => rest.push((scope, entry, now)),
        }
    }
    for (scope, entry, now) in rest {
        if let Some(then) = renamings
            .get(&scope)
            .and_then(|renamings| freed(renamings, &now))
        {
            renamings
                .entry(scope)
                .or_default()
                .push(AdoptedName { entry, now, then });
        }
    }
    let (mut aside, mut home) = (Vec::new(), Vec::new());
    for AdoptedName {
        entry,
        now: _,
        then,
    } in renamings.into_values().flatten()
    {
        let temporary = format!("trueup_{}", aside.len());
        let sql = |statement: Statement| statement.sql().to_owned();
        aside.extend(entry.rename(&temporary).map(sql));
        home.extend(entry.named(&temporary).rename(&then).map(sql));
    }
    aside.extend(home);
    aside
}

/// The name that is left for who has to give up `name`; `None` where nobody takes it.
fn freed(renamings: &[AdoptedName<'_>], name: &str) -> Option<String> {
    let taker = |name: &str| renamings.iter().find(|renaming| renaming.then == name);
    let mut free = &taker(name)?.now;
    while let Some(next) = taker(free) {
        free = &next.now;
    }
    Some(free.clone())
}
