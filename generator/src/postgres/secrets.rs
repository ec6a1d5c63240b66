//! The secrets of this run, and texts without them.
//!
//! Invariant: whatever leaves the process as words for people or for programs goes through [`hidden`] first. Secrets are
//! remembered where they are read: in a connection string, in the environment, in libpq's own files.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
};

use crate::postgres::url::{self, Url};

mod files;
mod shapes;

pub use files::remember_files;

/// Stands where a secret stood, or may have stood.
pub(crate) const HIDDEN: &str = "***";

/// Passwords that are words of everyday language, or of ours: replaced in connection strings alone.
const WORDS: &[&str] = &[
    "admin",
    "database",
    "develop",
    "development",
    "localhost",
    "migration",
    "migrations",
    "password",
    "postgres",
    "postgresql",
    "production",
    "staging",
    "superuser",
    "trueup",
];

/// Ends of the names of environment variables that hold secrets.
const SECRET_VARIABLES: &[&str] = &["PASSWORD", "PASSWD", "SECRET", "TOKEN", "SECRET_KEY"];

static KNOWN: RwLock<Known> = RwLock::new(Known {
    telling: BTreeSet::new(),
    plain: BTreeSet::new(),
});

#[derive(Debug)]
struct Known {
    /// All spellings of secrets that no other text has by chance.
    telling: BTreeSet<String>,
    /// Secrets that may be ordinary text as well, such as `a` or `postgres`.
    plain: BTreeSet<String>,
}

/// Remembers a secret, in all the ways in which texts may spell it.
pub fn remember(secret: &str) {
    remember_beside(secret, &[]);
}

/// Remembers a secret of a connection string; `shown` are the string's other parts, which are no secrets.
pub(crate) fn remember_beside(secret: &str, shown: &[&str]) {
    if secret.trim().is_empty() || secret == HIDDEN {
        return;
    }
    let plain = is_plain(secret) || shown.iter().any(|one| one.eq_ignore_ascii_case(secret));
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if plain {
        known.plain.extend(spellings(secret));
    } else {
        known.telling.extend(spellings(secret));
    }
}

/// Remembers what variables of an environment say: passwords, and those in connection strings.
pub fn remember_variables<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (name, value) in variables {
        let name = name.to_ascii_uppercase();
        if SECRET_VARIABLES.iter().any(|end| name.ends_with(end)) {
            remember(value);
        } else if shapes::begins_uri(value) {
            remember_uri(value);
        }
    }
}

/// Remembers the password of a URI, even of one that no parser takes.
pub fn remember_uri(text: &str) {
    // Reading one remembers its secrets.
    if Url::parse(text).is_err() {
        for secret in shapes::secrets(text) {
            remember(secret);
            remember(&url::decode(secret));
        }
    }
}

/// The text without any secret of this run, and without the password of any URI.
#[must_use]
pub fn hidden(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    // The longest first: one spelling may be the beginning of another.
    let mut found: Vec<&String> = known.telling.iter().collect();
    found.retain(|secret| text.contains(secret.as_str()));
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in found {
        text = Cow::Owned(text.replace(secret.as_str(), HIDDEN));
    }
    shapes::hidden(text, &known.plain)
}

/// JSON with every text in it as [`hidden`] gives it; names of fields stay.
#[must_use]
pub fn hidden_in_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let end = start + 1 + closing(&rest[start + 1..]);
        let (before, text, after) = (&rest[..start], &rest[start..end], &rest[end..]);
        safe += before;
        let decoded: Option<String> = serde_json::from_str(text).ok();
        let is_key = after.trim_start().starts_with(':');
        match decoded.as_deref().map(hidden) {
            Some(Cow::Owned(hidden)) if !is_key => {
                safe += &serde_json::Value::String(hidden).to_string();
            }
            Some(_) | None => safe += text,
        }
        rest = after;
    }
    safe + rest
}

/// True if the text has a secret of this run in it: for what must leave the process as it is.
#[must_use]
pub fn are_in(text: &str) -> bool {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    known.telling.iter().any(|secret| text.contains(secret))
}

/// The place behind the quote that ends a JSON string.
fn closing(text: &str) -> usize {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// True if a secret may well be ordinary text: replaced everywhere, it would spoil what is said.
fn is_plain(secret: &str) -> bool {
    let length = secret.chars().count();
    let all = |is: fn(&u8) -> bool| secret.bytes().all(|byte| is(&byte));
    let is_short = length < 6
        || length < 8 && (all(u8::is_ascii_alphabetic) || all(u8::is_ascii_punctuation))
        || length < 10 && all(u8::is_ascii_digit);
    is_short || WORDS.iter().any(|word| word.eq_ignore_ascii_case(secret))
}

/// A secret as a URI, `key=value` pairs, SQL, JSON, Rust's `{:?}` and GitHub's commands spell it.
fn spellings(secret: &str) -> BTreeSet<String> {
    let inner = |quoted: &str| quoted[1..quoted.len() - 1].to_owned();
    let spelled = |text: &str| {
        let encoded = url::encode(text);
        [
            text.to_owned(),
            encoded.to_ascii_lowercase(),
            encoded,
            text.replace('\\', r"\\").replace('\'', r"\'"),
            text.replace('\'', "''"),
            text.replace('%', "%25"),
            inner(&serde_json::Value::from(text).to_string()),
            inner(&format!("{text:?}")),
        ]
    };
    // A message quotes what is quoted already.
    spelled(secret)
        .iter()
        .flat_map(|once| spelled(once))
        .collect()
}

#[cfg(test)]
mod tests;
