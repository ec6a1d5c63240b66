//! Every migration goes up and down, or it is said.

use std::fs;

use tests::checkout::Checkout;

use crate::checkout;

const A: &str = "2030-01-01-000000_a";
const B: &str = "2030-01-02-000000_b";
const C: &str = "2030-01-03-000000_c";

const VIEW: &str = "CREATE VIEW public.v AS SELECT 1 AS one;\n";
const NO_VIEW: &str = "DROP VIEW public.v;\n";

/// A project whose models and migrations agree, with one more migration that a person wrote.
fn with_view(down: &str) -> Checkout {
    let project = checkout().shipped();
    project.migration(A, VIEW, down);
    project
}

fn path(project: &Checkout, name: &str, file: &str) -> std::path::PathBuf {
    project.path().join("migrations").join(name).join(file)
}

fn read(project: &Checkout, name: &str, file: &str) -> String {
    fs::read_to_string(path(project, name, file)).expect("a file")
}

fn edit(project: &Checkout, name: &str, file: &str, edit: impl FnOnce(String) -> String) {
    let text = edit(read(project, name, file));
    fs::write(path(project, name, file), text).expect("a file");
}

#[test]
fn a_typo_in_a_mended_down_is_found() {
    let project = checkout().shipped();
    project.run(&["check"]).done();
    let shipped = project.folders().remove(0);
    let was = read(&project, &shipped, "down.sql");
    edit(&project, &shipped, "down.sql", |text| {
        format!("{text}\nDROP TABLE public.user;\n")
    });
    let line = was.lines().count() + 2;
    let said = project.run(&["check"]).with(1).stdout;
    for words in [
        "models and migrations  in sync",
        &format!("{shipped}: down.sql was edited since it was proved: run `trueup prove "),
        &format!("{shipped}/down.sql:{line}: "),
        "statement: DROP TABLE public.user",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let said = project.run(&["status"]).with(1).stdout;
    assert!(said.contains("edited since proved"), "{said}");
    let github = project.run(&["check", "--format", "github"]).with(1).stdout;
    let place = format!("down.sql,line={line},title=a migration does not go up and down");
    assert!(github.contains(&place), "{github}");
    let said = project.run(&["prove"]).with(1).stdout;
    assert!(
        said.contains(&format!("{shipped}/down.sql:{line}: ")),
        "{said}"
    );

    // Mended otherwise than it was proved, it takes another proof.
    fs::write(
        path(&project, &shipped, "down.sql"),
        format!("{was}\n-- mended\n"),
    )
    .expect("a file");
    project.run(&["check"]).with(1);
    let said = project.run(&["prove"]).done();
    assert!(
        said.contains("down gives exactly the schema before"),
        "{said}"
    );
    project.run(&["check"]).done();
    let up = read(&project, &shipped, "up.sql");
    assert!(up.contains("\n-- written: by hand\n"), "{up}");
}

#[test]
fn each_file_that_was_edited_is_named() {
    let project = checkout();
    project.made_on(&[], A, "CREATE TABLE a ();\n", "DROP TABLE a;\n");
    project.run(&["status"]).done();
    edit(&project, A, "up.sql", |text| {
        text.replace("TABLE a", "TABLE  a")
    });
    fs::remove_file(path(&project, A, "down.sql")).expect("a file");
    let project_metadata = path(&project, A, "metadata.toml");
    fs::write(project_metadata, "run_in_transaction = false\n").expect("a file");
    let said = project.run(&["status"]).with(1).stdout;
    let wanted = format!("{A}: up.sql, down.sql, metadata.toml");
    assert!(said.contains(&wanted), "{said}");
}

#[test]
fn what_was_never_proved_is_tried_and_told() {
    let project = with_view(NO_VIEW);
    let ended = project.run(&["check"]).with(0);
    let words = format!("{A} was never proved; it goes up and down here");
    assert!(ended.stderr.contains(&words), "{}", ended.stderr);
    let said = project.run(&["status"]).done();
    assert!(said.contains(&format!("never proved: {A}")), "{said}");

    let project = with_view("DROP VIEW public.w;\n");
    let said = project.run(&["check"]).with(1).stdout;
    assert!(
        said.contains(&format!("{A}/down.sql:1: view \"w\"")),
        "{said}"
    );

    let project = with_view("SELECT 1;\n");
    let ended = project.run(&["check"]).with(0);
    for words in ["does not lead back", "view public.v should not be there"] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let json = project.run(&["check", "--format", "json"]).done();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["unproved"][0]["outcome"], "strays", "{json}");
    project.run(&["check", "--prove"]).with(1);
    // Down, it leads nowhere, and so up does not run again: it is one fault and not two.
    let said = project.run(&["prove"]).with(1).stdout;
    assert!(said.contains("not proved"), "{said}");
    assert_eq!(read(&project, A, "up.sql"), VIEW);

    let project = with_view("DO $$ BEGIN RAISE EXCEPTION 'no way back'; END $$;\n");
    let ended = project.run(&["check", "--prove"]).with(0);
    let words = format!("{A} is irreversible: no way back");
    assert!(ended.stderr.contains(&words), "{}", ended.stderr);
}

#[test]
fn a_header_comes_above_what_a_person_wrote_and_nobody_notices() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    let up = "\n-- Mine.\nCREATE TABLE a (n int);\n";
    project.migration(A, up, "DROP TABLE a;\n");
    project.migration(B, "CREATE TABLE b ();\r\n\r\n", "DROP TABLE b;\r\n");
    project.run(&["upgrade"]).done();
    project.made_on(&[B], C, "CREATE TABLE c ();\n", "DROP TABLE c;\n");
    let heads = project.run(&["heads"]).done();
    let said = project.run(&["prove"]).done();
    assert!(said.contains("2 headers written"), "{said}");

    let text = read(&project, A, "up.sql");
    assert!(text.starts_with("-- trueup migration 2\n-- message: a\n-- written: by hand\n"));
    assert!(text.ends_with(&format!("\n\n{up}")), "{text}");
    let sum = "\n-- change: + table public.a\n-- locks: none that reading or writing waits for; in a transaction\n";
    assert!(text.contains(sum), "{text}");
    let text = read(&project, B, "up.sql");
    assert!(text.contains("\r\n-- after: 20300101000000 "), "{text}");
    assert!(
        text.ends_with("\r\n\r\nCREATE TABLE b ();\r\n\r\n"),
        "{text}"
    );
    assert!(
        text.lines().count() == text.matches("\r\n").count(),
        "{text}"
    );

    assert_eq!(project.run(&["heads"]).done(), heads);
    let said = project.run(&["status"]).with(1).stdout;
    assert!(
        said.contains("1 pending") && !said.contains("edited"),
        "{said}"
    );
    assert!(!said.contains("never proved"), "{said}");
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    let said = project.run(&["prove"]).done();
    assert!(said.contains("nothing to prove"), "{said}");
    let before = read(&project, A, "up.sql");
    let said = project.run(&["prove", "--all"]).done();
    assert!(!said.contains("written"), "{said}");
    assert_eq!(read(&project, A, "up.sql"), before);
    // Autogen did not write it, so it is not written anew.
    fs::remove_dir_all(path(&project, C, "")).expect("a folder");
    project
        .run(&["recreate", "anew"])
        .refused(&["was not written by autogen"]);
}

#[test]
fn what_an_earlier_header_was_known_by_is_still_known() {
    let (_server, database) = tests::database();
    let project = checkout().on(&database);
    let old = "-- trueup migration 1\n-- message: a\n-- parent: none\n-- proved: on some Postgres\n\nCREATE TABLE a ();\n";
    project.migration(A, old, "DROP TABLE a;\n");
    project.run(&["upgrade"]).done();
    project.made_on(&[A], B, "CREATE TABLE b ();\n", "DROP TABLE b;\n");
    let said = project.run(&["status"]).with(1).stdout;
    assert!(said.contains(&format!("never proved: {A}")), "{said}");
    project.run(&["prove"]).done();
    assert!(read(&project, A, "up.sql").contains("\n-- was: "));
    let said = project.run(&["status"]).with(1).stdout;
    assert!(
        said.contains("1 pending") && !said.contains("edited"),
        "{said}"
    );
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    // Its old name is that of the text that was proved, and of no other.
    edit(&project, A, "up.sql", |text| {
        text.replace("TABLE a", "TABLE  a")
    });
    let said = project.run(&["status"]).with(1).stdout;
    assert!(said.contains("changed after it was applied"), "{said}");
    project.run(&["prove"]).done();
    let said = project.run(&["status"]).with(1).stdout;
    assert!(said.contains("1 edited"), "{said}");
    // B was made on what A was before; that is mended when it is proved there.
    let said = project.run(&["history"]).with(0).stderr;
    assert!(said.contains("was made on it"), "{said}");
    project.run(&["prove", "--all"]).done();
    let said = project.run(&["history"]).with(0).stderr;
    assert!(!said.contains("was made on it"), "{said}");
}

#[test]
fn a_way_back_that_is_none_says_so() {
    let project = checkout();
    let outcome = |down: Option<&str>| {
        project.migration(
            A,
            "CREATE TABLE a (n int); INSERT INTO a VALUES (1);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'mine'; END$$;
             CREATE TRIGGER t BEFORE DELETE ON a FOR EACH ROW EXECUTE FUNCTION f();",
            down.unwrap_or_default(),
        );
        if down.is_none() {
            fs::remove_file(path(&project, A, "down.sql")).expect("a file");
        }
        let json = project.run(&["prove", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
        json["tried"][0]["outcome"]
            .as_str()
            .expect("a word")
            .to_owned()
    };
    for down in [
        None,
        Some("-- nothing\n"),
        Some("DO $$ BEGIN RAISE EXCEPTION 'irreversible'; END $$;"),
        Some("DROP TRIGGER t ON a; DO $x$ BEGIN RAISE 'no' USING ERRCODE = '0A000'; END $x$"),
    ] {
        assert_eq!(outcome(down), "irreversible", "{down:?}");
    }
    for down in [
        "DROP TABLE b;",
        "DO $$ BEGIN DROP TABLE b; END $$;",
        "DO $$ BEGIN EXECUTE 'DROP TABLE b'; END $$;",
        // The trigger refuses this, not the migration.
        "DO $$ BEGIN DELETE FROM a; END $$;",
        "DELETE FROM a;",
        "DO $$ BEGIN ASSERT false; END $$;",
        "DROP TABLE a",
    ] {
        let wanted = if down == "DROP TABLE a" {
            "strays"
        } else {
            "broken"
        };
        assert_eq!(outcome(Some(down)), wanted, "{down}");
    }
    assert_eq!(outcome(Some("DROP TABLE a; DROP FUNCTION f;")), "returns");
}

#[test]
fn what_runs_outside_of_a_transaction_is_proved_as_it_is_applied() {
    let project = checkout();
    project.migration(A, "CREATE TABLE a (n int);", "DROP TABLE a;");
    project.migration(
        B,
        "CREATE INDEX CONCURRENTLY i ON a (n);",
        "DROP INDEX CONCURRENTLY i;",
    );
    project
        .run(&["prove"])
        .refused(&["cannot run inside a transaction block"]);
    fs::write(
        path(&project, B, "metadata.toml"),
        "run_in_transaction = false\n",
    )
    .expect("a file");
    let said = project.run(&["prove", "2030-01-02"]).done();
    assert!(said.contains("1 header written"), "{said}");
    assert!(read(&project, B, "up.sql").contains(", run_in_transaction = false\n"));
    assert!(!read(&project, A, "up.sql").contains("trueup"));
    project.run(&["prove", "base..2030-01-01"]).done();
    project
        .run(&["prove", "2030-01-02.."])
        .refused(&["no migration in that range"]);
    project
        .run(&["prove", "2031"])
        .refused(&["there is no migration 2031"]);
    project.run(&["status"]).done();
}

#[test]
fn no_seal_is_trusted_when_all_are_to_be_proved() {
    let project = checkout().shipped();
    let shipped = project.folders().remove(0);
    // Somebody says that it was proved.
    project.made_on(&[&shipped], A, VIEW, "DROP VIEW public.w;\n");
    project.run(&["check"]).done();
    let said = project.run(&["check", "--prove"]).with(1).stdout;
    assert!(said.contains(&format!("{A}/down.sql:1: ")), "{said}");
}

#[test]
fn a_parent_that_is_gone_is_reported() {
    let project = with_view(NO_VIEW);
    project.made_on(&[A], B, "CREATE VIEW w AS SELECT 1;\n", "DROP VIEW w;\n");
    project.migration(C, "CREATE VIEW x AS SELECT 1;\n", "DROP VIEW x;\n");
    project.run(&["prove"]).done();
    project.run(&["check"]).done();
    fs::remove_dir_all(path(&project, A, "")).expect("a folder");
    fs::remove_dir_all(path(&project, B, "")).expect("a folder");
    let said = project.run(&["check"]).with(1).stdout;
    let words = format!("{C} was made on 20300102000000, which is not there");
    assert!(said.contains(&words), "{said}");
    project.run(&["status"]).with(1);
}

#[test]
fn what_becomes_of_rows_is_told() {
    let project = checkout();
    project.migration(A, "CREATE TABLE a (n int, m text);", "DROP TABLE a;");
    project.migration(
        B,
        "ALTER TABLE a ADD o int NOT NULL DEFAULT 1;",
        "ALTER TABLE a DROP o;",
    );
    project.migration(
        C,
        "UPDATE a SET m = 'all the same' WHERE m IS DISTINCT FROM 'all the same';",
        "SELECT 1;",
    );
    project.run(&["prove"]).done();
    let says = |name, words: &str| {
        let text = read(&project, name, "up.sql");
        assert!(text.contains(words), "{words:?} is not in: {text}");
    };
    assert!(!read(&project, A, "up.sql").contains("rows"));
    says(B, "; on the way up, rows in 1 of 1 tables kept\n");
    says(C, "; up changes or loses rows: public.a.m (");
}

/// Whatever one takes back for good, those after it find what they would on a database that only goes up.
#[test]
fn rows_that_a_way_back_loses_are_there_for_those_that_follow() {
    let project = checkout().shipped();
    let labels = "CREATE TABLE public.labels (id integer PRIMARY KEY); INSERT INTO public.labels VALUES (1);";
    project.migration(A, labels, "DROP TABLE public.labels;");
    project.migration(
        B,
        "INSERT INTO public.labels VALUES (2);",
        "DELETE FROM public.labels;",
    );
    let notes = "CREATE TABLE public.notes (label integer REFERENCES public.labels);
        INSERT INTO public.notes VALUES (1);
        DO $$ BEGIN IF EXISTS (SELECT FROM public.labels WHERE id = 1) THEN CREATE TABLE public.first (); END IF; END $$;";
    project.migration(C, notes, "DROP TABLE public.first, public.notes;");
    let said = project.run(&["check", "--prove"]).with(0);
    assert!(!said.stdout.contains("up and down"), "{said:?}");
    let first = project.run(&["inspect", "migrations"]).done();
    assert!(first.contains("public.first"), "{first}");
    // On a database that lacks the first label, this one would not come back.
    project.migration(
        "2030-01-04-000000_d",
        "CREATE VIEW public.v AS SELECT 1 AS one;",
        "DO $$ BEGIN IF (SELECT count(*) FROM public.labels) = 2 THEN DROP VIEW public.v; END IF; END $$;",
    );
    let said = project.run(&["check", "--prove"]).with(0);
    assert!(!said.stdout.contains("up and down"), "{said:?}");
}

/// The code around the tables runs before, after up.sql and after down.sql, as it does for what autogen drafts.
#[test]
fn code_that_ran_before_runs_after_what_a_person_wrote() {
    let body = |column: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log VALUES (NEW.{column});
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION titles() RETURNS SETOF text LANGUAGE sql AS 'SELECT {column} FROM a';"
        )
    };
    let code = format!(
        "CREATE TABLE a (id int PRIMARY KEY, title text);
        CREATE TABLE log (what text);
        {}
        CREATE TRIGGER noted BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION note();",
        body("title")
    );
    let no_code = "DROP FUNCTION titles(); DROP TABLE a, log; DROP FUNCTION note();";
    let (there, back) = (
        "ALTER TABLE a RENAME title TO name;",
        "ALTER TABLE a RENAME name TO title;",
    );
    let whole = |way: &str, column: &str| format!("{way}\n{}", body(column));
    let project = checkout();
    project.migration(A, &code, no_code);
    project.run(&["prove"]).done();

    project.migration(B, there, back);
    let said = project
        .run(&["check", "--offline", "--prove"])
        .with(1)
        .stdout;
    for words in [
        &format!("{B}/up.sql: code in the database that ran before does not run afterwards"),
        "in function public.note() line 3, called by trigger noted on public.a",
        "--allow 'code-breaks=public.note,public.titles'",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let said = project.run(&["prove"]).with(1).stdout;
    for words in [
        &format!("{B}/up.sql: code in the database that ran before does not run afterwards"),
        "in function public.note() line 3, called by trigger noted on public.a",
        "record \"new\" has no field \"title\"",
        "in function public.titles()",
        "--allow 'code-breaks=public.note,public.titles'",
        "1 migration is not proved",
    ] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    assert_eq!(read(&project, B, "up.sql"), there);

    // The way back forgets the old bodies.
    project.migration(B, &whole(there, "name"), back);
    let said = project.run(&["prove"]).with(1).stdout;
    let words = "pg_dump sees a difference: CREATE FUNCTION public.note()";
    assert!(said.contains(words), "{said}");

    project.migration(B, &whole(there, "name"), &whole(back, "title"));
    let said = project.run(&["prove"]).done();
    let words = "; the code around 1 table runs as before after up and down";
    assert!(said.contains(words), "{said}");

    project.migration(C, back, there);
    project.run(&["prove", "--allow", "data-loss"]).with(2);
    project
        .run(&["prove", "--allow", "code-breaks=public.note"])
        .with(1);
    let said = project.run(&["prove", "--allow", "code-breaks"]).done();
    assert!(
        said.contains(
            "; code that ran before fails: function public.note(), function public.titles()"
        ),
        "{said}"
    );
    // The header says so, and holds.
    let check = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["check", "--offline", "--prove"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let said = project.run(&arguments);
        said.stdout.contains("does not run afterwards")
    };
    assert!(!check(&[]));
    edit(&project, C, "up.sql", |text| text + "-- mended\n");
    assert!(check(&[]));
    assert!(check(&["--allow", "code-breaks=public.note"]));
    assert!(!check(&["--allow", "code-breaks"]));
    project
        .run(&["check", "--allow", "code-breaks"])
        .refused(&["--prove"]);
}

/// A table that a migration fills, and a trigger that goes on with it, as `crate_downloads` beside `crates`: the row that is tried
/// has its counter already, and a new one has none.
#[test]
fn a_row_that_was_counted_is_no_fault_of_the_trigger_that_counts() {
    let counter = "CREATE TABLE counts (a_id int PRIMARY KEY REFERENCES a ON DELETE CASCADE, n int NOT NULL DEFAULT 0);
        INSERT INTO counts (a_id) SELECT id FROM a;
        CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO counts (a_id) VALUES (NEW.id); RETURN NULL; END$$;
        CREATE TRIGGER counted AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION counted();";
    let back = "DROP TRIGGER counted ON a; DROP FUNCTION counted(); DROP TABLE counts;";
    let project = checkout();
    let noted = "CREATE TABLE a (id int PRIMARY KEY, title text); CREATE TABLE b (id int, a_id int REFERENCES a);
        CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
        CREATE TRIGGER noted BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION noted();";
    project.migration(A, noted, "DROP TABLE b, a; DROP FUNCTION noted();");
    // The same without a foreign key: nothing of it goes with the row.
    let alone = counter.replace("REFERENCES a ON DELETE CASCADE", "");
    for counter in [counter, &alone] {
        project.migration(B, counter, back);
        let said = project.run(&["prove"]).done();
        assert!(said.contains("written"), "{said}");
        // One that counts twice does fail.
        let twice = counter.replace("VALUES (NEW.id)", "VALUES (NEW.id), (NEW.id)");
        project.migration(B, &twice, back);
        let said = project.run(&["prove"]).with(1).stdout;
        assert!(
            said.contains("in function public.counted() line 1"),
            "{said}"
        );
    }
}

/// Nothing is lost by another name, wherever values of it are.
#[test]
fn what_gets_another_name_is_kept() {
    let project = checkout();
    let there = "CREATE TYPE mood AS ENUM ('glad', 'sad', 'so');
        CREATE TYPE felt AS (m mood, n int);
        CREATE DOMAIN feeling AS mood CHECK (VALUE <> 'so');
        CREATE TABLE a (id int PRIMARY KEY, m mood NOT NULL DEFAULT 'sad', many mood[], f felt, d feeling, CHECK (m <> 'so'));
        CREATE TABLE p (k mood) PARTITION BY LIST (k);
        CREATE TABLE p_sad PARTITION OF p FOR VALUES IN ('sad');
        CREATE TABLE p_others PARTITION OF p DEFAULT;";
    project.migration(
        A,
        there,
        "DROP TABLE p, a; DROP DOMAIN feeling; DROP TYPE felt, mood;",
    );
    let change_places =
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'x'; ALTER TYPE mood RENAME VALUE 'glad' TO 'sad';
        ALTER TYPE mood RENAME VALUE 'x' TO 'glad';";
    for (up, down) in [
        (
            "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
            "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad';",
        ),
        (change_places, change_places),
        (
            "ALTER TYPE mood RENAME TO temper; ALTER TYPE temper RENAME VALUE 'sad' TO 'blue';",
            "ALTER TYPE temper RENAME VALUE 'blue' TO 'sad'; ALTER TYPE temper RENAME TO mood;",
        ),
        (
            "ALTER TABLE a RENAME m TO mood;",
            "ALTER TABLE a RENAME mood TO m;",
        ),
        ("ALTER TABLE a RENAME TO b;", "ALTER TABLE b RENAME TO a;"),
        (
            "ALTER TABLE p RENAME k TO kind; ALTER TABLE p_sad RENAME TO sad;",
            "ALTER TABLE sad RENAME TO p_sad; ALTER TABLE p RENAME kind TO k;",
        ),
        (
            "CREATE SCHEMA other; ALTER TABLE a SET SCHEMA other;",
            "ALTER TABLE other.a SET SCHEMA public; DROP SCHEMA other;",
        ),
        (
            "ALTER TYPE felt RENAME ATTRIBUTE m TO o; ALTER TYPE felt RENAME TO feels;",
            "ALTER TYPE feels RENAME TO felt; ALTER TYPE felt RENAME ATTRIBUTE o TO m;",
        ),
        (
            "ALTER DOMAIN feeling RENAME TO feels;",
            "ALTER DOMAIN feels RENAME TO feeling;",
        ),
    ] {
        project.migration(B, up, down);
        let said = project.run(&["prove", "2030-01-02"]).done();
        let words = "on the way up, rows in 2 of 2 tables kept";
        assert!(said.contains(words), "{up}: {said}");
    }
    for up in [
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'; UPDATE a SET m = 'glad';",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'; UPDATE a SET many = '{blue}';",
    ] {
        project.migration(B, up, "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad';");
        let said = project.run(&["prove", "2030-01-02"]).done();
        let words = "up changes or loses rows: public.a.m";
        assert!(said.contains(words), "{up}: {said}");
    }
}

/// A branch that no row reaches is read, as it is for what autogen drafts.
#[test]
fn code_that_names_what_changes_is_told_for_what_a_person_wrote() {
    let body = |column: &str, of: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION {of}() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF extract(year FROM now()) < 1990 THEN
        UPDATE people SET {column} = NULL;
        INSERT INTO people VALUES (1, 'a', 2);
    END IF;
END $$;"
        )
    };
    let project = checkout();
    let there = format!(
        "CREATE TABLE people (id int PRIMARY KEY, full_name text, age int); {}",
        body("full_name", "f")
    );
    project.migration(A, &there, "DROP FUNCTION f(); DROP TABLE people;");
    let names = |line: usize, because: &str| {
        format!("; up may break function public.f() line {line}: it {because}")
    };
    let renamed = names(
        4,
        "names public.people.full_name, which is called name then",
    );
    let (rename, back) = (
        "ALTER TABLE people RENAME full_name TO name;",
        "ALTER TABLE people RENAME name TO full_name;",
    );
    for (up, down, words) in [
        (rename, back, renamed.clone()),
        (
            "ALTER TABLE people DROP age;",
            "ALTER TABLE people ADD age int;",
            names(5, "takes every column of public.people, and age goes"),
        ),
        (
            "ALTER TABLE people ALTER full_name TYPE varchar(9);",
            "ALTER TABLE people ALTER full_name TYPE text;",
            names(
                4,
                "names public.people.full_name, which is character varying(9) then",
            ),
        ),
    ] {
        project.migration(B, up, down);
        let said = project.run(&["prove", "2030-01-02"]).done();
        assert!(said.contains(&words), "{words:?} is not in: {said}");
        assert!(read(&project, B, "up.sql").contains(&words));
    }
    // The file itself sees to it.
    let whole = |way: &str, column: &str| format!("{way} {}", body(column, "f"));
    project.migration(B, &whole(rename, "name"), &whole(back, "full_name"));
    let said = project.run(&["prove", "2030-01-02"]).done();
    assert!(!said.contains("may break"), "{said}");
}
