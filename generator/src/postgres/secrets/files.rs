//! Passwords in the files that libpq reads by itself: the password file and the connection service file.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use super::remember;
use crate::postgres::url::{Url, service};

/// The maximum number of bytes read of a file: a longer one is no file of passwords.
const LONGEST: u64 = 1 << 20;

/// Remembers the passwords that libpq may take from files, for this connection string too, where there is one.
pub fn remember_files(url: Option<&Url>) {
    let named = url.and_then(|url| url.parameter("passfile"));
    let own = || {
        let named = env::var_os("PGPASSFILE").filter(|value| !value.is_empty());
        let home = env::var_os("HOME");
        named
            .map(PathBuf::from)
            .or_else(|| Some(Path::new(&home?).join(".pgpass")))
    };
    let file = named.map(PathBuf::from).or_else(own);
    for line in file
        .and_then(|file| text(file.as_os_str()))
        .unwrap_or_default()
        .lines()
    {
        if let Some(password) = password(line) {
            remember(&password);
        }
    }
    for file in service::files() {
        for (key, value) in text(file.as_os_str())
            .iter()
            .flat_map(|text| service::settings(text))
        {
            if key.contains("pass") {
                remember(value);
            }
        }
    }
}

/// The text of a plain file; a pipe would be waited for.
fn text(path: &OsStr) -> Option<String> {
    let path = Path::new(path);
    let mut text = Vec::new();
    if fs::metadata(path).ok()?.is_file() {
        fs::File::open(path)
            .ok()?
            .take(LONGEST)
            .read_to_end(&mut text)
            .ok()?;
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The last of the five fields of a line; a backslash takes the next character as it is.
fn password(line: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(characters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    fields.into_iter().nth(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_last_field() {
        assert_eq!(password(r"h:1:d:u:a\:b\\c").as_deref(), Some(r"a:b\c"));
        assert_eq!(password("*:*:*:*:s:3").as_deref(), Some("s:3"));
        assert_eq!(password("#*:*:*:*:s3"), None);
        assert_eq!(password("*:*:*:s3"), None);
    }
}
