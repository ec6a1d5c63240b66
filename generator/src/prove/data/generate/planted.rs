//! Rows that a key of several columns tells apart by one of them alone, by as little as its type can tell: a coarser type does not.

use diesel::PgConnection;
use trueup::name::literal;

use super::{Choice, Sowing, attempt, insert};
use crate::prove::data::{
    shape::{Constraint, Table},
    values::Range,
};

impl Sowing<'_> {
    /// Adds two rows for each column of such a key, where the table takes them. `from`: the number of the first row that no other
    /// row is like.
    pub(super) fn plant(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        choices: &[Choice<'_>],
        from: usize,
    ) -> usize {
        let keys = table.constraints.0.iter().filter(|one| is_key(one));
        let (mut number, mut planted) = (from, 0);
        for key in keys {
            for column in &key.columns {
                let place = choices
                    .iter()
                    .position(|choice| choice.column.number == *column);
                let Some(place) = place else {
                    continue;
                };
                let choice = &choices[place];
                let is_open = choice.range == Range::Extreme && !choice.column.numbered;
                let near = self.values.near(choice.column).into_iter().take(2);
                let near: Vec<String> = near.filter(|_| is_open).collect();
                let rows: Vec<Vec<String>> = near
                    .iter()
                    .enumerate()
                    .map(|(more, value)| {
                        let values = choices.iter().enumerate().map(|(at, choice)| {
                            if at == place {
                                literal(value)
                            } else if key.columns.contains(&choice.column.number) {
                                choice.at(0).to_owned()
                            } else if choice.column.numbered {
                                (number + more + 1).to_string()
                            } else {
                                choice.at(number + more).to_owned()
                            }
                        });
                        values.collect()
                    })
                    .collect();
                let rows: Vec<Vec<&str>> = rows
                    .iter()
                    .map(|row| row.iter().map(String::as_str).collect())
                    .collect();
                if !rows.is_empty() && attempt(connection, &insert(table, choices, &rows)).is_ok() {
                    number += rows.len();
                    planted += rows.len();
                }
            }
        }
        planted
    }
}

/// True if it tells rows apart by several columns.
fn is_key(constraint: &Constraint) -> bool {
    constraint.compares.is_none() && constraint.target.is_none() && constraint.columns.len() > 1
}
