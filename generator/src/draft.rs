//! A draft: the way from one schema to another as migrations that are not on disk yet, each with its down.
//!
//! It is made where it is proved. A down is the plan back from the state that its up really left, so the first half of the
//! proof, running the ups, comes before the downs are known.

use trueup::{Hazard, Schema, Statement, one_line};

use crate::{
    Error, ErrorKind, Project,
    plan::{Folding, Plan, Segment, plan},
    prove::{self, Proof, Trial},
    render,
    source::Side,
};

/// Migrations that are not on disk yet, in order.
#[derive(Debug)]
pub struct Draft {
    /// At least one.
    pub parts: Vec<Part>,
    /// What was tried.
    pub proof: Proof,
}

/// What becomes one migration.
#[derive(Debug)]
pub struct Part {
    /// The way there.
    pub up: Vec<Statement>,
    /// The way back.
    pub down: Vec<Statement>,
    /// Whether both run in a transaction.
    pub in_transaction: bool,
}

/// How a draft is made.
#[derive(Clone, Copy, Debug)]
pub struct DraftOptions {
    /// Whether it is proved.
    pub prove: bool,
    /// Whether children are written into their parent's CREATE.
    pub folding: Folding,
}

impl Default for DraftOptions {
    fn default() -> Self {
        Self {
            prove: true,
            folding: Folding::Wherever,
        }
    }
}

impl Part {
    /// The body of `up.sql`, without a header.
    #[must_use]
    pub fn up_sql(&self) -> String {
        render::sql(&self.up)
    }

    /// The body of `down.sql`, without a header.
    #[must_use]
    pub fn down_sql(&self) -> String {
        let mut text = String::new();
        for hazard in self.up.iter().flat_map(Statement::hazards) {
            if let Hazard::LosesData { what } = hazard {
                text += &format!("-- This does not bring back {}.\n", one_line(what));
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text + &render::sql(&self.down)
    }
}

impl Draft {
    /// The hazards of all ups, in order.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.parts
            .iter()
            .flat_map(|part| part.up.iter().flat_map(Statement::hazards))
    }
}

/// Drafts the way from `from` to `to`; `None` where there is nothing to do. `from` must be on the scratch.
pub fn draft(
    project: &Project,
    from: &Side,
    to: &Side,
    options: DraftOptions,
) -> Result<Option<Draft>, Error> {
    let forth = plan(&from.schema, &to.schema, options.folding)?;
    if forth.is_empty() {
        return Ok(None);
    }
    let segments = forth.segments();
    if let ([only], false) = (segments.as_slice(), options.prove) {
        let back = back(&to.schema, &from.schema, options.folding)?;
        let part = Part {
            up: statements(only),
            down: statements(&back),
            in_transaction: only.in_transaction,
        };
        return Ok(Some(Draft {
            parts: vec![part],
            proof: Proof::none(),
        }));
    }
    let mut trial = Trial::begin(project, from, to, options.prove)?;
    let mut states: Vec<Schema> = vec![from.schema.clone()];
    for segment in &segments {
        states.push(trial.run("up.sql", &render::sql(segment.statements()))?);
    }
    if options.prove {
        trial.is_target(&states[states.len() - 1])?;
    }
    let mut parts = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let back = back(&states[number + 1], &states[number], options.folding)?;
        let in_transaction = segment.in_transaction && back.in_transaction;
        parts.push(Part {
            up: statements(segment),
            down: statements(&back),
            in_transaction,
        });
    }
    if !options.prove {
        return Ok(Some(Draft {
            parts,
            proof: Proof::none(),
        }));
    }
    for (part, state) in parts.iter().zip(&states).rev() {
        let reached = trial.run("down.sql", &part.down_sql())?;
        prove::equal(&reached, state, "down.sql")?;
    }
    let proof = trial.is_start()?;
    Ok(Some(Draft { parts, proof }))
}

/// The way back, which has to fit into one down.sql.
fn back(from: &Schema, to: &Schema, folding: Folding) -> Result<Segment, Error> {
    let back: Plan = plan(from, to, folding).map_err(|error| {
        Error::caused(
            ErrorKind::NotYet,
            "there is a way there, and none back",
            error,
        )
    })?;
    let mut segments = back.segments();
    match (segments.pop(), segments.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(Error::new(
            ErrorKind::NotYet,
            "not yet: the way back needs a commit in its middle, and one down.sql has none",
        )
        .hint("make the change in two steps, with an autogen after each")),
        (None, _) => Err(Error::new(
            ErrorKind::Defect,
            "the way there changes something, and the way back nothing",
        )),
    }
}

fn statements(segment: &Segment) -> Vec<Statement> {
    segment.statements().cloned().collect()
}
