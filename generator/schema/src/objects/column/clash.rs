//! Unique keys and the like whose values a coarser type or collation may make equal.

use super::super::{
    Registered, collation::Collation, exclusion::Exclusion, index::Index, primary_key::PrimaryKey,
    unique::Unique,
};
use super::{
    Column,
    fit::{Fit, modifiers},
    retype::{STRING, element, is_string},
};
use crate::{Hazard, Id, Schema, name::quoted_ident, object::Object};

/// Conversion of the values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    /// Each is cast.
    Cast,
    /// By a hand-written expression.
    Other,
}

/// The hazards of a type in which values that differ may be equal: `old` and `new` are the schemas before and after.
pub(super) fn clashes(
    to: &Column,
    becomes: Becomes,
    old: &Schema,
    new: &Schema,
) -> impl Iterator<Item = Hazard> {
    let id = Column::id(to.key());
    // One of the same name on other columns is made anew, and tells by itself what it fails on.
    let stays = move |key: &Id| old.needs(key).any(|need| *need == id);
    told_apart(to, new, stays).map(move |by| {
        let (table, name) = (&to.relation, quoted_ident(&to.name));
        let column = to.qualified();
        let data_type = &to.data_type;
        let collated = collated(to);
        // A query cannot compare by a collation that is still to come.
        let collations = (collation(to, old), collation(to, new));
        let is_there = collations.1.is_none() || collations.0 == collations.1;
        match by {
            Apart::Alone(what) if becomes == Becomes::Cast && is_there => Hazard::finds(format!(
                "SELECT {name}::{data_type}{collated}, count(*) FROM {table} WHERE {name} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
            ))
            .since(format!("{what} tells its values apart")),
            Apart::Alone(what) | Apart::WithOthers(what) => Hazard::MayFail {
                because: format!(
                    "while rows that {what} tells apart are the same to it once {column} is {data_type}{collated}"
                ),
            },
        }
    })
}

/// The object that tells rows apart by a column.
enum Apart {
    /// By its values alone.
    Alone(String),
    /// By more, or by something else than whether they are equal.
    WithOthers(String),
}

fn told_apart(
    column: &Column,
    within: &Schema,
    stays: impl Fn(&Id) -> bool,
) -> impl Iterator<Item = Apart> {
    let id = Column::id(column.key());
    let own = [column.name.clone()];
    let mut found = Vec::new();
    for one in within.users::<PrimaryKey>(&id) {
        found.push((PrimaryKey::id(one.key()), one.is_on(&own)));
    }
    for one in within.users::<Unique>(&id) {
        found.push((Unique::id(one.key()), one.is_on(&own)));
    }
    for one in within.users::<Exclusion>(&id) {
        found.push((Exclusion::id(one.key()), false));
    }
    for one in within.users::<Index>(&id).filter(|one| one.is_unique()) {
        found.push((Index::id(one.key()), false));
    }
    let found = found.into_iter().filter(move |(id, _)| stays(id));
    found.map(|(id, alone)| {
        if alone {
            Apart::Alone(id.to_string())
        } else {
            Apart::WithOthers(id.to_string())
        }
    })
}

/// True if strings that differ by their bytes may be equal in the collation that the column gets, and that is another one.
pub(super) fn is_blurred(from: &Column, to: &Column, old: &Schema, new: &Schema) -> bool {
    let now = collation(to, new);
    now.is_some_and(|one| !one.is_deterministic()) && now != collation(from, old)
}

/// The collation of a column where it is one that is read; those that come with Postgres are all deterministic.
fn collation<'a>(column: &Column, within: &'a Schema) -> Option<&'a Collation> {
    let written = column.collation.as_ref()?;
    let id = Column::id(column.key());
    within.needs(&id).find_map(|id| {
        let entry = within.entry(id)?;
        Collation::of(&entry.object).filter(|one| one.key().to_string() == *written)
    })
}

/// The collation as a clause behind the type.
pub(super) fn collated(column: &Column) -> String {
    let collation = column.collation.as_ref();
    collation.map_or(String::new(), |collation| format!(" COLLATE {collation}"))
}

/// True if values that differ in the one type may be equal in the other.
pub(super) fn is_coarser(from: &Column, to: &Column, fit: &Fit) -> bool {
    match fit {
        Fit::Without(_) | Fit::WithoutOrNot(..) => true,
        Fit::Whole | Fit::OrNot(_) => {
            let (old, new) = (element(&from.base_type), element(&to.base_type));
            let zoned = |one: &str| one.starts_with("timestamp with time zone");
            let is_time = |one: &str| one.starts_with("timestamp ");
            // An hour comes twice, or not at all, where the clock is changed.
            let by_zone = is_time(old) && is_time(new) && zoned(old) != zoned(new);
            // A string type of an extension has an equality of its own.
            let by_extension = old != new && to.category == STRING && !is_string(new);
            let room = |of: &Column| {
                modifiers(&of.data_type)
                    .first()
                    .copied()
                    .unwrap_or(i64::MAX)
            };
            // Blanks at the end that are too many are cut off.
            let by_blanks = is_string(old) && is_string(new) && room(to) < room(from);
            by_zone || by_extension || by_blanks
        }
    }
}
