//! CREATE INDEX.

use super::{collation, statement, table_of};
use crate::Name;
use crate::model::declaration::{Declaration, Rank};
use crate::model::definition::{IndexDef, IndexKeyDef, Indexed, ModelDef, Nulls};
use crate::name::{ident_list, literal, quoted_ident};
use crate::objects::Registered;
use crate::objects::index::Index;

pub(super) fn declare(model: &ModelDef, index: &IndexDef) -> Declaration {
    let keys: Vec<String> = index.keys.iter().map(key).collect();
    let mut clauses = vec![
        if index.unique {
            "CREATE UNIQUE INDEX"
        } else {
            "CREATE INDEX"
        }
        .to_owned(),
    ];
    clauses.extend(index.name.map(quoted_ident));
    clauses.push(format!("ON {}", model.name()));
    clauses.extend(
        index
            .method
            .map(|method| format!("USING {}", quoted_ident(method))),
    );
    clauses.push(format!("({})", keys.join(", ")));
    clauses.extend(
        (!index.include.is_empty()).then(|| format!("INCLUDE ({})", ident_list(index.include))),
    );
    clauses.extend(
        index
            .nulls_not_distinct
            .then(|| "NULLS NOT DISTINCT".to_owned()),
    );
    clauses.extend(
        (!index.parameters.is_empty()).then(|| format!("WITH ({})", parameters(index.parameters))),
    );
    clauses.extend(
        index
            .predicate
            .map(|predicate| format!("WHERE {predicate}")),
    );
    let id = index
        .name
        .map(|name| Index::id(Name::new(model.namespace, name)));
    let origin = model.item.origin_at(index.place);
    statement(
        table_of(model),
        id,
        Rank::Index,
        model.namespace,
        clauses.join(" "),
        origin,
    )
}

pub(super) fn key(key: &IndexKeyDef) -> String {
    let what = match key.what {
        Indexed::Column(column) => quoted_ident(column),
        Indexed::Expression(expression) => format!("({expression})"),
    };
    let mut clauses = vec![what];
    clauses.extend(key.collation.map(collation));
    clauses.extend(key.opclass.map(str::to_owned));
    clauses.extend(key.descending.then(|| "DESC".to_owned()));
    clauses.extend(key.nulls.map(|nulls| match nulls {
        Nulls::First => "NULLS FIRST".to_owned(),
        Nulls::Last => "NULLS LAST".to_owned(),
    }));
    clauses.join(" ")
}

pub(super) fn parameters(parameters: &[(&str, &str)]) -> String {
    let written: Vec<String> = parameters.iter().map(parameter).collect();
    written.join(", ")
}

/// Postgres takes every parameter's value as a string too.
pub(super) fn parameter((name, value): &(&str, &str)) -> String {
    format!("{} = {}", quoted_ident(name), literal(value))
}
