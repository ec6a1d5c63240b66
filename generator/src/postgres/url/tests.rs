use super::*;

fn shown(text: &str) -> String {
    let url = Url::parse(text).expect("a valid URL");
    assert_eq!(format!("{url:?}"), format!("Url({url})"));
    url.to_string()
}

#[test]
fn a_password_is_never_shown() {
    assert_eq!(
        shown("postgres://me:s3cret@h:5432/db"),
        "postgres://me:***@h:5432/db"
    );
    assert_eq!(
        shown("postgresql://me:1?2#3@h/db"),
        "postgres://me:***@h/db"
    );
    assert_eq!(
        shown("postgres://h1,h2:5433/db?password=s3&sslmode=disable"),
        "postgres://h1,h2:5433/db?password=***&sslmode=disable"
    );
    assert_eq!(
        shown("postgres://h/db?pass%77ord=s3"),
        "postgres://h/db?pass%77ord=***"
    );
    assert_eq!(
        shown(r"host = h password='my \'s3' dbname=db"),
        "host=h password=*** dbname=db"
    );
    assert_eq!(shown("host=h passwort=s3"), "host=h passwort=***");
}

#[test]
fn what_libpq_would_misread_is_refused_without_showing_it() {
    assert_eq!(
        Url::parse("postgres://me:s3/cret@h/db"),
        Err(UrlError::Unescaped)
    );
    assert_eq!(
        Url::parse("postgres://me:s3%zz@h/db"),
        Err(UrlError::PercentEncoding)
    );
    assert_eq!(
        Url::parse("postgres://h/db?password=s3&cret"),
        Err(UrlError::Parameter)
    );
    assert_eq!(
        Url::parse("postgres://[::1/db?password=s3cret"),
        Err(UrlError::Bracket)
    );
    assert_eq!(Url::parse("host=h password=my s3cret"), Err(UrlError::Pair));
    assert_eq!(Url::parse("host=h password='s3cret"), Err(UrlError::Quote));
    assert_eq!(Url::parse("mysql://me:s3@h/db"), Err(UrlError::Unknown));
    assert_eq!(Url::parse("s3cret"), Err(UrlError::Unknown));
}

#[test]
fn connects_with_what_was_written() {
    for text in [
        "postgres://me:p%40@h:1/db?host=%2Ftmp",
        "postgres:///db",
        r"host=h password='a b\\' dbname=''",
    ] {
        assert_eq!(Url::parse(text).expect("a valid URL").as_secret_str(), text);
    }
}

#[test]
fn another_database() {
    let other = |text: &str| {
        Url::parse(text)
            .expect("a valid URL")
            .with_database("a/b ü")
    };
    assert_eq!(
        other("postgres://me:s@h/db?dbname=x&port=1").as_secret_str(),
        "postgres://me:s@h/a%2Fb%20%C3%BC?port=1"
    );
    assert_eq!(
        other("postgres://h").as_secret_str(),
        "postgres://h/a%2Fb%20%C3%BC"
    );
    assert_eq!(
        other("dbname=x host=h").as_secret_str(),
        "host=h dbname='a/b ü'"
    );
    assert_eq!(other("postgres://h").database().as_deref(), Some("a/b ü"));
}

#[test]
fn only_a_uri_is_percent_encoded() {
    let database = |text: &str| Url::parse(text).expect("a valid URL").database();
    assert_eq!(database("host=h dbname=ab%20c").as_deref(), Some("ab%20c"));
    assert_eq!(database("dbname='ab c'").as_deref(), Some("ab c"));
    assert_eq!(database("postgres://h/ab%20c").as_deref(), Some("ab c"));
    assert_eq!(
        database("postgres://h/x?dbname=ab%2520c").as_deref(),
        Some("ab%20c")
    );
    assert_eq!(
        database("dbname=first dbname=last").as_deref(),
        Some("last")
    );
}

#[test]
fn a_parameter_that_looks_encoded_in_pairs_hides_no_password() {
    assert_eq!(shown("host=h pass%77ord=s3"), "host=h pass%77ord=***");
}
