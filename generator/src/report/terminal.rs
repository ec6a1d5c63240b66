//! Text for a terminal: names and messages that others chose are shown and never obeyed.
//!
//! Control characters move the cursor, hide text or set the window's title; bidirectional overrides show a name in another
//! order than it has. Both are written out. The styles of this crate are the only sequences that stay.

use std::{borrow::Cow, fmt::Write as _};

use super::style::{DIM, ERROR, GOOD, HEADING, NOTE, USAGE, WARNING};

/// The text with all but our own styles written out: `␛]0;x` comes out as `\u{1b}]0;x`.
pub(super) fn neutral(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let styles = styles();
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_active) {
        let (plain, active) = rest.split_at(at);
        safe += plain;
        let style = styles
            .iter()
            .find(|style| active.starts_with(style.as_str()));
        rest = if let Some(style) = style {
            safe += style;
            &active[style.len()..]
        } else {
            let mut characters = active.chars();
            for character in characters.by_ref().take(1) {
                // Writing to a String does not fail.
                let _ = write!(safe, "{}", character.escape_unicode());
            }
            characters.as_str()
        };
    }
    Cow::Owned(safe + rest)
}

fn styles() -> Vec<String> {
    // One that begins like another comes before it.
    let all = [ERROR, USAGE, WARNING, GOOD, NOTE, HEADING, DIM];
    let begun = all.iter().map(ToString::to_string);
    let ended = all.iter().map(|style| format!("{style:#}"));
    begun
        .chain(ended)
        .filter(|style| !style.is_empty())
        .collect()
}

/// True for characters that do something to a terminal, or to the order in which it shows others.
fn is_active(character: char) -> bool {
    let is_bidi = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    is_bidi || character.is_control() && !matches!(character, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_stay_and_all_else_is_written_out() {
        let said = format!("{ERROR}error:{ERROR:#} table \"a\u{1b}]0;x\u{7}b\"\n\tnext");
        let safe = format!("{ERROR}error:{ERROR:#} table \"a\\u{{1b}}]0;x\\u{{7}}b\"\n\tnext");
        assert_eq!(neutral(&said), safe);
        assert_eq!(
            neutral("a\u{202e}b\u{9b}2J\rc"),
            "a\\u{202e}b\\u{9b}2J\\u{d}c"
        );
        assert_eq!(neutral("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(neutral("Zürich\n"), "Zürich\n");
    }
}
