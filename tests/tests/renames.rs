//! Renames declared in the models: the rows stay, and dependent names follow.

use std::path::Path;

use generator::{
    Project,
    migrations::apply,
    pipeline::{
        autogen::{self, AutogenOptions},
        check::{How, Scope, check},
    },
    postgres::scratch::Database,
};
use trueup::{Model, PgEnum};

#[derive(Model)]
#[model(table = "people", namespace = "hr", renamed_from = "public.users")]
#[model(check("phone_number <> ''"), index("lower(phone_number)"))]
#[allow(dead_code, reason = "only what it declares is of interest")]
struct Person {
    #[model(primary_key, serial)]
    id: i32,
    #[model(unique, renamed_from = "phone")]
    phone_number: String,
    /// In whole years.
    #[model(renamed_from = "age", default = "0")]
    years: i64,
    mood: Mood,
    #[model(references = Person::id, renamed_from = "boss")]
    boss_id: Option<i32>,
    #[model(identity = "always")]
    number: i64,
}

#[derive(PgEnum)]
#[model(type = "mood", renamed_from = "state_of_mind")]
#[allow(dead_code, reason = "only what it declares is of interest")]
enum Mood {
    #[model(renamed_from = "sad")]
    Unhappy,
    Fine,
}

const BEGIN: &str = "2026-01-01-000000_begin";

const THERE: &str = "
    CREATE TYPE state_of_mind AS ENUM ('sad', 'fine');
    CREATE TABLE users (
        id serial PRIMARY KEY,
        phone text NOT NULL UNIQUE CHECK (phone <> ''),
        age integer NOT NULL DEFAULT 0,
        mood state_of_mind NOT NULL,
        boss integer REFERENCES users,
        number bigint GENERATED ALWAYS AS IDENTITY
    );
    CREATE INDEX ON users (lower(phone));
    COMMENT ON COLUMN users.age IS 'In whole years.';";

const ROWS: &str = "
    INSERT INTO users (phone, age, mood, boss) VALUES ('+41', 30, 'sad', NULL), ('+49', 40, 'fine', 1);";

/// A project whose database has one migration, and rows.
fn there(folder: &Path, database: &Database, up: &str) -> Project {
    let begin = folder.join(BEGIN);
    std::fs::create_dir_all(&begin).expect("a folder");
    std::fs::write(begin.join("up.sql"), up).expect("a file");
    std::fs::write(begin.join("down.sql"), "DROP TABLE users;").expect("a file");
    let project = tests::project_with(folder.to_owned(), database);
    let mut connection = database.connect().expect("a connection");
    let head = apply::UpTarget::Head;
    apply::upgrade(&mut connection, folder, &head, apply::Options::default()).expect("an upgrade");
    project
}

#[test]
fn rows_live_through_a_declared_rename_and_back() {
    let (_server, database) = tests::database();
    let folder = tempfile::tempdir().expect("a folder");
    let project = there(folder.path(), &database, THERE);
    tests::run(&database, ROWS);
    let declarations = autogen::declarations().expect("models");

    let before = check(&project, &declarations, Scope::Database).expect("a check");
    let renamed = before.models.iter().filter(|it| it.how == How::Renamed);
    let renamed: Vec<String> = renamed
        .map(|it| format!("{} -> {}", it.object, it.to.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        renamed,
        [
            "table public.users -> hr.people",
            "enum type public.state_of_mind -> mood",
            "column hr.people.phone -> phone_number",
            "column hr.people.age -> years",
            "column hr.people.boss -> boss_id",
            "label 'sad' of enum type public.mood -> unhappy",
        ]
    );
    let others: Vec<&str> = before
        .models
        .iter()
        .filter(|it| it.how != How::Renamed)
        .map(|it| it.object.as_str())
        .collect();
    assert_eq!(others, ["column hr.people.years"]);
    assert_eq!(before.stale, []);

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    assert_eq!(found.losses().count(), 0);
    let draft = found.draft.expect("something to do");
    insta::assert_snapshot!("up", tests::ups(Some(&draft)));
    autogen::write(&project, "rename", &draft).expect("folders");
    let mut connection = database.connect().expect("a connection");
    let (head, options) = (apply::UpTarget::Head, apply::Options::default());
    apply::upgrade(&mut connection, folder.path(), &head, options).expect("an upgrade");
    assert!(tests::holds(
        &mut connection,
        "(SELECT array_agg((phone_number, years, mood::text, boss_id)::text ORDER BY id) FROM hr.people)
            = '{\"(+41,30,unhappy,)\",\"(+49,40,fine,1)\"}'"
    ));
    tests::run(
        &database,
        "INSERT INTO hr.people (phone_number, mood) VALUES ('+43', 'unhappy')",
    );

    let after = check(&project, &declarations, Scope::Database).expect("a check");
    assert!(after.is_clean(), "{after:#?}");
    assert_eq!(after.stale.len(), 6);
    let said = after.stale[0].to_string();
    assert!(
        said.starts_with("tests/tests/renames.rs:17, Person: "),
        "{said}"
    );
    assert!(
        said.ends_with("can be removed: table public.users has its new name already"),
        "{said}"
    );
    let again =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    assert!(again.draft.is_none());
    assert_eq!(again.stale.len(), 6);

    // Somebody else's table has the old name by now; that makes nobody's name a new one.
    tests::run(&database, "CREATE TABLE users (x integer)");
    let again =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");
    assert!(again.draft.is_none());
    tests::run(&database, "DROP TABLE users");

    let (last, options) = (apply::DownTarget::Minus(1), apply::Options::default());
    apply::downgrade(&mut connection, folder.path(), &last, options).expect("a downgrade");
    assert!(tests::holds(
        &mut connection,
        "(SELECT array_agg((id, phone, age, mood::text, boss)::text ORDER BY id) FROM users)
            = '{\"(1,+41,30,sad,)\",\"(2,+49,40,fine,1)\",\"(3,+43,0,sad,)\"}'"
    ));
}

#[test]
fn an_old_name_that_is_nowhere_is_answered_with_what_is_like_it() {
    let (_server, database) = tests::database();
    let folder = tempfile::tempdir().expect("a folder");
    let project = there(folder.path(), &database, &THERE.replace("phone", "phon"));
    let declarations = autogen::declarations().expect("models");

    let error = autogen::autogen(&project, &declarations, AutogenOptions::default())
        .expect_err("a column that is not there");

    let said = error.full();
    assert!(
        said.ends_with(
            "Person::phone_number: there is no column hr.people.phone to be renamed; similar: phon"
        ),
        "{said}"
    );
}

#[test]
fn a_name_that_is_there_already_gives_way() {
    let (_server, database) = tests::database();
    let folder = tempfile::tempdir().expect("a folder");
    let both = THERE.replace("age integer", "years text, age integer");
    let project = there(folder.path(), &database, &both);
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    let losses: Vec<String> = found.losses().map(ToString::to_string).collect();
    let says = "loses every value of hr.people.years__old, and breaks deployed code that names it";
    assert_eq!(losses, [says]);
    let up = tests::ups(found.draft.as_ref());
    assert!(
        up.contains("RENAME COLUMN years TO years__old;")
            && up.contains("RENAME COLUMN age TO years;"),
        "{up}"
    );
}

#[test]
fn where_nothing_is_there_old_names_say_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = tests::project(folder.path().to_owned());
    let declarations = autogen::declarations().expect("models");

    let found =
        autogen::autogen(&project, &declarations, AutogenOptions::default()).expect("a draft");

    let up = tests::ups(found.draft.as_ref());
    assert!(up.contains("CREATE TABLE hr.people ("), "{up}");
    assert!(!up.contains("RENAME"), "{up}");
    assert_eq!(found.stale, []);
}
