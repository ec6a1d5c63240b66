//! Connection strings: what libpq takes one for, we take it for.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use generator::postgres::{secrets, url::Url};
use proptest::prelude::*;

use super::{cases, hold};

/// libpq's own `PQconninfoParse`, in a program of its own: calling it takes code that Rust cannot check.
struct Libpq {
    child: Child,
    answers: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

/// Reads connection strings as lines of hexadecimal bytes, and answers each with `key=value` in the same form, or `-`.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef struct { char *keyword, *envvar, *compiled, *val, *label, *dispchar; int dispsize; } option;
extern option *PQconninfoParse(const char *, char **);
extern void PQconninfoFree(option *);
static void hex(const char *text) { for (; *text; text++) printf("%02x", (unsigned char) *text); }
int main(void) {
    static char line[1 << 16], text[1 << 15];
    while (fgets(line, sizeof line, stdin)) {
        size_t n = strlen(line) / 2;
        for (size_t i = 0; i < n; i++) { unsigned byte; sscanf(line + 2 * i, "%2x", &byte); text[i] = (char) byte; }
        text[n] = 0;
        char *error = NULL;
        option *all = PQconninfoParse(text, &error);
        if (!all) printf("-");
        else for (option *one = all; one->keyword; one++)
            if (one->val) { printf("%s=", one->keyword); hex(one->val); printf(" "); }
        printf("\n");
        fflush(stdout);
        if (all) PQconninfoFree(all);
    }
    return 0;
}
"#;

type Parsed = Option<BTreeMap<String, Vec<u8>>>;

impl Libpq {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, program) = (folder.path().join("parse.c"), folder.path().join("parse"));
        std::fs::write(&source, PROGRAM).expect("a file");
        let compiled = Command::new("cc")
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .arg("-lpq")
            .output()
            .expect("a C compiler");
        assert!(compiled.status.success(), "{compiled:?}");
        let mut child = Command::new(program)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            answers,
            _folder: folder,
        }
    }

    fn parse(&mut self, text: &str) -> Parsed {
        let bytes = text.bytes().map(|byte| format!("{byte:02x}"));
        let hex = bytes.collect::<Vec<_>>().concat();
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{hex}").expect("it reads");
        input.flush().expect("it reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        let line = line.trim_end_matches('\n');
        if line == "-" {
            return None;
        }
        let pair = |pair: &str| {
            let (key, hex) = pair.split_once('=').expect("a pair");
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
            let value = (0..hex.len()).step_by(2).map(byte).collect();
            (key.to_owned(), value)
        };
        Some(line.split_whitespace().map(pair).collect())
    }
}

impl Drop for Libpq {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn strings() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[a-z]{0,5}",
        1 => prop::sample::select(
            &["%20", "%2F", "%zz", "%00", "%", " ", "\\", "'", "\\'", "#", "?", "&", "=", ":", "@", "/", ",", "[::1]", "[", "]",
              "\u{a0}", "\u{b}", "\u{85}", "é", "%C3%A9", "%FF", "\t", "\n", "\""][..],
        ).prop_map(str::to_owned),
    ];
    let text = || prop::collection::vec(word.clone(), 0..3).prop_map(|words| words.concat());
    let key = || {
        prop_oneof![
            6 => prop::sample::select(
                &["host", "port", "dbname", "user", "password", "sslmode", "options", "application_name", "passfile",
                  "sslpassword", "service_", "pass%77ord", "ssl"][..],
            ).prop_map(str::to_owned),
            1 => text(),
        ]
    };
    let uri = (
        prop::sample::select(
            &[
                "postgres://",
                "postgresql://",
                "postgres:/",
                " postgres://",
                "mysql://",
            ][..],
        ),
        prop::option::of((text(), prop::option::of(text()))),
        text(),
        prop::option::of("[0-9]{0,5}"),
        prop::option::of(text()),
        prop::option::of(prop::collection::vec((key(), text()), 0..3)),
    )
        .prop_map(|(scheme, user, host, port, database, parameters)| {
            let user = user.map_or_else(String::new, |(user, password)| {
                let password = password.map_or_else(String::new, |password| format!(":{password}"));
                format!("{user}{password}@")
            });
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            let database = database.map_or_else(String::new, |database| format!("/{database}"));
            let parameters = parameters.map_or_else(String::new, |pairs| {
                let pairs = pairs.iter().map(|(key, value)| format!("{key}={value}"));
                format!("?{}", pairs.collect::<Vec<_>>().join("&"))
            });
            format!("{scheme}{user}{host}{port}{database}{parameters}")
        });
    let quoted = (text(), any::<bool>()).prop_map(|(text, quoted)| {
        let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
        if quoted { format!("'{escaped}'") } else { text }
    });
    let space = || prop::sample::select(&["", "", " ", "\t", "\n", "\u{b}", "\u{a0}"][..]);
    let pair = (key(), space(), space(), quoted, space())
        .prop_map(|(key, before, after, value, end)| format!("{key}{before}={after}{value}{end} "));
    let pairs = prop::collection::vec(pair, 1..5).prop_map(|pairs| pairs.concat());
    prop_oneof![4 => uri, 4 => pairs, 1 => "\\PC{0,20}"]
}

#[test]
fn a_connection_string_is_what_libpq_takes_it_for() {
    let libpq = Mutex::new(Libpq::start());
    let parse = |text: &str| libpq.lock().expect("a program").parse(text);
    let sound = parse("postgres://u:p%40@h/d").expect("a URI");
    assert_eq!(sound["password"], b"p@");
    assert_eq!(parse("no connection string"), None);
    hold(cases() * 8, strings(), |text| {
        let theirs = parse(&text);
        let Ok(url) = Url::parse(&text) else {
            // An `@` behind the host is most likely in a password that lacks its encoding, and libpq would send it to a
            // name server.
            // An empty one means none.
            let is_stricter = text.contains('@') && text.contains("://") || text.trim().is_empty();
            return if theirs.is_none() || is_stricter {
                Ok(())
            } else {
                Err(format!("libpq takes it for {theirs:?}"))
            };
        };
        // Around it there may be blanks, which a line in a file easily has.
        let is_bare = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}') == text;
        let handed_on = parse(url.as_secret_str());
        if is_bare && handed_on != theirs {
            return Err(format!("libpq gets {handed_on:?} instead of {theirs:?}"));
        }
        let Some(found) = handed_on else {
            return Ok(());
        };
        let text_of = |key: &str| {
            found
                .get(key)
                .map(|value| String::from_utf8_lossy(value).into_owned())
        };
        if found.contains_key("dbname")
            && url.database() != text_of("dbname").filter(|name| !name.is_empty())
        {
            return Err(format!("the database is {:?}", url.database()));
        }
        let other = parse(url.with_database("a/b '\\é").as_secret_str()).unwrap_or_default();
        let mut expected = found.clone();
        expected.insert("dbname".to_owned(), "a/b '\\é".into());
        if other != expected {
            return Err(format!("with another database it is {other:?}"));
        }
        for key in ["password", "sslpassword"] {
            let Some(password) = text_of(key).filter(|password| !password.is_empty()) else {
                continue;
            };
            let shown = parse(&url.to_string()).unwrap_or_default();
            if shown.get(key).is_none_or(|shown| shown != b"***") {
                return Err(format!("{url} shows the {key} {password}"));
            }
            let said = format!("could not connect to \"{}\"", url.as_secret_str());
            let said = secrets::hidden(&said).into_owned();
            let left = said.rsplit("connect to ").next().unwrap_or_default();
            if password.len() > 9 && left.contains(&password) {
                return Err(format!("{left} shows the {key} {password}"));
            }
        }
        Ok(())
    });
}
