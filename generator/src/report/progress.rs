//! Progress of a long action: a bar on a terminal, nothing elsewhere.

use std::fmt::Display;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Output, Verbosity};
use crate::migrations::apply::Event;

/// The interval at which the bar moves, to show that the action is alive.
const TICK: Duration = Duration::from_millis(120);

/// A bar, gone when this is dropped. It is on stderr, and remarks go above it.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    output: Output,
}

impl Output {
    /// A bar that counts nothing yet.
    #[must_use]
    pub fn progress(self) -> Progress {
        let bar = if self.verbosity == Verbosity::Quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::no_length()
        };
        let style = ProgressStyle::with_template(
            "{spinner} {bar:20} {percent:>3}% {pos}/{len} {wide_msg} {elapsed}",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress { bar, output: self }
    }
}

impl Progress {
    /// Shows that so many of so many are done, and what is being done.
    pub fn at(&self, done: usize, of: usize, what: impl Display) {
        self.bar.set_length(of as u64);
        self.bar.set_position(done as u64);
        self.message(&what.to_string());
        self.bar.enable_steady_tick(TICK);
    }

    fn message(&self, text: &str) {
        self.bar
            .set_message(self.output.shown(text).replace('\n', " "));
    }

    /// A remark, above the bar.
    pub fn note(&self, text: impl Display) {
        self.bar.suspend(|| self.output.note(text));
    }

    /// Shows what is told while migrations are run.
    pub fn hear(&self, event: &Event<'_>) {
        match *event {
            Event::Begins { name, number, of } => self.at(number - 1, of, name),
            Event::Moves {
                name,
                phase,
                percent,
            } => self.message(&format!("{percent} % of {phase}: {name}")),
            Event::Waits { name, holder } => {
                self.note(format!("{name} waits for {holder}"));
            }
            Event::Retries {
                name,
                holder,
                after,
                times,
                of,
            } => self.note(format!(
                "{name} was rolled back: it waited for {}; again in {:.1} s ({times} of {of})",
                holder.unwrap_or("a lock"),
                after.as_secs_f64()
            )),
            Event::LeavesOut { name, what } | Event::Resumes { name, what } => {
                self.note(format!("{name}: {what}"));
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
