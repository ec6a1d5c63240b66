//! CREATE STATISTICS.

use super::{statement, table_of};
use crate::model::declaration::{Decision, Declaration, Rank};
use crate::model::definition::{Indexed, ModelDef, StatisticsDef};
use crate::name::quoted_ident;
use crate::objects::Registered;
use crate::objects::extended_statistics::ExtendedStatistics;
use crate::{Detail, Name};

/// The statement that creates them, and the one that sets their target.
pub(super) fn declare(model: &ModelDef, statistics: &StatisticsDef) -> Vec<Declaration> {
    let name = Name::new(model.namespace, statistics.name);
    let id = ExtendedStatistics::id(name.clone());
    let on = statistics.on.iter().map(|one| match one {
        Indexed::Column(column) => quoted_ident(column),
        Indexed::Expression(expression) => format!("({expression})"),
    });
    let kinds = if statistics.kinds.is_empty() {
        String::new()
    } else {
        format!(" ({})", statistics.kinds.join(", "))
    };
    let create = format!(
        "CREATE STATISTICS {name}{kinds} ON {} FROM {}",
        on.collect::<Vec<_>>().join(", "),
        model.name()
    );
    let declare = |id, sql| {
        let origin = model.item.origin_at(statistics.place);
        let rank = Rank::Statistics;
        statement(table_of(model), id, rank, model.namespace, sql, origin)
    };
    let mut list = vec![declare(Some(id.clone()), create)];
    list.extend(statistics.target.map(|target| Declaration {
        decides: vec![Decision {
            id,
            detail: Detail::Statistics,
        }],
        ..declare(
            None,
            format!("ALTER STATISTICS {name} SET STATISTICS {target}"),
        )
    }));
    list
}
