//! A pooler between client and server, as small as one can be: a session of its own for each client, or one that is handed to
//! whoever comes next at the end of each transaction.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use generator::postgres::{scratch::Database, url::Url};

/// Time at which a session of the server is handed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// After its client disconnects.
    Session,
    /// After a transaction.
    Transaction,
}

/// A pooler that runs until the test ends.
#[derive(Debug)]
pub struct Pooler {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mode: Mode,
    /// The server's socket.
    socket: Mutex<PathBuf>,
    /// Sessions that nobody uses, by how they were asked for; what came back last goes first.
    idle: Mutex<BTreeMap<Vec<u8>, Vec<Session>>>,
}

/// A session of the server, and what the server said when it began.
#[derive(Debug)]
struct Session {
    stream: UnixStream,
    greeting: Vec<u8>,
}

impl Pooler {
    /// Starts one in front of a database's server.
    ///
    /// # Panics
    ///
    /// If there is no port to listen on.
    #[must_use]
    pub fn start(database: &Database, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            mode,
            socket: Mutex::new(socket(database)),
            idle: Mutex::default(),
        });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that goes without a word is no failure.
                thread::spawn(move || shared.serve(client));
            }
        });
        Self { port, shared: all }
    }

    /// Leads to another server from now on.
    pub fn lead_to(&self, database: &Database) {
        *lock(&self.shared.socket) = socket(database);
        lock(&self.shared.idle).clear();
    }

    /// URL of a database for clients of this pooler.
    ///
    /// # Panics
    ///
    /// If the database has no name.
    #[must_use]
    pub fn url(&self, database: &Database) -> Url {
        let text = format!(
            "host=127.0.0.1 port={} user=postgres dbname={} sslmode=disable",
            self.port,
            database.name()
        );
        Url::parse(&text).expect("a connection string")
    }
}

fn socket(database: &Database) -> PathBuf {
    use diesel::{RunQueryDsl, dsl::sql, sql_types::Text};
    let mut connection = database.connect().expect("a connection");
    let path = sql::<Text>(
        "current_setting('unix_socket_directories') || '/.s.PGSQL.' || current_setting('port')",
    );
    let path: String = diesel::select(path)
        .get_result(&mut connection)
        .expect("a path");
    path.into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Some(startup) = startup(&mut client)? else {
            return Ok(());
        };
        let session = self.take(&startup)?;
        client.write_all(&session.greeting)?;
        let mut held = match self.mode {
            Mode::Session => Some(session),
            Mode::Transaction => {
                self.give_back(&startup, session);
                None
            }
        };
        loop {
            let message = message(&mut client)?;
            if message[0] == b'X' {
                return Ok(());
            }
            let mut session = match held.take() {
                Some(session) => session,
                None => self.take(&startup)?,
            };
            session.stream.write_all(&message)?;
            // A query, the end of a round of the extended protocol, the end of what is copied in.
            let answered = matches!(message[0], b'Q' | b'S' | b'c' | b'f');
            if !answered {
                held = Some(session);
                continue;
            }
            let last = until_ready(&mut session.stream, &mut client)?;
            // Before the client hears that its transaction is over: what it asks for next is asked for afterwards.
            if last.ends_with(b"I") && last[0] == b'Z' && self.mode == Mode::Transaction {
                self.give_back(&startup, session);
            } else {
                held = Some(session);
            }
            client.write_all(&last)?;
        }
    }

    fn take(&self, startup: &[u8]) -> io::Result<Session> {
        if let Some(session) = lock(&self.idle).get_mut(startup).and_then(Vec::pop) {
            return Ok(session);
        }
        let path = lock(&self.socket).clone();
        let mut stream = UnixStream::connect(path)?;
        stream.write_all(startup)?;
        let mut greeting = Vec::new();
        let last = until_ready(&mut stream, &mut greeting)?;
        greeting.extend(last);
        Ok(Session { stream, greeting })
    }

    fn give_back(&self, startup: &[u8], session: Session) {
        let mut idle = lock(&self.idle);
        idle.entry(startup.to_vec()).or_default().push(session);
    }
}

/// Reads a client's startup message, once it knows that nothing is encrypted here.
fn startup(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        let mut rest = vec![0; body(length)?];
        client.read_exact(&mut rest)?;
        match rest.get(..4) {
            // An encrypted connection, in two ways.
            Some([4, 210, 22, 47 | 48]) => client.write_all(b"N")?,
            // A CancelRequest for a statement of another session.
            Some([4, 210, 22, 46]) | None => return Ok(None),
            Some(_) => return Ok(Some([length.to_vec(), rest].concat())),
        }
    }
}

/// A message, with its type and length.
fn message(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let mut rest = vec![0; body([head[1], head[2], head[3], head[4]])?];
    from.read_exact(&mut rest)?;
    Ok([head.to_vec(), rest].concat())
}

/// Length of the body after a length field, which counts itself.
fn body(length: [u8; 4]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or_default();
    let body = length.checked_sub(4);
    body.ok_or_else(|| io::Error::from(ErrorKind::InvalidData))
}

/// Hands on what the server says until it is ready for more, and gives back the message that says so.
fn until_ready(server: &mut impl Read, client: &mut impl Write) -> io::Result<Vec<u8>> {
    loop {
        let message = message(server)?;
        // It is ready, or waits for what is to be copied in.
        if matches!(message[0], b'Z' | b'G') {
            return Ok(message);
        }
        client.write_all(&message)?;
    }
}
