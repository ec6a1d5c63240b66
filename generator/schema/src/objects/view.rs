//! Views: a query with a name. The rule that holds the query is a part of the view, and so are its columns.

use serde::{Deserialize, Serialize};

use super::{
    catalog::{RELATION, parameter_changes, parameters, view},
    reads::Reads,
};
use crate::{
    Alter, Clause, Hazard, Id, Name, Schema, Server, Slot, Statement, name::quoted_ident,
    object::Object, parameters::meant,
};

/// A row of `pg_class` with `relkind = 'v'`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct View {
    name: Name,
    columns: Vec<ViewColumn>,
    /// `WITH LOCAL CHECK OPTION` is one of them.
    options: Vec<String>,
    /// Output of `pg_get_viewdef`, without the semicolon.
    query: String,
    reads: Reads,
}

/// A row of `pg_attribute`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewColumn {
    name: String,
    data_type: String,
    collation: Option<String>,
    /// The value where an INSERT into the view leaves the column out.
    default: Option<String>,
}

impl Object for View {
    const NAME: &'static str = "view";

    type Key = Name;

    fn traces() -> String {
        "pg_catalog.pg_class WHERE relkind = 'v' AND oid >= 16384".to_owned()
    }

    fn catalog(_server: Server) -> String {
        // A default of a column has a row in `pg_attrdef`, and what it needs hangs on that.
        format!(
            "SELECT ARRAY['pg_catalog.pg_class'::regclass::int8, c.oid::int8, 0,
                    'pg_catalog.pg_rewrite'::regclass::int8, r.oid::int8, 0]
                    || COALESCE((SELECT array_agg(part.number ORDER BY d.oid, part.place)
                        FROM pg_catalog.pg_attrdef d,
                            unnest(ARRAY['pg_catalog.pg_attrdef'::regclass::int8, d.oid::int8, 0])
                                WITH ORDINALITY part(number, place)
                        WHERE d.adrelid = c.oid), '{{}}') AS addresses,
                0 AS position,
                json_build_object(
                    'name', {RELATION},
                    'columns', (SELECT COALESCE(json_agg(json_build_object(
                            'name', a.attname,
                            'data_type', format_type(a.atttypid, a.atttypmod),
                            'collation', CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text END,
                            'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
                                WHERE d.adrelid = c.oid AND d.adnum = a.attnum)) ORDER BY a.attnum), '[]')
                        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
                    'options', {options},
                    'query', rtrim(pg_get_viewdef(c.oid), ';'),
                    'reads', {}) AS object
            FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1'
            WHERE {}",
            Reads::JSON,
            view(),
            options = meant("c.reloptions"),
        )
    }

    fn key(&self) -> Name {
        self.name.clone()
    }

    fn also_needs(&self) -> Vec<Id> {
        self.reads.also_needs()
    }

    fn designation(key: &Name) -> String {
        format!("VIEW {key}")
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
            options: _,
            query: _,
            reads: _,
        } = self;
        let mut statements = vec![Statement::new(
            format!("Create view {name}"),
            format!("CREATE VIEW {}", self.definition()),
        )];
        statements.extend(default_changes(name, &[], columns));
        statements
    }

    fn remove(&self, _within: &Schema) -> Vec<Statement> {
        let name = &self.name;
        vec![
            Statement::new(format!("Drop view {name}"), format!("DROP VIEW {name}"))
                .hazard(Hazard::names(name)),
        ]
    }

    fn alter(&self, next: &Self, _from: &Schema, _to: &Schema) -> Alter {
        let Self {
            name,
            columns,
            options,
            query,
            reads,
        } = self;
        let mut statements = Vec::new();
        if *query != next.query || *reads != next.reads || !same_columns(columns, &next.columns) {
            let begins_alike = columns.len() <= next.columns.len()
                && same_columns(columns, &next.columns[..columns.len()]);
            if !begins_alike {
                return Alter::Replace;
            }
            // The options that are not written are reset.
            statements.push(Statement::new(
                format!("Change the query of view {name}"),
                format!("CREATE OR REPLACE VIEW {}", next.definition()),
            ));
        } else {
            statements.extend(
                parameter_changes(options, &next.options)
                    .iter()
                    .map(|change| {
                        Statement::new(
                            format!("Change options of view {name}"),
                            format!("ALTER VIEW {name} {change}"),
                        )
                    }),
            );
        }
        statements.extend(default_changes(name, columns, &next.columns));
        Alter::InPlace(statements)
    }

    fn keyed(&self, name: Name) -> Option<Self> {
        Some(Self {
            name,
            ..self.clone()
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

impl View {
    /// The words after `CREATE VIEW`.
    fn definition(&self) -> String {
        let Self {
            name,
            columns: _,
            options,
            query,
            reads: _,
        } = self;
        let options = if options.is_empty() {
            String::new()
        } else {
            format!("\n    WITH {}", parameters(options))
        };
        format!("{name}{options} AS\n{query}")
    }
}

/// True if both have the same columns at the same places, apart from their defaults, which can be altered.
fn same_columns(from: &[ViewColumn], to: &[ViewColumn]) -> bool {
    let fixed = |column: &ViewColumn| ViewColumn {
        default: None,
        ..column.clone()
    };
    from.iter().map(fixed).eq(to.iter().map(fixed))
}

fn default_changes(view: &Name, from: &[ViewColumn], to: &[ViewColumn]) -> Vec<Statement> {
    let old = |name: &str| {
        let column = from.iter().find(|column| column.name == name);
        column.and_then(|column| column.default.as_ref())
    };
    to.iter()
        .filter(|column| old(&column.name) != column.default.as_ref())
        .map(|column| {
            let name = quoted_ident(&column.name);
            match &column.default {
                Some(default) => Statement::new(
                    format!("Set the default of {view}.{name}"),
                    format!("ALTER VIEW {view} ALTER COLUMN {name} SET DEFAULT {default}"),
                ),
                None => Statement::new(
                    format!("Drop the default of {view}.{name}"),
                    format!("ALTER VIEW {view} ALTER COLUMN {name} DROP DEFAULT"),
                ),
            }
        })
        .collect()
}
