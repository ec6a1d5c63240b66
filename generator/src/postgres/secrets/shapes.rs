//! Connection strings within other text: where their passwords stand.
//!
//! libpq repeats a URI whole when it does not like it, with quotes around it or behind a colon.

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use super::HIDDEN;
use crate::postgres::url;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

pub(super) fn begins_uri(text: &str) -> bool {
    let text = text.trim_start();
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// The passwords of all URIs in a text, as they are written.
pub(super) fn secrets(text: &str) -> Vec<&str> {
    in_uris(text)
        .into_iter()
        .map(|place| &text[place])
        .collect()
}

/// The text without the passwords of URIs, and without `plain` ones where a connection string has its password.
pub(super) fn hidden<'a>(text: Cow<'a, str>, plain: &BTreeSet<String>) -> Cow<'a, str> {
    let mut places = in_uris(&text);
    for secret in plain {
        places.extend(in_pairs(&text, secret));
    }
    places.retain(|place| &text[place.clone()] != HIDDEN);
    if places.is_empty() {
        return text;
    }
    places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    let mut safe = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        if place.start >= at {
            safe.extend([&text[at..place.start], HIDDEN]);
        }
        at = at.max(place.end);
    }
    safe += &text[at..];
    Cow::Owned(safe)
}

/// The places of passwords in URIs, and of parameter values that may be secret.
fn in_uris(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(begin) = next_uri(text, from) {
        let uri = &text[begin..];
        let next = next_uri(uri, 0).unwrap_or(uri.len());
        let end = uri.find(char::is_whitespace).unwrap_or(uri.len()).min(next);
        let uri = &uri[..end];
        if let Some(user) = user_info(uri)
            && let Some(colon) = uri[..user].find(':')
        {
            places.push(begin + colon + 1..begin + user);
        }
        let behind = user_info(uri).unwrap_or_default();
        if let Some(query) = uri[behind..].find('?') {
            places.extend(
                parameters(uri, behind + query + 1).map(|at| begin + at.start..begin + at.end),
            );
        }
        from = begin + end;
    }
    places
}

/// The place behind the next scheme.
fn next_uri(text: &str, from: usize) -> Option<usize> {
    let found = SCHEMES.iter().filter_map(|scheme| {
        let at = text[from..].find(scheme)?;
        Some(from + at + scheme.len())
    });
    found.min()
}

/// The `@` that ends user and password: libpq's, or the one behind a password with a bare `/` in it.
fn user_info(uri: &str) -> Option<usize> {
    let first = uri.find(['@', '/'])?;
    if uri[first..].starts_with('@') {
        return Some(first);
    }
    let address = uri.split('?').next().unwrap_or(uri);
    address.rfind('@')
}

fn parameters(uri: &str, from: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = from;
    uri[from..].split('&').filter_map(move |pair| {
        let start = at;
        at += pair.len() + 1;
        let equals = pair.find('=')?;
        let value = &pair[equals + 1..];
        // A quote that stands around the whole URI.
        let length = value.find(['"', '\'', ')', ',']).unwrap_or(value.len());
        let begin = start + equals + 1;
        (!url::is_shown(&url::decode(&pair[..equals]))).then_some(begin..begin + length)
    })
}

/// The places of a secret in a text, as `password=…` or between `:` and `@`.
fn in_pairs<'a>(text: &'a str, secret: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    text.match_indices(secret).filter_map(move |(at, _)| {
        let (before, after) = (&text[..at], &text[at + secret.len()..]);
        let in_uri = before.ends_with(':') && after.starts_with('@');
        let ends = !after.starts_with(|c: char| c.is_alphanumeric());
        (in_uri || ends && is_assigned(before)).then_some(at..at + secret.len())
    })
}

/// True if what comes next is the value of a password.
fn is_assigned(before: &str) -> bool {
    let before = before.trim_end_matches(['\'', '"', ' ']);
    let Some(key) = before.strip_suffix('=') else {
        return false;
    };
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let key = key.trim_end().rsplit(|c| !is_of_key(c)).next();
    key.is_some_and(|key| key.to_ascii_lowercase().contains("pass"))
}
