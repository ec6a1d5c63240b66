//! Foreign keys. Which of two equal keys of the other table one rests on is Postgres' choice and no part of it.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{COLUMNS, OWN_ROWS, REFERENCED_COLUMNS, RELATION, chosen_name, table},
    inheritance::{lasting_parents, partitions_above},
    key_constraint::{TIMING, contradicts, rename_constraint},
    table::Table,
};
use crate::{
    Action, Alter, Clause, Hazard, Id, Keeping, Lead, Member, Name, Schema, Server, Slot,
    Statement, Turn,
    name::quoted_ident,
    object::{Metadata, Object},
};

/// A row of `pg_constraint` with `contype = 'f'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForeignKey {
    relation: Name,
    name: String,
    referenced: Name,
    /// Output of `pg_get_constraintdef` up to the actions.
    definition: String,
    columns: Metadata<Vec<String>>,
    /// The columns of the other table, each at the place of the one that points to it.
    referenced_columns: Metadata<Vec<String>>,
    deferrable: bool,
    deferred: bool,
    validated: bool,
    enforced: bool,
    /// The partitioned table's foreign key that this one derives from.
    leader: Option<Member>,
    /// The SELECT that finds the rows which point to none; `None` where NULL is no way out for a row.
    orphans: Metadata<Option<String>>,
}

/// True if a table has a foreign key to itself.
pub(super) fn refers_to_itself(table: &Name, within: &Schema) -> bool {
    let id = Table::id(table.clone());
    let mut keys = within.parts::<ForeignKey>(&id);
    keys.any(|key| key.referenced == *table)
}

impl Object for ForeignKey {
    const NAME: &'static str = "foreign key";

    type Key = Member;

    fn traces() -> String {
        "pg_catalog.pg_constraint WHERE contype = 'f'".to_owned()
    }

    fn catalog(server: Server) -> String {
        let is_simple = if server.at_least(18) {
            "k.confmatchtype = 's' AND NOT k.conperiod"
        } else {
            "k.confmatchtype = 's'"
        };
        let enforced = if server.at_least(18) {
            "k.conenforced"
        } else {
            "true"
        };
        format!(
            "SELECT ARRAY['pg_catalog.pg_constraint'::regclass::int8, k.oid::int8, 0] AS addresses,
                k.conkey[1]::int4 AS position,
                json_build_object(
                    'relation', {RELATION},
                    'name', k.conname,
                    'referenced', json_build_object('namespace', rn.nspname, 'name', r.relname),
                    'definition', left(def.text, length(def.text) - length({TIMING} || CASE
                        WHEN NOT {enforced} THEN ' NOT ENFORCED'
                        WHEN NOT k.convalidated THEN ' NOT VALID' ELSE '' END)),
                    'columns', {COLUMNS},
                    'referenced_columns', {REFERENCED_COLUMNS},
                    'deferrable', k.condeferrable,
                    'deferred', k.condeferred,
                    'validated', k.convalidated,
                    'enforced', {enforced},
                    'leader', CASE WHEN lk.oid IS NOT NULL THEN json_build_object(
                        'relation', json_build_object('namespace', ln.nspname, 'name', l.relname),
                        'name', lk.conname) END,
                    'orphans', CASE WHEN {is_simple} THEN (SELECT 'SELECT * FROM ' || {OWN_ROWS} || ' child WHERE '
                            || COALESCE(string_agg('child.' || quote_ident(a.attname) || ' IS NOT NULL', ' AND ' ORDER BY pair.place)
                                FILTER (WHERE NOT a.attnotnull) || ' AND ', '')
                            || 'NOT EXISTS (SELECT FROM ' || CASE WHEN r.relkind <> 'p' AND r.relhassubclass THEN 'ONLY ' ELSE '' END
                            || quote_ident(rn.nspname) || '.' || quote_ident(r.relname) || ' parent WHERE '
                            || string_agg('parent.' || quote_ident(b.attname) || ' = child.' || quote_ident(a.attname),
                                ' AND ' ORDER BY pair.place) || ')'
                        FROM unnest(k.conkey, k.confkey) WITH ORDINALITY pair(own, other, place)
                            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own
                            JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.other) END) AS object
            FROM pg_catalog.pg_constraint k
                JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
                JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
                LEFT JOIN pg_catalog.pg_constraint lk ON lk.oid = k.conparentid
                LEFT JOIN pg_catalog.pg_class l ON l.oid = lk.conrelid
                LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.relnamespace
                CROSS JOIN LATERAL (SELECT pg_get_constraintdef(k.oid, true) AS text) def
            -- What Postgres keeps for each partition of the other table is a part of the constraint.
            WHERE k.contype = 'f' AND (k.conparentid = 0 OR lk.confrelid = k.confrelid) AND {}",
            table()
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.relation.clone()))
    }

    /// Does not need its leader: the table may not be a partition yet, or may be one no more.
    fn needs(&self, on: &Id) -> bool {
        self.leader.clone().map(Self::id).as_ref() != Some(on)
    }

    /// The catalog knows the columns and the key that it rests on.
    fn also_needs(&self) -> Vec<Id> {
        vec![Table::id(self.referenced.clone())]
    }

    fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        let lead = |leader: &Member| Lead {
            leader: Self::id(leader.clone()),
            comes: Turn::Along,
            goes: Turn::Along,
            is_namesake: false,
        };
        self.leader_throughout(from, to)
            .map(lead)
            .into_iter()
            .collect()
    }

    /// Postgres gives it the name of the other.
    fn follow(&self, leader: &Self, _within: &Schema) -> Vec<Statement> {
        let made = Member::new(self.relation.clone(), &leader.name);
        let renamed = self.name != leader.name;
        renamed
            .then(|| rename_constraint(&made, &self.name))
            .into_iter()
            .collect()
    }

    fn designation(key: &Member) -> String {
        format!("CONSTRAINT {} ON {}", key.ident(), key.relation)
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Constraint(self.key())]
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let (table, other) = (&self.relation, &self.referenced);
        let mut add = Statement::new(
            format!(
                "Add foreign key {} from {table} to {other}",
                quoted_ident(&self.name)
            ),
            format!("ALTER TABLE {table}\n    ADD {}", self.definition()),
        );
        if self.enforced {
            add = add.hazard(contradicts(Self::NAME, &self.key(), &self.columns, within));
        }
        if !self.validated {
            return vec![add];
        }
        vec![add.hazard(self.may_fail())]
    }

    /// In CREATE TABLE a NOT VALID would be ignored: there is nothing to validate.
    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        (self.validated || !self.enforced).then(|| Clause::cosmetic(self.definition()))
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let (table, name) = (&self.relation, quoted_ident(&self.name));
        vec![Statement::new(
            format!("Drop foreign key {name} of {table}"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        )]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        let Self {
            relation,
            name,
            referenced,
            definition,
            columns: _,
            referenced_columns: _,
            deferrable,
            deferred,
            validated,
            enforced,
            leader,
            orphans: _,
        } = self;
        let loosened = *validated && !next.validated && next.enforced;
        if *referenced != next.referenced
            || *definition != next.definition
            || loosened
            || *enforced != next.enforced
        {
            return Alter::Replace;
        }
        let (led, to_be_led) = (
            self.leader_throughout(from, to).is_some(),
            next.leader_throughout(from, to).is_some(),
        );
        if led && *leader != next.leader {
            return Alter::Replace;
        }
        if led && to_be_led {
            return Alter::InPlace(Vec::new());
        }
        let quoted = quoted_ident(name);
        let mut statements = Vec::new();
        if *deferrable != next.deferrable || *deferred != next.deferred {
            statements.push(Statement::new(
                format!("Change when foreign key {quoted} of {relation} is checked"),
                format!(
                    "ALTER TABLE {relation} ALTER CONSTRAINT {quoted} {}",
                    next.timing()
                ),
            ));
        }
        if *validated != next.validated {
            statements.push(
                Statement::of(
                    format!("Validate foreign key {quoted} of {relation}"),
                    Action::validate(relation, &quoted),
                )
                .hazard(self.may_fail()),
            );
        }
        Alter::InPlace(statements)
    }

    /// A row that points to one by the old key points to it by the new one.
    fn vouches(&self, next: &Self) -> bool {
        let is_same = self.definition == next.definition
            || self.orphans.is_some() && self.orphans.as_ref() == next.orphans.as_ref();
        self.validated && self.enforced && self.referenced == next.referenced && is_same
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            relation,
            name,
            referenced,
            definition,
            columns,
            referenced_columns,
            deferrable,
            deferred,
            validated,
            enforced,
            leader,
            orphans,
        } = self;
        let is_above = |leader: &Member| {
            let mut ties = partitions_above(relation, keeping.within);
            ties.any(|tie| tie.parent == leader.relation)
        };
        let leader = match (leader, &there.leader) {
            (Some(declared), Some(there)) if declared.relation == there.relation => Some(there),
            (None, Some(there)) if is_above(there) => Some(there),
            (declared, None | Some(_)) => declared.as_ref(),
        };
        Self {
            relation: relation.clone(),
            name: name.clone(),
            referenced: referenced.clone(),
            definition: definition.clone(),
            columns: columns.clone(),
            referenced_columns: referenced_columns.clone(),
            deferrable: *deferrable,
            deferred: *deferred,
            validated: *validated,
            enforced: *enforced,
            leader: leader.cloned(),
            orphans: orphans.clone(),
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
        rename_constraint(key, to)
    }

    fn chosen_name(&self, _within: &Schema) -> Option<String> {
        Some(chosen_name(&self.relation, &self.columns, "fkey"))
    }
}

impl ForeignKey {
    /// The columns that point to this column.
    pub(super) fn pointing_to(&self, column: &Member) -> impl Iterator<Item = Member> {
        let pairs = self.columns.iter().zip(self.referenced_columns.iter());
        let pairs =
            pairs.filter(|(_, other)| self.referenced == column.relation && **other == column.name);
        pairs.map(|(own, _)| Member::new(self.relation.clone(), own))
    }

    /// The columns of one table, each with the column of the other that it points to; `None` where it ties other tables.
    pub(super) fn links(&self, table: &Name, referenced: &Name) -> Option<Vec<(&str, &str)>> {
        let is_between = self.relation == *table && self.referenced == *referenced;
        let pairs = self.columns.iter().zip(self.referenced_columns.iter());
        is_between.then(|| {
            pairs
                .map(|(own, other)| (own.as_str(), other.as_str()))
                .collect()
        })
    }

    /// True if INITIALLY DEFERRED: checked at the end of the transaction.
    pub(super) fn is_deferred(&self) -> bool {
        self.deferred
    }

    /// The one that it follows, while its table is a partition all the way from one schema to the other.
    fn leader_throughout(&self, from: &Schema, to: &Schema) -> Option<&Member> {
        let leader = self.leader.as_ref()?;
        let parents = lasting_parents(&self.relation, from, to);
        let lasts = parents.iter().any(|parent| *parent.name == leader.relation);
        lasts.then_some(leader)
    }

    fn definition(&self) -> String {
        let mut sql = format!(
            "CONSTRAINT {} {}",
            quoted_ident(&self.name),
            self.definition
        );
        if self.deferrable {
            sql += &format!(" {}", self.timing());
        }
        if !self.enforced {
            sql += " NOT ENFORCED";
        } else if !self.validated {
            sql += " NOT VALID";
        }
        sql
    }

    fn timing(&self) -> &'static str {
        match (self.deferrable, self.deferred) {
            (false, _) => "NOT DEFERRABLE",
            (true, false) => "DEFERRABLE INITIALLY IMMEDIATE",
            (true, true) => "DEFERRABLE INITIALLY DEFERRED",
        }
    }

    fn may_fail(&self) -> Hazard {
        let Self {
            relation,
            referenced,
            ..
        } = self;
        Hazard::finds_or(self.orphans.as_ref(), || {
            format!("while a row of {relation} points to no row of {referenced}")
        })
    }
}
