//! The binary for the models of this workspace. Another project's is the same, with its own models crate.

use std::process::ExitCode;

// Without a mention the linker drops the crate, and every model with it.
use models as _;

fn main() -> ExitCode {
    cli::main()
}
