//! The labels of enums, by the numbers that they keep when they are renamed.

use std::collections::BTreeMap;

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::Error,
    sql_query,
    sql_types::{BigInt, Text},
};
use trueup::name::literal;

/// All labels of a database.
pub(super) struct Labels(BTreeMap<i64, Label>);

#[derive(QueryableByName)]
struct Label {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    /// Quoted, with its namespace.
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    name: String,
}

const LABELS: &str = "
    SELECT e.oid::int8 AS oid, pg_catalog.format('%I.%I', n.nspname, t.typname) AS of, e.enumlabel::text AS name
    FROM pg_catalog.pg_enum e
        JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace";

impl Labels {
    /// Reads them.
    pub(super) fn read(connection: &mut PgConnection) -> QueryResult<Self> {
        let labels: Vec<Label> = sql_query(LABELS).load(connection)?;
        Ok(Self(labels.into_iter().map(|one| (one.oid, one)).collect()))
    }

    /// Reads something while each label that was renamed since has its old name, wherever values of it are: in arrays, in
    /// composite types, in ranges.
    pub(super) fn restored<T>(
        &self,
        connection: &mut PgConnection,
        read: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let now = Self::read(connection)?;
        let renamed: Vec<(&Label, &str)> = now
            .0
            .values()
            .filter_map(|label| {
                let old = &self.0.get(&label.oid)?.name;
                (*old != label.name).then_some((label, old.as_str()))
            })
            .collect();
        if renamed.is_empty() {
            return read(connection);
        }
        // A name may have gone to another label.
        let takes = |label: &&Label| {
            let mut wanted = renamed.iter();
            wanted.any(|(other, old)| other.of == label.of && *old == label.name)
        };
        let is_renamed = |label: &Label| renamed.iter().any(|(one, _)| one.oid == label.oid);
        let in_the_way = now.0.values().filter(takes);
        let aside = in_the_way.filter(|label| !is_renamed(label));
        let aside = aside.chain(renamed.iter().map(|(label, _)| *label));
        let aside = aside.map(|label| label.rename(&label.name, &label.aside()));
        let home = renamed
            .iter()
            .map(|(label, old)| label.rename(&label.aside(), old));
        let sql: String = aside.chain(home).collect();
        let mut found = None;
        let ended = connection.transaction(|connection| {
            connection.batch_execute(&sql)?;
            found = Some(read(connection)?);
            Err::<(), _>(Error::RollbackTransaction)
        });
        match (ended, found) {
            (Ok(()) | Err(Error::RollbackTransaction), Some(found)) => Ok(found),
            (Ok(()), None) => Err(Error::NotFound),
            (Err(error), _) => Err(error),
        }
    }
}

impl Label {
    fn aside(&self) -> String {
        format!("trueup_{}", self.oid)
    }

    fn rename(&self, from: &str, to: &str) -> String {
        format!(
            "ALTER TYPE {} RENAME VALUE {} TO {};\n",
            self.of,
            literal(from),
            literal(to)
        )
    }
}
