//! Columns that the query of a view or a rule reads. Shared by the rooms of everything that `pg_rewrite` holds.

use serde::{Deserialize, Serialize};

use super::{Id, Registered, column::Column};
use crate::Member;

/// Of rows of `pg_rewrite`, the columns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reads {
    /// The columns that it reads. Where a table's alias lists names for its columns, `t(x, y)`, the same text reads others
    /// when they stand at other places, and only this tells.
    columns: Vec<Member>,
    /// All columns of the tables whose aliases do: the text is another when one comes or goes, whether it is read or not.
    listed: Vec<Member>,
}

impl Reads {
    /// The JSON of what `pg_rewrite` row `r` reads.
    pub(super) const JSON: &'static str = r"(SELECT json_build_object(
        'columns', COALESCE(json_agg(members.member ORDER BY members.place) FILTER (WHERE members.is_read), '[]'),
        'listed', COALESCE(json_agg(members.member ORDER BY members.place) FILTER (WHERE members.is_listed), '[]'))
        FROM (SELECT
                json_build_object('relation', json_build_object('namespace', tn.nspname, 'name', tc.relname),
                    'name', ta.attname) AS member,
                row_number() OVER (ORDER BY tn.nspname, tc.relname, ta.attname) AS place,
                used.is_read,
                used.is_listed
            FROM (SELECT both_of.relation, both_of.number, bool_or(both_of.is_read) AS is_read,
                    bool_or(NOT both_of.is_read) AS is_listed
                FROM (SELECT u.refobjid AS relation, u.refobjsubid AS number, true AS is_read
                    FROM pg_catalog.pg_depend u
                    WHERE u.classid = 'pg_catalog.pg_rewrite'::regclass AND u.objid = r.oid
                        AND u.refclassid = 'pg_catalog.pg_class'::regclass AND u.refobjsubid > 0
                    UNION ALL
                    -- No function of Postgres tells of aliases; they stand in the tree of the query.
                    SELECT la.attrelid, la.attnum, false
                    FROM regexp_matches(r.ev_action::text,
                            ':alias \{ALIAS :aliasname \S+ :colnames \([^{}]*\)\} :eref \{ALIAS [^{}]*\} :rtekind 0 :relid (\d+)',
                            'g') listing
                        JOIN pg_catalog.pg_attribute la
                            ON la.attrelid = listing[1]::oid AND la.attnum > 0 AND NOT la.attisdropped) both_of
                GROUP BY both_of.relation, both_of.number) used
                JOIN pg_catalog.pg_class tc ON tc.oid = used.relation
                JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
                JOIN pg_catalog.pg_attribute ta ON ta.attrelid = used.relation AND ta.attnum = used.number) members)";

    /// Dependencies of the text missing from `pg_depend`.
    pub(super) fn also_needs(&self) -> Vec<Id> {
        self.listed.iter().cloned().map(Column::id).collect()
    }
}
