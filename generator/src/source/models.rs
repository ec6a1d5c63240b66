//! Declares the models on a copy of the database to change, so that Postgres prints their schema. Unmanaged objects stay as
//! they are.

mod adopt;
mod fragments;

pub(crate) use fragments::complaint;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_types::Text,
};
use trueup::{
    Declaration, Declarations, Detail, Id, Keeping, Newer, Origin, Schema, Unread,
    name::{literal, quoted_ident},
};

use super::Side;
use crate::{
    Error, ErrorKind, Project,
    diff::{Delta, diff},
    plan::{Folding, plan},
    postgres::{
        catalog,
        connection::{SqlError, run_sql},
    },
};

/// The models' schema as Postgres prints it.
#[derive(Debug)]
pub struct Settled {
    /// The schema that the models want, with what is not theirs.
    pub side: Side,
    /// Managed objects, which may be changed and removed: those that the models declare or earlier models declared.
    pub managed: BTreeSet<Id>,
    /// Unread objects, in Postgres' words, that the trial dropped along with the old tables. They are still in the database.
    pub taken: Vec<Unread>,
}

/// Details that models decide although they could leave them as they are.
type Decided<'a> = BTreeMap<&'a Id, BTreeSet<Detail>>;

fn decides(decided: &Decided<'_>, id: &Id, detail: Detail) -> bool {
    let of_it = decided.get(id);
    of_it.is_some_and(|details| details.contains(&detail))
}

/// Puts what the models declare in place of what is managed in a copy of `from`.
///
/// `managed` are the top-level objects that may be gone when no model declares them any more. `adopted` is a database that
/// was there before the first migration: what the models leave open is as it is there.
pub fn settle(
    project: &Project,
    from: &Side,
    declarations: &Declarations,
    managed: &BTreeSet<Id>,
    adopted: Option<&Schema>,
) -> Result<Settled, Error> {
    fragments::check(declarations)?;
    let scratch = project.scratch(None)?;
    let major = from.schema.server().major().min(scratch.major());
    refuse_newer(declarations, major)?;
    let base = from.scratch.as_ref().ok_or_else(on_the_scratch)?;
    let mut database = scratch.copy(base)?;
    let declared: BTreeSet<Id> = declarations
        .into_iter()
        .filter_map(|declaration| declaration.id.clone())
        .collect();
    let ours: BTreeSet<Id> = from
        .schema
        .entries()
        .filter(|(id, entry)| {
            entry.clear().is_some() && (managed.contains(id) || declared.contains(id))
        })
        .map(|(id, _)| id.clone())
        .collect();
    let mut connection = database.connect()?;
    clear(&mut connection, &from.schema, &ours)?;
    declare(&mut connection, declarations)?;
    let mut settled = catalog::read(&mut connection)?;
    let mut reprinted = false;
    if is_doubtful(&from.schema, &settled) {
        drop(connection);
        let declared = super::reprinted(project, super::side(database)?)?;
        reprinted = declared.reprinted;
        settled = declared.schema.clone();
        database = declared.into_database(scratch)?;
        connection = database.connect()?;
    }

    let named: BTreeSet<Id> = declarations.named().cloned().collect();
    let there: Vec<&Schema> = std::iter::once(&from.schema).chain(adopted).collect();
    for there in &there {
        let renames = adopt::renames(there, &settled, &named);
        if !renames.is_empty() {
            run_sql(
                &mut connection,
                &renames.join(";\n"),
                "the names that the database has",
            )?;
            settled = catalog::read(&mut connection)?;
        }
    }
    let decided = declarations.decided();
    let mut amended = carry(&settled, &from.schema, &ours, &decided)?;
    for there in there {
        amended = keep(&amended, there, &decided);
    }
    let repair = plan(&settled, &amended, Folding::Wherever).map_err(|error| {
        Error::caused(
            ErrorKind::NotYet,
            "what is not in the models cannot stay beside what is",
            error,
        )
    })?;
    if !repair.is_empty() {
        let sql: Vec<&str> = repair.statements().map(trueup::Statement::sql).collect();
        run_sql(
            &mut connection,
            &sql.join(";\n"),
            "what is not in the models",
        )?;
        settled = catalog::read(&mut connection)?;
    }
    drop(connection);
    let still: BTreeSet<&str> = settled
        .unread()
        .iter()
        .map(|unread| unread.what.as_str())
        .collect();
    let taken: Vec<Unread> = from
        .schema
        .unread()
        .iter()
        .filter(|unread| !still.contains(unread.what.as_str()))
        .filter(|unread| !unread.goes_along(&from.schema, &settled))
        .cloned()
        .collect();
    let side = Side {
        whole: taken.is_empty(),
        reprinted,
        guidance: Arc::clone(declarations.there()),
        ..Side::on(settled, database)
    };
    Ok(Settled {
        side,
        managed: managed.union(&declared).cloned().collect(),
        taken,
    })
}

fn on_the_scratch() -> Error {
    Error::new(
        ErrorKind::Defect,
        "models are declared on the scratch, and the start is not there",
    )
}

/// Refuses features newer than the server, which would report them as syntax errors.
fn refuse_newer(declarations: &Declarations, major: u32) -> Result<(), Error> {
    let newer: Vec<String> = declarations
        .newer_than(major)
        .map(
            |Newer {
                 what,
                 since,
                 origin,
                 ..
             }| {
                format!("{origin}: {what} needs PostgreSQL {since}, and this server is of {major}")
            },
        )
        .collect();
    if newer.is_empty() {
        return Ok(());
    }
    Err(Error::input(newer.join("\n")))
}

/// True if a difference could be one of spelling alone: an object differs, or one goes and another comes.
fn is_doubtful(from: &Schema, settled: &Schema) -> bool {
    let deltas = diff(from, settled);
    let has = |wanted: fn(&Delta<'_>) -> bool| deltas.iter().any(|(_, delta)| wanted(delta));
    has(|delta| matches!(delta, Delta::Change { .. }))
        || has(|delta| matches!(delta, Delta::Create(_)))
            && has(|delta| matches!(delta, Delta::Remove(_)))
}

/// Takes what models declare, or declared, out of the trial.
fn clear(connection: &mut PgConnection, from: &Schema, ours: &BTreeSet<Id>) -> Result<(), Error> {
    let statements: Vec<String> = ours
        .iter()
        .filter_map(|id| from.entry(id).and_then(|entry| entry.clear()))
        .collect();
    if statements.is_empty() {
        return Ok(());
    }
    // CASCADE says in a notice what it takes along; what that is, is read afterwards.
    run_sql(
        connection,
        &format!(
            "SET client_min_messages = warning;\n{}",
            statements.join(";\n")
        ),
        "the old models",
    )?;
    Ok(())
}

/// The models' schema, with the unmanaged objects of `from` and with objects on managed ones that models cannot declare.
fn carry(
    settled: &Schema,
    from: &Schema,
    ours: &BTreeSet<Id>,
    decided: &Decided<'_>,
) -> Result<Schema, Error> {
    let mut carried: BTreeSet<&Id> = from
        .entries()
        .map(|(id, _)| id)
        .filter(|id| settled.entry(id).is_none() && !belongs(id, from, ours))
        .collect();
    loop {
        let there = |id: &Id| settled.entry(id).is_some() || carried.contains(id);
        let more: Vec<&Id> = from
            .entries()
            .filter(|(id, entry)| {
                !there(id)
                    && !entry.declarable(from)
                    && !decides(decided, id, Detail::Presence)
                    && from.needs(id).all(there)
                    && entry.falls_with(from).is_none_or(|above| there(&above))
            })
            .map(|(id, _)| id)
            .collect();
        if more.is_empty() {
            break;
        }
        carried.extend(more);
    }
    refuse_dangling(settled, from, &carried)?;
    let carried = carried
        .into_iter()
        .filter_map(|id| from.entry(id).map(Arc::clone));
    Ok(settled.with(carried, from))
}

/// Fails if an object that stays depends on one that goes.
fn refuse_dangling(settled: &Schema, from: &Schema, carried: &BTreeSet<&Id>) -> Result<(), Error> {
    let there = |id: &Id| settled.entry(id).is_some() || carried.contains(id);
    let stays = |id: &Id| {
        from.entry(id).is_some_and(|entry| {
            entry.holds_on() && entry.falls_with(from).is_none_or(|above| there(&above))
        })
    };
    let dangling: Vec<String> = from
        .entries()
        .filter(|(id, _)| settled.entry(id).is_none() && stays(id))
        .flat_map(|(id, _)| from.needs(id).map(move |need| (id, need)))
        .filter(|(_, need)| !there(need))
        .map(|(id, need)| format!("{id} needs {need}, which the models have no longer"))
        .collect();
    if dangling.is_empty() {
        return Ok(());
    }
    Err(Error::input(dangling.join("\n")).hint(
        "models have no word for what needs it, and autogen never drops that: change or drop it in a migration written by hand \
         first",
    ))
}

/// The wanted schema, with the existing values of details that models cannot declare and do not decide.
fn keep(wanted: &Schema, from: &Schema, decided: &Decided<'_>) -> Schema {
    let nothing = BTreeSet::new();
    let kept = from.entries().filter_map(|(id, there)| {
        let keeping = Keeping {
            decided: decided.get(id).unwrap_or(&nothing),
            within: wanted,
            from,
        };
        Some(Arc::new(wanted.entry(id)?.keep(there, &keeping)))
    });
    wanted.with(kept, from)
}

/// True if an object is one of these or a part of one.
pub(crate) fn belongs(id: &Id, within: &Schema, tops: &BTreeSet<Id>) -> bool {
    within.line(id).any(|id| tops.contains(&id))
}

/// Runs the declarations, a rank at a time; what fails because something comes later in its rank is tried again.
fn declare(connection: &mut PgConnection, declarations: &Declarations) -> Result<(), Error> {
    let mut ranks: BTreeMap<_, Vec<&Declaration>> = BTreeMap::new();
    for declaration in declarations {
        ranks.entry(declaration.rank).or_default().push(declaration);
    }
    let path: SearchPath =
        diesel::sql_query("SELECT pg_catalog.current_setting('search_path') AS names")
            .get_result(connection)?;
    for declarations in ranks.into_values() {
        if connection
            .transaction(|connection| connection.batch_execute(&path.batch(&declarations)))
            .is_err()
        {
            one_by_one(connection, &path, declarations)?;
        }
    }
    connection.batch_execute("RESET search_path")?;
    Ok(())
}

/// The search path that sessions have.
#[derive(QueryableByName)]
struct SearchPath {
    #[diesel(sql_type = Text)]
    names: String,
}

impl SearchPath {
    fn batch(&self, declarations: &[&Declaration]) -> String {
        let mut sql = String::new();
        let mut namespace = None;
        for declaration in declarations {
            if namespace != Some(&declaration.namespace) {
                sql += &self.of(declaration);
                namespace = Some(&declaration.namespace);
            }
            sql += &declaration.sql();
            sql += ";\n";
        }
        sql
    }

    /// A declaration is in its own namespace, and sees what a session sees.
    fn of(&self, declaration: &Declaration) -> String {
        let own = quoted_ident(&declaration.namespace);
        let names = [own.as_str(), &self.names, "public"];
        let names = names.into_iter().filter(|names| !names.is_empty());
        let path = names.collect::<Vec<_>>().join(", ");
        format!(
            "SELECT pg_catalog.set_config('search_path', {}, false);\n",
            literal(&path)
        )
    }
}

fn one_by_one(
    connection: &mut PgConnection,
    path: &SearchPath,
    declarations: Vec<&Declaration>,
) -> Result<(), Error> {
    let mut left = declarations;
    loop {
        let before = left.len();
        let mut failed = Vec::new();
        for declaration in left {
            if let Err(error) = attempt(connection, path, declaration, &declaration.sql()) {
                failed.push((declaration, error));
            }
        }
        if failed.len() == before {
            // Each of the rest fails without any of the others.
            return failed
                .into_iter()
                .next()
                .map_or(Ok(()), |(declaration, error)| {
                    Err(rejected(connection, path, declaration, &error))
                });
        }
        if failed.is_empty() {
            return Ok(());
        }
        left = failed
            .into_iter()
            .map(|(declaration, _)| declaration)
            .collect();
    }
}

fn attempt(
    connection: &mut PgConnection,
    path: &SearchPath,
    declaration: &Declaration,
    sql: &str,
) -> Result<(), SqlError> {
    run_sql(
        connection,
        &format!("{}{sql}", path.of(declaration)),
        "the models",
    )
}

/// Finds the part of a declaration that Postgres rejects: the first that fails when the parts are added one by one.
fn rejected(
    connection: &mut PgConnection,
    path: &SearchPath,
    declaration: &Declaration,
    error: &SqlError,
) -> Error {
    let Declaration {
        head,
        parts,
        tail,
        origin,
        ..
    } = declaration;
    for count in 1..=parts.len() {
        let some: Vec<&str> = parts[..count]
            .iter()
            .map(|part| part.sql.as_str())
            .collect();
        let sql = format!("{}{head}{}{tail}", path.of(declaration), some.join(",\n"));
        let tried = connection.transaction(|connection| {
            let done = connection.batch_execute(&sql);
            done.and_then(|()| Err::<(), _>(diesel::result::Error::RollbackTransaction))
        });
        if !matches!(tried, Err(diesel::result::Error::RollbackTransaction)) {
            return postgres_says(&parts[count - 1].origin, &parts[count - 1].sql, error);
        }
    }
    postgres_says(origin, &declaration.sql(), error)
}

fn postgres_says(origin: &Origin, sql: &str, error: &SqlError) -> Error {
    let mut message = format!("{origin}: Postgres rejects this: {}", error.message);
    if let Some(detail) = &error.detail {
        message += &format!("\n  detail: {detail}");
    }
    message += &format!("\n  declared as: {sql}");
    let error_of = Error::input(message).hints(error.hint.as_ref().map(ToString::to_string));
    if !error.message.ends_with("does not exist") {
        return error_of;
    }
    error_of
        .hint(
            "where the database has it and no migration makes it: let one that is written by hand make it where it is not there, so that \
             it replays everywhere",
        )
        .hint(
            "or, where a platform brings it, let the scratch have it too: prelude = \"platform.sql\" below [scratch] in trueup.toml",
        )
}
