//! Resuming a migration that cannot run in a transaction and was interrupted.
//!
//! Only a row of the journal says that there was one. It also says how the objects were before, so that an index that is
//! there, or is gone, counts as its work only where it was not so already.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use pg_query::NodeEnum;
use pg_query::protobuf::{AlterTableStmt, DropStmt, IndexStmt, ObjectType, RangeVar};
use trueup::name::quoted_ident;

use super::journal::Entry;
use super::run::Direction;
use crate::files::hash::short_hash;
use crate::migrations::folder::Migration;
use crate::postgres::connection::{Part, Steering, Transaction, first_node, parts, steering};

mod index;
mod partition;

use index::{Before, before_creating, before_dropping, indexes, made, validity};
use partition::{attachment, before_detaching};

/// The state of an interrupted run, after anything in the way of the next one is gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// Something was in the way and is gone now.
    Cleaned(String),
    /// So many of its transactions are committed.
    Committed(usize, String),
    /// All of it was done, and only the record is missing.
    Finished(String),
    /// The state cannot be determined; holds the reason.
    Unclear(&'static str),
}

impl Left {
    pub(super) fn words(&self) -> Option<&str> {
        match self {
            Self::Nothing | Self::Unclear(_) => None,
            Self::Cleaned(words) | Self::Committed(_, words) | Self::Finished(words) => Some(words),
        }
    }
}

/// A text that runs outside of a transaction, by what a run of it leaves that is cut off.
pub(super) enum Alone {
    Creates(Box<IndexStmt>),
    Drops(Vec<String>),
    Detaches {
        parent: String,
        partition: String,
    },
    /// Transactions of its own, each of which is all or nothing.
    Commits,
    /// A statement that changes no schema, or is the same when it is run twice.
    Repeats,
    /// Code that may commit, or a statement that is not known.
    Unclear,
}

const EDITED: &str = "its file is not the same since";

impl Alone {
    /// Classifies a migration's file.
    pub(super) fn of(migration: &Migration, direction: Direction) -> Self {
        let sql = direction.sql(migration);
        if let Some(Steering::Several(_)) = steering(sql) {
            return Self::Commits;
        }
        one_statement(sql).map_or(Self::Unclear, Self::of_statement)
    }

    fn of_statement(node: NodeEnum) -> Self {
        if let NodeEnum::IndexStmt(statement) = node {
            return if statement.concurrent {
                Self::Creates(statement)
            } else {
                Self::Unclear
            };
        }
        if let NodeEnum::AlterTableStmt(statement) = node {
            return detaches(&statement).unwrap_or(Self::Unclear);
        }
        if let NodeEnum::DropStmt(statement) = node {
            let is_index = statement.remove_type() == ObjectType::ObjectIndex;
            return if statement.concurrent && is_index {
                Self::Drops(names(&statement))
            } else {
                Self::Unclear
            };
        }
        let repeats = matches!(
            node,
            NodeEnum::VacuumStmt(_)
                | NodeEnum::ReindexStmt(_)
                | NodeEnum::ClusterStmt(_)
                | NodeEnum::CheckPointStmt(_)
                | NodeEnum::RefreshMatViewStmt(_)
                | NodeEnum::AlterSystemStmt(_)
                | NodeEnum::VariableSetStmt(_)
                | NodeEnum::DiscardStmt(_)
        );
        if repeats {
            Self::Repeats
        } else {
            Self::Unclear
        }
    }

    /// True if it may wait for its locks indefinitely. Others go on reading and writing meanwhile, and it waits for the end of
    /// old transactions, so a new attempt would gain nothing.
    pub(super) fn disturbs_nobody(&self) -> bool {
        match self {
            Self::Creates(_) | Self::Drops(_) | Self::Detaches { .. } => true,
            Self::Commits | Self::Repeats | Self::Unclear => false,
        }
    }

    /// The present state of the affected objects, as text.
    pub(super) fn state(&self, connection: &mut PgConnection) -> QueryResult<String> {
        Ok(match self {
            Self::Creates(statement) => {
                let table = statement
                    .relation
                    .as_ref()
                    .map(qualified)
                    .unwrap_or_default();
                let there: Vec<String> = indexes(connection, &table)?
                    .into_iter()
                    .map(|index| index.name)
                    .collect();
                Before { table, there }.written()
            }
            Self::Drops(names) => {
                serde_json::to_string(&validity(connection, names)?).unwrap_or_default()
            }
            Self::Detaches { parent, partition } => {
                attachment(connection, parent, partition)?.to_owned()
            }
            Self::Commits | Self::Repeats | Self::Unclear => String::new(),
        })
    }

    /// The state of the objects before its first run, if the entry of an earlier run is about the same objects.
    pub(super) fn was(
        &self,
        connection: &mut PgConnection,
        entry: &Entry,
        text: &str,
    ) -> QueryResult<String> {
        let is_same = match self {
            Self::Creates(statement) => {
                let table = statement
                    .relation
                    .as_ref()
                    .map(qualified)
                    .unwrap_or_default();
                Before::read(entry).table == table
            }
            Self::Drops(_)
            | Self::Detaches { .. }
            | Self::Commits
            | Self::Repeats
            | Self::Unclear => entry.hash == hash(text),
        };
        if is_same {
            Ok(entry.was.clone())
        } else {
            self.state(connection)
        }
    }

    /// True if a run that failed has left nothing.
    pub(super) fn left_nothing(
        &self,
        connection: &mut PgConnection,
        entry: &Entry,
    ) -> QueryResult<bool> {
        Ok(match self {
            Self::Commits => entry.done() == 0,
            // Others may have made indexes of other names meanwhile.
            Self::Creates(statement) => {
                made(connection, statement, &Before::read(entry))?.is_empty()
            }
            Self::Drops(_) | Self::Detaches { .. } => self.state(connection)? == entry.was,
            Self::Repeats | Self::Unclear => true,
        })
    }

    /// Looks how far the run came that the journal has a row of, and takes away what would be in the way of another.
    pub(super) fn resume(
        &self,
        connection: &mut PgConnection,
        entry: &Entry,
        text: &str,
    ) -> QueryResult<Left> {
        let is_same = entry.hash == hash(text);
        match self {
            Self::Creates(statement) => before_creating(connection, statement, entry, is_same),
            Self::Drops(names) => before_dropping(connection, names, entry, is_same),
            Self::Detaches { parent, partition } => {
                before_detaching(connection, parent, partition, entry, is_same)
            }
            Self::Commits => Ok(committed(entry, text)),
            Self::Repeats => Ok(Left::Nothing),
            Self::Unclear if is_same => Ok(Left::Unclear("nothing tells how far it came")),
            Self::Unclear => Ok(Left::Unclear(EDITED)),
        }
    }

    /// Takes away what the run left that the journal has a row of; `None` where that takes more than we know.
    pub(super) fn undo(
        &self,
        connection: &mut PgConnection,
        entry: &Entry,
    ) -> QueryResult<Option<String>> {
        if let Self::Creates(statement) = self {
            let mut words = String::from("an earlier run was cut off and left nothing");
            for index in made(connection, statement, &Before::read(entry))? {
                let name = &index.qualified;
                connection.batch_execute(&format!("DROP INDEX CONCURRENTLY {name}"))?;
                words =
                    format!("an earlier run was cut off and left the index {name}: it is dropped");
            }
            return Ok(Some(words));
        }
        let is_clean = match self {
            Self::Unclear => false,
            Self::Creates(_)
            | Self::Drops(_)
            | Self::Detaches { .. }
            | Self::Commits
            | Self::Repeats => self.left_nothing(connection, entry)?,
        };
        Ok(is_clean.then(|| "an earlier run was cut off and left nothing".to_owned()))
    }
}

/// True if a text is one statement that Postgres takes in a transaction just as well, so that its record can be in the same.
pub(super) fn fits_in_transaction(sql: &str) -> bool {
    let Some(node) = one_statement(sql) else {
        return false;
    };
    if let NodeEnum::IndexStmt(statement) = &node {
        return !statement.concurrent;
    }
    if let NodeEnum::AlterTableStmt(statement) = &node {
        return detaches(statement).is_none();
    }
    if let NodeEnum::DropStmt(statement) = &node {
        return !statement.concurrent;
    }
    matches!(
        node,
        NodeEnum::AlterEnumStmt(_)
            | NodeEnum::SelectStmt(_)
            | NodeEnum::InsertStmt(_)
            | NodeEnum::UpdateStmt(_)
            | NodeEnum::DeleteStmt(_)
            | NodeEnum::MergeStmt(_)
            | NodeEnum::CreateStmt(_)
            | NodeEnum::CreateTableAsStmt(_)
            | NodeEnum::CreateEnumStmt(_)
            | NodeEnum::CreateFunctionStmt(_)
            | NodeEnum::CreateTrigStmt(_)
            | NodeEnum::ViewStmt(_)
            | NodeEnum::TruncateStmt(_)
            | NodeEnum::RenameStmt(_)
            | NodeEnum::CommentStmt(_)
            | NodeEnum::RefreshMatViewStmt(_)
    )
}

fn one_statement(sql: &str) -> Option<NodeEnum> {
    let [only] = parts(sql)?.try_into().ok()?;
    first_node(only.sql)
}

/// A name for the statements of a text: comments and the header may change.
pub(super) fn hash(text: &str) -> String {
    parts(text).map_or_else(|| short_hash(text.as_bytes()), |parts| hash_of(&parts))
}

fn hash_of(parts: &[Part<'_>]) -> String {
    let all: Vec<&str> = parts.iter().map(|part| part.sql).collect();
    short_hash(all.join(";\n").as_bytes())
}

/// A name for the first transactions of a text.
pub(super) fn hash_of_first(transactions: &[Transaction<'_>], number: usize) -> String {
    let mut all = Vec::new();
    for one in transactions.iter().take(number) {
        all.extend(one.begin);
        all.extend(&one.parts);
        all.extend(one.commit);
    }
    hash_of(&all)
}

/// Each committed transaction has said so in the journal, with what it was.
fn committed(entry: &Entry, text: &str) -> Left {
    let done = entry.done();
    if done == 0 {
        return Left::Nothing;
    }
    let Some(Steering::Several(all)) = steering(text) else {
        return Left::Unclear(EDITED);
    };
    if all.len() < done || hash_of_first(&all, done) != entry.hash {
        return Left::Unclear("what it had committed already is not the same in its file since");
    }
    let words = format!(
        "an earlier run had committed {done} of its {} transactions; it goes on behind them",
        all.len()
    );
    if all.len() == done {
        Left::Finished(words)
    } else {
        Left::Committed(done, words)
    }
}

fn detaches(statement: &AlterTableStmt) -> Option<Alone> {
    let [command] = statement.cmds.as_slice() else {
        return None;
    };
    let Some(NodeEnum::AlterTableCmd(command)) = &command.node else {
        return None;
    };
    let Some(NodeEnum::PartitionCmd(detached)) = command.def.as_ref()?.node.as_ref() else {
        return None;
    };
    detached.concurrent.then_some(())?;
    Some(Alone::Detaches {
        parent: qualified(statement.relation.as_ref()?),
        partition: qualified(detached.name.as_ref()?),
    })
}

/// The names in a `DROP`, quoted.
pub(super) fn names(statement: &DropStmt) -> Vec<String> {
    let name = |node: &pg_query::protobuf::Node| {
        let Some(NodeEnum::List(list)) = &node.node else {
            return None;
        };
        let words: Option<Vec<String>> = list
            .items
            .iter()
            .map(|item| match &item.node {
                Some(NodeEnum::String(word)) => Some(quoted_ident(&word.sval)),
                Some(_) | None => None,
            })
            .collect();
        words.map(|words| words.join("."))
    };
    statement.objects.iter().filter_map(name).collect()
}

pub(super) fn qualified(relation: &RangeVar) -> String {
    let name = quoted_ident(&relation.relname);
    if relation.schemaname.is_empty() {
        name
    } else {
        format!("{}.{name}", quoted_ident(&relation.schemaname))
    }
}
