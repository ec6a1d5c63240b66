//! The environment of programs that are started: what they need, and nothing else of ours.
//!
//! A server runs as another user, and what is in a program's environment its user can read. `DATABASE_URL`, passwords and
//! what a `.env` brought are no business of any of them, and `PG…` variables lead a program to another server than ours.

use std::{env, process::Command};

use crate::postgres::url::Url;

/// Variables that locate a program, its libraries, locales and temporary files.
const ANY: &[&str] = &[
    "PATH",
    "TMPDIR",
    "LOCPATH",
    "LOCALE_ARCHIVE",
    "ICU_DATA",
    "TZDIR",
];

/// The same, by the beginnings of names.
const ANY_STEMS: &[&str] = &["LD_", "DYLD_", "LOCALE_ARCHIVE_"];

/// Variables that locate a user's own files for libpq, and the files of its encryption.
const CLIENT: &[&str] = &[
    "HOME",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "OPENSSL_CONF",
];

/// The beginnings of what libpq itself heeds, but for what it asks of a session.
const LIBPQ: &[&str] = &["PG"];

/// Variables that would override our own settings of a session.
const SESSION: &[&str] = &[
    "PGOPTIONS",
    "PGDATESTYLE",
    "PGTZ",
    "PGGEQO",
    "PGCLIENTENCODING",
    "PGAPPNAME",
];

/// Variables that locate git's own settings.
const GIT: &[&str] = &[
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// The beginnings of git's settings in the environment, such as the folders that are safe.
const GIT_STEMS: &[&str] = &["GIT_CONFIG"];

/// Leaves a program what any program needs.
pub fn for_program(command: &mut Command) {
    keep(command, |_| false);
}

/// Leaves git what it needs to find its own settings.
pub fn for_git(command: &mut Command) {
    keep(command, |name| {
        GIT.contains(&name) || begins(name, GIT_STEMS)
    });
}

/// Leaves a client of Postgres what libpq needs to get to this database: for a server of ours that is in the URL.
pub(crate) fn for_client(command: &mut Command, url: &Url) {
    let is_ours = url.is_of_socket_of_ours();
    keep(command, |name| {
        let is_libpqs = begins(name, LIBPQ) && !SESSION.contains(&name);
        !is_ours && (is_libpqs || CLIENT.contains(&name))
    });
}

/// Takes the addresses of databases, and what only this program heeds, from a program that a person uses.
pub fn for_person(command: &mut Command) {
    for (name, value) in env::vars_os() {
        let text = name.to_string_lossy();
        let has_address = value.to_string_lossy().contains("://") && text.ends_with("_URL");
        if has_address || text.starts_with("TRUEUP_") || SESSION.contains(&&*text) {
            command.env_remove(name);
        }
    }
}

fn keep(command: &mut Command, more: impl Fn(&str) -> bool) {
    command.env_clear();
    let kept = env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        ANY.contains(&&*name) || begins(&name, ANY_STEMS) || more(&name)
    });
    command.envs(kept);
}

fn begins(name: &str, stems: &[&str]) -> bool {
    stems.iter().any(|stem| name.starts_with(stem))
}
