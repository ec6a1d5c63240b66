//! Values for existing rows: from the column's default where one value is enough, else by an UPDATE, with its side effects
//! reported and its obstacles lifted.

use super::super::Registered;
use super::super::check::Check;
use super::super::default::Default;
use super::super::foreign_key::ForeignKey;
use super::super::inheritance::has_heirs;
use super::super::table::Table;
use super::{Column, alter};
use crate::{
    Clause, Hazard, Name, Origin, Schema, Statement,
    guidance::{Constant, Expression, Fill, Runs, Surroundings},
    name::quoted_ident,
    object::Object,
    one_line,
};

/// Reason for which rows without a value may exist.
pub(crate) enum Filling {
    /// The column is new.
    New,
    /// The column becomes NOT NULL.
    Required,
}

impl Column {
    /// True if its table is there before, and its rows may have no value for it.
    pub(crate) fn may_be_lacking(&self, from: &Schema) -> bool {
        from.get::<Table>(&self.relation).is_some()
            && Self::filling(from.get::<Self>(&self.key()), self).is_some()
    }

    /// Reason for which rows may exist that have no value in `to`.
    pub(crate) fn filling(from: Option<&Self>, to: &Self) -> Option<Filling> {
        match from {
            None => Some(Filling::New),
            // The column is recreated.
            Some(from) if from.generated.is_some() => Some(Filling::New),
            Some(from) => {
                let is_required = from.not_null.is_none() && to.not_null.is_some();
                is_required.then_some(Filling::Required)
            }
        }
    }
}

/// The declared fill for existing NULLs of a column that becomes NOT NULL.
pub(super) fn of_required<'a>(from: &Column, to: &Column, within: &'a Schema) -> Option<&'a Fill> {
    let advice = within.advice(&Column::id(to.key()))?;
    let is_required = from.not_null.is_none() && to.not_null.is_some();
    advice.fill.as_ref().filter(|_| is_required)
}

/// The declared fill for the existing rows of a new column.
pub(super) fn of_new<'a>(column: &Column, within: &'a Schema) -> Option<&'a Fill> {
    let advice = within.advice(&Column::id(column.key()))?;
    let fill = advice.fill.as_ref();
    fill.filter(|_| column.generated.is_none() && column.identity.is_none())
}

/// The value that a new column gives to all rows without touching them.
pub(super) fn constant<'a>(
    column: &Column,
    fill: Option<&'a Fill>,
    within: &Schema,
) -> Option<&'a Constant> {
    // A table that inherits may have the column already, and then keeps its values as they are.
    let alone = !has_heirs(&column.relation, within) || column.is_at_once(within);
    fill?.facts.constant.as_ref().filter(|_| alone)
}

/// The statements that add a column with one value for all rows that are there.
pub(super) fn add_constant(
    column: &Column,
    fill: &Fill,
    constant: &Constant,
    within: &Schema,
    clauses: &[Clause],
) -> Vec<Statement> {
    let Constant { expression } = constant;
    let (relation, key) = (&column.relation, column.key());
    let default = within.get::<Default>(&key);
    let own = default.and_then(|default| default.clause(within, &[]));
    let is_own = |clause: &&Clause| own.as_ref().is_some_and(|own| own.text() == clause.text());
    let has_own = clauses.iter().any(|clause| is_own(&clause));
    let mut said = vec![Clause::essential(format!("DEFAULT {expression}"))];
    said.extend(clauses.iter().filter(|clause| !is_own(clause)).cloned());
    let mut add = Statement::new(
        format!("Add column {key} with a value for the rows that are there"),
        format!(
            "ALTER TABLE {relation} ADD COLUMN {}",
            column.definition(&said, within)
        ),
    )
    .written_at(&fill.expression.origin);
    if column.is_left_out_in_vain(within) {
        add = add.hazard(alter::leaves_out(column));
    }
    let mut statements = vec![add];
    let alter = format!("ALTER TABLE {relation} ALTER COLUMN {}", key.ident());
    match default.filter(|_| has_own) {
        Some(default) if default.reads(expression) => {}
        Some(default) => statements.push(Statement::new(
            format!("Set the default of {key}"),
            format!("{alter} SET DEFAULT {}", default.expression()),
        )),
        None => statements.push(Statement::new(
            format!("Drop the default of {key}: it was for the rows that are there"),
            format!("{alter} DROP DEFAULT"),
        )),
    }
    statements
}

/// The statements that give every row without a value one.
pub(super) fn nulls(column: &Column, fill: &Fill, within: &Schema) -> Vec<Statement> {
    let (table, ident) = (&column.relation, quoted_ident(&column.name));
    let Expression { sql, origin } = &fill.expression;
    let update = Statement::new(
        format!("Fill {} where it has no value", column.qualified()),
        format!("UPDATE {table} SET {ident} = {sql} WHERE {ident} IS NULL"),
    )
    .written_at(origin)
    .hazard(Hazard::ChangesValues {
        of: Column::id(column.key()),
        what: format!("every NULL in {} to {}", column.qualified(), one_line(sql)),
    });
    let id = Column::id(column.key());
    let waits = within.users::<ForeignKey>(&id).any(ForeignKey::is_deferred);
    around(
        asked_again(update, column, within),
        column,
        fill,
        waits,
        within,
    )
}

/// The statements that give a value of a new column to every row.
pub(super) fn new(column: &Column, fill: &Fill, within: &Schema) -> Vec<Statement> {
    let (table, ident) = (&column.relation, quoted_ident(&column.name));
    let Expression { sql, origin } = &fill.expression;
    let update = Statement::new(
        format!("Fill {} in the rows that are there", column.qualified()),
        format!("UPDATE {table} SET {ident} = {sql}"),
    )
    .written_at(origin)
    .hazard(Hazard::UpdatesRows {
        table: table.to_string(),
    });
    around(
        asked_again(update, column, within),
        column,
        fill,
        false,
        within,
    )
}

/// Written rows are checked by constraints that were never validated.
fn asked_again(update: Statement, column: &Column, within: &Schema) -> Statement {
    let table = Table::id(column.relation.clone());
    let unasked = within
        .parts::<Check>(&table)
        .filter(|check| check.is_unasked());
    unasked.fold(update, |update, check| {
        update.hazard(Hazard::MayFail {
            because: format!(
                "while a row contradicts {}, which is not valid and yet asked when a row is written",
                quoted_ident(check.name())
            ),
        })
    })
}

/// The UPDATE between what puts aside what is in its way and what puts that back. `waits`: a foreign key is asked later.
fn around(
    update: Statement,
    column: &Column,
    fill: &Fill,
    waits: bool,
    within: &Schema,
) -> Vec<Statement> {
    let surroundings = &fill.facts.surroundings;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let table = within.get::<Table>(&column.relation);
    if surroundings.forced || table.is_some_and(Table::binds_owner) {
        let (lift, force) = row_security(&column.relation);
        before.push(lift);
        let is_forced = table.is_some_and(Table::forces_row_security);
        after.extend(is_forced.then_some(force));
    }
    for one in surroundings.relations.iter().filter(|one| one.unidentified) {
        let table = &one.name;
        let set = |words: &str| format!("ALTER TABLE {table} {words}");
        before.push(Statement::new(
            format!("Log whole rows of {table}: it is published, and nothing tells its rows apart"),
            set("REPLICA IDENTITY FULL"),
        ));
        after.push(Statement::new(
            format!("Log rows of {table} as before"),
            set(&one.identity()),
        ));
    }
    let mut update = update.updates();
    if fill.triggers {
        update = surroundings
            .triggers()
            .fold(update, |update, (table, trigger)| {
                update.hazard(Hazard::RunsCode {
                    what: runs(table, trigger),
                })
            });
        update = surroundings.rules.iter().fold(update, |update, rule| {
            update.hazard(Hazard::RunsCode {
                what: format!("rule {} of {}", quoted_ident(&rule.name), column.relation),
            })
        });
    } else {
        let (off, on) = switched(column, surroundings);
        before.extend(off);
        after.extend(on);
    }
    let waits = waits || fill.triggers && surroundings.may_wait();
    if waits {
        after.insert(
            0,
            Statement::new(
                "Check now what waits for the commit: Postgres alters no table before".to_owned(),
                "SET CONSTRAINTS ALL IMMEDIATE".to_owned(),
            )
            .hazard(Hazard::MayFail {
                because: "while something that waits refuses a row".to_owned(),
            }),
        );
    }
    before.push(update);
    before.extend(after);
    before
}

/// A trigger's name, function and scope, in words.
fn runs(table: &Name, trigger: &Runs) -> String {
    let function = trigger.function.as_deref().unwrap_or_default();
    format!(
        "trigger {} of {table}, which calls {function}, for what it fills",
        quoted_ident(&trigger.name)
    )
}

/// The statement that lets an owner reach all rows, and the one that binds it by policies again.
fn row_security(table: &Name) -> (Statement, Statement) {
    let lift = Statement::new(
        format!("Let the owner reach every row of {table}: policies would hide some from it"),
        format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
    );
    let force = Statement::new(
        format!("Bind the owner of {table} by its policies again"),
        format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
    );
    (lift, force)
}

/// The statements that switch triggers and rules off, and on again as they were.
fn switched(column: &Column, surroundings: &Surroundings) -> (Vec<Statement>, Vec<Statement>) {
    let (mut off, mut on) = (Vec::new(), Vec::new());
    let mut switch = |table: &Name, what: &str, all: &[Runs]| {
        if all.is_empty() {
            return;
        }
        let named = |words: &dyn Fn(&Runs) -> &'static str| {
            let parts = all.iter().map(|one| {
                format!(
                    "{} {} {}",
                    words(one),
                    what.to_uppercase(),
                    quoted_ident(&one.name)
                )
            });
            parts.collect::<Vec<_>>().join(", ")
        };
        let disable = Statement::new(
            format!("Switch off the {what}s of {table} that an UPDATE runs"),
            format!("ALTER TABLE ONLY {table} {}", named(&|_| "DISABLE")),
        );
        off.push(disable);
        on.push(Statement::new(
            format!("Switch the {what}s of {table} on again"),
            format!("ALTER TABLE ONLY {table} {}", named(&Runs::enabled)),
        ));
    };
    for one in &surroundings.relations {
        switch(&one.name, "trigger", &one.triggers);
    }
    switch(&column.relation, "rule", &surroundings.rules);
    (off, on)
}

/// Origin of the fill in the models.
pub(super) fn origin(fill: &Fill) -> &Origin {
    &fill.expression.origin
}

/// The statements that make a filled column NOT NULL: no value is missing any more.
///
/// An expression that gives NULL for a row is its author's responsibility.
pub(super) fn require(from: &Column, to: &Column, fill: &Fill, within: &Schema) -> Vec<Statement> {
    let required = alter::not_null_change(from, to, within).into_iter();
    required
        .map(|statement| {
            let told = statement.without(Hazard::may_fail);
            told.written_at(origin(fill))
        })
        .collect()
}
