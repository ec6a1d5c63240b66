//! Puts rows into every table that takes some.

mod circles;
mod guards;
mod planted;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::Error,
    sql_query,
    sql_types::{Array, BigInt, Integer},
};
use trueup::name::literal;

use super::{
    hints,
    ranges::Ranges,
    shape::{Column, Constraint, Shape, Table},
    values::{GUESSES, Range, Values},
};
use guards::Guards;
use search::Search;

/// The number of tries before a table is given up.
const TRIES: usize = 200;
/// The number of tries for a row after the first.
const FURTHER_TRIES: usize = 30;
/// The number of tries in all.
const ALL_TRIES: usize = 5_000;
/// As many rows as a long enum has labels.
const ROWS_AT_MOST: usize = 16;
const ROWS: usize = 4;

/// The result of generating rows.
#[derive(Default)]
pub(super) struct Generated {
    /// The rows in each table, those that were there before included.
    pub(super) rows: BTreeMap<i64, usize>,
    /// The tables that had rows before.
    pub(super) found: BTreeSet<i64>,
    /// The tables that took all that was offered, or had rows.
    pub(super) whole: BTreeSet<i64>,
    /// The tables that have none, and why.
    pub(super) bare: BTreeMap<i64, String>,
    /// The tables whose triggers or rules let no row in, and were off while rows came.
    pub(super) quiet: BTreeSet<i64>,
}

/// Sows all tables, in the order in which foreign keys allow it. Nothing in the rows is left to chance.
pub(super) fn generate(
    connection: &mut PgConnection,
    shape: &Shape,
    ranges: &Ranges,
) -> QueryResult<Generated> {
    // Otherwise a deferred constraint would fail only at the end, too late for another try.
    connection.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
    connection.batch_execute(HOLDING)?;
    let mut sowing = Sowing {
        shape,
        guards: guards::read(connection)?,
        ranges,
        values: Values::new(shape),
        generated: Generated::default(),
        tries: 0,
    };
    sowing.count(connection)?;
    sowing.find_out(connection);
    let untouched = sowing.generated.rows.is_empty();
    let order = order(shape);
    sowing.all(connection, &order);
    let bare = sowing.generated.bare.keys().copied().collect();
    let mut circles = circles::circles(shape, &bare).into_iter();
    if circles.any(|circle| sowing.circle(connection, &circle)) {
        for circle in circles {
            sowing.circle(connection, &circle);
        }
        // Rows that reference those tables are possible now.
        sowing.all(connection, &order);
    }
    sowing.settle(connection)?;
    connection.batch_execute("DROP FUNCTION pg_temp.trueup_holding(text[])")?;
    if untouched {
        advance(connection, shape)?;
    }
    Ok(sowing.generated)
}

struct Sowing<'a> {
    shape: &'a Shape,
    ranges: &'a Ranges,
    values: Values<'a>,
    generated: Generated,
    tries: usize,
    guards: BTreeMap<i64, Guards>,
}

/// One column of the rows that are put into a table, with all that may stand there.
struct Choice<'a> {
    column: &'a Column,
    /// SQL expressions, those that are likelier to pass the constraints first.
    options: Vec<String>,
    /// The number of options meant for the first attempt.
    first: usize,
    range: Range,
}

impl Choice<'_> {
    fn at(&self, row: usize) -> &str {
        let option = self.options.get(row % self.first.max(1));
        option.map_or("DEFAULT", String::as_str)
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    table: i64,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

#[derive(QueryableByName)]
struct Holding {
    #[diesel(sql_type = Array<Integer>)]
    places: Vec<i32>,
}

/// The places of the conditions that hold. One that cannot be computed does not.
const HOLDING: &str = r"
CREATE FUNCTION pg_temp.trueup_holding(conditions text[]) RETURNS integer[] LANGUAGE plpgsql AS $trueup$
DECLARE
    places integer[] := '{}';
    holds boolean;
BEGIN
    FOR place IN 1 .. pg_catalog.cardinality(conditions) LOOP
        BEGIN
            EXECUTE conditions[place] INTO holds;
            IF holds THEN
                places := places || place;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
    RETURN places;
END
$trueup$";

impl<'a> Sowing<'a> {
    /// Counts the rows that are there: migrations and files may bring some, and where they do, they are enough.
    fn count(&mut self, connection: &mut PgConnection) -> QueryResult<()> {
        for (table, rows) in self.counts(connection)? {
            self.generated.rows.insert(table, rows);
            self.generated.whole.insert(table);
            self.generated.found.insert(table);
        }
        Ok(())
    }

    /// Counts again: triggers put rows into other tables, and rules and triggers may keep a row out without a word.
    fn settle(&mut self, connection: &mut PgConnection) -> QueryResult<()> {
        if self.guards.is_empty() {
            return Ok(());
        }
        let mut counts = self.counts(connection)?;
        let brought = counts.keys().copied().filter(|table| {
            let is_out = self.ranges.of(*table, 0) == Range::None;
            is_out && !self.generated.found.contains(table)
        });
        let brought: Vec<i64> = brought.collect();
        for table in &brought {
            self.clear(connection, *table);
        }
        if !brought.is_empty() {
            counts = self.counts(connection)?;
        }
        let said = std::mem::take(&mut self.generated.rows);
        for table in said.keys().filter(|table| !counts.contains_key(table)) {
            let why = if brought.is_empty() {
                "its triggers or rules keep no row"
            } else {
                "its rows refer to some that are out"
            };
            self.generated.bare.insert(*table, why.to_owned());
            self.generated.whole.remove(table);
        }
        self.generated.rows = counts;
        Ok(())
    }

    /// Takes out the rows that triggers brought into a table which is to have none, and those that refer to them.
    fn clear(&self, connection: &mut PgConnection, table: i64) {
        let name = &self.shape.tables[&table].name;
        let switched = |how: &dyn Fn(&Guards, &str) -> String| {
            let guards = self.guards.iter();
            let tables =
                guards.filter_map(|(oid, guards)| Some((self.shape.tables.get(oid)?, guards)));
            let each = tables.map(|(table, guards)| how(guards, &table.name));
            each.collect::<Vec<_>>().join("; ")
        };
        let (off, on) = (switched(&Guards::off), switched(&Guards::on));
        let without = |delete: String| format!("{off}; {delete}; {on}");
        if attempt(connection, &without(format!("DELETE FROM {name}"))).is_err() {
            // The counts show whether it succeeded.
            let _ = attempt(connection, &without(format!("TRUNCATE {name} CASCADE")));
        }
    }

    /// The number of rows of each table that has some.
    fn counts(&self, connection: &mut PgConnection) -> QueryResult<BTreeMap<i64, usize>> {
        let mut found = BTreeMap::new();
        let tables: Vec<&Table> = self.shape.tables.values().collect();
        for tables in tables.chunks(100) {
            let selects: Vec<String> = tables
                .iter()
                .map(|Table { oid, name, .. }| {
                    format!("SELECT {oid}::int8 AS table, count(*) AS rows FROM {name}")
                })
                .collect();
            let counts: Vec<Count> = sql_query(selects.join(" UNION ALL ")).load(connection)?;
            for Count { table, rows } in counts {
                if rows > 0 {
                    found.insert(table, usize::try_from(rows).unwrap_or(usize::MAX));
                }
            }
        }
        Ok(found)
    }

    /// Finds out what the types take that are not Postgres' own.
    fn find_out(&mut self, connection: &mut PgConnection) {
        let mut unknown = BTreeMap::new();
        for table in self.shape.tables.keys() {
            for column in self.shape.columns(*table) {
                self.values.unknown(column.type_oid, &mut unknown);
            }
        }
        for (oid, name) in unknown {
            let taken = GUESSES.iter().filter(|guess| {
                attempt(connection, &format!("SELECT {}::{name}", literal(guess))).is_ok()
            });
            let taken = taken.map(|guess| (*guess).to_owned()).collect();
            self.values.tried.insert(oid, taken);
        }
    }

    /// Puts rows into all tables that have none.
    fn all(&mut self, connection: &mut PgConnection, order: &[i64]) {
        for table in order {
            if !self.generated.rows.contains_key(table) {
                self.table(connection, &self.shape.tables[table]);
            }
        }
    }

    fn table(&mut self, connection: &mut PgConnection, table: &Table) {
        if !table.whole || self.ranges.of(table.oid, 0) == Range::None {
            return;
        }
        let wanted = self.wanted(table);
        let choices = match self.choices(connection, table, wanted) {
            Ok(choices) => choices,
            Err(why) => {
                self.generated.bare.insert(table.oid, why);
                return;
            }
        };
        let rows: Vec<Vec<&str>> = (0..wanted)
            .map(|row| choices.iter().map(|choice| choice.at(row)).collect())
            .chain([choices.iter().map(|choice| last(choice, wanted)).collect()])
            .collect();
        let guarded = self.guards.contains_key(&table.oid);
        let refused = match self.rows(connection, table, &choices, &rows) {
            Ok(taken) if !guarded || has_rows(connection, table) => {
                self.taken(table, taken, rows.len());
                let planted = self.plant(connection, table, &choices, rows.len());
                if let Some(rows) = self.generated.rows.get_mut(&table.oid) {
                    *rows += planted;
                }
                return;
            }
            Ok(_) => "its triggers or rules keep no row".to_owned(),
            // A trigger of another table has brought some, which are in the way of others.
            Err(_) if !self.guards.is_empty() && has_rows(connection, table) => {
                self.generated.bare.remove(&table.oid);
                self.generated.rows.insert(table.oid, 1);
                return;
            }
            Err(error) => message(&error),
        };
        let mut kept = 0;
        if let Some(guards) = self.guards.get(&table.oid) {
            let (off, on) = (guards.off(&table.name), guards.on(&table.name));
            if attempt(connection, &off).is_ok() {
                kept = self.rows(connection, table, &choices, &rows).unwrap_or(0);
                if attempt(connection, &on).is_err() {
                    // They must not stay off: without rows there is less to say, and nothing wrong.
                    kept = 0;
                }
            }
        }
        if kept > 0 {
            self.generated.quiet.insert(table.oid);
            self.taken(table, kept, rows.len());
        } else {
            self.generated.bare.insert(table.oid, refused);
        }
    }

    fn taken(&mut self, table: &Table, taken: usize, offered: usize) {
        self.generated.bare.remove(&table.oid);
        self.generated.rows.insert(table.oid, taken);
        if taken == offered {
            self.generated.whole.insert(table.oid);
        }
    }

    /// Puts rows into a table, and returns how many it took.
    fn rows(
        &mut self,
        connection: &mut PgConnection,
        table: &Table,
        choices: &[Choice<'_>],
        rows: &[Vec<&str>],
    ) -> QueryResult<usize> {
        self.tries += 1;
        let error = match attempt(connection, &insert(table, choices, rows)) {
            Ok(()) => return Ok(rows.len()),
            Err(error) => error,
        };
        let mut search = Search {
            table,
            shape: self.shape,
            choices,
            blamed: Vec::new(),
        };
        let mut taken = 0;
        let mut missed = 0;
        let mut why = error;
        for row in 0..rows.len() {
            let budget = if taken == 0 { TRIES } else { FURTHER_TRIES };
            match search.row(
                connection,
                rows,
                row,
                budget.min(ALL_TRIES.saturating_sub(self.tries)),
            ) {
                (tries, None) => {
                    taken += 1;
                    self.tries += tries;
                }
                (tries, Some(error)) => {
                    self.tries += tries;
                    missed += 1;
                    why = error;
                }
            }
            if missed > 2 {
                break;
            }
        }
        if taken == 0 { Err(why) } else { Ok(taken) }
    }

    /// The number of rows that cover all values of a table's columns, without the additional row of NULLs.
    fn wanted(&self, table: &Table) -> usize {
        let labels = self.shape.columns(table.oid).iter().map(|column| {
            let one = self.shape.types.get(&column.type_oid);
            one.map_or(0, |one| one.labels.len())
        });
        let columns = self.shape.columns(table.oid).iter();
        let near = columns.map(|column| self.near(table, column).len()).max();
        labels
            .max()
            .unwrap_or(0)
            .clamp(ROWS + near.unwrap_or(0), ROWS_AT_MOST)
    }

    fn choices(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        wanted: usize,
    ) -> Result<Vec<Choice<'a>>, String> {
        self.choices_in(connection, table, wanted, &BTreeSet::new())
    }

    /// The same for a table in a circle, whose tables get their rows at once.
    fn choices_in(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        wanted: usize,
        circle: &BTreeSet<i64>,
    ) -> Result<Vec<Choice<'a>>, String> {
        let mut choices = Vec::new();
        for column in self.shape.columns(table.oid) {
            if column.generated {
                continue;
            }
            let range = self.ranges.of(table.oid, column.number);
            let referred = self.referred(table, column, wanted, circle)?;
            let mut options =
                referred.unwrap_or_else(|| self.with_near(table, column, range, wanted));
            let mut first = options.len();
            if options.is_empty() {
                options.push("DEFAULT".to_owned());
            }
            let mut doubtful = self.shape.domains.contains_key(&column.type_oid);
            if !column.numbered {
                let likelier = self.likelier(table, column);
                doubtful |= !likelier.is_empty();
                options.extend(likelier);
            }
            if let Some(passing) = self.passing(connection, table, column, &options, doubtful) {
                options = passing;
                first = options.len().min(wanted + 1);
            }
            if !column.required && !column.numbered {
                options.push("NULL".to_owned());
            }
            choices.push(Choice {
                column,
                options,
                first,
                range,
            });
        }
        Ok(choices)
    }

    /// Values for a column, those first that a coarser type would not tell apart.
    fn with_near(
        &self,
        table: &Table,
        column: &Column,
        range: Range,
        wanted: usize,
    ) -> Vec<String> {
        let near = self.near(table, column);
        let others = self.constants(column, range, wanted.saturating_sub(near.len()));
        let others = others.into_iter().filter(|one| !near.contains(one));
        let others: Vec<String> = others.collect();
        near.into_iter().chain(others).collect()
    }

    /// Values for a column that must tell rows apart, which a coarser type does not.
    fn near(&self, table: &Table, column: &Column) -> Vec<String> {
        let is_extreme = self.ranges.of(table.oid, column.number) == Range::Extreme;
        if !column.unique || column.numbered || !is_extreme {
            return Vec::new();
        }
        let values = self.values.near(column);
        values.iter().map(|value| literal(value)).collect()
    }

    fn constants(&self, column: &Column, range: Range, wanted: usize) -> Vec<String> {
        let values = self.values.of_column(column, range, wanted + 1);
        values.iter().map(|value| literal(value)).collect()
    }

    /// Of the values for a column those that are of its type and that the checks on it alone let pass, as Postgres finds;
    /// `None` where there is no check and no doubt, or none passes.
    fn passing(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        column: &Column,
        options: &[String],
        doubtful: bool,
    ) -> Option<Vec<String>> {
        let alone = |constraint: &&Constraint| constraint.columns == [column.number];
        let checks: Vec<String> = table
            .constraints
            .0
            .iter()
            .filter(alone)
            .filter_map(|constraint| constraint.compares.as_deref()?.strip_prefix("SELECT "))
            .map(|check| format!("COALESCE({check}, true)"))
            .collect();
        if checks.is_empty() && !doubtful || options.iter().any(|option| option == "DEFAULT") {
            return None;
        }
        let is_text = self.shape.types.get(&column.type_oid)?.category == "S";
        let length = column
            .modifier
            .checked_sub(4)
            .filter(|length| is_text && *length > 0);
        let conditions: Vec<String> = options
            .iter()
            .map(|option| {
                let (of, name) = (&column.type_name, &column.ident);
                // A cast cuts what is too long, and an INSERT refuses it.
                let fits = length
                    .map(|length| format!("pg_catalog.char_length(({option})::text) <= {length}"));
                // Else Postgres would not compute what nobody looks at.
                let is_one = format!("pg_catalog.num_nulls(o.{name}) >= 0");
                let all: Vec<String> = [is_one]
                    .into_iter()
                    .chain(fits)
                    .chain(checks.clone())
                    .collect();
                literal(&format!(
                    "SELECT {} FROM (SELECT {option}::{of} AS {name} OFFSET 0) o",
                    all.join(" AND ")
                ))
            })
            .collect();
        let query = format!(
            "SELECT pg_temp.trueup_holding(ARRAY[{}]::text[]) AS places",
            conditions.join(", ")
        );
        let found: QueryResult<Holding> =
            connection.transaction(|connection| sql_query(query).get_result(connection));
        let places = found.ok()?.places.into_iter();
        let places = places.filter_map(|place| usize::try_from(place).ok()?.checked_sub(1));
        let passing: Vec<String> = places.filter_map(|at| options.get(at).cloned()).collect();
        (!passing.is_empty()).then_some(passing)
    }

    /// SQL of values that the constraints on a column compare with.
    fn likelier(&self, table: &Table, column: &Column) -> Vec<String> {
        let Some(is) = self.shape.types.get(&column.type_oid) else {
            return Vec::new();
        };
        let of_domain = self.shape.domains.get(&column.type_oid);
        let on_table = table
            .constraints
            .0
            .iter()
            .filter(|constraint| constraint.columns.contains(&column.number));
        let compared = of_domain
            .into_iter()
            .flatten()
            .chain(on_table)
            .filter_map(|constraint| Some((constraint.compares.as_deref()?, &constraint.bodies.0)));
        let mut taken: Vec<String> = compared
            .flat_map(|(compares, bodies)| hints::of(compares, bodies, is))
            .collect();
        // Plain ones too, lest all of the wild ones be refused.
        if !taken.is_empty() {
            let plain = self.values.of_column(column, Range::Plain, 5);
            taken.extend(plain.iter().map(|value| literal(value)));
        }
        taken
    }

    /// For the column of a foreign key, the values of the rows that it may refer to.
    fn referred(
        &self,
        table: &Table,
        column: &Column,
        wanted: usize,
        circle: &BTreeSet<i64>,
    ) -> Result<Option<Vec<String>>, String> {
        let key = table.constraints.0.iter().find_map(|constraint| {
            let target = constraint.target?;
            let at = constraint
                .columns
                .iter()
                .position(|number| *number == column.number)?;
            Some((target, *constraint.target_columns.get(at)?))
        });
        let Some((target, number)) = key else {
            return Ok(None);
        };
        let (Some(target), Some(referred)) = (
            self.shape.tables.get(&target),
            self.shape
                .columns(target)
                .iter()
                .find(|column| column.number == number),
        ) else {
            return Ok(None);
        };
        let rows = self.generated.rows.get(&target.oid).copied().unwrap_or(0);
        if rows == 0 && (target.oid == table.oid || circle.contains(&target.oid)) {
            // A row may refer to itself, and rows of a circle to each other.
            return Ok(Some(if column.required {
                self.constants(referred, self.ranges.of(target.oid, number), wanted)
            } else {
                vec!["NULL".to_owned()]
            }));
        }
        if rows == 0 && column.required {
            return Err(format!("it refers to {}, which has none", target.name));
        }
        let one = |row: usize| {
            format!(
                "(SELECT r.{} FROM {} r ORDER BY r.tableoid, r.ctid OFFSET {row} LIMIT 1)",
                referred.ident, target.name
            )
        };
        let options: Vec<String> = (0..rows.min(wanted)).map(one).collect();
        Ok(Some(if options.is_empty() {
            vec!["NULL".to_owned()]
        } else {
            options
        }))
    }
}

/// True if the table has a row. Only triggers and rules can make another answer of what Postgres took.
fn has_rows(connection: &mut PgConnection, table: &Table) -> bool {
    let query = format!(
        "SELECT {}::int8 AS table, count(*) AS rows FROM {}",
        table.oid, table.name
    );
    let counted =
        connection.transaction(|connection| sql_query(query).get_result::<Count>(connection));
    counted.is_ok_and(|counted| counted.rows > 0)
}

/// The value in the last row, which has as few as can be.
fn last<'a>(choice: &'a Choice<'_>, row: usize) -> &'a str {
    let null = choice.options.last().filter(|option| *option == "NULL");
    match null {
        Some(null) if choice.range == Range::Extreme => null,
        Some(_) | None => choice.at(row),
    }
}

fn insert(table: &Table, choices: &[Choice<'_>], rows: &[Vec<&str>]) -> String {
    if choices.is_empty() {
        return format!("INSERT INTO {} DEFAULT VALUES", table.name);
    }
    let columns: Vec<&str> = choices
        .iter()
        .map(|choice| choice.column.ident.as_str())
        .collect();
    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("({})", row.join(", ")))
        .collect();
    format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {}",
        table.name,
        columns.join(", "),
        rows.join(", ")
    )
}

/// Runs a statement so that its failure leaves what was there before.
fn attempt(connection: &mut PgConnection, sql: &str) -> QueryResult<()> {
    connection.transaction(|connection| connection.batch_execute(sql))
}

pub(super) fn message(error: &Error) -> String {
    if let Error::DatabaseError(_, said) = error {
        return said.message().to_owned();
    }
    error.to_string()
}

/// Draws some numbers from every sequence: one that was never used has nothing to lose.
fn advance(connection: &mut PgConnection, shape: &Shape) -> QueryResult<()> {
    if shape.sequences.is_empty() {
        return Ok(());
    }
    let draws = ROWS_AT_MOST + 1;
    let draw = format!(
        "SELECT pg_catalog.count(pg_catalog.nextval(seqrelid::regclass))
        FROM pg_catalog.pg_sequence, pg_catalog.generate_series(1, {draws})
        WHERE seqrelid >= 16384 AND (seqcycle OR CASE WHEN seqincrement > 0
            THEN seqstart::numeric + seqincrement * {draws} < seqmax
            ELSE seqstart::numeric + seqincrement * {draws} > seqmin END)"
    );
    match attempt(connection, &draw) {
        // One that stands at its end already gives no more.
        Ok(()) | Err(Error::DatabaseError(..)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The tables, each after those that its foreign keys refer to; in a circle, a key that may be NULL waits.
fn order(shape: &Shape) -> Vec<i64> {
    let refers = |table: &Table, required: bool| -> BTreeSet<i64> {
        let keys = table.constraints.0.iter().filter(|constraint| {
            !required
                || constraint.columns.iter().any(|number| {
                    let columns = shape.columns(table.oid);
                    columns
                        .iter()
                        .any(|column| column.number == *number && column.required)
                })
        });
        keys.filter_map(|constraint| constraint.target)
            .filter(|target| *target != table.oid && shape.tables.contains_key(target))
            .collect()
    };
    let all: BTreeMap<i64, BTreeSet<i64>> = shape
        .tables
        .iter()
        .map(|(oid, table)| (*oid, refers(table, false)))
        .collect();
    let mut left: BTreeSet<i64> = shape.tables.keys().copied().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let ready: Vec<i64> = left
            .iter()
            .filter(|oid| all[oid].is_disjoint(&left))
            .copied()
            .collect();
        let next = if ready.is_empty() {
            let required = |oid: &&i64| refers(&shape.tables[oid], true).is_disjoint(&left);
            let one = left.iter().find(required).or_else(|| left.first());
            one.copied().into_iter().collect()
        } else {
            ready
        };
        for oid in &next {
            left.remove(oid);
        }
        ordered.extend(next);
    }
    ordered
}
