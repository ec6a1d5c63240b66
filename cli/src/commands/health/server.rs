//! Answers over HTTP: one question, one answer, one connection, and a deadline for all of it.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use generator::{operations::health::Health, report::Output};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::looker::{Answer, Looker};
use crate::commands::Status;

/// Longest life of a connection.
const DEADLINE: Duration = Duration::from_secs(5);

/// Pause before the next connection is accepted, where too many files are open.
const PAUSE: Duration = Duration::from_millis(20);

/// The largest head of a request, in bytes.
const LARGEST: usize = 16 << 10;

/// Number of connections that a process should be able to hold, with some files of its own.
const MANY: u64 = 8_192;

/// Answers until the process ends.
pub(super) fn listen(address: SocketAddr, output: Output, looker: &Looker) -> io::Result<Status> {
    allow_many();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        output.note(format!(
            "listening on http://{}/health",
            listener.local_addr()?
        ));
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let looker = looker.clone();
                    tokio::spawn(async move {
                        // A client that is too slow or hangs up needs no answer.
                        let _ = timeout(DEADLINE, serve(stream, looker)).await;
                    });
                }
                // Too many files are open: some of them are closed in a moment.
                Err(_) => sleep(PAUSE).await,
            }
        }
    })
}

/// Lifts the limit on open files as far as this user may: many systems allow 1,024.
fn allow_many() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(MANY, |maximum| MANY.min(maximum));
    if current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(wanted),
                maximum,
            },
        );
    }
}

async fn serve(stream: TcpStream, looker: Looker) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let looker = looker.clone();
        async move { Ok::<_, Infallible>(answer(&request, &looker).await) }
    });
    http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(LARGEST)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

const JSON: &str = "application/json";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn answer(request: &Request<Incoming>, looker: &Looker) -> Response<Full<Bytes>> {
    let is_question = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/health" | "/metrics" if !is_question => {
            response(StatusCode::METHOD_NOT_ALLOWED, JSON, "{}".to_owned())
        }
        "/health" => health(&looker.answer().await),
        "/metrics" => response(StatusCode::OK, METRICS, metrics(&looker.answer().await)),
        _ => response(StatusCode::NOT_FOUND, JSON, "{}".to_owned()),
    }
}

fn health(answer: &Answer) -> Response<Full<Bytes>> {
    let found = match answer {
        Answer::Seen(found, _) => Health {
            detail: None,
            ..Health::clone(found)
        },
        Answer::Silent(since) => Health {
            healthy: false,
            reason: Some(format!(
                "no answer from the database for {} s",
                since.as_secs().max(1)
            )),
            detail: None,
            version: None,
            pending: 0,
            invalid: Vec::new(),
            milliseconds: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        },
    };
    let status = if found.healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    response(
        status,
        JSON,
        serde_json::to_string(&found).unwrap_or_default(),
    )
}

/// The text form that Prometheus reads.
fn metrics(answer: &Answer) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: &dyn std::fmt::Display| {
        text += &format!(
            "# HELP trueup_{name} {help}\n# TYPE trueup_{name} gauge\ntrueup_{name} {value}\n"
        );
    };
    match answer {
        Answer::Seen(found, age) => {
            let healthy = u8::from(found.healthy);
            gauge(
                "healthy",
                "1 if the database answers and has every migration.",
                &healthy,
            );
            // Without an answer from the database, the number is unknown.
            if found.healthy || found.pending > 0 {
                gauge(
                    "pending_migrations",
                    "Migrations that are not applied.",
                    &found.pending,
                );
            }
            let took = Duration::from_millis(found.milliseconds).as_secs_f64();
            gauge(
                "look_seconds",
                "Time that the look at the database took.",
                &took,
            );
            gauge(
                "look_age_seconds",
                "Time since that look began.",
                &age.as_secs_f64(),
            );
        }
        Answer::Silent(since) => {
            gauge(
                "healthy",
                "1 if the database answers and has every migration.",
                &0,
            );
            gauge(
                "silent_seconds",
                "Time for which the database has not answered.",
                &since.as_secs_f64(),
            );
        }
    }
    text
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
