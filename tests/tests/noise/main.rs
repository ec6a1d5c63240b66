//! Expressions in words that Postgres prints otherwise: written once, never a difference again, whatever the database says
//! about how text is read and written, and however it encodes and sorts it.
//!
//! Each major that `TRUEUP_MAJORS` names is tried.

mod models;
mod newer;

use std::path::Path;

use generator::{
    Error, Project,
    migrations::apply,
    pipeline::{
        autogen::{self, AutogenOptions},
        check::{Scope, check},
        compare::{self, CompareOptions},
    },
    postgres::{
        connection::{connect, run_sql},
        scratch::{Database, Locale},
        url::Url,
    },
    render,
    source::Source,
};
use trueup::Id;

/// Settings that affect how text is written or read, each at a value that nobody would expect.
const SETTINGS: &[(&str, &str)] = &[
    ("DateStyle", "'German, DMY'"),
    ("TimeZone", "'Asia/Kolkata'"),
    ("IntervalStyle", "iso_8601"),
    // Unqualified names of a file are made where the database's own sessions make them, so `public` comes first.
    ("search_path", "public, \"Sales & More\", app, pg_catalog"),
    ("extra_float_digits", "-15"),
    ("bytea_output", "escape"),
    ("standard_conforming_strings", "off"),
    ("quote_all_identifiers", "on"),
    ("xmlbinary", "hex"),
    ("xmloption", "document"),
    ("array_nulls", "off"),
    ("transform_null_equals", "on"),
    ("default_text_search_config", "german"),
    ("default_toast_compression", "pglz"),
    ("default_transaction_isolation", "serializable"),
    ("client_encoding", "LATIN1"),
    ("client_min_messages", "error"),
    ("row_security", "off"),
];

/// A server, and the databases that are made on it.
struct Server {
    project: Project,
    home: Database,
    major: u32,
}

impl Server {
    fn of(major: Option<u32>) -> Self {
        let project = tests::project_on(major);
        let scratch = project.scratch(None).expect("a scratch");
        let home = scratch.create(&Locale::default()).expect("a database");
        let major = scratch.major();
        Self {
            project,
            home,
            major,
        }
    }

    /// Makes a database; `of` says on whom the settings are.
    fn database(&self, name: &str, options: &str, of: Option<&str>) -> Url {
        tests::run(
            &self.home,
            &format!("CREATE DATABASE {name} TEMPLATE template0 {options}"),
        );
        for (setting, value) in of.iter().flat_map(|_| SETTINGS) {
            let of = of.unwrap_or_default();
            tests::run(
                &self.home,
                &format!("ALTER {of} {name} SET {setting} = {value}"),
            );
        }
        self.home.url().with_database(name)
    }
}

fn ready() -> Vec<Server> {
    let (majors, _) = tests::majors();
    majors.into_iter().map(Server::of).collect()
}

#[test]
fn what_is_written_once_in_models_is_no_difference_again() {
    for server in ready() {
        let other = if server.major >= 15 {
            "LOCALE_PROVIDER icu ICU_LOCALE 'de-u-ks-level2' LOCALE 'C' ENCODING UTF8"
        } else {
            "LOCALE 'POSIX' ENCODING UTF8"
        };
        let latin = "LOCALE 'C' ENCODING LATIN1";
        settles(&server, &server.database("plain", "", None));
        settles(&server, &server.database("latin", latin, Some("DATABASE")));
        let role = "ROLE CURRENT_USER IN DATABASE";
        settles(&server, &server.database("other", other, Some(role)));
    }
}

#[test]
fn what_a_server_has_no_word_for_is_told_at_its_place() {
    for server in ready().iter().filter(|server| server.major < 18) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = server.database("older", "", None);
        let project = tests::project_at(folder.path().to_owned(), &url, server.major);
        let declarations = autogen::declarations().expect("models");
        let found = autogen::autogen(&project, &declarations, AutogenOptions::default());
        let told = found.map(|_| ()).expect_err("it is older").to_string();
        for (place, what) in [
            ("Room", "`without_overlaps`"),
            ("Room", "`not_enforced`"),
            ("Booking::moved_from", "`not_enforced`"),
            ("Booking", "`period`"),
            ("Visit", "a `not_valid` foreign key of a partitioned table"),
        ] {
            let line = format!(
                "{place}: {what} needs PostgreSQL 18, and this server is of {}",
                server.major
            );
            assert!(told.contains(&line), "{line} is not in: {told}");
        }
    }
}

/// The first major that has a word for all that a model says, as its namespace tells.
fn first_major(of: &Id) -> u32 {
    let majors = of
        .path()
        .iter()
        .find_map(|name| name.strip_prefix("major_"));
    majors.map_or(0, |major| major.parse().expect("a number"))
}

/// Writes the migration that the models ask for, applies it, and asks again.
fn settles(server: &Server, url: &Url) {
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project_at(folder.path().to_owned(), url, server.major);
    let declarations = autogen::declarations().expect("models");
    let declarations = declarations.only(|id| first_major(id) <= server.major);
    let draft = || tests::draft(&project, &declarations);
    autogen::write(&project, "begin", &draft().expect("something to do")).expect("folders");
    let mut connection = connect(url).expect("a connection");
    let options = apply::Options::default;
    let head = apply::UpTarget::Head;
    apply::upgrade(&mut connection, folder.path(), &head, options()).expect("an upgrade");

    assert_eq!(tests::ups(draft().as_ref()), "", "{url}");
    let found = check(&project, &declarations, Scope::Database).expect("a check");
    assert!(found.is_clean(), "{url}: {found:#?}");
    let base = apply::DownTarget::Base;
    apply::downgrade(&mut connection, folder.path(), &base, options()).expect("a downgrade");
}

#[test]
fn what_is_written_once_in_sql_is_no_difference_again() {
    let fixtures = tests::root().join("fixtures/noise");
    for server in ready() {
        for (number, folder) in tests::folders_with(&fixtures, "from.sql")
            .iter()
            .enumerate()
        {
            if tests::min_major(folder) > server.major {
                continue;
            }
            let (name, options) = (format!("sql_{number}"), "LOCALE 'C' ENCODING LATIN1");
            let url = server.database(&name, options, Some("DATABASE"));
            let sql = way(&server.project, &url, &folder.join("from.sql"));
            run_sql(&mut connect(&url).expect("a connection"), &sql, "the way").expect("SQL");
            for file in ["from.sql", "to.sql"] {
                let left = way(&server.project, &url, &folder.join(file));
                assert_eq!(
                    left,
                    "",
                    "{} on {}",
                    folder.join(file).display(),
                    server.major
                );
            }
        }
    }
}

/// The SQL that makes of the database what a file says.
fn way(project: &Project, from: &Url, to: &Path) -> String {
    let (from, to) = (Source::Database(from.clone()), Source::Sql(to.to_owned()));
    let no_models = || Err(Error::input("there are no models"));
    let way = compare::diff(project, no_models, &from, &to, CompareOptions::default());
    let way = way.map_err(|error| error.full()).expect("a way");
    render::sql(way.statements())
}
