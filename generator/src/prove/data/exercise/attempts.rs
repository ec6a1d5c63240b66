//! The statements that a program may send about the rows of one table.

use trueup::name::literal;

use super::{Act, Covered, Deed, name};
use crate::prove::{
    code::Attempt,
    data::{
        shape::{Column, Shape, Table},
        values::{Range, Values},
    },
};

use super::covered::Found;

/// The number of rows that get other values.
const CHANGED: usize = 2;
/// The number of other values that a column is tried with.
const OTHERS: usize = 4;
/// The number of values among which one is looked for that no row has.
const FRESH: usize = 40;

/// The words for an act on something.
pub(super) fn verb(act: Act, on: &str) -> String {
    match act {
        Act::Insert | Act::InsertDefaults => format!("INSERT INTO {on}"),
        Act::Touch | Act::Update(_) => format!("UPDATE {on}"),
        Act::Delete => format!("DELETE FROM {on}"),
        Act::Truncate => format!("TRUNCATE {on}"),
        Act::Policy => format!("policy {on}"),
        Act::Read => format!("SELECT FROM {on}"),
    }
}

/// Adds all statements about a table's rows.
pub(super) fn attempts(
    shape: &Shape,
    values: &Values<'_>,
    covered: &Covered,
    table: &Table,
    rows: &[Found],
    into: &mut Vec<(Deed, String, Attempt)>,
) {
    let columns = shape.columns(table.oid);
    let mut add = |act: Act, before: Vec<String>, sql: String| {
        let deed = Deed { of: table.oid, act };
        let words = match act {
            Act::Update(number) => {
                let column = columns.iter().find(|column| column.number == number);
                let column = column.map_or("", |column| &column.ident);
                format!("{} SET {column}", verb(act, &table.name))
            }
            Act::Insert
            | Act::InsertDefaults
            | Act::Touch
            | Act::Delete
            | Act::Truncate
            | Act::Policy
            | Act::Read => verb(act, &table.name),
        };
        let namespace = covered.namespace(table.oid);
        into.push((
            deed,
            words,
            Attempt {
                before,
                sql,
                namespace,
            },
        ));
    };
    let defaults = covered.defaults(table.oid);
    for (at, row) in rows.iter().enumerate() {
        let place = format!(
            "tableoid = {} AND ctid = {}",
            row.table,
            literal(&row.place)
        );
        let gone = format!("DELETE FROM {} WHERE {place}", name(shape, row.table));
        let insert = |wanted: &dyn Fn(&Column) -> bool| insert(table, columns, row, wanted);
        // The first attempt leaves what refers to the row, for triggers that read it; a new row has none of it.
        let referrers = covered.referrers(table.oid).iter();
        let mut bare: Vec<String> = referrers
            .map(|name| format!("DELETE FROM {name}"))
            .collect();
        let is_referred_to = !bare.is_empty() && at < CHANGED;
        bare.push(gone.clone());
        let befores = [vec![gone.clone()], bare];
        for before in befores.into_iter().take(1 + usize::from(is_referred_to)) {
            add(Act::Insert, before.clone(), insert(&|_| true));
            if !defaults.is_empty() {
                let without = |column: &Column| !defaults.contains(&i64::from(column.number));
                add(Act::InsertDefaults, before, insert(&without));
            }
        }
        if let Some(row) = fresh(table, values, columns, row, rows).filter(|_| at < CHANGED) {
            let sql = self::insert(table, columns, &row, &|_| true);
            add(Act::Insert, vec![gone], sql);
        }
        let set = |column: &Column| !column.generated && !column.numbered;
        let same: Vec<String> = columns
            .iter()
            .filter(|column| set(column))
            .map(|column| format!("{0} = {0}", column.ident))
            .collect();
        if !same.is_empty() {
            let sql = format!(
                "UPDATE {} SET {} WHERE {place}",
                table.name,
                same.join(", ")
            );
            add(Act::Touch, Vec::new(), sql);
        }
        if at < CHANGED {
            for (number, column) in columns.iter().enumerate().filter(|(_, column)| set(column)) {
                for other in others(values, column, number, row, rows) {
                    let sql = format!(
                        "UPDATE {} SET {} = {other} WHERE {place}",
                        table.name, column.ident
                    );
                    add(Act::Update(column.number), Vec::new(), sql);
                }
            }
        }
        let delete = format!("DELETE FROM {} WHERE {place}", table.name);
        add(Act::Delete, Vec::new(), delete.clone());
        let referrers = covered.referrers(table.oid);
        if !referrers.is_empty() {
            // Else those that refer to the row would keep it.
            let referrers = referrers.iter().map(|name| format!("DELETE FROM {name}"));
            add(Act::Delete, referrers.collect(), delete);
        }
    }
    if covered.truncates(table.oid) {
        // Rows that refer to it would keep it.
        let cascade = if covered.referrers(table.oid).is_empty() {
            ""
        } else {
            " CASCADE"
        };
        let sql = format!("TRUNCATE {}{cascade}", table.name);
        add(Act::Truncate, Vec::new(), sql);
    }
}

/// The row under keys that no row had before: what code has noted under the others is not in its way. `None` where no column
/// is a key of its own.
fn fresh(
    table: &Table,
    values: &Values<'_>,
    columns: &[Column],
    row: &Found,
    rows: &[Found],
) -> Option<Found> {
    let refers = |column: &Column| {
        let mut keys = table
            .constraints
            .0
            .iter()
            .filter(|one| one.target.is_some());
        keys.any(|key| key.columns.contains(&column.number))
    };
    let mut fresh = row.values.clone();
    let mut is_fresh = false;
    for (number, column) in columns.iter().enumerate() {
        if !column.unique || column.generated || refers(column) {
            continue;
        }
        let had = |value: &String| {
            let mut all = rows.iter().filter_map(|row| row.values.get(number));
            all.any(|one| one.as_ref() == Some(value))
        };
        let mut made = values.of_column(column, Range::Plain, FRESH).into_iter();
        fresh[number] = Some(made.rfind(|value| !had(value))?);
        is_fresh = true;
    }
    is_fresh.then(|| Found {
        table: row.table,
        place: row.place.clone(),
        values: fresh,
    })
}

fn insert(
    table: &Table,
    columns: &[Column],
    row: &Found,
    wanted: &dyn Fn(&Column) -> bool,
) -> String {
    let columns = columns.iter().zip(&row.values);
    let columns = columns.filter(|(column, _)| !column.generated && wanted(column));
    let (columns, values): (Vec<&str>, Vec<String>) = columns
        .map(|(column, value)| {
            let value = value.as_deref();
            let value = value.map_or_else(|| "NULL".to_owned(), literal);
            (column.ident.as_str(), value)
        })
        .unzip();
    if columns.is_empty() {
        return format!("INSERT INTO {} DEFAULT VALUES", table.name);
    }
    format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
        table.name,
        columns.join(", "),
        values.join(", ")
    )
}

/// Other values for a column: those of other rows first, which pass the constraints.
fn others(
    values: &Values<'_>,
    column: &Column,
    number: usize,
    row: &Found,
    rows: &[Found],
) -> Vec<String> {
    let has = row.values.get(number).cloned().flatten();
    let of_rows = rows
        .iter()
        .filter_map(|other| other.values.get(number).cloned().flatten());
    let made = values.of_column(column, Range::Plain, OTHERS);
    let mut others: Vec<String> = Vec::new();
    for other in of_rows.chain(made) {
        let other = literal(&other);
        if Some(&other) != has.as_deref().map(literal).as_ref() && !others.contains(&other) {
            others.push(other);
        }
    }
    others.truncate(OTHERS);
    if !column.required && has.is_some() {
        others.push("NULL".to_owned());
    }
    others
}
