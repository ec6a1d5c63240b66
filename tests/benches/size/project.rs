//! A project with many models, made and built as a user's would be, and its commands timed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::measure::{best, shown};
use super::schema::state;

const MANIFEST: &str = r#"[package]
name = "many-models"
version = "0.0.0"
edition = "2024"

[dependencies]
cli = { path = "ROOT/cli", default-features = false }
trueup = { path = "ROOT/generator/schema", features = ["chrono"] }

[workspace]

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
opt-level = 1
debug = false
"#;

const MAIN: &str = "
mod models;

fn main() -> std::process::ExitCode {
    cli::main()
}
";

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: PathBuf,
    binary: PathBuf,
}

impl Project {
    /// Writes a project of this many models, and builds it.
    pub(crate) fn new(models: usize) -> Self {
        let root = fs::canonicalize(tests::root()).expect("the repository");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        let profile = if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        };
        let project = Self {
            folder: target.join("bench/many-models"),
            binary: target.join(profile).join("many-models"),
        };
        let source = project.folder.join("src");
        fs::create_dir_all(&source).expect("a folder");
        let _ = fs::remove_dir_all(project.folder.join("migrations"));
        fs::create_dir_all(project.folder.join("migrations")).expect("a folder");
        let manifest = MANIFEST.replace("ROOT", root.to_str().expect("a path in UTF-8"));
        fs::write(project.folder.join("Cargo.toml"), manifest).expect("a file");
        // The versions that are built already.
        fs::copy(root.join("Cargo.lock"), project.folder.join("Cargo.lock")).expect("a file");
        fs::write(source.join("main.rs"), MAIN).expect("a file");
        project.models(models, "");
        project.build(&target);
        project
    }

    /// Builds it anew with another field in the first model.
    pub(crate) fn edit(&self, models: usize) -> Duration {
        self.models(models, "    pub note: Option<String>,\n");
        let target = self
            .binary
            .parent()
            .and_then(Path::parent)
            .expect("a folder");
        best(1, || self.build(target))
    }

    /// Time of a command, which must end with this code.
    pub(crate) fn time(&self, rounds: usize, code: i32, arguments: &[&str]) -> String {
        shown(best(rounds, || {
            let output = Command::new(&self.binary)
                .args(arguments)
                .current_dir(&self.folder)
                .env_remove("DATABASE_URL")
                .output()
                .expect("it runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        }))
    }

    fn models(&self, models: usize, more: &str) {
        let mut text = "#![allow(dead_code)]\nuse trueup::{Model, PgEnum};\n".to_owned();
        for number in 0..models {
            if number % 10 == 0 {
                text += &format!(
                    "\n#[derive(PgEnum)]\n#[model(type = \"state_{number}\")]\npub enum State{number} {{\n    New,\n    Done,\n}}\n"
                );
            }
            text += &model(number, if number == 0 { more } else { "" });
        }
        fs::write(self.folder.join("src/models.rs"), text).expect("a file");
    }

    fn build(&self, target: &Path) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--target-dir"]).arg(target);
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let status = cargo.current_dir(&self.folder).status();
        assert!(
            status.expect("cargo runs").success(),
            "the models do not build"
        );
    }
}

/// The struct for a table that [`super::schema`] makes in SQL.
fn model(number: usize, more: &str) -> String {
    let state = state(number);
    let references = match number.checked_sub(1) {
        Some(before) => {
            format!("    #[model(references = T{before}::id, on_delete = \"cascade\")]\n")
        }
        None => String::new(),
    };
    format!(
        r#"
/// What is counted under number {number}.
#[derive(Model)]
#[model(table = "t{number}", index(name), index(columns(created_at(desc)), where = "active"))]
pub struct T{number} {{
    #[model(primary_key, identity = "by default")]
    pub id: i64,
    #[model(sql_type = "varchar(80)")]
    pub name: String,
    /// Where to ask.
    #[model(unique)]
    pub email: Option<String>,
    #[model(default = "0", check("quantity >= 0"))]
    pub quantity: i32,
    #[model(sql_type = "numeric(12,2)", default = "0.00")]
    pub price: String,
    #[model(default = "true")]
    pub active: bool,
    #[model(default = "'new'")]
    pub state: State{state},
    #[model(sql_type = "jsonb")]
    pub payload: Option<String>,
    #[model(sql_type = "timestamptz", default = "now()")]
    pub created_at: String,
{references}    pub parent_id: Option<i64>,
{more}}}
"#
    )
}
