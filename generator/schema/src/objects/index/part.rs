//! Indexes of partitions as parts of the index of the whole, whether a constraint stands before them or not.

use serde::{Deserialize, Serialize};

use super::super::{
    Registered,
    exclusion::Exclusion,
    inheritance::{Inheritance, Tie, lasting_parents, partitions_above, partitions_below},
    primary_key::PrimaryKey,
    table::Table,
    unique::Unique,
};
use super::Index;
use crate::{Id, Lead, Member, Name, Schema, Statement, Turn};

/// Attributes by which Postgres finds a matching index in a partition, or fewer, of index `i` of table `c`.
pub(in super::super) const ALIKE: &str = "CASE WHEN c.relispartition THEN concat_ws(' ', i.indisunique,
                        (SELECT string_agg(COALESCE(quote_ident(a.attname), '*'), ',' ORDER BY k.place)
                            FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY k(number, place)
                                LEFT JOIN pg_catalog.pg_attribute a
                                    ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number <> 0),
                        pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid)) END";

/// An index in its table, whatever stands before it.
#[derive(Clone, Copy)]
pub(in super::super) struct IndexPart<'a> {
    pub(in super::super) relation: &'a Name,
    pub(in super::super) name: &'a str,
    pub(in super::super) partitioned: bool,
    pub(in super::super) attached: Option<&'a Attached>,
    pub(in super::super) alike: Option<&'a str>,
    /// The constraint that owns the index, if any.
    pub(in super::super) constraint: Option<Constraint<'a>>,
}

/// The constraint before an index.
#[derive(Clone, Copy)]
pub(in super::super) struct Constraint<'a> {
    /// `pg_constraint.contype`.
    pub(in super::super) contype: char,
    /// Attributes in which two constraints must agree for one CREATE TABLE to make one index of them, or fewer.
    pub(in super::super) merged_by: [&'a str; 2],
}

/// The index of a partitioned table that an index of a partition is a part of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Attached {
    relation: Name,
    index: String,
    /// The `contype` of the constraint that the index stands behind.
    constraint: Option<char>,
}

impl IndexPart<'_> {
    /// ATTACH PARTITION takes for the index of a partition whichever it finds, and makes one where it finds none.
    pub(in super::super) fn comes_after(&self, within: &Schema) -> Vec<Id> {
        let is_mine = |other: &IndexPart<'_>, parent: &Name| {
            other.attached.is_some_and(|to| to.relation == *parent)
        };
        let mistaken = partitions_above(self.relation, within).filter(|tie| {
            !is_mine(self, &tie.parent)
                && parts_of(self.relation, within)
                    .iter()
                    .any(|other| is_mine(other, &tie.parent) && other.alike == self.alike)
        });
        let missing = partitions_below(self.relation, within)
            .filter(|tie| self.partitioned && self.parts_in(&tie.child, within).is_empty());
        mistaken.chain(missing).map(Inheritance::id).collect()
    }

    /// The parent index of a declared index, and the attributes Postgres matches it by: both as in the database where the
    /// tables are the same, since models declare neither for a partition by itself.
    pub(in super::super) fn keep(
        self,
        there: Self,
        within: &Schema,
    ) -> (Option<Attached>, Option<String>) {
        let attached = match (self.attached, there.attached) {
            (Some(declared), Some(there)) if declared.relation == there.relation => Some(there),
            (None, Some(there)) if there.is_above(self.relation, within) => Some(there),
            (declared, None | Some(_)) => declared,
        };
        let kept = there
            .alike
            .filter(|_| partitions_above(self.relation, within).next().is_some());
        (
            attached.cloned(),
            self.alike.or(kept).map(ToOwned::to_owned),
        )
    }

    /// True if a constraint of a partition is attached to this index.
    pub(super) fn has_constraints_below(&self, within: &Schema) -> bool {
        self.below(within)
            .iter()
            .any(|part| part.constraint.is_some())
    }

    /// True if another constraint of the table comes before it that says the same: in one CREATE TABLE, Postgres would drop
    /// this one without a word.
    pub(in super::super) fn is_merged(&self, within: &Schema) -> bool {
        let Some(mine) = self.constraint else {
            return false;
        };
        let others = parts_of(self.relation, within).into_iter();
        let others = others.filter_map(|part| Some((part.constraint?, part.name)));
        let mut equal = others.filter(|(other, _)| other.merged_by == mine.merged_by);
        equal.any(|(other, name)| (other.contype, name) < (mine.contype, self.name))
    }

    /// Its parts in the partitions, and theirs.
    pub(super) fn below<'a>(&self, within: &'a Schema) -> Vec<IndexPart<'a>> {
        if !self.partitioned {
            return Vec::new();
        }
        let parts = partitions_below(self.relation, within)
            .flat_map(|tie| self.parts_in(&tie.child, within));
        parts
            .flat_map(|part| std::iter::once(part).chain(part.below(within)))
            .collect()
    }

    /// Its parts in one partition.
    fn parts_in<'a>(&self, partition: &Name, within: &'a Schema) -> Vec<IndexPart<'a>> {
        let mut parts = parts_of(partition, within);
        parts.retain(|part| {
            let whole = part.attached;
            whole.is_some_and(|to| to.relation == *self.relation && to.index == self.name)
        });
        parts
    }
}

/// The indexes of a table.
fn parts_of<'a>(table: &Name, within: &'a Schema) -> Vec<IndexPart<'a>> {
    let id = Table::id(table.clone());
    let mut parts: Vec<IndexPart<'a>> = within.parts::<Index>(&id).map(Index::part).collect();
    parts.extend(within.parts::<PrimaryKey>(&id).map(PrimaryKey::part));
    parts.extend(within.parts::<Unique>(&id).map(Unique::part));
    parts.extend(within.parts::<Exclusion>(&id).map(Exclusion::part));
    parts
}

/// Way in which an index gets another parent index.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Attaching {
    /// With the table, or there is nothing to change.
    ByItself,
    /// By a statement.
    Now,
    /// Not as it is: an index is a part of another for good.
    Anew,
}

impl Attached {
    /// The JSON of what the index `ic` is a part of; needs [`Attached::JOIN`].
    pub(in super::super) const JSON: &str = "CASE WHEN ai.oid IS NOT NULL THEN json_build_object(
                        'relation', json_build_object('namespace', an.nspname, 'name', ac.relname),
                        'index', ai.relname, 'constraint', ak.contype) END";

    pub(in super::super) const JOIN: &str = "LEFT JOIN pg_catalog.pg_inherits ah ON ah.inhrelid = ic.oid
                LEFT JOIN pg_catalog.pg_class ai ON ai.oid = ah.inhparent
                LEFT JOIN pg_catalog.pg_index ax ON ax.indexrelid = ai.oid
                LEFT JOIN pg_catalog.pg_class ac ON ac.oid = ax.indrelid
                LEFT JOIN pg_catalog.pg_namespace an ON an.oid = ac.relnamespace
                LEFT JOIN pg_catalog.pg_constraint ak ON ak.conindid = ai.oid AND ak.contype IN ('p', 'u', 'x')";

    /// The index, or the constraint that it stands behind.
    pub(in super::super) fn id(&self) -> Id {
        let Self {
            relation,
            index,
            constraint,
        } = self;
        let member = || Member::new(relation.clone(), index);
        match constraint {
            Some('p') => PrimaryKey::id(member()),
            Some('u') => Unique::id(member()),
            Some(_) => Exclusion::id(member()),
            None => Index::id(Name::new(&relation.namespace, index)),
        }
    }

    pub(in super::super) fn lead(
        attached: Option<&Self>,
        table: &Name,
        from: &Schema,
        to: &Schema,
    ) -> Vec<Lead> {
        let lasting = attached.filter(|attached| attached.lasts(table, from, to));
        let lead = lasting.map(|attached| Lead {
            leader: attached.id(),
            comes: Turn::After,
            goes: Turn::Along,
            is_namesake: false,
        });
        lead.into_iter().collect()
    }

    /// Way in which an index of `table` moves from one parent index to another.
    pub(in super::super) fn change(
        old: Option<&Self>,
        new: Option<&Self>,
        table: &Name,
        from: &Schema,
        to: &Schema,
    ) -> Attaching {
        if old == new {
            Attaching::ByItself
        } else if old.is_some_and(|old| old.lasts(table, from, to)) {
            Attaching::Anew
        } else if new.is_some_and(|new| new.lasts(table, from, to)) {
            Attaching::Now
        } else {
            Attaching::ByItself
        }
    }

    /// The statement that makes the index a part of this one. ATTACH PARTITION of the tables does so by itself.
    pub(in super::super) fn attach(&self, table: &Name, index: &str) -> Statement {
        let index = Name::new(&table.namespace, index);
        let whole = Name::new(&self.relation.namespace, &self.index);
        Statement::new(
            format!("Make index {index} a part of {whole}"),
            format!("ALTER INDEX {whole} ATTACH PARTITION {index}"),
        )
        .unless_comes(Inheritance::id(self.tie(table)))
    }

    /// True if `table` is a partition of the table of this index.
    fn is_above(&self, table: &Name, within: &Schema) -> bool {
        partitions_above(table, within).any(|tie| tie.parent == self.relation)
    }

    fn lasts(&self, table: &Name, from: &Schema, to: &Schema) -> bool {
        let parents = lasting_parents(table, from, to);
        parents.iter().any(|parent| *parent.name == self.relation)
    }

    fn tie(&self, table: &Name) -> Tie {
        Tie {
            child: table.clone(),
            parent: self.relation.clone(),
        }
    }
}
