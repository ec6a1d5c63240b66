//! The comments that Postgres copies.

use super::super::{Registered, comment::Comment};
use super::Index;
use crate::{Name, Schema, Statement, object::Object};

impl Index {
    /// Statements that undo copied comments: when Postgres recreates the index of a partitioned table, as for another type
    /// of a column, it copies the index's comment to the indexes of the partitions.
    pub(in super::super) fn restore_comments_below(&self, within: &Schema) -> Vec<Statement> {
        if self.comment(within).is_none() {
            return Vec::new();
        }
        let below = self.part().below(within).into_iter();
        let below = below
            .filter_map(|part| within.get::<Self>(&Name::new(&part.relation.namespace, part.name)));
        let restored = below.flat_map(|child| {
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

    fn comment<'a>(&self, within: &'a Schema) -> Option<&'a Comment> {
        within.parts::<Comment>(&Self::id(self.key())).next()
    }
}
