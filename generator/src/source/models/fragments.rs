//! Pieces of SQL in models are parsed before Postgres sees them: a message at the field is worth more than one from the
//! middle of a CREATE TABLE.

use trueup::{
    Declarations,
    model::{Fragment, FragmentKind},
};

use crate::Error;

/// Fails with every piece that is not what it has to be.
pub(super) fn check(declarations: &Declarations) -> Result<(), Error> {
    let wrong: Vec<String> = declarations
        .fragments()
        .iter()
        .filter_map(complaint)
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::input(wrong.join("\n")))
    }
}

/// What is wrong with a piece, with the place that it stands in.
pub(crate) fn complaint(fragment: &Fragment) -> Option<String> {
    let Fragment {
        kind,
        sql,
        attribute,
        origin,
    } = fragment;
    let (what, statement) = match kind {
        FragmentKind::Expression => ("an expression", format!("SELECT ({sql})")),
        FragmentKind::Predicate => ("a condition", format!("SELECT 1 WHERE ({sql})")),
        FragmentKind::Type => ("a type", format!("SELECT NULL::{sql}")),
        FragmentKind::Operator => (
            "an operator",
            format!("ALTER TABLE t ADD EXCLUDE (c WITH {sql})"),
        ),
        FragmentKind::OperatorClass => {
            ("an operator class", format!("CREATE INDEX ON t (c {sql})"))
        }
    };
    let problem = match pg_query::parse(&statement, pg_query::ParserOptions::default()) {
        Ok(parsed) if parsed.protobuf.stmts.len() == 1 => return None,
        Ok(_) => "it holds more than one statement".to_owned(),
        // A chain of 48 operands and more is parsed and then cannot be decoded.
        Err(pg_query::Error::Decode(_)) => return None,
        Err(error) => error.to_string(),
    };
    Some(format!(
        "{origin}: {attribute} = {sql:?} is not {what}: {problem}"
    ))
}
