//! Passwords: gone from whatever a message makes of a connection string.

use generator::postgres::{secrets, url::Url};
use proptest::prelude::*;

use super::{cases, hold};

fn encoded(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect::<Vec<_>>().concat()
}

#[test]
fn a_password_is_in_no_message() {
    // The first and last characters let the test find the password, and occur in no message of ours.
    let passwords = "Z[a-z0-9%@:/?#'\"\\\\ &=é,;(){}|~^<>$!*+-]{6,14}9Q";
    hold(
        cases(),
        (passwords, any::<bool>()),
        |(password, as_pairs)| {
            let url = if as_pairs {
                let escaped = password.replace('\\', "\\\\").replace('\'', "\\'");
                format!("host=h dbname=d password='{escaped}'")
            } else {
                format!("postgres://u:{}@h:1/d", encoded(&password))
            };
            let read = Url::parse(&url).map_err(|error| error.to_string())?;
            let spelled = [
                url.clone(),
                read.as_secret_str().to_owned(),
                password.clone(),
                format!("invalid URI: \"{url}\""),
                format!("{url:?}"),
                format!("('{}')", password.replace('\'', "''")),
                serde_json::json!({ "a": url }).to_string(),
            ];
            for text in spelled {
                let said = secrets::hidden(&text);
                let core = &password[1..password.len() - 2];
                if said.contains(core) || said.contains("9Q") {
                    return Err(format!("{said} is left of {text}"));
                }
            }
            let json = serde_json::json!({ "error": [url, password] });
            let safe = secrets::hidden_in_json(&serde_json::to_string_pretty(&json).expect("JSON"));
            let read: serde_json::Value =
                serde_json::from_str(&safe).map_err(|error| error.to_string())?;
            if read.to_string().contains("9Q") {
                return Err(safe);
            }
            Ok(())
        },
    );
}

#[test]
fn text_without_a_secret_stays() {
    let _ = Url::parse("postgres://app:a@h/db");
    let _ = Url::parse("postgres://postgres:postgres@h/postgres");
    let _ = Url::parse("host=h user=users password=users");
    for text in [
        "a table, a view and users of postgres at postgres://postgres@h/postgres",
        "postgres://h/postgres: database \"postgres\" does not exist",
        "users: a column",
    ] {
        assert_eq!(secrets::hidden(text), text);
    }
}
