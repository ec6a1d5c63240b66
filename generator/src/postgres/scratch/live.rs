//! The cleaning that is due if the process has to end now.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// A cleanup action. It returns a message for the person who ended the process.
type Cleaning = Box<dyn FnOnce() -> Option<String> + Send>;

#[derive(Default)]
struct Live {
    cleanings: BTreeMap<u64, Cleaning>,
    /// Nothing begins any more.
    ending: bool,
}

static LIVE: Mutex<Live> = Mutex::new(Live {
    cleanings: BTreeMap::new(),
    ending: false,
});

/// Takes its cleaning off the list when dropped.
#[derive(Debug)]
pub(crate) struct Registration(u64);

/// Puts on the list what a signal handler is to do.
pub(crate) fn register(cleaning: impl FnOnce() + Send + 'static) -> Registration {
    let started = register_started(|| {
        Ok::<_, std::convert::Infallible>(move || {
            cleaning();
            None
        })
    });
    let Ok(registration) = started;
    registration
}

/// Starts something and puts its end on the list, so that a signal handler finds both or neither.
pub(crate) fn register_started<C, E>(
    start: impl FnOnce() -> Result<C, E>,
) -> Result<Registration, E>
where
    C: FnOnce() -> Option<String> + Send + 'static,
{
    let mut live = list();
    while live.ending {
        drop(live);
        thread::park();
        live = list();
    }
    let cleaning = start()?;
    let number = live
        .cleanings
        .last_key_value()
        .map_or(0, |(last, _)| last + 1);
    live.cleanings.insert(number, Box::new(cleaning));
    Ok(Registration(number))
}

fn list() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Dropping the cleanup may itself register or end something, so it happens outside of the lock.
        let removed = list().cleanings.remove(&self.0);
        drop(removed);
    }
}

/// Ends every program that this process started and removes every scratch of it, at once and from any thread: for the
/// thread that handles signals, which then ends the process. Whoever still uses one sees its connection break, and whoever
/// wants to start another one waits for ever. Returns what there is to say of them.
#[must_use]
pub fn remove_all_now() -> Vec<String> {
    let cleanings = {
        let mut live = list();
        live.ending = true;
        std::mem::take(&mut live.cleanings)
    };
    // Later registrations depend on earlier ones.
    let last_first = cleanings.into_values().rev();
    last_first.filter_map(|cleaning| cleaning()).collect()
}
