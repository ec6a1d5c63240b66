//! Every function is compiled again: Postgres checks the body of one in SQL whole, that of one in PL/pgSQL for its syntax
//! and the types of its variables, and the extension `plpgsql_check`, where the server has it, for the rest.

use std::collections::BTreeMap;

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::Error as SqlError,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text},
};

use super::{Attempt, Broken, Session};
use crate::{Error, postgres::scratch::Database};

/// Which functions compile, by their numbers in the catalog.
pub struct Bodies(BTreeMap<i64, Option<Broken>>);

#[derive(QueryableByName)]
struct Function {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
    /// Its namespace and name.
    #[diesel(sql_type = diesel::sql_types::Array<Text>)]
    path: Vec<String>,
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    sql: String,
    /// The body as it stands in `sql`, where it does.
    #[diesel(sql_type = Nullable<Text>)]
    body: Option<String>,
    #[diesel(sql_type = Bool)]
    is_plpgsql: bool,
}

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Nullable<diesel::sql_types::Integer>)]
    line: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    statement: Option<String>,
    #[diesel(sql_type = Text)]
    message: String,
}

#[derive(QueryableByName)]
struct Placed {
    #[diesel(sql_type = Text)]
    namespace: String,
}

const FUNCTIONS: &str = "
    SELECT p.oid::int8 AS oid, quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
            || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name,
        ARRAY[n.nspname, p.proname]::text[] AS path, quote_ident(n.nspname) AS namespace, pg_catalog.pg_get_functiondef(p.oid) AS sql, NULLIF(p.prosrc, '') AS body,
        l.lanname = 'plpgsql' AS is_plpgsql
    FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND p.prokind IN ('f', 'p') AND l.lanname IN ('sql', 'plpgsql')
        AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid AND e.deptype = 'e')
    ORDER BY p.oid";

/// The number of functions that one query tries.
const AT_ONCE: usize = 100;

impl Bodies {
    /// Compiles every function of a database.
    pub fn compile(database: &Database) -> Result<Self, Error> {
        let mut session = Session::begin(database)?;
        let functions: Vec<Function> = sql_query(FUNCTIONS).load(&mut session.connection)?;
        let mut compiled = BTreeMap::new();
        if functions.is_empty() {
            return Ok(Self(compiled));
        }
        for functions in functions.chunks(AT_ONCE) {
            let attempts: Vec<Attempt> = functions
                .iter()
                .map(|function| Attempt {
                    before: Vec::new(),
                    sql: function.sql.clone(),
                    namespace: Some(function.namespace.clone()),
                })
                .collect();
            let Some(failures) = session.attempt(&attempts) else {
                continue;
            };
            for (function, failure) in functions.iter().zip(failures) {
                let broken = failure.map(|failure| {
                    let broken = session.broken("", "compilation".to_owned(), &failure);
                    let line = function.line(&mut session.connection).or(broken.line);
                    let text = function.body.as_deref().unwrap_or_default().lines();
                    let text = line.and_then(|line| text.clone().nth(line.checked_sub(1)?));
                    Broken {
                        line,
                        function: Some(function.name.clone()),
                        triggers: Vec::new(),
                        paths: vec![("function", function.path.clone())],
                        statement: text.map(|text| text.trim().to_owned()),
                        ..broken
                    }
                });
                compiled.insert(function.oid, broken);
            }
        }
        let plpgsql = functions.iter().filter(|function| function.is_plpgsql);
        check(&mut session.connection, plpgsql, &mut compiled);
        Ok(Self(compiled))
    }

    /// True where there is no function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The functions that compile here and do not in `after`, which is what a file left.
    #[must_use]
    pub fn broken(&self, after: &Self, file: &'static str) -> Vec<Broken> {
        let sound = |oid: &i64| matches!(self.0.get(oid), Some(None));
        let failing = after.0.iter().filter(|(oid, _)| sound(oid));
        failing
            .filter_map(|(_, broken)| broken.clone())
            .map(|broken| Broken { file, ..broken })
            .collect()
    }
}

impl Function {
    /// The line of the body at which Postgres stops.
    fn line(&self, connection: &mut PgConnection) -> Option<usize> {
        let made: QueryResult<()> = connection.transaction(|connection| {
            let path = format!(
                "SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ',
                    NULLIF(pg_catalog.current_setting('search_path'), ''), {}), true)",
                trueup::name::literal(&self.namespace)
            );
            sql_query(path).execute(connection)?;
            connection.batch_execute(&self.sql)?;
            Err(SqlError::RollbackTransaction)
        });
        let Err(SqlError::DatabaseError(_, said)) = made else {
            return None;
        };
        let position = usize::try_from(said.statement_position()?).ok()?;
        let body = self.body.as_deref()?;
        let begins = self.sql.find(body)?;
        let upto: String = self.sql.chars().take(position.saturating_sub(1)).collect();
        let within = upto.get(begins..)?;
        Some(within.matches('\n').count() + 1)
    }
}

/// Asks `plpgsql_check` about the functions that compile, where the server has it.
fn check<'a>(
    connection: &mut PgConnection,
    functions: impl Iterator<Item = &'a Function>,
    compiled: &mut BTreeMap<i64, Option<Broken>>,
) {
    let there = "SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'plpgsql_check'";
    if !matches!(sql_query(there).execute(connection), Ok(1)) {
        return;
    }
    let made = connection.transaction(|connection| -> QueryResult<Placed> {
        connection.batch_execute("CREATE EXTENSION IF NOT EXISTS plpgsql_check")?;
        let place =
            "SELECT extnamespace::regnamespace::text AS namespace FROM pg_catalog.pg_extension
            WHERE extname = 'plpgsql_check'";
        sql_query(place).get_result(connection)
    });
    let Ok(Placed {
        namespace: of_check,
    }) = made
    else {
        return;
    };
    for function in functions {
        // A function of a trigger is checked for each table that calls it.
        let query = format!(
            "SELECT c.lineno AS line, c.statement, c.message
            FROM (SELECT {oid}::oid AS f, 0::oid AS r WHERE NOT EXISTS
                    (SELECT FROM pg_catalog.pg_proc WHERE oid = {oid}
                        AND prorettype IN ('trigger'::regtype, 'event_trigger'::regtype))
                UNION SELECT tgfoid, tgrelid FROM pg_catalog.pg_trigger WHERE tgfoid = {oid} AND NOT tgisinternal) o
                CROSS JOIN LATERAL plpgsql_check_function_tb(o.f, o.r, fatal_errors => true) c
            WHERE c.level = 'error' LIMIT 1",
            oid = function.oid
        );
        let found: QueryResult<Vec<Checked>> = connection.transaction(|connection| {
            let namespace = &function.namespace;
            let path =
                format!("SET LOCAL search_path = \"$user\", public, {namespace}, {of_check}");
            connection.batch_execute(&path)?;
            sql_query(query).load(connection)
        });
        let Some(first) = found.ok().and_then(|found| found.into_iter().next()) else {
            continue;
        };
        if let Some(sound @ None) = compiled.get_mut(&function.oid) {
            *sound = Some(Broken {
                file: "",
                attempt: "plpgsql_check".to_owned(),
                function: Some(function.name.clone()),
                line: first.line.and_then(|line| usize::try_from(line).ok()),
                triggers: Vec::new(),
                paths: vec![("function", function.path.clone())],
                statement: first.statement,
                message: first.message,
            });
        }
    }
}
