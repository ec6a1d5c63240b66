//! Inheritance links: from a partition to its partitioned table, from a table to those after INHERITS. An object of its
//! own, because a link is removed before its two tables change and created when they are alike.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{RELATION, table},
    foreign_key,
    table::Table,
};
use crate::{
    Alter, Clause, Hazard, Id, Name, Schema, Server, Statement, Turn, name::Path, object::Object,
};

/// A row of `pg_inherits`, between tables.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inheritance {
    tie: Tie,
    /// The place of the parent among those of the child, from 1.
    place: i32,
    /// Bound of a partition: `FOR VALUES …` or `DEFAULT`.
    bound: Option<String>,
}

/// Two tables of which one inherits from the other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tie {
    pub(super) child: Name,
    pub(super) parent: Name,
}

impl Path for Tie {
    fn path(&self) -> Vec<&str> {
        Vec::new()
    }

    fn with_name(&self, _name: &str) -> Option<Self> {
        None
    }

    fn in_namespace(&self, _namespace: &str) -> Option<Self> {
        None
    }
}

/// Origin of a column or a constraint: the table's own or a parent's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Descent {
    /// The table's own.
    Own,
    /// The parent's.
    Inherited,
    /// The parent's, and the table's own besides.
    Merged,
    /// The same in a partition, where it makes no difference but for what stays when the parent's goes, and a dump does
    /// not tell.
    Kept,
}

impl PartialEq for Descent {
    fn eq(&self, other: &Self) -> bool {
        let told = |descent: &Self| match descent {
            Self::Own => 0,
            Self::Inherited | Self::Kept => 1,
            Self::Merged => 2,
        };
        told(self) == told(other)
    }
}

impl Eq for Descent {}

impl Display for Tie {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.child, self.parent)
    }
}

impl Object for Inheritance {
    const NAME: &'static str = "inheritance";

    type Key = Tie;

    fn traces() -> String {
        "pg_catalog.pg_inherits".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY[]::int8[] AS addresses,
                h.place::int4 AS position,
                json_build_object(
                    'tie', json_build_object(
                        'child', {RELATION},
                        'parent', json_build_object('namespace', pn.nspname, 'name', p.relname)),
                    'place', h.place,
                    'bound', pg_get_expr(c.relpartbound, c.oid)) AS object
            FROM (SELECT inhrelid, inhparent,
                    row_number() OVER (PARTITION BY inhrelid ORDER BY inhseqno) AS place
                FROM pg_catalog.pg_inherits) h
                JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
                JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
            WHERE {}",
            table()
        )
    }

    fn key(&self) -> Tie {
        self.tie.clone()
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.tie.child.clone()))
    }

    fn also_needs(&self) -> Vec<Id> {
        vec![Table::id(self.tie.parent.clone())]
    }

    fn ties(&self) -> Vec<Id> {
        let Tie { child, parent } = &self.tie;
        vec![Table::id(child.clone()), Table::id(parent.clone())]
    }

    fn designation(key: &Tie) -> String {
        Table::designation(&key.child)
    }

    fn declarable(&self, _within: &Schema) -> bool {
        false
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Tie { child, parent } = &self.tie;
        let Some(bound) = &self.bound else {
            return vec![Statement::new(
                format!("Let {child} inherit from {parent}"),
                format!("ALTER TABLE {child} INHERIT {parent}"),
            )];
        };
        let mut attach = Statement::new(
            format!("Make {child} a partition of {parent}"),
            format!("ALTER TABLE {parent} ATTACH PARTITION {child} {bound}"),
        )
        .hazard(Hazard::MayFail {
            because: format!("while a row of {child} does not belong there"),
        });
        if let Some(default) = self.default_beside(within) {
            attach = attach.hazard_to(
                Table::id(default.clone()),
                Hazard::MayFail {
                    because: format!("while a row of {default} belongs to {child}"),
                },
            );
        }
        vec![attach]
    }

    /// Only a table that is made so inherits a column that is not its own besides.
    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        let Tie { child: _, parent } = &self.tie;
        (self.bound.is_none()).then(|| Clause::essential(parent.to_string()).behind())
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let Tie { child, parent } = &self.tie;
        vec![if self.bound.is_some() {
            let detach = Statement::new(
                format!("Let {child} be no partition of {parent}"),
                format!("ALTER TABLE {parent} DETACH PARTITION {child}"),
            );
            if foreign_key::refers_to_itself(parent, within) {
                detach.hazard(Hazard::MayFail {
                    because: format!("while a row of {parent} refers to one of {child}"),
                })
            } else {
                detach
            }
        } else {
            Statement::new(
                format!("Let {child} not inherit from {parent}"),
                format!("ALTER TABLE {child} NO INHERIT {parent}"),
            )
        }]
    }

    fn alter(&self, next: &Self, from: &Schema, to: &Schema) -> Alter {
        let Self {
            tie,
            place: _,
            bound,
        } = self;
        if *bound != next.bound {
            return Alter::Replace;
        }
        let parents = |within: &Schema, other: &Schema| {
            let mut ties = ties_above(&tie.child, within);
            ties.retain(|tie| other.get::<Self>(&tie.tie).is_some());
            ties.sort_by_key(|tie| tie.place);
            let parents = ties.into_iter().map(|tie| tie.tie.parent.clone());
            parents.collect::<Vec<Name>>()
        };
        if parents(from, to) != parents(to, from) {
            return Alter::NotYet(
                "Postgres cannot change the order of the tables that a table inherits from"
                    .to_owned(),
            );
        }
        Alter::InPlace(Vec::new())
    }
}

impl Inheritance {
    /// The partition beside it that holds what belongs to no other.
    fn default_beside<'a>(&self, within: &'a Schema) -> Option<&'a Name> {
        ties_below(&self.tie.parent, within)
            .into_iter()
            .find(|other| other.bound.as_deref() == Some("DEFAULT"))
            .map(|other| &other.tie.child)
            .filter(|child| **child != self.tie.child)
    }

    /// True if the link exists in both schemas with the same bound, and neither table is recreated.
    fn lasts(&self, from: &Schema, to: &Schema) -> bool {
        let Tie { child, parent } = &self.tie;
        let same = from
            .get::<Self>(&self.tie)
            .is_some_and(|old| old.bound == self.bound)
            && to.get::<Self>(&self.tie).is_some();
        same && [child, parent]
            .into_iter()
            .all(|table| !Table::is_remade(table, from, to))
    }
}

fn ties_above<'a>(child: &Name, within: &'a Schema) -> Vec<&'a Inheritance> {
    within
        .parts::<Inheritance>(&Table::id(child.clone()))
        .collect()
}

fn ties_below<'a>(parent: &Name, within: &'a Schema) -> Vec<&'a Inheritance> {
    within
        .users::<Inheritance>(&Table::id(parent.clone()))
        .filter(|tie| tie.tie.parent == *parent)
        .collect()
}

/// The links of a partition to its partitioned tables.
pub(super) fn partitions_above(child: &Name, within: &Schema) -> impl Iterator<Item = Tie> {
    let ties = ties_above(child, within).into_iter();
    ties.filter(|tie| tie.bound.is_some())
        .map(|tie| tie.tie.clone())
}

/// True if a table is a partition of another.
pub(super) fn is_partition(child: &Name, within: &Schema) -> bool {
    is_partition_id(&Table::id(child.clone()), within)
}

/// The same, by its id; of what is no table it is not so.
pub(super) fn is_partition_id(child: &Id, within: &Schema) -> bool {
    let mut ties = within.parts::<Inheritance>(child);
    ties.any(|tie| tie.bound.is_some())
}

/// The links of a partitioned table to its partitions.
pub(super) fn partitions_below(parent: &Name, within: &Schema) -> impl Iterator<Item = Tie> {
    let ties = ties_below(parent, within).into_iter();
    ties.filter(|tie| tie.bound.is_some())
        .map(|tie| tie.tie.clone())
}

/// A table from which another inherits.
pub(super) struct Parent<'a> {
    pub(super) name: &'a Name,
    pub(super) partitioned: bool,
}

/// The parents of a table throughout the change from one schema to the other.
pub(super) fn lasting_parents<'a>(
    child: &Name,
    from: &'a Schema,
    to: &'a Schema,
) -> Vec<Parent<'a>> {
    let ties = ties_above(child, to).into_iter();
    let lasting = ties.filter(|tie| tie.lasts(from, to));
    lasting.map(Parent::of).collect()
}

/// The same, and those from which a table is made to inherit when it is made.
pub(super) fn leading_parents<'a>(
    child: &Name,
    from: &'a Schema,
    to: &'a Schema,
) -> Vec<Parent<'a>> {
    let is_new = from.get::<Table>(child).is_none();
    let ties = ties_above(child, to).into_iter();
    let leading = ties.filter(|tie| tie.lasts(from, to) || is_new && tie.bound.is_none());
    leading.map(Parent::of).collect()
}

impl<'a> Parent<'a> {
    /// Turn in which an inherited column or constraint is dropped, where the parent's is dropped.
    pub(super) fn goes(&self) -> Turn {
        if self.partitioned {
            Turn::Along
        } else {
            Turn::After
        }
    }

    fn of(tie: &'a Inheritance) -> Self {
        Self {
            name: &tie.tie.parent,
            partitioned: tie.bound.is_some(),
        }
    }
}

/// The tables after INHERITS.
pub(super) fn inherits<'a>(child: &Name, within: &'a Schema) -> Vec<&'a Name> {
    let ties = ties_above(child, within).into_iter();
    ties.filter(|tie| tie.bound.is_none())
        .map(|tie| &tie.tie.parent)
        .collect()
}

/// True if other tables inherit from this one.
pub(super) fn has_heirs(table: &Name, within: &Schema) -> bool {
    !ties_below(table, within).is_empty()
}

/// The table, for a statement that leaves alone those that inherit from it.
pub(super) fn only(table: &Name, within: &Schema) -> String {
    if has_heirs(table, within) {
        format!("ONLY {table}")
    } else {
        table.to_string()
    }
}

/// The table, for a statement that drops a column or constraint: heirs keep theirs as their own, and drop it by themselves
/// if they must. A partition cannot keep it.
pub(super) fn only_unless_partitioned(table: &Name, within: &Schema) -> String {
    let mut ties = ties_below(table, within).into_iter();
    if ties.any(|tie| tie.bound.is_none()) {
        format!("ONLY {table}")
    } else {
        table.to_string()
    }
}

/// Way to change nothing but the [`Descent`] of a column or constraint.
pub(super) enum Descending {
    /// It comes by itself, with what happens to the tables.
    ByItself,
    /// Only by taking it away before it is inherited, or after it was.
    Anew,
    /// Not at all, for this reason.
    Not(String),
}

/// True before, and afterwards, if a parent has a column or constraint.
pub(super) struct Leading {
    pub(super) had: bool,
    pub(super) has: bool,
}

impl Descent {
    /// SQL that reads it, for a row that tells whether it is local and how often it is inherited; `c` is the table.
    pub(super) fn json(local: &str, count: &str) -> String {
        format!(
            "CASE WHEN {count} = 0 THEN 'own' WHEN NOT {local} THEN 'inherited'
                WHEN c.relispartition THEN 'kept' ELSE 'merged' END"
        )
    }

    /// The change from this to `next` for a column or constraint of `table`; `leads` tells whether a parent has it too.
    pub(super) fn change(
        self,
        next: Self,
        table: &Name,
        from: &Schema,
        to: &Schema,
        leads: impl Fn(&Name) -> Leading,
    ) -> Descending {
        let parents = lasting_parents(table, from, to);
        let is_partition = ties_above(table, to).iter().any(|tie| tie.bound.is_some());
        match (self, next) {
            _ if self == next => Descending::ByItself,
            (_, Self::Own) if parents.iter().any(|parent| parent.partitioned) => Descending::Anew,
            (_, Self::Own) | (Self::Own, Self::Merged | Self::Kept) => Descending::ByItself,
            (_, Self::Inherited | Self::Kept) if is_partition => Descending::ByItself,
            (Self::Own, Self::Inherited)
                if parents.iter().any(|parent| leads(parent.name).has)
                    && !parents.iter().any(|parent| leads(parent.name).had) =>
            {
                Descending::Anew
            }
            (Self::Inherited | Self::Kept, Self::Merged) if parents.is_empty() => {
                Descending::ByItself
            }
            (_, Self::Inherited | Self::Kept) => Descending::Not(format!(
                "Postgres cannot make it a part of {table} only by inheritance where it has been its own"
            )),
            (_, Self::Merged) => Descending::Not(format!(
                "Postgres cannot make it {table}'s own while it is inherited"
            )),
        }
    }

    /// The declared descent of a column or constraint of `table`. Models cannot declare INHERITS: a table's parents stay,
    /// and so does the descent of its columns and constraints.
    pub(super) fn keep(self, there: Self, table: &Name, within: &Schema) -> Self {
        match (self, there) {
            (Self::Own, _) if ties_above(table, within).is_empty() => self,
            (_, Self::Own) => self,
            (Self::Own | Self::Inherited | Self::Merged | Self::Kept, _) => there,
        }
    }

    /// Turn in which it is created, where the parent's is created.
    pub(super) fn comes(self) -> Turn {
        match self {
            Self::Inherited | Self::Kept => Turn::Along,
            Self::Own | Self::Merged => Turn::Before,
        }
    }

    /// True if it is inherited and not local.
    pub(super) fn is_only_inherited(self) -> bool {
        match self {
            Self::Inherited => true,
            Self::Own | Self::Merged | Self::Kept => false,
        }
    }

    /// True if it is inherited, local or not.
    pub(super) fn is_inherited(self) -> bool {
        match self {
            Self::Inherited | Self::Merged | Self::Kept => true,
            Self::Own => false,
        }
    }

    /// Its descent once the parent has it too.
    pub(super) fn with_parent(self) -> Self {
        match self {
            Self::Own => Self::Merged,
            Self::Inherited | Self::Merged | Self::Kept => self,
        }
    }

    /// Its descent once the parent's is dropped; `None` where it goes with that.
    pub(super) fn without_parent(self) -> Option<Self> {
        match self {
            Self::Inherited => None,
            Self::Own | Self::Merged | Self::Kept => Some(Self::Own),
        }
    }
}
