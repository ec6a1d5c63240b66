//! Rows are moved by a person's statements, between what comes and what goes.

use generator::draft::{Draft, DraftOptions};
use tests::drafted;

/// A change that moves rows.
struct Case {
    from: &'static str,
    to: &'static str,
    /// The rows before.
    rows: &'static str,
    /// What a person writes on the way there and on the way back; where nothing, the examples.
    steps: [Option<&'static str>; 2],
    /// What holds when they were moved.
    there: &'static str,
    /// What holds when they were moved back.
    back: &'static str,
}

const SPLIT: Case = Case {
    from: "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, street text NOT NULL, \"Zip code\" text);
        CREATE INDEX users_zip_idx ON users (\"Zip code\");",
    to: "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
        CREATE TABLE addresses (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id int NOT NULL UNIQUE REFERENCES users,
            street text NOT NULL,
            \"Zip code\" text
        );",
    rows: "INSERT INTO users VALUES (1, 'Ada', 'Main St', '10115'), (2, 'Bob', 'Elm St', NULL)",
    steps: [None, None],
    there: "(SELECT array_agg((user_id, street, \"Zip code\")::text ORDER BY id) = \
        ARRAY['(1,\"Main St\",10115)', '(2,\"Elm St\",)'] FROM addresses)",
    back: "(SELECT array_agg(users::text ORDER BY id) = \
        ARRAY['(1,Ada,\"Main St\",10115)', '(2,Bob,\"Elm St\",)'] FROM (SELECT id, name, street, \"Zip code\" FROM users) users)",
};

const MOVED: Case = Case {
    from: "CREATE TABLE users (id int PRIMARY KEY, bio text NOT NULL);
        CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users);
        CREATE VIEW people AS SELECT id, bio FROM users;",
    to: "CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, bio text NOT NULL UNIQUE CHECK (bio <> ''));
        CREATE VIEW people AS SELECT user_id AS id, bio FROM profiles;",
    rows: "INSERT INTO users VALUES (1, 'of London'), (2, 'of Paris'); INSERT INTO profiles VALUES (2), (1)",
    steps: [None, None],
    there: "(SELECT array_agg((user_id, bio)::text ORDER BY user_id) = \
        ARRAY['(1,\"of London\")', '(2,\"of Paris\")'] FROM profiles)",
    back: "(SELECT array_agg((id, bio)::text ORDER BY id) = \
        ARRAY['(1,\"of London\")', '(2,\"of Paris\")'] FROM users)",
};

const MERGED: Case = Case {
    from: "CREATE TABLE cats (id int PRIMARY KEY, name text NOT NULL, lives int NOT NULL);
        CREATE TABLE dogs (id int PRIMARY KEY, name text NOT NULL);",
    to: "CREATE TABLE animals (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            name text NOT NULL,
            lives int
        );",
    rows: "INSERT INTO cats VALUES (1, 'Tom', 9), (2, 'Kit', 7); INSERT INTO dogs VALUES (1, 'Rex')",
    steps: [
        Some(
            "INSERT INTO public.animals (kind, name, lives) SELECT 'cat', name, lives FROM public.cats ORDER BY id;
            INSERT INTO public.animals (kind, name) SELECT 'dog', name FROM public.dogs ORDER BY id;",
        ),
        Some(
            "INSERT INTO public.cats SELECT id, name, lives FROM public.animals WHERE kind = 'cat';
            INSERT INTO public.dogs SELECT id - 2, name FROM public.animals WHERE kind = 'dog';",
        ),
    ],
    there: "(SELECT array_agg((kind, name)::text ORDER BY id) = ARRAY['(cat,Tom)', '(cat,Kit)', '(dog,Rex)'] FROM animals)",
    back: "(SELECT array_agg(cats::text ORDER BY id) = ARRAY['(1,Tom,9)', '(2,Kit,7)'] FROM cats) \
        AND (SELECT array_agg(dogs::text) = ARRAY['(1,Rex)'] FROM dogs)",
};

const NAMES: Case = Case {
    from: "CREATE TABLE people (name text NOT NULL);
        CREATE TABLE staff (salary int) INHERITS (people);",
    to: "CREATE TABLE people (first_name text NOT NULL, last_name text NOT NULL);
        CREATE TABLE staff (salary int) INHERITS (people);",
    rows: "INSERT INTO people VALUES ('Ada Lovelace'); INSERT INTO staff VALUES ('Alan Turing', 1)",
    steps: [
        Some(
            "UPDATE public.people SET first_name = split_part(name, ' ', 1), last_name = split_part(name, ' ', 2);",
        ),
        Some("UPDATE public.people SET name = first_name || ' ' || last_name;"),
    ],
    there: "(SELECT array_agg((first_name, last_name)::text ORDER BY 1) = ARRAY['(Ada,Lovelace)', '(Alan,Turing)'] FROM people)",
    back: "(SELECT array_agg(name ORDER BY 1) = ARRAY['Ada Lovelace', 'Alan Turing'] FROM people)",
};

/// What is moved is checked at the commit, and the table is altered before.
const DEFERRED: Case = Case {
    from: "CREATE TABLE users (id int PRIMARY KEY, boss int REFERENCES users DEFERRABLE INITIALLY DEFERRED, city text);
        CREATE TABLE badges (id int PRIMARY KEY, user_id int UNIQUE DEFERRABLE INITIALLY DEFERRED);",
    to: "CREATE TABLE users (id int PRIMARY KEY, boss int REFERENCES users DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE badges (id int PRIMARY KEY, user_id int UNIQUE DEFERRABLE INITIALLY DEFERRED, city text NOT NULL);",
    rows: "INSERT INTO users VALUES (1, 2, 'Rome'), (2, NULL, 'Oslo'); INSERT INTO badges VALUES (1, 2), (2, 1)",
    steps: [
        Some(
            "UPDATE public.badges SET user_id = user_id, city = users.city FROM public.users WHERE users.id = user_id;
            UPDATE public.users SET boss = 1 WHERE id = 2;",
        ),
        Some(
            "UPDATE public.badges SET user_id = user_id;
            UPDATE public.users SET boss = nullif(3 - users.id, 1), city = badges.city FROM public.badges WHERE user_id = users.id;",
        ),
    ],
    there: "(SELECT array_agg(city ORDER BY id) = ARRAY['Oslo', 'Rome'] FROM badges)",
    back: "(SELECT array_agg(city ORDER BY id) = ARRAY['Rome', 'Oslo'] FROM users)",
};

/// Columns of domains that take no NULL, one of them declared NOT NULL besides.
const OF_DOMAIN: Case = Case {
    from: "CREATE DOMAIN name AS text NOT NULL CHECK (VALUE <> '');
        CREATE TABLE users (id int PRIMARY KEY, nick name, alias name NOT NULL);
        CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users);",
    to: "CREATE DOMAIN name AS text NOT NULL CHECK (VALUE <> '');
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, nick name, alias name NOT NULL);",
    rows: "INSERT INTO users VALUES (1, 'a', 'b'); INSERT INTO profiles VALUES (1)",
    steps: [None, None],
    there: "(SELECT (nick, alias)::text = '(a,b)' FROM profiles)",
    back: "(SELECT (nick, alias)::text = '(a,b)' FROM users)",
};

fn draft(case: &Case) -> Draft {
    let options = DraftOptions {
        data_step: true,
        ..DraftOptions::default()
    };
    drafted::between(case.from, case.to, &[], options).expect("a draft")
}

/// The text with a person's statements, or its own examples, in place of the one that fails.
fn filled(text: &str, step: Option<&str>) -> String {
    let examples: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("--     "))
        .collect();
    let step = step.map_or_else(|| examples.join("\n"), str::to_owned);
    let lines = text.lines().map(|line| {
        if line.starts_with("DO $$ BEGIN RAISE") {
            step.clone()
        } else {
            line.to_owned()
        }
    });
    let filled = lines.collect::<Vec<_>>().join("\n");
    assert_ne!(filled, text.trim_end(), "there is no place: {text}");
    format!("BEGIN;\n{filled}\nCOMMIT;")
}

fn moves(case: &Case) {
    let draft = draft(case);
    let [part] = &draft.parts[..] else {
        panic!("{:?}", draft.parts)
    };
    let (up, down) = (part.up_text(), part.down_text());
    assert_eq!(draft.losses().count(), 0, "{up}");
    assert!(!down.contains("does not bring back"), "{down}");
    let (_server, database) = tests::database();
    tests::run(&database, case.from);
    tests::run(&database, case.rows);
    let mut connection = database.connect().expect("a connection");
    for _ in 0..2 {
        tests::run(&database, &filled(&up, case.steps[0]));
        assert!(tests::holds(&mut connection, case.there), "{up}");
        tests::run(&database, &filled(&down, case.steps[1]));
        assert!(tests::holds(&mut connection, case.back), "{down}");
    }
}

#[test]
fn a_table_is_split() {
    moves(&SPLIT);
}

#[test]
fn a_column_moves_to_a_table_that_is_there() {
    moves(&MOVED);
}

#[test]
fn two_tables_become_one() {
    // Numbers of an identity go on.
    let case = Case {
        back: "(SELECT count(*) = 2 FROM cats) AND (SELECT count(*) = 1 FROM dogs)",
        ..MERGED
    };
    moves(&case);
}

#[test]
fn a_name_is_split_in_parent_and_child() {
    moves(&NAMES);
}

#[test]
fn what_waits_for_the_commit_is_checked_after_the_step() {
    moves(&DEFERRED);
}

#[test]
fn a_domain_takes_its_column_over_after_the_step() {
    moves(&OF_DOMAIN);
}

#[test]
fn the_place_is_marked() {
    let draft = draft(&SPLIT);
    insta::assert_snapshot!("up", draft.parts[0].up_text());
    insta::assert_snapshot!("down", draft.parts[0].down_text());
    assert!(
        draft.proof.sentence().starts_with(
            "nothing yet: the data step is to be written, then `trueup prove`; without it: on PostgreSQL "
        ),
        "{}",
        draft.proof.sentence()
    );
}

#[test]
fn where_nothing_can_be_moved_that_is_said() {
    let options = DraftOptions {
        data_step: true,
        ..DraftOptions::default()
    };
    for (from, to, words) in [
        (
            "CREATE TABLE t (a int, b int)",
            "CREATE TABLE t (a int)",
            "nothing comes that rows could be moved to",
        ),
        (
            "CREATE TABLE t (a int)",
            "CREATE TABLE t (a int, b int)",
            "nothing goes, and nothing asks anything of rows",
        ),
        (
            "CREATE TABLE t (a int)",
            "CREATE TABLE t (a int NOT NULL)",
            "nothing comes that rows could be moved to",
        ),
    ] {
        let error = drafted::between(from, to, &[], options).expect_err("no place");
        assert!(error.full().contains(words), "{}", error.full());
    }
    // The new column is asked for when its rows have a value.
    let (from, to) = (
        "CREATE TABLE t (a int)",
        "CREATE TABLE t (a int, b int NOT NULL)",
    );
    let draft = drafted::between(from, to, &[], options).expect("a draft");
    let up = filled(&draft.parts[0].up_text(), Some("UPDATE t SET b = a;"));
    let (_server, database) = tests::database();
    tests::run(&database, &format!("{from}; INSERT INTO t VALUES (1)"));
    tests::run(&database, &up);
    assert_eq!(draft.parts[0].steps.down, None);
}
