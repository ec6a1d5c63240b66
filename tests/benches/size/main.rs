//! Benchmarks of trueup at size: prints the tables of `benches/size.md`. `make bench` runs them in release,
//! `cargo bench --profile dev` as `cargo run` would.
#![expect(clippy::print_stdout, reason = "the tables are what this is for")]

mod measure;
mod project;
mod schema;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use generator::{
    plan::{Folding, plan},
    postgres::{
        catalog,
        connection::connect,
        scratch::{Database, Locale, Scratch},
        url::Url,
    },
};

use measure::{best, peak_memory, shown};
use project::Project;

/// The argument with which this program is a process of its own that only reads, compares and plans.
const MEMORY: &str = "--memory-of";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, from, to] = arguments.as_slice()
        && flag == MEMORY
    {
        return println!("{}", memory(from, to));
    }
    let wanted: Vec<usize> = arguments
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = if wanted.is_empty() {
        vec![1_000, 5_000, 10_000]
    } else {
        wanted
    };
    let project = tests::project(PathBuf::new());
    let scratch = project.scratch(None).expect("a scratch");
    let mode = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    println!("PostgreSQL {}, {mode} build\n", scratch.version_text());
    println!(
        "| tables | psql, the same SELECTs | trueup reads | ratio | queries | diff + plan, one change | memory, two schemas |"
    );
    println!("|---|---|---|---|---|---|---|");
    let psql = project.binaries.psql().expect("psql");
    for tables in sizes {
        println!("{}", row(scratch, &psql, tables));
    }
    commands();
}

/// The commands at 1,000 models, each with all that it starts.
fn commands() {
    const MODELS: usize = 1_000;
    let project = Project::new(MODELS);
    let first = project.time(1, 0, &["autogen", "begin"]);
    let check = project.time(1, 0, &["check"]);
    let again = project.time(5, 0, &["check"]);
    let build = shown(project.edit(MODELS));
    let changed = project.time(1, 1, &["check"]);
    let autogen = project.time(1, 0, &["autogen", "add a note", "--dry-run"]);
    println!("\n| at {MODELS} models | |\n|---|---|");
    println!("| `autogen` of all of them, with proof | {first} |");
    println!("| `check`, the first after a change | {check} |");
    println!("| `check`, nothing changed | {again} |");
    println!("| `cargo build` after a field was added | {build} |");
    println!("| `check` then | {changed} |");
    println!("| `autogen` of it, with proof | {autogen} |");
}

fn row(scratch: &Scratch, psql: &Path, tables: usize) -> String {
    let database = scratch.create(&Locale::default()).expect("a database");
    fill(&database, tables);
    let changed = scratch.copy(&database).expect("a copy");
    tests::run(&changed, "ALTER TABLE t0 ADD COLUMN note text");
    let mut connection = database.connect().expect("a connection");
    let mut read = || catalog::read(&mut connection).expect("a schema");
    let from = read();
    let queries = catalog::queries(from.server());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("catalog.sql");
    let begin = format!(
        "SET jit = off;\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{};\n",
        catalog::SETTINGS
    );
    std::fs::write(&file, format!("{begin}{};\nCOMMIT;\n", queries.join(";\n"))).expect("a file");
    let url = database.url();
    let theirs = || {
        let mut command = Command::new(psql);
        command
            .args(["-X", "-qAt", "-o", "/dev/null", "-f"])
            .arg(&file)
            .arg(url.as_secret_str());
        assert!(command.status().expect("psql").success());
    };
    let (mut psql_time, mut our_time) = (best(1, theirs), best(1, || drop(read())));
    for _ in 0..4 {
        psql_time = psql_time.min(best(1, theirs));
        our_time = our_time.min(best(1, || drop(read())));
    }
    let to = catalog::read(&mut changed.connect().expect("a connection")).expect("a schema");
    let compare = best(5, || {
        let plan = plan(&from, &to, Folding::Wherever).expect("a plan");
        assert_eq!(plan.statements().count(), 1);
    });
    let this = std::env::current_exe().expect("this program");
    let output = Command::new(this)
        .args([MEMORY, url.as_secret_str(), changed.url().as_secret_str()])
        .output()
        .expect("this program runs");
    format!(
        "| {tables} | {} | {} | {:.2} | {} | {} | {} MB |",
        shown(psql_time),
        shown(our_time),
        our_time.as_secs_f64() / psql_time.as_secs_f64(),
        queries.len(),
        shown(compare),
        String::from_utf8_lossy(&output.stdout).trim()
    )
}

/// Makes the tables, and has Postgres look at its catalog as autovacuum would.
fn fill(database: &Database, tables: usize) {
    let mut connection = database.connect().expect("a connection");
    let mut run =
        |sql: &str| diesel::connection::SimpleConnection::batch_execute(&mut connection, sql);
    schema::sql(tables)
        .split_inclusive("'Where to ask';\n")
        .collect::<Vec<_>>()
        .chunks(500)
        .map(<[&str]>::concat)
        .chain(["ANALYZE".to_owned()])
        .try_for_each(|sql| run(&sql))
        .expect("tables");
}

fn memory(from: &str, to: &str) -> u64 {
    let read = |url: &str| {
        let url = Url::parse(url).expect("a URL");
        catalog::read(&mut connect(&url).expect("a connection")).expect("a schema")
    };
    let (from, to) = (read(from), read(to));
    plan(&from, &to, Folding::Wherever).expect("a plan");
    peak_memory()
}
