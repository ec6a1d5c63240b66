//! Drafts against a live database must replay on one that the migrations alone have made.

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
use trueup::{Declarations, Model, PgEnum};

trueup::extension!("citext");
trueup::extension!("pg_trgm");
trueup::sequence!("numbers");

#[derive(PgEnum)]
#[model(type = "mood")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    Good,
    Bad,
}

#[derive(Model)]
#[model(table = "users", namespace = "auth")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct User {
    #[model(primary_key)]
    id: i32,
}

#[derive(Model)]
#[model(table = "notes")]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Note {
    #[model(primary_key, default = "nextval('numbers')")]
    id: i64,
    #[model(sql_type = "public.citext")]
    title: String,
    #[model(default = "slug()")]
    slug: String,
    mood: Mood,
    #[model(references = User::id)]
    user_id: i32,
}

const EXTENSION: &str = "CREATE EXTENSION citext;";
const SEQUENCE: &str = "CREATE SEQUENCE numbers;";
const ENUM: &str = "CREATE TYPE mood AS ENUM ('good', 'bad');";
const USERS: &str = "CREATE SCHEMA auth; CREATE TABLE auth.users (id integer PRIMARY KEY);";
const FUNCTION: &str =
    "CREATE FUNCTION slug() RETURNS text LANGUAGE sql AS $$ SELECT 'a'::text $$;";
const NOTES: &str = "CREATE TABLE notes (id bigint PRIMARY KEY DEFAULT nextval('numbers'), title public.citext NOT NULL,
    slug text NOT NULL DEFAULT slug(), mood mood NOT NULL, user_id integer NOT NULL REFERENCES auth.users);";

/// All that is said of an error.
fn told(error: &Error) -> String {
    format!("{}\n{}", error.full(), error.advice().join("\n"))
}

/// A live database, of which a migration has made one part and somebody's hand another.
struct Live {
    declarations: Declarations,
    project: Project,
    folder: TempDir,
    database: Database,
    /// Whose scratch is the server.
    _server: Project,
}

impl Live {
    fn new(migrated: &[&str], by_hand: &[&str]) -> Self {
        let (server, database) = tests::database();
        let folder = tempfile::tempdir().expect("a folder");
        let one = folder.path().join("2030-01-01-000000_first");
        fs::create_dir(&one).expect("a folder");
        let function = if by_hand.contains(&FUNCTION) {
            ""
        } else {
            FUNCTION
        };
        let up = format!("SELECT 1;\n{function}{}", migrated.join("\n"));
        fs::write(one.join("up.sql"), up).expect("a file");
        fs::write(one.join("down.sql"), "SELECT 1;").expect("a file");
        let live = Self {
            declarations: autogen::declarations().expect("models"),
            project: tests::project_with(folder.path().to_owned(), &database),
            folder,
            database,
            _server: server,
        };
        live.upgrade();
        for sql in by_hand {
            tests::run(&live.database, sql);
        }
        live
    }

    fn upgrade(&self) {
        let mut connection = connect(&self.database.url()).expect("a connection");
        let target = apply::UpTarget::Head;
        apply::upgrade(
            &mut connection,
            self.folder.path(),
            &target,
            apply::Options::default(),
        )
        .expect("an upgrade");
    }

    fn autogen(&self, from: Option<&Source>) -> Result<Autogen, Error> {
        let options = AutogenOptions {
            from,
            ..AutogenOptions::default()
        };
        autogen::autogen(&self.project, &self.declarations, options)
    }

    fn refused(&self, words: &[&str]) -> String {
        let error = self.autogen(None).map(|found| found.draft);
        let error = told(&error.expect_err("a refusal"));
        for word in words
            .iter()
            .chain(&["would not replay", "nothing was written"])
        {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
        error
    }
}

#[test]
fn an_extension_that_was_made_by_hand_is_made_where_it_is_not_there() {
    // With something to do besides, and without.
    for migrated in [
        vec![SEQUENCE, ENUM, USERS],
        vec![SEQUENCE, ENUM, USERS, "CREATE DOMAIN x AS text;"],
    ] {
        let live = Live::new(&migrated, &[EXTENSION]);
        let draft = live.autogen(None).expect("a draft").draft.expect("a draft");
        let [part] = draft.parts.as_slice() else {
            panic!("{draft:?}");
        };
        let up = part.up_sql();
        assert!(
            up.contains("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public"),
            "{up}"
        );
        assert!(
            up.find("IF NOT EXISTS") < up.find("CREATE TABLE public.notes"),
            "{up}"
        );
        let down = part.down_sql();
        assert!(
            down.contains("-- This leaves extension citext where it is"),
            "{down}"
        );
        assert!(!down.contains("DROP EXTENSION citext"), "{down}");
        assert!(
            draft
                .proof
                .sentence()
                .contains("but for extension citext, which stays")
        );

        autogen::write(&live.project, "notes", &draft).expect("folders");
        live.upgrade();
        assert!(live.autogen(None).expect("a draft").draft.is_none());
        let migrations = Source::Migrations(live.folder.path().to_owned());
        assert!(
            live.autogen(Some(&migrations))
                .expect("a draft")
                .draft
                .is_none()
        );
    }
}

#[test]
fn an_extension_alone_is_a_migration_too() {
    let live = Live::new(
        &[SEQUENCE, ENUM, USERS, EXTENSION, NOTES],
        &["CREATE EXTENSION pg_trgm"],
    );
    let draft = live.autogen(None).expect("a draft").draft.expect("a draft");
    let [part] = draft.parts.as_slice() else {
        panic!("{draft:?}");
    };
    assert!(
        part.up_sql()
            .contains("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    );
    assert!(
        part.down_sql().ends_with("SELECT 1;\n"),
        "{}",
        part.down_sql()
    );
    autogen::write(&live.project, "trigrams", &draft).expect("folders");
    live.upgrade();
    assert!(live.autogen(None).expect("a draft").draft.is_none());
}

#[test]
fn a_namespace_that_was_made_by_hand_is_made_where_it_is_not_there() {
    let live = Live::new(&[SEQUENCE, ENUM, EXTENSION], &["CREATE SCHEMA auth"]);
    let draft = live.autogen(None).expect("a draft").draft.expect("a draft");
    let up = draft.parts[0].up_sql();
    assert!(up.contains("CREATE SCHEMA IF NOT EXISTS auth"), "{up}");
    assert!(!draft.parts[0].down_sql().contains("DROP SCHEMA"));
}

#[test]
fn what_cannot_be_made_twice_is_refused_with_two_ways_out() {
    for (migrated, by_hand, word) in [
        (
            [ENUM, EXTENSION, USERS],
            SEQUENCE,
            "sequence public.numbers: the models declare it",
        ),
        (
            [SEQUENCE, EXTENSION, USERS],
            ENUM,
            "enum type public.mood: the models declare it",
        ),
        (
            [SEQUENCE, ENUM, EXTENSION],
            USERS,
            "table auth.users: the models declare it",
        ),
    ] {
        let live = Live::new(&migrated, &[by_hand]);
        live.refused(&[word, "--from migrations", "stamp", "by hand"]);
        // Also where nothing else is to be done.
        tests::run(&live.database, NOTES);
        live.refused(&[word]);
        // The first way out.
        let migrations = Source::Migrations(live.folder.path().to_owned());
        assert!(
            live.autogen(Some(&migrations))
                .expect("a draft")
                .draft
                .is_some()
        );
    }
}

#[test]
fn a_foreign_key_into_what_is_left_out_is_refused() {
    let mut live = Live::new(&[SEQUENCE, ENUM, EXTENSION], &[USERS]);
    live.project.scope = Scope::new(&[], &["auth", "auth.*"]).expect("patterns");
    let migrations = Source::Migrations(live.folder.path().to_owned());
    for from in [None, Some(&migrations)] {
        let error = told(&live.autogen(from).expect_err("a refusal"));
        for word in [
            "User: trueup.toml leaves out table auth.users",
            "exclude = [\"auth.*\"] matches it",
            "take the model away",
            "prelude = \"platform.sql\"",
        ] {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!error.contains("mistake in trueup"), "{error}");
    }

    // Once a migration makes it, and nothing leaves it out, all is well, on both sides.
    live.project.scope = Scope::default();
    let users = USERS
        .replace("SCHEMA", "SCHEMA IF NOT EXISTS")
        .replace("TABLE", "TABLE IF NOT EXISTS");
    let one = live.folder.path().join("2030-01-02-000000_users");
    fs::create_dir(&one).expect("a folder");
    fs::write(one.join("up.sql"), users).expect("a file");
    fs::write(one.join("down.sql"), "SELECT 1;").expect("a file");
    live.upgrade();
    assert!(live.autogen(None).expect("a draft").draft.is_some());
    assert!(
        live.autogen(Some(&migrations))
            .expect("a draft")
            .draft
            .is_some()
    );
}

/// A hosted platform's table, which has more in the database than models need to know.
#[test]
fn a_foreign_key_into_a_platform_leads_to_what_the_prelude_makes() {
    let platform = "CREATE SCHEMA auth; CREATE TABLE auth.users (id integer PRIMARY KEY, email text, seen timestamptz);";
    let mut live = Live::new(&[SEQUENCE, ENUM, EXTENSION], &[platform]);
    let prelude = live.folder.path().join("platform.sql");
    fs::write(&prelude, USERS).expect("a file");
    live.project.presumed.prelude = Some(prelude);
    live.project.scope = Scope::new(&[], &["namespace auth", "auth.*"]).expect("patterns");

    let draft = live.autogen(None).expect("a draft").draft.expect("a draft");
    let ups = tests::ups(Some(&draft));
    assert!(ups.contains("REFERENCES auth.users(id)"), "{ups}");
    assert!(
        !ups.contains("TABLE auth.users") && !ups.contains("CREATE SCHEMA"),
        "{ups}"
    );
    let downs: String = draft
        .parts
        .iter()
        .map(generator::draft::Part::down_sql)
        .collect();
    assert!(!downs.contains("auth"), "{downs}");
    autogen::write(&live.project, "notes", &draft).expect("folders");
    live.upgrade();
    let migrations = Source::Migrations(live.folder.path().to_owned());
    for from in [None, Some(&migrations)] {
        assert!(live.autogen(from).expect("no draft").draft.is_none());
    }
}

#[test]
fn what_no_kind_reads_is_found_by_the_trial() {
    let live = Live::new(&[SEQUENCE, ENUM, EXTENSION, USERS], &[FUNCTION]);
    let error = live.autogen(None).map(|found| found.draft);
    let error = told(&error.expect_err("a refusal"));
    for word in [
        "does not replay",
        "up.sql:",
        "function public.slug() does not exist",
        "--from migrations",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(!error.contains("mistake in trueup"), "{error}");
}
