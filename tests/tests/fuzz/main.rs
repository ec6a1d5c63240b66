//! Texts that nobody thought of, at every place where a text comes in or goes out.
//!
//! `TRUEUP_FUZZ` says how many for each target (256), `TRUEUP_SEED` from which number the chance begins (0); `make fuzz` takes
//! more and another seed each time. What fails is made as small as it can be.

mod connection_strings;
mod escapes;
mod folder_names;
mod headers;
mod secrets;

use std::fmt::Debug;

use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

fn number(name: &str, default: u64) -> u64 {
    let written = std::env::var(name).ok();
    written.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|error| panic!("{name}={text}: {error}"))
    })
}

/// Number of cases of a test in which one takes a millisecond.
fn cases() -> u32 {
    u32::try_from(number("TRUEUP_FUZZ", 256)).unwrap_or(u32::MAX)
}

/// Tries so many cases; a test fails by panicking.
fn hold<T: Debug + Clone>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    test: impl Fn(T) -> Result<(), String>,
) {
    let config = Config {
        cases: cases.max(1),
        max_global_rejects: u32::MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number("TRUEUP_SEED", 0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng)
        .run(&strategy, |case| test(case).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{case:?}: {reason}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// Names that somebody might give in order to be obeyed: line ends, escapes, quotes, other scripts' controls.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9_]{1,6}",
        2 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat())
}

const PIECES: &[&str] = &[
    "\n",
    "\r",
    "\r\n",
    "\t",
    " ",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{1b}[2J",
    "\u{9b}2J",
    "\u{1b}]0;x\u{7}",
    "\u{202e}",
    "\u{2066}",
    "\u{200f}",
    "\u{61c}",
    "\u{7f}",
    "::error::x",
    "\n::error file=a::x",
    "\n  ::set-env name=A::b",
    "##[error]x",
    "##[",
    "%0A::debug::x",
    "%",
    "--",
    "/*",
    "*/",
    "'",
    "''",
    "\"",
    "\\",
    "\\'",
    ";",
    "$$",
    "; DROP TABLE canary; --",
    "\nDROP TABLE canary;\n",
    "\\! false\n",
    "\n\\! false\n",
    ":x",
    "{",
    "}",
    ",",
    ":",
    "=",
    "é",
    "\u{301}",
    "𝄞",
    "\u{feff}",
    "\u{fffd}",
];
