//! The proof of a draft: on a copy of the start, up gives exactly the target and down gives exactly the start, as we read
//! them and as `pg_dump` sees them, which shares none of our code.

pub mod agreement;

pub mod code;
pub mod data;
mod measure;
pub mod migrations;
mod refused;
mod work;

use std::{
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};

use diesel::PgConnection;
use serde::Serialize;
use trueup::Schema;

pub(crate) use self::measure::{Held, Measured, measure, tell as tell_measured};
use self::{
    code::{Bodies, Broken, Functions, Names, Suspect},
    data::{Kept, Run, Told, keep},
};
use crate::{
    Error, ErrorKind, Project,
    diff::{Delta, diff},
    migrations::folder::{NO_PROOF, UNWRITTEN},
    plan::Segment,
    postgres::{
        catalog,
        connection::{SqlError, parts, run_sql},
        dump::{self, WitnessError},
        scratch::Database,
    },
    rename::Renaming,
    render,
    source::Side,
};

/// The result of a proof.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proof {
    /// The Postgres that it was tried on; `None` where nothing was.
    pub postgres: Option<String>,
    /// The part of the proof that `pg_dump` confirmed.
    pub witness: Witness,
    /// The fate of rows.
    pub data: Kept,
    /// Why the start is a copy by our own statements where `pg_dump` should have made it.
    pub no_dump: Option<String>,
    /// Code that ran before and does not run afterwards.
    pub broken: Vec<Broken>,
    /// Code that names what changes.
    pub suspects: Vec<Suspect>,
    /// Objects that the way back leaves, since they may have existed before.
    pub stays: Vec<String>,
    /// From which statement on locks were not measured, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmeasured: Option<String>,
    /// True if a person is still to write what moves rows: what was tried was tried without.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub awaits_data_step: bool,
    /// Objects that the scratch cannot have, so that nothing was tried with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// The ends of the way that `pg_dump` confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// Both ends.
    Both,
    /// The start alone: the target stands on no database by itself.
    Start,
    /// Nothing, since there was no `pg_dump`.
    None,
    /// Nothing, since nothing changes but what is missing.
    Unneeded,
}

impl Proof {
    /// Nothing was tried.
    #[must_use]
    pub fn none() -> Self {
        Self {
            postgres: None,
            witness: Witness::None,
            data: Kept::default(),
            no_dump: None,
            broken: Vec::new(),
            suspects: Vec::new(),
            stays: Vec::new(),
            unmeasured: None,
            awaits_data_step: false,
            left_out: Vec::new(),
        }
    }

    /// Tried without rows and without `pg_dump`: all that changes is that something is there.
    pub(crate) fn of_presence(postgres: &str) -> Self {
        Self {
            postgres: Some(postgres.to_owned()),
            witness: Witness::Unneeded,
            ..Self::none()
        }
    }

    /// The sentence that stands in a migration's header.
    #[must_use]
    pub fn sentence(&self) -> String {
        let tried = self.tried();
        if self.awaits_data_step {
            format!("{UNWRITTEN}; without it: {tried}")
        } else {
            tried
        }
    }

    fn tried(&self) -> String {
        let Some(postgres) = &self.postgres else {
            return NO_PROOF.to_owned();
        };
        let witness = match self.witness {
            Witness::Both => "; pg_dump agrees with both",
            Witness::Start => "; pg_dump agrees with the latter",
            Witness::None => "; no pg_dump was there to agree",
            Witness::Unneeded => "",
        };
        let copied = self.no_dump.as_deref().map_or(String::new(), |why| {
            format!("; the start is a copy by trueup's own statements, for {why}")
        });
        let without = match self.left_out.as_slice() {
            [] => String::new(),
            some => format!(
                "; without {}, which the scratch cannot have",
                some.join(", ")
            ),
        };
        let data = self.data.sentence();
        let data = data.map_or(String::new(), |sentence| format!("; {sentence}"));
        let fails = code::allowed_to_fail(&self.broken);
        let stays = match self.stays.as_slice() {
            [] => String::new(),
            [one] => format!(" but for {one}, which stays"),
            many => format!(" but for {}, which stay", many.join(", ")),
        };
        let unmeasured = self.unmeasured.as_deref().map_or(String::new(), |from| {
            format!("; locks were not measured from {from}")
        });
        format!(
            "on PostgreSQL {postgres}: up gives exactly the target, down exactly the start{stays}{witness}{copied}{without}{data}{fails}{unmeasured}"
        )
    }
}

/// Proves the way there alone: a comparison prints no way back. Returns the facts that only the trial knows of the
/// segments' statements.
pub fn there(
    project: &Project,
    from: &Side,
    renaming: &Renaming,
    to: &Side,
    segments: &[Segment],
) -> Result<There, Error> {
    let mut trial = Trial::begin(project, from, to, true)?;
    let mut reached = from.schema.clone();
    let mut runs = Vec::new();
    let mut renamed = None;
    if !renaming.is_empty() {
        reached = trial.run("the SQL", &render::sql(&renaming.up))?;
        renamed = Some(reached.clone());
        runs.push(Run {
            statements: renaming.up.clone(),
            in_transaction: true,
        });
    }
    for segment in segments {
        reached = trial.run("the SQL", &render::sql(segment.statements()))?;
    }
    trial.is_target(&reached)?;
    let mut broken = std::mem::take(&mut trial.broken);
    let mut suspects = std::mem::take(&mut trial.suspects);
    trial.leave();
    runs.extend(segments.iter().map(Run::from));
    let Kept {
        told,
        findings: exercised,
        ..
    } = keep(project, from, renamed.as_ref(), None, &runs, &[])?;
    broken.extend(exercised.broken);
    suspects.extend(exercised.suspects);
    let [measured, _] = measure(project, from, &runs, &[])?;
    let after = renaming.up.len();
    let of_segments = told.into_iter().filter_map(|one| {
        let statement = one.statement.checked_sub(after)?;
        Some(Told { statement, ..one })
    });
    Ok(There {
        told: of_segments.collect(),
        measured,
        broken,
        suspects,
    })
}

/// Facts that only the trial of a way knows.
#[derive(Debug)]
pub struct There {
    /// Risks of numbered statements, renames aside.
    pub told: Vec<Told>,
    /// The locks, scans and rewrites of each statement, renames included.
    pub(crate) measured: Measured,
    /// Code that ran before and does not run afterwards.
    pub broken: Vec<Broken>,
    /// Code that names what changes.
    pub suspects: Vec<Suspect>,
}

/// A copy of the start, on which the proof goes there and back.
pub struct Trial<'a> {
    database: Database,
    connection: PgConnection,
    target: &'a Schema,
    postgres: String,
    pg_dump: Option<PathBuf>,
    whole: bool,
    no_dump: Option<String>,
    /// Which functions compile at the start, where that is asked.
    bodies: Option<Bodies>,
    broken: Vec<Broken>,
    /// The functions whose bodies name something, and what has a name by now; `None` where there are none.
    named: Option<(Functions, Names)>,
    suspects: Vec<Suspect>,
    left_out: Vec<String>,
    start_dump: Option<JoinHandle<Result<Arc<str>, WitnessError>>>,
    target_dump: Option<JoinHandle<Result<Arc<str>, WitnessError>>>,
}

impl<'a> Trial<'a> {
    /// Copies the start; `witnessed` has `pg_dump` look at both ends meanwhile.
    pub fn begin(
        project: &Project,
        from: &Side,
        to: &'a Side,
        witnessed: bool,
    ) -> Result<Self, Error> {
        let scratch = project.scratch(None)?;
        let start = from.scratch.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Defect, "a proof needs its start on the scratch")
        })?;
        let database = scratch.copy(start)?;
        let major = scratch.major().max(to.schema.server().major());
        let pg_dump = project.binaries.pg_dump(major).ok().filter(|_| witnessed);
        let dump = |side: &Side| {
            let (pg_dump, dump) = (pg_dump.clone()?, side.dump().clone());
            Some(thread::spawn(move || dump.of(&pg_dump)))
        };
        let bodies = witnessed.then(|| Bodies::compile(&database)).transpose()?;
        let mut connection = database.connect()?;
        catalog::remember_queries(&mut connection);
        let functions = witnessed
            .then(|| Functions::read(&mut connection))
            .transpose()?;
        let functions = functions.filter(|functions| !functions.is_empty());
        let named =
            functions.map(|functions| Ok::<_, Error>((functions, Names::read(&mut connection)?)));
        Ok(Self {
            named: named.transpose()?,
            suspects: Vec::new(),
            connection,
            database,
            bodies,
            broken: Vec::new(),
            target: &to.schema,
            whole: to.whole,
            no_dump: from.no_dump.clone(),
            left_out: from.left_out.clone(),
            postgres: scratch.version_text().to_owned(),
            start_dump: dump(from),
            target_dump: if to.whole { dump(to) } else { None },
            pg_dump,
        })
    }

    /// Runs a file of the draft and reads what it leaves.
    pub fn run(&mut self, file: &str, sql: &str) -> Result<Schema, Error> {
        if let Err(error) = run_sql(&mut self.connection, sql, file) {
            return Err(self.failed(file, sql, error));
        }
        Ok(catalog::read(&mut self.connection)?)
    }

    /// The error of a file that does not run.
    fn failed(&mut self, file: &str, sql: &str, error: SqlError) -> Error {
        let parts = parts(sql).unwrap_or_default();
        let statement = error.statement.as_deref().unwrap_or_default();
        let before = parts.iter().map(|part| part.sql);
        let before = before.take_while(|sql| *sql != statement);
        let cause = refused::cause(&mut self.connection, before, statement);
        if let Some(refused::Cause::Unsupported(why)) = cause {
            let message = format!(
                "not yet: {file} does not run, because Postgres does not support that change: {why}; nothing was written"
            );
            return Error::caused(ErrorKind::NotYet, message, error)
                .hint("write this change by hand: `trueup new MESSAGE` begins a migration");
        }
        if let Some(refused::Cause::Code(cause)) = cause {
            let message = format!(
                "not yet: {file} does not run, because code of the database's own refuses a statement; nothing was written\n{cause}"
            );
            return Error::caused(ErrorKind::NotYet, message, error).hint(
                "let that code pass it, or write this change by hand: `trueup new MESSAGE` begins a migration",
            );
        }
        let message = format!("{file} does not run on the scratch; nothing was written");
        Error::caused(ErrorKind::Defect, message, error).hints(REPORT)
    }

    /// Checks that the ups led to the target.
    pub fn is_target(&mut self, reached: &Schema) -> Result<(), Error> {
        equal(reached, self.target, "up.sql")?;
        self.compile(code::UP)?;
        match self.target_dump.take() {
            Some(dump) => self.witness(dump, "up.sql"),
            None => Ok(()),
        }
    }

    /// Checks that the downs led back to the start: the last step of a proof.
    pub fn is_start(mut self) -> Result<Proof, Error> {
        self.compile(code::DOWN)?;
        let dump = self.start_dump.take();
        let witness = match (&dump, self.whole) {
            (Some(_), true) => Witness::Both,
            (Some(_), false) => Witness::Start,
            (None, _) => Witness::None,
        };
        if let Some(dump) = dump {
            self.witness(dump, "down.sql")?;
        }
        Ok(Proof {
            postgres: Some(self.postgres),
            witness,
            data: Kept::default(),
            no_dump: self.no_dump,
            suspects: self.suspects,
            broken: self.broken,
            stays: Vec::new(),
            unmeasured: None,
            awaits_data_step: false,
            left_out: self.left_out,
        })
    }

    /// Compiles every function again, and looks for what it names.
    fn compile(&mut self, file: &'static str) -> Result<(), Error> {
        if let Some((functions, before)) = &mut self.named {
            let after = Names::read(&mut self.connection)?;
            let found = functions.suspects(&mut self.connection, before, &after, file)?;
            self.suspects.extend(found);
            *before = after;
        }
        if let Some(before) = self.bodies.as_ref().filter(|bodies| !bodies.is_empty()) {
            let after = Bodies::compile(&self.database)?;
            self.broken.extend(before.broken(&after, file));
        }
        Ok(())
    }

    /// Leaves the start to others.
    fn leave(self) {
        // Nothing is known of the way back, so what it would be compared with is of no use.
        let _ = self.start_dump.map(JoinHandle::join);
    }

    fn witness(
        &self,
        dump: JoinHandle<Result<Arc<str>, WitnessError>>,
        file: &str,
    ) -> Result<(), Error> {
        let wanted = dump.join().map_err(|_| {
            Error::new(
                ErrorKind::Defect,
                "the thread that ran pg_dump ended in a panic",
            )
        })??;
        let Some(pg_dump) = &self.pg_dump else {
            return Ok(());
        };
        let reached = dump::dump(pg_dump, &self.database.url())?;
        dump::agree(&reached, &wanted).map_err(|differences| {
            let shown: Vec<String> = differences.iter().take(5).map(ToString::to_string).collect();
            Error::new(
                ErrorKind::Defect,
                format!(
                    "pg_dump sees a difference after {file} that trueup does not; nothing was written\n{}",
                    shown.join("\n")
                ),
            )
            .hints(REPORT)
        })
    }
}

/// Fails if two schemas differ, with the first objects that do.
pub fn equal(reached: &Schema, wanted: &Schema, file: &str) -> Result<(), Error> {
    let differences = diff(reached, wanted);
    if differences.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = differences
        .iter()
        .take(5)
        .map(|(id, delta)| match delta {
            Delta::Create(_) => format!("  {id} is missing"),
            Delta::Remove(_) => format!("  {id} should not be there"),
            Delta::Change { from, to } => format!("  {id} is {from:?}\n    and should be {to:?}"),
        })
        .collect();
    Err(Error::new(
        ErrorKind::Defect,
        format!(
            "{file} does not lead where it should; nothing was written\n{}",
            shown.join("\n")
        ),
    )
    .hints(REPORT))
}

const REPORT: [&str; 1] =
    ["this is a mistake in trueup; please report it with the two schemas (`trueup inspect`)"];
