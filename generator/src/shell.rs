//! Arguments as a shell takes them, for command lines that are to be pasted.

/// The text as one argument, quoted where a shell would take it apart.
#[must_use]
pub fn argument(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.=:,-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::argument;

    #[test]
    fn what_a_shell_takes_apart_is_quoted() {
        assert_eq!(argument("public.a,public.b=c"), "public.a,public.b=c");
        assert_eq!(argument("it's"), r"'it'\''s'");
        assert_eq!(argument(""), "''");
    }
}
