//! Rows under the SQL of a person, of which no hazard tells what it does to them: what is gone is told. The code around them
//! runs before it, after it, and after its way back.

use itertools::Itertools;

use super::{DOWN, Exercise, Failed, RowsTrial, Run, UP, remember, run};
use crate::{
    Error,
    prove::{
        code::Findings,
        data::{Watched, labels::Labels},
    },
};

/// The findings of a watched run.
pub(in crate::prove::data) struct Found {
    /// The places where a row or a value is no longer what it was after the way there.
    lost: Vec<String>,
    /// Places that went, and where their values are now.
    moved: Vec<String>,
    /// Around how many tables code ran.
    exercised: usize,
    findings: Findings,
    /// True if it ran after the way back as well.
    is_back: bool,
    /// Why the way back does not run on these rows.
    fails_back: Option<String>,
}

/// The number of places that are named.
const SHOWN: usize = 3;

/// The first of them, and how many there are besides.
fn few(places: &[String]) -> String {
    let shown = places[..places.len().min(SHOWN)].join(", ");
    match places.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl RowsTrial<'_> {
    /// Runs the way there, and the way back where there is one.
    pub(in crate::prove::data) fn watched(
        &mut self,
        up: &Run,
        down: Option<&Run>,
    ) -> Result<Result<Found, Failed>, Error> {
        let exercise = Exercise::run(&self.database, &self.before, None)?.0;
        let labels = Labels::read(&mut self.connection)?;
        if let Err(failed) = run(&mut self.connection, std::slice::from_ref(up), UP, None) {
            return Ok(Err(failed));
        }
        let reached = remember(&mut self.connection)?;
        let there = labels.restored(&mut self.connection, |connection| {
            let respelled = remember(connection)?;
            self.before.difference(&respelled, connection)
        })?;
        let (mut lost, mut moved) = (Vec::new(), Vec::new());
        for (place, why) in &there.lost {
            let name = self.before.name(*place);
            match self.before.heirs(*place, &reached) {
                Some(heirs) => {
                    let heirs: Vec<String> = heirs
                        .iter()
                        .map(|heir| reached.name(*heir))
                        .unique()
                        .collect();
                    moved.push(format!("{name} to {}", heirs.join(", ")));
                }
                None => lost.push(format!("{name} ({why})")),
            }
        }
        let mut found = Found {
            lost,
            moved,
            exercised: exercise.tables(),
            findings: exercise.again(&self.database, &reached, UP)?,
            is_back: false,
            fails_back: None,
        };
        let back =
            down.map(|down| run(&mut self.connection, std::slice::from_ref(down), DOWN, None));
        match back {
            None => {}
            Some(Err(failed)) => found.fails_back = Some(failed.to_string()),
            Some(Ok(())) => {
                let end = remember(&mut self.connection)?;
                found.is_back = true;
                let back = exercise.again(&self.database, &end, DOWN)?;
                found.findings.add(back);
            }
        }
        Ok(Ok(found))
    }
}

impl Found {
    /// The same in words; `kept` says which tables had rows.
    pub(in crate::prove::data) fn told(self, kept: Option<String>) -> Watched {
        let Self {
            lost,
            moved,
            exercised,
            findings,
            is_back,
            fails_back,
        } = self;
        let mut parts = Vec::new();
        if lost.is_empty() {
            parts.extend(kept.map(|sentence| format!("on the way up, {sentence}")));
        } else {
            parts.push(format!("up changes or loses rows: {}", few(&lost)));
        }
        if !moved.is_empty() {
            parts.push(format!("up moves the values of {}", few(&moved)));
        }
        if findings == Findings::default() && exercised > 0 {
            let runs = match exercised {
                1 => "1 table runs".to_owned(),
                many => format!("{many} tables runs"),
            };
            let when = if is_back { "up and down" } else { "up" };
            parts.push(format!("the code around {runs} as before after {when}"));
        }
        if let Some(why) = fails_back {
            parts.push(format!("back, it does not run on all rows: {why}"));
        }
        Watched {
            sentence: (!parts.is_empty()).then(|| parts.join("; ")),
            findings,
        }
    }
}
