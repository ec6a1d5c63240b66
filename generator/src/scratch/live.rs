//! What is to be cleaned up if the process has to end now.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

type Cleaning = Box<dyn FnOnce() + Send>;

static LIVE: Mutex<BTreeMap<u64, Cleaning>> = Mutex::new(BTreeMap::new());

/// Takes its cleaning off the list when dropped.
#[derive(Debug)]
pub(crate) struct Registration(u64);

/// Puts on the list what a signal handler is to do.
pub(crate) fn register(cleaning: impl FnOnce() + Send + 'static) -> Registration {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    let number = live.last_key_value().map_or(0, |(last, _)| last + 1);
    live.insert(number, Box::new(cleaning));
    Registration(number)
}

impl Drop for Registration {
    fn drop(&mut self) {
        LIVE.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.0);
    }
}

/// Ends every server that this process started and removes every scratch of it, at once and from any thread: for the
/// thread that handles Ctrl-C, which then ends the process. Whoever still uses one sees its connection break.
pub fn remove_all_now() {
    let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
    for cleaning in live.into_values() {
        cleaning();
    }
}
