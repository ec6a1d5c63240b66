//! Agreement of what hazards say with what was measured.

use generator::{draft::Draft, prove::data::Kept};

/// Checks that the hazards of a draft, both ways, and what Postgres did with rows agree.
///
/// # Errors
///
/// The first disagreement: the statement, what is said, what was measured.
pub fn agree(draft: &Draft) -> Result<(), String> {
    exact(&draft.proof.data)?;
    match &draft.proof.unmeasured {
        Some(from) => Err(format!("locks were not measured from {from}")),
        None => Ok(()),
    }
}

/// Checks the same of a trial on rows alone.
///
/// # Errors
///
/// The first disagreement.
pub fn exact(kept: &Kept) -> Result<(), String> {
    let not = |what: &str, list: &[String]| match list.first() {
        Some(first) => Err(format!("{what}: {first}")),
        None => Ok(()),
    };
    not("a hazard without a reason", &kept.unfounded)?;
    not("a hazard is missing", &kept.extremes)?;
    not("hazards and measurement disagree", &kept.disagreements)
}
