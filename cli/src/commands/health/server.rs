//! As much of HTTP as a probe needs: one question, one answer, one connection.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Mutex,
    thread,
    time::Duration,
};

use generator::{health::Health, report::Output};

use crate::commands::Status;

/// How long somebody may take to ask, and how much may be said.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST: u64 = 8_192;

/// How many are answered at a time.
const ANSWERERS: usize = 4;

/// Answers until the process ends.
pub(super) fn listen(
    address: SocketAddr,
    output: Output,
    look: impl Fn() -> Health + Send,
) -> io::Result<Status> {
    let listener = TcpListener::bind(address)?;
    let at = listener.local_addr()?;
    output.note(format!("listening on http://{at}/health"));
    // Many who ask at once share one answer at a time, and the database is asked by one session.
    let look = Mutex::new(look);
    thread::scope(|scope| {
        for _ in 0..ANSWERERS {
            scope.spawn(|| {
                for stream in listener.incoming().flatten() {
                    // Who hangs up does not want to know.
                    let _ = answer(&stream, || match look.lock() {
                        Ok(look) => look(),
                        Err(poisoned) => poisoned.into_inner()(),
                    });
                }
            });
        }
    });
    Ok(Status::Done)
}

fn answer(stream: &TcpStream, look: impl FnOnce() -> Health) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(LONGEST)).lines();
    let asked = lines.next().transpose()?.unwrap_or_default();
    // The rest of the question is read, or the answer may be lost with it.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = asked.split(' ');
    let (method, path) = (words.next(), words.next());
    let path = path.map(|path| path.split('?').next().unwrap_or(path));
    match (method, path) {
        (Some("GET" | "HEAD"), Some("/health")) => {
            let found = look();
            let status = if found.healthy {
                "200 OK"
            } else {
                "503 Service Unavailable"
            };
            let body = serde_json::to_string(&found).unwrap_or_default();
            send(stream, status, &body, method == Some("GET"))
        }
        (Some("GET" | "HEAD"), Some(_)) => send(stream, "404 Not Found", "{}", true),
        (_, Some(_)) => send(stream, "405 Method Not Allowed", "{}", true),
        (_, None) => send(stream, "400 Bad Request", "{}", true),
    }
}

fn send(mut stream: &TcpStream, status: &str, body: &str, with_body: bool) -> io::Result<()> {
    let length = body.len();
    let body = if with_body { body } else { "" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
    )
}
