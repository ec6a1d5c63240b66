//! Settings that the environment gives: the process' own, then `.env`.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt::{self, Display, Formatter},
    fs, io,
    path::{Path, PathBuf},
};

use generator::{Error, ErrorKind};

/// Where a setting was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// On the command line, as this option.
    Option(&'static str),
    /// In the process' environment.
    Environment,
    /// In a file.
    File(PathBuf),
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => f.write_str(name),
            Self::Environment => f.write_str("the environment"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Layers of settings, the strongest first.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    layers: Vec<(Place, BTreeMap<OsString, OsString>)>,
}

impl Settings {
    /// The process' environment over `.env` in the project's root. What `.env` sets for libpq itself (`PGPASSWORD` and
    /// its like) becomes part of the environment too.
    pub(crate) fn load(root: &Path) -> Result<Self, Error> {
        let process = (Place::Environment, std::env::vars_os().collect());
        let path = root.join(".env");
        let mut settings = Self {
            layers: vec![process],
        };
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let doing = format!("cannot read {}", path.display());
                return Err(Error::caused(ErrorKind::Environment, doing, error));
            }
            Ok(text) => {
                let layer = parse(&path, &text)?;
                settings.layers.push((Place::File(path.clone()), layer));
                // It was read a moment ago.
                let _ = dotenvy::from_path(&path);
            }
        }
        Ok(settings)
    }

    /// A setting and where it is from. One that is empty is as good as none, and hides those in weaker layers.
    pub(crate) fn get(&self, name: &str) -> Option<(&OsStr, &Place)> {
        let found = self
            .layers
            .iter()
            .find_map(|(place, layer)| Some((layer.get(OsStr::new(name))?, place)));
        found
            .map(|(value, place)| (value.as_os_str(), place))
            .filter(|(value, _)| !value.is_empty())
    }

    /// The option where it was given, else the setting; an empty one of either is none.
    pub(crate) fn or_option(
        &self,
        given: Option<&OsStr>,
        option: &'static str,
        name: &str,
    ) -> Option<(OsString, Place)> {
        match given {
            Some(given) => (!given.is_empty()).then(|| (given.to_owned(), Place::Option(option))),
            None => self
                .get(name)
                .map(|(value, place)| (value.to_owned(), place.clone())),
        }
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

fn line(text: &str, error: &dotenvy::Error) -> Option<usize> {
    let dotenvy::Error::LineParse(part, _) = error else {
        return None;
    };
    let before = text.lines().position(|line| line.contains(part.trim()))?;
    Some(before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(process: &[(&str, &str)], file: &str) -> Settings {
        let process = process
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        let file = parse(Path::new(".env"), file).expect("settings");
        Settings {
            layers: vec![
                (Place::Environment, process),
                (Place::File(".env".into()), file),
            ],
        }
    }

    fn found(settings: &Settings, given: Option<&str>) -> Option<String> {
        let found = settings.or_option(given.map(OsStr::new), "--database-url", "DATABASE_URL");
        found.map(|(value, place)| format!("{} from {place}", value.display()))
    }

    #[test]
    fn the_strongest_layer_wins() {
        let file = "# ours\nDATABASE_URL='file'\n";
        assert_eq!(
            found(&settings(&[], file), None).as_deref(),
            Some("file from .env")
        );
        let both = settings(&[("DATABASE_URL", "process")], file);
        assert_eq!(
            found(&both, None).as_deref(),
            Some("process from the environment")
        );
        assert_eq!(
            found(&both, Some("option")).as_deref(),
            Some("option from --database-url")
        );
    }

    #[test]
    fn an_empty_one_hides_the_weaker_ones() {
        let file = "DATABASE_URL=file";
        assert_eq!(found(&settings(&[("DATABASE_URL", "")], file), None), None);
        assert_eq!(found(&settings(&[], file), Some("")), None);
        assert_eq!(found(&settings(&[], "DATABASE_URL="), None), None);
        assert_eq!(found(&settings(&[], ""), None), None);
    }

    #[test]
    fn what_does_not_parse_is_named_and_not_repeated() {
        let error = parse(Path::new(".env"), "A=1\nDATABASE_URL=postgres://me:a b@h\n")
            .expect_err("a space without quotes");
        assert_eq!(error.to_string(), ".env:2 is not NAME=value");
        assert!(!format!("{error:?}").contains("me:a"));
    }
}
