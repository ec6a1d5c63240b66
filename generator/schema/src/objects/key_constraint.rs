//! What primary keys and unique constraints have in common: a constraint with an index behind it. The two are one object;
//! the index has no life of its own.

use serde::{Deserialize, Serialize};

use super::{
    catalog::{RELATION, parameter_changes, parameters, table},
    index::{cluster_change, index_option_changes},
    table::replica_identity_index,
};
use crate::{Alter, Clause, Hazard, LockMode, Member, Name, Slot, Statement, name::quoted_ident};

/// A row of `pg_constraint` with the settings of its index.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyConstraint {
    relation: Name,
    name: String,
    /// What `pg_get_constraintdef` prints of the columns in their order, INCLUDE and NULLS NOT DISTINCT.
    definition: String,
    /// What it prints after that: when the constraint is checked.
    timing: String,
    options: Vec<String>,
    tablespace: Option<String>,
    clustered: bool,
    replica_identity: bool,
}

/// How `pg_get_constraintdef` ends, for constraint `k`.
pub(super) const TIMING: &str = "(CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END
    || CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)";

/// The SELECT for constraints of one `contype`.
pub(super) fn catalog(contype: char) -> String {
    format!(
        "SELECT ARRAY['pg_catalog.pg_constraint'::regclass::int8, k.oid::int8, 0,
                'pg_catalog.pg_class'::regclass::int8, k.conindid::int8, 0] AS addresses,
            k.conkey[1]::int4 AS position,
            json_build_object(
                'relation', {RELATION},
                'name', k.conname,
                'definition', left(def.text, length(def.text) - length({TIMING})),
                'timing', {TIMING},
                'options', COALESCE(ic.reloptions, '{{}}'),
                'tablespace', ts.spcname,
                'clustered', i.indisclustered,
                'replica_identity', i.indisreplident) AS object
        FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid
            JOIN pg_catalog.pg_class ic ON ic.oid = k.conindid
            LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = ic.reltablespace
            CROSS JOIN LATERAL (SELECT pg_get_constraintdef(k.oid, true) AS text) def
        WHERE k.contype = '{contype}' AND {}",
        table()
    )
}

impl KeyConstraint {
    pub(super) fn key(&self) -> Member {
        Member::new(self.relation.clone(), &self.name)
    }

    pub(super) fn relation(&self) -> &Name {
        &self.relation
    }

    pub(super) fn clustered(&self) -> bool {
        self.clustered
    }

    pub(super) fn named(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }

    pub(super) fn occupies(&self) -> Vec<Slot> {
        vec![
            Slot::Constraint(self.key()),
            Slot::Relation(Name::new(&self.relation.namespace, &self.name)),
        ]
    }

    pub(super) fn create(&self, what: &str) -> Vec<Statement> {
        let Self { relation, name, .. } = self;
        let mut statements = vec![
            Statement::new(
                format!("Add {what} {} to {relation}", quoted_ident(name)),
                format!("ALTER TABLE {relation} ADD {}", self.definition()),
            )
            .hazard(Hazard::Locks {
                table: relation.to_string(),
                mode: LockMode::ReadsAndWrites,
            })
            .hazard(Hazard::MayFail {
                because: format!(
                    "while two rows of {relation} are alike in {}",
                    in_parentheses(&self.definition)
                ),
            }),
        ];
        statements.extend(self.settings());
        statements
    }

    pub(super) fn clause(&self) -> Clause {
        Clause::cosmetic(self.definition()).then(self.settings())
    }

    pub(super) fn remove(&self, what: &str) -> Vec<Statement> {
        let Self { relation, name, .. } = self;
        vec![Statement::new(
            format!("Drop {what} {} of {relation}", quoted_ident(name)),
            format!(
                "ALTER TABLE {relation} DROP CONSTRAINT {}",
                quoted_ident(name)
            ),
        )]
    }

    pub(super) fn alter(&self, next: &Self, others_clustered: bool) -> Alter {
        let Self {
            relation,
            name,
            definition,
            timing,
            options,
            tablespace,
            clustered,
            replica_identity,
        } = self;
        if *definition != next.definition || *timing != next.timing {
            return Alter::Replace;
        }
        let index = Name::new(&relation.namespace, name);
        let mut statements = index_option_changes(
            &index,
            &parameter_changes(options, &next.options),
            tablespace.as_deref(),
            next.tablespace.as_deref(),
        );
        statements.extend(cluster_change(
            relation,
            name,
            *clustered,
            next.clustered,
            others_clustered,
        ));
        statements.extend(replica_identity_index(
            relation,
            name,
            *replica_identity,
            next.replica_identity,
        ));
        Alter::InPlace(statements)
    }

    pub(super) fn keep(&self, there: &Self) -> Self {
        Self {
            options: there.options.clone(),
            tablespace: there.tablespace.clone(),
            clustered: there.clustered,
            replica_identity: there.replica_identity,
            ..self.clone()
        }
    }

    pub(super) fn rename(&self, to: &str) -> Vec<Statement> {
        let Self { relation, name, .. } = self;
        let (name, to) = (quoted_ident(name), quoted_ident(to));
        vec![Statement::new(
            format!("Rename constraint {name} of {relation} to {to}"),
            format!("ALTER TABLE {relation} RENAME CONSTRAINT {name} TO {to}"),
        )]
    }

    fn definition(&self) -> String {
        let mut sql = format!("CONSTRAINT {} ", quoted_ident(&self.name));
        sql += &self.definition;
        if !self.options.is_empty() {
            sql += &format!(" WITH {}", parameters(&self.options));
        }
        if let Some(tablespace) = &self.tablespace {
            sql += &format!(" USING INDEX TABLESPACE {}", quoted_ident(tablespace));
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
        let mut statements: Vec<Statement> =
            cluster_change(relation, name, false, *clustered, false)
                .into_iter()
                .collect();
        statements.extend(replica_identity_index(
            relation,
            name,
            false,
            *replica_identity,
        ));
        statements
    }
}

/// The first parentheses of a definition with what is in them: of `UNIQUE (a, b) INCLUDE (c)`, `(a, b)`.
pub(super) fn in_parentheses(definition: &str) -> &str {
    let (mut depth, mut quoted, mut start) = (0_u32, None, 0);
    for (at, c) in definition.char_indices() {
        match (quoted, c) {
            (Some(quote), _) if quote == c => quoted = None,
            (None, '"' | '\'') => quoted = Some(c),
            (None, '(') => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            (None, ')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return &definition[start..=at];
                }
            }
            (Some(_) | None, _) => {}
        }
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::in_parentheses;

    #[test]
    fn the_first_parentheses_are_the_columns() {
        assert_eq!(in_parentheses("UNIQUE (a, b) INCLUDE (c)"), "(a, b)");
        assert_eq!(
            in_parentheses("USING btree (lower(a), \")\", (b || ')'))"),
            "(lower(a), \")\", (b || ')'))"
        );
    }
}
