//! CREATE TABLE with its columns and with every constraint that needs no other table.

use super::{collation, constraint, deferral, enforcement, index, partition, statement, table_of};
use crate::model::declaration::{Decision, Declaration, Part, Rank};
use crate::model::definition::{
    Action, CheckDef, ColumnDef, Enforcement, ExcludeDef, Filling, IdentityDef, KeyDef, ModelDef,
    TableParametersDef, TypeDef,
};
use crate::name::{ident_list, quoted_ident};
use crate::objects::Registered;
use crate::objects::{
    check::Check, column::Column, exclusion::Exclusion, primary_key::PrimaryKey,
    typed_table::TypedTable, unique::Unique,
};
use crate::{Detail, Id, Member};

pub(super) fn declare(model: &ModelDef) -> Declaration {
    let unlogged = if model.unlogged { "UNLOGGED " } else { "" };
    let columns = model.columns.iter().map(|column| Part {
        id: Some(Column::id(Member::new(model.name(), column.name))),
        sql: self::column(column),
        origin: model.item.origin_at(column.place),
    });
    let primary_key = model.primary_key.iter().map(|key| Part {
        id: key
            .name
            .map(|name| PrimaryKey::id(Member::new(model.name(), name))),
        sql: self::key("PRIMARY KEY", key),
        origin: model.item.origin_at(key.place),
    });
    let uniques = uniques(model).filter(|(_, is_merged)| !is_merged);
    let uniques = uniques.map(|(key, _)| Part {
        id: id_of_unique(model, key),
        sql: self::key("UNIQUE", key),
        origin: model.item.origin_at(key.place),
    });
    let checks = model.checks.iter().filter(|check| !is_added(check));
    let checks = checks.map(|check| Part {
        id: id_of_check(model, check),
        sql: self::check(check),
        origin: model.item.origin_at(check.place),
    });
    let excludes = excludes(model).filter(|(_, is_merged)| !is_merged);
    let excludes = excludes.map(|(exclude, _)| Part {
        id: id_of_exclude(model, exclude),
        sql: self::exclude(exclude),
        origin: model.item.origin_at(exclude.place),
    });
    let parts = columns
        .chain(primary_key)
        .chain(uniques)
        .chain(checks)
        .chain(excludes);
    let id = table_of(model);
    let decides = model.parameters.iter().map(|_| Decision {
        id: id.clone(),
        detail: Detail::Parameters,
    });
    Declaration {
        id: Some(id.clone()),
        of: id.clone(),
        mentions: None,
        rank: Rank::Table,
        namespace: model.namespace.to_owned(),
        head: format!("CREATE {unlogged}TABLE {} (\n", model.name()),
        parts: parts.collect(),
        tail: format!("\n){}", behind(model)),
        decides: decides.chain(names_of_not_null(model)).collect(),
        origin: model.item.origin(),
    }
}

/// The constraints that repeat an earlier one: one CREATE TABLE would merge the two.
pub(super) fn declare_merged(model: &ModelDef) -> impl Iterator<Item = Declaration> {
    let uniques = uniques(model).filter(|(_, is_merged)| *is_merged);
    let uniques = uniques.map(|(key, _)| {
        let sql = self::key("UNIQUE", key);
        (id_of_unique(model, key), sql, key.place)
    });
    let excludes = excludes(model).filter(|(_, is_merged)| *is_merged);
    let excludes = excludes.map(|(exclude, _)| {
        let sql = self::exclude(exclude);
        (id_of_exclude(model, exclude), sql, exclude.place)
    });
    uniques.chain(excludes).map(|(id, sql, place)| {
        statement(
            table_of(model),
            id,
            Rank::Check,
            model.namespace,
            format!("ALTER TABLE {} ADD {sql}", model.name()),
            model.item.origin_at(place),
        )
    })
}

/// The unique constraints, each with true if it repeats an earlier key.
fn uniques(model: &ModelDef) -> impl Iterator<Item = (&KeyDef, bool)> {
    model.uniques.iter().enumerate().map(|(place, key)| {
        let before = model.primary_key.iter().chain(&model.uniques[..place]);
        let mut before = before.map(KeyDef::merged_by);
        (key, before.any(|other| other == key.merged_by()))
    })
}

/// The exclusion constraints, each with true if Postgres could take it for an earlier one.
fn excludes(model: &ModelDef) -> impl Iterator<Item = (&ExcludeDef, bool)> {
    let excludes = model.excludes.iter().enumerate();
    excludes.map(|(place, exclude)| (exclude, place > 0))
}

fn id_of_unique(model: &ModelDef, key: &KeyDef) -> Option<Id> {
    let name = key.name?;
    Some(Unique::id(Member::new(model.name(), name)))
}

fn id_of_exclude(model: &ModelDef, exclude: &ExcludeDef) -> Option<Id> {
    let name = exclude.name?;
    Some(Exclusion::id(Member::new(model.name(), name)))
}

/// The composite type that the table is OF, set afterwards: CREATE TABLE … OF could not define the columns.
pub(super) fn of_type(model: &ModelDef) -> Option<Declaration> {
    let sql = format!("ALTER TABLE {} OF {}", model.name(), model.of_type?);
    let id = TypedTable::id(model.name());
    Some(statement(
        table_of(model),
        Some(id),
        Rank::Column,
        model.namespace,
        sql,
        model.item.origin(),
    ))
}

/// Partitions get the names of the table that they are a part of.
fn names_of_not_null(model: &ModelDef) -> impl Iterator<Item = Decision> {
    let columns = model.columns.iter();
    let named = columns.filter(|column| column.not_null.is_some());
    named.flat_map(|column| {
        let tables = partition::tables(model).into_iter();
        tables.map(|table| Decision {
            id: Column::id(Member::new(table, column.name)),
            detail: Detail::NameOfNotNull,
        })
    })
}

/// The clauses behind the parentheses of CREATE TABLE.
fn behind(model: &ModelDef) -> String {
    let by = model.partition_by.as_ref();
    let mut behind = by.map_or_else(String::new, |by| format!(" {}", partition::by(by)));
    let parameters: Vec<String> = model.parameters.iter().flat_map(parameters).collect();
    if !parameters.is_empty() {
        behind += &format!(" WITH ({})", parameters.join(", "));
    }
    behind
}

fn parameters(parameters: &TableParametersDef) -> impl Iterator<Item = String> {
    let TableParametersDef { of_table, of_toast } = parameters;
    let of_toast = of_toast.iter().map(index::parameter);
    let of_toast = of_toast.map(|parameter| format!("toast.{parameter}"));
    of_table.iter().map(index::parameter).chain(of_toast)
}

/// The NOT VALID checks, which are added once the table exists: in CREATE TABLE a NOT VALID would be ignored.
pub(super) fn declare_not_valid(model: &ModelDef) -> impl Iterator<Item = Declaration> {
    let checks = model.checks.iter().filter(|check| is_added(check));
    checks.map(|check| {
        statement(
            table_of(model),
            id_of_check(model, check),
            Rank::Check,
            model.namespace,
            format!("ALTER TABLE {} ADD {}", model.name(), self::check(check)),
            model.item.origin_at(check.place),
        )
    })
}

fn is_added(check: &CheckDef) -> bool {
    check.enforcement == Enforcement::OnNewRows
}

fn id_of_check(model: &ModelDef, check: &CheckDef) -> Option<Id> {
    let name = check.name?;
    Some(Check::id(Member::new(model.name(), name)))
}

fn column(column: &ColumnDef) -> String {
    let sql_type = match (column.sql_type, &column.filling) {
        (_, Some(Filling::Serial(serial))) => (*serial).into(),
        (TypeDef::OfRust(sql_type), _) => sql_type(),
        (TypeDef::Written(sql_type), _) => sql_type.into(),
        (TypeDef::Serial, _) => "serial".into(),
    };
    let mut clauses = vec![quoted_ident(column.name), sql_type.into_owned()];
    clauses.extend(column.collation.map(collation));
    clauses.extend(column.not_null.map(constraint));
    clauses.extend((!column.nullable).then(|| "NOT NULL".to_owned()));
    clauses.extend(match &column.filling {
        // Without parentheses the grammar of a column takes fewer expressions: no IN, no comparison with NULL.
        Some(Filling::Default(expression)) => Some(format!("DEFAULT ({expression})")),
        Some(Filling::Identity(identity)) => Some(self::identity(identity)),
        Some(Filling::Generated {
            expression,
            is_virtual,
        }) => {
            let storage = if *is_virtual { "VIRTUAL" } else { "STORED" };
            Some(format!("GENERATED ALWAYS AS ({expression}) {storage}"))
        }
        Some(Filling::Serial(_)) | None => None,
    });
    clauses.join(" ")
}

fn identity(identity: &IdentityDef) -> String {
    let mode = if identity.always {
        "ALWAYS"
    } else {
        "BY DEFAULT"
    };
    let numbers = [
        ("START WITH", identity.start),
        ("INCREMENT BY", identity.increment),
        ("MINVALUE", identity.min),
        ("MAXVALUE", identity.max),
        ("CACHE", identity.cache),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(clause, number)| Some(format!("{clause} {}", number?)));
    let options: Vec<String> = numbers
        .chain(identity.cycle.then(|| "CYCLE".to_owned()))
        .collect();
    if options.is_empty() {
        format!("GENERATED {mode} AS IDENTITY")
    } else {
        format!("GENERATED {mode} AS IDENTITY ({})", options.join(" "))
    }
}

fn key(what: &str, key: &KeyDef) -> String {
    let nulls = if key.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    let mut clauses: Vec<String> = key.name.map(constraint).into_iter().collect();
    let overlaps = if key.without_overlaps {
        " WITHOUT OVERLAPS"
    } else {
        ""
    };
    clauses.push(format!(
        "{what}{nulls} ({}{overlaps})",
        ident_list(key.columns)
    ));
    clauses.extend(
        (!key.include.is_empty()).then(|| format!("INCLUDE ({})", ident_list(key.include))),
    );
    clauses.extend(deferral(key.deferral));
    clauses.join(" ")
}

fn check(check: &CheckDef) -> String {
    let mut clauses: Vec<String> = check.name.map(constraint).into_iter().collect();
    clauses.push(format!("CHECK ({})", check.expression));
    clauses.extend(check.no_inherit.then(|| "NO INHERIT".to_owned()));
    clauses.extend(enforcement(check.enforcement));
    clauses.join(" ")
}

fn exclude(exclude: &ExcludeDef) -> String {
    let mut clauses: Vec<String> = exclude.name.map(constraint).into_iter().collect();
    clauses.push("EXCLUDE".to_owned());
    let method = exclude.method.map(quoted_ident);
    clauses.extend(method.map(|method| format!("USING {method}")));
    let keys = exclude.keys.iter();
    let keys = keys.map(|one| format!("{} WITH {}", index::key(&one.key), one.operator));
    clauses.push(format!("({})", keys.collect::<Vec<_>>().join(", ")));
    clauses.extend(
        (!exclude.include.is_empty()).then(|| format!("INCLUDE ({})", ident_list(exclude.include))),
    );
    clauses.extend(
        (!exclude.parameters.is_empty())
            .then(|| format!("WITH ({})", index::parameters(exclude.parameters))),
    );
    let predicate = exclude.predicate;
    clauses.extend(predicate.map(|predicate| format!("WHERE ({predicate})")));
    clauses.extend(deferral(exclude.deferral));
    clauses.join(" ")
}

/// The words after ON DELETE or ON UPDATE.
pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::NoAction => "NO ACTION",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}
