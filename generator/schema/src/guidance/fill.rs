//! Values that models give to existing rows without one, and Postgres' answers about writing them.

use serde::Deserialize;

use super::Expression;
use crate::{
    Id, Member, Name, Origin, Schema,
    name::quoted_ident,
    objects::{
        Registered,
        column::{Column, Filling},
        table::Table,
    },
};

/// The declared value for rows without one.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    of: Member,
    pub(crate) expression: Expression,
    /// True if the table's triggers fire on the filled rows.
    pub(crate) triggers: bool,
    pub(crate) facts: FillFacts,
}

/// A column to fill, to ask Postgres about.
#[derive(Clone, Debug)]
pub struct Filled {
    pub(super) id: Id,
    /// The table.
    pub relation: Name,
    /// The column's name there.
    pub column: String,
    /// The expression.
    pub sql: String,
    /// Origin of the expression in the models.
    pub origin: Origin,
    /// True if the table's triggers fire on the filled rows.
    pub triggers: bool,
    /// True if the column is new.
    pub is_new: bool,
}

/// Postgres' answer about a fill. The default knows nothing, and then the fill is a plain UPDATE.
#[derive(Clone, Default, Debug)]
pub struct FillFacts {
    /// The value, where it is one for all rows.
    pub constant: Option<Constant>,
    /// Triggers, rules and policies that an UPDATE of the table meets.
    pub surroundings: Surroundings,
}

/// An expression that reads no column and is not volatile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constant {
    /// As Postgres prints it.
    pub expression: String,
}

/// Triggers, rules and policies that an UPDATE of a table meets.
#[derive(Clone, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surroundings {
    /// The table, and all that inherit from it.
    pub relations: Vec<Updated>,
    /// Rules of the table on UPDATE.
    pub rules: Vec<Runs>,
    /// True if row-level security is forced: policies bind the owner too.
    pub forced: bool,
    /// True if any trigger in the database is deferred to the end of the transaction.
    pub waits: bool,
}

/// A table whose rows are updated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Updated {
    /// The table.
    pub name: Name,
    /// A column of it that can be updated.
    pub column: Option<String>,
    /// The triggers that run.
    pub triggers: Vec<Runs>,
    /// `pg_class.relreplident`.
    pub identity: char,
    /// The index that is its replica identity.
    pub index: Option<String>,
    /// True if the table is in a publication and has no replica identity: Postgres refuses to update its rows until REPLICA
    /// IDENTITY FULL.
    #[serde(default)]
    pub unidentified: bool,
}

/// A trigger or a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// Its name.
    pub name: String,
    /// `pg_trigger.tgenabled` or `pg_rewrite.ev_enabled`: `O` or `A`, or it would not run.
    pub state: char,
    /// The trigger's function.
    pub function: Option<String>,
    /// True if a trigger waits for the end of the transaction.
    pub deferred: bool,
    /// True if a rule is DO INSTEAD: it takes the place of the UPDATE.
    pub instead: bool,
    /// The columns of `UPDATE OF`; none where any counts.
    pub columns: Vec<String>,
}

impl Fill {
    pub(crate) fn new(of: Member, expression: Expression, triggers: bool) -> Self {
        Self {
            of,
            expression,
            triggers,
            facts: FillFacts::default(),
        }
    }

    /// The column, where rows may exist that have no value in it.
    pub(super) fn filled(&self, id: &Id, from: &Schema, to: &Schema) -> Option<Filled> {
        let Self {
            of,
            expression,
            triggers,
            facts: _,
        } = self;
        from.entry(&Table::id(of.relation.clone()))?;
        let filling = Column::filling(from.get::<Column>(of), to.get::<Column>(of)?)?;
        Some(Filled {
            id: id.clone(),
            relation: of.relation.clone(),
            column: of.name.clone(),
            sql: expression.sql.clone(),
            origin: expression.origin.clone(),
            triggers: *triggers,
            is_new: matches!(filling, Filling::New),
        })
    }
}

impl Surroundings {
    /// The query with the table's namespace as `$1`, its name as `$2` and the filled column's as `$3`, that answers with
    /// one of these as JSON.
    pub const QUERY: &'static str = "
        WITH RECURSIVE tree(oid, depth) AS (
            SELECT c.oid, 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2
            UNION SELECT i.inhrelid, tree.depth + 1 FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
        ), relations AS (SELECT oid, min(depth) AS depth FROM tree GROUP BY oid)
        SELECT json_build_object(
            'relations', (SELECT json_agg(json_build_object(
                    'name', json_build_object('namespace', n.nspname, 'name', c.relname),
                    'column', (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                        AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a' ORDER BY a.attnum LIMIT 1),
                    'triggers', (SELECT COALESCE(json_agg(json_build_object(
                            'name', t.tgname, 'state', t.tgenabled, 'instead', false,
                            'function', quote_ident(pn.nspname) || '.' || quote_ident(p.proname),
                            'deferred', t.tgdeferrable AND t.tginitdeferred,
                            'columns', ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr) ORDER BY a.attnum)) ORDER BY t.tgname), '[]')
                        FROM pg_catalog.pg_trigger t
                            JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
                            JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
                            LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
                        -- 16: on UPDATE. 1: for each row; those for a statement run only for the table that it names.
                        WHERE t.tgrelid = c.oid AND (k.oid IS NULL OR k.contype = 't') AND t.tgenabled IN ('O', 'A')
                            AND t.tgtype & 16 <> 0 AND (relations.depth = 0 OR t.tgtype & 1 <> 0)
                            AND (t.tgattr = '' OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr) AND a.attname = $3))),
                    'identity', c.relreplident,
                    'index', (SELECT x.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                        WHERE i.indrelid = c.oid AND i.indisreplident)) ORDER BY relations.depth, n.nspname, c.relname)
                FROM relations
                    JOIN pg_catalog.pg_class c ON c.oid = relations.oid
                    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p')),
            -- 2: on UPDATE.
            'rules', (SELECT COALESCE(json_agg(json_build_object(
                    'name', r.rulename, 'state', r.ev_enabled, 'instead', r.is_instead, 'function', NULL, 'deferred', false,
                    'columns', '[]'::json) ORDER BY r.rulename), '[]')
                FROM pg_catalog.pg_rewrite r
                WHERE r.ev_class = root.oid AND r.ev_type = '2' AND r.ev_enabled IN ('O', 'A')),
            'forced', root.relrowsecurity AND root.relforcerowsecurity,
            'waits', EXISTS (SELECT FROM pg_catalog.pg_trigger t
                WHERE t.tgdeferrable AND t.tginitdeferred AND t.tgenabled IN ('O', 'A')))::text AS found
        FROM pg_catalog.pg_class root
        WHERE root.oid = (SELECT oid FROM relations WHERE depth = 0)";

    /// The triggers that run, each with its table.
    pub(crate) fn triggers(&self) -> impl Iterator<Item = (&Name, &Runs)> {
        self.relations.iter().flat_map(|one| {
            let triggers = one.triggers.iter();
            triggers.map(move |trigger| (&one.name, trigger))
        })
    }

    /// True if the UPDATE may set off something deferred to the end of the transaction, as far as triggers tell.
    pub(crate) fn may_wait(&self) -> bool {
        self.triggers().any(|(_, trigger)| trigger.deferred)
            // Other tables that a trigger or a rule writes to may have something that waits.
            || self.waits && (self.triggers().next().is_some() || !self.rules.is_empty())
    }

    /// A rule that takes the place of the UPDATE, which then reaches no row.
    #[must_use]
    pub fn taken_over(&self) -> Option<&Runs> {
        self.rules.iter().find(|rule| rule.instead)
    }
}

impl Updated {
    /// The end of the ALTER TABLE that gives it the replica identity that it has.
    pub(crate) fn identity(&self) -> String {
        match (self.identity, &self.index) {
            ('i', Some(index)) => format!("REPLICA IDENTITY USING INDEX {}", quoted_ident(index)),
            ('f', _) => "REPLICA IDENTITY FULL".to_owned(),
            // Also where the index that was the identity is gone.
            ('n' | 'i', _) => "REPLICA IDENTITY NOTHING".to_owned(),
            (_, _) => "REPLICA IDENTITY DEFAULT".to_owned(),
        }
    }
}

impl Runs {
    /// The words of ALTER TABLE after which it runs as it does.
    pub(crate) fn enabled(&self) -> &'static str {
        if self.state == 'A' {
            "ENABLE ALWAYS"
        } else {
            "ENABLE"
        }
    }
}
