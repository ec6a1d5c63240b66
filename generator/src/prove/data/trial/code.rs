//! Finds out what triggers and rules do while a statement fills rows: it runs once with them, once without, and once with
//! each of them alone.

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    result::Error as SqlError, sql_query, sql_types::Text,
};
use pg_query::NodeEnum;
use trueup::{Hazard, Id, Schema, name::quoted_ident};

use super::{Map, RowsTrial, bound};
use crate::{
    Error, ErrorKind,
    postgres::connection::first_node,
    prove::data::{
        Run, Told,
        generate::message,
        ranges::Subject,
        snapshot::{Change, Place, Snapshot, remember},
    },
};

/// A trigger or a rule that an UPDATE runs.
#[derive(QueryableByName, PartialEq, Eq)]
pub(super) struct Code {
    /// Its table, qualified and quoted.
    #[diesel(sql_type = Text)]
    table: String,
    /// `trigger` or `rule`.
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
}

impl Code {
    fn disable(&self) -> String {
        let Self { table, kind, name } = self;
        let kind = kind.to_uppercase();
        format!("ALTER TABLE ONLY {table} DISABLE {kind} {name}")
    }
}

/// A table and those that inherit from it, each as a row of its own; their triggers, but for those that Postgres keeps for
/// constraints; and their rules.
const CODE: &str = "
    WITH RECURSIVE tree(oid) AS (
        SELECT $1::text::regclass::oid
        UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
    ), named AS (
        SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
        FROM tree JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    )
    SELECT named.name AS table, 'trigger' AS kind, quote_ident(t.tgname) AS name
    FROM pg_catalog.pg_trigger t JOIN named ON named.oid = t.tgrelid
        LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
    WHERE (k.oid IS NULL OR k.contype = 't') AND t.tgenabled IN ('O', 'A')
    UNION ALL
    SELECT named.name, 'rule', quote_ident(r.rulename)
    FROM pg_catalog.pg_rewrite r JOIN named ON named.oid = r.ev_class
    WHERE r.ev_type = '2' AND r.ev_enabled IN ('O', 'A')
    UNION ALL SELECT name, 'table', '' FROM named
    ORDER BY 1, 2, 3";

/// The result of a statement that was rolled back.
pub(super) type Tried = Result<Snapshot, SqlError>;

/// A statement that fills a column, as Postgres' own parser reads it.
struct Filling<'a> {
    sql: &'a str,
    /// The table, qualified and quoted.
    table: String,
    column: String,
}

impl<'a> Filling<'a> {
    fn of(sql: &'a str) -> Option<Self> {
        let table = Subject::of(sql)?.table;
        let NodeEnum::UpdateStmt(update) = first_node(sql)? else {
            return None;
        };
        let target = update.target_list.into_iter().next()?.node?;
        let NodeEnum::ResTarget(target) = target else {
            return None;
        };
        Some(Self {
            sql,
            table,
            column: target.name,
        })
    }
}

impl RowsTrial<'_> {
    /// Runs the ups one by one, and tells what code did beside those that update rows.
    pub(in crate::prove::data) fn code(
        mut self,
        renamed: Option<&Schema>,
        ups: &[Run],
    ) -> Result<Vec<Told>, Error> {
        let names = std::iter::once(&self.start.schema).chain(renamed);
        let map = Map::new(names);
        let mut told = Vec::new();
        let statements = ups.iter().flat_map(|run| &run.statements);
        for (at, statement) in statements.enumerate() {
            if let Some(filling) = Filling::of(statement.sql()).filter(|_| statement.is_update()) {
                let hazards = hazards(&mut self.connection, &map, &filling)?;
                told.extend(hazards.into_iter().map(|hazard| Told {
                    statement: at,
                    hazard,
                }));
            }
            if self.connection.batch_execute(statement.sql()).is_err() {
                // The trial decides whether it may fail.
                break;
            }
        }
        Ok(told)
    }
}

/// Hazards of code that runs while a column is filled.
fn hazards(
    connection: &mut PgConnection,
    map: &Map<'_>,
    filling: &Filling<'_>,
) -> Result<Vec<Hazard>, Error> {
    let code: Vec<Code> = sql_query(CODE)
        .bind::<Text, _>(&filling.table)
        .load(connection)?;
    let (tables, code): (Vec<Code>, Vec<Code>) =
        code.into_iter().partition(|one| one.kind == "table");
    let tables: Vec<&str> = tables.iter().map(|one| one.table.as_str()).collect();
    let nulls = |memory: &Snapshot| memory.nulls(&tables, &filling.column);
    let mut hazards = Vec::new();
    let of = format!("{}.{}", filling.table, quoted_ident(&filling.column));
    hazards.extend(bound::fill(connection, filling.sql, &of)?);
    if code.is_empty() {
        return Ok(hazards);
    }
    let all: Vec<&Code> = code.iter().collect();
    let Ok(without) = attempt(connection, &all, filling.sql) else {
        return Ok(hazards);
    };
    let mut alone = Vec::new();
    let with = attempt(connection, &[], filling.sql);
    for one in &code {
        let others: Vec<&Code> = all.iter().copied().filter(|other| *other != one).collect();
        alone.push((one, attempt(connection, &others, filling.sql)));
    }
    let with = match with {
        Ok(with) => with,
        Err(error) => {
            let by = by(&alone, Result::is_err);
            hazards.push(Hazard::MayFail {
                because: format!("while {by} refuses a row: {}", message(&error)),
            });
            return Ok(hazards);
        }
    };
    // Volatile values differ in each run, independent of code.
    let Ok(again) = attempt(connection, &all, filling.sql) else {
        return Ok(hazards);
    };
    let computed = without.changes(&again);
    let mut changes = without.changes(&with);
    changes.retain(|place, _| !computed.contains_key(place));
    if nulls(&with) > nulls(&without) {
        let leaves = |tried: &Tried| {
            let tried = tried.as_ref();
            tried.is_ok_and(|tried| nulls(tried) > nulls(&without))
        };
        return Err(skips(filling, &by(&alone, leaves)));
    }
    for (place, change) in changes {
        let Some(id) = id(map, place) else { continue };
        let is_so = |tried: &Tried| {
            tried
                .as_ref()
                .is_ok_and(|tried| without.changes(tried).get(&place) == Some(&change))
        };
        let by = by(&alone, is_so);
        hazards.push(hazard(&tables, &with, id, place, change, &by));
    }
    Ok(hazards)
}

fn hazard(
    tables: &[&str],
    memory: &Snapshot,
    of: Id,
    place: Place,
    change: Change,
    by: &str,
) -> Hazard {
    let name = memory.name(place);
    match change {
        Change::Added => Hazard::WritesRows {
            of,
            what: format!("rows into {name}, by {by}"),
        },
        Change::Removed => Hazard::loses(of, format!("rows of {name}, by {by}")),
        Change::Changed => {
            let filled = if memory.is_of(place, tables) {
                " of the rows that it fills"
            } else {
                ""
            };
            Hazard::ChangesValues {
                of,
                what: format!("{name}{filled}, by {by}"),
            }
        }
    }
}

/// The object at a place, or the table around it where the column is new.
fn id(map: &Map<'_>, place: Place) -> Option<Id> {
    let whole = Place { column: 0, ..place };
    map.ids(place).chain(map.ids(whole)).next().cloned()
}

/// Those of which it is so when nothing else runs; all of them where it takes more than one.
fn by(alone: &[(&Code, Tried)], is_so: impl Fn(&Tried) -> bool) -> String {
    let list = |wanted: &dyn Fn(&Tried) -> bool| -> Vec<String> {
        let those = alone.iter().filter(|(_, tried)| wanted(tried));
        those
            .map(|(Code { table, kind, name }, _)| format!("{kind} {name} of {table}"))
            .collect()
    };
    let mut names = list(&is_so);
    if names.is_empty() {
        names = list(&|_| true);
    }
    names.join(" and ")
}

/// Runs a statement without some of the code, with what waits for the end, and takes everything back.
pub(super) fn attempt(connection: &mut PgConnection, off: &[&Code], sql: &str) -> Tried {
    let mut memory = None;
    let ended = connection.transaction(|connection| {
        for code in off {
            connection.batch_execute(&code.disable())?;
        }
        connection.batch_execute(sql)?;
        connection.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
        memory = Some(remember(connection)?);
        Err::<(), SqlError>(SqlError::RollbackTransaction)
    });
    match (ended, memory) {
        (Ok(()) | Err(SqlError::RollbackTransaction), Some(memory)) => Ok(memory),
        (Ok(()), None) => Err(SqlError::NotFound),
        (Err(error), _) => Err(error),
    }
}

/// A fill that leaves rows without a value is none.
fn skips(filling: &Filling<'_>, by: &str) -> Error {
    let Filling { table, column, .. } = filling;
    Error::new(
        ErrorKind::NotYet,
        format!("not yet: {table}.{column} cannot be filled, because {by} keeps rows as they are"),
    )
    .hint(
        "fill(\"…\", triggers = \"off\") switches it off meanwhile; or fill the column in a migration written by hand",
    )
}
