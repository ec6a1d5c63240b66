//! The comment at the top of an `up.sql` of ours: what it is for, what it follows, and what was proved.
//!
//! It lives in the file itself, so that two branches never have to agree on a file that they share.

use std::fmt::Write;

use super::{Migration, history::hash_of};

/// The first line; the number is the format's.
const FIRST: &str = "-- trueup migration 1";

/// What our own migrations say about themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// What changes, in the author's words.
    pub message: String,
    /// The migrations that it was made after: none for the first one, several where it joins heads.
    pub parents: Vec<Parent>,
    /// The migrations that it stands for, as they were; a database that has all of them has it.
    pub replaces: Vec<Parent>,
    /// What was proved and on which Postgres, one sentence a line.
    pub proof: Vec<String>,
}

/// Another migration, as it was when this one was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its version.
    pub version: String,
    /// The first 16 hexadecimal digits of the SHA-256 of its `up.sql`.
    pub hash: String,
}

impl Header {
    /// Writes the header, with an empty line at its end.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("{FIRST}\n");
        let mut line = |word: &str, value: &str| {
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "-- {word}: {}",
                value.split_whitespace().collect::<Vec<_>>().join(" ")
            );
        };
        line("message", &self.message);
        if self.parents.is_empty() {
            line("parent", "none");
        }
        for (word, others) in [("parent", &self.parents), ("replaces", &self.replaces)] {
            for Parent { version, hash } in others {
                line(word, &format!("{version} {hash}"));
            }
        }
        for sentence in &self.proof {
            line("proved", sentence);
        }
        text.push('\n');
        text
    }

    /// Reads the header of an `up.sql`, if it has one.
    #[must_use]
    pub fn parse(up: &str) -> Option<Self> {
        let mut lines = up.strip_prefix('\u{feff}').unwrap_or(up).lines();
        if lines.next()?.trim_end() != FIRST {
            return None;
        }
        let mut header = Self::default();
        for line in lines.map_while(|line| line.strip_prefix("-- ")) {
            match line.trim_end().split_once(": ") {
                Some(("message", text)) => text.clone_into(&mut header.message),
                Some(("parent", text)) => header.parents.extend(Parent::parse(text)),
                Some(("replaces", text)) => header.replaces.extend(Parent::parse(text)),
                Some(("proved", text)) => header.proof.push(text.to_owned()),
                // A later version of ours may have more to say.
                Some(_) | None => {}
            }
        }
        Some(header)
    }

    /// What follows the header of an `up.sql`: all of it where there is none.
    #[must_use]
    pub fn body(up: &str) -> &str {
        if Self::parse(up).is_none() {
            return up;
        }
        let mut rest = up;
        while rest.starts_with("-- ") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        rest.trim_start_matches(['\r', '\n'])
    }
}

impl Parent {
    /// A migration as it is now.
    #[must_use]
    pub fn of(migration: &Migration) -> Self {
        Self {
            version: migration.version.clone(),
            hash: hash_of(&migration.up),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (version, hash) = text.split_once(' ')?;
        Some(Self {
            version: version.to_owned(),
            hash: hash.to_owned(),
        })
    }
}
