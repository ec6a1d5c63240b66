//! Link of a sequence to the column that owns it (`OWNED BY`). An object of its own, because it can only be set once both
//! exist.

use serde::{Deserialize, Serialize};

use super::{
    Registered,
    catalog::{USER_NAMESPACE, no_member, table},
    column::Column,
    default::Default,
    sequence::Sequence,
};
use crate::{
    Alter, Clause, Id, Member, Name, Schema, Server, Statement, name::literal, object::Object,
};

/// A row of `pg_depend` by which a sequence is gone with a column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Owner {
    sequence: Name,
    column: Member,
}

impl Owner {
    /// The column that owns the sequence.
    pub(super) fn column(&self) -> Id {
        Column::id(self.column.clone())
    }

    /// The column, as what it is called.
    pub(super) fn member(&self) -> &Member {
        &self.column
    }

    /// True if the column's default calls the sequence.
    fn is_serial(&self, within: &Schema) -> bool {
        let sequence = Sequence::id(self.sequence.clone());
        within
            .needs(&Default::id(self.column.clone()))
            .any(|need| *need == sequence)
    }
}

impl Object for Owner {
    const NAME: &'static str = "owner of sequence";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_sequence".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY[]::int8[] AS addresses,
                0 AS position,
                json_build_object(
                    'sequence', json_build_object('namespace', sn.nspname, 'name', s.relname),
                    'column', json_build_object(
                        'relation', json_build_object('namespace', n.nspname, 'name', c.relname),
                        'name', a.attname)) AS object
            FROM pg_catalog.pg_depend d
                JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
                JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.deptype = 'a' AND {} AND {USER_NAMESPACE} AND {}",
            table(),
            no_member("pg_class", "s.oid")
        )
    }

    fn key(&self) -> Name {
        self.sequence.clone()
    }

    fn parent(&self) -> Option<Id> {
        Some(Sequence::id(self.sequence.clone()))
    }

    fn also_needs(&self) -> Vec<Id> {
        vec![self.column()]
    }

    fn designation(key: &Name) -> String {
        Sequence::designation(key)
    }

    fn declarable(&self, within: &Schema) -> bool {
        within
            .get::<Sequence>(&self.sequence)
            .is_none_or(|sequence| sequence.declarable(within))
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self { sequence, column } = self;
        let mut statements = vec![Statement::new(
            format!("Let sequence {sequence} belong to column {column}"),
            format!("ALTER SEQUENCE {sequence} OWNED BY {column}"),
        )];
        let counts = within
            .get::<Column>(column)
            .is_some_and(Column::is_whole_number);
        if let Some(new) = within
            .get::<Sequence>(sequence)
            .filter(|_| counts && self.is_serial(within))
        {
            let count_on = new
                .options()
                .count_on(&literal(&sequence.to_string()), column);
            statements.push(count_on.only_between(Sequence::id(sequence.clone()), self.column()));
        }
        statements
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        vec![Statement::new(
            format!("Let sequence {} belong to no column", self.sequence),
            format!("ALTER SEQUENCE {} OWNED BY NONE", self.sequence),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, to: &Schema) -> Alter {
        let Self {
            sequence: _,
            column: _,
        } = self;
        Alter::InPlace(next.create(to, &[]))
    }
}
