//! The code of a database at one time: the part of it that compiles, and all that it names.

use super::{Bodies, Broken, Functions, Names, Suspect};
use crate::{Error, postgres::scratch::Database};

/// The functions of a database, and the names that they may use.
pub struct Code {
    bodies: Bodies,
    functions: Functions,
    /// `None` where there is no function to use them.
    names: Option<Names>,
}

/// The faults of code after a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Code that ran before and does not run afterwards.
    pub broken: Vec<Broken>,
    /// Code that names what changes, or that fails on some rows.
    pub suspects: Vec<Suspect>,
}

impl Findings {
    /// Adds those of another file.
    pub fn add(&mut self, more: Self) {
        self.broken.extend(more.broken);
        self.suspects.extend(more.suspects);
    }
}

impl Code {
    /// Looks at a database.
    pub fn read(database: &Database) -> Result<Self, Error> {
        let mut connection = database.connect()?;
        let functions = Functions::read(&mut connection)?;
        let names = if functions.is_empty() {
            None
        } else {
            Some(Names::read(&mut connection)?)
        };
        drop(connection);
        Ok(Self {
            bodies: Bodies::compile(database)?,
            functions,
            names,
        })
    }

    /// The functions of `first` that do not compile here, and those here that name what is other than in `before`, which is
    /// what `file` was run on. A function whose body the file wrote was written for what is here.
    pub fn findings(
        &self,
        first: &Self,
        before: &Self,
        database: &Database,
        file: &'static str,
    ) -> Result<Findings, Error> {
        let suspects = match (&before.names, &self.names) {
            (Some(then), Some(now)) => {
                let kept = self.functions.kept_from(&before.functions);
                let mut found = kept.suspects(&mut database.connect()?, then, now, file)?;
                // Of a function that puts SQL together nothing is new: Diesel's own one does, in most databases.
                found.retain(|one| !one.is_unread);
                found
            }
            (None, _) | (_, None) => Vec::new(),
        };
        Ok(Findings {
            broken: first.bodies.broken(&self.bodies, file),
            suspects,
        })
    }
}
