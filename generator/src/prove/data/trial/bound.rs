//! Fills as a role that policies bind. The scratch's own user reaches every row, and the owner of a table does not where it
//! forces row level security.

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::Error as SqlError,
    sql_query,
    sql_types::{Array, Text},
};
use trueup::Hazard;

use super::code::attempt;
use crate::{
    Error, ErrorKind,
    prove::data::{
        generate::message,
        snapshot::{Snapshot, remember},
    },
};

#[derive(QueryableByName)]
struct Forced {
    /// The tables whose policies bind their owner.
    #[diesel(sql_type = Array<Text>)]
    tables: Vec<String>,
}

/// The result of the statement for the role.
enum Bound {
    /// It left this.
    Left(Snapshot),
    /// It failed.
    Failed(SqlError),
}

const FORCED: &str = "
    SELECT ARRAY(SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1) AS tables";

/// The hazard of filling `of` as a role that policies bind.
pub(super) fn fill(
    connection: &mut PgConnection,
    sql: &str,
    of: &str,
) -> Result<Option<Hazard>, Error> {
    let Forced { tables } = sql_query(FORCED).get_result(connection)?;
    if tables.is_empty() {
        return Ok(None);
    }
    let (Ok(free), Ok(again)) = (attempt(connection, &[], sql), attempt(connection, &[], sql))
    else {
        return Ok(None);
    };
    // Volatile values differ in each run, independent of policies.
    let computed = free.changes(&again);
    let is_same = |left: &Snapshot| {
        let changes = free.changes(left);
        changes.keys().all(|place| computed.contains_key(place))
    };
    match run(connection, sql) {
        // A user who may not create roles is bound by policies anyway.
        None => Ok(None),
        Some(Bound::Failed(error)) => Ok(Some(Hazard::MayFail {
            because: format!(
                "for a role that the policies of {} bind: {}",
                tables.join(" and "),
                message(&error)
            ),
        })),
        Some(Bound::Left(left)) if is_same(&left) => Ok(None),
        Some(Bound::Left(_)) => Err(Error::new(
            ErrorKind::NotYet,
            format!(
                "not yet: {of} cannot be filled as it is meant: {} forced row level security, whose policies hide rows from \
                 what the fill reads",
                match tables.as_slice() {
                    [one] => format!("{one} has"),
                    many => format!("{} have", many.join(" and ")),
                }
            ),
        )
        .hint(
            "fill it in a migration written by hand, with ALTER TABLE … NO FORCE ROW LEVEL SECURITY before and FORCE after it",
        )),
    }
}

/// Runs a statement as a member of the role that owns everything, who has its rights and no more, and takes all back.
fn run(connection: &mut PgConnection, sql: &str) -> Option<Bound> {
    let mut bound = None;
    // A role is there for all databases, so its name is that of the session.
    let make = "DO $$ BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'trueup_bound_' || pg_backend_pid());
            EXECUTE format('GRANT %I TO %I', current_user, 'trueup_bound_' || pg_backend_pid());
            PERFORM set_config('role', 'trueup_bound_' || pg_backend_pid(), true);
        END $$";
    let _ = connection.transaction(|connection| {
        connection.batch_execute(make)?;
        let ended = connection.transaction(|connection| {
            connection.batch_execute(sql)?;
            connection.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
        });
        connection.batch_execute("RESET ROLE")?;
        bound = Some(match ended {
            Ok(()) => Bound::Left(remember(connection)?),
            Err(error) => Bound::Failed(error),
        });
        Err::<(), SqlError>(SqlError::RollbackTransaction)
    });
    bound
}
