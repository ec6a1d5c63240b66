//! Columns that come to require a value in tables whose rows may have none: a person says what becomes of those rows.
//!
//! A table that the database compared with holds empty may hold rows elsewhere, so that no count of rows answers this.

use trueup::{
    Declarations, Guidance, Id, Origin, Schema,
    model::{Fragment, FragmentKind},
    name::dotted,
};

use crate::{
    Error, fills,
    named::{Named, split},
    pipeline::autogen::AutogenOptions,
    plan::{self, Folding},
    rename::Ask,
    source::models::{Settled, complaint},
};

/// The option that stands for a model's `fill`.
const OPTION: &str = "--fill";

/// A column that requires a value, and rows that are there may have none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfilled {
    /// The column.
    pub column: Id,
    /// The field, where a model has one for it.
    pub origin: Option<Origin>,
    /// True if the column comes, false if it only becomes NOT NULL.
    pub is_new: bool,
    /// True if no model can let it take NULL.
    pub never_null: bool,
    /// The hazard, as the header of its statement says it.
    pub hazard: String,
}

/// What a person says of rows without a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// They get the value of this expression, as with a model's `fill`.
    Sql(String),
    /// There are none, or the migration may fail on them.
    Missing,
}

/// `--fill users.phone=EXPRESSION`.
#[derive(Clone, Debug)]
pub struct FillAsked {
    text: String,
    column: Named,
    sql: String,
}

impl Unfilled {
    /// The path of its column, quoted where SQL quotes it.
    #[must_use]
    pub fn path(&self) -> String {
        dotted(self.column.path())
    }

    /// Refuses a text that is no expression.
    pub fn check(&self, sql: &str) -> Result<(), String> {
        let Some(origin) = self.origin.clone() else {
            return Ok(());
        };
        let fragment = Fragment {
            kind: FragmentKind::Expression,
            sql: sql.to_owned(),
            attribute: OPTION,
            origin,
        };
        complaint(&fragment).map_or(Ok(()), Err)
    }
}

impl FillAsked {
    /// Reads what stands after `--fill`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let read = split(text, '=')
            .and_then(|(column, sql)| Some((Named::parse(column)?, sql.trim().to_owned())));
        let (column, sql) = read.filter(|(_, sql)| !sql.is_empty()).ok_or_else(|| {
            Error::input(format!("{OPTION} {text}: this fills nothing")).hint(format!(
                "write {OPTION} \"users.phone='none'\", with an SQL expression"
            ))
        })?;
        Ok(Self {
            text: format!("{OPTION} {column}"),
            column,
            sql,
        })
    }

    fn find<'a>(&self, declarations: &'a Declarations) -> Result<&'a Id, Error> {
        let Self { text, column, .. } = self;
        let columns: Vec<&Id> = declarations.columns().collect();
        column.one_of(text, &columns)?.ok_or_else(|| {
            Error::input(format!("{text}: no field declares such a column"))
                .hints(column.did_you_mean(&columns))
        })
    }
}

/// The declarations as if their fields said what is asked for.
pub(super) fn filled(
    declarations: &Declarations,
    fills: &[FillAsked],
) -> Result<Declarations, Error> {
    let mut all = declarations.clone();
    for fill in fills {
        let column = fill.find(declarations)?;
        if let Some(more) = all.filled(column, &fill.sql, OPTION) {
            all = more;
        }
    }
    Ok(all)
}

/// Refuses a value for a column in which no row misses one.
fn refuse_needless(fills: &[FillAsked], base: &Schema, settled: &Settled) -> Result<(), Error> {
    let used = settled.side.guidance.fills(base, &settled.side.schema);
    let is_used = |fill: &&FillAsked| {
        used.iter().any(|one| {
            let path = [&one.relation.namespace, &one.relation.name, &one.column];
            fill.column.is("column", &path)
        })
    };
    match fills.iter().find(|fill| !is_used(fill)) {
        None => Ok(()),
        Some(FillAsked { text, .. }) => Err(Error::input(format!(
            "{text}: this migration requires no value there that rows could be without"
        ))
        .hint("leave it out")),
    }
}

/// Asks a person about each column, where there is one to ask, and returns those that nobody was asked about.
pub(super) fn answered(
    base: &Schema,
    mut settled: Settled,
    declarations: &Declarations,
    options: AutogenOptions<'_>,
) -> Result<(Settled, Vec<Unfilled>), Error> {
    refuse_needless(options.fills, base, &settled)?;
    // Statements by hand give them a value.
    if options.draft.data_step {
        return Ok((settled, Vec::new()));
    }
    let unfilled = find(base, &settled, declarations)?;
    let Some(person) = options.ask else {
        return Ok((settled, unfilled));
    };
    let answered = ask(person, &unfilled, declarations)?;
    settled.side = settled.side.guided(answered.there());
    // A column without a field cannot be given a value, and so is not asked about.
    let open = unfilled.into_iter().filter(|one| one.origin.is_none());
    Ok((settled, open.collect()))
}

/// Finds the columns, in the order in which the migration comes to them.
fn find(
    base: &Schema,
    settled: &Settled,
    declarations: &Declarations,
) -> Result<Vec<Unfilled>, Error> {
    let to = &settled.side.schema;
    if !Guidance::may_lack(base, to) {
        return Ok(Vec::new());
    }
    let guidance = fills::expected(base, &settled.side)?;
    // Where there is no way, the draft says so.
    let Ok(plan) = plan::guided(base, to, &guidance, Folding::OnlyForMeaning) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<Unfilled> = Vec::new();
    for hazard in plan.statements().flat_map(trueup::Statement::hazards) {
        let Some(trueup::Unfilled { column, never_null }) = hazard.unfilled() else {
            continue;
        };
        if let Some(known) = found.iter_mut().find(|one| one.column == *column) {
            known.never_null |= never_null;
            continue;
        }
        let has_rows = to
            .line(column)
            .nth(1)
            .is_some_and(|table| base.entry(&table).is_some());
        if has_rows {
            found.push(Unfilled {
                column: column.clone(),
                origin: declarations.origin(column).cloned(),
                is_new: base.entry(column).is_none(),
                never_null: *never_null,
                hazard: hazard.to_string(),
            });
        }
    }
    Ok(found)
}

/// Asks a person about each, and returns the declarations with the values.
fn ask(
    ask: &dyn Ask,
    unfilled: &[Unfilled],
    declarations: &Declarations,
) -> Result<Declarations, Error> {
    let mut filled = declarations.clone();
    for one in unfilled.iter().filter(|one| one.origin.is_some()) {
        if let Value::Sql(sql) = ask.value(one)? {
            if let Err(wrong) = one.check(&sql) {
                return Err(Error::input(wrong));
            }
            filled = filled.filled(&one.column, &sql, OPTION).unwrap_or(filled);
        }
    }
    Ok(filled)
}
