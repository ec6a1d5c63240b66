//! COMMENT ON.

use super::{statement, table_of};
use crate::model::declaration::{Decision, Declaration, Rank};
use crate::model::definition::{ModelDef, Place};
use crate::name::literal;
use crate::objects::{
    Registered, check::Check, column::Column, comment::Comment, exclusion::Exclusion,
    extended_statistics::ExtendedStatistics, foreign_key::ForeignKey, index::Index,
    primary_key::PrimaryKey, unique::Unique,
};
use crate::{Detail, Id, Member, Name, Origin};

/// The comments on a table, its columns, and the constraints and indexes that have a name.
pub(super) fn declare(model: &ModelDef) -> Vec<Declaration> {
    let of = |id: &Id, text, origin| {
        let target = id.designation();
        on(table_of(model), model.namespace, &target, text, origin)
    };
    let table = table_of(model);
    let of_table = model.comment;
    let mut list: Vec<Declaration> = of_table
        .map(|text| of(&table, text, model.item.origin()))
        .into_iter()
        .collect();
    list.extend(model.columns.iter().filter_map(|column| {
        let id = Column::id(Member::new(model.name(), column.name));
        Some(of(&id, column.comment?, model.item.origin_at(column.place)))
    }));
    list.extend(named(model).into_iter().map(|(id, text, place)| {
        let origin = model.item.origin_at(place);
        let decision = Decision {
            id: Comment::id_on(id.clone()),
            detail: Detail::Presence,
        };
        Declaration {
            decides: vec![decision],
            ..of(&id, text, origin)
        }
    }));
    list
}

/// Objects that are commented on only where their name is written, and here it is.
fn named(model: &ModelDef) -> Vec<(Id, &'static str, Place)> {
    let member = |name| Member::new(model.name(), name);
    let primary_key = model.primary_key.iter().filter_map(|key| {
        let id = PrimaryKey::id(member(key.name?));
        Some((id, key.comment?, key.place))
    });
    let uniques = model.uniques.iter().filter_map(|key| {
        let id = Unique::id(member(key.name?));
        Some((id, key.comment?, key.place))
    });
    let checks = model.checks.iter().filter_map(|check| {
        let id = Check::id(member(check.name?));
        Some((id, check.comment?, check.place))
    });
    let excludes = model.excludes.iter().filter_map(|exclude| {
        let id = Exclusion::id(member(exclude.name?));
        Some((id, exclude.comment?, exclude.place))
    });
    let indexes = model.indexes.iter().filter_map(|index| {
        let id = Index::id(Name::new(model.namespace, index.name?));
        Some((id, index.comment?, index.place))
    });
    let foreign_keys = model.foreign_keys.iter().filter_map(|key| {
        let id = ForeignKey::id(member(key.name?));
        Some((id, key.comment?, key.place))
    });
    let statistics = model.statistics.iter().filter_map(|one| {
        let id = ExtendedStatistics::id(Name::new(model.namespace, one.name));
        Some((id, one.comment?, one.place))
    });
    let constraints = primary_key.chain(uniques).chain(checks).chain(excludes);
    let others = indexes.chain(foreign_keys).chain(statistics);
    constraints.chain(others).collect()
}

/// An empty text is no comment.
pub(super) fn on(of: Id, namespace: &str, target: &str, text: &str, origin: Origin) -> Declaration {
    let text = if text.is_empty() {
        "NULL".to_owned()
    } else {
        literal(text)
    };
    let sql = format!("COMMENT ON {target} IS {text}");
    statement(of, None, Rank::Comment, namespace, sql, origin)
}
