//! Agreement of what hazards say with what was measured.

use generator::{draft::Draft, prove::data::Kept};

/// Checks that the hazards of a draft, both ways, and what Postgres did with rows agree.
///
/// # Errors
///
/// The first disagreement: the statement, what is said, what was measured.
pub fn agree(draft: &Draft) -> Result<(), String> {
    exact(&draft.proof.data)?;
    measured(draft)
}

/// Checks the same of a trial on rows alone.
///
/// # Errors
///
/// The first disagreement.
pub fn exact(kept: &Kept) -> Result<(), String> {
    not("a hazard without a reason", &kept.unfounded)?;
    not("a hazard is missing", &kept.extremes)?;
    not("hazards and measurement disagree", &kept.disagreements)
}

/// Checks that nothing happened that no hazard says, and that what is said of locks, scans, rewrites and failures is so. That
/// values are lost shows on some rows alone, which a table made by chance may not take.
///
/// # Errors
///
/// The first disagreement.
pub fn told(draft: &Draft) -> Result<(), String> {
    let kept = &draft.proof.data;
    not("a hazard is missing", &kept.extremes)?;
    not("hazards and measurement disagree", &kept.disagreements)?;
    measured(draft)
}

fn measured(draft: &Draft) -> Result<(), String> {
    match &draft.proof.unmeasured {
        Some(from) => Err(format!("locks were not measured from {from}")),
        None => Ok(()),
    }
}

fn not(what: &str, list: &[String]) -> Result<(), String> {
    match list.first() {
        Some(first) => Err(format!("{what}: {first}")),
        None => Ok(()),
    }
}
