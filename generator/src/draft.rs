//! A draft: the way from one schema to another as migrations that are not on disk yet, each with its down.
//!
//! It is made where it is proved. A down is the plan back from the state that its up really left, so the first half of the
//! proof, running the ups, comes before the downs are known.

mod step;

use std::{collections::BTreeSet, sync::Arc};

use trueup::{Guidance, Hazard, Id, Schema, Statement, Unread, one_line};

use crate::{
    Error, ErrorKind, Project,
    diff::diff,
    fills,
    plan::{self, Folding, Segment},
    prove::{
        self, Proof, Trial,
        code::{Findings, UP, untold},
        data::{Run, keep, tell},
    },
    rename::{self, Renaming},
    render,
    source::{self, Side},
    summary::Summary,
};

pub use step::Steps;
pub(crate) use step::is_after;

/// Migrations that are not on disk yet, in order.
#[derive(Debug)]
pub struct Draft {
    /// At least one.
    pub parts: Vec<Part>,
    /// The proof.
    pub proof: Proof,
    /// The versions of the migrations that it comes after, where it is to be written only if those are still all.
    pub after: Option<Vec<String>>,
}

/// The content of one migration.
#[derive(Debug)]
pub struct Part {
    /// The way there.
    pub up: Vec<Statement>,
    /// The way back.
    pub down: Vec<Statement>,
    /// True if both run in a transaction.
    pub in_transaction: bool,
    /// Objects that the way there makes only if they are missing, so that the way back leaves them.
    pub stays: Vec<String>,
    /// The way there in a few lines.
    pub summary: Option<Summary>,
    /// The data steps, which a person is to write.
    pub steps: Steps,
}

/// Options of a draft.
#[derive(Clone, Copy, Debug)]
pub struct DraftOptions {
    /// True if it is to be proved.
    pub prove: bool,
    /// The rule for writing children into their parent's CREATE.
    pub folding: Folding,
    /// True if it is cut by a data step: a person moves rows from dropped objects to new ones.
    pub data_step: bool,
}

impl Default for DraftOptions {
    fn default() -> Self {
        Self {
            prove: true,
            folding: Folding::Wherever,
            data_step: false,
        }
    }
}

impl Part {
    /// The body of `up.sql`, without a header.
    #[must_use]
    pub fn up_sql(&self) -> String {
        render::sql(&self.up)
    }

    /// The body of `up.sql` with the place where a person moves rows, without a header.
    #[must_use]
    pub fn up_text(&self) -> String {
        step::around(&self.up, self.steps.up.as_ref())
    }

    /// The body of `down.sql`, without a header.
    #[must_use]
    pub fn down_sql(&self) -> String {
        self.down_with(None)
    }

    /// The body of `down.sql` with the place where a person moves rows, without a header.
    #[must_use]
    pub fn down_text(&self) -> String {
        self.down_with(self.steps.down.as_ref())
    }

    fn down_with(&self, step: Option<&String>) -> String {
        let mut text = String::new();
        for what in &self.stays {
            text += &format!(
                "-- This leaves {} where it is: it may have been there before.\n",
                one_line(what)
            );
        }
        // Where rows were moved on the way there, they can be moved back.
        let is_moved = |one: &&Statement| step.is_some() && is_after(one);
        let lost = self.up.iter().filter(|one| !is_moved(one));
        for hazard in lost.flat_map(Statement::hazards) {
            if let Hazard::LosesData { what, .. } = hazard {
                text += &format!("-- This does not bring back {}.\n", one_line(what));
            }
        }
        for hazard in self.up.iter().flat_map(Statement::hazards) {
            if let Hazard::ChangesValues { of, what } = hazard
                && !self.changes_back(of)
            {
                text += &format!(
                    "-- This does not undo that up.sql changes {}.\n",
                    one_line(what)
                );
            }
            if let Hazard::WritesRows { of: _, what } = hazard {
                text += &format!(
                    "-- This does not undo that up.sql writes {}.\n",
                    one_line(what)
                );
            }
        }
        if !text.is_empty() {
            text.push('\n');
        }
        if self.down.is_empty() {
            return text + "SELECT 1;\n";
        }
        text + &step::around(&self.down, step)
    }

    /// True if the way back declares the change of these values.
    fn changes_back(&self, place: &Id) -> bool {
        let mut hazards = self.down.iter().flat_map(Statement::hazards);
        hazards.any(|hazard| matches!(hazard, Hazard::ChangesValues { of, .. } if of == place))
    }
}

impl Draft {
    /// What the ups lose before a person can have moved it, in order; where nobody moves anything, all that they lose.
    pub fn losses(&self) -> impl Iterator<Item = &Hazard> {
        let step = self.parts.iter().position(|part| part.steps.up.is_some());
        let statements = self.parts.iter().enumerate();
        let statements = statements
            .flat_map(|(number, part)| part.up.iter().map(move |statement| (number, statement)));
        let is_moved = move |number: usize, statement: &Statement| {
            step.is_some_and(|step| number >= step) && is_after(statement)
        };
        statements
            .filter(move |(number, statement)| !is_moved(*number, statement))
            .flat_map(|(_, statement)| statement.hazards())
            .filter(|hazard| hazard.loses_data())
    }

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
    from: Side,
    to: Side,
    options: DraftOptions,
) -> Result<Option<Draft>, Error> {
    after_renames(project, from, &Renaming::default(), to, options)
}

/// Drafts the way from `from` to `to`, which begins with renames.
pub fn after_renames(
    project: &Project,
    from: Side,
    renaming: &Renaming,
    to: Side,
    options: DraftOptions,
) -> Result<Option<Draft>, Error> {
    let (from, to) = source::alike_after(project, from, renaming, to)?;
    let to = source::narrowed(project, &from, to)?;
    match attempt(project, &from, renaming, &to, options) {
        // New expressions may print differently when they are read again, as every migration is.
        Err(error) if error.kind() == ErrorKind::Defect && !(from.reprinted && to.reprinted) => {
            let (from, to) = (
                source::reprinted(project, from)?,
                source::reprinted(project, to)?,
            );
            let to = source::narrowed(project, &from, to)?;
            attempt(project, &from, renaming, &to, options)
        }
        done => done,
    }
}

fn attempt(
    project: &Project,
    from: &Side,
    renaming: &Renaming,
    to: &Side,
    options: DraftOptions,
) -> Result<Option<Draft>, Error> {
    let renamed = rename::aligned(project, from, renaming, &to.schema)?;
    let (base, renaming) = match &renamed {
        Some((side, renaming)) => (side, renaming),
        None => (from, renaming),
    };
    let mut guidance = fills::asked(base, to)?;
    let mut back = fills::expected(&to.schema, base)?;
    if options.data_step {
        guidance = Arc::new(guidance.around_data_step());
        back = Arc::new(back.around_data_step());
    }
    let plan = plan::guided(&base.schema, &to.schema, &guidance, options.folding)?;
    if plan.is_empty() && renaming.is_empty() {
        return Ok(None);
    }
    plan::refuse_lacking(&plan, &base.schema, &to.schema)?;
    let trial = Trial::begin(project, from, to, options.prove)?;
    let mut drafting = Drafting {
        trial,
        folding: options.folding,
        there: &guidance,
        back: &back,
        parts: Vec::new(),
        starts: Vec::new(),
    };
    drafting.begin(renaming)?;
    let reached = drafting.go(&base.schema, &to.schema, DETOURS)?;
    drafting.put_first(renaming, &from.schema);
    drafting.summarize(&base.schema, renaming, &reached);
    let Drafting {
        mut trial,
        mut parts,
        starts,
        ..
    } = drafting;
    if options.data_step {
        step::leave(&mut parts, &base.schema, &reached)?;
    }
    if !options.prove {
        return Ok(Some(Draft {
            parts,
            proof: Proof {
                awaits_data_step: options.data_step,
                ..Proof::none()
            },
            after: None,
        }));
    }
    trial.is_target(&reached)?;
    for (part, start) in parts.iter().zip(&starts).rev() {
        let reached = trial.run("down.sql", &part.down_sql())?;
        prove::equal(&reached, start, "down.sql")?;
    }
    let proof = trial.is_start()?;
    let data = keep(
        project,
        from,
        renamed.as_ref().map(|(side, _)| &side.schema),
        None,
        &ups(&parts),
        &downs(&parts),
    )?;
    let mut proof = Proof {
        data,
        awaits_data_step: options.data_step,
        ..proof
    };
    let Findings { broken, suspects } = std::mem::take(&mut proof.data.findings);
    if !broken.is_empty() || !suspects.is_empty() {
        proof.data.exercised = 0;
    }
    proof.broken.extend(broken);
    proof.suspects.extend(suspects);
    tell(
        parts.iter_mut().flat_map(|part| &mut part.up),
        &proof.data.told,
    );
    measured(project, from, &mut parts, &mut proof)?;
    proof.suspects = untold(&proof.suspects, &proof.broken);
    let suspects = proof.suspects.iter().map(|one| (one.file, one.hazard()));
    let broken = proof.broken.iter().map(|one| (one.file, one.hazard()));
    warn(&mut parts, broken.chain(suspects).collect());
    Ok(Some(Draft {
        parts,
        proof,
        after: None,
    }))
}

/// Measures what each statement locks, scans and rewrites, both ways, and tells it.
fn measured(
    project: &Project,
    from: &Side,
    parts: &mut [Part],
    proof: &mut Proof,
) -> Result<(), Error> {
    let (ups, downs) = (ups(parts), downs(parts));
    let [up, down] = prove::measure(project, from, &ups, &downs)?;
    let found = proof.data.disagree_with([&up, &down], [&ups, &downs]);
    proof.data.disagreements.extend(found);
    let held = up.held.clone();
    proof.unmeasured = up.stopped.clone().or_else(|| down.stopped.clone());
    prove::tell_measured(parts.iter_mut().flat_map(|part| &mut part.up), up);
    for (part, held) in parts.iter_mut().zip(&held) {
        if let Some(summary) = &mut part.summary {
            summary.measured(&part.up, held);
        }
    }
    let back = parts.iter_mut().rev();
    prove::tell_measured(back.flat_map(|part| &mut part.down), down);
    Ok(())
}

/// The maximum number of cuts at places that only the way back shows. Each removed enum label that is in use needs one.
const DETOURS: u8 = 8;

/// No change needs as many commits: by then statements undo each other.
const PARTS: usize = 100;

struct Drafting<'a> {
    trial: Trial<'a>,
    folding: Folding,
    /// The models' guidance for the way there.
    there: &'a Arc<Guidance>,
    /// The models' guidance for the way back.
    back: &'a Arc<Guidance>,
    parts: Vec<Part>,
    /// The schema before each part.
    starts: Vec<Schema>,
}

impl Drafting<'_> {
    /// Does the renames.
    fn begin(&mut self, renaming: &Renaming) -> Result<(), Error> {
        if !renaming.is_empty() {
            self.trial.run("up.sql", &render::sql(&renaming.up))?;
        }
        Ok(())
    }

    /// Puts the renames before everything else: into the first part, or before it where that is in no transaction.
    fn put_first(&mut self, renaming: &Renaming, from: &Schema) {
        if renaming.is_empty() {
            return;
        }
        let Renaming { up, down } = renaming.clone();
        match (self.parts.first_mut(), self.starts.first_mut()) {
            (Some(first), Some(start)) if first.in_transaction => {
                first.up.splice(..0, up);
                first.down.extend(down);
                start.clone_from(from);
            }
            (Some(_) | None, Some(_) | None) => {
                let in_transaction = true;
                self.parts.insert(
                    0,
                    Part {
                        up,
                        down,
                        in_transaction,
                        stays: Vec::new(),
                        summary: None,
                        steps: Steps::default(),
                    },
                );
                self.starts.insert(0, from.clone());
            }
        }
    }

    /// Says what each part comes to; `base` is the start after the renames.
    fn summarize(&mut self, base: &Schema, renaming: &Renaming, reached: &Schema) {
        let ends = self.starts.iter().skip(1).chain([reached]);
        let parts = self.parts.iter_mut().zip(&self.starts).zip(ends);
        for (number, ((part, start), end)) in parts.enumerate() {
            let is_first = number == 0;
            let start = if is_first { base } else { start };
            let renames = if is_first { &renaming.up[..] } else { &[] };
            part.summary = Some(Summary::new(start, end, renames, part.in_transaction));
        }
    }

    /// Takes the trial from one schema to another and notes down each step with its way back. Returns where that led.
    fn go(&mut self, from: &Schema, to: &Schema, detours: u8) -> Result<Schema, Error> {
        let Some(forth) = self.segments(from, to, self.there)?.into_iter().next() else {
            return Ok(from.clone());
        };
        let reached = self.trial.run("up.sql", &render::sql(forth.statements()))?;
        if diff(&reached, from).is_empty() || self.parts.len() == PARTS {
            // Without progress the remaining differences would stay for ever.
            prove::equal(&reached, to, "up.sql")?;
        }
        let mut back = self.back(&reached, from)?;
        let first = back.remove(0);
        let again = made_again(from, &reached);
        if back.is_empty() {
            self.parts.push(Part {
                up: statements(&forth),
                down: first.statements().cloned().chain(again).collect(),
                in_transaction: forth.in_transaction && first.in_transaction,
                stays: Vec::new(),
                summary: None,
                steps: Steps::default(),
            });
            self.starts.push(from.clone());
            return self.go(&reached, to, detours);
        }
        if detours == 0 {
            return Err(Error::new(
                ErrorKind::NotYet,
                "not yet: the way back needs a commit in its middle, and one down.sql has none",
            )
            .hint("make the change in smaller steps, with an autogen after each"));
        }
        // The way back needs a commit in its middle: then the way there stops at that place too.
        let halfway = self
            .trial
            .run("down.sql", &render::sql(first.statements()))?;
        for segment in &back {
            self.trial
                .run("down.sql", &render::sql(segment.statements()))?;
        }
        if !again.is_empty() {
            self.trial.run("down.sql", &render::sql(&again))?;
        }
        let reached = self.go(from, &halfway, detours - 1)?;
        self.go(&reached, to, detours - 1)
    }

    fn segments(
        &self,
        from: &Schema,
        to: &Schema,
        guidance: &Arc<Guidance>,
    ) -> Result<Vec<Segment>, Error> {
        Ok(plan::guided(from, to, guidance, self.folding)?.segments())
    }

    /// The way back, which has one segment at least.
    fn back(&self, from: &Schema, to: &Schema) -> Result<Vec<Segment>, Error> {
        let back = self.segments(from, to, self.back).map_err(|error| {
            Error::caused(error.kind(), "there is a way there, and none back", error)
        })?;
        if back.is_empty() {
            let message = "the way there changes something, and the way back nothing";
            return Err(Error::new(ErrorKind::Defect, message));
        }
        Ok(back)
    }
}

/// Writes what code breaks, or may, above the first statement of the way on which it does.
fn warn(parts: &mut [Part], hazards: Vec<(&str, Hazard)>) {
    for (file, hazard) in hazards.into_iter().rev() {
        let statements = if file == UP {
            parts.first_mut().map(|part| &mut part.up)
        } else {
            parts.last_mut().map(|part| &mut part.down)
        };
        if let Some(first) = statements.and_then(|statements| statements.first_mut()) {
            first.warn(hazard);
        }
    }
}

/// Makes again what no kind reads and went along with something that was dropped.
fn made_again(from: &Schema, reached: &Schema) -> Vec<Statement> {
    let still: BTreeSet<&str> = reached
        .unread()
        .iter()
        .map(|one| one.what.as_str())
        .collect();
    let gone = from.unread().iter();
    gone.filter(|unread| !still.contains(unread.what.as_str()))
        .flat_map(|unread| {
            let Unread {
                what, definition, ..
            } = unread;
            definition
                .iter()
                .map(move |sql| Statement::new(format!("Create {what}"), sql))
        })
        .collect()
}

/// The statements of the ups, in order.
#[must_use]
pub fn ups(parts: &[Part]) -> Vec<Run> {
    let run = |part: &Part| Run {
        statements: part.up.clone(),
        in_transaction: part.in_transaction,
    };
    parts.iter().map(run).collect()
}

/// The statements of the downs, in the order in which they run.
#[must_use]
pub fn downs(parts: &[Part]) -> Vec<Run> {
    let run = |part: &Part| Run {
        statements: part.down.clone(),
        in_transaction: part.in_transaction,
    };
    parts.iter().rev().map(run).collect()
}

fn statements(segment: &Segment) -> Vec<Statement> {
    segment.statements().cloned().collect()
}
