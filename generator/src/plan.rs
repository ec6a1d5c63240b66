//! Two schemas become ordered statements.
//!
//! `work` says what must be done to which object, the replacement closure included; `graph` puts it in an order that
//! Postgres takes; `gather` lets children fall or fold with their parents; `segment` cuts the result where a
//! commit is needed.
//!
//! Architecture invariant: names no kind. A cycle that ends neither by parting children from their parents nor by giving up what
//! is a preference alone is a bug in a room, and reported by name.

mod graph;
mod segment;
mod work;

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Formatter},
    sync::Arc,
};

use trueup::{Guidance, Hazard, Id, Schema, Statement, Unread};

pub use segment::Segment;

/// The steps from one schema to another.
#[derive(Clone, Default, Debug)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// The statements for one object, and for those that fall or fold with it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The objects; the one that the statements are about comes first.
    pub ids: Vec<Id>,
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// Objects that must be committed before, if the same plan made them.
    pub(crate) needs: Vec<Id>,
}

/// The rule for writing children into their parent's CREATE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folding {
    /// Wherever it can be.
    Wherever,
    /// Only where a statement of its own would mean something else.
    OnlyForMeaning,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Changes that trueup does not make.
    #[error("{}", list(.0))]
    NotYet(Vec<NotYet>),
    /// Steps of which each waits for another.
    #[error(
        "not yet: trueup finds no order for these changes, of which each waits for the next: {}; make one of them first, in a \
         migration of its own",
        .0.join(" → ")
    )]
    Cycle(Vec<String>),
}

/// One change that trueup does not make.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NotYet {
    /// The object that would have to change.
    pub object: String,
    /// Why it does not.
    pub why: String,
}

impl Display for NotYet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "not yet: {}: {}", self.object, self.why)
    }
}

fn list(not_yet: &[NotYet]) -> String {
    let lines: Vec<String> = not_yet.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Plans the way from one schema to another.
pub fn plan(from: &Schema, to: &Schema, folding: Folding) -> Result<Plan, PlanError> {
    let work = work::work(from, to)?;
    let steps = graph::order(&work, from, to, folding)?;
    Ok(Plan { steps })
}

/// Plans the way from one schema to another of which models say something.
pub fn guided(
    from: &Schema,
    to: &Schema,
    guidance: &Arc<Guidance>,
    folding: Folding,
) -> Result<Plan, PlanError> {
    if guidance.is_empty() {
        plan(from, to, folding)
    } else {
        plan(from, &to.guided(guidance), folding)
    }
}

/// Refuses a plan that makes something of what no kind reads and `from` has not.
pub fn refuse_lacking(plan: &Plan, from: &Schema, to: &Schema) -> Result<(), PlanError> {
    let there: BTreeSet<&str> = from.unread().iter().map(|one| one.what.as_str()).collect();
    let lacking = to.unread().iter();
    let lacking: Vec<&Unread> = lacking
        .filter(|unread| !there.contains(unread.what.as_str()))
        .collect();
    let ids: BTreeSet<&Id> = plan.steps.iter().flat_map(|step| &step.ids).collect();
    let refused: BTreeSet<NotYet> = lacking
        .into_iter()
        .flat_map(|unread| {
            let users = unread.needed_by.iter().filter(|id| ids.contains(id));
            users.map(move |id| NotYet {
                object: id.to_string(),
                why: format!(
                    "it needs {}, which is to come, and trueup does not read that kind of object",
                    unread.what
                ),
            })
        })
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(PlanError::NotYet(refused.into_iter().collect()))
    }
}

impl Plan {
    /// True if there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements().next().is_none()
    }

    /// All statements, in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.steps.iter().flat_map(|step| &step.statements)
    }

    /// All statements, in order, for somebody who knows more of them.
    pub fn statements_mut(&mut self) -> impl Iterator<Item = &mut Statement> {
        self.steps.iter_mut().flat_map(|step| &mut step.statements)
    }

    /// All hazards, in order.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.statements().flat_map(Statement::hazards)
    }

    /// Cuts the plan into what each must be a migration of its own.
    #[must_use]
    pub fn segments(self) -> Vec<Segment> {
        segment::segments(self.steps)
    }
}
