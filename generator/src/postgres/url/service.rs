//! libpq's connection service file, as far as the name of the database, hosts and passwords go.
//!
//! Source: "The Connection Service File" in PostgreSQL's manual, and `parseServiceFile` in libpq.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::files;

/// A setting of a service; `None` where no file knows the service or the service does not say.
pub(super) fn setting(service: &str, key: &str) -> Option<String> {
    all(service)?.remove(key)
}

/// All settings of a service.
pub(super) fn all(service: &str) -> Option<Section> {
    let mut texts = files()
        .into_iter()
        .filter_map(|file| files::read(&file).ok());
    // The first file that has the service decides.
    texts.find_map(|text| section(&text, service))
}

/// The files in libpq's order: the user's, then the system's.
pub(crate) fn files() -> Vec<PathBuf> {
    let named = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
    let own = named("PGSERVICEFILE").map_or_else(
        || named("HOME").map(|home| Path::new(&home).join(".pg_service.conf")),
        |file| Some(PathBuf::from(file)),
    );
    let system = named("PGSYSCONFDIR").map(|folder| Path::new(&folder).join("pg_service.conf"));
    own.into_iter().chain(system).collect()
}

/// All settings of all services, as they stand there.
pub(crate) fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
}

pub(super) type Section = std::collections::BTreeMap<String, String>;

fn section(text: &str, service: &str) -> Option<Section> {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    // libpq does not look at what stands behind the bracket.
    let heading = format!("[{service}]");
    lines.find(|line| line.starts_with(&heading))?;
    let mut section = Section::new();
    for line in lines.take_while(|line| !line.starts_with('[')) {
        if let Some((key, value)) = line.split_once('=') {
            // libpq keeps the first of two.
            let key = key.to_owned();
            section.entry(key).or_insert_with(|| value.to_owned());
        }
    }
    Some(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_a_section() {
        let text = "# ours\n[a]\nhost=h\ndbname=one\ndbname=two\n\n[b] # theirs\nport=1\n[c]d]\n";
        let database = |service| section(text, service).map(|mut found| found.remove("dbname"));
        assert_eq!(database("a"), Some(Some("one".to_owned())));
        assert_eq!(database("b"), Some(None));
        assert_eq!(database("c"), Some(None));
        assert_eq!(database("d"), None);
    }
}
