//! Table columns: type, nullability, identity, generation, storage. A default is an object of its own.

mod alter;
mod arrival;
mod clash;
mod fill;
mod fit;
mod identity;
mod retype;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{expression, table},
    collation::Collation,
    default::{Default, drop_default},
    enum_type::{self, EnumType},
    inheritance::{Descent, has_heirs, inherits, leading_parents, only, only_unless_partitioned},
    table::Table,
    typed_table::made_of,
};
use crate::{
    Action, Alter, Clause, DataStep, Detail, Hazard, Id, Keeping, Lead, Member, Name, Pass, Schema,
    Server, Slot, Statement,
    name::quoted_ident,
    object::{Metadata, Object},
    parameters::meant,
};
pub(crate) use fill::Filling;
use identity::Identity;

/// A row of `pg_attribute`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    relation: Name,
    name: String,
    /// As `format_type` prints it, type modifier included.
    data_type: String,
    /// The type without its modifier, and of a domain the type below all domains: what casts are looked up by.
    base_type: String,
    /// True if the type is a domain that refuses some values of the type below.
    checked: Metadata<bool>,
    /// `pg_type.typcategory`, of an array's elements: `S` for the string types.
    category: String,
    not_null: Option<NotNull>,
    /// The collation, where it is not the type's own.
    collation: Option<String>,
    identity: Option<Identity>,
    generated: Option<Generated>,
    /// The storage, where it is not the type's own.
    storage: Option<String>,
    /// The type's own storage.
    type_storage: String,
    compression: Option<String>,
    statistics: Option<i32>,
    options: Vec<String>,
    descent: Descent,
    /// True if it is a part of its table's partition key.
    partitions: bool,
}

/// A NOT NULL. Before PostgreSQL 18 it has no name and is always valid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotNull {
    /// The name, where it is not the one that Postgres would choose.
    name: Option<String>,
    validated: bool,
    no_inherit: bool,
    descent: Descent,
}

impl NotNull {
    /// The one that Postgres makes for an inheriting column along with this one.
    fn handed_down(&self, from: &Column, to: &Column, server: Server) -> Option<Self> {
        if !server.at_least(18) {
            return Some(self.clone());
        }
        let name = self.name_of(from);
        (!self.no_inherit).then(|| Self {
            name: (name != chosen_name(to)).then_some(name),
            validated: self.validated,
            no_inherit: false,
            descent: Descent::Inherited,
        })
    }

    /// The declared one of a column of `relation` with what models do not decide taken from the one that is there.
    fn keep(&self, there: &Self, relation: &Name, keeping: &Keeping<'_>) -> Self {
        let Self {
            name,
            validated,
            no_inherit,
            descent,
        } = self;
        let says = keeping.decides(Detail::NameOfNotNull);
        Self {
            name: if says { name } else { &there.name }.clone(),
            validated: *validated,
            no_inherit: *no_inherit,
            descent: descent.keep(there.descent, relation, keeping.within),
        }
    }

    /// Its name.
    fn name_of(&self, column: &Column) -> String {
        self.name.clone().unwrap_or_else(|| chosen_name(column))
    }
}

/// The name that Postgres chooses for the NOT NULL of a column.
fn chosen_name(column: &Column) -> String {
    let chosen = format!("{}_{}_not_null", column.relation.name, column.name);
    chosen.chars().take(63).collect()
}

/// A generated column's expression.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    expression: String,
    stored: bool,
}

impl Object for Column {
    const NAME: &'static str = "column";

    type Key = Member;

    fn traces() -> String {
        "pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384".to_owned()
    }

    fn catalog(server: Server) -> String {
        // 18 keeps NOT NULL in pg_constraint; the name that Postgres chooses is not worth writing down.
        let (not_null, not_null_join, not_null_address) = if server.at_least(18) {
            (
                format!("CASE WHEN nn.oid IS NOT NULL THEN json_build_object(
                    'name', CASE WHEN nn.conname <> left(c.relname || '_' || a.attname || '_not_null', 63)
                        THEN nn.conname END,
                    'validated', nn.convalidated, 'no_inherit', nn.connoinherit, 'descent', {}) END",
                    Descent::json("nn.conislocal", "nn.coninhcount")),
                "LEFT JOIN pg_catalog.pg_constraint nn
                    ON nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey[1] = a.attnum",
                "|| CASE WHEN nn.oid IS NOT NULL
                    THEN ARRAY['pg_catalog.pg_constraint'::regclass::int8, nn.oid::int8, 0] ELSE '{}' END",
            )
        } else {
            (
                "CASE WHEN a.attnotnull THEN json_build_object('name', NULL, 'validated', true,
                    'no_inherit', false, 'descent', 'own') END"
                    .to_owned(),
                "",
                "",
            )
        };
        format!(
            "SELECT ARRAY['pg_catalog.pg_class'::regclass::int8, c.oid::int8, a.attnum::int8]
                    || CASE WHEN a.attgenerated <> ''
                        THEN ARRAY['pg_catalog.pg_attrdef'::regclass::int8, d.oid::int8, 0] ELSE '{{}}' END
                    || CASE WHEN s.seqrelid IS NOT NULL
                        THEN ARRAY['pg_catalog.pg_class'::regclass::int8, s.seqrelid::int8, 0] ELSE '{{}}' END
                    {not_null_address} AS addresses,
                a.attnum::int4 AS position,
                json_build_object(
                    'relation', json_build_object('namespace', n.nspname, 'name', c.relname),
                    'name', a.attname,
                    'data_type', format_type(a.atttypid, a.atttypmod),
                    'base_type', format_type(b.oid, NULL),
                    'checked', COALESCE(domain.checked, false),
                    'category', CASE WHEN b.typcategory = 'A' AND b.typelem <> 0 THEN
                        (SELECT e.typcategory FROM pg_catalog.pg_type e WHERE e.oid = b.typelem) ELSE b.typcategory END,
                    'not_null', {not_null},
                    'collation', CASE WHEN a.attcollation <> t.typcollation
                        THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END,
                    'identity', {identity},
                    'generated', CASE WHEN a.attgenerated <> '' THEN json_build_object(
                        'expression', {expression}, 'stored', a.attgenerated = 's') END,
                    'storage', CASE WHEN a.attstorage <> t.typstorage THEN {storage} END,
                    'type_storage', {type_storage},
                    'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
                    'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
                    'options', {options},
                    'descent', {descent},
                    'partitions', CASE WHEN c.relkind = 'p' THEN EXISTS (SELECT FROM pg_catalog.pg_depend key
                        WHERE key.classid = 'pg_catalog.pg_class'::regclass AND key.objid = c.oid
                            AND key.objsubid = a.attnum AND key.refobjid = c.oid AND key.deptype = 'i')
                        ELSE false END) AS object
            FROM pg_catalog.pg_attribute a
                JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                LEFT JOIN ({DOMAINS}) domain ON domain.oid = t.oid
                JOIN pg_catalog.pg_type b ON b.oid = COALESCE(domain.base, t.oid)
                LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
                LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
                LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                LEFT JOIN pg_catalog.pg_depend own ON own.classid = 'pg_catalog.pg_class'::regclass
                    AND own.refclassid = 'pg_catalog.pg_class'::regclass AND own.refobjid = c.oid
                    AND own.refobjsubid = a.attnum AND own.deptype = 'i' AND a.attidentity <> ''
                LEFT JOIN pg_catalog.pg_sequence s ON s.seqrelid = own.objid
                LEFT JOIN pg_catalog.pg_class sc ON sc.oid = s.seqrelid
                LEFT JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace
                {not_null_join}
            WHERE a.attnum > 0 AND NOT a.attisdropped AND {table}",
            storage = storage("a.attstorage"),
            type_storage = storage("t.typstorage"),
            expression = expression("d.adbin", "d.adrelid"),
            identity = Identity::json(),
            descent = Descent::json("a.attislocal", "a.attinhcount"),
            table = table(),
            options = meant("a.attoptions"),
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.relation.clone()))
    }

    fn holds_data(&self) -> bool {
        self.generated.is_none()
    }

    fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        if !self.descent.is_inherited() {
            return Vec::new();
        }
        leading_parents(&self.relation, from, to)
            .into_iter()
            .map(|parent| Lead {
                leader: Self::id(Member::new(parent.name.clone(), &self.name)),
                comes: self.descent.comes(),
                goes: parent.goes(),
                is_namesake: true,
            })
            .collect()
    }

    fn follow(&self, leader: &Self, within: &Schema) -> Vec<Statement> {
        let made = Self {
            storage: None,
            ..self.made_along(leader, within.server())
        };
        self.differences(&made, leader, within)
    }

    fn designation(key: &Member) -> String {
        format!("COLUMN {key}")
    }

    fn occupies(&self) -> Vec<Slot> {
        self.identity
            .iter()
            .map(|identity| Slot::Relation(identity.sequence(&self.key())))
            .collect()
    }

    fn create(&self, within: &Schema, clauses: &[Clause]) -> Vec<Statement> {
        let Self { relation, .. } = self;
        let fill = fill::of_new(self, within);
        if let (Some(fill), Some(constant)) = (fill, fill::constant(self, fill, within)) {
            let mut statements = fill::add_constant(self, fill, constant, within, clauses);
            statements.extend(self.settings(within));
            statements.extend(self.settled_toast(within));
            return statements;
        }
        let has_default = !clauses.is_empty();
        let by_hand = within.has_data_step()
            && fill.is_none()
            && !has_default
            && !self.fills_itself()
            && (self.not_null.is_some() || arrival::takes_no_null(self, within));
        // A value can only be required once the rows that are there have one.
        let mut first = self.clone();
        if by_hand || fill.is_some() && !has_default {
            first.not_null = None;
        }
        let waits = fill.is_some() && !has_default || by_hand;
        if let Some(below) = arrival::type_below(self, waits, within) {
            first.data_type = below;
            first.checked = Metadata::new(false);
        }
        let is_settled = first.data_type == self.data_type;
        let stand_in = arrival::in_place_of_default(self, has_default || !is_settled, within);
        let said: Vec<Clause> = match &stand_in {
            Some((clause, _)) => vec![clause.clone()],
            None => clauses.to_vec(),
        };
        let says = format!("Add column {}", self.key());
        let words = format!("ADD COLUMN {}", first.definition(&said, within));
        let mut add = if self.is_computed_at_first(within) {
            Statement::of(says, Action::new(relation, Pass::AddColumn, words))
        } else {
            Statement::new(says, format!("ALTER TABLE {relation} {words}"))
        };
        if self.identity.as_ref().is_some_and(Identity::is_bounded) {
            add = add.hazard(Hazard::MayFail {
                because: format!("if {relation} has more rows than the identity has numbers"),
            });
        }
        let is_numbered = self.identity.is_some();
        if first.not_null.is_some()
            && clauses.is_empty()
            && self.generated.is_none()
            && !is_numbered
        {
            let finds = Hazard::finds(format!("SELECT * FROM {relation}"));
            let finds = finds.since("it would hold NULL there");
            add = add.hazard(alter::unless_filled(finds, self, within));
        }
        // A virtual column is computed for the rows that are there only to see that it is not NULL.
        if let Some(Generated { stored, .. }) = &self.generated
            && (*stored || self.not_null.is_some())
        {
            add = add.hazard(alter::finds_no_value(self));
        }
        if self.is_left_out_in_vain(within) && !by_hand {
            add = add.hazard(alter::leaves_out(self));
        }
        if is_settled {
            add = arrival::warned(add, self, has_default, within);
        }
        let mut statements = vec![add];
        statements.extend(stand_in.map(|(_, drop)| drop));
        if is_settled {
            statements.extend(first.settings(within));
        }
        if let Some(fill) = fill {
            statements.extend(fill::new(self, fill, within));
            if let Some(settle) = arrival::settle(&first, self, within) {
                statements.push(settle.written_at(fill::origin(fill)));
                statements.extend(first.settings(within));
            }
            statements.extend(fill::require(&first, self, fill, within));
        }
        statements.extend(self.settled_toast(within));
        if by_hand {
            if let Some(settle) = arrival::settle(&first, self, within) {
                let settled = std::iter::once(settle).chain(first.settings(within));
                statements.extend(settled.map(|one| one.beside_data(DataStep::After)));
            }
            let required = alter::not_null_change(&first, self, within).into_iter();
            statements.extend(required.map(|one| {
                let required = one.hazard(alter::leaves_out(self));
                required.beside_data(DataStep::After)
            }));
        }
        statements
    }

    fn clause(&self, within: &Schema, clauses: &[Clause]) -> Option<Clause> {
        if self.descent.is_only_inherited()
            && let Some(leader) = inherits(&self.relation, within)
                .into_iter()
                .find_map(|parent| within.get::<Self>(&Member::new(parent.clone(), &self.name)))
        {
            let mut then =
                self.differences(&self.made_along(leader, within.server()), leader, within);
            then.extend(self.other_default(leader, within));
            return Some(Clause::essential("").then(then));
        }
        if made_of(&self.relation, within).is_some() {
            return Some(self.typed_clause(clauses, within));
        }
        // Afterwards there is one already that is only inherited.
        let is_merged =
            self.descent == Descent::Merged && !inherits(&self.relation, within).is_empty();
        let clause = if is_merged || self.is_at_once(within) {
            Clause::essential(self.definition(clauses, within))
        } else {
            Clause::cosmetic(self.definition(clauses, within))
        };
        Some(clause.then(self.settings(within)))
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let Self { relation, name, .. } = self;
        let drop = Statement::new(
            format!("Drop column {}", self.key()),
            format!(
                "ALTER TABLE {} DROP COLUMN {}",
                only_unless_partitioned(relation, within),
                quoted_ident(name)
            ),
        );
        let lost = Hazard::drops(
            Self::id(self.key()),
            format!("every value of {}", self.key()),
        );
        vec![if self.generated.is_some() {
            drop.hazard(Hazard::names(self.key()))
        } else {
            drop.hazard(lost)
        }]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        alter::alter(self, next, from, to)
    }

    /// The values of a virtual column are nowhere, so the plain one in its place begins without any, or with those of a fill.
    fn loss(&self, next: &Self, to: &Schema) -> Option<Hazard> {
        let what = format!("the computed values of {}", self.key());
        match (&self.generated, &next.generated) {
            (Some(_), None) if fill::of_new(next, to).is_some() => None,
            (Some(_), None) => Some(Hazard::loses(Self::id(self.key()), what)),
            (None, Some(_)) => Some(Hazard::breaks_deployed("writes", self.key(), Vec::new())),
            (None, None) | (Some(_), Some(_)) => None,
        }
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            relation,
            name,
            data_type,
            base_type,
            checked,
            category,
            not_null,
            collation,
            identity,
            generated,
            storage: _,
            type_storage,
            compression: _,
            statistics: _,
            options: _,
            descent,
            partitions,
        } = self;
        let of = |detail| if keeping.decides(detail) { self } else { there };
        // A new type comes with its own storage and compression.
        let of_type = |detail| {
            if *data_type == there.data_type {
                of(detail)
            } else {
                self
            }
        };
        Self {
            relation: relation.clone(),
            name: name.clone(),
            data_type: data_type.clone(),
            base_type: base_type.clone(),
            checked: checked.clone(),
            category: category.clone(),
            not_null: not_null.as_ref().map(|declared| {
                let there = there.not_null.as_ref();
                there.map_or_else(
                    || declared.clone(),
                    |there| declared.keep(there, relation, keeping),
                )
            }),
            collation: collation.clone(),
            identity: identity.as_ref().map(|declared| {
                let there = there.identity.as_ref();
                there.map_or_else(|| declared.clone(), |there| declared.keep(there))
            }),
            generated: generated.clone(),
            storage: of_type(Detail::Storage).storage.clone(),
            type_storage: type_storage.clone(),
            compression: of_type(Detail::Compression).compression.clone(),
            statistics: of(Detail::Statistics).statistics,
            options: there.options.clone(),
            descent: descent.keep(there.descent, relation, keeping.within),
            partitions: *partitions,
        }
    }

    fn keyed(&self, Member { relation, name }: Member) -> Option<Self> {
        Some(Self {
            relation,
            name,
            ..self.clone()
        })
    }

    fn rename(key: &Member, to: &str) -> Statement {
        let to = quoted_ident(to);
        Statement::new(
            format!("Rename column {key} to {to}"),
            format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {to}",
                key.relation,
                key.ident()
            ),
        )
        .hazard(Hazard::names(key))
    }

    /// The sequence of an identity, and in PostgreSQL 18 the constraint of a NOT NULL, are called after the column.
    fn name_anew(&self, before: &Self, _old: &Schema, _new: &Schema) -> Self {
        let mut followed = self.clone();
        if let (Some(now), Some(NotNull { name: None, .. })) =
            (&mut followed.not_null, &before.not_null)
        {
            now.name = None;
        }
        if let (Some(now), Some(before)) = (&mut followed.identity, &before.identity) {
            now.name_anew(before);
        }
        followed
    }

    fn resembles(&self, _within: &Schema, other: &Self, _others: &Schema) -> bool {
        self.data_type == other.data_type && self.generated.is_some() == other.generated.is_some()
    }

    fn recast(&self, replaced: &Id, from: &Schema, to: &Schema) -> Option<Vec<Statement>> {
        if self.generated.is_some() || self.partitions {
            return None;
        }
        if replaced.kind() == Collation::kind() {
            return Some(vec![retype::sort(self, self, from, to)]);
        }
        if replaced.kind() != EnumType::kind() {
            return None;
        }
        let labels = enum_type::replaced(replaced, from, to);
        let gone = enum_type::gone(replaced, from, to);
        let recast = retype::recast(self, &labels, &gone);
        let merges = !labels.is_empty();
        let clashes = clash::clashes(self, clash::Becomes::Other, from, to).filter(|_| merges);
        Some(vec![clashes.fold(recast, Statement::hazard)])
    }
}

/// Every domain with the type below it and all domains in between, and whether any of them refuses a value.
const DOMAINS: &str = "
    WITH RECURSIVE below(oid, base, checked) AS (
        SELECT d.oid, d.typbasetype, d.typnotnull OR d.typtypmod >= 0 OR EXISTS (SELECT FROM pg_catalog.pg_constraint k
            WHERE k.contypid = d.oid AND k.contype = 'c')
        FROM pg_catalog.pg_type d
        WHERE d.typtype = 'd'
        UNION ALL
        SELECT below.oid, d.typbasetype, below.checked OR d.typnotnull OR d.typtypmod >= 0 OR EXISTS (SELECT FROM pg_catalog.pg_constraint k
            WHERE k.contypid = d.oid AND k.contype = 'c')
        FROM below
            JOIN pg_catalog.pg_type d ON d.oid = below.base
        WHERE d.typtype = 'd')
    SELECT below.oid, below.base, below.checked
    FROM below
        JOIN pg_catalog.pg_type b ON b.oid = below.base
    WHERE b.typtype <> 'd'";

/// The word for a letter of `attstorage` or `typstorage`.
pub(super) fn storage(letter: &str) -> String {
    format!(
        "CASE {letter} WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' WHEN 'x' THEN 'EXTENDED' END"
    )
}

impl Column {
    /// True if two columns of two tables have the same name and the same type.
    pub(super) fn is_called_and_typed_as(&self, other: &Self) -> bool {
        self.name == other.name && self.data_type == other.data_type
    }

    /// True if it is an identity, which has a sequence as a part.
    pub(super) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// True if it gets values though nothing is written into it.
    pub(super) fn fills_itself(&self) -> bool {
        self.identity.is_some() || self.generated.is_some()
    }

    /// True if NOT NULL.
    pub(super) fn is_required(&self) -> bool {
        self.not_null.is_some()
    }

    /// Its id and those of the other columns of a table that an object needs.
    pub(super) fn needed_by(id: &Id, relation: &Name, within: &Schema) -> Vec<Id> {
        let table = Table::id(relation.clone());
        let own: BTreeSet<Id> = within
            .parts::<Self>(&table)
            .map(|one| Self::id(one.key()))
            .collect();
        let needs = within.needs(id).filter(|on| own.contains(*on));
        needs.cloned().collect()
    }

    /// True if an INSERT that leaves it out is refused.
    fn is_left_out_in_vain(&self, within: &Schema) -> bool {
        let has_default = within.get::<Default>(&self.key()).is_some();
        self.not_null.is_some() && !self.fills_itself() && !has_default
    }

    /// True if ADD COLUMN rewrites the table.
    fn is_computed_at_first(&self, within: &Schema) -> bool {
        let is_stored = self.generated.as_ref().is_some_and(|one| one.stored);
        is_stored || self.identity.is_some() || arrival::rewrites(self, within)
    }

    /// True if a sequence can number it.
    pub(super) fn is_whole_number(&self) -> bool {
        matches!(self.base_type.as_str(), "smallint" | "integer" | "bigint")
    }

    /// True if CREATE TABLE must contain it, as in a partitioned table, whose partition key must exist.
    fn is_at_once(&self, within: &Schema) -> bool {
        within
            .get::<Table>(&self.relation)
            .is_some_and(Table::is_partitioned)
    }

    /// The column that Postgres makes along with `leader`.
    fn made_along(&self, leader: &Self, server: Server) -> Self {
        Self {
            relation: self.relation.clone(),
            identity: None,
            statistics: None,
            options: Vec::new(),
            not_null: leader
                .not_null
                .as_ref()
                .and_then(|not_null| not_null.handed_down(leader, self, server)),
            ..leader.clone()
        }
    }

    /// The statements that turn `made`, which was created along with `leader`, into this column.
    fn differences(&self, made: &Self, leader: &Self, within: &Schema) -> Vec<Statement> {
        let mut statements = alter::settings(made, self, &only(&self.relation, within));
        statements.extend(alter::not_null_change(made, self, within));
        let default = |column: &Self| within.get::<Default>(&column.key());
        if default(self).is_none() && default(leader).is_some() {
            statements.push(drop_default(&self.key(), within));
        }
        statements
    }

    /// The statement that gives it its default, where that is not the leader's.
    fn other_default(&self, leader: &Self, within: &Schema) -> Vec<Statement> {
        let default = |column: &Self| within.get::<Default>(&column.key());
        match (default(self), default(leader)) {
            (Some(own), Some(leader)) if own.says_what(leader) => Vec::new(),
            (Some(own), None | Some(_)) => own.create(within, &[]),
            (None, None | Some(_)) => Vec::new(),
        }
    }

    /// The name of its NOT NULL, where it must be written. What Postgres would choose may be that of a table which has
    /// inherited it, or had.
    fn written_name(&self, not_null: &NotNull, within: &Schema) -> Option<String> {
        let hands_down = within.server().at_least(18)
            && (self.is_at_once(within) || has_heirs(&self.relation, within));
        if hands_down {
            return Some(not_null.name_of(self));
        }
        not_null.name.clone()
    }

    /// Its clause in CREATE TABLE where it comes with the type that the table is OF.
    fn typed_clause(&self, clauses: &[Clause], within: &Schema) -> Clause {
        let mut clause = self.behind_type(clauses, within);
        if !clause.is_empty() {
            clause = format!("{} WITH OPTIONS{clause}", quoted_ident(&self.name));
        }
        let made = Self {
            compression: None,
            ..self.bare()
        };
        Clause::essential(clause).then(self.settings_since(&made, within))
    }

    /// The column as it stands in CREATE TABLE and after ADD COLUMN.
    fn definition(&self, clauses: &[Clause], within: &Schema) -> String {
        let mut sql = format!("{} {}", quoted_ident(&self.name), self.data_type);
        if let Some(compression) = &self.compression {
            sql += &format!(" COMPRESSION {compression}");
        }
        if let Some(collation) = &self.collation {
            sql += &format!(" COLLATE {collation}");
        }
        sql + &self.behind_type(clauses, within)
    }

    /// The SQL behind the type and its settings, from a blank on.
    fn behind_type(&self, clauses: &[Clause], within: &Schema) -> String {
        let mut sql = String::new();
        for clause in clauses {
            sql += &format!(" {}", clause.text());
        }
        if let Some(Generated { expression, stored }) = &self.generated {
            let stored = if *stored { "STORED" } else { "VIRTUAL" };
            sql += &format!(" GENERATED ALWAYS AS ({expression}) {stored}");
        }
        if let Some(identity) = &self.identity {
            sql += &format!(" {}", identity.definition());
        }
        let written = self.not_null.as_ref().filter(|not_null| {
            // INHERITS brings an inherited one; a partition has it before it is attached.
            let inherits = self.descent == Descent::Merged;
            not_null.validated && !(inherits && not_null.descent.is_only_inherited())
        });
        if let Some(not_null) = written {
            if let Some(name) = self.written_name(not_null, within) {
                sql += &format!(" CONSTRAINT {}", quoted_ident(&name));
            }
            sql += " NOT NULL";
            if not_null.no_inherit {
                sql += " NO INHERIT";
            }
        }
        sql
    }

    /// True if it may be the column for which Postgres creates the TOAST table. A type with a length may be too short for
    /// that.
    fn comes_with_toast(&self, within: &Schema) -> bool {
        let rank = |column: &Self| (column.data_type.contains('('), column.name.clone());
        self.type_storage != "PLAIN"
            && within
                .parts::<Self>(&Table::id(self.relation.clone()))
                .filter(|column| column.type_storage != "PLAIN")
                .all(|column| rank(self) <= rank(column))
    }

    /// The settings of the TOAST table that may come with it.
    fn settled_toast(&self, within: &Schema) -> Option<Statement> {
        let table = within.get::<Table>(&self.relation);
        table
            .filter(|_| self.comes_with_toast(within))
            .and_then(Table::settle_toast)
    }

    /// The settings that need an existing column.
    fn settings(&self, within: &Schema) -> Vec<Statement> {
        self.settings_since(&self.bare(), within)
    }

    /// The column without what can only be said of one that is there.
    fn bare(&self) -> Self {
        Self {
            storage: None,
            statistics: None,
            options: Vec::new(),
            not_null: self.not_null.clone().filter(|not_null| not_null.validated),
            ..self.clone()
        }
    }

    fn settings_since(&self, made: &Self, within: &Schema) -> Vec<Statement> {
        let mut statements = alter::settings(made, self, &only(&self.relation, within));
        statements.extend(alter::not_null_change(made, self, within));
        statements
    }
}
