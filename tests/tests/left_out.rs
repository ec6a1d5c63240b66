//! What models need and the configuration leaves out: the draft replays where the migrations alone were, or is refused with what
//! to do.

use std::fs;

use generator::{
    Error, Project,
    migrations::apply,
    pipeline::autogen::{self, Autogen, AutogenOptions},
    postgres::{connection::connect, scratch::Database},
    scope::Scope,
    source::Source,
};
use tempfile::TempDir;
use trueup::Model;

#[derive(Model)]
#[model(table = "parcels", check(expr = "kit.is_fine(id)"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Parcel {
    #[model(primary_key)]
    id: i32,
    #[model(sql_type = "kit.kind")]
    kind: String,
    #[model(sql_type = "kit.amount")]
    weight: String,
    #[model(sql_type = "kit.pair")]
    size: String,
    #[model(sql_type = "kit.places")]
    place: String,
    #[model(sql_type = "kit.shown")]
    shown: String,
    #[model(sql_type = "kit.kind[]")]
    kinds: Vec<String>,
    #[model(default = "nextval('kit.numbers')")]
    number: i64,
    #[model(default = "kit.first()")]
    first: i32,
}

/// Each of a kind that a model may need and has no words for here.
const KIT: [&str; 9] = [
    "CREATE SCHEMA IF NOT EXISTS kit;",
    "CREATE TYPE kit.kind AS ENUM ('a', 'b');",
    "CREATE DOMAIN kit.amount AS text CHECK (VALUE <> '');",
    "CREATE TYPE kit.pair AS (a integer, b integer);",
    "CREATE TABLE kit.places (id integer);",
    "CREATE VIEW kit.shown AS SELECT 1 AS one;",
    "CREATE SEQUENCE kit.numbers;",
    "CREATE FUNCTION kit.first() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
    "CREATE FUNCTION kit.is_fine(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';",
];

/// What a refusal names, in the same order.
const NAMES: [&str; 9] = [
    "namespace kit",
    "kit.kind",
    "kit.amount",
    "kit.pair",
    "kit.places",
    "kit.shown",
    "kit.numbers",
    "kit.first",
    "kit.is_fine",
];

struct Live {
    project: Project,
    folder: TempDir,
    database: Database,
    _server: Project,
}

impl Live {
    /// A database of which a migration has made all but one part, and somebody's hand that. `exclude` is as in trueup.toml.
    fn without(by_hand: Option<usize>, exclude: &[&str]) -> Self {
        let (server, database) = tests::database();
        let folder = tempfile::tempdir().expect("a folder");
        let made = KIT.iter().enumerate();
        let made = made.filter(|(at, _)| Some(*at) != by_hand);
        let made: Vec<&str> = made.map(|(_, sql)| *sql).collect();
        let mut project = tests::project_with(folder.path().to_owned(), &database);
        project.scope = Scope::new(&[], exclude).expect("patterns");
        let live = Self {
            project,
            folder,
            database,
            _server: server,
        };
        if let Some(at) = by_hand {
            tests::run(&live.database, &format!("{} {}", KIT[0], KIT[at]));
        }
        live.migration("2030-01-01-000000_first", &made.join("\n"));
        live
    }

    fn migration(&self, name: &str, up: &str) {
        let one = self.folder.path().join(name);
        fs::create_dir(&one).expect("a folder");
        fs::write(one.join("up.sql"), up).expect("a file");
        fs::write(one.join("down.sql"), "SELECT 1;").expect("a file");
        self.upgrade();
    }

    fn upgrade(&self) {
        let mut connection = connect(&self.database.url()).expect("a connection");
        let target = apply::UpTarget::Head;
        let options = apply::Options::default();
        apply::upgrade(&mut connection, self.folder.path(), &target, options).expect("an upgrade");
    }

    fn autogen(&self, from: Option<&Source>) -> Result<Autogen, Error> {
        let options = AutogenOptions {
            from,
            ..AutogenOptions::default()
        };
        let declarations = autogen::declarations().expect("models");
        autogen::autogen(&self.project, &declarations, options)
    }

    fn migrations(&self) -> Source {
        Source::Migrations(self.folder.path().to_owned())
    }
}

/// The namespace with all that is in it.
const WHOLE: [&str; 2] = ["namespace kit", "kit.*"];

/// Those that are left out alone: an enum, a domain, a table, a view and a function.
const ALONE: [usize; 5] = [1, 2, 4, 5, 7];

/// What a person writes to leave out one of them.
fn alone(at: usize) -> String {
    match NAMES[at] {
        "kit.first" => "kit.first()".to_owned(),
        name => name.to_owned(),
    }
}

/// What migrations made is there, and stays as it is.
fn must_replay(live: &Live) {
    let migrations = live.migrations();
    for from in [None, Some(&migrations)] {
        let draft = live
            .autogen(from)
            .unwrap_or_else(|error| panic!("{}", error.full()));
        let ups = tests::ups(draft.draft.as_ref());
        assert!(ups.contains("kit.places NOT NULL"), "{ups}");
        for word in [
            "CREATE SCHEMA",
            "CREATE TYPE",
            "kit.places (",
            "CREATE SEQUENCE",
        ] {
            assert!(!ups.contains(word), "{word}: {ups}");
        }
    }
    let draft = live.autogen(None).expect("a draft").draft.expect("a draft");
    autogen::write(&live.project, "parcels", &draft).expect("folders");
    live.upgrade();
    for from in [None, Some(&migrations)] {
        let found = live
            .autogen(from)
            .unwrap_or_else(|error| panic!("{}", error.full()));
        assert!(found.draft.is_none());
    }
}

/// What somebody made by hand is refused, and what to do is said and leads on.
fn must_be_refused(live: &Live, at: usize) {
    let migrations = live.migrations();
    for from in [None, Some(&migrations)] {
        let Err(error) = live.autogen(from) else {
            panic!("{} is taken as there", KIT[at]);
        };
        let told = format!("{}\n{}", error.full(), error.advice().join("\n"));
        for word in [NAMES[at], "by hand"] {
            assert!(
                told.contains(word),
                "{}: {word:?} is not in: {told}",
                KIT[at]
            );
        }
        let others = ["do without it", "--from migrations", "prelude"];
        assert!(others.iter().any(|word| told.contains(word)), "{told}");
        assert!(!told.contains(tests::PHRASE), "{told}");
    }
    // The way out, which changes nothing where it is there already.
    let guarded = format!(
        "DO $guard$ BEGIN {} EXCEPTION WHEN duplicate_object OR duplicate_table OR duplicate_function THEN NULL; END $guard$;",
        KIT[at]
    );
    live.migration("2030-01-02-000000_second", &guarded);
    let found = live
        .autogen(None)
        .unwrap_or_else(|error| panic!("{}", error.full()));
    assert!(found.draft.is_some());
}

#[test]
fn what_migrations_made_is_there_though_it_is_left_out() {
    must_replay(&Live::without(None, &WHOLE));
}

#[test]
fn what_somebody_made_by_hand_is_refused_with_what_to_do() {
    // The namespace itself is made where it is not there.
    for at in 1..KIT.len() {
        must_be_refused(&Live::without(Some(at), &WHOLE), at);
    }
}

#[test]
fn one_object_that_is_left_out_is_there_where_migrations_made_it() {
    for at in ALONE {
        must_replay(&Live::without(None, &[&alone(at)]));
    }
}

#[test]
fn one_object_that_is_left_out_is_refused_where_somebody_made_it() {
    for at in ALONE {
        must_be_refused(&Live::without(Some(at), &[&alone(at)]), at);
    }
}
