//! Looks for the rows again: what is gone, and what is another than it was.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    result::Error,
    sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Text},
};

use super::shape::{self, Column, Sequence, Shape, Table};

/// All that a database holds, as text.
pub(super) struct Snapshot {
    pub(super) shape: Shape,
    rows: BTreeMap<i64, Vec<Row>>,
    sequences: BTreeMap<i64, Position>,
}

/// The values of the columns, in their order.
type Row = Vec<Option<String>>;

/// A table, a column or a sequence, by the number that stays when it is altered or renamed, and not when it is made anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) oid: i64,
    /// The column's number, or 0.
    pub(super) column: i32,
}

/// The effect of another run of the same statement on a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// More rows, and all that were there.
    Added,
    /// Fewer rows.
    Removed,
    /// Other values.
    Changed,
}

/// The difference between two memories, at places that held something.
#[derive(Default)]
pub(super) struct Difference {
    /// Lost places, each with the evidence.
    pub(super) lost: BTreeMap<Place, String>,
    /// The columns that have another type, and other texts from which nothing can be told.
    pub(super) open: BTreeSet<Place>,
    /// The columns whose type or values are other than they were.
    pub(super) changed: BTreeSet<Place>,
    /// Of what is gone, the sequences that an identity of the same column counts on for.
    pub(super) taken_over: BTreeSet<Place>,
}

#[derive(QueryableByName, Clone, Copy)]
struct Position {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = Bool)]
    called: bool,
}

#[derive(QueryableByName)]
struct RowOf {
    #[diesel(sql_type = Integer)]
    at: i32,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    row: Row,
}

/// The number of tables that one query reads.
const AT_ONCE: usize = 50;

/// Remembers everything.
pub(super) fn remember(connection: &mut PgConnection) -> QueryResult<Snapshot> {
    let shape = shape::read(connection)?;
    let mut rows = BTreeMap::new();
    let tables: Vec<&Table> = shape.tables.values().filter(|table| table.stores).collect();
    for tables in tables.chunks(AT_ONCE) {
        let selects: Vec<String> = tables
            .iter()
            .enumerate()
            .map(|(at, table)| select(at, table, shape.columns(table.oid), &BTreeMap::new()))
            .collect();
        let query = sql_query(selects.join(" UNION ALL "));
        let found = connection.transaction(|connection| query.load::<RowOf>(connection));
        let found = match found {
            // A virtual column whose expression fails for some row.
            Err(Error::DatabaseError(..)) => without_computed(connection, &shape, tables)?,
            found => found?,
        };
        for RowOf { at, row } in found {
            let table = usize::try_from(at).ok().and_then(|at| tables.get(at));
            if let Some(table) = table {
                rows.entry(table.oid).or_insert_with(Vec::new).push(row);
            }
        }
    }
    let mut sequences = BTreeMap::new();
    for some in shape.sequences.chunks(4 * AT_ONCE) {
        let selects: Vec<String> = some
            .iter()
            .map(|Sequence { oid, name, .. }| {
                format!(
                    "SELECT {oid}::int8 AS oid, last_value AS last, is_called AS called FROM {name}"
                )
            })
            .collect();
        let found: Vec<Position> = sql_query(selects.join(" UNION ALL ")).load(connection)?;
        sequences.extend(found.into_iter().map(|one| (one.oid, one)));
    }
    Ok(Snapshot {
        shape,
        rows,
        sequences,
    })
}

/// The rows of tables without what is computed from other columns.
fn without_computed(
    connection: &mut PgConnection,
    shape: &Shape,
    tables: &[&Table],
) -> QueryResult<Vec<RowOf>> {
    let selects = tables.iter().enumerate().map(|(at, table)| {
        let columns = shape.columns(table.oid).iter().map(|column| {
            let mut column = column.clone();
            if column.generated {
                "NULL".clone_into(&mut column.ident);
            }
            column
        });
        select(at, table, &columns.collect::<Vec<_>>(), &BTreeMap::new())
    });
    let selects: Vec<String> = selects.collect();
    sql_query(selects.join(" UNION ALL ")).load(connection)
}

/// The rows of a table; `types` says as what else than itself a column is to be read.
fn select(at: usize, table: &Table, columns: &[Column], types: &BTreeMap<i32, &str>) -> String {
    let values: Vec<String> = columns
        .iter()
        .map(|column| match types.get(&column.number) {
            Some(other) => format!("({}::{other})::text", column.ident),
            None => format!("{}::text", column.ident),
        })
        .collect();
    format!(
        "SELECT {at} AS at, ARRAY[{}]::text[] AS row FROM ONLY {}",
        values.join(", "),
        table.name
    )
}

impl Snapshot {
    /// True if there is nothing that could be lost.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.sequences.values().all(|position| !position.called)
    }

    /// The rows of a table.
    pub(super) fn rows(&self, table: i64) -> &[Row] {
        self.rows.get(&table).map_or(&[], Vec::as_slice)
    }

    /// Puts the sequences back to where they were when this was remembered.
    pub(super) fn restore_sequences(&self, connection: &mut PgConnection) -> QueryResult<()> {
        let stood: Vec<&Position> = self.sequences.values().collect();
        for some in stood.chunks(4 * AT_ONCE) {
            let set = some.iter().map(|Position { oid, last, called }| {
                format!("pg_catalog.setval({oid}::regclass, {last}, {called})")
            });
            let set: Vec<String> = set.collect();
            sql_query(format!("SELECT {}", set.join(", "))).execute(connection)?;
        }
        Ok(())
    }

    /// Every place that holds something.
    pub(super) fn places(&self) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for (table, rows) in &self.rows {
            places.insert(Place::whole(*table));
            for (at, column) in self.shape.columns(*table).iter().enumerate() {
                if rows.iter().any(|row| row[at].is_some()) {
                    places.insert(Place::column(*table, column));
                }
            }
        }
        let used = self.sequences.values().filter(|position| position.called);
        places.extend(used.map(|position| Place::whole(position.oid)));
        places
    }

    /// The sequences that no number was drawn from.
    pub(super) fn unused(&self) -> Vec<Place> {
        let unused = self.sequences.values().filter(|position| !position.called);
        unused.map(|position| Place::whole(position.oid)).collect()
    }

    /// Places at which another run of the same statements on the same rows had another result. Generated columns are left out.
    pub(super) fn changes(&self, other: &Self) -> BTreeMap<Place, Change> {
        let mut changes = BTreeMap::new();
        for table in self.shape.tables.keys() {
            let whole = Place::whole(*table);
            let (mine, others) = (self.stored(*table), other.stored(*table));
            if mine == others {
                continue;
            }
            if mine.len() > others.len() {
                changes.insert(whole, Change::Removed);
                continue;
            }
            if mine.len() < others.len() {
                changes.insert(whole, Change::Added);
            }
            let mut left = others.iter();
            if mine.iter().all(|row| left.any(|other| other == row)) {
                continue;
            }
            let columns = self.shape.columns(*table).iter().enumerate();
            let others: Vec<Place> = columns
                .filter(|(at, _)| values(&mine, *at) != values(&others, *at))
                .map(|(_, column)| Place::column(*table, column))
                .collect();
            let is_told = changes.contains_key(&whole);
            if others.is_empty() && !is_told {
                changes.insert(whole, Change::Changed);
            }
            changes.extend(others.into_iter().map(|place| (place, Change::Changed)));
        }
        changes
    }

    /// The rows of a table, sorted, without what is computed.
    fn stored(&self, table: i64) -> Vec<Row> {
        let columns = self.shape.columns(table);
        let stored = |row: &Row| {
            let values = row.iter().zip(columns);
            values
                .map(|(value, column)| value.clone().filter(|_| !column.generated))
                .collect()
        };
        let mut rows: Vec<Row> = self.rows(table).iter().map(stored).collect();
        rows.sort();
        rows
    }

    /// The number of NULLs in a column of some tables.
    pub(super) fn nulls(&self, names: &[&str], column: &str) -> usize {
        let tables = self.shape.tables.values();
        tables
            .filter(|table| names.contains(&table.name.as_str()))
            .map(|Table { oid: table, .. }| {
                let columns = self.shape.columns(*table);
                let at = columns.iter().position(|one| one.name == column);
                at.map_or(0, |at| nulls(&values(self.rows(*table), at)))
            })
            .sum()
    }

    /// True if a place is in one of these tables.
    pub(super) fn is_of(&self, place: Place, names: &[&str]) -> bool {
        let there = self.shape.tables.get(&place.oid);
        there.is_some_and(|there| names.contains(&there.name.as_str()))
    }

    /// A place in words.
    pub(super) fn name(&self, place: Place) -> String {
        if let Some(sequence) = self.shape.sequences.iter().find(|one| one.oid == place.oid) {
            return sequence.name.clone();
        }
        let table = self.shape.tables.get(&place.oid);
        let table = table.map_or_else(String::new, |table| table.name.clone());
        let columns = self.shape.columns(place.oid);
        match columns.iter().find(|column| column.number == place.column) {
            Some(column) => format!("{table}.{}", column.ident),
            None => table,
        }
    }

    /// The places of a later memory that are new and hold all values that this one holds at a place; `None` where some are nowhere.
    pub(super) fn heirs(&self, place: Place, after: &Self) -> Option<Vec<Place>> {
        let columns = self.shape.columns(place.oid).iter().enumerate();
        let lost = columns.filter(|(_, column)| {
            !column.generated && (place.column == 0 || place.column == column.number)
        });
        let mut heirs = Vec::new();
        for (at, _) in lost {
            let held = values(self.rows(place.oid), at);
            if held.iter().any(Option::is_some) {
                heirs.push(self.heir(&held, after)?);
            }
        }
        (!heirs.is_empty()).then_some(heirs)
    }

    fn heir(&self, held: &[Option<String>], after: &Self) -> Option<Place> {
        after.rows.iter().find_map(|(table, rows)| {
            let known = self.shape.columns(*table);
            let mut columns = after.shape.columns(*table).iter().enumerate();
            let heir = columns.find(|(at, column)| {
                let is_new = known.iter().all(|one| one.number != column.number);
                is_new && includes(&values(rows, *at), held)
            });
            heir.map(|(_, column)| Place::column(*table, column))
        })
    }

    /// The loss from this memory to a later one. The connection is to the database of the later one.
    pub(super) fn difference(
        &self,
        after: &Self,
        connection: &mut PgConnection,
    ) -> QueryResult<Difference> {
        let mut difference = Difference::default();
        for table in self.rows.keys() {
            let whole = Place::whole(*table);
            let (before, now) = (self.rows(*table), after.rows(*table));
            if !after.shape.tables.contains_key(table) {
                difference
                    .lost
                    .insert(whole, "the table is gone".to_owned());
            } else if before.len() == now.len() {
                self.table(after, *table, connection, &mut difference)?;
            } else {
                let counts = format!("there were {} rows and are {}", before.len(), now.len());
                difference.lost.insert(whole, counts);
            }
        }
        for sequence in &self.shape.sequences {
            let Some(old) = self.sequences.get(&sequence.oid).filter(|old| old.called) else {
                continue;
            };
            let is_same_way = |other: &&Sequence| {
                other.oid == sequence.oid && other.counts_up == sequence.counts_up
            };
            let stood = |position: &Position| (position.last, position.called);
            let why = match after.sequences.get(&sequence.oid) {
                None => "it is gone".to_owned(),
                Some(new) if after.shape.sequences.iter().any(|one| is_same_way(&one)) => {
                    let back = if sequence.counts_up {
                        stood(new) < stood(old)
                    } else {
                        new.last > old.last || new.last == old.last && !new.called
                    };
                    if !back {
                        continue;
                    }
                    format!("it stood at {} and stands at {}", old.last, new.last)
                }
                // One that counts the other way has no further and no back.
                Some(new) if stood(new) == stood(old) => continue,
                Some(new) => format!("it stood at {} and stands at {}", old.last, new.last),
            };
            let is_gone = !after.sequences.contains_key(&sequence.oid);
            if is_gone && after.takes_over(sequence, old) {
                difference.taken_over.insert(Place::whole(sequence.oid));
            }
            difference.lost.insert(Place::whole(sequence.oid), why);
        }
        Ok(difference)
    }

    /// True if an identity of the column that owned a sequence is at the same position.
    fn takes_over(&self, gone: &Sequence, stood: &Position) -> bool {
        let mut identities = self.shape.sequences.iter().filter(|one| one.is_identity);
        !gone.is_identity
            && gone.table.is_some()
            && identities.any(|one| {
                let heir = (one.table, one.column, one.counts_up);
                let stands = self.sequences.get(&one.oid);
                heir == (gone.table, gone.column, gone.counts_up)
                    && stands
                        .is_some_and(|now| (now.last, now.called) == (stood.last, stood.called))
            })
    }

    fn table(
        &self,
        after: &Self,
        table: i64,
        connection: &mut PgConnection,
        difference: &mut Difference,
    ) -> QueryResult<()> {
        let (columns, now) = (self.shape.columns(table), after.shape.columns(table));
        // Each column with the place of its values in the rows of then and of now.
        let mut survivors: Vec<(&Column, usize, usize)> = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let place = Place::column(table, column);
            let same = now.iter().position(|other| other.number == column.number);
            let values = values(self.rows(table), at);
            let held = values.iter().any(Option::is_some);
            match same {
                Some(same) if column.generated && now[same].generated => {}
                Some(same) => survivors.push((column, at, same)),
                None if !held => {}
                None if column.generated => {
                    // A generated column that became a plain one must hold the computed values.
                    let heir = now
                        .iter()
                        .position(|other| other.name == column.name && !other.generated);
                    let lost =
                        heir.is_some_and(|heir| self::values(after.rows(table), heir) != values);
                    if lost {
                        difference
                            .lost
                            .insert(place, "its computed values are gone".to_owned());
                    }
                }
                None => {
                    difference
                        .lost
                        .insert(place, "the column is gone".to_owned());
                }
            }
        }
        let read = self.read_as_before(after, table, &survivors, connection)?;
        let mut kept = Vec::new();
        for (column, at, same) in survivors {
            let place = Place::column(table, column);
            let (old, new) = (
                values(self.rows(table), at),
                values(after.rows(table), same),
            );
            let retyped =
                now[same].type_name != column.type_name || now[same].fields != column.fields;
            if old != new || retyped {
                difference.changed.insert(place);
            }
            if old == new {
                kept.push((at, same));
                continue;
            }
            let back = read.get(&column.number).map(|rows| values(rows, same));
            match back {
                Some(back) if back == old => {}
                None if retyped && nulls(&old) == nulls(&new) => {
                    difference.open.insert(place);
                }
                // NULLs that were filled are no loss.
                _ if includes(back.as_ref().unwrap_or(&new), &old) => {}
                _ => {
                    let gone = old
                        .iter()
                        .flatten()
                        .find(|value| !new.contains(&Some((*value).clone())));
                    let gone = gone.map_or("", String::as_str);
                    let why = format!("{gone:?} is not there any more");
                    difference.lost.insert(place, why);
                }
            }
        }
        let project = |rows: &[Row], pick: &dyn Fn(&(usize, usize)) -> usize| {
            let mut rows: Vec<Vec<Option<String>>> = rows
                .iter()
                .map(|row| kept.iter().map(|pair| row[pick(pair)].clone()).collect())
                .collect();
            rows.sort();
            rows
        };
        if project(self.rows(table), &|pair| pair.0) != project(after.rows(table), &|pair| pair.1) {
            let why = "values have come into other rows".to_owned();
            difference.lost.insert(Place::whole(table), why);
        }
        Ok(())
    }

    /// The rows of now with each column that has another type read as what it was, by the column's number, as far as
    /// Postgres knows a way back.
    fn read_as_before(
        &self,
        after: &Self,
        table: i64,
        survivors: &[(&Column, usize, usize)],
        connection: &mut PgConnection,
    ) -> QueryResult<BTreeMap<i32, Vec<Row>>> {
        let now = after.shape.columns(table);
        let mut read = BTreeMap::new();
        for (column, at, same) in survivors {
            let (old, new) = (
                values(self.rows(table), *at),
                values(after.rows(table), *same),
            );
            if old == new || column.type_name == now[*same].type_name {
                continue;
            }
            let types = BTreeMap::from([(column.number, column.type_name.as_str())]);
            let query = select(0, &after.shape.tables[&table], now, &types);
            let rows =
                connection.transaction(|connection| sql_query(query).load::<RowOf>(connection));
            match rows {
                Ok(rows) => {
                    read.insert(column.number, rows.into_iter().map(|one| one.row).collect());
                }
                Err(Error::DatabaseError(..)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }
}

impl Place {
    pub(super) fn whole(oid: i64) -> Self {
        Self { oid, column: 0 }
    }

    pub(super) fn column(oid: i64, column: &Column) -> Self {
        Self {
            oid,
            column: column.number,
        }
    }
}

/// The values of one column, sorted.
fn values(rows: &[Row], at: usize) -> Vec<Option<String>> {
    let mut values: Vec<Option<String>> = rows.iter().map(|row| row[at].clone()).collect();
    values.sort();
    values
}

fn nulls(values: &[Option<String>]) -> usize {
    values.iter().filter(|value| value.is_none()).count()
}

/// True if all old values are still there; both are sorted.
fn includes(new: &[Option<String>], old: &[Option<String>]) -> bool {
    let mut new = new.iter().flatten();
    old.iter()
        .flatten()
        .all(|value| new.any(|other| other == value))
}
