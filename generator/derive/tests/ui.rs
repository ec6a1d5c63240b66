//! Compile errors of mistakes in models: each file is one model, with the compiler's answer beside it.
//!
//! `TRYBUILD=overwrite cargo test -p trueup-derive --test ui` writes the answers anew.

use std::process::Command;

/// The compiler whose own words stand in the answers about types and references; others put them differently.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn wrong_models_are_answered() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/right/*.rs");
    cases.compile_fail("tests/ui/attributes/*.rs");
    cases.compile_fail("tests/ui/shapes/*.rs");
    if compiler().starts_with(COMPILER) {
        cases.compile_fail("tests/ui/references/*.rs");
        cases.compile_fail("tests/ui/types/*.rs");
    }
}

fn compiler() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("--version").output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}
