//! The bodies of functions that name a table, a column, a type or a label which goes, gets another name or another type. A
//! function that nothing called, and a branch that no row reached, shows in no attempt.
//!
//! Postgres says which functions there are, on which tables their triggers are, and where it looks for a name that says no
//! namespace; its own parsers read the bodies. A body that they cannot read is told as such.

mod declared;
mod names;
mod plpgsql;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    result::Error as SqlError,
    sql_query,
    sql_types::{Array, Nullable, Text},
};
use serde::Serialize;
use trueup::Hazard;

use super::Broken;
pub use names::Names;
use names::Thing;
use tree::{Found, Reader};

/// A function whose body names something that changes, or cannot be looked into.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Suspect {
    /// `up.sql` or `down.sql`.
    pub file: &'static str,
    /// With its namespace and arguments.
    pub function: String,
    /// The line of its body.
    pub line: Option<usize>,
    /// The line at which Postgres says that the statement around it begins.
    #[serde(skip)]
    begins: Option<usize>,
    /// True if it was not looked into.
    #[serde(skip)]
    pub(in crate::prove) is_unread: bool,
    /// The name and its change, as the end of the sentence "may break …: it …".
    pub because: String,
}

impl Suspect {
    /// The risk that stands in the migration.
    #[must_use]
    pub fn hazard(&self) -> Hazard {
        let line = self
            .line
            .map_or(String::new(), |line| format!(" line {line}"));
        Hazard::MayBreakCode {
            code: format!("function {}{line}", self.function),
            because: self.because.clone(),
        }
    }

    /// Code that fails where a row makes it, and runs where another does not.
    pub(in crate::prove) fn on_some_rows(failing: &Broken) -> Self {
        Self {
            file: failing.file,
            function: failing.function.clone().unwrap_or_default(),
            line: failing.line,
            begins: None,
            is_unread: false,
            because: format!("some rows make it fail: {}", failing.message),
        }
    }

    /// True if an attempt failed there.
    fn is_told(&self, broken: &[Broken]) -> bool {
        broken.iter().any(|one| {
            let there = one.line.is_some() && (one.line == self.line || one.line == self.begins);
            one.file == self.file && one.function.as_ref() == Some(&self.function) && there
        })
    }
}

/// Those that no attempt has shown to fail.
#[must_use]
pub fn untold(suspects: &[Suspect], broken: &[Broken]) -> Vec<Suspect> {
    let untold = suspects.iter().filter(|one| !one.is_told(broken));
    untold.cloned().collect()
}

/// The functions of a database, with all that it takes to read their bodies.
pub struct Functions(Vec<Function>);

#[derive(QueryableByName, Clone)]
struct Function {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    language: String,
    #[diesel(embed)]
    header: plpgsql::Header,
    #[diesel(sql_type = Text)]
    body: String,
    /// Its own setting.
    #[diesel(sql_type = Nullable<Text>)]
    search_path: Option<String>,
    #[diesel(sql_type = Text)]
    namespace: String,
    /// The tables whose triggers call it, each with its namespace before it.
    #[diesel(sql_type = Array<Text>)]
    triggers: Vec<String>,
}

#[derive(QueryableByName)]
struct Path {
    #[diesel(sql_type = Array<Text>)]
    namespaces: Vec<String>,
}

const FUNCTIONS: &str = "
    SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '('
            || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name,
        p.proname::text AS own_name, l.lanname::text AS language, p.prosrc AS body,
        p.prorettype::pg_catalog.regtype::text AS returns, p.proretset AS returns_set, p.prokind = 'p' AS is_procedure,
        ARRAY(SELECT COALESCE(p.proargnames[a.place], '') FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY a(type, place) ORDER BY a.place) AS names,
        ARRAY(SELECT COALESCE(p.proargmodes[a.place]::text, 'i') FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY a(type, place) ORDER BY a.place) AS modes,
        ARRAY(SELECT t.typtype = 'c' OR t.oid = 'record'::pg_catalog.regtype
                OR EXISTS (SELECT FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype AND b.typtype = 'c') FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY a(type, place)
            JOIN pg_catalog.pg_type t ON t.oid = a.type ORDER BY a.place) AS rows,
        ARRAY(SELECT a.type::int8 FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY a(type, place) ORDER BY a.place) AS types,
        n.nspname::text AS namespace,
        (SELECT substr(c, length('search_path=') + 1) FROM unnest(p.proconfig) c WHERE starts_with(c, 'search_path='))
            AS search_path,
        ARRAY(SELECT o.name FROM (SELECT DISTINCT m.nspname::text AS namespace, c.relname::text AS relation
                FROM pg_catalog.pg_trigger t
                    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
                    JOIN pg_catalog.pg_namespace m ON m.oid = c.relnamespace
                WHERE t.tgfoid = p.oid AND NOT t.tgisinternal) d
            CROSS JOIN LATERAL unnest(ARRAY[d.namespace, d.relation]) WITH ORDINALITY o(name, place)
            ORDER BY d.namespace, d.relation, o.place) AS triggers
    FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    -- A body in standard SQL is a tree, of which Postgres knows itself what it names.
    WHERE p.oid >= 16384 AND p.prokind IN ('f', 'p') AND p.prosrc <> '' AND l.lanname <> 'internal' AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid AND e.deptype = 'e')
    ORDER BY p.oid";

impl Functions {
    /// Reads them.
    pub fn read(connection: &mut PgConnection) -> QueryResult<Self> {
        sql_query(FUNCTIONS).load(connection).map(Self)
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are in `others` with the same body.
    #[must_use]
    pub fn kept_from(&self, others: &Self) -> Self {
        let is_kept = |one: &&Function| {
            let mut others = others.0.iter();
            others.any(|other| other.name == one.name && other.body == one.body)
        };
        Self(self.0.iter().filter(is_kept).cloned().collect())
    }

    /// Functions that name something in `before` that is gone or different in `after`, the state that a file left.
    pub fn suspects(
        &self,
        connection: &mut PgConnection,
        before: &Names,
        after: &Names,
        file: &'static str,
    ) -> QueryResult<Vec<Suspect>> {
        if self.is_empty() || !before.differs(after) {
            return Ok(Vec::new());
        }
        let mut paths: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
        let mut suspects = BTreeSet::new();
        for function in &self.0 {
            let setting = function.search_path.as_deref();
            let mut namespaces = match paths.get(&setting) {
                Some(namespaces) => namespaces.clone(),
                None => path(connection, setting)?,
            };
            paths.insert(setting, namespaces.clone());
            // A function made under another search path finds the objects of its own namespace.
            namespaces.push(function.namespace.clone());
            suspects.extend(function.suspects(&namespaces, before, after, file));
        }
        Ok(suspects.into_iter().collect())
    }
}

/// The namespaces in which a name is looked for, in order.
fn path(connection: &mut PgConnection, setting: Option<&str>) -> QueryResult<Vec<String>> {
    let mut found = Vec::new();
    let ended = connection.transaction(|connection| {
        if let Some(setting) = setting {
            sql_query("SELECT pg_catalog.set_config('search_path', $1, true)")
                .bind::<Text, _>(setting)
                .execute(connection)?;
        }
        let query = "SELECT pg_catalog.current_schemas(true)::text[] AS namespaces";
        let Path { namespaces } = sql_query(query).get_result(connection)?;
        found = namespaces;
        Err::<(), SqlError>(SqlError::RollbackTransaction)
    });
    match ended {
        Ok(()) | Err(SqlError::RollbackTransaction) => Ok(found),
        Err(error) => Err(error),
    }
}

impl Function {
    fn suspects(
        &self,
        path: &[String],
        before: &Names,
        after: &Names,
        file: &'static str,
    ) -> Vec<Suspect> {
        let tables = self.triggers.chunks_exact(2);
        let tables = tables.map(|pair| [pair[0].clone(), pair[1].clone()]);
        let mut reader = Reader::new(before, path, tables.collect());
        self.header.declare(&mut reader);
        let read = match self.language.as_str() {
            "plpgsql" => plpgsql::read(&self.header, &self.body, &mut reader),
            "sql" => reader.read(&self.body, 0, Some(1)),
            language => Err(format!("it is in {language}")),
        };
        if let Err(why) = read {
            reader.unknown(None, &format!("it was not looked into, for {why}"));
        }
        let mut told: BTreeSet<String> = BTreeSet::new();
        let mut suspects = Vec::new();
        for Found {
            thing,
            line,
            begins,
        } in reader.finish()
        {
            // The first line is enough for each.
            if let Some(because) = thing.change(before, after)
                && told.insert(because.clone())
            {
                suspects.push(Suspect {
                    file,
                    function: self.name.clone(),
                    line,
                    begins,
                    is_unread: matches!(thing, Thing::Unknown(_)),
                    because,
                });
            }
        }
        suspects
    }
}
