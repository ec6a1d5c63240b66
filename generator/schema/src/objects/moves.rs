//! Examples of statements that move rows from what goes to what comes, guessed from names and foreign keys: for a person, who
//! knows what belongs where.

use std::collections::BTreeMap;

use super::{
    Registered, column::Column, default::Default, exclusion::Exclusion, foreign_key::ForeignKey,
    primary_key::PrimaryKey, table::Table, unique::Unique,
};
use crate::{Id, Name, Schema, name::quoted_ident, object::Object};

/// Stands where only a person knows the value.
const UNKNOWN: &str = "…";

/// One statement for each pair of tables of which the one loses columns that the other gets, on the way from one schema to the
/// other; it runs while both are there. A statement with `…` in it is to be filled in.
#[must_use]
pub fn moves(from: &Schema, to: &Schema) -> Vec<String> {
    let (gone, new) = (only_in(from, to), only_in(to, from));
    let mut all = Vec::new();
    for (target, columns) in &new {
        let is_new = from.entry(&Table::id(target.clone())).is_none();
        let mut found: Vec<String> = gone
            .iter()
            .filter(|(source, _)| *source != target)
            .filter_map(|(source, lost)| {
                let between = Move {
                    source,
                    target,
                    shared: shared(columns, lost),
                };
                if between.shared.is_empty() {
                    None
                } else if is_new {
                    Some(between.insert(columns, to))
                } else {
                    Some(between.update(from, to))
                }
            })
            .collect();
        if found.is_empty() && gone.contains_key(target) {
            let set = columns
                .iter()
                .map(|column| format!("{} = {UNKNOWN}", ident(column)));
            let set: Vec<String> = set.collect();
            found.push(format!("UPDATE {target} SET {};", set.join(", ")));
        }
        all.append(&mut found);
    }
    all
}

/// True if something may wait for the commit once rows are written: Postgres alters no table for which something waits.
#[must_use]
pub fn waits(schema: &Schema) -> bool {
    let mut entries = schema.entries().map(|(_, entry)| &entry.object);
    let waits = entries.any(|object| {
        ForeignKey::of(object).is_some_and(ForeignKey::is_deferred)
            || PrimaryKey::of(object).is_some_and(PrimaryKey::is_deferred)
            || Unique::of(object).is_some_and(Unique::is_deferred)
            || Exclusion::of(object).is_some_and(Exclusion::is_deferred)
    });
    let mut unread = schema.unread().iter().flat_map(|one| &one.definition);
    waits || unread.any(|sql| sql.starts_with("CREATE CONSTRAINT TRIGGER"))
}

/// The columns that only one of two schemas has and that do not fill themselves, by table, in their order.
fn only_in<'a>(schema: &'a Schema, other: &Schema) -> BTreeMap<Name, Vec<&'a Column>> {
    let mut found: BTreeMap<Name, Vec<(i32, &Column)>> = BTreeMap::new();
    for (id, entry) in schema.entries() {
        let column = Column::of(&entry.object).filter(|column| !column.fills_itself());
        if let Some(column) = column.filter(|_| other.entry(id).is_none()) {
            let columns = found.entry(column.key().relation).or_default();
            columns.push((entry.position(), column));
        }
    }
    let ordered = found.into_iter().map(|(table, mut columns)| {
        columns.sort_by_key(|(position, _)| *position);
        (table, columns.into_iter().map(|(_, one)| one).collect())
    });
    ordered.collect()
}

fn shared<'a>(columns: &[&'a Column], lost: &[&Column]) -> Vec<&'a Column> {
    let is_lost = |column: &&&Column| lost.iter().any(|one| one.key().name == column.key().name);
    columns.iter().filter(is_lost).copied().collect()
}

fn ident(column: &Column) -> String {
    quoted_ident(&column.key().name)
}

/// Values of one table that go to another.
struct Move<'a> {
    source: &'a Name,
    target: &'a Name,
    shared: Vec<&'a Column>,
}

impl Move<'_> {
    /// For a table that is new.
    fn insert(&self, columns: &[&Column], to: &Schema) -> String {
        let Self {
            source,
            target,
            shared,
        } = self;
        let links = links(to, target, source).unwrap_or_default();
        let value = |column: &&Column| {
            let name = column.key().name;
            if shared.iter().any(|one| one.key() == column.key()) {
                return Some(quoted_ident(&name));
            }
            if let Some((_, other)) = links.iter().find(|(own, _)| *own == name) {
                return Some(quoted_ident(other));
            }
            let has_default = to.get::<Default>(&column.key()).is_some();
            (column.is_required() && !has_default).then(|| UNKNOWN.to_owned())
        };
        let pairs = columns
            .iter()
            .filter_map(|column| Some((ident(column), value(column)?)));
        let (names, values): (Vec<String>, Vec<String>) = pairs.unzip();
        format!(
            "INSERT INTO {target} ({}) SELECT {} FROM {source};",
            names.join(", "),
            values.join(", ")
        )
    }

    /// For new columns of a table that is there.
    fn update(&self, from: &Schema, to: &Schema) -> String {
        let Self {
            source,
            target,
            shared,
        } = self;
        let set = shared
            .iter()
            .map(|column| format!("{0} = source.{0}", ident(column)));
        let set: Vec<String> = set.collect();
        let own = quoted_ident(&target.name);
        let [towards, away] = [(source, target), (target, source)]
            .map(|(one, other)| links(from, one, other).or_else(|| links(to, one, other)));
        let joined = match (towards, away) {
            (Some(links), _) => on("source", &own, &links),
            (None, Some(links)) => on(&own, "source", &links),
            (None, None) => UNKNOWN.to_owned(),
        };
        format!(
            "UPDATE {target} SET {} FROM {source} source WHERE {joined};",
            set.join(", ")
        )
    }
}

/// The columns of a foreign key from one table to another, where there is just one.
fn links<'a>(schema: &'a Schema, table: &Name, other: &Name) -> Option<Vec<(&'a str, &'a str)>> {
    let id: Id = Table::id(table.clone());
    let mut found = schema
        .parts::<ForeignKey>(&id)
        .filter_map(|key| key.links(table, other));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn on(one: &str, other: &str, links: &[(&str, &str)]) -> String {
    let pairs = links.iter().map(|(own, referenced)| {
        format!(
            "{one}.{} = {other}.{}",
            quoted_ident(own),
            quoted_ident(referenced)
        )
    });
    pairs.collect::<Vec<_>>().join(" AND ")
}
