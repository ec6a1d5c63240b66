//! The search for one row that a table takes, guided by what Postgres says of those that it does not take.

use diesel::{
    PgConnection,
    result::{DatabaseErrorKind, Error},
};

use super::{Choice, attempt, insert};
use crate::prove::data::shape::{Column, Constraint, Shape, Table};

/// The way to one row that a table takes.
pub(super) struct Search<'a> {
    pub(super) table: &'a Table,
    pub(super) shape: &'a Shape,
    pub(super) choices: &'a [Choice<'a>],
    /// The columns that were changed last.
    pub(super) blamed: Vec<usize>,
}

impl Search<'_> {
    /// Returns the tries that it took, and the last error where none was taken.
    pub(super) fn row(
        &mut self,
        connection: &mut PgConnection,
        rows: &[Vec<&str>],
        row: usize,
        budget: usize,
    ) -> (usize, Option<Error>) {
        let start: Vec<usize> = self
            .choices
            .iter()
            .zip(&rows[row])
            .map(|(choice, value)| {
                let at = choice.options.iter().position(|option| option == value);
                at.unwrap_or_default()
            })
            .collect();
        let mut at = start.clone();
        for tries in 1..=budget {
            let values: Vec<&str> = self
                .choices
                .iter()
                .zip(&at)
                .map(|(choice, at)| choice.options[*at].as_str())
                .collect();
            let error = match attempt(connection, &insert(self.table, self.choices, &[values])) {
                Ok(()) => return (tries, None),
                Err(error) => error,
            };
            if let Some(blamed) = self.blame(&error) {
                self.blamed = blamed;
            }
            let mut moved = false;
            for column in &self.blamed {
                at[*column] = (at[*column] + 1) % self.choices[*column].options.len();
                moved = true;
                if at[*column] != start[*column] {
                    break;
                }
            }
            let exhausted = self
                .blamed
                .iter()
                .all(|column| at[*column] == start[*column]);
            if !moved || exhausted || tries == budget {
                let left = budget - tries;
                return match self.one_by_one(connection, &at, left) {
                    (more, true) => (tries + more, None),
                    (more, false) => (tries + more, Some(error)),
                };
            }
        }
        (0, Some(Error::NotFound))
    }

    /// Moves one column at a time, where Postgres does not say which is at fault: a trigger refuses the row, say.
    fn one_by_one(
        &self,
        connection: &mut PgConnection,
        at: &[usize],
        budget: usize,
    ) -> (usize, bool) {
        let deepest = self.choices.iter().map(|choice| choice.options.len()).max();
        let moves = (1..deepest.unwrap_or(0)).flat_map(|by| {
            let columns = 0..self.choices.len();
            columns.map(move |column| (column, by))
        });
        let moves = moves.filter(|(column, by)| *by < self.choices[*column].options.len());
        let mut tries = 0;
        for (column, by) in moves.take(budget) {
            let values: Vec<&str> = self
                .choices
                .iter()
                .enumerate()
                .map(|(place, choice)| {
                    let further = if place == column { by } else { 0 };
                    choice.options[(at[place] + further) % choice.options.len()].as_str()
                })
                .collect();
            tries += 1;
            if attempt(connection, &insert(self.table, self.choices, &[values])).is_ok() {
                return (tries, true);
            }
        }
        (tries, false)
    }

    /// The columns that an error is about.
    fn blame(&self, error: &Error) -> Option<Vec<usize>> {
        let Error::DatabaseError(kind, said) = error else {
            return None;
        };
        let numbers: Vec<i32> = match (kind, said.constraint_name(), said.column_name()) {
            (DatabaseErrorKind::NotNullViolation, _, Some(column)) => self
                .choices
                .iter()
                .filter(|choice| choice.column.name == column)
                .map(|choice| choice.column.number)
                .collect(),
            (_, Some(name), _) => self.of_constraint(name),
            (DatabaseErrorKind::CheckViolation, None, _) => self.of_constraint(""),
            _ => return None,
        };
        let blamed = self
            .choices
            .iter()
            .enumerate()
            .filter(|(_, choice)| numbers.contains(&choice.column.number));
        let blamed: Vec<usize> = blamed.map(|(at, _)| at).collect();
        (!blamed.is_empty()).then_some(blamed)
    }

    fn of_constraint(&self, name: &str) -> Vec<i32> {
        let named = |constraint: &&Constraint| constraint.name == name;
        if let Some(constraint) = self.table.constraints.0.iter().find(named) {
            return constraint.columns.clone();
        }
        let of_domain = |column: &Column| {
            let domain = self.shape.domains.get(&column.type_oid);
            domain.is_some_and(|list| list.iter().any(|one| one.name == name))
        };
        let columns = self.choices.iter().map(|choice| choice.column);
        columns
            .filter(|column| of_domain(column))
            .map(|column| column.number)
            .collect()
    }
}
