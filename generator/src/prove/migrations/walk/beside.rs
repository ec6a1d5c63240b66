//! A copy of the database that a history goes through. It goes back and up again with a migration, and where it then holds
//! what the database holds, it does so with the next one too: that spares a copy for each.

use std::path::PathBuf;

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Nullable, Text},
};

use super::State;
use crate::{
    Error,
    migrations::{
        apply::{self, ApplyError},
        folder::Migration,
    },
    postgres::{catalog, scratch::Database},
    prove::code::{Code, DOWN, Findings},
};

/// A database with the same migrations as another.
pub(super) struct Beside {
    session: PgConnection,
    pub(super) database: Database,
    /// The faults of code after the way back.
    pub(super) findings: Findings,
}

/// The result of going back and up again.
pub(super) enum Tried {
    /// The same as before, and the same as after.
    Returns,
    /// The way back does not run.
    NoDown(ApplyError),
    /// The way back leads elsewhere.
    Strays(Vec<String>),
    /// It does not go up again.
    NoUp(ApplyError),
    /// It goes up again to something else.
    Other(Vec<String>),
}

#[derive(QueryableByName, PartialEq)]
struct Held {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Nullable<Text>)]
    holds: Option<String>,
}

#[derive(QueryableByName)]
struct Query {
    #[diesel(sql_type = Text)]
    sql: String,
}

/// The query for a hash of the rows of each table that may have some, and for where each sequence stands. The record of what
/// was applied says when, and is left out.
const HOLDS: &str = r"
    SELECT pg_catalog.concat_ws(' UNION ALL ',
        $$SELECT pg_catalog.format('%I.%I', schemaname, sequencename) AS of, last_value::text AS holds FROM pg_catalog.pg_sequences$$,
        pg_catalog.string_agg(pg_catalog.format(
            'SELECT %L, pg_catalog.md5(pg_catalog.string_agg(ROW(t.*)::text, E''\n'' ORDER BY ROW(t.*)::text)) FROM ONLY %s t',
            c.oid::pg_catalog.regclass, c.oid::pg_catalog.regclass), ' UNION ALL ')) || ' ORDER BY 1, 2' AS sql
    FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND c.relpersistence <> 't'
        AND c.relname !~ '^__(diesel_schema_migrations$|trueup_)' AND pg_catalog.pg_relation_size(c.oid) > 0";

impl Beside {
    pub(super) fn new(database: Database) -> Result<Self, Error> {
        let mut session = database.connect()?;
        catalog::remember_queries(&mut session);
        Ok(Self {
            session,
            database,
            findings: Findings::default(),
        })
    }

    /// Takes the newest migration back and applies it again; `code` is that before it and after it.
    pub(super) fn and_back(
        &mut self,
        migration: &Migration,
        before: &State,
        after: &State,
        pg_dump: Option<&PathBuf>,
        code: Option<[&Code; 2]>,
    ) -> Result<Tried, Error> {
        let one = std::slice::from_ref(migration);
        if let Err(error) = apply::replay_back(&self.database, one) {
            return Ok(Tried::NoDown(error));
        }
        let back = State::read(&self.database, &mut self.session, pg_dump)?;
        let strays = back.differences(before);
        if !strays.is_empty() {
            return Ok(Tried::Strays(strays));
        }
        if let Some([first, reached]) = code {
            let back = Code::read(&self.database)?;
            self.findings = back.findings(first, reached, &self.database, DOWN)?;
        }
        if let Err(error) = apply::replay(&self.database, one) {
            return Ok(Tried::NoUp(error));
        }
        let again = State::read(&self.database, &mut self.session, pg_dump)?.differences(after);
        Ok(if again.is_empty() {
            Tried::Returns
        } else {
            Tried::Other(again)
        })
    }

    /// True if the database of the other session has the same rows; of what cannot be read that is not known.
    pub(super) fn holds_the_same(&mut self, other: &mut PgConnection) -> bool {
        matches!(
            (held(&mut self.session), held(other)),
            (Ok(here), Ok(there)) if here == there
        )
    }
}

fn held(session: &mut PgConnection) -> QueryResult<Vec<Held>> {
    let query: Query = sql_query(HOLDS).get_result(session)?;
    let mut held: Vec<Held> = sql_query(query.sql).load(session)?;
    // A table that was emptied keeps its file.
    held.retain(|one| one.holds.is_some());
    Ok(held)
}
