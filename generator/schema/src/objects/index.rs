//! Indexes that stand by themselves. One that backs a constraint is a part of the constraint.

mod described;
mod part;

use serde::{Deserialize, Serialize};

use super::{
    AnyObject, Registered,
    catalog::{
        INDEX_COLUMNS, RELATION, RelationKind, chosen_name, duplicates, few_parentheses,
        materialized_view, no_member, parameter_changes, parameters, set_tablespace, table,
        tablespace_name,
    },
    column::Column,
    inheritance::only,
    key_constraint::is_no_arbiter,
    table::replica_identity_index,
};
use crate::{
    Alter, Clause, Hazard, Id, Keeping, Lead, Name, Schema, Server, Slot, Statement,
    name::quoted_ident,
    object::{Metadata, Object},
    parameters::meant,
};

pub(super) use part::{ALIKE, Attached, Attaching, Constraint, IndexPart};

/// A row of `pg_index`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    relation: Name,
    on: RelationKind,
    name: String,
    unique: bool,
    /// Output of `pg_get_indexdef` from USING up to the storage parameters.
    columns: String,
    /// Column names from which Postgres generates an index name.
    named_after: Metadata<Vec<String>>,
    options: Vec<String>,
    tablespace: Option<String>,
    predicate: Option<String>,
    valid: bool,
    clustered: bool,
    replica_identity: bool,
    /// The statistics targets that were set, by the number of the indexed expression.
    statistics: Vec<(i32, i32)>,
    /// True if the table is partitioned, and each partition has an index of its own.
    partitioned: bool,
    attached: Option<Attached>,
    alike: Option<String>,
    /// The SELECT that finds the keys which stand in several rows.
    duplicates: Metadata<Option<String>>,
}

impl Object for Index {
    const NAME: &'static str = "index";

    const IS_NAMED_BY_PROGRAMS: bool = false;

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_index i WHERE i.indexrelid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
            WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))".to_owned()
    }

    fn catalog(server: Server) -> String {
        // `pg_get_indexdef` is cut by the lengths of the parts whose text is known: its beginning, its storage parameters
        // and its predicate.
        format!(
            "SELECT ARRAY['pg_catalog.pg_class'::regclass::int8, ic.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'relation', {RELATION},
                    'on', {},
                    'name', ic.relname,
                    'unique', i.indisunique,
                    'columns', substr(left(def.text, length(def.text) - length(tail.text)), length(head.text) + 1),
                    'named_after', {INDEX_COLUMNS},
                    'options', {options},
                    'tablespace', ts.spcname,
                    'predicate', predicate.text,
                    'valid', i.indisvalid,
                    'clustered', i.indisclustered,
                    'replica_identity', i.indisreplident,
                    'statistics', COALESCE((SELECT json_agg(json_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum)
                        FROM pg_catalog.pg_attribute a WHERE a.attrelid = ic.oid AND a.attstattarget >= 0), '[]'),
                    'partitioned', ic.relkind = 'I',
                    'attached', {attached},
                    'alike', {ALIKE},
                    'duplicates', {duplicates}
                ) AS object
            FROM pg_catalog.pg_index i
                JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
                JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = ic.reltablespace
                {attached_join}
                CROSS JOIN LATERAL (SELECT {few} AS parentheses) few
                CROSS JOIN LATERAL (SELECT pg_get_indexdef(i.indexrelid, 0, few.parentheses) AS text) def
                CROSS JOIN LATERAL (SELECT pg_get_expr(i.indpred, i.indrelid, few.parentheses) AS text) predicate
                CROSS JOIN LATERAL (SELECT 'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
                    || quote_ident(ic.relname) || ' ON ' || CASE WHEN ic.relkind = 'I' THEN 'ONLY ' ELSE '' END || quote_ident(n.nspname) || '.' || quote_ident(c.relname)
                    || ' ' AS text) head
                CROSS JOIN LATERAL (SELECT
                    COALESCE((SELECT ' WITH (' || string_agg(quote_ident(o.option_name) || '='
                            || CASE WHEN quote_ident(o.option_value) = o.option_value THEN o.option_value
                                ELSE quote_literal(o.option_value) END, ', ' ORDER BY w.place) || ')'
                        FROM unnest(ic.reloptions) WITH ORDINALITY w(option, place),
                            pg_catalog.pg_options_to_table(ARRAY[w.option]) o), '')
                    || COALESCE(' WHERE ' || predicate.text, '') AS text) tail
            WHERE ({} OR {}) AND {}
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))",
            RelationKind::JSON,
            table(),
            materialized_view(),
            no_member("pg_class", "ic.oid"),
            duplicates = duplicates(server, "predicate.text"),
            few = few_parentheses("i.indexprs, i.indpred"),
            attached = Attached::JSON,
            attached_join = Attached::JOIN,
            options = meant("ic.reloptions"),
        )
    }

    fn key(&self) -> Name {
        Name::new(&self.relation.namespace, &self.name)
    }

    fn parent(&self) -> Option<Id> {
        Some(self.on.id(&self.relation))
    }

    /// Does not need the partitioned table's index: the table may not be a partition yet, or may be one no more.
    fn needs(&self, on: &Id) -> bool {
        self.attached.as_ref().map(Attached::id).as_ref() != Some(on)
    }

    fn follows(&self, from: &Schema, to: &Schema) -> Vec<Lead> {
        Attached::lead(self.attached.as_ref(), &self.relation, from, to)
    }

    fn comes_after(&self, within: &Schema) -> Vec<Id> {
        self.part().comes_after(within)
    }

    fn designation(key: &Name) -> String {
        format!("INDEX {key}")
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![Slot::Relation(self.key())]
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            relation,
            on: _,
            name,
            unique,
            columns,
            named_after: _,
            options,
            tablespace,
            predicate,
            valid: _,
            clustered,
            replica_identity,
            statistics,
            partitioned,
            attached,
            alike: _,
            duplicates: _,
        } = self;
        let kind = if *unique { "UNIQUE INDEX" } else { "INDEX" };
        let mut sql = format!(
            "CREATE {kind} {} ON {} {columns}",
            quoted_ident(name),
            only(relation, within)
        );
        if !options.is_empty() {
            sql += &format!(" WITH {}", parameters(options));
        }
        if let Some(tablespace) = tablespace {
            sql += &format!(" TABLESPACE {}", quoted_ident(tablespace));
        }
        if let Some(predicate) = predicate {
            sql += &format!("\n    WHERE {predicate}");
        }
        let mut create = Statement::new(
            format!(
                "Create {} {} on {relation}",
                kind.to_lowercase(),
                quoted_ident(name)
            ),
            sql,
        );
        if *unique && !partitioned {
            create = create.hazard(Hazard::finds_or(self.duplicates.as_ref(), || {
                format!("while two rows of {relation} have the same key")
            }));
        }
        if *unique {
            let columns = Column::needed_by(&Self::id(self.key()), relation, within);
            let what = format!("unique index {}", self.key());
            create = create.hazard(Hazard::breaks_deployed("contradicts", what, columns));
        }
        let mut statements = vec![create];
        statements.extend(attached.as_ref().map(|to| to.attach(relation, name)));
        statements.extend(statistics_changes(&self.key(), &[], statistics));
        statements.extend(cluster_change(relation, name, false, *clustered, false));
        statements.extend(replica_identity_index(
            relation,
            name,
            false,
            *replica_identity,
        ));
        statements
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let key = self.key();
        // A constraint of a partition whose index is a part of this one can go in no other way.
        let cascade = if self.part().has_constraints_below(within) {
            " CASCADE"
        } else {
            ""
        };
        let drop = Statement::new(
            format!("Drop index {key}"),
            format!("DROP INDEX {key}{cascade}"),
        );
        vec![if self.unique {
            drop.hazard(is_no_arbiter(&format!("unique index {key}")))
        } else {
            drop
        }]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        let Self {
            relation,
            on,
            name,
            unique,
            columns,
            named_after: _,
            options,
            tablespace,
            predicate,
            valid,
            clustered,
            replica_identity,
            statistics,
            partitioned,
            attached,
            alike: _,
            duplicates: _,
        } = self;
        let rebuilt = *relation != next.relation
            || *on != next.on
            || *unique != next.unique
            || *columns != next.columns
            || *predicate != next.predicate
            // The index of a partitioned table becomes valid once every partition has one.
            || *valid != next.valid && !(*partitioned && next.valid)
            // ALTER INDEX cannot.
            || *partitioned && *options != next.options
            || *partitioned != next.partitioned;
        let attaching = Attached::change(
            attached.as_ref(),
            next.attached.as_ref(),
            relation,
            from,
            to,
        );
        if rebuilt || attaching == Attaching::Anew {
            return Alter::Replace;
        }
        let key = self.key();
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
        statements.extend(statistics_changes(&key, statistics, &next.statistics));
        statements.extend(cluster_change(
            relation,
            name,
            *clustered,
            next.clustered,
            any_clusters(&on.id(relation), to),
        ));
        statements.extend(replica_identity_index(
            relation,
            name,
            *replica_identity,
            next.replica_identity,
        ));
        Alter::InPlace(statements)
    }

    /// Models declare indexes where they declare the relation.
    fn declarable(&self, within: &Schema) -> bool {
        let relation = within.entry(&self.on.id(&self.relation));
        relation.is_none_or(|relation| relation.declarable(within))
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            relation,
            on,
            name,
            unique,
            columns,
            named_after,
            options,
            tablespace: _,
            predicate,
            valid,
            clustered: _,
            replica_identity: _,
            statistics,
            partitioned,
            attached: _,
            alike: _,
            duplicates,
        } = self;
        // They are those of its expressions, by their places.
        let statistics = if *columns == there.columns {
            &there.statistics
        } else {
            statistics
        };
        let (attached, alike) = self.part().keep(there.part(), keeping.within);
        Self {
            relation: relation.clone(),
            on: *on,
            name: name.clone(),
            unique: *unique,
            columns: columns.clone(),
            named_after: named_after.clone(),
            options: options.clone(),
            tablespace: there.tablespace.clone(),
            predicate: predicate.clone(),
            valid: *valid,
            clustered: there.clustered,
            replica_identity: there.replica_identity,
            statistics: statistics.clone(),
            partitioned: *partitioned,
            attached,
            alike,
            duplicates: duplicates.clone(),
        }
    }

    fn clusters(&self) -> bool {
        self.clustered
    }

    fn keyed(&self, key: Name) -> Option<Self> {
        // It is where its table is.
        (key.namespace == self.relation.namespace).then(|| Self {
            name: key.name,
            ..self.clone()
        })
    }

    fn chosen_name(&self, _within: &Schema) -> Option<String> {
        Some(chosen_name(&self.relation, &self.named_after, "idx"))
    }
}

impl Index {
    /// True if the index is unique.
    pub(super) fn is_unique(&self) -> bool {
        self.unique
    }

    fn part(&self) -> IndexPart<'_> {
        IndexPart {
            relation: &self.relation,
            name: &self.name,
            partitioned: self.partitioned,
            attached: self.attached.as_ref(),
            alike: self.alike.as_deref(),
            constraint: None,
        }
    }
}

/// The statements for storage parameters and tablespace of an index, whatever stands behind it.
pub(super) fn index_option_changes(
    table: &Name,
    index: &str,
    parameters: &[String],
    from: Option<&str>,
    to: Option<&str>,
) -> Vec<Statement> {
    let index = Name::new(&table.namespace, index);
    let mut statements: Vec<Statement> = parameters
        .iter()
        .map(|change| {
            Statement::new(
                format!("Change storage parameters of index {index}"),
                format!("ALTER INDEX {index} {change}"),
            )
        })
        .collect();
    if from != to {
        let move_it = Statement::new(
            format!("Move index {index} to {}", tablespace_name(to)),
            set_tablespace(&format!("ALTER INDEX {index}"), to),
        );
        statements.push(move_it);
    }
    statements
}

/// The statement by which an index becomes, or stops being, the one that CLUSTER orders the table by. A table has one at
/// most, so nothing is to be said where another takes over.
pub(super) fn cluster_change(
    table: &Name,
    index: &str,
    from: bool,
    to: bool,
    another: bool,
) -> Option<Statement> {
    let sql = match (from, to) {
        (false, true) => format!("ALTER TABLE {table} CLUSTER ON {}", quoted_ident(index)),
        (true, false) if !another => format!("ALTER TABLE {table} SET WITHOUT CLUSTER"),
        (true, false | true) | (false, false) => return None,
    };
    Some(Statement::new(
        format!("Set by which index {table} is clustered"),
        sql,
    ))
}

/// True if CLUSTER orders the relation by one of its indexes, a constraint's included.
pub(super) fn any_clusters(relation: &Id, within: &Schema) -> bool {
    within.any_part(relation, AnyObject::clusters)
}

fn statistics_changes(index: &Name, from: &[(i32, i32)], to: &[(i32, i32)]) -> Vec<Statement> {
    let set = to.iter().filter(|target| !from.contains(target)).copied();
    let unset = from
        .iter()
        .filter(|(number, _)| !to.iter().any(|(other, _)| other == number))
        .map(|(number, _)| (*number, -1));
    set.chain(unset)
        .map(|(number, target)| {
            Statement::new(
                format!("Change the statistics target of an expression of {index}"),
                format!("ALTER INDEX {index} ALTER COLUMN {number} SET STATISTICS {target}"),
            )
        })
        .collect()
}
