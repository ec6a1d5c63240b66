//! The report of `doctor`.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    Report,
    style::{DIM, GOOD, HEADING, WARNING, columns},
};
use crate::{
    operations::doctor::{Facts, Furnished},
    words::count,
};

/// Everything that a command would go by.
#[derive(Debug, Serialize)]
pub struct Doctor {
    /// The project's root.
    pub root: PathBuf,
    /// The environment, from `APP_ENV`.
    pub environment: SettingFound,
    /// The settings.
    pub settings: Vec<SettingFound>,
    /// The files that settings were read from, the strongest first.
    pub files: Vec<PathBuf>,
    /// The patterns of included objects; empty if all are.
    pub include: Vec<String>,
    /// The patterns of excluded objects.
    pub exclude: Vec<String>,
    /// The folders with Postgres' programs.
    pub programs: Vec<Programs>,
    /// The number of models linked into the program, or the reason why it is unknown.
    pub models: Result<usize, String>,
    /// The number of migrations on disk, or the reason why it is unknown.
    pub migrations: Result<usize, String>,
    /// The database, where one is configured, or why it cannot be reached.
    pub database: Option<Result<Facts, String>>,
    /// The contents of a scratch, or the reason why there is none; `None` if it was not tried.
    pub scratch: Option<Result<Furnished, String>>,
    /// Problems to fix.
    pub problems: Vec<String>,
    /// Remarks that require no action.
    pub advice: Vec<String>,
}

/// A setting, and where it is from.
#[derive(Debug, Serialize)]
pub struct SettingFound {
    /// Its name in the environment.
    pub name: String,
    /// Its value; a password is not in it.
    pub value: Option<String>,
    /// The source of the setting.
    pub from: String,
}

/// A folder of Postgres' programs.
#[derive(Debug, Serialize)]
pub struct Programs {
    /// The folder.
    pub folder: PathBuf,
    /// Their major version, where they tell.
    pub major: Option<u32>,
    /// Which of those that trueup uses are there.
    pub programs: Vec<&'static str>,
}

impl Report for Doctor {
    fn text(&self) -> String {
        let heading = |text: &str| format!("{HEADING}{text}{HEADING:#}\n");
        let dim = |text: &str| format!("{DIM}{text}{DIM:#}");
        let path = |path: &PathBuf| path.display().to_string();
        let setting = |found: &SettingFound| {
            [
                found.name.clone(),
                found.value.clone().unwrap_or_else(|| "not set".to_owned()),
                dim(&found.from),
            ]
        };
        let mut settings = vec![setting(&self.environment)];
        settings.extend(self.settings.iter().map(setting));
        let mut text = heading("settings") + &columns(2, &settings);
        let files: Vec<String> = self.files.iter().map(path).collect();
        let or_none = |list: &[String]| match list {
            [] => "none".to_owned(),
            some => some.join(", "),
        };
        let told = |told: &Result<usize, String>, what: &str| match told {
            Ok(number) => count(*number, what),
            Err(error) => error.clone(),
        };
        let mut rows = vec![
            ["root".to_owned(), path(&self.root)],
            ["files read".to_owned(), or_none(&files)],
            ["models".to_owned(), told(&self.models, "model")],
            ["migrations".to_owned(), told(&self.migrations, "migration")],
        ];
        for (word, patterns) in [("include", &self.include), ("exclude", &self.exclude)] {
            if !patterns.is_empty() {
                rows.push([word.to_owned(), or_none(patterns)]);
            }
        }
        text += &(heading("project") + &columns(2, &rows));
        let programs: Vec<_> = self
            .programs
            .iter()
            .map(|found| {
                let major = found.major.map(|major| major.to_string());
                [
                    major.unwrap_or_else(|| "?".to_owned()),
                    path(&found.folder),
                    dim(&found.programs.join(", ")),
                ]
            })
            .collect();
        text += &(heading("PostgreSQL programs") + &columns(2, &programs));
        text += &heading("database");
        text += &columns(2, &self.database_rows());
        if let Some(scratch) = &self.scratch {
            text += &heading("scratch");
            text += &columns(2, &scratch_rows(scratch));
        }
        for (word, style, lines) in [
            ("problem", WARNING, &self.problems),
            ("advice", DIM, &self.advice),
        ] {
            for line in lines {
                text += &format!(
                    "{style}{word}:{style:#} {}\n",
                    super::style::hang(line, word.len() + 2)
                );
            }
        }
        if self.problems.is_empty() {
            text + &format!("{GOOD}all is well{GOOD:#}\n")
        } else {
            text + &format!(
                "{WARNING}{}{WARNING:#}\n",
                count(self.problems.len(), "problem")
            )
        }
    }
}

fn scratch_rows(scratch: &Result<Furnished, String>) -> Vec<[String; 2]> {
    let row = |word: &str, value: &str| [word.to_owned(), value.to_owned()];
    match scratch {
        Err(error) => vec![row("not there", error)],
        Ok(Furnished {
            version,
            roles,
            search_path,
            lacking,
            no_tablespaces,
            superuser,
        }) => vec![
            row("server", &format!("PostgreSQL {version}")),
            row(
                "user",
                if *superuser {
                    "may do anything"
                } else {
                    "no superuser"
                },
            ),
            row("roles", &roles.to_string()),
            row("search path", search_path),
            row(
                "lacks",
                &match lacking.as_slice() {
                    [] => "no extension of the database".to_owned(),
                    some => some.join(", "),
                },
            ),
            row(
                "",
                &match no_tablespaces.as_slice() {
                    [] => "no tablespace".to_owned(),
                    some => format!("tablespace {}", some.join(", ")),
                },
            ),
        ],
    }
}

impl Doctor {
    fn database_rows(&self) -> Vec<[String; 2]> {
        let row = |word: &str, value: &str| [word.to_owned(), value.to_owned()];
        let facts = match &self.database {
            None => return vec![row("none", "the project's own is used, in .trueup/")],
            Some(Err(error)) => return vec![row("not reached", error)],
            Some(Ok(facts)) => facts,
        };
        let Facts {
            version,
            user,
            database,
            superuser,
            may_create_databases,
            may_create_namespaces,
            may_create_tables,
            read_only,
            standby,
            extensions,
            default_namespace: _,
            record,
        } = facts;
        let may = [
            (*superuser, "anything (superuser)"),
            (*may_create_databases, "create databases"),
            (*may_create_namespaces, "create namespaces"),
            (*may_create_tables, "create tables"),
        ];
        let may: Vec<&str> = may
            .iter()
            .filter(|(may, _)| *may)
            .map(|(_, what)| *what)
            .collect();
        let may = if may.is_empty() {
            "read the catalog and no more".to_owned()
        } else {
            may.join(", ")
        };
        let takes = match (standby, read_only) {
            (true, _) => "no writes: it is a standby",
            (false, true) => "no writes: transactions are read-only",
            (false, false) => "writes",
        };
        vec![
            row("name", database),
            row("server", &format!("PostgreSQL {version}")),
            row("takes", takes),
            row("user", &format!("{user}, who may {may}")),
            row("extensions", extensions),
            row(
                "record",
                record.as_deref().unwrap_or("no migration was ever applied"),
            ),
        ]
    }
}
