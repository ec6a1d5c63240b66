//! `trueup.toml`: a project's settings for all who work on it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use generator::{Error, ErrorKind};
use serde::Deserialize;
use toml::{Value, de::DeTable};

use super::ALL;

/// In the project's root.
pub(super) const NAME: &str = "trueup.toml";

/// Patterns for the objects of a database to include and exclude, as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    /// Only these, where there are any.
    pub(crate) include: Vec<String>,
    /// Not these.
    pub(crate) exclude: Vec<String>,
}

/// Presumptions of migrations about a server, as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Scratch {
    /// Roles.
    pub(crate) roles: Vec<String>,
    /// A file of SQL, from the project's root.
    pub(crate) prelude: Option<PathBuf>,
    /// The search path of a session.
    pub(crate) search_path: Option<String>,
}

/// The line of each top-level key, for whoever has to mend one.
fn lines(text: &str) -> BTreeMap<String, usize> {
    let Ok(table) = DeTable::parse(text) else {
        return BTreeMap::new();
    };
    let keys = table.get_ref().keys();
    keys.map(|key| (key.get_ref().to_string(), line(text, key.span().start)))
        .collect()
}

/// The number of the line that has this byte.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// Settings that no environment variable and no option has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(super) patterns: Patterns,
    /// The environments in which commands that destroy want the database's name repeated.
    pub(super) protected: Option<Vec<String>>,
    pub(super) scratch: Scratch,
    /// The lines of the settings, by their variables.
    pub(super) lines: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct File {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    protected: Option<Vec<String>>,
    #[serde(default)]
    scratch: Scratch,
    #[serde(flatten)]
    settings: BTreeMap<String, Value>,
}

/// The settings by their variables, and the rules.
pub(super) fn parse(
    path: &Path,
    text: &str,
) -> Result<(BTreeMap<OsString, OsString>, Rules), Error> {
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| line(text, span.start));
        let at = at.map_or_else(String::new, |line| format!(":{line}"));
        let doing = format!("{}{at} does not parse", path.display());
        // Its own words show the line, which may be the one with a password.
        Error::caused(ErrorKind::Input, doing, error.message().to_owned())
    })?;
    let lines = lines(text);
    let at = |key: &str| match lines.get(key) {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    };
    let mut layer = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (key, value) in file.settings {
        let Some(setting) = ALL.iter().find(|setting| setting.key == key) else {
            let known: Vec<&str> = ALL.iter().map(|setting| setting.key).collect();
            let like = known.iter().max_by(|one, other| {
                let alike = |known: &str| strsim::jaro_winkler(known, &key);
                alike(one).total_cmp(&alike(other))
            });
            let like = like.filter(|like| strsim::jaro_winkler(like, &key) > 0.8);
            return Err(Error::input(format!(
                "{} has a setting that trueup does not know: {key}",
                at(&key)
            ))
            .hints(like.map(|like| format!("was {like} meant?")))
            .hint(format!(
                "there are include, exclude, protected, [scratch], {}",
                known.join(", ")
            )));
        };
        let value = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => {
                return Err(Error::input(format!(
                    "{}: {key} is neither a text nor a number",
                    at(&key)
                )));
            }
        };
        layer.insert(setting.variable.into(), value.into());
        places.extend(
            lines
                .get(&key)
                .map(|line| (setting.variable.to_owned(), *line)),
        );
    }
    let patterns = Patterns {
        include: file.include.unwrap_or_default(),
        exclude: file.exclude.unwrap_or_default(),
    };
    Ok((
        layer,
        Rules {
            lines: places,
            patterns,
            protected: file.protected,
            scratch: file.scratch,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_by_their_variables_and_patterns_apart() {
        let text = "lock_timeout = '2s'\nlock_retries = 3\nexclude = ['table audit.*']\n\
                    [scratch]\nroles = ['app_rw']\nprelude = 'platform.sql'\n";
        let (layer, rules) = parse(Path::new(NAME), text).expect("settings");
        assert_eq!(rules.scratch.roles, ["app_rw"]);
        assert_eq!(
            rules.scratch.prelude.as_deref(),
            Some(Path::new("platform.sql"))
        );
        let value = |name: &str| layer.get(&OsString::from(name)).cloned();
        assert_eq!(value("TRUEUP_LOCK_TIMEOUT"), Some("2s".into()));
        assert_eq!(value("TRUEUP_LOCK_RETRIES"), Some("3".into()));
        assert_eq!(rules.patterns.exclude, ["table audit.*"]);
        assert!(rules.patterns.include.is_empty());
        assert_eq!(rules.protected, None);
        let (_, rules) = parse(Path::new(NAME), "protected = []").expect("settings");
        assert_eq!(rules.protected, Some(Vec::new()));
    }

    #[test]
    fn what_is_not_known_is_named() {
        let fails = |text| {
            let error = parse(Path::new(NAME), text).expect_err("a mistake");
            format!("{error}: {error:?}")
        };
        let misspelt = fails("# ours\nlok_timeout = '2s'");
        assert!(
            misspelt.starts_with("trueup.toml:2 has a setting"),
            "{misspelt}"
        );
        assert!(misspelt.contains("was lock_timeout meant?"), "{misspelt}");
        let nested = fails("seeds = 'a'\n[scratch]\nrole = 'a'");
        assert!(
            nested.starts_with("trueup.toml:3 does not parse"),
            "{nested}"
        );
        assert!(nested.contains("role"), "{nested}");
        assert!(fails("a = 1\n[scrach]\nroles = []").starts_with("trueup.toml:1 has a setting"));
        assert!(fails("\n[scrach]\nroles = []").starts_with("trueup.toml:2 has a setting"));
        assert!(fails("seeds = true").contains("neither a text nor a number"));
        let broken = fails("database_url = postgres://me:s3cret@h/db");
        assert!(!broken.contains("s3cret"), "{broken}");
    }
}
