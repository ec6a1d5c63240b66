//! A schema, and the database that holds it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use trueup::{Guidance, Schema};

use crate::{
    Error, ErrorKind,
    postgres::{
        dump::{self, WitnessError},
        scratch::{Database, Scratch},
        url::Url,
    },
};

/// A schema, and the database that holds it. A database on the scratch does not change any more once it is a side, so it is
/// dumped and read again at most once, for all clones of the side.
#[derive(Clone, Debug)]
pub struct Side {
    /// The schema.
    pub schema: Schema,
    /// The URL of the database.
    pub url: Url,
    /// The database, where it is on the scratch and may be copied.
    pub scratch: Option<Arc<Database>>,
    /// True if the database holds all that the schema does and nothing else, so that a dump of it is a witness.
    pub whole: bool,
    /// True if every expression in it was read from a text that Postgres printed.
    pub reprinted: bool,
    /// The models' guidance for migrations to it.
    pub guidance: Arc<Guidance>,
    /// Why it was copied by our own statements where `pg_dump` should have done it.
    pub no_dump: Option<String>,
    /// The objects that the scratch cannot have and the copy lacks.
    pub left_out: Vec<String>,
    pub(crate) dump: Dump,
    pub(crate) printed: Arc<Mutex<Option<Side>>>,
}

/// The dump of a database, made when it is first asked for.
#[derive(Clone, Debug)]
pub(crate) struct Dump {
    url: Url,
    made: Arc<Mutex<Option<Dumped>>>,
}

/// A program, and what it wrote.
#[derive(Debug)]
struct Dumped {
    program: PathBuf,
    text: Arc<str>,
}

impl Side {
    /// What was read from a database elsewhere.
    pub(crate) fn at(schema: Schema, url: Url) -> Self {
        Self {
            schema,
            scratch: None,
            whole: true,
            reprinted: false,
            guidance: Arc::default(),
            no_dump: None,
            left_out: Vec::new(),
            dump: Dump {
                url: url.clone(),
                made: Arc::default(),
            },
            printed: Arc::default(),
            url,
        }
    }

    /// What was read from a database on the scratch.
    pub(crate) fn on(schema: Schema, database: Database) -> Self {
        let side = Self::at(schema, database.url());
        Self {
            scratch: Some(Arc::new(database)),
            ..side
        }
    }

    /// The same side, with what models say about the ways to it.
    #[must_use]
    pub fn guided(self, guidance: &Arc<Guidance>) -> Self {
        Self {
            guidance: Arc::clone(guidance),
            ..self
        }
    }

    /// The same database, of which another schema counts.
    pub(crate) fn read_as(self, schema: Schema) -> Self {
        Self {
            schema,
            printed: Arc::default(),
            ..self
        }
    }

    /// Its database, to be changed; a copy, where others need it as it is.
    pub(crate) fn into_database(self, scratch: &Scratch) -> Result<Database, Error> {
        let database = self
            .scratch
            .ok_or_else(|| Error::new(ErrorKind::Defect, "this database is not on the scratch"))?;
        match Arc::try_unwrap(database) {
            Ok(database) => Ok(database),
            Err(shared) => Ok(scratch.copy(&shared)?),
        }
    }

    /// The dump of its database.
    pub(crate) fn dump(&self) -> &Dump {
        &self.dump
    }

    /// The copy that `copy` makes from what Postgres prints of it, or the one that was made before.
    pub(crate) fn printed(
        &self,
        copy: impl FnOnce() -> Result<Self, Error>,
    ) -> Result<Self, Error> {
        let mut made = locked(&self.printed);
        let made = match &mut *made {
            Some(made) => made,
            missing => missing.insert(copy()?),
        };
        Ok(Self {
            whole: self.whole,
            guidance: Arc::clone(&self.guidance),
            ..made.clone()
        })
    }
}

impl Dump {
    /// The dump by this program.
    pub(crate) fn of(&self, pg_dump: &Path) -> Result<Arc<str>, WitnessError> {
        let mut made = locked(&self.made);
        match &*made {
            Some(made) if made.program == pg_dump => Ok(Arc::clone(&made.text)),
            Some(_) | None => {
                let text: Arc<str> = dump::dump(pg_dump, &self.url)?.into();
                *made = Some(Dumped {
                    program: pg_dump.to_owned(),
                    text: Arc::clone(&text),
                });
                Ok(text)
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
