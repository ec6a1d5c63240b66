//! Comments on constraints and indexes.

use syn::LitStr;

use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::setting::{Setting, once_or_empty, text};

/// A constraint or an index, which can have a comment.
pub(crate) trait Commented {
    /// The place for its comment.
    fn comment(&mut self) -> &mut Option<LitStr>;
}

/// The setting `comment = "…"`.
pub(crate) const fn comment<T: Commented>() -> Setting<T> {
    once_or_empty("comment", "comment = \"…\"", read)
}

fn read<T: Commented>(it: &mut T, argument: &Argument, _mistakes: &Mistakes) -> Option<()> {
    text(it.comment(), argument)
}

/// Reports a comment on an object without a written name: COMMENT ON needs one.
pub(crate) fn needs_a_name(comment: Option<&LitStr>, name: Option<&LitStr>, mistakes: &Mistakes) {
    if let (Some(comment), None) = (comment, name) {
        mistakes.at(
            comment,
            "a comment needs a name to be about: write name = \"…\" beside it",
        );
    }
}
