//! The server that the campaign is about, and all that can be seen in a database and beside it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, connection::SimpleConnection,
    sql_types::Text,
};
use generator::{
    postgres::{binaries::Binaries, connection::connect, dump, url::Url},
    prove::agreement,
};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tests::checkout::{Checkout, until};

/// A server with its own cluster, which goes on when a command ends and can be stopped.
pub(crate) struct Server {
    project: Checkout,
    url: Url,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let project = Checkout::new(env!("CARGO_BIN_EXE_shipped"));
        project.run(&["db", "start"]).done();
        let said = project.run(&["db", "url"]).done();
        let url = Url::parse(said.trim()).expect("a URL");
        Self { project, url }
    }

    /// Starts it again where it was stopped.
    pub(crate) fn again(&self) {
        self.project.run(&["db", "start"]).done();
    }

    /// Stops it at once, as a crash does, or in good order.
    pub(crate) fn stop(&self, signal: Signal) {
        let file = self.project.path().join(".trueup/data/postmaster.pid");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let number = text.lines().next().and_then(|line| line.parse().ok());
        if let Some(pid) = number.and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
            until("the server has ended", || !file.exists());
        }
    }

    pub(crate) fn url(&self, database: &str) -> Url {
        self.url.with_database(database)
    }

    pub(crate) fn connect(&self, database: &str) -> PgConnection {
        connect(&self.url(database)).expect("a connection")
    }

    pub(crate) fn run(&self, sql: &str) {
        self.connect("postgres")
            .batch_execute(sql)
            .expect("SQL that runs");
    }

    /// Makes a database, in place of the one of that name.
    pub(crate) fn make(&self, database: &str, template: &str) {
        self.run(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
        self.run(&format!("CREATE DATABASE {database} TEMPLATE {template}"));
    }

    /// Ends all sessions on a database.
    pub(crate) fn cut(&self, database: &str) {
        self.run(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        ));
    }

    pub(crate) fn lines(&self, database: &str, sql: &str) -> Vec<String> {
        // A database that nobody can ask is a fault that the loop reports.
        let found = connect(&self.url(database))
            .map_err(|error| error.to_string())
            .and_then(|mut connection| {
                let found: QueryResult<Vec<Line>> = diesel::sql_query(sql).load(&mut connection);
                found.map_err(|error| error.to_string())
            });
        match found {
            Ok(found) => found.into_iter().map(|row| row.line).collect(),
            Err(error) => vec![format!("{error}: {sql}")],
        }
    }

    /// All of a database that a user would miss: schema, rows, record with its hashes, and what is broken.
    pub(crate) fn seen(&self, database: &str) -> String {
        let major = Binaries::find(None).server(None).expect("a server").major;
        let pg_dump = Binaries::find(None).pg_dump(major).expect("pg_dump");
        let mut text = match dump::dump(&pg_dump, &self.url(database)) {
            Ok(dump) => dump,
            Err(error) => return error.to_string(),
        };
        let tables = self.lines(
            database,
            "SELECT c.oid::regclass::text AS line FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
               AND c.relname NOT LIKE '\\_\\_diesel%' AND c.relname NOT LIKE '%trueup%' ORDER BY 1",
        );
        for table in tables {
            let rows = format!(
                "SELECT '{table}: ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') AS line FROM {table} t"
            );
            text += &self.lines(database, &rows).join("\n");
            text.push('\n');
        }
        let recorded = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('__diesel_schema_migrations')
             AND attname = 'trueup_hash')::text AS line";
        let is_there = self.lines(
            database,
            "SELECT (to_regclass('__diesel_schema_migrations') IS NOT NULL)::text AS line",
        );
        let hash = if self.lines(database, recorded) == ["true"] {
            "trueup_hash"
        } else {
            "NULL"
        };
        if is_there == ["true"] {
            let record = format!(
                "SELECT version || ' ' || coalesce({hash}, '-') AS line FROM __diesel_schema_migrations ORDER BY 1"
            );
            for line in self.lines(database, &record) {
                text += &format!("record {line}\n");
            }
        }
        let broken = "
            SELECT 'invalid ' || indexrelid::regclass::text AS line FROM pg_index WHERE NOT indisvalid
            UNION ALL SELECT 'half detached ' || inhrelid::regclass::text FROM pg_inherits WHERE inhdetachpending
            UNION ALL SELECT 'not validated ' || conname::text FROM pg_constraint WHERE NOT convalidated
            ORDER BY 1";
        text += &self.lines(database, broken).join("\n");
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.project.run(&["db", "stop"]);
    }
}

/// Sends a signal to the servers that a process started for itself.
pub(crate) fn stop_scratch(id: u32, signal: Signal) {
    for folder in scratches_of(id) {
        let text = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        let number = text.lines().next().and_then(|line| line.parse().ok());
        if let Some(pid) = number.and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// The folders of the servers that a process started for itself.
pub(crate) fn scratches_of(id: u32) -> Vec<PathBuf> {
    let part = format!("{id}-");
    let agreements = agreement::folder().expect("a cache");
    let cache = agreements.parent().expect("a cache").join("run");
    let memory = format!("/dev/shm/trueup-{}/run", geteuid().as_raw());
    let folders = [cache, memory.into()];
    let folders = folders.into_iter().flat_map(fs::read_dir).flatten();
    let paths = folders.filter_map(|entry| Some(entry.ok()?.path()));
    let is_its = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(&part)
    };
    paths.filter(is_its).collect()
}

/// All files of a project and what is in them, save versions and headers, which tell the time.
pub(crate) fn files(project: &Checkout) -> String {
    let mut text = String::new();
    for (number, name) in project.folders().iter().enumerate() {
        let title = name
            .split_once('_')
            .map_or(name.as_str(), |(_, title)| title);
        text += &format!("== {number} {title}\n");
        for file in ["up.sql", "down.sql", "metadata.toml"] {
            let sql = fs::read_to_string(project.path().join("migrations").join(name).join(file));
            let sql = sql.unwrap_or_else(|_| "missing".to_owned());
            let lines = sql.lines().filter(|line| !line.starts_with("--"));
            text += &format!("{file}:\n{}\n", lines.collect::<Vec<_>>().join("\n").trim());
        }
    }
    text
}

/// Leftovers below a folder that a command should have removed.
pub(crate) fn left_below(folder: &Path) -> Vec<String> {
    let mut left = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_empty = entry.metadata().is_ok_and(|found| found.len() == 0);
        if name.starts_with(".trueup-")
            || name.contains("unfinished")
            || name == ".gitignore" && is_empty
        {
            left.push(path.display().to_string());
        }
        if path.is_dir() && name != ".git" && name != ".upstream" {
            left.extend(left_below(&path));
        }
    }
    left
}

/// The processes that know of something: by their arguments, or by their environment.
pub(crate) fn processes_of(what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let number = entry.file_name().to_string_lossy().into_owned();
        if number == std::process::id().to_string() {
            continue;
        }
        let read = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let arguments = read("cmdline");
        if arguments.contains(what) || read("environ").contains(what) {
            found.push(format!("{number}: {arguments}"));
        }
    }
    found
}

/// Says something past the test harness, which shows nothing of a test that passes.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// True if a backup can be read to its end.
pub(crate) fn is_whole(dump: &Path) -> bool {
    let major = Binaries::find(None).server(None).expect("a server").major;
    let pg_restore = Binaries::find(None).pg_restore(major).expect("pg_restore");
    let read = std::process::Command::new(pg_restore)
        .args(["--file", "/dev/null"])
        .arg(dump)
        .stderr(Stdio::null())
        .status();
    read.is_ok_and(|status| status.success())
}
