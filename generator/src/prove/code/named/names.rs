//! The names of a database at one time: relations with their columns, types with their labels.

use std::collections::BTreeMap;

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Text},
};
use trueup::name::{dotted, literal};

/// A namespace and a name in it.
pub(super) type Key = [String; 2];

/// All names of a database.
pub struct Names {
    relations: BTreeMap<Key, Relation>,
    types: BTreeMap<Key, Type>,
    /// Every type, Postgres' own among them, by its number.
    shapes: BTreeMap<i64, Shape>,
    /// The numbers of the types, for a name that says no namespace finds the first in the path.
    shapes_named: BTreeMap<Key, i64>,
    /// The types that functions give.
    returned: BTreeMap<Key, Vec<i64>>,
}

/// A type, as far as it says whose rows its values are.
#[derive(QueryableByName)]
struct Shape {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    name: String,
    /// The relation's namespace and name, where it is the type of its rows.
    #[diesel(sql_type = Array<Text>)]
    relation: Vec<String>,
    /// The type that a domain is over, or of which an array is; else 0.
    #[diesel(sql_type = BigInt)]
    over: i64,
    #[diesel(sql_type = Bool)]
    is_array: bool,
}

/// A function that gives rows.
#[derive(QueryableByName)]
struct Returned {
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    gives: i64,
}

/// A type whose values are rows of a relation, or lists of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) relation: Key,
    pub(super) is_array: bool,
}

#[derive(QueryableByName)]
struct Relation {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    name: String,
    /// True unless it is Postgres' own.
    #[diesel(sql_type = Bool)]
    ours: bool,
    /// The columns in their order.
    #[diesel(sql_type = Array<Integer>)]
    numbers: Vec<i32>,
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
    /// The same as numbers of the catalog, which a type keeps when it gets another name.
    #[diesel(sql_type = Array<Text>)]
    type_oids: Vec<String>,
}

#[derive(QueryableByName)]
struct Type {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    namespace: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    labels: Vec<String>,
}

const RELATIONS: &str = "
    SELECT c.oid::int8 AS oid, n.nspname::text AS namespace, c.relname::text AS name,
        c.oid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AS ours,
        COALESCE(a.numbers, '{}') AS numbers, COALESCE(a.columns, '{}') AS columns,
        COALESCE(a.types, '{}') AS types, COALESCE(a.type_oids, '{}') AS type_oids
    FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN LATERAL (SELECT array_agg(a.attnum::int4 ORDER BY a.attnum) AS numbers,
                array_agg(a.attname::text ORDER BY a.attnum) AS columns,
                array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
                array_agg(a.atttypid::text || ' ' || a.atttypmod ORDER BY a.attnum) AS type_oids
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) a ON c.oid >= 16384 AND c.relkind <> 'S'
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND n.nspname !~ '^pg_(toast|temp)'";

const TYPES: &str = "
    SELECT t.oid::int8 AS oid, n.nspname::text AS namespace, t.typname::text AS name,
        ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) AS labels
    FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)";

const SHAPES: &str = "
    SELECT t.oid::int8 AS oid, n.nspname::text AS namespace, t.typname::text AS name,
        CASE WHEN c.oid IS NULL THEN '{}' ELSE ARRAY[n.nspname, c.relname]::text[] END AS relation,
        CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END::int8 AS over,
        t.typcategory = 'A' AND t.typtype <> 'd' AS is_array
    FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE n.nspname !~ '^pg_(toast|temp)' AND NOT (t.oid < 16384 AND t.typcategory = 'A')";

const RETURNED: &str = "
    SELECT n.nspname::text AS namespace, p.proname::text AS name, p.prorettype::int8 AS gives
    FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_type t ON t.oid = p.prorettype
    WHERE p.oid >= 16384 AND t.oid >= 16384 AND t.typtype IN ('c', 'd', 'b')";

/// Something that a body names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Thing {
    Relation(Key),
    Column(Key, String),
    /// All columns of a relation, by a star or by a list of values.
    Every(Key),
    Type(Key),
    Label(Key, String),
    /// Something that cannot be resolved, for this reason.
    Unknown(String),
}

impl Names {
    /// Reads them.
    pub fn read(connection: &mut PgConnection) -> QueryResult<Self> {
        let relations: Vec<Relation> = sql_query(RELATIONS).load(connection)?;
        let types: Vec<Type> = sql_query(TYPES).load(connection)?;
        let shapes: Vec<Shape> = sql_query(SHAPES).load(connection)?;
        let key = |namespace: &String, name: &String| [namespace.clone(), name.clone()];
        let mut returned: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
        for one in sql_query(RETURNED).load::<Returned>(connection)? {
            let named = returned.entry([one.namespace, one.name]).or_default();
            named.push(one.gives);
        }
        Ok(Self {
            returned,
            shapes_named: shapes
                .iter()
                .map(|one| (key(&one.namespace, &one.name), one.oid))
                .collect(),
            shapes: shapes.into_iter().map(|one| (one.oid, one)).collect(),
            relations: relations
                .into_iter()
                .map(|one| (key(&one.namespace, &one.name), one))
                .collect(),
            types: types
                .into_iter()
                .map(|one| (key(&one.namespace, &one.name), one))
                .collect(),
        })
    }

    /// True if something is called otherwise in `after`, is of another type, or is not there.
    pub(super) fn differs(&self, after: &Self) -> bool {
        let ours = self.relations.iter().filter(|(_, relation)| relation.ours);
        let mut things = ours.flat_map(|(key, relation)| {
            let columns = relation.columns.iter();
            let columns = columns.map(move |column| Thing::Column(key.clone(), column.clone()));
            columns.chain([Thing::Relation(key.clone())])
        });
        let mut types = self.types.iter().flat_map(|(key, one)| {
            let labels = one.labels.iter();
            let labels = labels.map(move |label| Thing::Label(key.clone(), label.clone()));
            labels.chain([Thing::Type(key.clone())])
        });
        let changes = |thing: Thing| thing.change(self, after).is_some();
        things.any(changes) || types.any(changes)
    }

    /// The relation that a name means, as Postgres looks for it.
    pub(super) fn relation(&self, namespace: &str, name: &str, path: &[String]) -> Option<Key> {
        found(&self.relations, namespace, name, path)
    }

    /// The type that a name means.
    pub(super) fn data_type(&self, namespace: &str, name: &str, path: &[String]) -> Option<Key> {
        found(&self.types, namespace, name, path)
    }

    /// The rows that values of a type are.
    pub(super) fn row(&self, oid: i64) -> Option<Row> {
        let shape = self.shapes.get(&oid)?;
        if let [namespace, name] = shape.relation.as_slice() {
            return Some(Row {
                relation: [namespace.clone(), name.clone()],
                is_array: false,
            });
        }
        let over = self.row(shape.over)?;
        let is_array = shape.is_array || over.is_array;
        Some(Row { is_array, ..over })
    }

    /// The rows that values of the type of this name are.
    pub(super) fn row_named(&self, namespace: &str, name: &str, path: &[String]) -> Option<Row> {
        let key = found(&self.shapes_named, namespace, name, path)?;
        self.row(*self.shapes_named.get(&key)?)
    }

    /// The rows that a column holds.
    pub(super) fn row_in(&self, relation: &Key, column: &str) -> Option<Row> {
        let relation = self.relations.get(relation)?;
        let number = relation.type_oids.get(relation.place(column)?)?;
        self.row(number.split(' ').next()?.parse().ok()?)
    }

    /// The rows that functions of this name give.
    pub(super) fn returned(&self, namespace: &str, name: &str, path: &[String]) -> Vec<Key> {
        let key = found(&self.returned, namespace, name, path);
        let types = key.and_then(|key| self.returned.get(&key));
        let rows = types.into_iter().flatten().filter_map(|oid| self.row(*oid));
        rows.map(|row| row.relation).collect()
    }

    pub(super) fn has_column(&self, relation: &Key, column: &str) -> bool {
        let relation = self.relations.get(relation);
        relation.is_some_and(|one| one.ours && one.columns.iter().any(|it| it == column))
    }

    pub(super) fn is_ours(&self, relation: &Key) -> bool {
        self.relations.get(relation).is_some_and(|one| one.ours)
    }

    /// The types with this label.
    pub(super) fn labelled(&self, label: &str) -> Vec<Key> {
        let has = |one: &Type| one.labels.iter().any(|it| it == label);
        let types = self.types.iter().filter(|(_, one)| has(one));
        types.map(|(key, _)| key.clone()).collect()
    }

    /// The relation of this name, else what it has become.
    fn become_of(&self, key: &Key, oid: i64) -> Option<(&Key, &Relation)> {
        let by_name = self.relations.get_key_value(key);
        by_name.or_else(|| self.relations.iter().find(|(_, one)| one.oid == oid))
    }
}

fn found<T>(all: &BTreeMap<Key, T>, namespace: &str, name: &str, path: &[String]) -> Option<Key> {
    let keys = match namespace {
        "" => path
            .iter()
            .map(|one| [one.clone(), name.to_owned()])
            .collect(),
        one => vec![[one.to_owned(), name.to_owned()]],
    };
    keys.into_iter().find(|key| all.contains_key(key))
}

impl Relation {
    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|it| it == column)
    }
}

impl Thing {
    /// Its change, as the end of the sentence "may break …: it …"; `None` if it stays the same.
    pub(super) fn change(&self, before: &Names, after: &Names) -> Option<String> {
        match self {
            Self::Unknown(why) => Some(why.clone()),
            Self::Relation(key) => {
                let old = before.relations.get(key)?;
                let (now, _) = match after.become_of(key, old.oid) {
                    Some((now, _)) if now == key => return None,
                    other => other.unzip(),
                };
                Some(named(&dotted(key), now.map(dotted)))
            }
            Self::Type(key) => {
                let old = before.types.get(key)?;
                if after.types.contains_key(key) {
                    return None;
                }
                let mut all = after.types.iter();
                let now = all.find(|(_, one)| one.oid == old.oid);
                Some(named(&dotted(key), now.map(|(now, _)| dotted(now))))
            }
            Self::Label(key, label) => {
                let old = before.types.get(key)?;
                let mut all = after.types.iter();
                let now = after.types.get(key);
                let now = now.or_else(|| Some(all.find(|(_, one)| one.oid == old.oid)?.1))?;
                let is_lost = old.labels.contains(label) && !now.labels.contains(label);
                is_lost.then(|| {
                    let (label, of) = (literal(label), dotted(key));
                    format!("it says {label}, which is no label of {of} then")
                })
            }
            Self::Column(key, column) => {
                let old = before.relations.get(key)?;
                let place = old.place(column)?;
                // A dropped relation is reported as a whole, not by its columns.
                let (_, now) = after.become_of(key, old.oid)?;
                let name = dotted(key.iter().chain([column]));
                let Some(there) = now.place(column) else {
                    let number = old.numbers[place];
                    let same = now.numbers.iter().position(|it| *it == number);
                    let renamed = same.filter(|_| now.oid == old.oid);
                    return Some(named(&name, renamed.map(|it| now.columns[it].clone())));
                };
                let retyped = now.types[there] != old.types[place]
                    && now.type_oids[there] != old.type_oids[place];
                retyped.then(|| format!("it names {name}, which is {} then", now.types[there]))
            }
            Self::Every(key) => {
                let old = before.relations.get(key)?;
                let (_, now) = after.become_of(key, old.oid)?;
                let mut changes = old.columns.iter().filter_map(|column| {
                    let place = old.place(column)?;
                    let stays = now.oid == old.oid && now.numbers.contains(&old.numbers[place]);
                    match now.place(column) {
                        None if stays => None,
                        None => Some(format!("{column} goes")),
                        Some(there) if now.types[there] == old.types[place] => None,
                        Some(there) if now.type_oids[there] == old.type_oids[place] => None,
                        Some(there) => Some(format!("{column} is {} then", now.types[there])),
                    }
                });
                let first = changes.next()?;
                Some(format!(
                    "it takes every column of {}, and {first}",
                    dotted(key)
                ))
            }
        }
    }
}

fn named(name: &str, now: Option<String>) -> String {
    match now {
        Some(now) => format!("it names {name}, which is called {now} then"),
        None => format!("it names {name}, which goes"),
    }
}
