//! Text for GitHub Actions: the commands that are meant, and no others.
//!
//! Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>, and `ActionCommand.cs` in
//! GitHub's runner, which trims a line before it looks for `::`, and finds `##[…]` anywhere in it.

use trueup::Origin;

/// One annotation.
pub(super) fn annotation(title: &str, origin: Option<&Origin>, words: &str) -> String {
    let place = origin.map_or_else(String::new, |origin| {
        format!("file={},line={},", property(&origin.file), origin.line)
    });
    let (title, words) = (property(title), data(words));
    format!("::error {place}title={title}::{words}\n")
}

/// The text with no line in it that GitHub takes for a command.
pub(super) fn no_command(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let is_command = line.trim_start().starts_with("::");
        format!("{}{line}", if is_command { "\\n" } else { "" })
    });
    // The older form of a command counts in the middle of a line too.
    lines.collect::<String>().replace("##[", "#\\#[")
}

/// The same JSON with no command in it: a line of it begins with none, and the older form only occurs in a string.
pub(super) fn no_command_in_json(json: &str) -> String {
    json.replace("##[", "#\\u0023[")
}

fn data(text: &str) -> String {
    let text = text.replace("##[", "#\\#[").replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_stand_at_the_struct() {
        let origin = Origin {
            file: "models/src/user.rs".to_owned(),
            line: 7,
            item: "User".to_owned(),
            field: None,
        };
        assert_eq!(
            annotation("a: b", Some(&origin), "100%\nsure"),
            "::error file=models/src/user.rs,line=7,title=a%3A b::100%25%0Asure\n"
        );
    }

    #[test]
    fn no_line_of_a_text_is_a_command() {
        assert_eq!(
            no_command("a ::b\n  ::error::x\n::debug::y"),
            "a ::b\n\\n  ::error::x\n\\n::debug::y"
        );
        assert_eq!(no_command("a ##[error]b"), "a #\\#[error]b");
        let json = "[\"a ##[error]b\", \"###[c\"]";
        let safe = no_command_in_json(json);
        assert!(!safe.contains("##["), "{safe}");
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
        assert_eq!(read(&safe), read(json));
    }
}
