//! Rows under the SQL of a person, of which no hazard tells what it does to them: what is gone is told.

use super::{Failed, Run, Trial, UP, remember, run};
use crate::Error;

impl Trial<'_> {
    /// Runs the way there, and names the places where a row or a value is no longer what it was.
    pub(in crate::prove::data) fn watched(
        &mut self,
        up: &Run,
    ) -> Result<Result<Vec<String>, Failed>, Error> {
        if let Err(failed) = run(&mut self.connection, std::slice::from_ref(up), UP) {
            return Ok(Err(failed));
        }
        let reached = remember(&mut self.connection)?;
        let there = self.before.difference(&reached, &mut self.connection)?;
        let lost = there.lost.iter();
        Ok(Ok(lost
            .map(|(place, why)| format!("{} ({why})", self.before.name(*place)))
            .collect()))
    }
}
