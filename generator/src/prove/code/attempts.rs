//! Statements that are tried and undone, each for itself, and what Postgres says of those that fail.

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    sql_query,
    sql_types::{Array, Integer, Nullable, Text},
};
use trueup::{name::literal, one_line};

use super::Broken;
use crate::{Error, postgres::scratch::Database};

/// A connection of its own, in a transaction that nothing commits.
pub struct Session {
    pub(crate) connection: PgConnection,
}

/// A statement to try.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Statements that run before it, without triggers and without the checks of foreign keys.
    pub before: Vec<String>,
    /// The statement.
    pub sql: String,
    /// The search path that it runs under, after the one that the session has.
    pub namespace: Option<String>,
}

/// The failure of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The SQLSTATE.
    pub state: String,
    /// The message.
    pub message: String,
    /// The code in which it failed, innermost first.
    pub spot: Option<Spot>,
}

/// A place in the code of a function.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    /// As Postgres calls the function in a context.
    function: String,
    by_name: bool,
    line: Option<usize>,
    statement: Option<String>,
}

/// Runs a statement and undoes it. SQLSTATE TU000 is no error: it undoes what succeeded.
const ATTEMPT: &str = r"
CREATE FUNCTION pg_temp.trueup_attempt(namespace text, before text[], attempt text,
    OUT state text, OUT message text, OUT context text)
LANGUAGE plpgsql AS $trueup$
DECLARE
    one text;
BEGIN
    BEGIN
        IF namespace IS NOT NULL THEN
            PERFORM pg_catalog.set_config('search_path',
                pg_catalog.concat_ws(', ', NULLIF(pg_catalog.current_setting('search_path'), ''), namespace), true);
        END IF;
        IF pg_catalog.cardinality(before) > 0 THEN
            PERFORM pg_catalog.set_config('session_replication_role', 'replica', true);
            FOREACH one IN ARRAY before LOOP
                EXECUTE one;
            END LOOP;
            PERFORM pg_catalog.set_config('session_replication_role', 'origin', true);
        END IF;
        EXECUTE attempt;
        SET CONSTRAINTS ALL IMMEDIATE;
        RAISE EXCEPTION USING ERRCODE = 'TU000';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;
    END;
END
$trueup$;
SET LOCAL statement_timeout = '20s';
SET LOCAL check_function_bodies = on;
DO $$ BEGIN
    PERFORM pg_catalog.set_config('lc_messages', 'C', true);
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
";

const SUCCESS: &str = "TU000";

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = Integer)]
    at: i32,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    message: String,
    #[diesel(sql_type = Nullable<Text>)]
    context: Option<String>,
}

#[derive(QueryableByName)]
struct Called {
    #[diesel(sql_type = Text)]
    name: String,
    /// Its namespace and name.
    #[diesel(sql_type = Array<Text>)]
    path: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    triggers: Vec<String>,
    /// Of each trigger the namespace, the table and the name.
    #[diesel(sql_type = Array<Text>)]
    trigger_paths: Vec<String>,
    #[diesel(sql_type = Text)]
    body: String,
}

impl Called {
    fn paths(&self) -> Vec<(&'static str, Vec<String>)> {
        let triggers = self.trigger_paths.chunks_exact(3);
        let triggers = triggers.map(|path| ("trigger", path.to_vec()));
        [("function", self.path.clone())]
            .into_iter()
            .chain(triggers)
            .collect()
    }
}

impl Session {
    /// Begins on a database.
    pub fn begin(database: &Database) -> Result<Self, Error> {
        let mut connection = database.connect()?;
        AnsiTransactionManager::begin_transaction(&mut connection)?;
        connection.batch_execute(ATTEMPT)?;
        Ok(Self { connection })
    }

    /// Tries statements. `None` where they cannot be tried: one of them takes too long, say.
    pub fn attempt(&mut self, attempts: &[Attempt]) -> Option<Vec<Option<Failure>>> {
        if attempts.is_empty() {
            return Some(Vec::new());
        }
        let rows: Vec<String> = attempts
            .iter()
            .enumerate()
            .map(|(at, attempt)| {
                let before = attempt.before.iter().map(|sql| literal(sql));
                let before: Vec<String> = before.collect();
                let namespace = attempt.namespace.as_deref();
                format!(
                    "({at}, {}::text, ARRAY[{}]::text[], {}::text)",
                    namespace.map_or_else(|| "NULL".to_owned(), literal),
                    before.join(", "),
                    literal(&attempt.sql)
                )
            })
            .collect();
        let query = format!(
            "SELECT v.at, t.state, COALESCE(t.message, '') AS message, t.context
            FROM (VALUES {}) v(at, namespace, before, attempt)
                CROSS JOIN LATERAL pg_temp.trueup_attempt(v.namespace, v.before, v.attempt) t
            ORDER BY v.at",
            rows.join(", ")
        );
        let ended = self
            .connection
            .transaction(|connection| sql_query(query).load::<Ended>(connection));
        let mut failures = vec![None; attempts.len()];
        for one in ended.ok()? {
            let failure = failures.get_mut(usize::try_from(one.at).ok()?)?;
            *failure = Failure::of(one);
        }
        Some(failures)
    }

    /// Says what a failure means to a person.
    pub fn broken(&mut self, file: &'static str, attempt: String, failure: &Failure) -> Broken {
        let called = failure.spot.as_ref().and_then(|spot| self.called(spot));
        let spot = failure.spot.as_ref();
        let line = spot.and_then(|spot| spot.line);
        // Postgres repeats a statement that fails while it runs, and none that it does not understand.
        let stands = called
            .as_ref()
            .and_then(|called| called.body.lines().nth(line?.checked_sub(1)?))
            .map(|text| text.trim().to_owned());
        let repeated = spot.and_then(|spot| spot.statement.clone());
        Broken {
            file,
            attempt,
            function: called
                .as_ref()
                .map(|called| called.name.clone())
                .or_else(|| spot.map(|spot| spot.function.clone())),
            line,
            statement: repeated.or(stands),
            paths: called.as_ref().map_or_else(Vec::new, Called::paths),
            triggers: called.map_or_else(Vec::new, |called| called.triggers),
            message: one_line(&failure.message),
        }
    }

    fn called(&mut self, spot: &Spot) -> Option<Called> {
        let function = literal(&spot.function);
        let is_it = if spot.by_name {
            format!("p.proname = {function} AND p.oid >= 16384")
        } else {
            format!("p.oid = pg_catalog.to_regprocedure({function})")
        };
        let query = format!(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
                    || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name,
                ARRAY[n.nspname, p.proname]::text[] AS path,
                ARRAY(SELECT o.name FROM pg_catalog.pg_trigger t
                        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
                        JOIN pg_catalog.pg_namespace m ON m.oid = c.relnamespace
                        CROSS JOIN LATERAL unnest(ARRAY[m.nspname, c.relname, t.tgname]::text[])
                            WITH ORDINALITY o(name, place)
                    WHERE t.tgfoid = p.oid AND NOT t.tgisinternal
                    ORDER BY t.oid, o.place) AS trigger_paths,
                ARRAY(SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || quote_ident(m.nspname) || '.'
                        || quote_ident(c.relname)
                    FROM pg_catalog.pg_trigger t
                        JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
                        JOIN pg_catalog.pg_namespace m ON m.oid = c.relnamespace
                    WHERE t.tgfoid = p.oid AND NOT t.tgisinternal
                    ORDER BY 1) AS triggers,
                p.prosrc AS body
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            WHERE {is_it}"
        );
        let connection = &mut self.connection;
        let found =
            connection.transaction(|connection| sql_query(query).load::<Called>(connection));
        // Of several of the same name, none is known to be the one.
        let [called] = <[Called; 1]>::try_from(found.ok()?).ok()?;
        Some(called)
    }
}

impl Failure {
    fn of(ended: Ended) -> Option<Self> {
        (ended.state != SUCCESS).then(|| Self {
            spot: ended.context.as_deref().and_then(Spot::of),
            state: ended.state,
            message: ended.message,
        })
    }

    /// True if code failed, and no constraint of the table that the statement is about, and no value of the statement.
    #[must_use]
    pub fn is_of_code(&self) -> bool {
        // Class 42 is about names and types: no value is to blame.
        self.spot.is_some() || self.state.starts_with("42")
    }

    /// True if the other failed for the same reason in the same place.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.state == other.state && self.spot == other.spot
    }
}

impl Spot {
    /// The innermost function in the context of an error. Postgres writes a line for each: `PL/pgSQL function f(integer)
    /// line 3 at SQL statement`, `SQL function "f" statement 1`.
    fn of(context: &str) -> Option<Self> {
        let mut above = String::new();
        for line in context.lines() {
            let spot = Self::of_plpgsql(line).or_else(|| Self::of_sql(line));
            if let Some(mut spot) = spot {
                if spot.function.contains("trueup_attempt(") {
                    return None;
                }
                let statement = above.strip_prefix("SQL statement \"");
                spot.statement = statement.map(|text| {
                    let text = text.trim_end().trim_end_matches('"');
                    let words: Vec<&str> = text.split_whitespace().collect();
                    words.join(" ")
                });
                return Some(spot);
            }
            if line.starts_with("SQL statement \"") {
                above.clear();
            }
            above += line;
            above.push('\n');
        }
        None
    }

    fn of_plpgsql(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("PL/pgSQL function ")?;
        let (function, at) = rest.rsplit_once(" line ").unwrap_or_else(|| {
            let during = rest.split_once(" during ");
            during
                .or_else(|| rest.split_once(" while "))
                .unwrap_or((rest, ""))
        });
        Some(Self {
            function: function.to_owned(),
            by_name: false,
            line: at.split(' ').next().and_then(|number| number.parse().ok()),
            statement: None,
        })
    }

    fn of_sql(line: &str) -> Option<Self> {
        let (rest, of_body) = match line.strip_prefix("SQL function \"") {
            Some(rest) => (rest, false),
            None => (
                line.strip_prefix("compilation of PL/pgSQL function \"")?,
                true,
            ),
        };
        let (function, at) = rest.rsplit_once('"')?;
        let number = at.strip_prefix(" near line ").filter(|_| of_body);
        Some(Self {
            function: function.to_owned(),
            by_name: true,
            line: number.and_then(|number| number.parse().ok()),
            statement: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Spot;

    #[test]
    fn the_innermost_function_is_found() {
        let context = "SQL statement \"UPDATE t\n SET a = 1\"\nPL/pgSQL function f(integer) line 3 at SQL statement\n\
            SQL statement \"INSERT INTO u\"\nPL/pgSQL function pg_temp_3.trueup_attempt(text,text[],text) line 9 at EXECUTE";
        let spot = Spot::of(context).expect("a spot");
        assert_eq!(spot.function, "f(integer)");
        assert_eq!(spot.line, Some(3));
        assert_eq!(spot.statement.as_deref(), Some("UPDATE t SET a = 1"));
        let own = "PL/pgSQL function pg_temp_3.trueup_attempt(text,text[],text) line 9 at EXECUTE";
        assert_eq!(Spot::of(own), None);
    }
}
