//! `health --listen` among people who are slow, or many, and in front of a database that does not answer.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use generator::postgres::scratch::Database;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tests::checkout::{Checkout, Running, until};

use super::{checkout, kill, url_folder};

/// Time limit of a probe.
const PATIENCE: Duration = Duration::from_secs(2);

fn listening(project: &Checkout) -> (Running, String) {
    // A port that nobody has; the server takes it a moment later.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let server = project.start(&["health", "--listen", &address]);
    until("it listens", || TcpStream::connect(&address).is_ok());
    (server, address)
}

fn question(stream: &mut TcpStream, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("asked");
}

fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text
}

/// An answer, which must be there in time.
fn probe(address: &str, path: &str) -> String {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    question(&mut stream, path);
    let text = answer(&mut stream);
    assert!(begun.elapsed() < PATIENCE, "{:?}: {text}", begun.elapsed());
    text
}

fn is_well(text: &str) -> bool {
    text.starts_with("HTTP/1.1 200 OK\r\n")
}

fn healthy(database: &Database) -> Checkout {
    let project = checkout().shipped().on(database);
    project.run(&["upgrade"]).done();
    project
}

#[test]
fn slow_clients_and_a_thousand_at_once_change_nothing() {
    let limit = getrlimit(Resource::Nofile);
    let lifted = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, lifted).expect("more files");
    let (_server, database) = tests::database();
    let project = healthy(&database);
    let (_listening, address) = listening(&project);

    let mut slow: Vec<_> = (0..40)
        .map(|_| TcpStream::connect(&address).expect("a connection"))
        .collect();
    for (number, stream) in slow.iter_mut().enumerate() {
        // One says nothing, one stops in the middle, one does not read what it asked for.
        match number % 3 {
            0 => {}
            1 => write!(stream, "GET /health HTTP/1.1\r\nX-A: b").expect("said"),
            _ => write!(
                stream,
                "POST /health HTTP/1.1\r\nContent-Length: 99\r\n\r\n"
            )
            .expect("said"),
        }
    }
    assert!(is_well(&probe(&address, "/health")));

    let begun = Instant::now();
    let mut many = Vec::new();
    for _ in 0..1_000 {
        let mut stream = TcpStream::connect(&address).expect("a connection");
        question(&mut stream, "/health");
        many.push(stream);
    }
    assert!(is_well(&probe(&address, "/health")));
    assert!(many.iter_mut().all(|stream| is_well(&answer(stream))));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");

    // Whoever is slow is cut off.
    let begun = Instant::now();
    for stream in &mut slow {
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(is_well(&probe(&address, "/health")));
}

/// The process numbers of the server and of all its sessions.
fn postmaster(project: &Checkout) -> PathBuf {
    let url = project.database.as_deref().expect("a URL");
    url_folder(url).join("data/postmaster.pid")
}

#[test]
fn a_database_that_stops_answering_is_said_in_time_and_is_well_again() {
    let (_server, database) = tests::database();
    let project = healthy(&database);
    let (_listening, address) = listening(&project);
    assert!(is_well(&probe(&address, "/health")));
    let server = postmaster(&project);
    kill(&server, Signal::STOP);
    std::thread::sleep(Duration::from_secs(1));
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(probe(&address, "/health"));
        said.push(probe(&address, "/metrics"));
    }
    kill(&server, Signal::CONT);
    assert!(
        said.iter()
            .all(|text| !text.contains("\ntrueup_healthy 1\n")),
        "{said:#?}"
    );
    assert!(
        !said
            .iter()
            .any(|text| is_well(text) && text.contains("\"healthy\"")),
        "{said:#?}"
    );
    assert!(
        said.iter()
            .any(|text| text.contains("no answer from the database for ")),
        "{said:#?}"
    );
    until("it is well again", || is_well(&probe(&address, "/health")));
    assert!(probe(&address, "/metrics").contains("\ntrueup_healthy 1\n"));
}

#[test]
fn nobody_learns_a_host_or_a_user() {
    let mut project = checkout().shipped();
    project.database = Some("postgres://somebody:s3cret@127.0.0.1:1/shop".to_owned());
    let (_listening, address) = listening(&project);
    let said = probe(&address, "/health");
    assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
    assert!(said.contains("the database does not answer"), "{said}");
    let (_server, database) = tests::database();
    let url = database
        .url()
        .to_string()
        .replace("postgres@", "nobody_here@");
    project.database = Some(url);
    let (_listening, other) = listening(&project);
    let refused = probe(&other, "/health");
    assert!(
        refused.contains("the server refuses the connection"),
        "{refused}"
    );
    fs::create_dir(project.path().join("migrations/2030_empty")).expect("a folder");
    let unread = probe(&other, "/health");
    std::thread::sleep(Duration::from_secs(1));
    let unread = unread + &probe(&other, "/health");
    assert!(unread.contains("the migrations cannot be read"), "{unread}");
    for text in [said, refused, unread, probe(&address, "/metrics")] {
        for secret in [
            "somebody",
            "s3cret",
            "127.0.0.1",
            "shop",
            "nobody_here",
            "tmp",
            "shm",
        ] {
            assert!(!text.contains(secret), "{secret} is in: {text}");
        }
    }
}
