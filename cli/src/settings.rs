//! Settings in layers: the command line, the environment, the `.env` files, `trueup.toml`, the defaults.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt::{self, Display, Formatter},
    io,
    path::{Path, PathBuf},
};

use generator::{Error, ErrorKind, files, postgres::secrets};

mod file;

use file::Rules;
pub(crate) use file::{Patterns, Scratch};

/// The environment variable that says where this runs; it chooses among the `.env` files.
pub(crate) const ENVIRONMENT: &str = "APP_ENV";

/// Names of environments that are taken for production.
const PRODUCTION: &[&str] = &["main", "live"];

/// Beginnings of such names: `prod`, `production`, `prod-eu`, `prd1`. Any word of a name counts: `eu-prod` too.
const PRODUCTION_STEMS: &[&str] = &["prod", "prd"];

/// Environment where [`ENVIRONMENT`] is not set.
const DEVELOPMENT: &str = "development";

/// A setting, by all its names.
#[derive(Debug)]
pub(crate) struct Setting {
    /// In the environment and in `.env` files.
    pub(crate) variable: &'static str,
    /// In `trueup.toml`.
    pub(crate) key: &'static str,
    /// On the command line.
    pub(crate) option: &'static str,
    /// The default value.
    pub(crate) default: Option<&'static str>,
}

impl Setting {
    /// True if the value may hold a password.
    pub(crate) fn is_url(&self) -> bool {
        self.variable.ends_with("_URL")
    }
}

/// The database.
pub(crate) const DATABASE: Setting = Setting {
    variable: "DATABASE_URL",
    key: "database_url",
    option: "--database-url",
    default: None,
};

/// A server for throw-away databases.
pub(crate) const SCRATCH: Setting = Setting {
    variable: "TRUEUP_SCRATCH_URL",
    key: "scratch_url",
    option: "--scratch-url",
    default: None,
};

/// Folders with Postgres' programs.
pub(crate) const PROGRAMS: Setting = Setting {
    variable: generator::postgres::binaries::VARIABLE,
    key: "pg_bin",
    option: "--pg-bin",
    default: None,
};

/// The folder of the migrations; the variable is Diesel's.
pub(crate) const MIGRATIONS: Setting = Setting {
    variable: "MIGRATION_DIRECTORY",
    key: "migrations",
    option: "--migrations",
    default: None,
};

/// The folder of the seeds.
pub(crate) const SEEDS: Setting = Setting {
    variable: "TRUEUP_SEEDS",
    key: "seeds",
    option: "--seeds",
    default: Some("fixtures/seeds"),
};

/// Time limit for one statement of a migration that waits for a lock.
pub(crate) const LOCK_TIMEOUT: Setting = Setting {
    variable: "TRUEUP_LOCK_TIMEOUT",
    key: "lock_timeout",
    option: "--lock-timeout",
    default: Some("5s"),
};

/// Number of retries of a migration that did not get a lock.
pub(crate) const LOCK_RETRIES: Setting = Setting {
    variable: "TRUEUP_LOCK_RETRIES",
    key: "lock_retries",
    option: "--lock-retries",
    default: Some("10"),
};

/// Time limit for one statement of a migration.
pub(crate) const STATEMENT_TIMEOUT: Setting = Setting {
    variable: "TRUEUP_STATEMENT_TIMEOUT",
    key: "statement_timeout",
    option: "--statement-timeout",
    default: Some("0"),
};

/// All of them, as `doctor` lists them.
pub(crate) const ALL: &[&Setting] = &[
    &DATABASE,
    &SCRATCH,
    &PROGRAMS,
    &MIGRATIONS,
    &SEEDS,
    &LOCK_TIMEOUT,
    &LOCK_RETRIES,
    &STATEMENT_TIMEOUT,
];

/// Source of a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// On the command line, as this option.
    Option(&'static str),
    /// In the process' environment.
    Environment,
    /// In a file.
    File(PathBuf),
    /// Nowhere.
    Default,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => f.write_str(name),
            Self::Environment => f.write_str("the environment"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// A setting's value and where it is from.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The value.
    pub(crate) value: OsString,
    /// Its source.
    pub(crate) place: Place,
}

impl Found {
    /// The value as a path: one in a file counts from the file's folder.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.place {
            Place::File(file) => file.parent().unwrap_or(file).join(&self.value),
            Place::Option(_) | Place::Environment | Place::Default => PathBuf::from(&self.value),
        }
    }
}

/// Layers of settings, the strongest first.
#[derive(Debug)]
pub(crate) struct Settings {
    layers: Vec<(Place, BTreeMap<OsString, OsString>)>,
    /// The environment: `development`, `test`, `production` or any other word.
    pub(crate) environment: Found,
    /// Patterns for the objects of a database to include and exclude.
    pub(crate) patterns: Patterns,
    /// The environments in which commands that destroy want the database's name repeated, where the project lists them.
    protected: Option<Vec<String>>,
    /// Presumptions of migrations about a server.
    pub(crate) scratch: Scratch,
    /// The lines of settings in files, by file and variable.
    lines: BTreeMap<(PathBuf, String), usize>,
}

impl Settings {
    /// Reads all layers below the command line, which is `given`. What `.env` files set for libpq itself (`PGPASSWORD` and
    /// its like) becomes part of the environment too.
    pub(crate) fn load(root: &Path, given: Given) -> Result<Self, Error> {
        let environment = environment(root)?;
        let mut layers = given.layers();
        let mut lines = BTreeMap::new();
        layers.push((Place::Environment, std::env::vars_os().collect()));
        for name in env_files(&environment.value.to_string_lossy()) {
            let path = root.join(name);
            if let Some(text) = read_if_there(&path)? {
                let layer = parse(&path, &text)?;
                remember(&layer);
                lines.extend(self::lines(&path, &text));
                layers.push((Place::File(path.clone()), layer));
                // It was read a moment ago.
                let _ = dotenvy::from_path(&path);
            }
        }
        let path = root.join(file::NAME);
        let mut rules = Rules::default();
        if let Some(text) = read_if_there(&path)? {
            let (layer, found) = file::parse(&path, &text)?;
            remember(&layer);
            let found_lines = found.lines.iter();
            lines.extend(found_lines.map(|(name, line)| ((path.clone(), name.clone()), *line)));
            layers.push((Place::File(path), layer));
            rules = found;
        }
        Ok(Self {
            layers,
            environment,
            patterns: rules.patterns,
            protected: rules.protected,
            scratch: rules.scratch,
            lines,
        })
    }

    /// The place of a setting, for whoever has to fix it: `trueup.toml:3: lock_timeout`.
    pub(crate) fn written(&self, setting: &Setting, found: &Found) -> String {
        match &found.place {
            Place::Option(option) => (*option).to_owned(),
            Place::Environment | Place::Default => {
                format!("{} in {}", setting.variable, found.place)
            }
            Place::File(path) => {
                let line = self.lines.get(&(path.clone(), setting.variable.to_owned()));
                let line = line.map_or_else(String::new, |line| format!(":{line}"));
                let is_toml = path.file_name() == Some(OsStr::new(file::NAME));
                let name = if is_toml {
                    setting.key
                } else {
                    setting.variable
                };
                format!("{}{line}: {name}", path.display())
            }
        }
    }

    /// A setting and its source. An empty value counts as none, and hides those in weaker layers.
    pub(crate) fn get(&self, setting: &Setting) -> Option<Found> {
        let name = OsStr::new(setting.variable);
        let found = self
            .layers
            .iter()
            .find_map(|(place, layer)| Some((layer.get(name)?, place)));
        let found = found.map(|(value, place)| Found {
            value: value.clone(),
            place: place.clone(),
        });
        let default = || {
            setting.default.map(|value| Found {
                value: value.into(),
                place: Place::Default,
            })
        };
        match found {
            Some(found) if !found.value.is_empty() => Some(found),
            Some(_) | None => default(),
        }
    }

    /// The files that were read, the strongest first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.layers.iter().filter_map(|(place, _)| match place {
            Place::File(path) => Some(path.as_path()),
            Place::Option(_) | Place::Environment | Place::Default => None,
        })
    }

    /// True if commands that destroy want the database's name repeated: in the environments that `trueup.toml` lists as
    /// `protected`; where it lists none, in those that are called like production.
    pub(crate) fn is_protected(&self) -> bool {
        // Some programs that read a file of variables leave its quotes and blanks in the value.
        let bare = |name: &str| {
            let name = name.trim_matches(|c: char| !c.is_alphanumeric());
            name.to_lowercase()
        };
        let name = bare(&self.environment.value.to_string_lossy());
        match &self.protected {
            Some(listed) => listed.iter().any(|listed| bare(listed) == name),
            None => name.split(|c: char| !c.is_alphanumeric()).any(|word| {
                PRODUCTION.contains(&word)
                    || PRODUCTION_STEMS.iter().any(|stem| word.starts_with(stem))
            }),
        }
    }
}

/// Settings given on the command line.
#[derive(Debug, Default)]
pub(crate) struct Given(Vec<(&'static Setting, OsString)>);

impl Given {
    /// Adds an option, where it was given.
    pub(crate) fn and(
        mut self,
        setting: &'static Setting,
        value: Option<impl AsRef<OsStr>>,
    ) -> Self {
        self.0
            .extend(value.map(|value| (setting, value.as_ref().to_owned())));
        self
    }

    fn layers(self) -> Vec<(Place, BTreeMap<OsString, OsString>)> {
        let layer = |(setting, value): (&'static Setting, OsString)| {
            let values = BTreeMap::from([(setting.variable.into(), value)]);
            (Place::Option(setting.option), values)
        };
        self.0.into_iter().map(layer).collect()
    }
}

/// The environment that the process names, else the `.env` files that every environment reads.
fn environment(root: &Path) -> Result<Found, Error> {
    if let Some(value) = std::env::var_os(ENVIRONMENT).and_then(|value| named(&value)) {
        return only_a_name(value, Place::Environment);
    }
    for name in COMMON_FILES {
        let path = root.join(name);
        let Some(text) = read_if_there(&path)? else {
            continue;
        };
        let value = parse(&path, &text)?.remove(OsStr::new(ENVIRONMENT));
        if let Some(value) = value.and_then(|value| named(&value)) {
            return only_a_name(value, Place::File(path));
        }
    }
    Ok(Found {
        value: DEVELOPMENT.into(),
        place: Place::Default,
    })
}

/// The name without the blanks around it; nothing where there is none.
fn named(value: &OsStr) -> Option<OsString> {
    let Some(text) = value.to_str() else {
        return Some(value.to_owned());
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

/// Refuses a path: the name becomes part of the names of files and of a folder of seeds.
fn only_a_name(value: OsString, place: Place) -> Result<Found, Error> {
    let text = value.to_string_lossy();
    if text.contains(['/', '\0']) || text == ".." {
        return Err(Error::input(format!(
            "{ENVIRONMENT} in {place} is a path, and no name of an environment: {text}"
        ))
        .hint("write a word, such as development, test or production"));
    }
    Ok(Found { value, place })
}

/// The `.env` files that do not depend on the environment, the strongest first.
const COMMON_FILES: [&str; 2] = [".env.local", ".env"];

/// The `.env` files of an environment, the strongest first. Tests are to give the same everywhere, so what is for one
/// machine alone is not read in them unless it is for tests.
fn env_files(environment: &str) -> Vec<String> {
    let mut files = vec![
        format!(".env.{environment}.local"),
        format!(".env.{environment}"),
    ];
    if environment != "test" {
        files.push(".env.local".to_owned());
    }
    files.push(".env".to_owned());
    files
}

/// From here on no text that leaves the process has the passwords of a file.
fn remember(layer: &BTreeMap<OsString, OsString>) {
    let texts = layer
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
    secrets::remember_variables(texts);
}

fn read_if_there(path: &Path) -> Result<Option<String>, Error> {
    match files::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // Editors on Windows begin a file with a byte order mark.
        read => read
            .map(|text| Some(text.trim_start_matches('\u{feff}').to_owned()))
            .map_err(|error| {
                let doing = format!("cannot read {}", path.display());
                Error::caused(ErrorKind::Environment, doing, error)
            }),
    }
}

/// Reads the text of a `.env`. What does not parse is not repeated: it may be a password.
fn parse(path: &Path, text: &str) -> Result<BTreeMap<OsString, OsString>, Error> {
    let mut settings = BTreeMap::new();
    for setting in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = setting.map_err(|error| {
            let at = line(text, &error).map_or_else(String::new, |line| format!(":{line}"));
            Error::input(format!("{}{at} is not NAME=value", path.display()))
                .hint("a value with spaces, quotes or # needs 'single quotes' around it")
        })?;
        // As in a shell, the last one counts.
        settings.insert(name.into(), value.into());
    }
    Ok(settings)
}

/// The lines of variables in the text of a `.env`; of two lines the last counts.
fn lines(path: &Path, text: &str) -> BTreeMap<(PathBuf, String), usize> {
    let named = text.lines().enumerate().filter_map(|(before, line)| {
        let line = line.trim_start();
        let (name, _) = line
            .strip_prefix("export ")
            .unwrap_or(line)
            .split_once('=')?;
        Some(((path.to_owned(), name.trim().to_owned()), before + 1))
    });
    named.collect()
}

fn line(text: &str, error: &dotenvy::Error) -> Option<usize> {
    let dotenvy::Error::LineParse(part, _) = error else {
        return None;
    };
    // A quote that is not closed takes all lines up to the end.
    let part = part.trim().lines().next()?.trim();
    let before = text.lines().position(|line| line.contains(part))?;
    Some(before + 1)
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: Option<&str>, process: &[(&str, &str)], file: &str) -> Settings {
        let process = process
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        let file = parse(Path::new(".env"), file).expect("settings");
        let mut layers = Given::default().and(&DATABASE, given).layers();
        layers.extend([
            (Place::Environment, process),
            (Place::File(".env".into()), file),
        ]);
        Settings {
            layers,
            environment: Found {
                value: DEVELOPMENT.into(),
                place: Place::Default,
            },
            patterns: Patterns::default(),
            protected: None,
            scratch: Scratch::default(),
            lines: BTreeMap::new(),
        }
    }

    fn found(settings: &Settings) -> Option<String> {
        let found = settings.get(&DATABASE);
        found.map(|Found { value, place }| format!("{} from {place}", value.display()))
    }

    #[test]
    fn the_strongest_layer_wins() {
        let file = "# ours\nDATABASE_URL='file'\n";
        assert_eq!(
            found(&settings(None, &[], file)).as_deref(),
            Some("file from .env")
        );
        let process = [("DATABASE_URL", "process")];
        assert_eq!(
            found(&settings(None, &process, file)).as_deref(),
            Some("process from the environment")
        );
        assert_eq!(
            found(&settings(Some("option"), &process, file)).as_deref(),
            Some("option from --database-url")
        );
        let default = settings(None, &[], file).get(&LOCK_TIMEOUT);
        assert_eq!(default.map(|found| found.place), Some(Place::Default));
    }

    #[test]
    fn an_empty_one_hides_the_weaker_ones() {
        let file = "DATABASE_URL=file";
        assert_eq!(found(&settings(None, &[("DATABASE_URL", "")], file)), None);
        assert_eq!(found(&settings(Some(""), &[], file)), None);
        assert_eq!(found(&settings(None, &[], "DATABASE_URL=")), None);
        assert_eq!(found(&settings(None, &[], "")), None);
    }

    #[test]
    fn protected_environments_are_listed_or_called_like_production() {
        let is_protected = |name: &str, listed: Option<&[&str]>| {
            let mut settings = settings(None, &[], "");
            settings.environment.value = name.into();
            let owned = |listed: &[&str]| listed.iter().map(|one| (*one).to_owned()).collect();
            settings.protected = listed.map(owned);
            settings.is_protected()
        };
        for name in [
            "prod",
            "PRD",
            "production",
            "prod-eu",
            "eu-prod",
            "pre_production",
            "main",
            "Live",
            "live/eu",
            "\"production\"",
            " prod",
        ] {
            assert!(is_protected(name, None), "{name}");
        }
        for name in ["development", "test", "staging", "mainly", "product"] {
            assert_eq!(is_protected(name, None), name == "product", "{name}");
        }
        assert!(is_protected("Staging", Some(&["production", "staging"])));
        assert!(is_protected("'staging'", Some(&[" Staging "])));
        assert!(!is_protected("prod", Some(&["staging"])));
        assert!(!is_protected("prod", Some(&[])));
    }

    #[test]
    fn a_file_that_every_environment_reads_names_the_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        let named = || environment(folder.path()).expect("an environment");
        assert_eq!(named().place, Place::Default);
        write(".env", "APP_ENV=production\n");
        assert_eq!(named().value, "production");
        write(".env.local", "APP_ENV=test\n");
        assert_eq!(named().value, "test");
        assert_eq!(named().place, Place::File(folder.path().join(".env.local")));
        for blank in ["APP_ENV=\n", "APP_ENV=' '\n"] {
            write(".env.local", blank);
            assert_eq!(named().value, "production");
        }
        write(".env.local", "APP_ENV=' staging\t'\n");
        assert_eq!(named().value, "staging");
        for path in ["/etc", "..", "a/../..", "a\0b"] {
            write(".env.local", &format!("APP_ENV='{path}'\n"));
            let refused = environment(folder.path()).expect_err("a path");
            assert!(refused.to_string().contains("is a path"), "{refused}");
        }
    }

    #[test]
    fn the_environment_chooses_the_files() {
        assert_eq!(
            env_files("production"),
            [
                ".env.production.local",
                ".env.production",
                ".env.local",
                ".env"
            ]
        );
        assert_eq!(env_files("test"), [".env.test.local", ".env.test", ".env"]);
    }

    #[test]
    fn what_does_not_parse_is_named_and_not_repeated() {
        let error = parse(Path::new(".env"), "A=1\nDATABASE_URL=postgres://me:a b@h\n")
            .expect_err("a space without quotes");
        assert_eq!(error.to_string(), ".env:2 is not NAME=value");
        assert!(!format!("{error:?}").contains("me:a"));
    }
}
