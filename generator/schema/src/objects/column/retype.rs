//! Type changes of a column that has values, by the casts that Postgres applies.

use super::super::{
    Registered, check::Check, default::Default as ColumnDefault, exclusion::Exclusion,
    extended_statistics::ExtendedStatistics, foreign_key::ForeignKey, index::Index,
    materialized_view::MaterializedView, rule::Rule, view::View,
};
use super::{
    Column,
    clash::{Becomes, clashes, collated, is_blurred, is_coarser},
    fit::{Fit, fit},
};
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Action, CastContext, Hazard, Kind, Pass, Schema, Statement,
    guidance::Expression,
    name::{literal, quoted_ident},
    object::Object,
    one_line,
};

/// Way in which Postgres converts values from one type to the other.
pub(super) enum Way {
    /// By a cast that Postgres applies in any expression; or there is nothing to cast.
    Implicit,
    /// By a cast that Postgres applies when it stores a value.
    Assigned,
    /// By a cast that must be written.
    Written,
    /// By its text, from one enum to another.
    Label,
}

/// The statement that gives `from` the type and collation of `to`; `Err` where Postgres knows no way.
///
/// `old` is the schema before.
pub(super) fn retype(
    from: &Column,
    to: &Column,
    old: &Schema,
    within: &Schema,
) -> Result<Statement, String> {
    let advice = within.advice(&Column::id(to.key()));
    if let Some(using) = advice.and_then(|advice| advice.using.as_ref()) {
        let statement = by_expression(from, to, using);
        let hazards = clashes(to, Becomes::Other, old, within).chain(leaving(from, to, within));
        return Ok(hazards.fold(statement, Statement::hazard));
    }
    if from.data_type == to.data_type {
        return Ok(sort(from, to, old, within));
    }
    let way = way(from, to, within).ok_or_else(|| {
        format!(
            "Postgres has no cast from {} to {} for column {}; say how its values become others: \
             #[model(using(\"…\", back = \"…\"))] on the field, or write the migration by hand",
            from.data_type,
            to.data_type,
            from.qualified()
        )
    })?;
    let column = quoted_ident(&to.name);
    let mut words = set_type(to);
    match way {
        Way::Implicit | Way::Assigned => {}
        Way::Written => words += &format!(" USING {column}::{}", to.data_type),
        Way::Label => words += &format!(" USING {column}::text{}::{}", array_of(to), to.data_type),
    }
    let mut statement = Statement::of(
        says(from, to),
        Action::new(&to.relation, Pass::Retype, words),
    );
    let fit = fit(from, to, &way, within.casts());
    if is_taken_for_another(from, to, &fit) {
        statement = statement.hazard(takes(from));
    }
    let merges = is_coarser(from, to, &fit) || is_blurred(from, to, old, within);
    statement = match fit {
        Fit::Whole => statement,
        Fit::OrNot(fails) => statement.hazard(fails.or(using_says(to))),
        Fit::WithoutOrNot(what, fails) => statement
            .hazard(Hazard::loses(Column::id(to.key()), what))
            .hazard(fails.or(using_says(to))),
        Fit::Without(what) => statement.hazard(Hazard::loses(Column::id(to.key()), what)),
    };
    let clashes = clashes(to, Becomes::Cast, old, within).filter(|_| merges);
    statement = clashes
        .chain(leaving(from, to, within))
        .fold(statement, Statement::hazard);
    Ok(if from.base_type == to.base_type {
        statement.disturbs(users())
    } else {
        statement.disturbs(casualties()).parts(comparisons())
    })
}

/// The words of a model that say what becomes of values that do not fit.
fn using_says(column: &Column) -> String {
    format!(
        "#[model(using(\"…\", back = \"…\"))] on the field of {} says what they become",
        column.qualified()
    )
}

/// The type change with a hand-written USING.
fn by_expression(from: &Column, to: &Column, using: &Expression) -> Statement {
    let Expression { sql, origin } = using;
    let statement = Statement::new(
        becomes(from, to),
        format!(
            "ALTER TABLE {} {}\n    USING {sql}",
            to.relation,
            set_type(to)
        ),
    )
    .written_at(origin)
    .hazard(Hazard::ChangesValues {
        of: Column::id(to.key()),
        what: format!("every value of {} to {}", to.qualified(), one_line(sql)),
    })
    .hazard(takes(from))
    .hazard(Hazard::fails_with(format!(
        "SELECT {} FROM {}",
        one_line(sql),
        to.relation
    )));
    statement.disturbs(casualties()).parts(comparisons())
}

/// The columns that refer to this one and keep the type that it had.
fn leaving(from: &Column, to: &Column, within: &Schema) -> impl Iterator<Item = Hazard> {
    let key = to.key();
    let stay: BTreeSet<String> = within
        .users::<ForeignKey>(&Column::id(key.clone()))
        .flat_map(|one| one.pointing_to(&key))
        .filter(|pointing| {
            let column = within.get::<Column>(pointing);
            column
                .is_some_and(|one| one.base_type == from.base_type && one.base_type != to.base_type)
        })
        .map(|pointing| pointing.to_string())
        .collect();
    let hazard = (!stay.is_empty()).then(|| Hazard::LeavesType {
        columns: stay.into_iter().collect::<Vec<_>>().join(" and "),
        as_type: from.data_type.clone(),
        key: key.to_string(),
        becomes: to.data_type.clone(),
    });
    hazard.into_iter()
}

/// Programs say of a value what type they take it for, or are told.
fn is_taken_for_another(from: &Column, to: &Column, fit: &Fit) -> bool {
    let is_one =
        from.base_type == to.base_type || is_string(&from.base_type) && is_string(&to.base_type);
    match fit {
        Fit::Whole => !is_one,
        Fit::OrNot(_) | Fit::Without(_) | Fit::WithoutOrNot(..) => true,
    }
}

fn takes(from: &Column) -> Hazard {
    let what = format!("{} for {}", from.qualified(), from.data_type);
    Hazard::breaks_deployed("takes", what, Vec::new())
}

/// The action as far as every type change has it.
fn set_type(to: &Column) -> String {
    let column = quoted_ident(&to.name);
    format!(
        "ALTER COLUMN {column} TYPE {}{}",
        to.data_type,
        collated(to)
    )
}

/// The statement that sets the collation of `to`. The values stay as they are, and the indexes on them are rebuilt.
pub(super) fn sort(from: &Column, to: &Column, old: &Schema, within: &Schema) -> Statement {
    let collation = to.collation.as_deref().unwrap_or("of its type");
    let says = format!("Sort {} by collation {collation}", to.qualified());
    let action = Action::new(&to.relation, Pass::Retype, set_type(to));
    let merges = is_blurred(from, to, old, within);
    clashes(to, Becomes::Cast, old, within)
        .filter(|_| merges)
        .fold(
            Statement::of(says, action).disturbs(users()),
            Statement::hazard,
        )
}

fn says(from: &Column, to: &Column) -> String {
    let says = becomes(from, to);
    let by_zone = |data_type: &str| data_type.contains("with time zone");
    if by_zone(&from.base_type) == by_zone(&to.base_type)
        || is_string(&from.base_type)
        || is_string(&to.base_type)
    {
        says
    } else {
        format!("{says}, by the time zone of the session")
    }
}

fn becomes(from: &Column, to: &Column) -> String {
    format!(
        "Change the type of {} from {} to {}",
        to.qualified(),
        from.data_type,
        to.data_type
    )
}

/// Dependents to recreate around ALTER COLUMN … TYPE, even where it changes a length or a collation alone: a column that is
/// generated from this one, and every query that reads it. Extended statistics would stay, and Postgres would forget their
/// target.
fn users() -> [Kind; 5] {
    [
        Column::kind(),
        ExtendedStatistics::kind(),
        View::kind(),
        MaterializedView::kind(),
        Rule::kind(),
    ]
}

/// Dependents to recreate where the type itself changes: those above, a default that has no cast of its own, and a foreign
/// key whose other side still has the old type.
fn casualties() -> impl Iterator<Item = Kind> {
    [ColumnDefault::kind(), ForeignKey::kind()]
        .into_iter()
        .chain(users())
}

/// Kinds that may compare the column with another one.
fn comparisons() -> [Kind; 3] {
    [Check::kind(), Exclusion::kind(), Index::kind()]
}

/// The statement that moves the values of an enum column to a new type of the same name, by their labels.
///
/// `gone` are the dropped labels that no other one replaces.
pub(super) fn recast(
    column: &Column,
    replaced: &BTreeMap<String, String>,
    gone: &[String],
) -> Statement {
    let array = array_of(column);
    let (name, data_type) = (quoted_ident(&column.name), &column.data_type);
    let words = format!("ALTER COLUMN {name} TYPE {data_type}");
    let labels = labels(&format!("{name}::text{array}"), !array.is_empty(), replaced);
    let using = format!("{labels}::{data_type}");
    let action = |words| Action::new(&column.relation, Pass::Retype, words);
    let action = if replaced.is_empty() {
        action(format!("{words} USING {using}"))
    } else {
        action(words).using(using)
    };
    let says = format!("Move {} over to the new {data_type}", column.qualified());
    let mut statement = Statement::of(says, action);
    for (old, new) in replaced {
        let (old, new) = (literal(old), literal(new));
        statement = statement.hazard(Hazard::ChangesValues {
            of: Column::id(column.key()),
            what: format!("every {old} in {} to {new}", column.qualified()),
        });
    }
    if !gone.is_empty() {
        let gone: Vec<String> = gone.iter().map(|label| literal(label)).collect();
        let gone = gone.join(", ");
        let holds = if array.is_empty() {
            format!("{name}::text IN ({gone})")
        } else {
            format!("{name}::text[] && ARRAY[{gone}]")
        };
        let finds = Hazard::finds(format!("SELECT * FROM {} WHERE {holds}", column.relation));
        let way = "#[model(replaces = \"…\")] on a label of the model says what they become";
        statement = statement.hazard(finds.or(way));
    }
    statement.disturbs(casualties()).parts(comparisons())
}

/// A column's labels as text, with the dropped ones replaced.
fn labels(text: &str, are_arrays: bool, replaced: &BTreeMap<String, String>) -> String {
    if replaced.is_empty() {
        return text.to_owned();
    }
    let pairs = replaced
        .iter()
        .map(|(old, new)| (literal(old), literal(new)));
    if are_arrays {
        return pairs.fold(text.to_owned(), |labels, (old, new)| {
            format!("array_replace({labels}, {old}, {new})")
        });
    }
    let branches: Vec<String> = pairs
        .map(|(old, new)| format!("WHEN {old} THEN {new}"))
        .collect();
    let branches = branches.join(" ");
    format!("(CASE {text} {branches} ELSE {text} END)")
}

/// The element's type, of an array.
pub(super) fn element(data_type: &str) -> &str {
    data_type.strip_suffix("[]").unwrap_or(data_type)
}

pub(super) fn array_of(column: &Column) -> &'static str {
    if column.data_type.ends_with("[]") {
        "[]"
    } else {
        ""
    }
}

fn way(from: &Column, to: &Column, within: &Schema) -> Option<Way> {
    let (mut old, mut new) = (from.base_type.as_str(), to.base_type.as_str());
    if old == new {
        return Some(Way::Implicit);
    }
    // An array is cast as its elements are.
    let arrays = (old.strip_suffix("[]"), new.strip_suffix("[]"));
    if from.category == ENUM && to.category == ENUM && arrays.0.is_some() == arrays.1.is_some() {
        return Some(Way::Label);
    }
    let mut to_string = to.category == STRING && arrays.1.is_none();
    let mut from_string = from.category == STRING && arrays.0.is_none();
    if let (Some(old_element), Some(new_element)) = arrays {
        (old, new) = (old_element, new_element);
        to_string = to.category == STRING;
        from_string = from.category == STRING;
    }
    match within.casts().get(old, new).map(|cast| cast.context) {
        Some(CastContext::Implicit) => Some(Way::Implicit),
        Some(CastContext::Assignment) => Some(Way::Assigned),
        Some(CastContext::Explicit) => Some(Way::Written),
        // Through the text form: to a string when a value is stored, from a string where it is written.
        None if to_string => Some(Way::Assigned),
        // A string is no array: of the spelling that Postgres has for arrays, {a,b}, hardly any value is.
        None if from_string && arrays.0.is_some() == arrays.1.is_some() => Some(Way::Written),
        None => None,
    }
}

/// `pg_type.typcategory` of enum types.
pub(super) const ENUM: &str = "E";
/// `pg_type.typcategory` of string types.
pub(super) const STRING: &str = "S";

pub(super) fn is_string(base_type: &str) -> bool {
    matches!(
        base_type,
        "text" | "character varying" | "character" | "name"
    )
}
