//! A copy of a schema by our own statements, and by the definitions that Postgres prints of what no kind reads.

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use trueup::{Schema, Statement, Unread};

use crate::{
    Error, ErrorKind, Project,
    plan::{Folding, plan},
    postgres::{catalog, connection::run_sql, scratch::Database},
    render as rendered,
};

/// True if everything in a schema can be recreated from it alone. Objects outside of the project's scope need not.
pub(crate) fn is_known(project: &Project, schema: &Schema) -> bool {
    undefined(project, schema).next().is_none()
}

/// Objects in scope that have no definition from which they could be recreated.
pub(crate) fn undefined<'a>(
    project: &'a Project,
    schema: &'a Schema,
) -> impl Iterator<Item = &'a Unread> {
    let unread = schema.unread().iter();
    let counting = unread.filter(|unread| project.scope.holds_unread(unread));
    counting.filter(|unread| unread.definition.is_empty())
}

/// Builds a schema in an empty database.
pub(crate) fn render(database: &Database, schema: &Schema) -> Result<(), Error> {
    let mut connection = database.connect()?;
    let empty = catalog::read(&mut connection)?;
    let plan = plan(&empty, schema, Folding::Wherever)?;
    let unread = schema.unread().iter();
    let mut left: Vec<&Unread> = unread
        .filter(|unread| !unread.definition.is_empty())
        .collect();
    if left.is_empty() {
        if !plan.is_empty() {
            run_sql(&mut connection, &rendered::sql(plan.statements()), COPY)?;
        }
        return Ok(());
    }
    // A body may be about what comes later.
    run_sql(&mut connection, "SET check_function_bodies = off", COPY)?;
    define(&mut connection, &mut left);
    let all: Vec<&Statement> = plan.statements().collect();
    let at_once = rendered::sql(all.iter().copied());
    let done = connection.transaction(|connection| connection.batch_execute(&at_once));
    if !all.is_empty() && done.is_err() {
        for statement in all {
            make(&mut connection, statement, &mut left)?;
        }
    }
    define(&mut connection, &mut left);
    let Some(first) = left.first() else {
        return Ok(());
    };
    let sql = first.definition.join(";\n");
    run_sql(&mut connection, &sql, &first.what).map_err(|error| {
        let what = format!("{} cannot be copied by trueup's own statements", first.what);
        Error::caused(ErrorKind::Environment, what, error).hint(
            "a user who may read every table can have pg_dump copy it: GRANT pg_read_all_data TO …",
        )
    })
}

const COPY: &str = "a copy of the schema";

/// Runs a statement, after what it needs and no kind reads.
fn make(
    connection: &mut PgConnection,
    statement: &Statement,
    left: &mut Vec<&Unread>,
) -> Result<(), Error> {
    loop {
        let Err(error) = run_sql(connection, statement.sql(), COPY) else {
            return Ok(());
        };
        let before = left.len();
        define(connection, left);
        if left.len() == before {
            return Err(error.into());
        }
    }
}

/// Makes what no kind reads, as far as what it needs is there.
fn define(connection: &mut PgConnection, left: &mut Vec<&Unread>) {
    loop {
        let before = left.len();
        left.retain(|unread| {
            let sql = unread.definition.join(";\n");
            let done = connection.transaction(|connection| connection.batch_execute(&sql));
            done.is_err()
        });
        if left.len() == before {
            return;
        }
    }
}
