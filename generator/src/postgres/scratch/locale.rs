//! The encoding, provider and collation of a database: they change the order of text and what patterns mean.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

/// The encoding and collation of a database. The default is the server's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locale(Option<Given>);

#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
struct Given {
    #[diesel(sql_type = Text)]
    encoding: String,
    #[diesel(sql_type = Text)]
    collate: String,
    #[diesel(sql_type = Text)]
    ctype: String,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Nullable<Text>)]
    locale: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rules: Option<String>,
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Text)]
    sql: String,
}

impl Locale {
    /// The locale of the database that is connected to.
    pub fn of(connection: &mut PgConnection) -> QueryResult<Self> {
        // As JSON, since the columns came with 15, 16 and 17 and one was renamed.
        let given = diesel::sql_query(
            "SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
                    d.datcollate::text AS collate,
                    d.datctype::text AS ctype,
                    coalesce(j ->> 'datlocprovider', 'c') AS provider,
                    coalesce(j ->> 'datlocale', j ->> 'daticulocale') AS locale,
                    j ->> 'daticurules' AS rules
             FROM pg_catalog.pg_database d, pg_catalog.to_jsonb(d) j
             WHERE d.datname = pg_catalog.current_database()",
        );
        given.get_result(connection).map(|given| Self(Some(given)))
    }

    /// The options of CREATE DATABASE, best first: what the server does not have, the next does without.
    pub(super) fn options(
        &self,
        connection: &mut PgConnection,
        major: u32,
    ) -> QueryResult<Vec<String>> {
        let Some(given) = &self.0 else {
            return Ok(vec![String::new()]);
        };
        let mut clauses = vec![("LC_COLLATE", &given.collate), ("LC_CTYPE", &given.ctype)];
        let (icu, builtin, libc) = ("icu".to_owned(), "builtin".to_owned(), "libc".to_owned());
        match (given.provider.as_str(), &given.locale) {
            ("i", Some(locale)) if major >= 15 => {
                clauses.extend([("LOCALE_PROVIDER", &icu), ("ICU_LOCALE", locale)]);
            }
            ("b", Some(locale)) if major >= 17 => {
                clauses.extend([("LOCALE_PROVIDER", &builtin), ("BUILTIN_LOCALE", locale)]);
            }
            _ if major >= 15 => clauses.push(("LOCALE_PROVIDER", &libc)),
            _ => {}
        }
        clauses.extend(
            given
                .rules
                .as_ref()
                .filter(|_| major >= 16)
                .map(|rules| ("ICU_RULES", rules)),
        );
        let encoding = ("ENCODING", &given.encoding);
        let plain = "C".to_owned();
        let mut exact = vec![encoding];
        exact.append(&mut clauses);
        let bytewise = [encoding, ("LC_COLLATE", &plain), ("LC_CTYPE", &plain)];
        Ok(vec![
            written(connection, &exact)?,
            written(connection, &bytewise)?,
            String::new(),
        ])
    }
}

/// Lets the server quote the values.
fn written(connection: &mut PgConnection, clauses: &[(&str, &String)]) -> QueryResult<String> {
    let mut sql = String::new();
    for (word, value) in clauses {
        let quoted: Written =
            diesel::sql_query("SELECT pg_catalog.format(' %s %L', $1, $2) AS sql")
                .bind::<Text, _>(word)
                .bind::<Text, _>(value)
                .get_result(connection)?;
        sql.push_str(&quoted.sql);
    }
    Ok(sql)
}
