//! Sequences that stand in the catalog by themselves, serial columns' among them. An identity's sequence is a part of its
//! column; who owns a sequence is an object of its own, [`super::owner`].

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{USER_NAMESPACE, no_member},
    column::Column,
    owner::Owner,
};
use crate::{
    Alter, Clause, Hazard, Id, Name, Schema, Server, Slot, Statement, name::quoted_ident,
    object::Object,
};

/// A row of `pg_sequence`. `None` is what Postgres takes when nothing is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sequence {
    name: Name,
    data_type: String,
    unlogged: bool,
    options: SequenceOptions,
}

/// How a sequence counts. `None` is what Postgres takes when nothing is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SequenceOptions {
    start: Option<i64>,
    increment: i64,
    min: Option<i64>,
    max: Option<i64>,
    cache: i64,
    cycle: bool,
}

impl Object for Sequence {
    const NAME: &'static str = "sequence";

    type Key = Name;

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_class'::regclass::int8, c.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'name', json_build_object('namespace', n.nspname, 'name', c.relname),
                    'data_type', format_type(s.seqtypid, NULL),
                    'unlogged', c.relpersistence = 'u',
                    'options', {}) AS object
            FROM pg_catalog.pg_sequence s
                JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relpersistence <> 't' AND {USER_NAMESPACE} AND {}
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend identity
                    WHERE identity.classid = 'pg_catalog.pg_class'::regclass AND identity.objid = c.oid
                        AND identity.refclassid = 'pg_catalog.pg_class'::regclass AND identity.deptype = 'i')",
            SequenceOptions::json("s"),
            no_member("pg_class", "c.oid")
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn falls_with(&self, within: &Schema) -> Option<Id> {
        within.get::<Owner>(&self.name).map(Owner::column)
    }

    fn holds_data(&self) -> bool {
        true
    }

    /// A sequence that a column owns depends on it in the catalog, and yet it has to be there first: the column's default
    /// calls it. Ownership comes last, as an object of its own.
    fn needs(&self, on: &Id) -> bool {
        on.kind() != Column::kind()
    }

    fn designation(key: &Name) -> String {
        format!("SEQUENCE {key}")
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Relation(self.name.clone())]
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let unlogged = if self.unlogged { "UNLOGGED " } else { "" };
        let mut sql = format!("CREATE {unlogged}SEQUENCE {}", self.name);
        if self.data_type != "bigint" {
            sql += &format!(" AS {}", self.data_type);
        }
        for clause in self.options.clauses() {
            sql += " ";
            sql += &clause;
        }
        vec![Statement::new(
            format!("Create sequence {}", self.name),
            sql,
        )]
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        vec![
            Statement::new(
                format!("Drop sequence {}", self.name),
                format!("DROP SEQUENCE {}", self.name),
            )
            .hazard(Hazard::LosesData {
                what: format!("where sequence {} stands", self.name),
            }),
        ]
    }

    fn alter(&self, next: &Self, _within: &Schema) -> Alter {
        let Self {
            name,
            data_type,
            unlogged,
            options,
        } = self;
        let Self {
            name: _,
            data_type: to_type,
            unlogged: to_unlogged,
            options: to_options,
        } = next;
        let mut clauses = Vec::new();
        if data_type != to_type {
            clauses.push(format!("AS {to_type}"));
        }
        clauses.extend(options.changes(to_options));
        clauses.extend(options.restart(to_options));
        let mut statements = Vec::new();
        if !clauses.is_empty() {
            statements.push(Statement::new(
                format!("Change sequence {name}"),
                format!("ALTER SEQUENCE {name} {}", clauses.join(" ")),
            ));
        }
        if unlogged != to_unlogged {
            let logged = if *to_unlogged { "UNLOGGED" } else { "LOGGED" };
            statements.push(Statement::new(
                format!("Make sequence {name} {}", logged.to_lowercase()),
                format!("ALTER SEQUENCE {name} SET {logged}"),
            ));
        }
        Alter::InPlace(statements)
    }

    fn keep(&self, there: &Self) -> Self {
        Self {
            name: self.name.clone(),
            data_type: self.data_type.clone(),
            ..there.clone()
        }
    }

    fn rename(&self, to: &str) -> Option<Vec<Statement>> {
        Some(vec![Statement::new(
            format!("Rename sequence {} to {}", self.name, quoted_ident(to)),
            format!(
                "ALTER SEQUENCE {} RENAME TO {}",
                self.name,
                quoted_ident(to)
            ),
        )])
    }

    fn naming(&self, within: &Schema) -> Option<(Id, String)> {
        Some((
            within.get::<Owner>(&self.name)?.column(),
            self.name.name.clone(),
        ))
    }

    fn named(&self, name: &str) -> Self {
        Self {
            name: Name::new(&self.name.namespace, name),
            ..self.clone()
        }
    }
}

impl SequenceOptions {
    /// The JSON of a `pg_sequence` row called `s`. Bounds and start are NULL where they are what Postgres would choose,
    /// which depends on the type and the direction.
    pub(super) fn json(s: &str) -> String {
        let largest = format!(
            "CASE {s}.seqtypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                ELSE 9223372036854775807 END"
        );
        let smallest = format!("(-1 - {largest})");
        format!(
            "json_build_object(
                'start', CASE WHEN {s}.seqstart <> CASE WHEN {s}.seqincrement > 0 THEN {s}.seqmin ELSE {s}.seqmax END
                    THEN {s}.seqstart END,
                'increment', {s}.seqincrement,
                'min', CASE WHEN {s}.seqmin <> CASE WHEN {s}.seqincrement > 0 THEN 1 ELSE {smallest} END
                    THEN {s}.seqmin END,
                'max', CASE WHEN {s}.seqmax <> CASE WHEN {s}.seqincrement > 0 THEN {largest} ELSE -1 END
                    THEN {s}.seqmax END,
                'cache', {s}.seqcache,
                'cycle', {s}.seqcycle)"
        )
    }

    /// What has to be written besides when the place where a new sequence stands is no place for `to`. Where a used one
    /// stands is not known here.
    pub(super) fn restart(&self, to: &Self) -> Option<String> {
        (!to.holds(self.first())).then(|| format!("RESTART WITH {}", to.first()))
    }

    /// The value from which a new sequence counts.
    pub(super) fn first(&self) -> i64 {
        let bound = if self.counts_up() {
            self.min.unwrap_or(1)
        } else {
            self.max.unwrap_or(-1)
        };
        self.start.unwrap_or(bound)
    }

    /// Whether the value lies within the bounds.
    pub(super) fn holds(&self, value: i64) -> bool {
        let low = self
            .min
            .unwrap_or(if self.counts_up() { 1 } else { i64::MIN });
        let high = self
            .max
            .unwrap_or(if self.counts_up() { i64::MAX } else { -1 });
        (low..=high).contains(&value)
    }

    pub(super) fn counts_up(&self) -> bool {
        self.increment > 0
    }

    /// What has to be written for a new sequence.
    pub(super) fn clauses(&self) -> Vec<String> {
        let plain = Self {
            start: None,
            increment: 1,
            min: None,
            max: None,
            cache: 1,
            cycle: false,
        };
        plain.changes(self)
    }

    /// What has to be written to count as `to` does.
    pub(super) fn changes(&self, to: &Self) -> Vec<String> {
        let Self {
            start,
            increment,
            min,
            max,
            cache,
            cycle,
        } = self;
        let mut clauses = Vec::new();
        let turned = self.counts_up() != to.counts_up();
        if *increment != to.increment {
            clauses.push(format!("INCREMENT BY {}", to.increment));
        }
        if *min != to.min || turned {
            clauses.push(
                to.min
                    .map_or_else(|| "NO MINVALUE".to_owned(), |min| format!("MINVALUE {min}")),
            );
        }
        if *max != to.max || turned {
            clauses.push(
                to.max
                    .map_or_else(|| "NO MAXVALUE".to_owned(), |max| format!("MAXVALUE {max}")),
            );
        }
        let bounds_moved = *min != to.min || *max != to.max || turned;
        if *start != to.start || bounds_moved {
            // There is no NO START: the default is the bound from which the sequence counts.
            clauses.push(format!("START WITH {}", to.first()));
        }
        if *cache != to.cache {
            clauses.push(format!("CACHE {}", to.cache));
        }
        if *cycle != to.cycle {
            clauses.push(if to.cycle {
                "CYCLE".to_owned()
            } else {
                "NO CYCLE".to_owned()
            });
        }
        clauses
    }
}
