//! Pairs of schemas that nobody thought of: the way there and the way back are proved, on rows, what hazards say and what was
//! measured agree, and what `inspect` prints builds the same schema.
//!
//! `TRUEUP_PAIRS` says how many (300), `TRUEUP_SEED` from which number the chance begins (0); `make fuzz` takes more and
//! another seed each time. A pair that fails is made as small as it can be and written to `fixtures/found/`, where it is a
//! case like the others.

mod shape;
mod sql;

use std::{fs, path::PathBuf};

use generator::{
    Error, ErrorKind, Project,
    draft::{DraftOptions, draft},
    pipeline::compare,
    plan::Folding,
    postgres::{connection, scratch::Locale},
    prove, render, source,
};
use libtest_mimic::{Arguments, Failed, Trial};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use shape::{Pair, Which};
use tests::hazards;
use trueup::Schema;

/// As many tests as run beside each other on a small machine, and some.
const TESTS: u64 = 8;

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let number = |name: &str, default: u64| {
        let written = std::env::var(name).ok();
        written.map_or(default, |text| {
            text.parse()
                .unwrap_or_else(|error| panic!("{name}={text}: {error}"))
        })
    };
    let (pairs, seed) = (number("TRUEUP_PAIRS", 300), number("TRUEUP_SEED", 0));
    let trials = (0..TESTS).map(|part| {
        let name = format!("pairs from seed {seed}, part {part}");
        let count = u32::try_from(pairs.div_ceil(TESTS)).unwrap_or(u32::MAX);
        Trial::test(name, move || hold(count, seed * TESTS + part))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn hold(count: u32, seed: u64) -> Result<(), Failed> {
    let project = tests::project(PathBuf::from("no migrations"));
    let major = project.scratch(None)?.major();
    let config = Config {
        cases: count,
        max_shrink_iters: 150,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng).run(&shape::pairs(), |pair| {
        tried(&project, &pair, major).map_err(|error| TestCaseError::fail(error.full()))
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, pair)) => {
            let folder = write(&pair, major)?;
            Err(format!("{}: {reason}", folder.display()).into())
        }
        Err(TestError::Abort(reason)) => Err(reason.to_string().into()),
    }
}

/// There and back, with children in their parents' CREATE or, for every other pair, without; and the schema from what is
/// printed of it. A change that is declined is no failure.
fn tried(project: &Project, pair: &Pair, major: u32) -> Result<(), Error> {
    let (from, to) = (
        sql::side(pair, Which::From, major),
        sql::side(pair, Which::To, major),
    );
    let options = DraftOptions {
        folding: if (from.len() + to.len()).is_multiple_of(2) {
            Folding::Wherever
        } else {
            Folding::OnlyForMeaning
        },
        ..DraftOptions::default()
    };
    let target = side(project, &to)?;
    if rebuilds(project, &target.schema).is_err() {
        // The SQL that Postgres prints may print differently when it is read again.
        let reprinted = source::reprinted(project, target.clone())?;
        rebuilds(project, &reprinted.schema)?;
    }
    match draft(project, side(project, &from)?, target, options) {
        Err(error) if error.kind() == ErrorKind::NotYet => Ok(()),
        done => match done? {
            Some(draft) => hazards::told(&draft).map_err(Error::input),
            None => Ok(()),
        },
    }
}

fn side(project: &Project, sql: &str) -> Result<source::Side, Error> {
    let database = project.scratch(None)?.create(&Locale::default())?;
    if !sql.is_empty() {
        connection::run_sql(&mut database.connect()?, sql, "one side")?;
    }
    source::side(database)
}

fn rebuilds(project: &Project, schema: &Schema) -> Result<(), Error> {
    let database = project.scratch(None)?.create(&Locale::default())?;
    let plan = compare::rebuild(schema)?;
    if !plan.is_empty() {
        let sql = render::sql(plan.statements());
        connection::run_sql(&mut database.connect()?, &sql, "inspect --format sql")?;
    }
    let reached = source::side(database)?;
    prove::equal(&reached.schema, schema, "inspect --format sql")
}

/// Writes a pair as a case.
fn write(pair: &Pair, major: u32) -> Result<PathBuf, Failed> {
    let texts = [Which::From, Which::To].map(|which| sql::side(pair, which, major));
    let digest = digest(&texts);
    let folder = tests::root().join(format!("fixtures/found/{digest}"));
    fs::create_dir_all(&folder)?;
    for (name, text) in ["from.sql", "to.sql"].iter().zip(&texts) {
        fs::write(folder.join(name), text)?;
    }
    Ok(folder)
}

/// A name for the case that the same pair always has.
fn digest(texts: &[String; 2]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
