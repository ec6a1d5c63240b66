//! trueup in a program that forgot to name its models crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
