//! Errors: what happened, why, and what to do now.

use super::style::{ERROR, NOTE, WARNING, hang};
use crate::{Error, ErrorKind};

/// Prefix of each line of an error that reports an unsupported feature, which is nobody's mistake.
const NOT_YET: &str = "not yet: ";

pub(super) fn text(error: &Error) -> String {
    let mut text = match error.kind() {
        ErrorKind::NotYet => not_yet(error),
        ErrorKind::Input | ErrorKind::Environment | ErrorKind::Defect => {
            format!("{ERROR}error:{ERROR:#} {}\n", hang(error, 7)) + &causes(error)
        }
    };
    for hint in error.advice() {
        text += &format!("{NOTE}hint:{NOTE:#}  {}\n", hang(hint, 7));
    }
    text
}

/// Each line names an object of its own.
fn not_yet(error: &Error) -> String {
    let mut said = vec![error.to_string()];
    said.extend(error.causes().map(ToString::to_string));
    let mut text = String::new();
    for line in said.iter().flat_map(|said| said.lines()) {
        let line = line.strip_prefix(NOT_YET).unwrap_or(line);
        text += &format!("{WARNING}{NOT_YET}{WARNING:#}{line}\n");
    }
    text
}

fn causes(error: &Error) -> String {
    let lines = error
        .causes()
        .map(|cause| format!("       {}\n", hang(cause, 7)));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    fn plain(error: &Error) -> String {
        strip_str(&text(error)).to_string()
    }

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let cause = std::io::Error::other("the disk is full\nas it is");
        let error = Error::caused(ErrorKind::Environment, "cannot write up.sql", cause)
            .hint("make room")
            .hint("or write elsewhere");
        assert_eq!(
            plain(&error),
            "error: cannot write up.sql\n       the disk is full\n       as it is\nhint:  make room\nhint:  or write elsewhere\n"
        );
    }

    #[test]
    fn what_is_not_done_yet_is_named_line_by_line() {
        let error = Error::new(
            ErrorKind::NotYet,
            "not yet: view a: no room\nview b: no room",
        );
        assert_eq!(
            plain(&error),
            "not yet: view a: no room\nnot yet: view b: no room\n"
        );
    }
}
