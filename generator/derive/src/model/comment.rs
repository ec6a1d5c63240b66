//! Comments on constraints and indexes.

use syn::LitStr;

use crate::argument::Argument;
use crate::mistakes::Mistakes;
use crate::setting::{Setting, once_or_empty, text};

/// What can be commented on.
pub(crate) trait Commented {
    /// Where its comment goes.
    fn comment(&mut self) -> &mut Option<LitStr>;
}

/// The setting `comment = "…"`.
pub(crate) const fn comment<T: Commented>() -> Setting<T> {
    once_or_empty("comment", "comment = \"…\"", read)
}

fn read<T: Commented>(it: &mut T, argument: &Argument, _mistakes: &Mistakes) -> Option<()> {
    text(it.comment(), argument)
}

/// What is commented on has a written name: COMMENT ON points at it by that.
pub(crate) fn needs_a_name(comment: Option<&LitStr>, name: Option<&LitStr>, mistakes: &Mistakes) {
    if let (Some(comment), None) = (comment, name) {
        mistakes.at(
            comment,
            "a comment needs a name to be about: write name = \"…\" beside it",
        );
    }
}
