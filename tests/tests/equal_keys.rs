//! Two constraints that say the same are two: one CREATE TABLE would make one of them without a word.

#![allow(dead_code, reason = "only what the models declare is of interest")]

use tests::walk::{Walk, declared};
use trueup::{__private::Submitted, Model};

#[derive(Model)]
#[model(
    table = "users",
    unique(email),
    unique(columns(email), name = "email_once")
)]
#[model(
    unique(columns(id), name = "id_once"),
    exclude(email(with = "=")),
    exclude(email(with = "="))
)]
#[model(index(email), index(email))]
#[allow(
    clippy::duplicated_attributes,
    reason = "saying things twice is what it is about"
)]
struct User {
    #[model(primary_key)]
    id: i64,
    #[model(unique)]
    email: String,
}

#[derive(Model)]
#[model(table = "logs", primary_key(id), unique(id), partition_by(hash(id)))]
#[model(partitions(hash = 2))]
struct Log {
    id: i64,
}

const AS_IT_WAS: &str = "
    CREATE TABLE users (id bigint NOT NULL, email text NOT NULL);
    ALTER TABLE users ADD CONSTRAINT key_of_users PRIMARY KEY (id);
    ALTER TABLE users ADD CONSTRAINT id_once UNIQUE (id);
    ALTER TABLE users ADD CONSTRAINT b UNIQUE (email);
    ALTER TABLE users ADD CONSTRAINT email_once UNIQUE (email);
    ALTER TABLE users ADD CONSTRAINT a UNIQUE (email);
    ALTER TABLE users ADD CONSTRAINT z EXCLUDE (email WITH =);
    ALTER TABLE users ADD CONSTRAINT y EXCLUDE (email WITH =);
    CREATE INDEX w ON users (email);
    CREATE INDEX v ON users (email);";

fn models() -> trueup::Declarations {
    declared(&[
        Submitted::Model(User::DEFINITION),
        Submitted::Model(Log::DEFINITION),
    ])
}

fn names(walk: &Walk) -> bool {
    let mut connection = walk.database.connect().expect("a connection");
    tests::holds(
        &mut connection,
        "(SELECT count(*) = 7 FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype IN ('p', 'u', 'x'))
            AND (SELECT count(*) = 9 FROM pg_index WHERE indrelid = 'users'::regclass)
            AND (SELECT count(*) = 2 FROM pg_constraint WHERE conrelid = 'logs'::regclass AND contype IN ('p', 'u'))
            AND (SELECT count(*) = 2 FROM pg_constraint WHERE conrelid = 'logs_1'::regclass AND contype IN ('p', 'u'))",
    )
}

#[test]
fn all_of_them_are_made() {
    let walk = Walk::begin("");
    let sql = walk.go(&models(), &[]).expect("two tables");
    insta::assert_snapshot!(sql);
    assert!(names(&walk), "{sql}");
}

#[test]
fn all_of_them_are_taken_over_under_the_names_that_they_have() {
    let walk = Walk::begin(AS_IT_WAS);
    let user = declared(&[Submitted::Model(User::DEFINITION)]);
    assert_eq!(walk.go(&user, &[]), Ok(String::new()));
    walk.go(&models(), &[]).expect("another table");
    assert!(names(&walk));
}
