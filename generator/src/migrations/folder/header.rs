//! The comment at the top of an `up.sql` of ours: what it is for, what it follows, and what was proved.
//!
//! It lives in the file itself, so that two branches never have to agree on a file that they share. It is no part of what a
//! migration does, so a migration is known by the hash of what follows it: a new proof makes no migration another one.

use std::fmt::Write;

use trueup::one_line;

use super::{Migration, history::hash_of, seal::Seal};

/// The first line; the number is the format's.
const FIRST: &str = "-- trueup migration 2";

/// The first line of the format in which a migration was known by the hash of its `up.sql` with the header.
const FIRST_OF_WHOLES: &str = "-- trueup migration 1";

/// Stands in the place of a proof where none was wanted.
pub(crate) const NO_PROOF: &str = "nothing (--no-proof)";

/// Begins what stands in the place of a proof while a data step is not written.
pub(crate) const UNWRITTEN: &str =
    "nothing yet: the data step is to be written, then `trueup prove`";

/// The SQLSTATE with which a data step fails that is not written.
pub(crate) const UNWRITTEN_STATE: &str = "TU001";

/// True if a sentence says of a data step that it is not written.
pub(super) fn is_unwritten(sentence: &str) -> bool {
    sentence.starts_with(UNWRITTEN)
}

/// The line that tells a migration of a person's.
const BY_HAND: &str = "by hand";

/// By which hash others know a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KnownBy {
    /// The hash of `up.sql` without its header.
    #[default]
    Body,
    /// The hash of `up.sql` with its header, as in the first format.
    Whole,
}

/// The authors of the squashed migrations.
const DRAFTED: &str = "by autogen, all of it";

/// The header of a migration of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The change, in the author's words.
    pub message: String,
    /// The migrations that it was made after: none for the first one, several where it joins heads.
    pub parents: Vec<Parent>,
    /// The migrations that it stands for, as they were; a database that has all of them has it.
    pub replaces: Vec<Parent>,
    /// The migrations that those stood for in their turn; a database may have forgotten them.
    pub replaced: Vec<Parent>,
    /// A summary: a few lines of a word and a text each.
    pub summary: Vec<(String, String)>,
    /// The proved properties and the Postgres version, one sentence a line.
    pub proof: Vec<String>,
    /// The texts for which it was proved.
    pub seal: Option<Seal>,
    /// True where a person wrote it or changed it, and the header came with its proof.
    pub by_hand: bool,
    /// The migration before it, for one that had no header before it was proved: it says nothing of its line.
    pub after: Option<Parent>,
    /// The hash by which others knew it before it was proved anew.
    pub was: Option<String>,
    /// The hash by which others know it.
    pub known_by: KnownBy,
    /// True if it was squashed from migrations that were all written by autogen.
    pub drafted: bool,
}

/// Another migration, as it was when this one was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its version.
    pub version: String,
    /// The first 16 hexadecimal digits of the SHA-256 of its `up.sql`, without the header.
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
                one_line(value)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            );
        };
        line("message", &self.message);
        if self.by_hand {
            line("written", BY_HAND);
        }
        if let Some(Parent { version, hash }) = &self.after {
            line("after", &format!("{version} {hash}"));
        } else if self.parents.is_empty() {
            line("parent", "none");
        }
        for (word, others) in [
            ("parent", &self.parents),
            ("replaces", &self.replaces),
            ("replaced", &self.replaced),
        ] {
            for Parent { version, hash } in others {
                line(word, &format!("{version} {hash}"));
            }
        }
        for (word, text) in &self.summary {
            line(word, text);
        }
        for sentence in &self.proof {
            line("proved", sentence);
        }
        if let Some(seal) = &self.seal {
            line("sealed", &seal.to_string());
        }
        if let Some(hash) = &self.was {
            line("was", hash);
        }
        if self.drafted {
            line("drafted", DRAFTED);
        }
        text.push('\n');
        text
    }

    /// Reads the header of an `up.sql`, if it has one.
    #[must_use]
    pub fn parse(up: &str) -> Option<Self> {
        let mut lines = up.strip_prefix('\u{feff}').unwrap_or(up).lines();
        let known_by = match lines.next()?.trim_end() {
            FIRST => KnownBy::Body,
            FIRST_OF_WHOLES => KnownBy::Whole,
            _ => return None,
        };
        let mut header = Self {
            known_by,
            ..Self::default()
        };
        for line in lines.map_while(|line| line.strip_prefix("-- ")) {
            match line.trim_end().split_once(": ") {
                Some(("message", text)) => text.clone_into(&mut header.message),
                Some(("parent", text)) => header.parents.extend(Parent::parse(text)),
                Some(("replaces", text)) => header.replaces.extend(Parent::parse(text)),
                Some(("replaced", text)) => header.replaced.extend(Parent::parse(text)),
                Some((word @ ("change" | "locks"), text)) => {
                    header.summary.push((word.to_owned(), text.to_owned()));
                }
                Some(("proved", text)) => header.proof.push(text.to_owned()),
                Some(("sealed", text)) => header.seal = Seal::parse(text),
                Some(("written", BY_HAND)) => header.by_hand = true,
                Some(("after", text)) => header.after = Parent::parse(text),
                Some(("was", text)) => header.was = Some(text.to_owned()),
                Some(("drafted", text)) => header.drafted = text == DRAFTED,
                // A later version of ours may have more to say.
                Some(_) | None => {}
            }
        }
        Some(header)
    }

    /// The text after the header of an `up.sql`; all of it if there is no header.
    #[must_use]
    pub fn body(up: &str) -> &str {
        if Self::parse(up).is_none() {
            return up;
        }
        let mut rest = up.strip_prefix('\u{feff}').unwrap_or(up);
        while rest.starts_with("-- ") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
        // One empty line is the header's; what follows is as it was written.
        let without = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n'));
        without.unwrap_or(rest)
    }

    /// True where something was proved of it.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.proof
            .iter()
            .any(|sentence| sentence != NO_PROOF && !is_unwritten(sentence))
    }

    /// True where it says on which migrations it was made, or that it is a first one.
    #[must_use]
    pub fn says_its_line(&self) -> bool {
        self.after.is_none()
    }
}

impl Parent {
    /// A migration as it is now.
    #[must_use]
    pub fn of(migration: &Migration) -> Self {
        let known_by = migration.header.as_ref().map(|header| header.known_by);
        let text = match known_by.unwrap_or_default() {
            KnownBy::Body => Header::body(&migration.up),
            KnownBy::Whole => &migration.up,
        };
        Self {
            version: migration.version.clone(),
            hash: hash_of(text),
        }
    }

    /// A migration that was proved before and is as it was then, as others may know it from an earlier format.
    pub(super) fn formerly(migration: &Migration) -> Option<Self> {
        let header = migration.header.as_ref()?;
        let seal = header.seal.as_ref()?;
        let hash = header.was.clone().filter(|_| seal.holds_for(migration))?;
        Some(Self {
            version: migration.version.clone(),
            hash,
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (version, hash) = text.split_once(' ')?;
        Some(Self {
            version: version.to_owned(),
            hash: hash.to_owned(),
        })
    }
}
