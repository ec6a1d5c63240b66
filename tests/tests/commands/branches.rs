//! Two branches that each made a migration on the same one.

use std::fs;

use tests::checkout::Checkout;

use crate::checkout;

const BASE: &str = "2030-01-01-000000_base";
const MINE: &str = "2030-01-02-000000_mine";
const THEIRS: &str = "2030-01-03-000000_theirs";

/// A project with the others' migrations, and one migration that is only here.
fn two(mine: [&str; 2], theirs: [&str; 2]) -> Checkout {
    let project = checkout();
    project.made_on(
        &[],
        BASE,
        "CREATE TABLE t (id integer PRIMARY KEY, name text DEFAULT 'a', old text);\n",
        "DROP TABLE t;\n",
    );
    project.made_on(&[BASE], THEIRS, theirs[0], theirs[1]);
    project.pushed();
    project.made_on(&[BASE], MINE, mine[0], mine[1]);
    project
}

fn apart() -> Checkout {
    two(
        [
            "ALTER TABLE t ADD mine text;\n",
            "ALTER TABLE t DROP mine;\n",
        ],
        [
            "ALTER TABLE t ADD theirs text;\n",
            "ALTER TABLE t DROP theirs;\n",
        ],
    )
}

#[test]
fn two_heads_are_seen() {
    let (_server, database) = tests::database();
    let project = apart().on(&database);
    let heads = project.run(&["heads"]).with(1).stdout;
    assert!(heads.contains(MINE) && heads.contains(THEIRS), "{heads}");
    let status = project.run(&["status"]).with(1).stdout;
    assert!(status.contains("two heads"), "{status}");
    project
        .run(&["upgrade"])
        .refused(&["two heads", MINE, THEIRS, "`trueup rebase`"]);
    let mut connection = database.connect().expect("a connection");
    assert!(tests::holds(&mut connection, "to_regclass('t') IS NULL"));
    // One of them alone is no harm.
    project.run(&["upgrade", "+2"]).done();
    project.run(&["upgrade"]).refused(&["two heads"]);
    project.run(&["upgrade", "--allow-out-of-order"]).done();
    let check = project.run(&["check", "--format", "json"]).with(1).stdout;
    assert!(check.contains("without knowing of each other"), "{check}");
}

#[test]
fn rebase_moves_what_is_only_here() {
    let (_server, database) = tests::database();
    let project = apart().on(&database);
    project.run(&["upgrade", "2030-01-01"]).done();
    let said = project.run(&["rebase", "--format", "json"]).done();
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["removed"], serde_json::json!([MINE]));
    assert_eq!(said["shared"], serde_json::json!([]));
    let proof = said["proof"].as_str().unwrap_or_default();
    assert!(
        proof.contains("down gives exactly what was there before"),
        "{said}"
    );
    let folders = project.folders();
    assert_eq!(folders[..2], [BASE, THEIRS]);
    assert!(folders[2].ends_with("_mine"), "{folders:?}");
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert!(up.contains("-- parent: 20300103000000 "), "{up}");
    assert!(up.ends_with("\n\nALTER TABLE t ADD mine text;\n"), "{up}");
    project.run(&["heads"]).done();
    project.run(&["upgrade"]).done();
    project.run(&["status"]).done();
    assert!(
        project
            .run(&["rebase"])
            .done()
            .contains("nothing to rebase")
    );
}

/// Two branches on which the models are one thing and the migrations are not there yet: each misses an index and a default.
fn models_ahead(theirs: [&str; 2]) -> Checkout {
    let project = checkout().shipped();
    let begin = project.folders().remove(0);
    project.made_on(
        &[&begin],
        BASE,
        "DROP INDEX users_lower_idx;\nALTER TABLE users ALTER active DROP DEFAULT;\n",
        "SELECT 1;\n",
    );
    project.run(&["autogen", "mine"]).done();
    let mine = project.newest();
    let away = project.path().join("away");
    fs::rename(&mine, &away).expect("a folder");
    project.made_on(&[BASE], THEIRS, theirs[0], theirs[1]);
    project.pushed();
    fs::rename(&away, &mine).expect("a folder");
    project
}

#[test]
fn rebase_drafts_anew_what_autogen_wrote() {
    let project = models_ahead([
        "ALTER TABLE users ALTER active SET DEFAULT false;\n",
        "ALTER TABLE users ALTER active DROP DEFAULT;\n",
    ]);
    let said = project.run(&["rebase"]).done();
    assert!(said.contains("drafted anew from the models"), "{said}");
    assert!(
        said.contains("default public.users.active is changed by"),
        "{said}"
    );
    assert!(said.contains("up gives exactly the target"), "{said}");
    // Its way back is to what the others left, and no longer to what was there when it was written.
    let read = |file| fs::read_to_string(project.newest().join(file)).expect("a file");
    let (up, down) = (read("up.sql"), read("down.sql"));
    assert!(
        up.contains("-- message: mine\n-- parent: 20300103000000 "),
        "{up}"
    );
    assert!(
        up.contains("SET DEFAULT true;") && up.contains("CREATE INDEX users_lower_idx"),
        "{up}"
    );
    assert!(down.contains("SET DEFAULT false;"), "{down}");
    assert_eq!(project.folders().len(), 4);
    project.run(&["check"]).done();

    // The others' part of the work is left out; nothing is left where they did all of it.
    let index = "CREATE INDEX users_lower_idx ON users (lower(full_name));\n";
    let project = models_ahead([index, "DROP INDEX users_lower_idx;\n"]);
    project.run(&["rebase"]).done();
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert!(
        up.contains("SET DEFAULT true;") && !up.contains("INDEX"),
        "{up}"
    );
    let all = format!("{index}ALTER TABLE users ALTER active SET DEFAULT true;\n");
    let project = models_ahead([&all, "SELECT 1;\n"]);
    let said = project.run(&["rebase"]).done();
    assert!(said.contains("nothing is left of it to do"), "{said}");
    assert_eq!(project.folders().len(), 3);
    project.run(&["check"]).done();
}

#[test]
fn rebase_keeps_what_somebody_mended() {
    let project = models_ahead([
        "ALTER TABLE users ADD theirs text;\n",
        "ALTER TABLE users DROP theirs;\n",
    ]);
    // The models do not know what the others made, and what they do not know is not dropped.
    let said = project.run(&["rebase"]).done();
    assert!(said.contains("with the SQL as it was"), "{said}");
    let project = models_ahead(["CREATE VIEW v AS SELECT 1;\n", "DROP VIEW v;\n"]);
    let up = project
        .path()
        .join("migrations")
        .join(&project.folders()[2]);
    let up = up.join("up.sql");
    let text = fs::read_to_string(&up).expect("a file");
    fs::write(&up, text + "UPDATE users SET active = true;\n").expect("a file");
    let said = project.run(&["rebase"]).done();
    assert!(said.contains("with the SQL as it was"), "{said}");
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert!(up.ends_with("UPDATE users SET active = true;\n"), "{up}");
}

#[test]
fn rebase_does_not_move_what_is_applied_or_shared() {
    let (_server, database) = tests::database();
    let project = apart().on(&database);
    project.run(&["upgrade", "2030-01-02"]).done();
    project
        .run(&["rebase"])
        .refused(&[MINE, "is applied", "`trueup downgrade 20300101000000`"]);
    project.run(&["rebase", "2030-01-03"]).refused(&[
        THEIRS,
        "others could have",
        "`trueup merge`",
    ]);
    project.run(&["downgrade", "20300101000000"]).done();
    project.run(&["rebase", "2030-01-02"]).done();
    project.run(&["upgrade"]).done();
}

#[test]
fn rebase_without_git_asks_which_is_yours() {
    let project = apart();
    fs::remove_dir_all(project.path().join(".git")).expect("a folder");
    project
        .run(&["rebase"])
        .refused(&["not known", &format!("`trueup rebase {MINE}`")]);
    project.run(&["rebase", MINE]).done();

    // The database has the others' already.
    let (_server, database) = tests::database();
    let project = apart().on(&database);
    fs::remove_dir_all(project.path().join(".git")).expect("a folder");
    let mine = project.path().join("migrations").join(MINE);
    let away = project.path().join("away");
    fs::rename(&mine, &away).expect("a folder");
    project.run(&["upgrade"]).done();
    fs::rename(&away, &mine).expect("a folder");
    project
        .run(&["upgrade"])
        .refused(&["older than", "`trueup rebase`"]);
    project.run(&["rebase"]).done();
    project.run(&["upgrade"]).done();
}

#[test]
fn rebase_names_what_both_change_and_refuses_what_does_not_hold() {
    let project = two(
        [
            "ALTER TABLE t ALTER name SET DEFAULT 'mine';\n",
            "ALTER TABLE t ALTER name SET DEFAULT 'a';\n",
        ],
        [
            "ALTER TABLE t ALTER name SET DEFAULT 'theirs';\n",
            "ALTER TABLE t ALTER name SET DEFAULT 'a';\n",
        ],
    );
    let folders = project.folders();
    let said = project.run(&["rebase"]).refused(&[
        "leaves something else",
        "default public.t.name is changed by",
        MINE,
        THEIRS,
    ]);
    assert!(said.contains("trueup uncommit"), "{said}");
    assert_eq!(project.folders(), folders);
    project
        .run(&["uncommit", BASE, "--force"])
        .refused(&["was made on", "stays"]);
    project.run(&["uncommit", MINE]).done();
    assert_eq!(project.folders(), [BASE, THEIRS]);

    let project = two(
        ["CREATE INDEX i ON t (old);\n", "DROP INDEX i;\n"],
        ["ALTER TABLE t DROP old;\n", "ALTER TABLE t ADD old text;\n"],
    );
    project.run(&["rebase"]).refused(&[
        "does not run after the others",
        "column \"old\" does not exist",
    ]);
    let project = two(
        ["ALTER TABLE t ADD x int;\n", "ALTER TABLE t DROP x;\n"],
        [
            "DROP TABLE t;\n",
            "CREATE TABLE t (id integer PRIMARY KEY, name text DEFAULT 'a', old text);\n",
        ],
    );
    project
        .run(&["rebase"])
        .refused(&["table public.t is changed by"]);
}

#[test]
fn merge_joins_what_others_have() {
    let (_server, database) = tests::database();
    let project = apart().on(&database);
    project.git(&["add", "migrations"]);
    project.git(&["commit", "--quiet", "--message", "mine too"]);
    project.git(&["push", "--quiet"]);
    project
        .run(&["rebase"])
        .refused(&["others could have all", "`trueup merge`"]);
    // This database has the newer one first.
    let mine = project.path().join("migrations").join(MINE);
    let away = project.path().join("away");
    fs::rename(&mine, &away).expect("a folder");
    project.run(&["upgrade"]).done();
    fs::rename(&away, &mine).expect("a folder");

    let said = project.run(&["merge"]).done();
    assert!(said.contains("the same in every order"), "{said}");
    assert!(project.newest().ends_with(project.folders()[3].as_str()));
    let up = fs::read_to_string(project.newest().join("up.sql")).expect("a file");
    assert_eq!(up.matches("-- parent: ").count(), 2, "{up}");
    project.run(&["heads"]).done();
    // A merge has tried both orders.
    let said = project.run(&["upgrade"]).done();
    assert!(
        said.contains(MINE) && said.contains("_merge_heads"),
        "{said}"
    );
    project.run(&["status"]).done();
    project.run(&["merge"]).refused(&["one head"]);

    let empty = tests::database();
    let project = project.on(&empty.1);
    project.run(&["upgrade"]).done();
    project.run(&["downgrade", "base"]).done();
}

#[test]
fn merge_refuses_where_the_order_matters() {
    let project = two(
        [
            "ALTER TABLE t ALTER name SET DEFAULT 'mine';\n",
            "SELECT 1;\n",
        ],
        [
            "ALTER TABLE t ALTER name SET DEFAULT 'theirs';\n",
            "SELECT 1;\n",
        ],
    );
    let folders = project.folders();
    project.run(&["merge"]).refused(&[
        "it matters which branch is applied first",
        "default public.t.name is different",
        "is changed by",
    ]);
    assert_eq!(project.folders(), folders);
}
