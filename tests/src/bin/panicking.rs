//! A command line that ends in a panic, whose words have all that the environment says of the database.

use std::process::ExitCode;

use models as _;

fn main() -> ExitCode {
    let _ = cli::main();
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    panic!("cannot go on with {url:?}");
}
