//! Restores a dump statement by statement where `psql` does not get through it: under the search path that sessions have
//! where a statement needs that, and without what the scratch server cannot have and nothing else needs.

use std::collections::BTreeSet;

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_types::{Array, Bool, Text},
};
use pg_query::{NodeEnum, ParserOptions, protobuf::ObjectType};
use trueup::{Id, Schema};

use crate::{
    Error, ErrorKind,
    postgres::{connection::without_comments, dump::Public},
    scope::Scope,
};

/// A statement of a dump that failed.
#[derive(Debug)]
pub(super) struct Refused {
    statement: String,
    message: String,
    /// True if it makes an extension or comments on one.
    is_extension: bool,
}

/// Runs a dump and returns what failed of it.
///
/// `pg_dump` empties the search path. A function that names another without its namespace then does not work, and with it
/// no index, check or generated column that calls it, though all do in every session of the live database.
pub(super) fn restore(
    connection: &mut PgConnection,
    dump: &str,
    public: Public,
) -> QueryResult<Vec<Refused>> {
    if public == Public::Absent {
        connection.batch_execute("DROP SCHEMA public")?;
    }
    // The scanner takes the semicolons within BEGIN ATOMIC for ends; the parser may not know all that a newer server writes.
    let statements =
        pg_query::split_with_parser(dump).or_else(|_| pg_query::split_with_scanner(dump));
    let statements = statements.unwrap_or_else(|_| vec![dump]);
    let mut refused = Vec::new();
    for statement in statements {
        let sql = without_comments(statement).trim_end();
        if sql.is_empty() || connection.batch_execute(sql).is_ok() {
            continue;
        }
        let again = connection.transaction(|connection| {
            connection.batch_execute("SET LOCAL search_path TO DEFAULT")?;
            connection.batch_execute(sql)
        });
        if let Err(error) = again {
            refused.push(Refused {
                statement: sql.lines().next().unwrap_or_default().to_owned(),
                message: error.to_string(),
                is_extension: is_extension(sql),
            });
        }
    }
    Ok(refused)
}

fn is_extension(sql: &str) -> bool {
    let parsed = pg_query::parse(sql, ParserOptions::default());
    let nodes = parsed.into_iter().flat_map(|parsed| parsed.protobuf.stmts);
    let mut nodes = nodes.filter_map(|raw| raw.stmt?.node);
    nodes.all(|node| {
        let is_comment = matches!(&node, NodeEnum::CommentStmt(comment) if comment.objtype() == ObjectType::ObjectExtension);
        is_comment || matches!(node, NodeEnum::CreateExtensionStmt(_))
    })
}

/// The objects that a copy lacks.
#[derive(Debug, Default)]
pub(super) struct Without {
    /// Objects of the schema.
    pub(super) ids: BTreeSet<Id>,
    /// All of it, in words.
    pub(super) words: Vec<String>,
}

#[derive(QueryableByName)]
struct Can {
    #[diesel(sql_type = Array<Text>)]
    extensions: Vec<String>,
    #[diesel(sql_type = Bool)]
    anything: bool,
}

/// Decides whether a copy can do without what was refused: it can where the configuration leaves it out, where it is an
/// extension that this server does not have and nothing else needs, and where no part of a schema that we read needs what
/// this user may not make.
pub(super) fn judge(
    connection: &mut PgConnection,
    scope: &Scope,
    of: &Schema,
    copy: &Schema,
    refused: &[Refused],
) -> Result<Without, Error> {
    // A user who is no superuser may make those that are trusted.
    let can: Can = diesel::sql_query(
        "SELECT r.rolsuper AS anything, ARRAY(
             SELECT v.name::text FROM pg_catalog.pg_available_extension_versions v
             WHERE r.rolsuper OR NOT v.superuser OR v.trusted) AS extensions
         FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
    )
    .get_result(connection)?;
    let packages = of.entries().filter_map(|(id, entry)| {
        let package = entry.package()?;
        let is_missing = copy.entry(id).is_none() && !can.extensions.contains(&package);
        is_missing.then_some((id, package))
    });
    let packages: Vec<(&Id, String)> = packages.collect();
    let hangs = |id: &Id| {
        of.line(id)
            .any(|above| packages.iter().any(|(id, _)| **id == above))
    };
    let mut without = Without::default();
    let mut needed = Vec::new();
    for (id, _) in of.entries().filter(|(id, _)| copy.entry(id).is_none()) {
        if hangs(id) || !refused.is_empty() && !scope.holds(id, of) {
            without.ids.insert(id.clone());
        } else {
            needed.push(id.to_string());
        }
    }
    if refused.is_empty() {
        needed.clear();
    }
    let there: BTreeSet<&str> = copy.unread().iter().map(|one| one.what.as_str()).collect();
    let unread = of.unread().iter().filter(|_| !refused.is_empty());
    for unread in unread {
        let what = unread.what.as_str();
        if there.contains(what) {
            continue;
        }
        if scope.holds_words(what) && can.anything && packages.is_empty() {
            needed.push(what.to_owned());
        } else {
            without.words.push(what.to_owned());
        }
    }
    // A table says it for its columns.
    let above = |id: &Id| {
        of.line(id)
            .skip(1)
            .any(|above| without.ids.contains(&above))
    };
    let tops = without.ids.iter().filter(|id| !above(id));
    without.words.extend(tops.map(ToString::to_string));
    let (false, Some(first)) = (needed.is_empty(), refused.first()) else {
        return Ok(without);
    };
    // A failed statement that needs the extension tells more than the failed CREATE EXTENSION.
    let telling = refused
        .iter()
        .find(|one| !one.is_extension)
        .unwrap_or(first);
    let error = Error::new(
        ErrorKind::Environment,
        format!(
            "the scratch server cannot have {}: {}\n  statement: {}",
            needed.join(", "),
            telling.message,
            telling.statement
        ),
    );
    let major = of.server().major();
    let lacking = packages.iter().map(|(_, name)| {
        format!(
            "it lacks the extension {name}: install it on the machine of the scratch server (on Debian and Ubuntu mostly the package \
             postgresql-{major}-{name}), or name a server that has it with --scratch-url"
        )
    });
    let hint = if !packages.is_empty() {
        "or do without: leave what needs it out with `exclude` in trueup.toml"
    } else if telling.message.contains("does not exist") {
        "what pg_dump prints of it does not run in a new session: give the function that it calls a search path of its own (ALTER \
         FUNCTION … SET search_path = …), or leave it out with `exclude` in trueup.toml"
    } else {
        "no dump of this database can be restored, by pg_dump and psql neither: change that object in the database until one can \
         (a name that Postgres takes for the keys of partitions is free again once that constraint is renamed), or leave it out \
         with `exclude` in trueup.toml"
    };
    Err(error.hints(lacking).hint(hint))
}
