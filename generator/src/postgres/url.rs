//! The address of a database, in every form that libpq takes.
//!
//! Invariant: no output of this module but [`Url::as_secret_str`] holds a password. The grammar is libpq's own and not that
//! of a web address: several hosts, a socket folder as host, and `#` or `?` inside a password are all legal there, and a
//! parser that sees them differently would show parts of a password as a host.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::postgres::secrets::{self, HIDDEN};

pub(crate) mod service;

/// The parameters whose values are shown. Not all others are secret, but one that is misspelt may be the password.
const SHOWN: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssencmode",
    "host",
    "hostaddr",
    "options",
    "passfile",
    "port",
    "service",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// The parameters besides the password that nobody else may read. libpq has no variable of the environment for them.
const SECRET: &[&str] = &[
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
    "sslpassword",
];

/// The service that holds them.
const SERVICE: &str = "trueup";

/// A libpq connection string, `postgres://…` or `key=value …`, whose password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(Arc<Written>);

#[derive(PartialEq, Eq)]
struct Written {
    form: Form,
    secret: String,
}

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Uri(Uri),
    Pairs(Vec<(String, String)>),
}

/// The parts of a URI as they were written, still percent-encoded.
#[derive(Clone, PartialEq, Eq)]
struct Uri {
    user: Option<String>,
    password: Option<String>,
    hosts: String,
    database: Option<String>,
    parameters: Vec<(String, String)>,
    /// True for a server that this process started: nothing in the environment has a say in how to get there.
    is_ours: bool,
}

/// The fault of a connection string. The text itself is not repeated, since it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Neither a URI nor `key=value` pairs.
    #[error("the database URL is neither postgres://… nor key=value pairs")]
    Unknown,
    /// A `%` without two hexadecimal digits after it.
    #[error(
        "the database URL has a % that is not followed by two hexadecimal digits (a literal % is written %25)"
    )]
    PercentEncoding,
    /// An `@` behind the host: most likely a password with a bare `/` in it.
    #[error(
        "the database URL has an @ after its host; in a user name or password, write / as %2F and @ as %40"
    )]
    Unescaped,
    /// A `[` without its `]`.
    #[error("the database URL has a [ without its ], which stand around an IPv6 address")]
    Bracket,
    /// A query parameter that is no `key=value`.
    #[error(
        "the database URL has a query parameter that is no key=value (a literal & is written %26)"
    )]
    Parameter,
    /// A quoted value without its closing quote.
    #[error("the connection string has a quoted value without its closing quote")]
    Quote,
    /// A key without `=`.
    #[error(
        "the connection string has a key without =value (a value with spaces needs single quotes)"
    )]
    Pair,
}

impl Url {
    /// Reads a connection string as libpq would.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim_matches(is_blank);
        let uri = ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let form = match uri {
            Some(rest) => Form::Uri(Uri::parse(rest)?),
            // In a value it may well stand.
            None if text
                .split_once('=')
                .is_none_or(|(key, _)| key.contains("://")) =>
            {
                return Err(UrlError::Unknown);
            }
            None => Form::Pairs(parse_pairs(text)?),
        };
        form.remember_secrets();
        Ok(Self::of(form))
    }

    /// The URL of a server that listens on a socket in `folder`.
    #[must_use]
    pub fn of_socket(folder: &str, port: u16, user: &str, database: &str) -> Self {
        Self::of(Form::Uri(Uri {
            user: Some(encode(user)),
            password: None,
            hosts: String::new(),
            database: Some(encode(database)),
            parameters: vec![
                ("host".to_owned(), encode(folder)),
                ("port".to_owned(), port.to_string()),
            ],
            is_ours: true,
        }))
    }

    /// The whole string, password included, for connecting and for nothing else.
    #[must_use]
    pub fn as_secret_str(&self) -> &str {
        &self.0.secret
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut form = self.0.form.clone();
        match &mut form {
            Form::Uri(uri) => {
                uri.database = Some(encode(name));
                uri.parameters.retain(|(key, _)| decode(key) != "dbname");
            }
            Form::Pairs(pairs) => {
                pairs.retain(|(key, _)| key != "dbname");
                pairs.push(("dbname".to_owned(), name.to_owned()));
            }
        }
        Self::of(form)
    }

    /// The same URL with a parameter that applies unless the URL already sets it.
    #[must_use]
    pub fn with_default(&self, key: &str, value: &str) -> Self {
        let mut form = self.0.form.clone();
        match &mut form {
            Form::Uri(uri) if uri.parameters.iter().all(|(old, _)| decode(old) != key) => {
                uri.parameters.push((encode(key), encode(value)));
            }
            Form::Pairs(pairs) if pairs.iter().all(|(old, _)| old != key) => {
                pairs.push((key.to_owned(), value.to_owned()));
            }
            Form::Uri(_) | Form::Pairs(_) => {}
        }
        Self::of(form)
    }

    /// The same URL with a parameter, whatever the URL said of it.
    #[must_use]
    pub(crate) fn with_parameter(&self, key: &str, value: &str) -> Self {
        let mut form = self.0.form.clone();
        match &mut form {
            Form::Uri(uri) => uri.parameters.retain(|(old, _)| decode(old) != key),
            Form::Pairs(pairs) => pairs.retain(|(old, _)| old != key),
        }
        Self::of(form).with_default(key, value)
    }

    /// The same URL without its password, and the password: for programs whose arguments everybody may read.
    pub(crate) fn split_password(&self) -> (Self, Option<String>) {
        let mut form = self.0.form.clone();
        let password = match &mut form {
            Form::Uri(uri) => {
                let in_user = uri.password.take().map(|password| decode(&password));
                let secret = |(key, _): &(String, String)| decode(key) == "password";
                let found = uri.parameters.extract_if(.., |pair| secret(pair)).last();
                found.map(|(_, value)| decode(&value)).or(in_user)
            }
            Form::Pairs(pairs) => {
                let found = pairs.extract_if(.., |(key, _)| key == "password").last();
                found.map(|(_, value)| value)
            }
        };
        (Self::of(form), password)
    }

    /// The same URL with a service in place of its further secrets, and the text of a service file that has them, where there are
    /// any: for programs whose arguments everybody may read.
    pub(crate) fn split_secrets(&self) -> (Self, Option<String>) {
        let mut form = self.0.form.clone();
        let found: Vec<(String, String)> = match &mut form {
            Form::Uri(uri) => uri
                .parameters
                .extract_if(.., |(key, _)| SECRET.contains(&&*decode(key)))
                .map(|(key, value)| (decode(&key), decode(&value)))
                .collect(),
            Form::Pairs(pairs) => pairs
                .extract_if(.., |(key, _)| SECRET.contains(&&**key))
                .collect(),
        };
        if found.is_empty() {
            return (self.clone(), None);
        }
        let of_service = self.service().and_then(|service| service::all(&service));
        let mut all = of_service.unwrap_or_default();
        all.extend(found);
        let mut lines = String::new();
        for (key, value) in &all {
            lines += &format!("{key}={value}\n");
        }
        let url = Self::of(form).with_parameter("service", SERVICE);
        (url, Some(format!("[{SERVICE}]\n{lines}")))
    }

    /// The name of the database as libpq resolves it without asking a server: the connection string, else the service that
    /// it or `PGSERVICE` names, else `PGDATABASE`. `None` where libpq takes the user's name.
    #[must_use]
    pub fn database(&self) -> Option<String> {
        let named = |name: &String| !name.is_empty();
        if let Some(name) = self.written_database() {
            return Some(name).filter(named);
        }
        let variable = |name: &str| std::env::var(name).ok().filter(named);
        if let Some(service) = self.service() {
            // One that stands in a file which is not known here may name another than PGDATABASE does.
            let named = service::all(&service)?.remove("dbname");
            return named.or_else(|| variable("PGDATABASE"));
        }
        variable("PGDATABASE")
    }

    /// The hosts, where there is more than one: in the connection string, else in the service, else in the environment.
    pub(crate) fn several_hosts(&self) -> Option<String> {
        let in_path = match &self.0.form {
            Form::Uri(uri) => Some(uri.hosts.clone()).filter(|hosts| !hosts.is_empty()),
            Form::Pairs(_) => None,
        };
        let parameter = |key| self.0.form.parameter(key);
        let written = parameter("hostaddr")
            .or_else(|| parameter("host"))
            .or(in_path);
        let of_service = || {
            let service = self.service()?;
            service::setting(&service, "hostaddr").or_else(|| service::setting(&service, "host"))
        };
        let hosts = written
            .or_else(of_service)
            .or_else(|| std::env::var("PGHOSTADDR").ok())
            .or_else(|| std::env::var("PGHOST").ok());
        hosts.filter(|hosts| hosts.contains(','))
    }

    fn service(&self) -> Option<String> {
        let named = |name: &String| !name.is_empty();
        let variable = || std::env::var("PGSERVICE").ok().filter(named);
        self.0.form.parameter("service").or_else(variable)
    }

    /// The name of the database in the connection string; empty where the string says that there is none.
    fn written_database(&self) -> Option<String> {
        let in_path = match &self.0.form {
            Form::Uri(uri) => uri.database.as_deref().filter(|name| !name.is_empty()),
            Form::Pairs(_) => None,
        };
        let parameter = self.0.form.parameter("dbname");
        parameter.or_else(|| in_path.map(decode))
    }

    /// True if [`Url::of_socket`] made it.
    pub(crate) fn is_of_socket_of_ours(&self) -> bool {
        matches!(&self.0.form, Form::Uri(uri) if uri.is_ours)
    }

    /// The last value of a parameter, as it is meant.
    pub(crate) fn parameter(&self, key: &str) -> Option<String> {
        self.0.form.parameter(key)
    }

    fn of(form: Form) -> Self {
        let secret = form.written(|_, value| value);
        Self(Arc::new(Written { form, secret }))
    }
}

/// True if the value of a parameter is no secret.
pub(crate) fn is_shown(key: &str) -> bool {
    SHOWN.contains(&key)
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &self
                .0
                .form
                .written(|key, value| if is_shown(key) { value } else { HIDDEN }),
        )
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl Form {
    /// The last value of a parameter. Only a URI is percent-encoded.
    fn parameter(&self, key: &str) -> Option<String> {
        match self {
            Self::Uri(uri) => {
                let mut found = uri.parameters.iter().rev();
                let (_, value) = found.find(|(written, _)| decode(written) == key)?;
                Some(decode(value))
            }
            Self::Pairs(pairs) => {
                let (_, value) = pairs.iter().rev().find(|(written, _)| written == key)?;
                Some(value.clone())
            }
        }
    }

    /// From here on no text that leaves the process has them.
    fn remember_secrets(&self) {
        let (shown, secret): (Vec<_>, Vec<_>) = match self {
            Self::Uri(uri) => {
                let parameters = uri
                    .parameters
                    .iter()
                    .map(|(key, value)| (decode(key), value));
                let password = uri
                    .password
                    .iter()
                    .map(|value| ("password".to_owned(), value));
                let user = uri.user.iter().map(|value| ("user".to_owned(), value));
                let database = uri
                    .database
                    .iter()
                    .map(|value| ("dbname".to_owned(), value));
                let host = ("host".to_owned(), &uri.hosts);
                let all = parameters.chain(password).chain(user).chain(database);
                all.chain([host]).partition(|(key, _)| is_shown(key))
            }
            Self::Pairs(pairs) => {
                // Any text with an equals sign may be tried; a connection string has a word of libpq's in it.
                let is_any = pairs.iter().any(|(key, _)| is_shown(key));
                let meant = |key: &str| is_any || key.contains("pass");
                let all = pairs.iter().filter(|(key, _)| meant(key));
                let all = all.map(|(key, value)| (key.clone(), value));
                all.partition(|(key, _)| is_shown(key))
            }
        };
        let shown: Vec<&str> = shown.iter().map(|(_, value)| value.as_str()).collect();
        for (_, value) in secret {
            secrets::remember_beside(value, &shown);
            if matches!(self, Self::Uri(_)) {
                secrets::remember_beside(&decode(value), &shown);
            }
        }
    }

    /// Writes the connection string with each value as `show(key, value)` lets it.
    fn written(&self, show: impl for<'a> Fn(&str, &'a str) -> &'a str) -> String {
        match self {
            Self::Uri(uri) => uri.written(show),
            Self::Pairs(pairs) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| format!("{key}={}", quote(show(key, value))))
                    .collect();
                pairs.join(" ")
            }
        }
    }
}

impl Uri {
    fn parse(rest: &str) -> Result<Self, UrlError> {
        if !is_percent_encoded(rest) {
            return Err(UrlError::PercentEncoding);
        }
        // libpq looks for the user up to the first `@`, unless a `/` comes before it.
        let (credentials, rest) = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => (Some(&rest[..at]), &rest[at + 1..]),
            Some(_) | None => (None, rest),
        };
        let (user, password) = match credentials.map(|text| text.split_once(':').ok_or(text)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(user.to_owned()), Some(password.to_owned())),
            Some(Err(user)) => (Some(user.to_owned()), None),
        };
        let (hosts, rest) = rest.split_at(hosts_end(rest).ok_or(UrlError::Bracket)?);
        let (path, query) = rest
            .split_once('?')
            .map_or((rest, None), |(path, query)| (path, Some(query)));
        if hosts.contains('@') || path.contains('@') {
            return Err(UrlError::Unescaped);
        }
        let database = path.strip_prefix('/');
        // Nothing behind a `?` or a last `&` is no parameter.
        let query = query.map(|query| query.strip_suffix('&').unwrap_or(query));
        let parameters = query
            .into_iter()
            .filter(|query| !query.is_empty())
            .flat_map(|query| query.split('&'))
            .map(|pair| {
                pair.split_once('=')
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(UrlError::Parameter)?;
        Ok(Self {
            user,
            password,
            hosts: hosts.to_owned(),
            database: database.map(str::to_owned),
            parameters,
            is_ours: false,
        })
    }

    fn written(&self, show: impl for<'a> Fn(&str, &'a str) -> &'a str) -> String {
        let mut text = "postgres://".to_owned();
        if let Some(user) = &self.user {
            text.push_str(user);
            if let Some(password) = &self.password {
                text.extend([":", show("password", password)]);
            }
            text.push('@');
        }
        text.push_str(&self.hosts);
        if let Some(database) = &self.database {
            text.extend(["/", database]);
        }
        for (index, (key, value)) in self.parameters.iter().enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.extend([key, "=", show(&decode(key), value)]);
        }
        text
    }
}

/// The place behind the hosts; `None` if a bracket is not closed. Everything in brackets is one host.
fn hosts_end(text: &str) -> Option<usize> {
    let (mut begins, mut is_within) = (true, false);
    for (at, character) in text.char_indices() {
        match character {
            '[' if begins => is_within = true,
            ']' => is_within = false,
            '/' | '?' if !is_within => return Some(at),
            _ => {}
        }
        begins = character == ',' && !is_within;
    }
    (!is_within).then_some(text.len())
}

fn parse_pairs(text: &str) -> Result<Vec<(String, String)>, UrlError> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(UrlError::Pair)?;
        let key = key.trim_end_matches(is_blank);
        if key.is_empty() || key.contains(is_blank) {
            return Err(UrlError::Pair);
        }
        let (value, after) = parse_value(after.trim_start_matches(is_blank))?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start_matches(is_blank);
    }
    Ok(pairs)
}

/// True for what C's `isspace` takes for a blank, and so libpq.
fn is_blank(character: char) -> bool {
    character.is_ascii_whitespace() || character == '\u{b}'
}

/// One value, quoted or bare; a backslash takes the next character as it is in both.
fn parse_value(text: &str) -> Result<(String, &str), UrlError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            space if !quoted && is_blank(space) => return Ok((value, &text[at..])),
            other => value.push(other),
        }
    }
    if quoted {
        Err(UrlError::Quote)
    } else {
        Ok((value, ""))
    }
}

fn quote(value: &str) -> String {
    let plain =
        !value.is_empty() && !value.contains(|c: char| is_blank(c) || c == '\'' || c == '\\');
    if plain {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
    }
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after.get(..2).is_some_and(|digits| {
            digits != "00" && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    })
}

pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

pub(crate) fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => bytes.extend(part.as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
