//! What migrations make on an empty database: what a database is emptied of.
//!
//! The scratch has more than that. It is furnished with the namespaces that a session expects, and with the project's prelude,
//! which stands for what a platform makes. On the live database those are somebody else's.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Oid, Text};

use crate::postgres::connection::connect;
use crate::{Error, Project, source};

/// Names of what migrations make, which are the same on the scratch and on the live database.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The namespaces that are emptied as a whole: those that a migration makes, the one that every database has, and those
    /// of the search path in which a migration makes something.
    pub(super) namespaces: Vec<String>,
    /// Those that a migration makes.
    pub(super) own: Vec<String>,
    /// Further namespaces in which a migration makes something.
    in_part: Vec<String>,
    /// All objects that a migration makes, as Postgres identifies them: `publication news`.
    pub(super) objects: Vec<String>,
    /// The extensions among them.
    pub(super) extensions: Vec<String>,
    /// The parts of tables among them: `trigger touched on auth.users`.
    pub(super) parts: BTreeSet<String>,
    /// The objects that were there before the first migration.
    pub(super) kept: Vec<String>,
}

/// An object in a namespace, or in none.
#[derive(QueryableByName, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Object {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    namespace: Option<String>,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Address {
    #[diesel(sql_type = Oid)]
    class: u32,
    #[diesel(sql_type = Oid)]
    object: u32,
}

impl Made {
    /// Replays the migrations, and compares the result with what they begin on.
    pub(super) fn by_migrations(project: &Project) -> Result<Self, Error> {
        let replayed = source::replay(project, &project.migrations)?;
        let before = source::empty(project, [])?;
        let (mut after, mut before) = (connect(&replayed.url)?, before.connect()?);
        let was: BTreeSet<Object> = objects(&mut before)?;
        let is: BTreeSet<Object> = objects(&mut after)?;
        let new: Vec<&Object> = is.difference(&was).collect();
        let furnished = names(&mut before, NAMESPACES)?;
        let own: Vec<String> = names(&mut after, NAMESPACES)?
            .difference(&furnished)
            .cloned()
            .collect();
        let of_sessions = project.surroundings().namespaces;
        let (filled_now, filled_before) = (namespaces_of(new.iter().copied()), namespaces_of(&was));
        let worked_in = furnished
            .iter()
            .filter(|name| *name == PUBLIC || filled_now.contains(name.as_str()));
        let (whole, in_part): (Vec<String>, Vec<String>) = worked_in.cloned().partition(|name| {
            name == PUBLIC || of_sessions.contains(name) && !filled_before.contains(name.as_str())
        });
        let mut namespaces = [own.clone(), whole].concat();
        namespaces.sort();
        let extensions = names(&mut after, EXTENSIONS)?;
        let parts = names(&mut after, PARTS)?;
        Ok(Self {
            namespaces,
            own,
            in_part,
            objects: new.into_iter().map(|one| one.name.clone()).collect(),
            extensions: extensions
                .difference(&names(&mut before, EXTENSIONS)?)
                .cloned()
                .collect(),
            parts: parts
                .difference(&names(&mut before, PARTS)?)
                .cloned()
                .collect(),
            kept: was.into_iter().map(|one| one.name).collect(),
        })
    }

    /// The namespaces, for people.
    pub(super) fn shown(&self) -> Vec<String> {
        let in_part = self.in_part.iter();
        let in_part = in_part.map(|name| format!("{name} (only what migrations make there)"));
        self.namespaces.iter().cloned().chain(in_part).collect()
    }
}

/// The addresses, classes and objects, that these names have in a database.
pub(super) fn addresses(
    connection: &mut PgConnection,
    names: &[String],
) -> QueryResult<(Vec<u32>, Vec<u32>)> {
    let query = format!(
        "{OBJECTS} SELECT classid AS class, objid AS object FROM object WHERE name = ANY ($1)"
    );
    let found: Vec<Address> = diesel::sql_query(query)
        .bind::<Array<Text>, _>(names)
        .load(connection)?;
    Ok(found
        .into_iter()
        .map(|found| (found.class, found.object))
        .unzip())
}

fn namespaces_of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> BTreeSet<&'a str> {
    let all = objects.into_iter();
    all.filter_map(|one| one.namespace.as_deref()).collect()
}

fn objects(connection: &mut PgConnection) -> QueryResult<BTreeSet<Object>> {
    let query = format!("{OBJECTS} SELECT name, namespace FROM object");
    let found: Vec<Object> = diesel::sql_query(query).load(connection)?;
    Ok(found.into_iter().collect())
}

fn names(connection: &mut PgConnection, query: &str) -> QueryResult<BTreeSet<String>> {
    let found: Vec<Named> = diesel::sql_query(query).load(connection)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}

/// The namespace that every new database has.
const PUBLIC: &str = "public";

/// The namespaces that a server does not come with, and `public`.
const NAMESPACES: &str = "
    SELECT nspname::text AS name FROM pg_catalog.pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'";

const EXTENSIONS: &str = "SELECT extname::text AS name FROM pg_catalog.pg_extension";

/// The parts of tables that a person makes by themselves.
const PARTS: &str = "
    SELECT o.type || ' ' || o.identity AS name
    FROM (
        SELECT tableoid AS classid, oid AS objid, 0 AS objsubid FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT tableoid, oid, 0 FROM pg_catalog.pg_policy
        UNION ALL SELECT tableoid, oid, 0 FROM pg_catalog.pg_rewrite WHERE oid >= 16384
        UNION ALL SELECT tableoid, oid, 0 FROM pg_catalog.pg_attrdef
        UNION ALL SELECT tableoid, oid, 0 FROM pg_catalog.pg_constraint WHERE oid >= 16384
        UNION ALL SELECT i.tableoid, indexrelid, 0 FROM pg_catalog.pg_index i WHERE indexrelid >= 16384
        UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, attrelid, attnum FROM pg_catalog.pg_attribute
            WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped
    ) g, pg_catalog.pg_identify_object(CASE g.classid WHEN 'pg_catalog.pg_index'::pg_catalog.regclass
        THEN 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid ELSE g.classid END, g.objid, g.objsubid) o";

/// `global`: objects without a namespace that the server did not come with and no extension brought. `object`: those, and all
/// that is in a namespace and is no part of something else.
const OBJECTS: &str = "WITH global AS (
    SELECT g.classid, g.objid, o.type || ' ' || o.identity AS name
    FROM (
        SELECT tableoid AS classid, oid AS objid FROM pg_catalog.pg_publication
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_cast
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT tableoid, umid FROM (SELECT 'pg_catalog.pg_user_mapping'::pg_catalog.regclass::pg_catalog.oid AS tableoid, umid
                                              FROM pg_catalog.pg_user_mappings) m
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_language
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_transform
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_am
        UNION ALL SELECT tableoid, oid FROM pg_catalog.pg_extension
    ) g, pg_catalog.pg_identify_object(g.classid, g.objid, 0) o
    -- Below this number stands what a server comes with.
    WHERE g.objid >= 16384
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = g.classid AND d.objid = g.objid AND d.deptype IN ('e', 'i'))
), object AS (
    SELECT classid, objid, name, NULL::text AS namespace FROM global
    UNION
    SELECT d.classid, d.objid, o.type || ' ' || o.identity, n.nspname::text
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_namespace n ON n.oid = d.refobjid,
        pg_catalog.pg_identify_object(d.classid, d.objid, 0) o
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND d.deptype IN ('n', 'a') AND d.objsubid = 0
      AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass
      -- The bookkeeping stands where a session would make it, and is emptied wherever it is.
      AND NOT (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
               AND (SELECT c.relname ~ '^__(diesel_schema_migrations$|trueup_)' FROM pg_catalog.pg_class c WHERE c.oid = d.objid))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend m
                      WHERE m.classid = d.classid AND m.objid = d.objid AND m.deptype IN ('e', 'i') AND m.objsubid = 0)
)";
