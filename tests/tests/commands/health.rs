//! Probes, and the question that an application asks when it starts.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use diesel_migrations::FileBasedMigrations;
use serde_json::Value;
use tests::checkout::until;
use trueup_startup::{Needs, Newer, NotReady, require, require_with};

use crate::checkout;

/// An answer's first line and its body.
fn ask(address: &str, path: &str) -> Option<(String, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((
        head.lines().next()?.to_owned(),
        serde_json::from_str(body).ok()?,
    ))
}

#[test]
fn a_probe_says_whether_and_why_not() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let found = project.run(&["health", "--format", "json"]).with(1);
    let found: Value = serde_json::from_str(&found.stdout).expect("JSON");
    assert_eq!(found["healthy"], false);
    assert_eq!(found["pending"], 1);

    // A port that nobody has; the server takes it a moment later.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let server = project.start(&["health", "--listen", &address]);
    until("it listens", || TcpStream::connect(&address).is_ok());
    let (status, body) = ask(&address, "/health").expect("an answer");
    assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
    let reason = body["reason"].as_str().expect("a reason");
    assert!(
        reason.ends_with("create_the_laboratory is not applied"),
        "{reason}"
    );
    project.run(&["upgrade"]).done();
    // An answer may be of a look that was made up to a second before.
    until("a new look", || {
        ask(&address, "/health").is_some_and(|(status, _)| status == "HTTP/1.1 200 OK")
    });
    let (_, body) = ask(&address, "/health?verbose").expect("an answer");
    assert_eq!(body["reason"], Value::Null);
    let (status, _) = ask(&address, "/").expect("an answer");
    assert_eq!(status, "HTTP/1.1 404 Not Found");
    server.kill();
    assert!(project.run(&["health"]).done().starts_with("healthy: at "));
}

#[test]
fn an_unreachable_database_is_not_healthy() {
    let mut project = checkout().shipped();
    project
        .run(&["health"])
        .refused(&["no database is configured"]);
    project.database = Some("postgres://me:s3cret@127.0.0.1:1/shop".to_owned());
    let said = project.run(&["health"]).with(1);
    assert_eq!(said.stdout, "unhealthy: the database does not answer\n");
    // Whoever runs it is told more than whoever asks over a network.
    assert!(
        said.stderr
            .contains("cannot reach the database at postgres://me:***@127.0.0.1:1/shop"),
        "{said:?}"
    );
    assert!(!format!("{said:?}").contains("s3cret"), "{said:?}");
    let json = project.run(&["health", "--format", "json"]).with(1).stdout;
    for word in ["127.0.0.1", "me", "shop"] {
        assert!(
            !json.contains(&format!("{word}:")) && !json.contains(&format!("/{word}")),
            "{json}"
        );
    }
}

#[test]
fn a_probe_tells_the_network_no_host_and_no_user() {
    let mut project = checkout().shipped();
    project.database = Some("postgres://carol:s3cret@127.0.0.1:1/shop".to_owned());
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let server = project.start(&["health", "--listen", &address]);
    until("it listens", || TcpStream::connect(&address).is_ok());
    let (_, body) = ask(&address, "/health").expect("an answer");
    assert_eq!(body["reason"], "the database does not answer");
    let said = body.to_string();
    for word in ["carol", "127.0.0.1", "shop", "s3cret", "/tmp"] {
        assert!(!said.contains(word), "{word}: {said}");
    }
    server.kill();
}

#[test]
fn an_application_does_not_start_on_another_database() {
    let (_server, database) = tests::database();
    let project = checkout().shipped().on(&database);
    let migrations =
        || FileBasedMigrations::from_path(project.path().join("migrations")).expect("migrations");
    let mut connection = database.connect().expect("a connection");

    let behind = require(&mut connection, &migrations());
    assert!(matches!(behind, Err(NotReady::Behind { pending }) if pending.len() == 1));
    assert!(tests::holds(
        &mut connection,
        "to_regclass('__diesel_schema_migrations') IS NULL"
    ));
    project.run(&["upgrade"]).done();
    require(&mut connection, &migrations()).expect("ready");

    let needs = [Needs {
        table: "public.users",
        columns: &["id", "email"],
    }];
    require_with(&mut connection, &migrations(), Newer::Refused, &needs).expect("ready");
    tests::run(&database, "ALTER TABLE users RENAME email TO mail");
    let drifted = require_with(&mut connection, &migrations(), Newer::Refused, &needs);
    let drifted = drifted.expect_err("it drifted").to_string();
    assert!(
        drifted.contains("public.users.email not there"),
        "{drifted}"
    );

    tests::run(
        &database,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('2031')",
    );
    let ahead = require(&mut connection, &migrations());
    assert!(matches!(ahead, Err(NotReady::Ahead { unknown }) if unknown == ["2031"]));
    require_with(&mut connection, &migrations(), Newer::Accepted, &[]).expect("ready");
}
