//! Output for other programs: CI, editors, shells, manuals.

use std::fs;

use serde_json::Value;

use crate::checkout;

/// Insists that a check's JSON is as the published schema says.
fn assert_valid(schema: &Value, json: &str) -> Value {
    let json: Value = serde_json::from_str(json).expect("JSON");
    let mut wrong = Vec::new();
    validate(schema, schema, &json, "", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}\n{json:#}");
    json
}

/// As much of JSON Schema as ours uses: a validator with all of it brings forty crates along. A word that is not known here
/// is wrong as well.
fn validate(root: &Value, schema: &Value, json: &Value, at: &str, wrong: &mut Vec<String>) {
    for (word, says) in schema.as_object().expect("a schema") {
        let fine = match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "examples" => true,
            "$ref" => {
                let path = says.as_str().expect("a reference").trim_start_matches('#');
                let other = root.pointer(path).expect("a definition");
                validate(root, other, json, at, wrong);
                true
            }
            "type" => {
                let is = match json {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                says == is
                    || says
                        .as_array()
                        .is_some_and(|all| all.iter().any(|one| one == is))
            }
            "enum" => says.as_array().expect("values").contains(json),
            "minimum" => json.as_i64() >= says.as_i64(),
            "items" => {
                for (number, item) in json.as_array().into_iter().flatten().enumerate() {
                    validate(root, says, item, &format!("{at}/{number}"), wrong);
                }
                true
            }
            "required" => {
                let mut names = says.as_array().expect("names").iter();
                json.is_null()
                    || names.all(|name| json.get(name.as_str().expect("a name")).is_some())
            }
            "properties" => {
                for (name, value) in json.as_object().into_iter().flatten() {
                    match says.get(name) {
                        Some(says) => validate(root, says, value, &format!("{at}/{name}"), wrong),
                        None => wrong.push(format!("{at}/{name} is not in the schema")),
                    }
                }
                true
            }
            "additionalProperties" => says == false,
            _ => false,
        };
        if !fine {
            wrong.push(format!("{at}: {word} is {says}"));
        }
    }
}

#[test]
fn what_check_prints_is_as_its_schema_says() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let schema = project.run(&["check", "--json-schema"]).done();
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let check = |code| {
        let said = project.run(&["check", "--format", "json"]).with(code);
        assert_valid(&schema, &said.stdout)
    };

    assert_eq!(check(1)["pending"].as_array().map(Vec::len), Some(1));
    project.run(&["upgrade"]).done();
    assert_eq!(check(0)["in_sync"], true);
    tests::run(
        &database,
        "ALTER TABLE users DROP COLUMN email; CREATE TABLE foreign_table (); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    );
    let found = check(1);
    let email = found["database"].as_array().and_then(|all| {
        all.iter()
            .find(|one| one["object"] == "column public.users.email")
    });
    assert_eq!(email.expect("a difference")["origin"]["field"], "email");
    tests::run(
        &database,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('2031')",
    );
    let found = check(1);
    assert_eq!(found["unknown"], serde_json::json!(["2031"]));
    // An unknown migration may have done anything.
    assert_eq!(found["database"], serde_json::json!([]));
    let more = "ALTER TABLE users ADD COLUMN extra integer;";
    project.migration(
        "2032-01-01-000000_more",
        more,
        "ALTER TABLE users DROP COLUMN extra;",
    );
    let offline = project
        .run(&["check", "--offline", "--format", "json"])
        .with(1);
    let offline = assert_valid(&schema, &offline.stdout);
    assert_eq!(offline["compared"], Value::Null);
}

#[test]
fn github_gets_annotations_at_the_structs() {
    let project = checkout().shipped();
    let less = "ALTER TABLE users DROP COLUMN full_name; CREATE TABLE by_hand ();";
    let first = project.folders().remove(0);
    project.made_on(&[&first], "2030-01-01-000000_less", less, "SELECT 1;");
    let said = project
        .run(&["check", "--offline", "--format", "github"])
        .with(1);
    let lines: Vec<&str> = said.stdout.lines().collect();
    let path = tests::root().join("models/src/user.rs");
    let source = fs::read_to_string(path).expect("a file");
    let line = source
        .lines()
        .position(|line| line.contains("pub full_name"));
    let line = line.expect("a field") + 1;
    let expected = format!(
        "::error file=models/src/user.rs,line={line},title=models and migrations differ::column public.users.full_name is in \
         the models and not in the migrations"
    );
    assert!(lines.contains(&expected.as_str()), "{lines:#?}");
    assert!(
        lines.contains(&"::error title=models and migrations differ::table public.by_hand is in the migrations and not in the models"),
        "{lines:#?}"
    );
    assert!(said.stdout.contains("models and migrations  "), "{said:?}");
}

#[test]
fn models_are_listed_with_file_and_line() {
    let project = checkout();
    let text = project.run(&["models"]).done();
    let user = text
        .lines()
        .find(|line| line.starts_with("table public.users"));
    let user = user.expect("a line");
    for words in ["models::user::User ", "models/src/user.rs:"] {
        assert!(user.contains(words), "{user}");
    }
    assert!(
        text.contains("enum type public.calibration_status"),
        "{text}"
    );
    assert!(
        text.ends_with("models linked into this program\n"),
        "{text}"
    );
    let json = project.run(&["models", "--format", "json"]).done();
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["problem"], Value::Null);
    let none = tests::checkout::Checkout::new(env!("CARGO_BIN_EXE_modelless"));
    assert!(
        none.run(&["models"])
            .with(1)
            .stdout
            .contains("no models in this program")
    );
}

#[test]
fn shells_and_manuals_know_the_commands() {
    let project = checkout();
    for shell in ["bash", "zsh", "fish"] {
        let script = project.run(&["completions", shell]).done();
        assert!(
            script.contains("autogen") && script.contains("recreate"),
            "{shell}"
        );
    }
    let said = project.run(&["man", "man1"]).done();
    assert!(said.ends_with(" pages in man1\n"), "{said}");
    let page = fs::read_to_string(project.path().join("man1/trueup-db-drop.1")).expect("a page");
    assert!(page.contains("yes\\-destroy"), "{page}");
}
