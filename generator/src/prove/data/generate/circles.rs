//! Tables whose rows need each other: each has a required foreign key that leads back to it by way of the others. One
//! statement puts rows into all of them, since Postgres asks foreign keys at its end.

use std::collections::{BTreeMap, BTreeSet};

use diesel::PgConnection;

use super::{Choice, Sowing, attempt, insert};
use crate::prove::data::{
    shape::{Shape, Table},
    values::Range,
};

/// The circles among tables without rows.
pub(super) fn circles(shape: &Shape, bare: &BTreeSet<i64>) -> Vec<BTreeSet<i64>> {
    let next: BTreeMap<i64, BTreeSet<i64>> = bare
        .iter()
        .map(|oid| {
            (
                *oid,
                needs(shape, *oid).intersection(bare).copied().collect(),
            )
        })
        .collect();
    let reach = |from: i64| {
        let mut reached = BTreeSet::new();
        let mut open: Vec<i64> = next[&from].iter().copied().collect();
        while let Some(one) = open.pop() {
            if reached.insert(one) {
                open.extend(&next[&one]);
            }
        }
        reached
    };
    let reached: BTreeMap<i64, BTreeSet<i64>> =
        bare.iter().map(|oid| (*oid, reach(*oid))).collect();
    let mut circles: Vec<BTreeSet<i64>> = Vec::new();
    for oid in bare {
        let back = reached[oid]
            .iter()
            .filter(|other| reached[*other].contains(oid));
        let circle: BTreeSet<i64> = back.copied().collect();
        if circle.len() > 1 && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// The tables that a row cannot do without.
fn needs(shape: &Shape, table: i64) -> BTreeSet<i64> {
    let is_required = |number: &i32| {
        let mut columns = shape.columns(table).iter();
        columns.any(|column| column.number == *number && column.required)
    };
    let keys = shape.tables[&table].constraints.0.iter();
    let keys = keys.filter(|key| key.columns.iter().any(is_required));
    keys.filter_map(|key| key.target).collect()
}

impl<'a> Sowing<'a> {
    /// Puts rows into all tables of a circle; `false` where they take none.
    pub(super) fn circle(&mut self, connection: &mut PgConnection, circle: &BTreeSet<i64>) -> bool {
        let shape = self.shape;
        let tables: Vec<&Table> = circle.iter().map(|oid| &shape.tables[oid]).collect();
        let is_out = |table: &&Table| !table.whole || self.ranges.of(table.oid, 0) == Range::None;
        if tables.iter().any(is_out) {
            return false;
        }
        let wanted = tables
            .iter()
            .map(|table| self.wanted(table))
            .max()
            .unwrap_or(0);
        let mut all: BTreeMap<i64, Vec<Choice<'a>>> = BTreeMap::new();
        for table in &tables {
            let Ok(choices) = self.choices_in(connection, table, wanted, circle) else {
                return false;
            };
            all.insert(table.oid, choices);
        }
        refer(&tables, circle, &mut all);
        let rows = |numbers: &[usize]| -> String {
            let parts = tables.iter().enumerate().map(|(at, table)| {
                let choices = &all[&table.oid];
                let rows = numbers
                    .iter()
                    .map(|row| choices.iter().map(|choice| choice.at(*row)).collect());
                let rows: Vec<Vec<&str>> = rows.collect();
                format!("trueup_{at} AS ({})", insert(table, choices, &rows))
            });
            let parts: Vec<String> = parts.collect();
            format!("WITH {} SELECT", parts.join(", "))
        };
        let every: Vec<usize> = (0..wanted).collect();
        let single = every.iter().map(|row| vec![*row]);
        for numbers in [every.clone()].into_iter().chain(single) {
            self.tries += 1;
            if attempt(connection, &rows(&numbers)).is_ok() {
                for table in &tables {
                    self.generated.bare.remove(&table.oid);
                    self.taken(table, numbers.len(), wanted);
                }
                return true;
            }
        }
        false
    }
}

/// Gives the columns of foreign keys the values that the rows which they refer to are going to have.
fn refer(tables: &[&Table], circle: &BTreeSet<i64>, all: &mut BTreeMap<i64, Vec<Choice<'_>>>) {
    // A key may rest on one that rests on another.
    for _ in tables {
        for table in tables {
            for key in &table.constraints.0 {
                let Some(target) = key.target.filter(|target| circle.contains(target)) else {
                    continue;
                };
                for (number, referred) in key.columns.iter().zip(&key.target_columns) {
                    let there = all[&target]
                        .iter()
                        .find(|choice| choice.column.number == *referred);
                    let Some((options, first)) = there.map(|one| (one.options.clone(), one.first))
                    else {
                        continue;
                    };
                    let own = all.get_mut(&table.oid).into_iter().flatten();
                    for choice in own.filter(|choice| choice.column.number == *number) {
                        choice.options.clone_from(&options);
                        choice.first = first;
                    }
                }
            }
        }
    }
}
