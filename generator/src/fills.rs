//! Asks Postgres about the values that models have for rows without one: whether one value is enough for all of them, and
//! what runs and what is in the way when they are updated. And about those that rows get along with a new column: whether its
//! default can be computed, and whether its type takes no NULL.

use std::sync::Arc;

use diesel::{
    Connection, OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::{DatabaseErrorKind, Error as SqlError},
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};
use trueup::{
    Arrival, Arriving, Constant, FillFacts, Filled, Guidance, Schema, Surroundings, Updated,
    name::{literal, quoted_ident},
};

use crate::{Error, ErrorKind, source::Side};

#[derive(QueryableByName)]
struct Types {
    /// As a column is declared with it.
    #[diesel(sql_type = Text)]
    written: String,
    /// Of a domain, the type below all domains.
    #[diesel(sql_type = Text)]
    base: String,
}

#[derive(QueryableByName)]
struct Tried {
    #[diesel(sql_type = Bool)]
    is_kept: bool,
    #[diesel(sql_type = Text)]
    expression: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<Text>)]
    found: Option<String>,
}

/// The models' guidance for the way from `from` to `to`, completed with facts that Postgres tells. If one of them is not on the
/// scratch, no such facts are known.
pub(crate) fn asked(from: &Side, to: &Side) -> Result<Arc<Guidance>, Error> {
    let expected = expected(&from.schema, to)?;
    let fills = expected.fills(&from.schema, &to.schema);
    let (Some(start), Some(target)) = (&from.scratch, &to.scratch) else {
        return Ok(expected);
    };
    if fills.is_empty() {
        return Ok(expected);
    }
    let (mut start, mut target) = (start.connect()?, target.connect()?);
    let mut guidance = Guidance::clone(&expected);
    for filled in &fills {
        let mut constant = None;
        if filled.is_new {
            constant = self::constant(&mut target, filled)?;
        }
        let surroundings = surroundings(&mut start, filled)?;
        if constant.is_none() {
            refuse_taken_over(filled, &surroundings)?;
        }
        guidance.learn(
            filled,
            FillFacts {
                constant,
                surroundings,
            },
        );
    }
    Ok(Arc::new(guidance))
}

/// The models' guidance for the way to `to`, completed with facts that Postgres tells about new columns.
pub(crate) fn expected(from: &Schema, to: &Side) -> Result<Arc<Guidance>, Error> {
    let arriving = Guidance::arriving(from, &to.schema);
    let Some(target) = to.scratch.as_ref().filter(|_| !arriving.is_empty()) else {
        return Ok(Arc::clone(&to.guidance));
    };
    let mut target = target.connect()?;
    let mut guidance = Guidance::clone(&to.guidance);
    for new in &arriving {
        guidance.expect(new, arrival(&mut target, new)?);
    }
    Ok(Arc::new(guidance))
}

/// True if there is anything to ask of the start.
pub(crate) fn are_there(from: &Schema, to: &Side) -> bool {
    !to.guidance.fills(from, &to.schema).is_empty()
}

/// True if there is anything to ask of a target that is not on the scratch.
pub(crate) fn want_target(from: &Schema, to: &Side) -> bool {
    to.scratch.is_none() && !Guidance::arriving(from, &to.schema).is_empty()
}

/// The effect of a new column on the existing rows.
fn arrival(connection: &mut PgConnection, new: &Arriving) -> Result<Arrival, Error> {
    let Arriving {
        data_type, default, ..
    } = new;
    let mut fails = None;
    if let Some(default) = default {
        match added(connection, &format!("{data_type} DEFAULT {default}"))? {
            Added::Runs { rewrites } => {
                return Ok(Arrival {
                    rewrites,
                    ..Arrival::default()
                });
            }
            Added::Untried => return Ok(Arrival::default()),
            Added::Fails(message) => fails = Some(message),
        }
    }
    let mut arrival = Arrival {
        fails,
        ..Arrival::default()
    };
    match added(connection, data_type)? {
        Added::Fails(message) => {
            // A domain has a default of its own, for which NULL stands in.
            match added(connection, &format!("{data_type} DEFAULT NULL"))? {
                Added::Runs { .. } => arrival.fails_by_type = Some(message),
                Added::Fails(null) => {
                    arrival.fails_by_type = (message != null).then_some(message);
                    arrival.takes_no_null = Some(null);
                }
                Added::Untried => {}
            }
        }
        Added::Runs { rewrites } => arrival.rewrites = rewrites,
        Added::Untried => {}
    }
    Ok(arrival)
}

/// The outcome of ADD COLUMN in a table with a row.
enum Added {
    Runs {
        /// The rows are written anew.
        rewrites: bool,
    },
    /// With this message of Postgres.
    Fails(String),
    /// There is no such table.
    Untried,
}

fn added(connection: &mut PgConnection, column: &str) -> Result<Added, Error> {
    let mut outcome = Added::Untried;
    tried(connection, |connection| {
        connection.batch_execute(
            "CREATE TEMPORARY TABLE trueup_new (row integer) ON COMMIT DROP; INSERT INTO pg_temp.trueup_new VALUES (1)",
        )?;
        let add = format!("ALTER TABLE pg_temp.trueup_new ADD COLUMN value {column}");
        let before = file(connection)?;
        match connection.batch_execute(&add) {
            Ok(()) => {
                let rewrites = file(connection)? != before;
                outcome = Added::Runs { rewrites };
                Ok(())
            }
            Err(SqlError::DatabaseError(kind, said))
                if !matches!(kind, DatabaseErrorKind::ClosedConnection) =>
            {
                outcome = Added::Fails(said.message().to_owned());
                Ok(())
            }
            Err(error) => Err(error),
        }
    })?;
    Ok(outcome)
}

/// The file that holds the rows of the table that a column is added to.
fn file(connection: &mut PgConnection) -> QueryResult<Option<i64>> {
    diesel::select(diesel::dsl::sql::<Nullable<BigInt>>(
        "pg_catalog.pg_relation_filenode('pg_temp.trueup_new')::bigint",
    ))
    .get_result(connection)
}

/// The fill as a constant, where Postgres takes it for one: as the default of a new column it needs no row.
fn constant(connection: &mut PgConnection, filled: &Filled) -> Result<Option<Constant>, Error> {
    let types = sql_query(
        "WITH RECURSIVE below(oid, base, modifier) AS (
            SELECT t.oid, t.typbasetype, t.typtypmod FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            WHERE a.attrelid = $1::text::regclass AND a.attname = $2 AND NOT a.attisdropped
            UNION ALL SELECT t.oid, t.typbasetype, t.typtypmod FROM below JOIN pg_catalog.pg_type t ON t.oid = below.base
        )
        SELECT format_type(a.atttypid, a.atttypmod) AS written,
            (SELECT format_type(oid, NULL) FROM below WHERE base = 0) AS base
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = $1::text::regclass AND a.attname = $2 AND NOT a.attisdropped",
    )
    .bind::<Text, _>(filled.relation.to_string())
    .bind::<Text, _>(&filled.column)
    .get_result::<Types>(connection)
    .optional()?;
    let Some(Types { written, base }) = types else {
        return Ok(None);
    };
    let Some(Tried {
        is_kept,
        expression,
    }) = as_default(connection, &written, &filled.sql)?
    else {
        return Ok(None);
    };
    if is_kept {
        return Ok(Some(Constant { expression }));
    }
    // A domain with constraints always has rows written anew; the same value of the type below tells a constant from others.
    let cast = format!("({})::{written}", filled.sql);
    let below = if base == written {
        None
    } else {
        as_default(connection, &base, &cast)?
    };
    let below = below.filter(|below| below.is_kept);
    Ok(below.map(|_| Constant { expression }))
}

/// A new column's default, and whether the catalog alone holds its value; `None` where it cannot be one.
fn as_default(
    connection: &mut PgConnection,
    data_type: &str,
    sql: &str,
) -> Result<Option<Tried>, Error> {
    tried(connection, |connection| {
        connection
            .batch_execute("CREATE TEMPORARY TABLE trueup_fill (row integer) ON COMMIT DROP")?;
        connection.batch_execute(&format!(
            "ALTER TABLE pg_temp.trueup_fill ADD COLUMN value {data_type} DEFAULT ({sql})"
        ))?;
        connection.batch_execute("SET LOCAL search_path = ''")?;
        sql_query(
            "SELECT a.atthasmissing AS is_kept, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression
            FROM pg_catalog.pg_attribute a
                JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = 'pg_temp.trueup_fill'::regclass AND a.attname = 'value'",
        )
        .get_result(connection)
        // A default of NULL is none.
        .optional()
    })
    .map(Option::flatten)
}

/// Triggers and obstacles of an update of the table's rows.
fn surroundings(connection: &mut PgConnection, filled: &Filled) -> Result<Surroundings, Error> {
    let found = sql_query(Surroundings::QUERY)
        .bind::<Text, _>(&filled.relation.namespace)
        .bind::<Text, _>(&filled.relation.name)
        .bind::<Text, _>(&filled.column)
        .get_result::<Found>(connection)
        .optional()?;
    let Some(found) = found.and_then(|found| found.found) else {
        return Ok(Surroundings::default());
    };
    let mut surroundings: Surroundings = serde_json::from_str(&found).map_err(|error| {
        Error::caused(
            ErrorKind::Defect,
            format!(
                "cannot read what runs when rows of {} are updated",
                filled.relation
            ),
            error,
        )
    })?;
    for one in &mut surroundings.relations {
        one.unidentified = is_unidentified(connection, filled, one)?;
    }
    Ok(surroundings)
}

/// True if Postgres rejects updates of a table because it is published without a replica identity, and would accept them with
/// REPLICA IDENTITY FULL.
fn is_unidentified(
    connection: &mut PgConnection,
    filled: &Filled,
    one: &Updated,
) -> Result<bool, Error> {
    let Some(column) = one.column.as_deref().map(quoted_ident) else {
        return Ok(false);
    };
    let table = &one.name;
    let update = format!("EXPLAIN UPDATE ONLY {table} SET {column} = {column}");
    if tried(connection, |connection| connection.batch_execute(&update))?.is_some() {
        return Ok(false);
    }
    let whole = format!("ALTER TABLE {table} REPLICA IDENTITY FULL");
    if tried(connection, |connection| {
        connection.batch_execute(&whole)?;
        connection.batch_execute(&update)
    })?
    .is_some()
    {
        return Ok(true);
    }
    let why = connection.transaction(|connection| connection.batch_execute(&update));
    let why = why.map_or_else(|error| error.to_string(), |()| String::new());
    Err(Error::new(
        ErrorKind::NotYet,
        format!(
            "not yet: {}: rows of {table} cannot be filled, because Postgres updates none: {why}",
            filled.origin
        ),
    )
    .hint(format!(
        "let the publication publish no updates of {} meanwhile, or give it a replica identity, in a migration written by hand",
        literal(&table.to_string())
    )))
}

/// A rule that takes the place of an UPDATE lets it reach no row.
fn refuse_taken_over(filled: &Filled, surroundings: &Surroundings) -> Result<(), Error> {
    let Some(rule) = surroundings.taken_over().filter(|_| filled.triggers) else {
        return Ok(());
    };
    let Filled {
        relation, column, ..
    } = filled;
    Err(Error::new(
        ErrorKind::NotYet,
        format!(
            "not yet: {}: rows of {relation} cannot be filled, because rule {} takes the place of every UPDATE",
            filled.origin,
            quoted_ident(&rule.name)
        ),
    )
    .hint(format!(
        "fill(\"…\", triggers = \"off\") switches it off while {} is filled",
        quoted_ident(column)
    )))
}

/// Does something and takes it back; `None` where Postgres refuses it.
fn tried<T>(
    connection: &mut PgConnection,
    attempt: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
) -> Result<Option<T>, Error> {
    let mut done = None;
    let ended = connection.transaction(|connection| {
        done = Some(attempt(connection)?);
        Err::<(), SqlError>(SqlError::RollbackTransaction)
    });
    match ended {
        Ok(()) | Err(SqlError::RollbackTransaction) => Ok(done),
        Err(SqlError::DatabaseError(kind, _))
            if !matches!(kind, DatabaseErrorKind::ClosedConnection) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
