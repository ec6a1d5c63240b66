//! Effects of a type change on a column's values.

use super::{
    Column,
    retype::{ENUM, STRING, Way, array_of, element, is_string},
};
use crate::{Casts, Hazard, name::quoted_ident};

/// Loss and failure that a type change risks.
pub(super) enum Fit {
    /// Every value stays whole.
    Whole,
    /// The change fails on some values.
    OrNot(Hazard),
    /// The change loses this: the end of the sentence "loses …".
    Without(String),
    /// The change loses this, and fails on some values.
    WithoutOrNot(String, Hazard),
}

/// Effect of the change of type from `from` to `to`.
pub(super) fn fit(from: &Column, to: &Column, way: &Way, casts: &Casts) -> Fit {
    fit_domain(fit_elements(from, to, way, casts), from, to, way)
}

/// Adds the constraints of a domain. Values of the same domain have passed them already.
fn fit_domain(fit: Fit, from: &Column, to: &Column, way: &Way) -> Fit {
    if !*to.checked || from.data_type == to.data_type {
        return fit;
    }
    match fit {
        Fit::Whole => Fit::OrNot(no_such_value(to, way)),
        Fit::Without(what) => Fit::WithoutOrNot(what, no_such_value(to, way)),
        fit @ (Fit::OrNot(_) | Fit::WithoutOrNot(..)) => fit,
    }
}

fn fit_elements(from: &Column, to: &Column, way: &Way, casts: &Casts) -> Fit {
    let (old, new) = (element(&from.base_type), element(&to.base_type));
    if old == new {
        return fit_modifiers(from, to, way);
    }
    let column = to.qualified();
    match (old, new) {
        _ if matches!(way, Way::Label) => Fit::OrNot(no_such_value(to, way)),
        // A name holds 63 bytes, a character takes up to four, and the cast cuts without a word.
        (_, "name")
            if is_string(old)
                && modifiers(&from.data_type)
                    .first()
                    .is_none_or(|length| *length > 15) =>
        {
            Fit::Without(format!("what is longer than 63 bytes in {column}"))
        }
        // Padded with blanks, so that trailing blanks are no part of a value.
        (_, "character") if is_string(old) || matches!(old, "xml" | "json") => {
            let lost = format!("the blanks at the end of the values of {column}");
            let room = |of: &Column| modifiers(&of.data_type).first().copied();
            match (room(from), room(to)) {
                (Some(old), Some(new)) if old <= new => Fit::Without(lost),
                (_, Some(new)) => Fit::WithoutOrNot(lost, longer(from, to, new, "")),
                (_, None) => Fit::Without(lost),
            }
        }
        (_, _) if is_string(new) => match modifiers(&to.data_type).first() {
            Some(length) => too_long(from, to, *length),
            None => Fit::Whole,
        },
        ("box", "polygon")
        | ("polygon", "path")
        | ("point", "box")
        | ("cidr", "inet")
        | ("boolean", "integer")
        | ("jsonb", "json") => Fit::Whole,
        ("money", "numeric") if modifiers(&to.data_type).is_empty() => Fit::Whole,
        // An oid, or what is stored as one, is a number without a sign.
        (_, "bigint")
            if old == "oid" || casts.get(old, "oid").is_some_and(|cast| cast.is_binary) =>
        {
            Fit::Whole
        }
        // An open path is no polygon.
        ("path", "polygon") | ("bit", "integer" | "bigint") => Fit::OrNot(no_such_value(to, way)),
        ("integer", "boolean") => Fit::Without(format!("which number but 0 {column} holds")),
        ("json", "jsonb") => Fit::Without(format!("the order and repetition of keys in {column}")),
        ("timestamp without time zone" | "timestamp with time zone", "date") => {
            Fit::Without(format!("the time of day in {column}"))
        }
        (
            "timestamp without time zone" | "timestamp with time zone",
            "time without time zone" | "time with time zone",
        ) => Fit::Without(format!("the date in {column}")),
        ("timestamp with time zone", "timestamp without time zone")
        | ("timestamp without time zone", "timestamp with time zone") => {
            fit_modifiers(from, to, way)
        }
        ("numeric" | "real" | "double precision", "smallint" | "integer" | "bigint") => {
            let lost = format!("what stands after the point in {column}");
            Fit::WithoutOrNot(lost, no_such_value(to, way))
        }
        ("integer" | "bigint", "real") | ("bigint", "double precision") => Fit::Without(digits(to)),
        ("real" | "double precision", "numeric") if !to.data_type.contains('(') => {
            Fit::Without(digits(to))
        }
        ("numeric" | "double precision", "real")
        | ("numeric", "double precision")
        | ("real" | "double precision", "numeric") => {
            Fit::WithoutOrNot(digits(to), no_such_value(to, way))
        }
        ("bigint", "integer" | "smallint") | ("integer", "smallint") => out_of_range(to, way),
        ("smallint" | "integer" | "bigint", "numeric") if to.data_type.contains('(') => {
            Fit::OrNot(no_such_value(to, way))
        }
        _ if casts.get(old, new).is_some_and(|cast| cast.is_binary)
            && modifiers(&to.data_type).is_empty() =>
        {
            Fit::Whole
        }
        _ => fit_by_way(from, to, way),
    }
}

/// Effect of a conversion about which only its cast tells something.
fn fit_by_way(from: &Column, to: &Column, way: &Way) -> Fit {
    let (old, new) = (element(&from.base_type), element(&to.base_type));
    let column = to.qualified();
    match way {
        // The name of a relation is looked up.
        Way::Implicit if is_string(old) && to.category != STRING => {
            Fit::OrNot(no_such_value(to, way))
        }
        Way::Implicit if modifiers(&to.data_type).is_empty() => Fit::Whole,
        Way::Implicit if matches!(to.category.as_str(), "D" | "T") => {
            Fit::Without(format!("what of {column} {} cannot hold", to.data_type))
        }
        Way::Implicit => Fit::OrNot(no_such_value(to, way)),
        // A cast that is written cuts and rounds without a word.
        Way::Written
            if is_string(old)
                && (!modifiers(&to.data_type).is_empty()
                    || matches!(to.category.as_str(), "D" | "T")
                    || new == "jsonb") =>
        {
            let lost = format!("what of {column} {} cannot hold", to.data_type);
            Fit::WithoutOrNot(lost, no_such_value(to, way))
        }
        Way::Written
            if is_string(old) && (to.category == ENUM || matches!(new, "json" | "xml")) =>
        {
            Fit::OrNot(no_such_value(to, way))
        }
        // 007 becomes 7, and yes becomes true.
        Way::Written if is_string(old) => Fit::WithoutOrNot(
            format!("how the values of {column} are spelled"),
            no_such_value(to, way),
        ),
        // A string type of an extension takes the whole string, or refuses it.
        Way::Assigned | Way::Written if from.category == STRING && to.category == STRING => {
            Fit::OrNot(no_such_value(to, way))
        }
        Way::Assigned | Way::Written | Way::Label => {
            let lost = format!("what of {column} {} cannot hold", to.data_type);
            Fit::WithoutOrNot(lost, no_such_value(to, way))
        }
    }
}

/// Effect of other modifiers on the same type: another length, precision or scale.
fn fit_modifiers(from: &Column, to: &Column, way: &Way) -> Fit {
    let (old, new) = (modifiers(&from.data_type), modifiers(&to.data_type));
    let column = to.qualified();
    let one = |list: &[i64]| list.first().copied().unwrap_or(i64::MAX);
    match element(&to.base_type) {
        "character varying" | "bit varying" | "character" if one(&new) < one(&old) => {
            too_long(from, to, one(&new))
        }
        "numeric" => {
            // Without modifiers there is room for everything; with a precision alone the scale is 0.
            let scale = |list: &[i64]| match *list {
                [] => i64::MAX,
                [_] => 0,
                [_, scale, ..] => scale,
            };
            let whole = |list: &[i64]| list.first().map_or(i64::MAX, |total| total - scale(list));
            if new.is_empty() {
                Fit::Whole
            } else if scale(&new) < scale(&old) {
                let lost = format!(
                    "the digits of {column} after place {} behind the point",
                    scale(&new)
                );
                // 9.99 becomes 10.0, which has a digit more before the point.
                if whole(&new) > whole(&old) {
                    Fit::Without(lost)
                } else {
                    Fit::WithoutOrNot(lost, no_such_value(to, way))
                }
            } else if whole(&new) < whole(&old) {
                Fit::OrNot(no_such_value(to, way))
            } else {
                Fit::Whole
            }
        }
        "timestamp without time zone"
        | "timestamp with time zone"
        | "time without time zone"
        | "time with time zone"
        | "interval" => {
            let precision = |list: &[i64]| list.first().copied().unwrap_or(6);
            if precision(&new) < precision(&old) {
                Fit::Without(format!(
                    "the digits of the seconds in {column} after place {}",
                    precision(&new)
                ))
            } else if keeps_fields_alone(&to.data_type) {
                Fit::Without(format!("what of {column} {} cannot hold", to.data_type))
            } else {
                Fit::Whole
            }
        }
        "character varying" | "bit varying" | "character" | "text" => Fit::Whole,
        // A bit string of another length does not fit; what the modifiers of somebody else's type mean is unknown.
        _ => Fit::OrNot(no_such_value(to, way)),
    }
}

/// An interval of some fields drops the others: `interval year to month`, `interval day to second(3)`.
fn keeps_fields_alone(data_type: &str) -> bool {
    let fields = data_type.strip_prefix("interval ");
    fields.is_some_and(|fields| !fields.is_empty())
}

fn digits(to: &Column) -> String {
    format!(
        "the digits of {} that {} does not hold",
        to.qualified(),
        to.data_type
    )
}

fn too_long(from: &Column, to: &Column, length: i64) -> Fit {
    let cut = if is_string(element(&from.base_type)) {
        format!("blanks alone are cut off beyond {length} characters")
    } else {
        String::new()
    };
    Fit::OrNot(longer(from, to, length, &cut))
}

/// For a string, blanks at the end that are too many are no reason.
fn longer(from: &Column, to: &Column, length: i64, besides: &str) -> Hazard {
    let (table, name) = (&to.relation, quoted_ident(&to.name));
    if to.data_type.ends_with("[]") {
        return Hazard::MayFail {
            because: format!("if a value in {} is longer than {length}", to.qualified()),
        };
    }
    let text = if is_string(&from.base_type) {
        format!("rtrim({name}::text)")
    } else {
        format!("{name}::text")
    };
    let finds = Hazard::finds(format!(
        "SELECT * FROM {table} WHERE length({text}) > {length}"
    ));
    match besides {
        "" => finds,
        besides => finds.since(besides),
    }
}

fn out_of_range(to: &Column, way: &Way) -> Fit {
    let (table, name) = (&to.relation, quoted_ident(&to.name));
    let (low, high) = if to.base_type == "smallint" {
        (i64::from(i16::MIN), i64::from(i16::MAX))
    } else {
        (i64::from(i32::MIN), i64::from(i32::MAX))
    };
    Fit::OrNot(if to.data_type.ends_with("[]") {
        no_such_value(to, way)
    } else {
        Hazard::finds(format!(
            "SELECT * FROM {table} WHERE {name} NOT BETWEEN {low} AND {high}"
        ))
    })
}

fn no_such_value(to: &Column, way: &Way) -> Hazard {
    let (table, name) = (&to.relation, quoted_ident(&to.name));
    let (data_type, array) = (&to.data_type, array_of(to));
    match way {
        // A cast in a query truncates or pads a bit string without an error.
        _ if matches!(element(&to.base_type), "bit" | "bit varying") => Hazard::MayFail {
            because: format!(
                "if a value in {} is not a valid {data_type}",
                to.qualified()
            ),
        },
        Way::Label => Hazard::fails_with(format!(
            "SELECT {name}::text{array}::{data_type} FROM {table}"
        )),
        Way::Implicit | Way::Assigned | Way::Written => {
            Hazard::fails_with(format!("SELECT {name}::{data_type} FROM {table}"))
        }
    }
}

/// The numbers in parentheses: of `numeric(8,2)`, 8 and 2.
pub(super) fn modifiers(data_type: &str) -> Vec<i64> {
    data_type
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(inside, _)| {
            inside
                .split(',')
                .filter_map(|number| number.trim().parse().ok())
                .collect()
        })
        .unwrap_or_default()
}
