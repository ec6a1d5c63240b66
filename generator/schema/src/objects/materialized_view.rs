//! Materialized views: a query with a name and the rows that it gave. They can be computed again, so it holds no data.

use serde::{Deserialize, Serialize};

use super::{
    catalog::{
        RELATION, materialized_view, parameter_changes, parameters, set_tablespace, tablespace_name,
    },
    column::storage,
    reads::Reads,
    table::with_toast,
};
use crate::{
    Alter, Clause, Hazard, Id, Name, Schema, Server, Slot, Statement, name::quoted_ident,
    object::Object, parameters::meant,
};

/// A row of `pg_class` with `relkind = 'm'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaterializedView {
    name: Name,
    columns: Vec<MaterializedColumn>,
    options: Vec<String>,
    toast_options: Vec<String>,
    access_method: String,
    /// `None` for the database's own.
    tablespace: Option<String>,
    /// Output of `pg_get_viewdef`, without the semicolon.
    query: String,
    reads: Reads,
    filled: Filled,
}

/// A row of `pg_attribute`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaterializedColumn {
    name: String,
    data_type: String,
    /// The storage, where it is not the type's own.
    storage: Option<String>,
    /// The type's own storage.
    type_storage: String,
    compression: Option<String>,
    statistics: Option<i32>,
    options: Vec<String>,
}

/// `relispopulated`: whether the query was run. That is about rows, and a schema is about shape: it makes no difference
/// between two. Where the query could be run, whatever is created is filled.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Filled(bool);

impl PartialEq for Filled {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Filled {}

impl Object for MaterializedView {
    const NAME: &'static str = "materialized view";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_class WHERE relkind = 'm' AND oid >= 16384".to_owned()
    }

    fn catalog(_server: Server) -> String {
        format!(
            "SELECT ARRAY['pg_catalog.pg_class'::regclass::int8, c.oid::int8, 0,
                    'pg_catalog.pg_rewrite'::regclass::int8, r.oid::int8, 0] AS addresses,
                0 AS position,
                json_build_object(
                    'name', {RELATION},
                    'columns', (SELECT COALESCE(json_agg(json_build_object(
                            'name', a.attname,
                            'data_type', format_type(a.atttypid, a.atttypmod),
                            'storage', CASE WHEN a.attstorage <> t.typstorage THEN {storage} END,
                            'type_storage', {type_storage},
                            'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
                            'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
                            'options', {column_options}) ORDER BY a.attnum), '[]')
                        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                        WHERE a.attrelid = c.oid AND a.attnum > 0),
                    'options', {options},
                    'toast_options', {toast_options},
                    'access_method', am.amname,
                    'tablespace', ts.spcname,
                    'query', rtrim(pg_get_viewdef(c.oid), ';'),
                    'reads', {reads},
                    'filled', c.relispopulated) AS object
            FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_am am ON am.oid = c.relam
                JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1'
                LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
                LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
            WHERE {is_one}",
            storage = storage("a.attstorage"),
            type_storage = storage("t.typstorage"),
            reads = Reads::JSON,
            is_one = materialized_view(),
            options = meant("c.reloptions"),
            toast_options = meant("toast.reloptions"),
            column_options = meant("a.attoptions"),
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn also_needs(&self) -> Vec<Id> {
        self.reads.also_needs()
    }

    fn designation(key: &Name) -> String {
        format!("MATERIALIZED VIEW {key}")
    }

    fn occupies(&self) -> Vec<Slot> {
        vec![
            Slot::Relation(self.name.clone()),
            Slot::Type(self.name.clone()),
        ]
    }

    fn create(&self, _within: &Schema, _clauses: &[Clause]) -> Vec<Statement> {
        let Self {
            name,
            columns,
            options,
            toast_options,
            access_method,
            tablespace,
            query,
            reads: _,
            filled: Filled(filled),
        } = self;
        let mut sql = format!("CREATE MATERIALIZED VIEW {name}");
        if access_method != "heap" {
            sql += &format!("\n    USING {}", quoted_ident(access_method));
        }
        let options = with_toast(options, toast_options);
        if !options.is_empty() {
            sql += &format!("\n    WITH {}", parameters(&options));
        }
        if let Some(tablespace) = tablespace {
            sql += &format!("\n    TABLESPACE {}", quoted_ident(tablespace));
        }
        sql += &format!(" AS\n{query}");
        let create = if *filled {
            Statement::new(
                format!("Create materialized view {name} and compute its rows"),
                sql,
            )
            .hazard(Hazard::MayFail {
                because: format!("if the query of {name} has no value for a row"),
            })
        } else {
            let until = format!("{name} before REFRESH MATERIALIZED VIEW {name}");
            Statement::new(
                format!("Create materialized view {name} without its rows"),
                sql + "\nWITH NO DATA",
            )
            .hazard(Hazard::breaks_deployed("reads", until, Vec::new()))
        };
        let mut statements = vec![create];
        let bare = columns.iter().map(MaterializedColumn::bare);
        statements.extend(settings(name, bare.zip(columns)));
        statements
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let name = &self.name;
        vec![
            Statement::new(
                format!("Drop materialized view {name}"),
                format!("DROP MATERIALIZED VIEW {name}"),
            )
            .hazard(Hazard::names(name)),
        ]
    }

    fn alter(&self, next: &Self, _from: &Schema, to: &Schema) -> Alter {
        let Self {
            name,
            columns,
            options,
            toast_options,
            access_method,
            tablespace,
            query,
            reads,
            filled: _,
        } = self;
        let shape = |columns: &[MaterializedColumn]| -> Vec<(String, String)> {
            let shape =
                |column: &MaterializedColumn| (column.name.clone(), column.data_type.clone());
            columns.iter().map(shape).collect()
        };
        let is_another = *query != next.query
            || *reads != next.reads
            || shape(columns) != shape(&next.columns)
            || *access_method != next.access_method && !to.server().at_least(15);
        if is_another {
            return Alter::Replace;
        }
        let mut statements = Vec::new();
        let alter = format!("ALTER MATERIALIZED VIEW {name}");
        if *access_method != next.access_method {
            let method = quoted_ident(&next.access_method);
            statements.push(Statement::new(
                format!("Store materialized view {name} with {method}"),
                format!("{alter} SET ACCESS METHOD {method}"),
            ));
        }
        if *tablespace != next.tablespace {
            let to = next.tablespace.as_deref();
            let says = format!("Move materialized view {name} to {}", tablespace_name(to));
            statements.push(Statement::new(says, set_tablespace(&alter, to)));
        }
        let (from, to) = (
            with_toast(options, toast_options),
            with_toast(&next.options, &next.toast_options),
        );
        statements.extend(parameter_changes(&from, &to).into_iter().map(|change| {
            Statement::new(
                format!("Change storage parameters of {name}"),
                format!("ALTER MATERIALIZED VIEW {name} {change}"),
            )
        }));
        statements.extend(settings(name, columns.iter().cloned().zip(&next.columns)));
        Alter::InPlace(statements)
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
        })
    }

    fn refresh(&self) -> Option<Statement> {
        let name = &self.name;
        (!self.filled.0).then(|| {
            Statement::new(
                format!("Compute the rows of materialized view {name}"),
                format!("REFRESH MATERIALIZED VIEW {name}"),
            )
        })
    }

    fn declarable(&self, _within: &Schema) -> bool {
        false
    }

    fn holds_on(&self) -> bool {
        true
    }

    fn lists_columns(&self) -> bool {
        true
    }
}

impl MaterializedColumn {
    /// The column as it comes with the query.
    fn bare(&self) -> Self {
        Self {
            storage: None,
            compression: None,
            statistics: None,
            options: Vec::new(),
            ..self.clone()
        }
    }
}

/// The statements for what can be said of each column.
fn settings<'a>(
    view: &Name,
    columns: impl Iterator<Item = (MaterializedColumn, &'a MaterializedColumn)>,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (from, to) in columns {
        let name = quoted_ident(&to.name);
        let mut alter = |what: &str, clause: String| {
            statements.push(Statement::new(
                format!("Change {what} of {view}.{name}"),
                format!("ALTER MATERIALIZED VIEW {view} ALTER COLUMN {name} {clause}"),
            ));
        };
        if from.storage != to.storage {
            let storage = to.storage.as_ref().unwrap_or(&to.type_storage);
            alter("the storage", format!("SET STORAGE {storage}"));
        }
        if from.compression != to.compression {
            let compression = to.compression.as_deref().unwrap_or("default");
            alter("the compression", format!("SET COMPRESSION {compression}"));
        }
        if from.statistics != to.statistics {
            let target = to.statistics.unwrap_or(-1);
            alter("the statistics target", format!("SET STATISTICS {target}"));
        }
        for change in parameter_changes(&from.options, &to.options) {
            alter("options", change);
        }
    }
    statements
}
