//! The comments that Postgres copies.

use super::super::{Registered, comment::Comment, inheritance::partitions_below, table::Table};
use super::Index;
use crate::{Schema, Statement, object::Object};

impl Index {
    /// What takes back that Postgres copies a comment: where it makes the index of a partitioned table anew, as for another
    /// type of a column, it puts the comment on the indexes of the partitions too.
    pub(in super::super) fn restore_comments_below(&self, within: &Schema) -> Vec<Statement> {
        if self.comment(within).is_none() {
            return Vec::new();
        }
        let restored = self.below(within).into_iter().flat_map(|child| {
            let key = child.key();
            let restored = child.comment(within).map_or_else(
                || {
                    let on = Self::designation(&key);
                    vec![Statement::new(
                        format!("Describe index {key} no more, as Postgres does now"),
                        format!("COMMENT ON {on} IS NULL"),
                    )]
                },
                |comment| comment.create(within, &[]),
            );
            let id = Self::id(key);
            restored
                .into_iter()
                .map(move |statement| statement.unless_comes(id.clone()))
        });
        restored.collect()
    }

    /// The indexes of partitions that are parts of it.
    fn below<'a>(&self, within: &'a Schema) -> Vec<&'a Self> {
        let is_mine = |child: &&Self| {
            let attached = child.attached.as_ref();
            attached.is_some_and(|to| to.id() == Self::id(self.key()))
        };
        let tables = partitions_below(&self.relation, within).map(|tie| Table::id(tie.child));
        let children = tables.flat_map(|table| within.parts::<Self>(&table).collect::<Vec<_>>());
        children
            .filter(is_mine)
            .flat_map(|child| std::iter::once(child).chain(child.below(within)))
            .collect()
    }

    fn comment<'a>(&self, within: &'a Schema) -> Option<&'a Comment> {
        within.parts::<Comment>(&Self::id(self.key())).next()
    }
}
