//! Changes of a column in place, in the order in which Postgres takes them.

use super::super::Registered;
use super::super::catalog::parameter_changes;
use super::super::comment::Comment;
use super::super::extended_statistics::ExtendedStatistics;
use super::super::index::Index;
use super::super::inheritance::{Descending, Descent, Leading, lasting_parents, only};
use super::super::key_constraint::rename_constraint;
use super::super::owner::Owner;
use super::super::primary_key::PrimaryKey;
use super::super::sequence::Sequence;
use super::{
    Column, NotNull, arrival, fill,
    identity::{Identity, Retyped},
    retype::retype,
};
use crate::{
    Action, Alter, Hazard, Member, Name, Pass, Schema, Server, Statement, Unfilled,
    name::quoted_ident, object::Object,
};

/// The change from `from` to `to`.
pub(super) fn alter(from: &Column, to: &Column, old: &Schema, new: &Schema) -> Alter {
    let leads = |parent: &Name| Leading {
        had: old.get::<Column>(&from.of(parent)).is_some(),
        has: new.get::<Column>(&to.of(parent)).is_some(),
    };
    match from
        .descent
        .change(to.descent, &from.relation, old, new, leads)
    {
        Descending::ByItself => {}
        Descending::Anew => return Alter::Replace,
        Descending::Not(why) => return Alter::NotYet(why),
    }
    if from.partitions && (from.data_type != to.data_type || from.collation != to.collation) {
        return Alter::NotYet(
            "Postgres cannot change the type of a column that a table is partitioned by".to_owned(),
        );
    }
    let mut carried = from.carried(old, new);
    let ahead = rename_ahead(from, &mut carried, to);
    if is_renamed_below(&carried, to) && !lasting_parents(&from.relation, old, new).is_empty() {
        return Alter::NotYet(
            "Postgres cannot rename the constraint behind a NOT NULL that is inherited".to_owned(),
        );
    }
    match change(&carried, to, old, new) {
        Alter::InPlace(statements) => Alter::InPlace(ahead.into_iter().chain(statements).collect()),
        other @ (Alter::Replace | Alter::Rebuild { .. } | Alter::NotYet(_)) => other,
    }
}

/// True if a NOT NULL that is and stays inherited would need another name.
fn is_renamed_below(from: &Column, to: &Column) -> bool {
    let (Some(old), Some(new)) = (&from.not_null, &to.not_null) else {
        return false;
    };
    old.descent.is_inherited() && new.descent.is_inherited() && old.name != new.name
}

/// The statement that renames a NOT NULL that is about to be inherited: afterwards Postgres refuses to.
fn rename_ahead(from: &Column, carried: &mut Column, to: &Column) -> Option<Statement> {
    let (Some(own), Some(inherited), Some(next)) =
        (&from.not_null, &mut carried.not_null, &to.not_null)
    else {
        return None;
    };
    let is_about_to = !own.descent.is_inherited() && inherited.descent.is_inherited();
    if !is_about_to || own.name == next.name {
        return None;
    }
    inherited.name.clone_from(&next.name);
    Some(rename_not_null(own, next, to).ahead())
}

/// The change to `to` from `from`, as that is after the changes of the columns that it inherits from.
fn change(from: &Column, to: &Column, before: &Schema, within: &Schema) -> Alter {
    let Column {
        relation,
        name,
        data_type,
        base_type: _,
        checked: _,
        category: _,
        not_null,
        collation,
        identity,
        generated,
        storage: _,
        type_storage: _,
        compression: _,
        statistics: _,
        options: _,
        descent: _,
        partitions: _,
    } = from;
    let column = format!("ALTER TABLE {relation} ALTER COLUMN {}", quoted_ident(name));
    let mut statements = Vec::new();

    let retyped = *data_type != to.data_type || *collation != to.collation;
    match generated_change(from, to, &column, within) {
        // The values of a generated column are computed, so nothing is lost when it is made anew.
        Ok(_) if retyped && generated.is_some() && to.generated.is_some() => {
            return Alter::Replace;
        }
        Ok(change) => statements.extend(change),
        Err(otherwise) => return otherwise,
    }

    if identity.is_some() && to.identity.is_none() {
        let drop = Statement::new(
            format!("Drop the identity of {}", from.qualified()),
            format!("{column} DROP IDENTITY"),
        )
        .hazard(loses_count(from));
        statements.push(numbers_no_more(drop, to, within));
    }
    let key = from.key();
    if let (Some(old), Some(new)) = (identity, &to.identity) {
        match old.rename(new, &key) {
            Ok(rename) => statements.extend(rename),
            Err(why) => return Alter::NotYet(why),
        }
        if from.narrows_to(to) {
            statements.extend(identity_change(
                from,
                old,
                new,
                Retyped::Afterwards,
                &column,
            ));
        }
    }
    if retyped {
        match retype(from, to, before, within) {
            Ok(statement) => statements.push(statement),
            Err(why) => return Alter::NotYet(why),
        }
        let column = Column::id(key.clone());
        let rebuilt = within.users::<Index>(&column);
        statements.extend(rebuilt.flat_map(|index| index.restore_comments_below(within)));
    }
    match fill::of_required(from, to, within) {
        Some(fill) => {
            statements.extend(fill::nulls(to, fill, within));
            statements.extend(fill::require(from, to, fill, within));
        }
        None => statements.extend(not_null_change(from, to, within)),
    }
    if let Some(new) = &to.identity {
        match identity {
            None => statements.extend(identity_given(from, to, new, [before, within])),
            Some(_) if from.narrows_to(to) => {}
            Some(old) => {
                let retyped = if *data_type == to.data_type {
                    Retyped::No
                } else {
                    Retyped::Before
                };
                statements.extend(identity_change(from, old, new, retyped, &column));
            }
        }
    }
    // A new type comes with its own storage and compression.
    let bare = Column {
        storage: None,
        compression: None,
        not_null: not_null.clone(),
        ..from.clone()
    };
    let typed = if retyped { &bare } else { from };
    statements.extend(settings(typed, to, &only(relation, within)));
    Alter::InPlace(statements)
}

/// The statements for storage, compression, statistics and options; `table` as it stands after ALTER TABLE.
pub(super) fn settings(from: &Column, to: &Column, table: &str) -> Vec<Statement> {
    let column = format!(
        "ALTER TABLE {table} ALTER COLUMN {}",
        quoted_ident(&to.name)
    );
    let name = to.qualified();
    let mut statements = Vec::new();
    if from.storage != to.storage {
        let storage = to.storage.as_ref().unwrap_or(&to.type_storage);
        statements.push(Statement::new(
            format!("Change how {name} is stored"),
            format!("{column} SET STORAGE {storage}"),
        ));
    }
    if from.compression != to.compression {
        let compression = to.compression.as_deref().unwrap_or("default");
        statements.push(Statement::new(
            format!("Change how {name} is compressed"),
            format!("{column} SET COMPRESSION {compression}"),
        ));
    }
    if from.statistics != to.statistics {
        let target = to.statistics.unwrap_or(-1);
        statements.push(Statement::new(
            format!("Change the statistics target of {name}"),
            format!("{column} SET STATISTICS {target}"),
        ));
    }
    for change in parameter_changes(&from.options, &to.options) {
        statements.push(Statement::new(
            format!("Change options of {name}"),
            format!("{column} {change}"),
        ));
    }
    statements
}

/// The statements that give a column an identity; `schemas`: before and after.
fn identity_given(
    from: &Column,
    to: &Column,
    identity: &Identity,
    schemas: [&Schema; 2],
) -> Vec<Statement> {
    let ident = quoted_ident(&to.name);
    let add = Statement::new(
        format!("Give {} an identity", from.qualified()),
        format!(
            "ALTER TABLE {} ALTER COLUMN {ident} ADD {}",
            to.relation,
            identity.definition()
        ),
    );
    let [old, new] = schemas;
    match from.taken_over(to, old, new) {
        Some(sequence) => identity.take_over(sequence, &to.key(), add, schemas),
        None => vec![add, identity.count_on(&to.key())],
    }
}

/// The statement after which nothing but a default gives a value to a row that brings none.
fn numbers_no_more(statement: Statement, to: &Column, within: &Schema) -> Statement {
    if to.is_left_out_in_vain(within) {
        statement.hazard(leaves_out(to))
    } else {
        statement
    }
}

/// The statements that change how values are generated; `Err` where it takes more than that.
fn generated_change(
    from: &Column,
    to: &Column,
    column: &str,
    within: &Schema,
) -> Result<Vec<Statement>, Alter> {
    match (&from.generated, &to.generated) {
        (None, None) => Ok(Vec::new()),
        (Some(old), Some(new)) if old == new => Ok(Vec::new()),
        (Some(old), None) if old.stored => {
            let drop = Statement::new(
                format!("Let {} be an ordinary column", from.qualified()),
                format!("{column} DROP EXPRESSION"),
            );
            Ok(vec![numbers_no_more(drop, to, within)])
        }
        (Some(old), Some(new)) if old.stored == new.stored && within.server().at_least(17) => {
            let set = Statement::new(
                format!("Change the expression of {}", from.qualified()),
                format!("{column} SET EXPRESSION AS ({})", new.expression),
            )
            .disturbs([ExtendedStatistics::kind()]);
            Ok(vec![if old.stored {
                set.hazard(finds_no_value(from))
            } else {
                set
            }])
        }
        // PostgreSQL 18 has no DROP EXPRESSION for a virtual column. Nothing but a generated column can say what becomes of its
        // values: they are computed.
        (Some(_), None) | (Some(_) | None, Some(_)) => Err(Alter::Replace),
    }
}

/// The statements by which a column comes to require a value, or to require none.
pub(super) fn not_null_change(from: &Column, to: &Column, within: &Schema) -> Vec<Statement> {
    match (&from.not_null, &to.not_null) {
        (None, None) => Vec::new(),
        (None, Some(new)) => vec![require(to, new, within)],
        // An identity column cannot be nullable, so the identity is gone before this.
        (Some(_), None) => vec![allow_null(to)],
        (Some(old), Some(new)) if old.validated && !new.validated => {
            // A comment on the constraint is dropped with it.
            let anew = allow_null(to).disturbs([Comment::kind()]);
            vec![anew, require(to, new, within)]
        }
        (Some(old), Some(new)) => {
            let mut statements = keep_not_null(old, new, to);
            let adds = old.descent.is_only_inherited() && new.descent == Descent::Merged;
            if adds && !lasting_parents(&to.relation, within, within).is_empty() {
                statements.push(require(to, new, within));
            }
            statements
        }
    }
}

fn allow_null(column: &Column) -> Statement {
    Statement::new(
        format!("Allow NULL in {}", column.qualified()),
        format!(
            "ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
            column.relation,
            quoted_ident(&column.name)
        ),
    )
}

fn require(column: &Column, not_null: &NotNull, within: &Schema) -> Statement {
    let NotNull {
        name: _,
        validated,
        no_inherit,
        descent: _,
    } = not_null;
    let (table, ident) = (&column.relation, quoted_ident(&column.name));
    let name = column.written_name(not_null, within);
    let words = if name.is_none() && *validated && !no_inherit {
        format!("ALTER COLUMN {ident} SET NOT NULL")
    } else {
        let named = name.as_ref().map_or(String::new(), |name| {
            format!("CONSTRAINT {} ", quoted_ident(name))
        });
        let no_inherit = if *no_inherit { " NO INHERIT" } else { "" };
        let not_valid = if *validated { "" } else { " NOT VALID" };
        format!("ADD {named}NOT NULL {ident}{no_inherit}{not_valid}")
    };
    let nulls = Hazard::breaks_deployed(
        "leaves NULL in",
        column.qualified(),
        vec![Column::id(column.key())],
    );
    if !validated {
        let says = format!("Let no new NULL into {}", column.qualified());
        return Statement::new(says, format!("ALTER TABLE {table} {words}")).hazard(nulls);
    }
    let says = format!("Require a value in {}", column.qualified());
    Statement::of(says, Action::new(table, Pass::Constrain, words))
        .hazard(unless_filled(finds_null(column), column, within))
        .hazard(nulls)
}

/// The statements that change the constraint behind a NOT NULL, which PostgreSQL 18 has.
fn keep_not_null(old: &NotNull, new: &NotNull, column: &Column) -> Vec<Statement> {
    let table = &column.relation;
    let (from, to) = (
        quoted_ident(&old.name_of(column)),
        quoted_ident(&new.name_of(column)),
    );
    let mut statements = Vec::new();
    if from != to {
        statements.push(rename_not_null(old, new, column));
    }
    if old.no_inherit != new.no_inherit {
        let word = if new.no_inherit {
            "NO INHERIT"
        } else {
            "INHERIT"
        };
        statements.push(Statement::new(
            format!("Change whether constraint {to} of {table} is inherited"),
            format!("ALTER TABLE {table} ALTER CONSTRAINT {to} {word}"),
        ));
    }
    if !old.validated && new.validated {
        statements.push(
            Statement::of(
                format!("Require a value in {}", column.qualified()),
                Action::validate(table, &to),
            )
            .hazard(finds_null(column)),
        );
    }
    statements
}

fn rename_not_null(old: &NotNull, new: &NotNull, column: &Column) -> Statement {
    let constraint = Member::new(column.relation.clone(), old.name_of(column));
    rename_constraint(&constraint, &new.name_of(column))
}

fn finds_null(column: &Column) -> Hazard {
    Hazard::finds(format!(
        "SELECT * FROM {} WHERE {} IS NULL",
        column.relation,
        quoted_ident(&column.name)
    ))
}

/// The same failure with the words of a model that give a value to rows without one, where a column takes one.
pub(super) fn unless_filled(fails: Hazard, column: &Column, within: &Schema) -> Hazard {
    if column.generated.is_some() {
        return fails;
    }
    let id = Column::id(column.key());
    let is_key = within.users::<PrimaryKey>(&id).next().is_some();
    fails
        .or(format!(
            "#[model(fill = \"…\")] on the field of {} gives a value",
            column.qualified()
        ))
        .of_unfilled(Unfilled {
            never_null: is_key || arrival::takes_no_null(column, within),
            column: id,
        })
}

fn identity_change(
    from: &Column,
    old: &Identity,
    new: &Identity,
    retyped: Retyped,
    column: &str,
) -> Vec<Statement> {
    let mut statements: Vec<Statement> = old.step_forward(new, &from.key()).into_iter().collect();
    let changes = old.changes(new, retyped);
    if !changes.is_empty() {
        let change = Statement::new(
            format!("Change the identity of {}", from.qualified()),
            format!("{column} {}", changes.join(" ")),
        );
        let change = if new.is_bounded() {
            change.hazard(Hazard::MayFail {
                because: "if it stands beyond the new bounds".to_owned(),
            })
        } else {
            change
        };
        statements.push(if old.restarts(new) {
            change.hazard(loses_count(from))
        } else {
            change
        });
    }
    statements
}

/// The hazard of a column that every row must give a value from now on.
pub(super) fn leaves_out(column: &Column) -> Hazard {
    Hazard::breaks_deployed("leaves out", column.qualified(), Vec::new())
}

fn loses_count(column: &Column) -> Hazard {
    let what = format!("where the numbers of {} stand", column.qualified());
    Hazard::loses(Column::id(column.key()), what)
}

/// The hazard of computing a column for the rows that are there.
pub(super) fn finds_no_value(column: &Column) -> Hazard {
    Hazard::MayFail {
        because: format!(
            "if the expression of {} has no value for a row",
            column.qualified()
        ),
    }
}

impl Column {
    /// The like column of another table.
    fn of(&self, table: &Name) -> Member {
        Member::new(table.clone(), &self.name)
    }

    /// The column as it is after what is done to those that it inherits from.
    fn carried(&self, old: &Schema, new: &Schema) -> Self {
        let mut carried = self.clone();
        for parent in lasting_parents(&self.relation, old, new) {
            let leader = self.of(parent.name);
            if let (Some(from), Some(to)) = (old.get::<Self>(&leader), new.get::<Self>(&leader))
                && self.descent.is_inherited()
            {
                // The parent's new state already includes the changes of the tables above it.
                carried.follow_parent(from, to, new.server());
            }
        }
        carried
    }

    fn follow_parent(&mut self, from: &Self, to: &Self, server: Server) {
        if from.data_type != to.data_type || from.collation != to.collation {
            // A new type comes with its own storage and compression.
            *self = Self {
                data_type: to.data_type.clone(),
                base_type: to.base_type.clone(),
                checked: to.checked.clone(),
                category: to.category.clone(),
                collation: to.collation.clone(),
                type_storage: to.type_storage.clone(),
                storage: None,
                compression: None,
                ..self.clone()
            };
        }
        if from.generated != to.generated {
            self.generated.clone_from(&to.generated);
        }
        match (&from.not_null, &to.not_null) {
            (None, Some(not_null)) => {
                self.not_null = match self.not_null.take() {
                    Some(own) if server.at_least(18) => Some(NotNull {
                        descent: own.descent.with_parent(),
                        ..own
                    }),
                    Some(own) => Some(own),
                    None => not_null.handed_down(to, self, server),
                }
            }
            // Before 18 nothing tells the column's own from what it inherits.
            (Some(_), None) if !server.at_least(18) => self.not_null = None,
            (Some(_), None) => {
                self.not_null = self.not_null.take().and_then(|not_null| {
                    let descent = not_null.descent.without_parent()?;
                    Some(NotNull {
                        descent,
                        ..not_null
                    })
                });
            }
            (Some(old), Some(new)) => {
                let (was, is) = (old.name_of(from), new.name_of(to));
                let chosen = super::chosen_name(self);
                let called = self.not_null.as_ref().map(|own| own.name_of(self));
                if let Some(own) = &mut self.not_null {
                    if old.validated != new.validated {
                        own.validated = new.validated;
                    }
                    // Renaming the parent's constraint renames those that inherit it.
                    if was != is && own.descent.is_inherited() && called == Some(was) {
                        own.name = (is != chosen).then_some(is);
                    }
                }
            }
            (None, None) => {}
        }
    }

    /// The sequence that goes when the identity of `to` takes over its numbers.
    fn taken_over<'a>(&self, to: &Self, old: &'a Schema, new: &Schema) -> Option<&'a Sequence> {
        let (own, heir) = (Self::id(self.key()), Some(Self::id(to.key())));
        let mut owned = old.users::<Owner>(&own);
        owned.find_map(|owner| {
            let sequence = old.get::<Sequence>(&owner.key())?;
            (sequence.taken_over_by(old, new) == heir).then_some(sequence)
        })
    }

    /// True if its identity counts on where a sequence stands that numbers `from`.
    pub(in super::super) fn takes_over(&self, from: &Self, sequence: &Sequence) -> bool {
        from.identity.is_none()
            && !from.narrows_to(self)
            && self
                .identity
                .as_ref()
                .is_some_and(|identity| identity.reaches_all_of(sequence.options()))
    }

    /// True if the column's new type has fewer bytes.
    fn narrows_to(&self, to: &Self) -> bool {
        to.is_narrower_than(&self.base_type)
    }

    /// True if its type has fewer bytes than this.
    pub(super) fn is_narrower_than(&self, data_type: &str) -> bool {
        let width = |of: &str| {
            ["smallint", "integer", "bigint"]
                .iter()
                .position(|data_type| *data_type == of)
        };
        width(data_type) > width(&self.base_type)
    }

    /// The column with its table, for people.
    pub(super) fn qualified(&self) -> String {
        self.key().to_string()
    }
}
