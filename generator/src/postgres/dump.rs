//! `pg_dump` as a witness: it shares no code with us, so what it says of two databases is evidence.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::postgres::children;
use crate::postgres::connection::PINNED;
use crate::postgres::environment;
use crate::postgres::url::Url;

mod agree;

pub use agree::{Difference, agree};

/// The bookkeeping, Diesel's and ours, is no part of a schema.
const NOT_DUMPED: [&str; 2] = [
    "--exclude-table=*.__diesel_schema_migrations",
    "--exclude-table=*.__trueup_*",
];

/// An error of a Postgres program.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// It could not be run.
    #[error("cannot run {}: {source}", program.display())]
    Io {
        /// Which one.
        program: PathBuf,
        /// The I/O error.
        source: std::io::Error,
    },
    /// It ended with an error.
    #[error("{} failed on {url}: {said}", program.display())]
    Failed {
        /// Which one.
        program: PathBuf,
        /// On which database.
        url: Url,
        /// The program's output.
        said: String,
    },
    /// It wrote what is no UTF-8.
    #[error("{} wrote something that is not UTF-8 about {url}", program.display())]
    NotUtf8 {
        /// Which one.
        program: PathBuf,
        /// About which database.
        url: Url,
    },
}

/// The presence of the namespace `public`, which every new database has and no dump mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Public {
    /// It is there.
    Present,
    /// It was dropped.
    Absent,
}

impl Public {
    /// Looks whether the database that is connected to has it.
    pub fn of(connection: &mut PgConnection) -> QueryResult<Self> {
        let query = "EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')";
        let there: bool = diesel::select(diesel::dsl::sql::<Bool>(query)).get_result(connection)?;
        Ok(if there { Self::Present } else { Self::Absent })
    }
}

/// The obstacle to `pg_dump`: it locks every table, and so needs more privileges than reading the catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{user} may not read {table}, which pg_dump would lock")]
pub struct Barred {
    /// The current user.
    pub user: String,
    /// The first table that is out of reach.
    pub table: String,
}

/// Looks whether this user may dump the database that is connected to.
pub fn barred(connection: &mut PgConnection) -> QueryResult<Option<Barred>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        user: String,
        #[diesel(sql_type = Text)]
        table: String,
    }
    let query = "
        SELECT current_user::text AS user, pg_catalog.format('%I.%I', n.nspname, c.relname) AS table
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relpersistence <> 't'
          AND c.relname !~ '^__(diesel_schema_migrations$|trueup_)'
          AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
        ORDER BY 2 LIMIT 1";
    let found: Option<Row> = diesel::sql_query(query).get_result(connection).optional()?;
    Ok(found.map(|Row { user, table }| Barred { user, table }))
}

/// Dumps the schema of a database, without owners and privileges, as SQL that [`restore`] takes.
pub fn dump(pg_dump: &Path, url: &Url) -> Result<String, WitnessError> {
    let mut command = command(pg_dump, url);
    command.args([
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        "--encoding=UTF8",
    ]);
    command.args(NOT_DUMPED);
    let output = children::output(command, &name(pg_dump), None, None);
    let text = String::from_utf8(finish(pg_dump, url, output)?.stdout);
    let text = text.map_err(|_| WitnessError::NotUtf8 {
        program: pg_dump.to_owned(),
        url: url.clone(),
    })?;
    Ok(portable(&text))
}

/// Runs a dump on an empty database.
pub fn restore(psql: &Path, url: &Url, dump: &str, public: Public) -> Result<(), WitnessError> {
    let mut command = command(psql, url);
    command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
    let drop_public = match public {
        Public::Present => "",
        Public::Absent => "DROP SCHEMA public;\n",
    };
    let input = format!("{drop_public}{dump}");
    let output = children::output(command, &name(psql), Some(&input), None);
    finish(psql, url, output).map(|_| ())
}

/// A program's name, for people.
pub(crate) fn name(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A session by hand: without the settings that make text the same everywhere.
#[must_use]
pub fn session(program: &Path, url: &Url) -> Command {
    let mut command = children::client(program);
    environment::for_person(&mut command);
    addressed(&mut command, url);
    command
}

/// A client of Postgres on this database.
pub(crate) fn command(program: &Path, url: &Url) -> Command {
    // pg_dump lifts the limits itself, but not before its first query.
    let limits = [("statement_timeout", "0")];
    let options: Vec<_> = PINNED
        .iter()
        .chain(&limits)
        .map(|(name, value)| format!("-c {name}={}", value.replace(' ', r"\ ")))
        .collect();
    let mut command = children::client(program);
    environment::for_client(&mut command, url);
    command
        .env("LC_ALL", "C")
        .env("PGOPTIONS", options.join(" "));
    addressed(&mut command, url);
    command
}

/// Tells a client where to connect. Secrets go into its environment: everybody may read its arguments.
fn addressed(command: &mut Command, url: &Url) {
    let (url, password) = url.split_password();
    let (url, service) = if children::hands_services_on() {
        url.split_secrets()
    } else {
        (url, None)
    };
    if let Some(service) = service {
        command.env(children::SERVICE, service);
    }
    command
        .arg("--dbname")
        .arg(url.as_secret_str())
        .arg("--no-password");
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
}

fn finish(
    program: &Path,
    url: &Url,
    output: std::io::Result<Output>,
) -> Result<Output, WitnessError> {
    let output = output.map_err(|source| WitnessError::Io {
        program: program.to_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(output);
    }
    Err(WitnessError::Failed {
        program: program.to_owned(),
        url: url.clone(),
        said: children::said(&output),
    })
}

/// Takes out what differs between two dumps of one database, and what an older server or psql does not know.
fn portable(dump: &str) -> String {
    // Since the minor releases of August 2025 a dump stands between two psql commands with a random key.
    let key = dump
        .lines()
        .find_map(|line| line.strip_prefix("\\restrict "));
    let of_psql = |line: &str| {
        let word = line
            .strip_prefix("\\restrict ")
            .or(line.strip_prefix("\\unrestrict "));
        word.is_some() && word == key
    };
    let lines = dump
        .split_inclusive('\n')
        .filter(|line| !of_psql(line.trim_end()));
    let text: String = lines.collect();
    // A pg_dump of 17 or newer sets it for whatever server it reads, and 16 does not have it.
    let text = text.replacen("SET transaction_timeout = 0;\n", "", 1);
    if !text.contains("\n-- Dumped from database version 14.") {
        return text;
    }
    // A pg_dump of 15 or newer says of the sequence of an identity that it is logged where the table is not; in 14 it always
    // is, and there is no word for it.
    text.replace("\n    LOGGED\n    START WITH ", "\n    START WITH ")
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;
    use crate::postgres::binaries::Binaries;
    use crate::postgres::scratch::Locale;
    use crate::postgres::scratch::tests::scratch;

    const SCHEMA: &str = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text DEFAULT 'x;y', b int CHECK (b > 0));
        CREATE VIEW v AS SELECT a FROM t;
        CREATE TABLE __diesel_schema_migrations (version varchar(50));";

    #[test]
    fn a_restored_dump_agrees_with_what_was_dumped() {
        let (scratch, binaries) = (scratch(), Binaries::find(None));
        let (pg_dump, psql) = (
            binaries.pg_dump(scratch.major()).expect("pg_dump"),
            binaries.psql().expect("psql"),
        );
        let dump_of = |url: &Url| dump(&pg_dump, url).expect("a dump");
        for public in [Public::Present, Public::Absent] {
            let from = scratch.create(&Locale::default()).expect("a database");
            let mut connection = from.connect().expect("a connection");
            let namespace = "CREATE SCHEMA app; SET search_path = app;";
            connection
                .batch_execute(&format!("{namespace}{SCHEMA}"))
                .expect("a schema");
            if public == Public::Absent {
                connection
                    .batch_execute("DROP SCHEMA public")
                    .expect("dropped");
            }
            assert_eq!(Public::of(&mut connection), Ok(public));
            let to = scratch.create(&Locale::default()).expect("a database");
            let first = dump_of(&from.url());
            assert!(
                first.contains("CREATE VIEW app.v") && !first.contains("diesel"),
                "{first}"
            );
            restore(&psql, &to.url(), &first, public).expect("restored");
            assert_eq!(first, dump_of(&to.url()));
            assert_eq!(
                Public::of(&mut to.connect().expect("a connection")),
                Ok(public)
            );
            connection
                .batch_execute("ALTER TABLE t ADD c int")
                .expect("a column");
            let differences = agree(&first, &dump_of(&from.url())).expect_err("they differ");
            assert_eq!(differences.len(), 1, "{differences:?}");
        }
    }

    #[test]
    fn what_psql_says_is_passed_on() {
        let (scratch, binaries) = (scratch(), Binaries::find(None));
        let psql = binaries.psql().expect("psql");
        let database = scratch.create(&Locale::default()).expect("a database");
        let dump = format!("SELECT 1;\nNOPE;\n{}", "SELECT 1;\n".repeat(100_000));
        let error = restore(&psql, &database.url(), &dump, Public::Present)
            .expect_err("no SQL")
            .to_string();
        assert!(
            error.contains("syntax error at or near \"NOPE\""),
            "{error}"
        );
    }

    #[test]
    fn a_dump_is_made_portable() {
        let dump = "--\n\\restrict a1\n\nSET transaction_timeout = 0;\n'\n\\restrict b\n'\n\\unrestrict a1\n";
        assert_eq!(portable(dump), "--\n\n'\n\\restrict b\n'\n");
        let identity = "    SEQUENCE NAME public.s\n    LOGGED\n    START WITH 1\n";
        let of = |major| format!("--\n-- Dumped from database version {major}.3\n{identity}");
        assert_eq!(portable(&of(15)), of(15));
        assert_eq!(portable(&of(14)), of(14).replace("    LOGGED\n", ""));
    }

    #[test]
    fn a_password_is_no_argument() {
        let url = Url::parse("postgres://me:s3%63ret@h/db?sslmode=disable").expect("a URL");
        let command = command(Path::new("psql"), &url);
        assert!(
            !command
                .get_args()
                .any(|argument| argument.to_string_lossy().contains("s3"))
        );
        assert!(
            command
                .get_envs()
                .any(|(name, value)| name == "PGPASSWORD" && value == Some("s3cret".as_ref()))
        );
    }
}
