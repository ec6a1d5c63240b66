//! Comments, on whatever has a room.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::{
    Id, Registered, catalog::RELATION, column::Column, enum_type::EnumType, extension::Extension,
    inheritance::is_partition_id, table::Table,
};
use crate::{
    Address, Alter, Clause, Member, Name, Schema, Server, Statement,
    name::{Path, literal},
    object::Object,
    read::Claims,
};

/// A row of `pg_description`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comment {
    on: CommentKey,
    text: String,
}

/// Target of a comment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentKey {
    target: Id,
    /// Part of the target that the comment is on, where that is no object of its own.
    part: Option<Part>,
}

/// A part of an object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    /// The index behind a constraint.
    Index(Name),
    /// A column of a view.
    Column(Member),
    /// The NOT NULL of a column, from PostgreSQL 18.
    NotNull(Member),
    /// The sequence behind an identity.
    Sequence(Name),
}

/// The catalog's row, before its address is known to be somebody's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    address: Address,
    part: Option<Part>,
    text: String,
}

impl Path for CommentKey {
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

impl Display for CommentKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.part {
            Some(Part::Index(index)) => write!(f, "on the index of {}, {index}", self.target),
            Some(Part::Column(column)) => write!(f, "on column {column}"),
            Some(Part::NotNull(constraint)) => {
                let name = constraint.ident();
                write!(f, "on the NOT NULL of {}, {name}", self.target)
            }
            Some(Part::Sequence(sequence)) => {
                write!(f, "on the sequence of {}, {sequence}", self.target)
            }
            None => write!(f, "on {}", self.target),
        }
    }
}

impl Object for Comment {
    const NAME: &'static str = "comment";

    type Key = CommentKey;

    fn traces() -> String {
        "pg_catalog.pg_description".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!("SELECT ARRAY[]::int8[] AS addresses,
            d.objsubid AS position,
            json_build_object(
                'address', json_build_object('class', d.classoid::int8, 'object', d.objoid::int8, 'sub', d.objsubid),
                'part', CASE
                    WHEN k.oid IS NOT NULL THEN json_build_object('index', {RELATION})
                    WHEN a.attnum IS NOT NULL THEN json_build_object('column',
                        json_build_object('relation', {RELATION}, 'name', a.attname))
                    WHEN nn.oid IS NOT NULL THEN json_build_object('not_null',
                        json_build_object('relation', {RELATION}, 'name', nn.conname))
                    WHEN c.relkind = 'S' THEN json_build_object('sequence', {RELATION}) END,
                'text', d.description) AS object
        FROM pg_catalog.pg_description d
            LEFT JOIN pg_catalog.pg_constraint nn
                ON d.classoid = 'pg_catalog.pg_constraint'::regclass AND nn.oid = d.objoid AND nn.contype = 'n'
            LEFT JOIN pg_catalog.pg_class c
                -- One equation, since Postgres would compare every row with every other for two of them.
                ON c.oid = CASE WHEN d.classoid = 'pg_catalog.pg_class'::regclass THEN d.objoid ELSE nn.conrelid END
                    AND (nn.oid IS NOT NULL OR c.relkind IN ('i', 'I', 'v', 'm')
                        OR c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend own
                            WHERE own.classid = 'pg_catalog.pg_class'::regclass AND own.objid = c.oid AND own.deptype = 'i'))
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0
            LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
        -- Below are the comments that every new database has; public and plpgsql are among them.
        WHERE d.objoid >= 16384 OR d.classoid IN
            ('pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_extension'::regclass)")
    }

    fn decode(row: &[u8], claims: &Claims) -> Result<Option<Self>, serde_json::Error> {
        let Row {
            address,
            part,
            text,
        } = serde_json::from_slice(row)?;
        Ok(claims.get(address).map(|target| Self {
            on: CommentKey {
                target: target.clone(),
                part,
            },
            text,
        }))
    }

    fn key(&self) -> CommentKey {
        self.on.clone()
    }

    fn parent(&self) -> Option<Id> {
        Some(self.on.target.clone())
    }

    fn designation(key: &CommentKey) -> String {
        match &key.part {
            Some(Part::Index(index)) => format!("INDEX {index}"),
            Some(Part::Column(column)) => format!("COLUMN {column}"),
            Some(Part::NotNull(constraint)) => format!(
                "CONSTRAINT {} ON {}",
                constraint.ident(),
                constraint.relation
            ),
            Some(Part::Sequence(sequence)) => format!("SEQUENCE {sequence}"),
            None => key.target.designation(),
        }
    }

    /// Tables, columns and enum types have the comment that their documentation declares, if only none. An undeclared
    /// comment on anything else stays; so does one on a partition, which models cannot declare.
    fn declarable(&self, within: &Schema) -> bool {
        let kind = self.on.target.kind();
        self.on.part.is_none()
            && [Table::kind(), Column::kind(), EnumType::kind()].contains(&kind)
            && !is_partition_id(&self.about(within), within)
    }

    fn create(&self, within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let on = Self::designation(&self.on);
        let describe = Statement::new(
            format!("Describe {}", self.about(within)),
            format!("COMMENT ON {on} IS {}", literal(&self.text)),
        );
        let target = &self.on.target;
        let extension = match target.path().as_slice() {
            [name] if target.kind() == Extension::kind() => {
                within.get::<Extension>(&(*name).to_owned())
            }
            _ => None,
        };
        vec![match extension {
            Some(extension) if extension.comes_with(&self.text) => {
                describe.unless_comes(target.clone())
            }
            Some(_) | None => describe,
        }]
    }

    fn remove(&self, within: &Schema) -> Vec<Statement> {
        let on = Self::designation(&self.on);
        vec![Statement::new(
            format!("Describe {} no more", self.about(within)),
            format!("COMMENT ON {on} IS NULL"),
        )]
    }

    fn alter(&self, next: &Self, _from: &Schema, to: &Schema) -> Alter {
        let Self { on: _, text: _ } = self;
        Alter::InPlace(next.create(to, &[]))
    }
}

impl Comment {
    /// The comment on something as a whole.
    pub(crate) fn id_on(target: Id) -> Id {
        Self::id(CommentKey { target, part: None })
    }

    /// The topmost parent of the target: comments on a table and on its columns are reported together.
    fn about(&self, within: &Schema) -> Id {
        let mut about = self.on.target.clone();
        while let Some(parent) = within.entry(&about).and_then(|entry| entry.parent()) {
            about = parent;
        }
        about
    }
}
