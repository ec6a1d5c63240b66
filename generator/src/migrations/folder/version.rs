//! Names for new folders.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Migration, MigrationError, version_of};

/// Longer names are cut: with its version a folder's name stays well under the 255 bytes that file systems take.
const LONGEST_SLUG: usize = 80;

/// Diesel's format of a timestamp, with and without dashes.
const FOLDER_SECOND: &str = "%Y-%m-%d-%H%M%S";
const VERSION_SECOND: &str = "%Y%m%d%H%M%S";

/// The beginning of the next folder's name, such as `2026-11-21-063000-0000`: later than every existing version, even where a
/// clock goes back or somebody else's was ahead.
#[must_use]
pub fn new_version(existing: &[Migration], now: DateTime<Utc>) -> String {
    let newest = existing
        .iter()
        .map(|migration| migration.version.as_str())
        .max();
    version_after(newest.unwrap_or_default(), now)
}

pub(super) fn version_after(newest: &str, now: DateTime<Utc>) -> String {
    let folder =
        |time: NaiveDateTime, number: u32| format!("{}-{number:04x}", time.format(FOLDER_SECOND));
    let at_now = folder(now.naive_utc(), 0);
    if version_of(&at_now).as_str() > newest {
        return at_now;
    }
    let digits = newest.get(..14).unwrap_or_default();
    let Ok(time) = NaiveDateTime::parse_from_str(digits, VERSION_SECOND) else {
        // Named by hand and no time at all: only something longer comes after it for sure.
        return format!("{newest}-0000");
    };
    // Diesel counts within a second, in hexadecimal.
    let last = u32::from_str_radix(newest.get(14..18).unwrap_or_default(), 16);
    let number = last.map_or(0, |last| last + 1);
    let next = if number <= 0xffff {
        folder(time, number)
    } else {
        folder(time + TimeDelta::seconds(1), 0)
    };
    if version_of(&next).as_str() > newest {
        next
    } else {
        format!("{newest}-0000")
    }
}

/// The part of a folder's name after the version: the message in small letters and digits with `_` between.
pub fn slug(message: &str) -> Result<String, MigrationError> {
    let words = message
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("_").to_lowercase();
    while slug.len() > LONGEST_SLUG {
        slug.pop();
    }
    let slug = slug.trim_end_matches('_');
    if slug.is_empty() {
        Err(MigrationError::Message {
            message: message.to_owned(),
        })
    } else {
        Ok(slug.to_owned())
    }
}
