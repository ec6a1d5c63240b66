//! Doc comments, which become comments in the database.

use syn::{Attribute, LitStr, Meta};

use crate::argument::string;
use crate::mistakes::Mistakes;

/// The text of an item's doc comment the way Markdown reads it: lines of a paragraph are one line, a blank line parts
/// paragraphs, an item of a list begins a line.
pub(crate) fn comment(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    let mut paragraph_ends = false;
    for line in attributes
        .iter()
        .filter_map(documentation)
        .flat_map(|doc| lines(&doc))
    {
        if line.is_empty() {
            paragraph_ends = true;
            continue;
        }
        text.push_str(
            match (text.is_empty(), paragraph_ends, begins_item(&line)) {
                (true, _, _) => "",
                (false, true, _) => "\n\n",
                (false, false, true) => "\n",
                (false, false, false) => " ",
            },
        );
        text.push_str(&line);
        paragraph_ends = false;
    }
    (!text.is_empty()).then_some(text)
}

/// Documentation that the compiler has yet to make, `concat!(…)` for one, is unknown here and must not be lost: without it the
/// comment in the database would go.
pub(crate) fn check(attributes: &[Attribute], comment: Option<&LitStr>, mistakes: &Mistakes) {
    if comment.is_some() {
        return;
    }
    for attribute in attributes {
        if let Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && string(&meta.value).is_none()
        {
            mistakes.at(
                &meta.value,
                "the derive cannot read this documentation, which the compiler makes later, so the comment in the database would \
                 lack it: write it as a string, or say the comment: #[model(comment = \"…\")]; \"\" for none",
            );
        }
    }
}

fn documentation(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => Some(string(&meta.value)?.value()),
        Meta::NameValue(_) | Meta::Path(_) | Meta::List(_) => None,
    }
}

/// The lines of one doc attribute; in a block comment each may begin with a star.
fn lines(documentation: &str) -> Vec<String> {
    let is_block = documentation.contains('\n');
    documentation
        .split('\n')
        .map(|line| {
            let line = line.trim();
            let without_star = if is_block {
                line.strip_prefix('*').unwrap_or(line)
            } else {
                line
            };
            without_star.trim().to_owned()
        })
        .collect()
}

fn begins_item(line: &str) -> bool {
    let after_number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "+ ", "# ", "|", "```"]
        .iter()
        .any(|mark| line.starts_with(mark))
        || (after_number.len() < line.len() && after_number.starts_with(". "))
}

#[cfg(test)]
mod tests {
    use syn::{ItemStruct, parse_quote};

    use super::comment;

    fn comment_of(item: &ItemStruct) -> Option<String> {
        comment(&item.attrs)
    }

    #[test]
    fn lines_join_and_paragraphs_part() {
        let item: ItemStruct = parse_quote! {
            /// A person who
            /// measures.
            ///
            /// Says:
            /// - one
            /// - two
            struct User;
        };
        assert_eq!(
            comment_of(&item).as_deref(),
            Some("A person who measures.\n\nSays:\n- one\n- two")
        );
    }

    #[test]
    fn a_block_comment_loses_its_stars() {
        let item: ItemStruct = parse_quote! {
            #[doc = "\n * A person\n * who measures.\n "]
            #[doc(hidden)]
            struct User;
        };
        assert_eq!(comment_of(&item).as_deref(), Some("A person who measures."));
    }

    #[test]
    fn no_documentation_is_no_comment() {
        let item: ItemStruct = parse_quote! { struct User; };
        assert_eq!(comment_of(&item), None);
    }
}
