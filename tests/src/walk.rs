//! A database on the way from one set of models to the next, by migrations that are drafted, written, applied and taken back.

use std::path::Path;

use generator::{
    Project,
    diff::diff,
    draft::Draft,
    migrations::apply,
    pipeline::{
        autogen::{self, AutogenOptions},
        check::{Scope, check},
    },
    postgres::scratch::Database,
    rename::{Asked, Refused},
    source::{self, models::settle},
};
use tempfile::TempDir;
use trueup::{__private::Submitted, Declarations, Schema};

/// A project with a database that has all of its migrations.
#[derive(Debug)]
pub struct Walk {
    /// The project.
    pub project: Project,
    /// Its database.
    pub database: Database,
    _server: Project,
    _folder: TempDir,
}

/// The declarations of these alone.
///
/// # Panics
///
/// Where they contradict each other.
#[must_use]
pub fn declared(submitted: &[Submitted]) -> Declarations {
    let declared = trueup::__private::declarations_of(submitted);
    declared
        .map_err(|error| error.to_string())
        .expect("models that can hold at once")
}

impl Walk {
    /// Begins with what this SQL makes, in a migration written by hand.
    ///
    /// # Panics
    ///
    /// If it cannot be applied.
    #[must_use]
    pub fn begin(there: &str) -> Self {
        let walk = Self::empty();
        walk.by_hand("2026-01-01-000000-0000_begin", there);
        walk
    }

    /// Begins with copies of the migrations in a folder, all of them applied.
    ///
    /// # Panics
    ///
    /// If they cannot be copied or applied.
    #[must_use]
    pub fn of(migrations: &Path) -> Self {
        let walk = Self::empty();
        crate::copy_migrations(migrations, &walk.project.migrations);
        walk.upgrade();
        walk
    }

    fn empty() -> Self {
        let (server, database) = crate::database();
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            project: crate::project_with(folder.path().to_owned(), &database),
            database,
            _server: server,
            _folder: folder,
        }
    }

    /// Writes a migration by hand and applies it.
    ///
    /// # Panics
    ///
    /// If it cannot be applied.
    pub fn by_hand(&self, name: &str, up: &str) {
        let folder = self.project.migrations.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("up.sql"), format!("SELECT 1;\n{up}")).expect("a file");
        std::fs::write(folder.join("down.sql"), "SELECT 1;").expect("a file");
        self.upgrade();
    }

    /// The draft that is missing, or why there is none.
    ///
    /// # Errors
    ///
    /// What autogen says.
    pub fn draft(
        &self,
        declarations: &Declarations,
        renames: &[Asked],
    ) -> Result<Option<Draft>, String> {
        let none = [Refused::parse("").map_err(|error| error.full())?];
        let options = AutogenOptions {
            renames,
            // Without an answer, nothing that looks like a rename is one.
            no_renames: &none,
            ..AutogenOptions::default()
        };
        let found = autogen::autogen(&self.project, declarations, options);
        Ok(found.map_err(|error| error.full())?.draft)
    }

    /// Goes to what the models declare, and looks at nothing but that it gets there.
    ///
    /// # Errors
    ///
    /// What autogen says.
    pub fn hurry(&self, declarations: &Declarations) -> Result<(), String> {
        let draft = self.draft(declarations, &[])?.ok_or("nothing to do")?;
        self.apply(&draft);
        Ok(())
    }

    /// Writes a draft and applies it.
    ///
    /// # Panics
    ///
    /// If either fails.
    pub fn apply(&self, draft: &Draft) {
        let written = autogen::write(&self.project, "walk", draft);
        written.map_err(|error| error.full()).expect("migrations");
        self.upgrade();
    }

    /// Goes to what the models declare, where nothing is left to do and `check` agrees, and back and there again, and returns
    /// the SQL of the way.
    ///
    /// # Errors
    ///
    /// What is not so, for people.
    ///
    /// # Panics
    ///
    /// If the database is gone.
    pub fn go(&self, declarations: &Declarations, renames: &[Asked]) -> Result<String, String> {
        let before = self.schema();
        let Some(draft) = self.draft(declarations, renames)? else {
            return Ok(String::new());
        };
        let found = check(&self.project, declarations, Scope::Offline);
        let found = found.map_err(|error| format!("check: {}", error.full()))?;
        if found.is_clean() {
            return Err("check says in sync before the migration".to_owned());
        }
        let sql = crate::ups(Some(&draft));
        let written = autogen::write(&self.project, "walk", &draft);
        let written = written.map_err(|error| error.full())?;
        self.upgrade();
        self.must_be_there(declarations)?;
        let there = self.schema();
        let back = apply::DownTarget::Minus(written.len());
        let mut connection = self.database.connect().expect("a connection");
        let options = apply::Options::default();
        apply::downgrade(&mut connection, &self.project.migrations, &back, options)
            .map_err(|error| format!("the way back: {error}\n{sql}"))?;
        differ("the way back", &before, &self.schema())?;
        self.upgrade();
        differ("there again", &there, &self.schema())?;
        Ok(sql)
    }

    /// The major of its server.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.schema().server().major()
    }

    /// The differences between its database and the models, once the models have the form that Postgres gives them.
    ///
    /// # Errors
    ///
    /// What autogen says.
    ///
    /// # Panics
    ///
    /// If there is no scratch.
    pub fn differing(&self, declarations: &Declarations) -> Result<Vec<String>, String> {
        let scratch = self.project.scratch(None).expect("a scratch");
        let live = source::live(&self.project, &self.database.url()).expect("a schema");
        let from = source::restored(&self.project, scratch, &live).map_err(|error| error.full())?;
        let managed = from.schema.entries().map(|(id, _)| id.clone()).collect();
        let settled = settle(&self.project, &from, declarations, &managed, None);
        let settled = settled.map_err(|error| error.full())?;
        let deltas = diff(&from.schema, &settled.side.schema);
        Ok(deltas.iter().map(|(id, _)| id.to_string()).collect())
    }

    fn must_be_there(&self, declarations: &Declarations) -> Result<(), String> {
        if let Some(more) = self.draft(declarations, &[])? {
            return Err(format!(
                "a second autogen has something to do: {}",
                crate::ups(Some(&more))
            ));
        }
        let found = check(&self.project, declarations, Scope::Database);
        let found = found.map_err(|error| format!("check: {}", error.full()))?;
        if found.is_clean() {
            Ok(())
        } else {
            Err(format!("check finds {found:?}"))
        }
    }

    /// Applies what is pending.
    ///
    /// # Panics
    ///
    /// If it cannot be applied.
    pub fn upgrade(&self) {
        let mut connection = self.database.connect().expect("a connection");
        let (head, options) = (apply::UpTarget::Head, apply::Options::default());
        apply::upgrade(&mut connection, &self.project.migrations, &head, options)
            .expect("an upgrade");
    }

    fn schema(&self) -> Schema {
        let live = source::live(&self.project, &self.database.url());
        live.expect("a schema").schema
    }
}

fn differ(what: &str, wanted: &Schema, found: &Schema) -> Result<(), String> {
    let deltas = diff(wanted, found);
    let deltas: Vec<String> = deltas.iter().map(|(id, _)| id.to_string()).collect();
    if deltas.is_empty() {
        Ok(())
    } else {
        Err(format!("{what} differs in {}", deltas.join(", ")))
    }
}
