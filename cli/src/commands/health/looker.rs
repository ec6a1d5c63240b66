//! Looks at the database on threads of its own: one that hangs keeps nobody waiting.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use generator::operations::health::Health;
use tokio::{sync::watch, time::timeout};

/// The greatest age of a look that an answer is made of.
const FRESH: Duration = Duration::from_millis(900);

/// The longest wait for a look.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// After how long a look that hangs is given up and another one begins beside it.
const HANGS: Duration = Duration::from_secs(5);

/// The number of looks that may hang at a time. Each ends when the server answers, or the network gives it up.
const HANGING: usize = 8;

/// The state of the database, as far as it is known.
#[derive(Clone)]
pub(super) struct Looker {
    look: Arc<dyn Fn() -> Health + Send + Sync>,
    seen: watch::Sender<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The newest look that came to an end, and when it was begun.
    latest: Option<(Instant, Arc<Health>)>,
    /// The times at which unfinished looks began.
    looking: Vec<Instant>,
}

/// The answer to a probe.
#[derive(Clone)]
pub(super) enum Answer {
    /// The result of a look, and its age.
    Seen(Arc<Health>, Duration),
    /// The database has not answered for so long.
    Silent(Duration),
}

impl Looker {
    pub(super) fn new(look: impl Fn() -> Health + Send + Sync + 'static) -> Self {
        Self {
            look: Arc::new(look),
            seen: watch::Sender::new(Seen::default()),
        }
    }

    /// The current state, within [`PATIENCE`]. Concurrent callers share a look.
    pub(super) async fn answer(&self) -> Answer {
        let asked = Instant::now();
        if let Some(answer) = fresh(&self.seen.borrow(), asked) {
            return answer;
        }
        self.begin();
        let mut seen = self.seen.subscribe();
        let waited = timeout(PATIENCE, seen.wait_for(|seen| fresh(seen, asked).is_some()));
        let answered = waited.await.ok().and_then(Result::ok);
        if let Some(answer) = answered.and_then(|seen| fresh(&seen, asked)) {
            return answer;
        }
        let seen = self.seen.borrow();
        let last = seen.latest.as_ref().map(|(begun, _)| *begun);
        // Before the first one that hangs it was not asked.
        let since = seen.looking.iter().min().copied().or(last).unwrap_or(asked);
        Answer::Silent(since.elapsed())
    }

    /// Begins a look, unless one is on its way.
    fn begin(&self) {
        let now = Instant::now();
        let begins = self.seen.send_if_modified(|seen| {
            let is_on_its_way = |begun: &Instant| now.duration_since(*begun) < HANGS;
            let begins = !seen.looking.iter().any(is_on_its_way) && seen.looking.len() < HANGING;
            if begins {
                seen.looking.push(now);
            }
            begins
        });
        if !begins {
            return;
        }
        let (look, sender) = (Arc::clone(&self.look), self.seen.clone());
        let looking = move || {
            let found = Arc::new(look());
            sender.send_modify(|seen| {
                seen.looking.retain(|begun| *begun != now);
                if seen.latest.as_ref().is_none_or(|(begun, _)| *begun < now) {
                    seen.latest = Some((now, found));
                }
            });
        };
        if thread::Builder::new().spawn(looking).is_err() {
            self.seen
                .send_modify(|seen| seen.looking.retain(|begun| *begun != now));
        }
    }
}

/// A look that is fresh enough for somebody who asked then.
fn fresh(seen: &Seen, asked: Instant) -> Option<Answer> {
    let (begun, health) = seen.latest.as_ref()?;
    let oldest = asked.checked_sub(FRESH).unwrap_or(asked);
    (*begun >= oldest).then(|| Answer::Seen(Arc::clone(health), begun.elapsed()))
}
