//! Collects every mistake in an annotated item, so that one compilation shows all of them, each at its own span.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Result};

/// The mistakes found so far. Panics when it is dropped unread: a mistake that nobody sees is a wrong table.
#[derive(Debug)]
pub(crate) struct Mistakes {
    found: RefCell<Option<Vec<Error>>>,
}

impl Mistakes {
    pub(crate) fn new() -> Self {
        Self {
            found: RefCell::new(Some(Vec::new())),
        }
    }

    /// Records a mistake at the tokens it is about.
    pub(crate) fn at(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens.into_token_stream(), message));
    }

    /// Records a mistake at a place.
    pub(crate) fn at_span(&self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    /// Records a mistake that syn found.
    pub(crate) fn push(&self, mistake: Error) {
        if let Some(found) = self.found.borrow_mut().as_mut() {
            found.push(mistake);
        }
    }

    /// Ends the collection: all mistakes as one error, or nothing.
    pub(crate) fn check(self) -> Result<()> {
        let found = self.found.borrow_mut().take().unwrap_or_default();
        let combined = found.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        });
        combined.map_or(Ok(()), Err)
    }
}

impl Drop for Mistakes {
    fn drop(&mut self) {
        assert!(
            std::thread::panicking() || self.found.borrow().is_none(),
            "mistakes were collected and never read"
        );
    }
}
