//! Every escape: a text goes out, is read as its reader reads, and is the same text and nothing else.

use diesel::{prelude::*, sql_types::Text};
use generator::{
    pipeline::check::Check,
    postgres::secrets,
    report::{CheckReport, Output, Reader},
};
use proptest::prelude::*;
use trueup::{
    name::{literal, quoted_ident},
    one_line,
};

use super::{cases, hold, hostile};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

#[test]
fn a_literal_a_name_and_a_comment_are_what_postgres_reads() {
    let (_server, database) = tests::database();
    let connection = std::cell::RefCell::new(database.connect().expect("a connection"));
    hold(cases(), hostile(), |text| {
        let text = text.replace('\0', "");
        let mut connection = connection.borrow_mut();
        for conforming in ["on", "off"] {
            let sql = format!("SET standard_conforming_strings = {conforming}");
            diesel::sql_query(sql)
                .execute(&mut *connection)
                .expect("a setting");
            let sql = format!("SELECT {} AS text", literal(&text));
            let read: Result<Row, _> = diesel::sql_query(&sql).get_result(&mut *connection);
            if read.as_ref().is_ok_and(|row| row.text != text) || read.is_err() {
                return Err(format!("{sql} is not read"));
            }
        }
        let mut name = text.clone();
        while name.len() > 60 {
            name.pop();
        }
        let sql = format!("CREATE TEMPORARY TABLE {} ()", quoted_ident(&name));
        diesel::sql_query(&sql)
            .execute(&mut *connection)
            .map_err(|error| format!("{sql}: {error}"))?;
        let found =
            "SELECT relname::text AS text FROM pg_class WHERE relnamespace = pg_my_temp_schema()";
        let found: Row = diesel::sql_query(found)
            .get_result(&mut *connection)
            .expect("a name");
        let sql = format!("DROP TABLE {}", quoted_ident(&name));
        diesel::sql_query(&sql)
            .execute(&mut *connection)
            .map_err(|error| format!("{sql}: {error}"))?;
        if found.text != name {
            return Err(format!("it is called {:?}", found.text));
        }
        let sql = format!("SELECT 'before' || -- {}\n'after' AS text", one_line(&text));
        let read: Row = diesel::sql_query(&sql)
            .get_result(&mut *connection)
            .map_err(|error| format!("{sql}: {error}"))?;
        if read.text == "beforeafter" {
            Ok(())
        } else {
            Err(sql)
        }
    });
}

/// True for a text that has no password of another target of this process in it.
fn is_kept(text: &str) -> bool {
    secrets::hidden(text) == text
}

/// True for what a terminal obeys.
fn is_active(character: char) -> bool {
    let is_bidi = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    character.is_control() && !matches!(character, '\n' | '\t') || is_bidi.contains(character)
}

#[test]
fn a_terminal_obeys_nothing() {
    hold(cases(), hostile(), |text| {
        if !is_kept(&text) {
            return Ok(());
        }
        let shown = Output::default().shown(&text);
        match shown.chars().find(|c| is_active(*c)) {
            Some(active) => Err(format!("{active:?} is in {shown:?}")),
            None if text.chars().any(is_active) => Ok(()),
            None if shown == text || text.contains("postgres") => Ok(()),
            None => Err(format!("it is shown as {shown:?}")),
        }
    });
}

/// The commands that GitHub's runner finds in a text: it splits lines as .NET does, trims them, and knows an older form that
/// counts anywhere in a line.
fn commands(text: &str) -> Vec<&str> {
    let lines = text.split(['\n', '\r']);
    lines
        .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
        .collect()
}

#[test]
fn github_obeys_what_is_meant_alone() {
    hold(cases(), (hostile(), hostile()), |(one, other)| {
        if !is_kept(&one) || !is_kept(&other) {
            return Ok(());
        }
        let check = CheckReport::from(Check {
            pending: vec![one.clone()],
            unknown: vec![other.clone()],
            ..Check::default()
        });
        let output = Output {
            reader: Reader::Github,
            ..Output::default()
        };
        let said = output.shown(&format!("note: {one}\n{other}\n"));
        if !commands(&said).is_empty() {
            return Err(format!("{said:?} has a command"));
        }
        let annotations = check.annotations();
        let found = commands(&annotations);
        if found.len() != 2 || found.iter().any(|line| !line.starts_with("::error title=")) {
            return Err(format!("{found:?}"));
        }
        for (line, text) in found.into_iter().zip([one, other]) {
            let data = line.splitn(3, "::").nth(2).unwrap_or_default();
            let decoded = data
                .replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%25", "%");
            if decoded != text.replace("##[", "#\\#[") {
                return Err(format!("{decoded:?} is read instead of {text:?}"));
            }
        }
        Ok(())
    });
}

#[test]
fn json_is_read_back() {
    let all = (hostile(), prop::collection::vec(hostile(), 0..3));
    hold(cases(), all, |(key, values)| {
        if !values.iter().all(|value| is_kept(value)) {
            return Ok(());
        }
        let object = serde_json::json!({ key: values });
        let text = serde_json::to_string_pretty(&object).expect("JSON");
        let safe = secrets::hidden_in_json(&text);
        let read: serde_json::Value =
            serde_json::from_str(&safe).map_err(|error| format!("{error}: {safe}"))?;
        if read == object { Ok(()) } else { Err(safe) }
    });
}
