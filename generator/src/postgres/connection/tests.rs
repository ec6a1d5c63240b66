use diesel::sql_types::Text;

use super::*;
use crate::postgres::scratch::Locale;
use crate::postgres::scratch::tests::scratch;

fn fails(url: &Url) -> ConnectError {
    let error = connect(url).err().expect("no connection");
    assert!(
        !format!("{error} {error:?} {:?}", error.hint()).contains("s3cret"),
        "{error}"
    );
    error
}

#[test]
fn says_why_there_is_no_connection() {
    let parse = |text: &str| Url::parse(text).expect("a URL");
    let nobody = fails(&parse("postgres://me:s3cret@127.0.0.1:1/db"));
    assert!(
        matches!(nobody, ConnectError::Unreachable { .. }),
        "{nobody}"
    );
    let nowhere = fails(&parse("host=/nowhere password=s3cret dbname=db"));
    assert!(
        matches!(nowhere, ConnectError::Unreachable { .. }),
        "{nowhere}"
    );
    let database = scratch().create(&Locale::default()).expect("a database");
    let missing = fails(&database.url().with_database("nope"));
    assert!(
        matches!(missing, ConnectError::NoSuchDatabase { .. }),
        "{missing}"
    );
}

#[test]
fn a_wrong_password_is_called_so_and_not_shown() {
    let database = scratch().create(&Locale::default()).expect("a database");
    let mut admin = database.connect().expect("a connection");
    let ask_for_passwords = "CREATE USER guest PASSWORD 'right';
        DO $$ BEGIN
            EXECUTE format('COPY (SELECT ''local all all scram-sha-256'') TO %L', current_setting('hba_file'));
        END $$;
        SELECT pg_reload_conf()";
    admin
        .batch_execute(ask_for_passwords)
        .expect("passwords are asked for");
    let url = database
        .url()
        .as_secret_str()
        .replace("postgres@", "guest:s3cret@");
    let url = Url::parse(&url).expect("a URL");
    // The server reads the file in its own time.
    while connect(&url).is_ok() {}
    let error = fails(&url);
    assert!(matches!(error, ConnectError::Password { .. }), "{error}");
}

#[test]
fn what_changes_printed_text_is_pinned() {
    let database = scratch().create(&Locale::default()).expect("a database");
    let mut connection = database.connect().expect("a connection");
    pin_reading(&mut connection).expect("pinned");
    for (name, value) in PINNED.iter().chain(&[("search_path", "\"\"")]) {
        let setting = diesel::dsl::sql::<Text>(&format!("current_setting('{name}')"));
        let found: String = diesel::select(setting)
            .get_result(&mut connection)
            .expect("a setting");
        assert_eq!(found, *value, "{name}");
    }
}
