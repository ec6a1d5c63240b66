//! Ctrl-C and the signals like it: programs that were started end first, no scratch is left, and what is said is what is so.

use std::{
    fs, process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use dialoguer::console::Term;
use generator::{Error, ErrorKind, migrations::folder, postgres::scratch, report::Output};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// Base of a shell's exit code for a process that a signal ended: the signal's number is added.
const SIGNALLED: i32 = 128;

static ENDING: AtomicBool = AtomicBool::new(false);
static THEIRS: AtomicBool = AtomicBool::new(false);

/// While this lives, Ctrl-C is for the program that was started, and trueup ignores it.
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

/// Starts the thread that waits for signals.
pub(crate) fn install() -> Result<(), Error> {
    let watching = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(watching)
        .map_err(|error| Error::caused(ErrorKind::Environment, "cannot watch for Ctrl-C", error))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGINT && THEIRS.load(Ordering::SeqCst) {
                continue;
            }
            if ENDING.swap(true, Ordering::SeqCst) {
                // Whoever asks twice does not want to wait.
                Output::default().refusal(
                    "\nended at once, with nothing cleaned up: the next command does that\n",
                );
                process::exit(SIGNALLED + signal);
            }
            thread::spawn(move || end(signal));
        }
    });
    Ok(())
}

/// True if whoever started this process wants it to go on in spite of a signal, as `nohup` and `&` of a script do.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Leaves the last word to the handler: an end it brought about is no failure of the command.
pub(crate) fn wait_if_ending() {
    while ENDING.load(Ordering::SeqCst) {
        thread::park();
    }
}

fn end(signal: i32) {
    // Writing takes milliseconds; whoever is at it finishes, and nobody begins.
    let _writing = folder::hold_writing();
    let said = scratch::remove_all_now();
    let terminal = Term::stderr();
    if terminal.is_term() {
        // A question that was open had hidden it.
        let _ = terminal.show_cursor();
    }
    let how = match signal {
        SIGTERM => "terminated",
        SIGHUP => "hung up",
        _ => "interrupted",
    };
    let so = if said.is_empty() {
        "what was committed stays, and a transaction that was open is rolled back".to_owned()
    } else {
        said.join("; ")
    };
    Output::default().refusal(&format!("\n{how}: {so}\n"));
    process::exit(SIGNALLED + signal);
}
