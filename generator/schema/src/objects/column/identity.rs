//! Identity: the sequence that is a part of its column.

use serde::{Deserialize, Serialize};

use super::super::sequence::SequenceOptions;
use crate::Name;

/// GENERATED … AS IDENTITY.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    always: bool,
    /// The sequence, where its name is not the one that Postgres would choose.
    sequence: Option<Name>,
    options: SequenceOptions,
}

impl Identity {
    /// The JSON of the identity of `pg_attribute` row `a`, whose sequence is `s`, `sc` in namespace `sn`.
    pub(super) fn json() -> String {
        format!(
            "CASE WHEN a.attidentity <> '' THEN json_build_object(
                'always', a.attidentity = 'a',
                'sequence', CASE WHEN sn.oid <> n.oid OR sc.relname <> c.relname || '_' || a.attname || '_seq'
                        AND octet_length(c.relname || '_' || a.attname || '_seq') < 64
                    THEN json_build_object('namespace', sn.nspname, 'name', sc.relname) END,
                'options', {}) END",
            SequenceOptions::json("s")
        )
    }

    /// The identity as it stands in a column definition and after ADD.
    pub(super) fn definition(&self) -> String {
        let mut options = Vec::new();
        options.extend(
            self.sequence
                .as_ref()
                .map(|name| format!("SEQUENCE NAME {name}")),
        );
        options.extend(self.options.clauses());
        let kind = kind(self.always);
        if options.is_empty() {
            format!("GENERATED {kind} AS IDENTITY")
        } else {
            format!("GENERATED {kind} AS IDENTITY ({})", options.join(" "))
        }
    }

    /// The subcommands of ALTER COLUMN that lead to `to`; `None` where a sequence would have to change its name.
    pub(super) fn changes(&self, to: &Self) -> Option<Vec<String>> {
        let Self {
            always,
            sequence,
            options,
        } = self;
        if *sequence != to.sequence {
            return None;
        }
        let mut changes = Vec::new();
        if *always != to.always {
            changes.push(format!("SET GENERATED {}", kind(to.always)));
        }
        changes.extend(
            options
                .changes(&to.options)
                .into_iter()
                .map(|change| format!("SET {change}")),
        );
        changes.extend(options.restart(&to.options));
        Some(changes)
    }

    /// Takes over the name of the sequence, which models have no way to write.
    pub(super) fn keep_name(&mut self, there: &Self) {
        self.sequence.clone_from(&there.sequence);
    }

    /// The value from which a new sequence counts.
    pub(super) fn first(&self) -> i64 {
        self.options.first()
    }

    pub(super) fn counts_up(&self) -> bool {
        self.options.counts_up()
    }
}

fn kind(always: bool) -> &'static str {
    if always { "ALWAYS" } else { "BY DEFAULT" }
}
