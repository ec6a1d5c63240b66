//! Ctrl-C: nothing half-written, no scratch left, and what was not committed rolls back.

use std::{
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use dialoguer::console::Term;
use generator::{Error, ErrorKind, migration, report::Output, scratch};

/// What a shell says of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

static ENDING: AtomicBool = AtomicBool::new(false);
static THEIRS: AtomicBool = AtomicBool::new(false);

/// While this lives, Ctrl-C means something to the program that was started, and nothing to us.
#[derive(Debug)]
pub(crate) struct Theirs;

/// Leaves Ctrl-C to a program that talks with the user itself.
pub(crate) fn leave_to_others() -> Theirs {
    THEIRS.store(true, Ordering::SeqCst);
    Theirs
}

impl Drop for Theirs {
    fn drop(&mut self) {
        THEIRS.store(false, Ordering::SeqCst);
    }
}

/// Installs the handler, which runs on a thread of its own.
pub(crate) fn install() -> Result<(), Error> {
    ctrlc::set_handler(end)
        .map_err(|error| Error::caused(ErrorKind::Environment, "cannot watch for Ctrl-C", error))
}

/// Leaves the last word to the handler: an end it brought about is no failure of the command.
pub(crate) fn wait_if_ending() {
    while ENDING.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn end() {
    if THEIRS.load(Ordering::SeqCst) {
        return;
    }
    ENDING.store(true, Ordering::SeqCst);
    // Writing takes milliseconds; whoever is at it finishes, and nobody begins.
    let _writing = migration::hold_writing();
    scratch::remove_all_now();
    let terminal = Term::stderr();
    if terminal.is_term() {
        // A question that was open had hidden it.
        let _ = terminal.show_cursor();
    }
    Output::default().refusal("\ninterrupted: what was not complete is rolled back\n");
    process::exit(INTERRUPTED);
}
