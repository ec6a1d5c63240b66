//! Migration hints in the models: `using`, `fill` and `replaces`.

use super::definition::{ColumnDef, ModelDef};
use super::gathered::Gathered;
use crate::Guidance;
use crate::Member;
use crate::guidance::{Expression, Fill};
use crate::objects::{Registered, column::Column, enum_type::EnumType};

/// Hints for the migration to the declared state.
pub(super) fn there(gathered: &Gathered) -> Guidance {
    let mut guidance = Guidance::default();
    for (model, column) in columns(gathered) {
        let using = column.using.as_ref().map(|using| using.expression);
        if using.is_some() || column.fill.is_some() {
            let advice = guidance.advise(id(model, column));
            advice.using = using.map(|sql| expression(model, column, sql));
            advice.fill = column.fill.as_ref().map(|fill| {
                let of = Member::new(model.name(), column.name);
                Fill::new(
                    of,
                    expression(model, column, fill.expression),
                    fill.triggers,
                )
            });
        }
    }
    for pg_enum in &gathered.enums {
        for (old, new) in pg_enum.replaced {
            let advice = guidance.advise(EnumType::id(pg_enum.name()));
            advice.replaced.insert((*old).to_owned(), (*new).to_owned());
        }
    }
    guidance
}

/// Hints for the migration back.
pub(super) fn back(gathered: &Gathered) -> Guidance {
    let mut guidance = Guidance::default();
    for (model, column) in columns(gathered) {
        if let Some(sql) = column.using.as_ref().and_then(|using| using.back) {
            guidance.advise(id(model, column)).using = Some(expression(model, column, sql));
        }
    }
    for pg_enum in &gathered.enums {
        for (old, new) in pg_enum.replaced {
            let replaced = &mut guidance.advise(EnumType::id(pg_enum.name())).replaced;
            // A label that replaced several has lost which one each row had: the first stands for all.
            replaced
                .entry((*new).to_owned())
                .or_insert_with(|| (*old).to_owned());
        }
    }
    guidance
}

fn columns(gathered: &Gathered) -> impl Iterator<Item = (&'static ModelDef, &'static ColumnDef)> {
    let models = gathered.models.iter();
    models.flat_map(|model| model.columns.iter().map(move |column| (*model, column)))
}

fn id(model: &ModelDef, column: &ColumnDef) -> crate::Id {
    Column::id(Member::new(model.name(), column.name))
}

fn expression(model: &ModelDef, column: &ColumnDef, sql: &str) -> Expression {
    Expression {
        sql: sql.to_owned(),
        origin: model.item.origin_at(column.place),
    }
}
