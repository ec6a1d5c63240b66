//! The live server and the scratch are of different majors: what they print is never compared, and what is drafted on the one
//! runs on the other. `TRUEUP_MAJORS` names the majors, each of which is tried with the next.

use std::process::ExitCode;

use generator::{
    Project,
    postgres::scratch::{Database, Locale},
};
use libtest_mimic::{Arguments, Failed, Trial};
use tests::checkout::Checkout;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let majors: Vec<u32> = tests::majors().0.into_iter().flatten().collect();
    let next = majors.iter().cycle().skip(1);
    let pairs = majors
        .iter()
        .zip(next)
        .filter(|(live, other)| live != other);
    let mut trials: Vec<Trial> = pairs
        .map(|(live, other)| {
            let (live, other) = (*live, *other);
            let name = format!("a live PostgreSQL {live}, a scratch of {other}");
            Trial::test(name, move || day(live, other))
        })
        .collect();
    if trials.is_empty() {
        let name = "TRUEUP_MAJORS names no two that this machine has";
        trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn server(major: u32) -> Result<(Project, Database), Failed> {
    let project = tests::project_on(Some(major));
    let database = project.scratch(None)?.create(&Locale::default())?;
    Ok((project, database))
}

/// A column that goes in a migration and comes again because the models say so, and one that goes behind our back.
fn day(live: u32, other: u32) -> Result<(), Failed> {
    let (_live, database) = server(live)?;
    let (_other, scratch) = server(other)?;
    let url = scratch.url().to_string();
    let mut project = Checkout::new(env!("CARGO_BIN_EXE_shipped"))
        .shipped()
        .on(&database);
    project.environment = vec![("TRUEUP_SCRATCH_URL", url.leak())];

    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
    let both = ["diff", "--from", "database", "--to", "models"];
    project.run(&both).done();

    project.migration(
        "2030-01-01-000000_drop",
        "ALTER TABLE users DROP COLUMN active;",
        "ALTER TABLE users ADD COLUMN active boolean DEFAULT true NOT NULL;",
    );
    project.run(&["upgrade"]).done();
    let said = project.run(&["autogen", "bring it back"]).done();
    let proof = format!("PostgreSQL {other}");
    if !said.contains(&proof) {
        return Err(format!("not proved on {proof}: {said}").into());
    }
    project.run(&["upgrade"]).done();
    project.run(&["check"]).done();
    project.run(&["downgrade"]).done();
    project.run(&["upgrade"]).done();

    tests::run(
        &database,
        "ALTER TABLE users ALTER COLUMN active DROP DEFAULT",
    );
    let drifted = project.run(&["check"]).with(1).stdout;
    if !drifted.contains("active") {
        return Err(format!("the drift is not named: {drifted}").into());
    }
    let _ = project.run(&both).with(1);
    Ok(())
}
