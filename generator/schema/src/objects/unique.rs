//! Unique constraints. A unique index without a constraint is an index.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    index::any_clustered,
    key_constraint::{self, KeyConstraint},
    table::Table,
};
use crate::{Alter, Clause, Id, Member, Schema, Server, Slot, Statement, object::Object};

/// A row of `pg_constraint` with `contype = 'u'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Unique(KeyConstraint);

impl Object for Unique {
    const NAME: &'static str = "unique constraint";

    type Key = Member;

    fn catalog(_server: Server) -> String {
        key_constraint::catalog('u')
    }

    fn key(&self) -> Member {
        self.0.key()
    }

    fn parent(&self) -> Option<Id> {
        Some(Table::id(self.0.relation().clone()))
    }

    fn designation(key: &Member) -> String {
        format!("CONSTRAINT {} ON {}", key.ident(), key.relation)
    }

    fn occupies(&self) -> Vec<Slot> {
        self.0.occupies()
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        self.0.create(Self::NAME)
    }

    fn clause(&self, _within: &Schema, _clauses: &[Clause]) -> Option<Clause> {
        Some(self.0.clause())
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        self.0.remove(Self::NAME)
    }

    fn alter(&self, next: &Self, within: &Schema) -> Alter {
        self.0
            .alter(&next.0, any_clustered(self.0.relation(), within))
    }

    fn keep(&self, there: &Self) -> Self {
        Self(self.0.keep(&there.0))
    }

    fn rename(&self, to: &str) -> Option<Vec<Statement>> {
        Some(self.0.rename(to))
    }

    fn naming(&self, _within: &Schema) -> Option<(Id, String)> {
        Some((self.parent()?, self.0.key().name))
    }

    fn named(&self, name: &str) -> Self {
        Self(self.0.named(name))
    }
}

impl Unique {
    pub(super) fn clustered(&self) -> bool {
        self.0.clustered()
    }
}
