//! Identity: the sequence that is a part of its column.

use serde::{Deserialize, Serialize};

use super::{
    super::sequence::{Sequence, SequenceOptions},
    Column,
};
use crate::{
    Hazard, Member, Name, Schema, Slot, Statement,
    name::{chosen, literal, quoted_ident},
};

/// GENERATED … AS IDENTITY.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    always: bool,
    /// The sequence, where its name is not the one that Postgres would choose.
    sequence: Option<Name>,
    options: SequenceOptions,
}

/// Order of the identity change and the change of its column's type, if there is one.
#[derive(Clone, Copy)]
pub(super) enum Retyped {
    /// The type stays.
    No,
    /// The type changes before the identity, whose new bounds may not fit into the old type.
    Before,
    /// The type changes after the identity, whose old bounds may not fit into the new type.
    Afterwards,
}

impl Identity {
    /// The identity of a partition's column is that of the partitioned table's, and has no sequence of its own.
    ///
    /// The JSON of the identity of `pg_attribute` row `a`, whose sequence is `s`, `sc` in namespace `sn`.
    pub(super) fn json() -> String {
        format!(
            "CASE WHEN a.attidentity <> '' AND s.seqrelid IS NOT NULL THEN json_build_object(
                'always', a.attidentity = 'a',
                'sequence', CASE WHEN sn.oid <> n.oid OR sc.relname <> c.relname || '_' || a.attname || '_seq'
                    THEN json_build_object('namespace', sn.nspname, 'name', sc.relname) END,
                'options', {}) END",
            SequenceOptions::json("s")
        )
    }

    /// True if MINVALUE or MAXVALUE is written, so that the sequence may end before its type does.
    pub(super) fn is_bounded(&self) -> bool {
        self.options.is_bounded()
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

    /// The subcommands of ALTER COLUMN that lead to `to`; `retyped` says whether the column gets another type besides.
    pub(super) fn changes(&self, to: &Self, retyped: Retyped) -> Vec<String> {
        let Self {
            always,
            sequence: _,
            options,
        } = self;
        let mut changes = Vec::new();
        if *always != to.always {
            changes.push(format!("SET GENERATED {}", kind(to.always)));
        }
        let written = match retyped {
            Retyped::No | Retyped::Afterwards => options.changes(&to.options),
            Retyped::Before => options.changes_with_type(&to.options),
        };
        changes.extend(written.into_iter().map(|change| format!("SET {change}")));
        changes.extend(options.restart(&to.options));
        changes
    }

    /// True if the sequence must RESTART.
    pub(super) fn restarts(&self, to: &Self) -> bool {
        self.options.restart(&to.options).is_some()
    }

    /// The statement that takes the sequence to its new bounds, where it may stand before them.
    pub(super) fn step_forward(&self, to: &Self, column: &Member) -> Option<Statement> {
        self.options.step_forward(&to.options, &to.sequence(column))
    }

    /// The statement that gives the sequence another name; `Err` where it would have to move.
    pub(super) fn rename(&self, to: &Self, column: &Member) -> Result<Option<Statement>, String> {
        let (old, new) = (self.sequence(column), to.sequence(column));
        if old.namespace != new.namespace {
            return Err(format!(
                "Postgres cannot move its identity sequence {old} to another namespace"
            ));
        }
        Ok((old != new).then(|| {
            let name = quoted_ident(&new.name);
            Statement::new(
                format!("Rename the identity sequence {old} to {name}"),
                format!("ALTER SEQUENCE {old} RENAME TO {name}"),
            )
        }))
    }

    /// The name of the sequence.
    pub(super) fn sequence(&self, column: &Member) -> Name {
        let Member { relation, name } = column;
        self.sequence.clone().unwrap_or_else(|| {
            Name::new(&relation.namespace, format!("{}_{name}_seq", relation.name))
        })
    }

    /// The statement that lets a new identity count on from the values in its column.
    pub(super) fn count_on(&self, column: &Member) -> Statement {
        let sequence = format!(
            "pg_catalog.pg_get_serial_sequence({}, {})",
            literal(&column.relation.to_string()),
            literal(&column.name)
        );
        self.options.count_on(&sequence, column)
    }

    /// True if its sequence can take over the position of any sequence with these options.
    pub(super) fn reaches_all_of(&self, options: &SequenceOptions) -> bool {
        self.options.reaches_all_of(options)
    }

    /// The statements that give a column this identity, which counts on where `sequence` stands, and drop that.
    pub(super) fn take_over(
        &self,
        taken: &Sequence,
        column: &Member,
        add: Statement,
        within: [&Schema; 2],
    ) -> Vec<Statement> {
        let sequence = taken.name();
        let own = self.sequence(column);
        let (mut statements, mut old) = (Vec::new(), sequence.clone());
        if own == *sequence {
            old = aside(sequence, within);
            let name = quoted_ident(&old.name);
            statements.push(Statement::new(
                format!("Put sequence {sequence} aside: the identity takes its name"),
                format!("ALTER SEQUENCE {sequence} RENAME TO {name}"),
            ));
        }
        statements.push(add);
        let count_on = Statement::new(
            format!("Count on where sequence {sequence} stands"),
            format!(
                "SELECT pg_catalog.setval({}, last_value, is_called)\nFROM {old}",
                literal(&own.to_string())
            ),
        );
        let [_, new] = within;
        let narrow = new.get::<Column>(column);
        let narrow = narrow.filter(|column| column.is_narrower_than(taken.data_type()));
        statements.push(match narrow {
            Some(column) => count_on.hazard(Hazard::MayFail {
                because: format!(
                    "if sequence {sequence} stands beyond what {} holds",
                    column.data_type
                ),
            }),
            None => count_on,
        });
        let drop = Statement::new(
            format!("Drop sequence {old}: the identity of {column} has its numbers"),
            format!("DROP SEQUENCE {old}"),
        );
        statements.push(if own == *sequence {
            drop
        } else {
            drop.hazard(Hazard::names(format!("sequence {sequence}")))
        });
        statements
    }

    /// Gives the sequence the name that Postgres would choose, where it had that before.
    pub(super) fn name_anew(&mut self, before: &Self) {
        if before.sequence.is_none() {
            self.sequence = None;
        }
    }

    /// The declared one with the name of the sequence that is there, which models have no way to write.
    pub(super) fn keep(&self, there: &Self) -> Self {
        let Self {
            always,
            sequence: _,
            options,
        } = self;
        Self {
            always: *always,
            sequence: there.sequence.clone(),
            options: options.clone(),
        }
    }
}

/// A name for a sequence that another of its name replaces.
fn aside(sequence: &Name, within: [&Schema; 2]) -> Name {
    let names = (0_u32..).map(|number| {
        let label = if number == 0 {
            "old".to_owned()
        } else {
            format!("old{number}")
        };
        Name::new(&sequence.namespace, chosen(&sequence.name, None, &label))
    });
    let is_free = |name: &Name| {
        let slot = Slot::Relation(name.clone());
        within.iter().all(|schema| {
            let mut unread = schema.unread().iter();
            let mut entries = schema.entries();
            !unread.any(|one| one.occupies.contains(&slot))
                && !entries.any(|(_, entry)| entry.occupies().contains(&slot))
        })
    };
    let mut free = names.filter(is_free);
    free.next().unwrap_or_else(|| sequence.clone())
}

fn kind(always: bool) -> &'static str {
    if always { "ALWAYS" } else { "BY DEFAULT" }
}
