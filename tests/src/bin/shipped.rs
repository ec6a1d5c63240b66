//! trueup with the shipped models, for the tests that run it as a user would.

use std::process::ExitCode;

use models as _;

fn main() -> ExitCode {
    cli::main()
}
