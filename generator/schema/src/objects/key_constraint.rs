//! Shared implementation of primary keys, unique and exclusion constraints: a constraint with an index behind it. The two
//! are one object; the index has no life of its own.

use std::{fmt::Debug, marker::PhantomData};

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{
        INDEX_COLUMNS, RELATION, chosen_name, duplicates, few_parentheses, parameter_changes,
        parameters, table,
    },
    column::Column,
    index::{
        ALIKE, Attached, Attaching, Constraint, IndexPart, any_clusters, cluster_change,
        index_option_changes,
    },
    inheritance::only,
    table::{Table, replica_identity_index},
};
use crate::{
    Alter, Clause, Hazard, Id, Keeping, Lead, Member, Name, Schema, Server, Slot, Statement,
    name::{chosen, quoted_ident},
    object::{Metadata, Object},
    parameters::meant,
};

/// The kind of constraint.
pub(crate) trait Contype: Clone + Eq + Debug {
    /// `pg_constraint.contype`.
    const CONTYPE: char;
    /// Postgres' name for the kind.
    const NAME: &'static str;
    /// The word before what two of them must have in common for one CREATE TABLE to take them for one; where there is none, no two
    /// are put there.
    const MERGED_AFTER: Option<&'static str>;
    /// Suffix of the generated name.
    const LABEL: &'static str;
    /// True if the generated name contains the columns.
    const NAMED_AFTER_COLUMNS: bool = true;
    /// True if `pg_get_constraintdef` prints the index's storage parameters too, since a predicate stands after them.
    const PRINTS_PARAMETERS: bool = false;
}

/// A row of `pg_constraint` with the settings of its index.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub(crate) struct KeyConstraint<K: Contype> {
    relation: Name,
    name: String,
    /// Output of `pg_get_constraintdef`: the columns in their order, INCLUDE and NULLS NOT DISTINCT.
    definition: String,
    /// The columns, as a name is chosen after them.
    columns: Metadata<Vec<String>>,
    /// The rest of that output: DEFERRABLE and INITIALLY DEFERRED.
    timing: String,
    options: Vec<String>,
    tablespace: Option<String>,
    clustered: bool,
    replica_identity: bool,
    /// True if the table is partitioned, and each partition has an index of its own.
    partitioned: bool,
    attached: Option<Attached>,
    alike: Option<String>,
    valid: bool,
    /// The SELECT that finds the keys which stand in several rows.
    duplicates: Metadata<Option<String>>,
    #[serde(skip)]
    contype: PhantomData<K>,
}

/// End of the output of `pg_get_constraintdef`, for constraint `k`.
pub(super) const TIMING: &str = "(CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END
    || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)";

impl<K: Contype> Object for KeyConstraint<K> {
    const NAME: &'static str = K::NAME;

    type Key = Member;

    fn traces() -> String {
        format!(
            "pg_catalog.pg_constraint WHERE contype = '{}' AND oid >= 16384",
            K::CONTYPE
        )
    }

    fn catalog(server: Server) -> String {
        let contype = K::CONTYPE;
        format!(
            "SELECT ARRAY['pg_catalog.pg_constraint'::regclass::int8, k.oid::int8, 0,
                    'pg_catalog.pg_class'::regclass::int8, k.conindid::int8, 0] AS addresses,
                k.conkey[1]::int4 AS position,
                json_build_object(
                    'relation', {RELATION},
                    'name', k.conname,
                    'definition', left(def.text, length(def.text) - length({TIMING})),
                    'columns', {INDEX_COLUMNS},
                    'timing', {TIMING},
                    'options', {options},
                    'tablespace', ts.spcname,
                    'clustered', i.indisclustered,
                    'replica_identity', i.indisreplident,
                    'partitioned', ic.relkind = 'I',
                    'attached', {attached},
                    'alike', {ALIKE},
                    'valid', i.indisvalid,
                    'duplicates', {duplicates}) AS object
            FROM pg_catalog.pg_constraint k
                JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid
                JOIN pg_catalog.pg_class ic ON ic.oid = k.conindid
                LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = ic.reltablespace
                {attached_join}
                CROSS JOIN LATERAL (SELECT pg_get_constraintdef(k.oid, {few}) AS text) def
            WHERE k.contype = '{contype}' AND {}",
            table(),
            few = few_parentheses("i.indexprs, i.indpred"),
            attached = Attached::JSON,
            duplicates = duplicates(server, "NULL"),
            attached_join = Attached::JOIN,
            options = meant("ic.reloptions"),
        )
    }

    fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.relation.clone()))
    }

    /// Does not need the partitioned table's constraint: the table may not be a partition yet, or may be one no more.
    fn needs(&self, on: &Id) -> bool {
        self.attached.as_ref().map(Attached::id).as_ref() != Some(on)
    }

    fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        Attached::lead(self.attached.as_ref(), &self.relation, from, to)
    }

    fn comes_after(&self, within: &Schema) -> Vec<Id> {
        self.part().comes_after(within)
    }

    fn designation(key: &Member) -> String {
        format!("CONSTRAINT {} ON {}", key.ident(), key.relation)
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![
            Slot::Constraint(self.key()),
            Slot::Relation(Name::new(&self.relation.namespace, &self.name)),
        ]
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            relation,
            name,
            definition,
            partitioned,
            ..
        } = self;
        let table = only(relation, within);
        let mut add = Statement::new(
            format!("Add {} {} to {relation}", K::NAME, quoted_ident(name)),
            format!("ALTER TABLE {table} ADD {}", self.definition()),
        );
        if !partitioned {
            add = add.hazard(Hazard::finds_or(self.duplicates.as_ref(), || {
                format!("while two rows of {relation} contradict {definition}")
            }));
        }
        add = add.hazard(contradicts(K::NAME, &self.key(), &self.columns, within));
        let mut statements = vec![add];
        statements.extend(self.settings());
        statements
    }

    fn clause(&self, within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        let clause = || Clause::cosmetic(self.definition()).then(self.settings());
        (!self.part().is_merged(within)).then(clause)
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let Self { relation, name, .. } = self;
        let name = quoted_ident(name);
        vec![
            Statement::new(
                format!("Drop {} {name} of {relation}", K::NAME),
                format!("ALTER TABLE {relation} DROP CONSTRAINT {name}"),
            )
            .hazard(is_no_arbiter(&format!("{} {name} of {relation}", K::NAME))),
        ]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        let Self {
            relation,
            name,
            definition,
            columns: _,
            timing,
            options,
            tablespace,
            clustered,
            replica_identity,
            partitioned,
            attached,
            alike: _,
            valid,
            duplicates: _,
            contype: PhantomData,
        } = self;
        let attaching = Attached::change(
            attached.as_ref(),
            next.attached.as_ref(),
            relation,
            from,
            to,
        );
        if *definition != next.definition
            || *timing != next.timing
            || *partitioned != next.partitioned
            || *partitioned && *options != next.options
            || attaching == Attaching::Anew
            || *valid && !next.valid
        {
            return Alter::Replace;
        }
        let mut statements = Vec::new();
        if let (Attaching::Now, Some(to)) = (attaching, &next.attached) {
            statements.push(to.attach(relation, name));
        }
        statements.extend(index_option_changes(
            relation,
            name,
            &parameter_changes(options, &next.options),
            tablespace.as_deref(),
            next.tablespace.as_deref(),
        ));
        let another = any_clusters(&Table::id(relation.clone()), to);
        statements.extend(cluster_change(
            relation,
            name,
            *clustered,
            next.clustered,
            another,
        ));
        statements.extend(replica_identity_index(
            relation,
            name,
            *replica_identity,
            next.replica_identity,
        ));
        Alter::InPlace(statements)
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            relation,
            name,
            definition,
            columns,
            timing,
            options,
            tablespace: _,
            clustered: _,
            replica_identity: _,
            partitioned,
            attached: _,
            alike: _,
            valid: _,
            duplicates,
            contype: PhantomData,
        } = self;
        // Models declare the parameters where they are printed with the constraint.
        let options = if K::PRINTS_PARAMETERS {
            options
        } else {
            &there.options
        };
        let (attached, alike) = self.part().keep(there.part(), keeping.within);
        Self {
            relation: relation.clone(),
            name: name.clone(),
            definition: definition.clone(),
            columns: columns.clone(),
            timing: timing.clone(),
            options: options.clone(),
            tablespace: there.tablespace.clone(),
            clustered: there.clustered,
            replica_identity: there.replica_identity,
            partitioned: *partitioned,
            attached,
            alike,
            valid: there.valid,
            duplicates: duplicates.clone(),
            contype: PhantomData,
        }
    }

    fn clusters(&self) -> bool {
        self.clustered
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
        let Self {
            relation, columns, ..
        } = self;
        Some(if K::NAMED_AFTER_COLUMNS {
            chosen_name(relation, columns, K::LABEL)
        } else {
            chosen(&relation.name, None, K::LABEL)
        })
    }
}

impl<K: Contype> KeyConstraint<K> {
    /// True if these are all its columns.
    pub(super) fn is_on(&self, columns: &[String]) -> bool {
        self.columns.as_slice() == columns
    }

    /// Its index.
    pub(super) fn part(&self) -> IndexPart<'_> {
        IndexPart {
            relation: &self.relation,
            name: &self.name,
            partitioned: self.partitioned,
            attached: self.attached.as_ref(),
            alike: self.alike.as_deref(),
            constraint: Some(Constraint {
                contype: K::CONTYPE,
                merged_by: [
                    K::MERGED_AFTER.map_or("", |keyword| {
                        let definition = &self.definition;
                        definition.strip_prefix(keyword).unwrap_or(definition)
                    }),
                    &self.timing,
                ],
            }),
        }
    }

    /// True if INITIALLY DEFERRED: checked at the end of the transaction.
    pub(super) fn is_deferred(&self) -> bool {
        self.timing.ends_with(" INITIALLY DEFERRED")
    }

    fn definition(&self) -> String {
        let mut sql = format!("CONSTRAINT {} ", quoted_ident(&self.name));
        sql += &self.definition;
        if !K::PRINTS_PARAMETERS {
            if !self.options.is_empty() {
                sql += &format!(" WITH {}", parameters(&self.options));
            }
            if let Some(tablespace) = &self.tablespace {
                sql += &format!(" USING INDEX TABLESPACE {}", quoted_ident(tablespace));
            }
        }
        sql + &self.timing
    }

    fn settings(&self) -> Vec<Statement> {
        let Self {
            relation,
            name,
            clustered,
            replica_identity,
            ..
        } = self;
        let tablespace = self.tablespace.as_deref().filter(|_| K::PRINTS_PARAMETERS);
        let attach = self.attached.as_ref();
        let mut statements: Vec<Statement> = attach
            .map(|to| to.attach(relation, name))
            .into_iter()
            .collect();
        statements.extend(index_option_changes(relation, name, &[], None, tablespace));
        statements.extend(cluster_change(relation, name, false, *clustered, false));
        statements.extend(replica_identity_index(
            relation,
            name,
            false,
            *replica_identity,
        ));
        statements
    }
}

/// Hazard of a new constraint on these columns: rows that deployed code writes may violate it.
pub(super) fn contradicts(what: &str, key: &Member, columns: &[String], within: &Schema) -> Hazard {
    let Member { relation, .. } = key;
    let columns = columns
        .iter()
        .map(|name| Member::new(relation.clone(), name));
    let columns = columns.filter(|column| within.get::<Column>(column).is_some());
    let what = format!("{what} {} of {relation}", key.ident());
    Hazard::breaks_deployed("contradicts", what, columns.map(Column::id).collect())
}

/// Programs may say ON CONFLICT with what is unique; Postgres refuses that where nothing is.
pub(super) fn is_no_arbiter(what: &str) -> Hazard {
    Hazard::breaks_deployed("says ON CONFLICT for", what, Vec::new())
}

/// The statement that gives a constraint of a table another name, whatever sort it is.
pub(super) fn rename_constraint(constraint: &Member, to: &str) -> Statement {
    let (table, name, to) = (&constraint.relation, constraint.ident(), quoted_ident(to));
    Statement::new(
        format!("Rename constraint {name} of {table} to {to}"),
        format!("ALTER TABLE {table} RENAME CONSTRAINT {name} TO {to}"),
    )
}
