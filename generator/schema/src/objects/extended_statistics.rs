//! Extended statistics: what ANALYZE finds out about columns and expressions together.

use serde::{Deserialize, Serialize};

use super::catalog::{RELATION, RelationKind, materialized_view, no_member, table};
use crate::{
    Alter, Clause, Detail, Id, Keeping, Name, Schema, Server, Statement, name::ident_list,
    object::Object,
};

/// A row of `pg_statistic_ext`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtendedStatistics {
    name: Name,
    on: RelationKind,
    relation: Name,
    /// Empty for all that there are.
    kinds: Vec<String>,
    /// Postgres keeps them in the physical order of the table, which is no part of a schema; here they are in that of their
    /// names.
    columns: Vec<String>,
    /// Output of `pg_get_statisticsobjdef_columns` after the columns.
    expressions: String,
    target: Option<i32>,
}

impl Object for ExtendedStatistics {
    const NAME: &'static str = "extended statistics";

    const IS_NAMED_BY_PROGRAMS: bool = false;

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_statistic_ext".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_statistic_ext'::regclass::int8, s.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'name', json_build_object('namespace', sn.nspname, 'name', s.stxname),
                    'on', {},
                    'relation', {RELATION},
                    -- An `e` says that there are expressions; of one alone there is one kind and no choice.
                    'kinds', CASE WHEN s.stxkind @> '{{d,f,m}}' OR s.stxkind = '{{e}}' THEN ARRAY[]::text[] ELSE
                        ARRAY(SELECT CASE kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' WHEN 'm' THEN 'mcv' END
                            FROM unnest(s.stxkind) kind WHERE kind <> 'e' ORDER BY kind) END,
                    'columns', COALESCE(keys.names, '{{}}'),
                    'expressions', ltrim(substr(pg_get_statisticsobjdef_columns(s.oid), length(COALESCE(keys.text, '')) + 1), ', '),
                    'target', CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END) AS object
            FROM pg_catalog.pg_statistic_ext s
                JOIN pg_catalog.pg_namespace sn ON sn.oid = s.stxnamespace
                JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                CROSS JOIN LATERAL (SELECT array_agg(a.attname ORDER BY a.attname) AS names,
                        string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS text
                    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (s.stxkeys)) keys
            WHERE ({} OR {}) AND {}",
            RelationKind::JSON,
            table(),
            materialized_view(),
            no_member("pg_statistic_ext", "s.oid")
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn parent(&self) -> Option<Id> {
        Some(self.on.id(&self.relation))
    }

    fn designation(key: &Name) -> String {
        format!("STATISTICS {key}")
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            name,
            on: _,
            relation,
            kinds,
            columns,
            expressions,
            target,
        } = self;
        let mut sql = format!("CREATE STATISTICS {name}");
        if !kinds.is_empty() {
            sql += &format!(" ({})", kinds.join(", "));
        }
        let mut on = Vec::new();
        if !columns.is_empty() {
            on.push(ident_list(columns));
        }
        if !expressions.is_empty() {
            on.push(expressions.clone());
        }
        sql += &format!(" ON {} FROM {relation}", on.join(", "));
        let mut statements = vec![Statement::new(
            format!("Create extended statistics {name} on {relation}"),
            sql,
        )];
        statements.extend(target.map(|target| self.aim(Some(target))));
        statements
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let name = &self.name;
        vec![Statement::new(
            format!("Drop extended statistics {name}"),
            format!("DROP STATISTICS {name}"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self {
            name: _,
            on,
            relation,
            kinds,
            columns,
            expressions,
            target: _,
        } = self;
        let Self {
            name: _,
            on: to_on,
            relation: to_relation,
            kinds: to_kinds,
            columns: to_columns,
            expressions: to_expressions,
            target: to_target,
        } = next;
        let same = on == to_on
            && relation == to_relation
            && kinds == to_kinds
            && columns == to_columns
            && expressions == to_expressions;
        if same {
            Alter::InPlace(vec![self.aim(*to_target)])
        } else {
            Alter::Replace
        }
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
        })
    }

    fn relocate(_key: &Name, _namespace: &str) -> Option<Statement> {
        None
    }

    /// Those on a table.
    fn declarable(&self, within: &Schema) -> bool {
        let relation = within.entry(&self.on.id(&self.relation));
        relation.is_none_or(|relation| relation.declarable(within))
    }

    fn keep(&self, there: &Self, keeping: &Keeping<'_>) -> Self {
        let Self {
            name,
            on,
            relation,
            kinds,
            columns,
            expressions,
            target,
        } = self;
        let says = keeping.decides(Detail::Statistics);
        Self {
            name: name.clone(),
            on: *on,
            relation: relation.clone(),
            kinds: kinds.clone(),
            columns: columns.clone(),
            expressions: expressions.clone(),
            target: if says { *target } else { there.target },
        }
    }
}

impl ExtendedStatistics {
    /// The statement that sets how much ANALYZE looks at; −1 is as much as for the columns.
    fn aim(&self, target: Option<i32>) -> Statement {
        let name = &self.name;
        Statement::new(
            format!("Change the statistics target of {name}"),
            format!(
                "ALTER STATISTICS {name} SET STATISTICS {}",
                target.unwrap_or(-1)
            ),
        )
    }
}
