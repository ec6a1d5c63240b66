use super::*;
use crate::postgres::connection::ConnectError;

#[test]
fn a_secret_is_gone_in_every_spelling() {
    remember("S3cr3t/p%w'\"x");
    for text in [
        "S3cr3t/p%w'\"x",
        "S3cr3t%2Fp%25w%27%22x",
        "s3cr3t%2fp%25w%27%22x",
        "S3cr3t/p%w\\'\"x",
        "S3cr3t/p%w''\"x",
        "S3cr3t/p%25w'\"x",
        "S3cr3t/p%w'\\\"x",
    ] {
        assert_eq!(hidden(&format!("a {text} b")), "a *** b");
    }
    assert!(are_in("x S3cr3t/p%w'\"x"));
}

#[test]
fn a_uri_loses_its_password_whoever_wrote_it() {
    for (said, safe) in [
        (
            "in URI: \"postgres://u:hEmlig@[::1]x/d\"",
            "in URI: \"postgres://u:***@[::1]x/d\"",
        ),
        ("postgresql://u:a#b?c@h/d", "postgresql://u:***@h/d"),
        ("postgres://u:a/b@h/d?x=1", "postgres://u:***@h/d?x=***"),
        (
            "postgres://h/d?password=x&port=1",
            "postgres://h/d?password=***&port=1",
        ),
        ("postgres://u:@h/d", "postgres://u:***@h/d"),
        (
            "(\"postgres://h/d?pass%77ord=x\")",
            "(\"postgres://h/d?pass%77ord=***\")",
        ),
    ] {
        assert_eq!(hidden(said), safe);
        assert_eq!(hidden(safe), safe);
    }
    for plain in [
        "postgres://h:5432/d",
        "postgres://u@h:5432/d?application_name=a@b",
        "postgres://h:5432/d?user=a@b",
        "postgres:///d?host=/tmp",
        "no URI: at all@here",
    ] {
        assert_eq!(hidden(plain), plain);
    }
}

#[test]
fn an_ordinary_word_goes_from_connection_strings_alone() {
    for word in ["a", "postgres", "1234", "sesam"] {
        remember(word);
        let said = format!("a {word} has postgres 1234 or sesam: host=h password={word} port=1");
        let safe = "password=*** port=1";
        assert!(hidden(&said).ends_with(safe), "{}", hidden(&said));
        assert!(hidden(&said).starts_with(&format!("a {word} has postgres 1234 or sesam")));
        assert_eq!(hidden(&format!("u:{word}@h")), "u:***@h");
        let other = format!("¡={word} é = '{word}' ={word}");
        assert_eq!(hidden(&other), other);
        assert_eq!(hidden(&format!("PGPASSWORD='{word}'")), "PGPASSWORD='***'");
    }
}

#[test]
fn json_stays_json() {
    remember("tr1cky\",\"b\":[");
    let json = r#"{"a": "postgres://u:pw@h", "tr1cky\",\"b\":[": ["x tr1cky\",\"b\":[ y", "\\"]}"#;
    let safe = hidden_in_json(json);
    assert_eq!(
        safe,
        r#"{"a": "postgres://u:***@h", "tr1cky\",\"b\":[": ["x *** y", "\\"]}"#
    );
}

#[test]
fn what_is_read_is_remembered() {
    let _ = Url::parse("postgres://me:Rem3mber%2Fed@h/db?sslpassword=K3yK3y%21");
    let _ = Url::parse(r"host=h password='l1ke \'this'");
    remember_uri("postgres://me:m1sspelt%zz@h/db");
    remember_variables([
        ("PGPASSWORD", "fr0mthere"),
        ("SHOP_URL", "postgresql://x:fr0mhere@h"),
    ]);
    let said =
        "Rem3mber%2Fed Rem3mber/ed K3yK3y! K3yK3y%21 l1ke 'this m1sspelt%zz fr0mthere fr0mhere";
    assert_eq!(hidden(said), "*** *** *** *** *** *** *** ***");
    assert_eq!(hidden("a PGPASSWORD b"), "a PGPASSWORD b");
}

#[test]
fn another_part_of_the_same_string_is_no_secret() {
    let _ = Url::parse("postgres://Laboratory1:Laboratory1@h/db");
    assert_eq!(hidden("role Laboratory1"), "role Laboratory1");
    assert_eq!(hidden("u:Laboratory1@h"), "u:***@h");
}

#[test]
fn libpq_repeats_a_uri_and_we_do_not() {
    for text in [
        "postgres://u:S3cr3tPw@[::1]x/d",
        "postgres://u:a@[]/d",
        "postgres://u:S3cr3tPw@h/d?sslmode=disable&nothing=S3cr3tPw",
        "host=h nothing=S3cr3tPw",
        "postgres://u:S3cr3tPw@h:port/d",
    ] {
        let url = Url::parse(text).expect("a URL that we take");
        let error = crate::postgres::connection::connect(&url)
            .err()
            .expect("nobody there");
        let said = format!("{error} {error:?}");
        assert!(
            !said.contains("S3cr3tPw") && !said.contains(":a@"),
            "{said}"
        );
        assert!(!matches!(error, ConnectError::TooOld { .. }));
    }
}
