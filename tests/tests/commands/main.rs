//! The binary, as a user runs it: what it writes, says and returns.

use tests::checkout::Checkout;

mod adoption;
mod branches;
mod data;
mod databases;
mod day;
mod drift;
mod ends;
mod files;
mod filters;
mod folders;
mod furnish;
mod health;
mod hostile;
mod layers;
mod programs;
mod prove;
mod record;
mod refusals;
mod renames;
mod reset;
mod safety;
mod secrets;
mod sources;
mod squash;
mod steps;
mod summary;
mod surroundings;
mod transactions;
mod unfilled;

/// A new project with the models that ship with trueup.
fn checkout() -> Checkout {
    Checkout::new(env!("CARGO_BIN_EXE_shipped"))
}
