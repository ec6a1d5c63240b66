//! Rows under the SQL of a person, of which no hazard tells what it does to them: what is gone is told. The code around them
//! runs before it, after it, and after its way back.

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
        let lost = there.lost.iter();
        let lost = lost.map(|(place, why)| format!("{} ({why})", self.before.name(*place)));
        let mut found = Found {
            lost: lost.collect(),
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
            exercised,
            findings,
            is_back,
            fails_back,
        } = self;
        let mut parts = Vec::new();
        if lost.is_empty() {
            parts.extend(kept.map(|sentence| format!("on the way up, {sentence}")));
        } else {
            let mut shown = lost
                .iter()
                .take(SHOWN)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            match lost.len().saturating_sub(SHOWN) {
                0 => {}
                more => shown += &format!(" and {more} more"),
            }
            parts.push(format!("up changes or loses rows: {shown}"));
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
