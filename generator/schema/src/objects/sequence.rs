//! Sequences that stand in the catalog by themselves, serial columns' among them. An identity's sequence is a part of its
//! column; who owns a sequence is an object of its own, [`super::owner`].

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{USER_NAMESPACE, no_member},
    column::Column,
    owner::Owner,
    table::Table,
};
use crate::{
    Alter, Clause, Detail, Hazard, Id, Keeping, Member, Name, Schema, Server, Slot, Statement,
    name::{chosen, literal},
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

/// Options of a sequence. `None` is Postgres' default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SequenceOptions {
    pub(crate) start: Option<i64>,
    pub(crate) increment: i64,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) cache: i64,
    pub(crate) cycle: bool,
}

/// A clause of a sequence's options.
#[derive(Clone, Copy)]
enum Word {
    Increment,
    Min,
    Max,
    Start,
    Cache,
    Cycle,
}

impl Object for Sequence {
    const NAME: &'static str = "sequence";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_sequence".to_owned()
    }

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

    /// A sequence that a column owns depends on it in the catalog, but must exist first: the column's default calls it.
    /// Ownership comes last, as an object of its own.
    fn needs(&self, on: &Id) -> bool {
        on.kind() != Column::kind()
    }

    fn designation(key: &Name) -> String {
        format!("SEQUENCE {key}")
    }

    /// The column that it numbered, whose identity takes over its position.
    fn taken_over_by(&self, from: &Schema, to: &Schema) -> Option<Id> {
        if to.get::<Self>(&self.name).is_some() {
            return None;
        }
        let column = from.get::<Owner>(&self.name)?.member();
        let heir = to.get::<Column>(column)?;
        let own = from.get::<Column>(column)?;
        heir.takes_over(own, self)
            .then(|| Column::id(column.clone()))
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Relation(self.name.clone())]
    }

    /// Models declare a sequence as `serial`: a default calls it. An undeclared standalone sequence stays.
    fn declarable(&self, within: &Schema) -> bool {
        within
            .needed_by(&Self::id(self.name.clone()))
            .any(|id| id.kind() == super::default::Default::kind())
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
            .hazard(Hazard::drops(
                Self::id(self.name.clone()),
                format!("where sequence {} stands", self.name),
            )),
        ]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
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
        if data_type == to_type {
            clauses.extend(options.changes(to_options));
        } else {
            clauses.push(format!("AS {to_type}"));
            clauses.extend(options.changes_with_type(to_options));
        }
        let restart = options.restart(to_options);
        let restarts = restart.is_some();
        clauses.extend(restart);
        let mut statements = Vec::new();
        statements.extend(options.step_forward(to_options, name));
        if !clauses.is_empty() {
            let change = Statement::new(
                format!("Change sequence {name}"),
                format!("ALTER SEQUENCE {name} {}", clauses.join(" ")),
            );
            let of = Self::id(name.clone());
            let lost = Hazard::loses(of, format!("where sequence {name} stands"));
            statements.push(if restarts {
                change.hazard(lost)
            } else {
                change
            });
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

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            name,
            data_type,
            unlogged,
            options,
        } = self;
        let says = keeping.decides(Detail::Counting);
        // The sequence of a column becomes LOGGED or UNLOGGED along with its table.
        let unlogged = if self.follows_its_table(keeping) {
            *unlogged
        } else {
            there.unlogged
        };
        Self {
            name: name.clone(),
            data_type: data_type.clone(),
            unlogged,
            options: if says { options } else { &there.options }.clone(),
        }
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
        })
    }

    fn naming(&self, within: &Schema) -> Option<(Id, String)> {
        Some((
            within.get::<Owner>(&self.name)?.column(),
            self.name.name.clone(),
        ))
    }

    fn chosen_name(&self, within: &Schema) -> Option<String> {
        let Member { relation, name } = within.get::<Owner>(&self.name)?.member();
        Some(chosen(&relation.name, Some(name), "seq"))
    }

    fn is_shared(&self) -> bool {
        true
    }
}

impl Sequence {
    /// True if a column owns it, and the persistence of that column's table differs from the database's.
    fn follows_its_table(&self, keeping: &Keeping<'_>) -> bool {
        let is_unlogged = |schema: &Schema| {
            let owner = schema.get::<Owner>(&self.name)?;
            let table = schema.get::<Table>(&owner.member().relation)?;
            Some(table.is_unlogged())
        };
        let declared = is_unlogged(keeping.within);
        declared.is_some() && declared != is_unlogged(keeping.from)
    }

    /// Its options.
    pub(super) fn options(&self) -> &SequenceOptions {
        &self.options
    }

    /// The type of its numbers.
    pub(super) fn data_type(&self) -> &str {
        &self.data_type
    }

    /// Its name.
    pub(super) fn name(&self) -> &Name {
        &self.name
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

    /// The RESTART that is needed where even a sequence that was never used is out of the bounds of `to` and
    /// [`step_forward`](Self::step_forward) cannot help.
    pub(super) fn restart(&self, to: &Self) -> Option<String> {
        let can_step = self.counts_up() == to.counts_up()
            && self.holds(to.first())
            && if to.counts_up() {
                self.first() < to.low()
            } else {
                self.first() > to.high()
            };
        let needed = !to.holds(self.first()) && !can_step;
        needed.then(|| format!("RESTART WITH {}", to.first()))
    }

    /// True if every position of a sequence with the options of `other` is within reach of one with these.
    pub(super) fn reaches_all_of(&self, other: &Self) -> bool {
        self.counts_up() == other.counts_up()
            && self.first() == other.first()
            && self.low() <= other.low()
            && self.high() >= other.high()
    }

    /// True if a bound is written.
    pub(super) fn is_bounded(&self) -> bool {
        self.min.is_some() || self.max.is_some()
    }

    /// The statement that takes a sequence that stands before the bounds of `to` to where those begin. One that has come
    /// further stays: its numbers are in use.
    pub(super) fn step_forward(&self, to: &Self, sequence: &Name) -> Option<Statement> {
        let same_way = self.counts_up() == to.counts_up();
        let restarts = self.restart(to).is_some();
        if restarts || !same_way || !self.starts_later(to) || !self.holds(to.first()) {
            return None;
        }
        let before = if to.counts_up() {
            format!("last_value < {}", to.low())
        } else {
            format!("last_value > {}", to.high())
        };
        Some(Statement::new(
            format!("Take sequence {sequence} to its new bounds"),
            format!(
                "SELECT pg_catalog.setval({}, {}, false)\nFROM {sequence}\nWHERE {before}",
                literal(&sequence.to_string()),
                to.first()
            ),
        ))
    }

    fn starts_later(&self, to: &Self) -> bool {
        if to.counts_up() {
            self.low() < to.low()
        } else {
            self.high() > to.high()
        }
    }

    fn low(&self) -> i64 {
        self.min
            .unwrap_or(if self.counts_up() { 1 } else { i64::MIN })
    }

    fn high(&self) -> i64 {
        self.max
            .unwrap_or(if self.counts_up() { i64::MAX } else { -1 })
    }

    /// The statement that lets a new sequence count on from the values in a column; `sequence` is an expression.
    pub(super) fn count_on(&self, sequence: &str, column: &Member) -> Statement {
        let (table, name, first) = (&column.relation, column.ident(), self.first());
        let (last, is_used, bound) = if self.counts_up() {
            let last = format!("greatest(max({name}), {first})");
            (last, format!("max({name}) >= {first}"), self.max)
        } else {
            let last = format!("least(min({name}), {first})");
            (last, format!("min({name}) <= {first}"), self.min)
        };
        // Without rows the last argument is NULL, and setval then does nothing.
        let count_on = Statement::new(
            format!("Count on from the values in {column}"),
            format!("SELECT pg_catalog.setval({sequence}, {last}, {is_used})\nFROM {table}"),
        );
        match bound {
            Some(bound) => count_on.hazard(Hazard::MayFail {
                because: format!("if a value in {column} lies beyond {bound}"),
            }),
            None => count_on,
        }
    }

    /// The value from which a new sequence counts.
    fn first(&self) -> i64 {
        let bound = if self.counts_up() {
            self.min.unwrap_or(1)
        } else {
            self.max.unwrap_or(-1)
        };
        self.start.unwrap_or(bound)
    }

    /// True if the value is within the bounds.
    fn holds(&self, value: i64) -> bool {
        (self.low()..=self.high()).contains(&value)
    }

    fn counts_up(&self) -> bool {
        self.increment > 0
    }

    /// The clauses to write for a new sequence.
    pub(super) fn clauses(&self) -> Vec<String> {
        self.written(|word| match word {
            Word::Increment => self.increment != 1,
            Word::Min => self.min.is_some(),
            Word::Max => self.max.is_some(),
            Word::Start => self.start.is_some(),
            Word::Cache => self.cache != 1,
            Word::Cycle => self.cycle,
        })
    }

    /// All that can be written, so that nothing stays of how a sequence counted before.
    pub(crate) fn all_clauses(&self) -> Vec<String> {
        self.written(|_| true)
    }

    /// The clauses that change it to `to`.
    pub(super) fn changes(&self, to: &Self) -> Vec<String> {
        to.written(|word| self.changes_in(to, word))
    }

    /// The clauses that change it to `to` along with its type. Postgres then takes a bound that is the old type's for one
    /// that nobody wrote.
    pub(super) fn changes_with_type(&self, to: &Self) -> Vec<String> {
        to.written(|word| match word {
            Word::Min => to.min.is_some() || self.changes_in(to, word),
            Word::Max => to.max.is_some() || self.changes_in(to, word),
            Word::Start => to.is_bounded() || self.changes_in(to, word),
            Word::Increment | Word::Cache | Word::Cycle => self.changes_in(to, word),
        })
    }

    fn changes_in(&self, to: &Self, word: Word) -> bool {
        let turned = self.counts_up() != to.counts_up();
        match word {
            Word::Increment => self.increment != to.increment,
            Word::Min => self.min != to.min || turned,
            Word::Max => self.max != to.max || turned,
            // There is no NO START: the default is the bound from which the sequence counts.
            Word::Start => {
                self.start != to.start || self.min != to.min || self.max != to.max || turned
            }
            Word::Cache => self.cache != to.cache,
            Word::Cycle => self.cycle != to.cycle,
        }
    }

    /// The clauses that are asked for, each of which holds whatever held before.
    fn written(&self, asked: impl Fn(Word) -> bool) -> Vec<String> {
        let bound = |word: &str, bound: Option<i64>| match bound {
            Some(bound) => format!("{word} {bound}"),
            None => format!("NO {word}"),
        };
        let cycle = if self.cycle { "CYCLE" } else { "NO CYCLE" };
        let clauses = [
            (Word::Increment, format!("INCREMENT BY {}", self.increment)),
            (Word::Min, bound("MINVALUE", self.min)),
            (Word::Max, bound("MAXVALUE", self.max)),
            (Word::Start, format!("START WITH {}", self.first())),
            (Word::Cache, format!("CACHE {}", self.cache)),
            (Word::Cycle, cycle.to_owned()),
        ];
        let asked = clauses.into_iter().filter(|(word, _)| asked(*word));
        asked.map(|(_, clause)| clause).collect()
    }
}
