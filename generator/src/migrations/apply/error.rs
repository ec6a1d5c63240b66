//! Why migrations were not applied, and what to do about it.

use std::borrow::Cow;

use diesel::result::{DatabaseErrorKind, Error as Failure};
use trueup::name::quoted_ident;

use super::replaced::Halfway;
use super::steering::Steers;
use crate::migrations::folder::MigrationError;
use crate::postgres::connection::SqlError;
use crate::postgres::scratch::ScratchError;

/// A migration of which a run was cut off.
#[derive(Debug, thiserror::Error)]
#[error("a run of {name} ({direction}, begun {started}) was cut off, and {why}")]
pub struct CutOff {
    /// Its folder's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `up`, `down` or `redo`.
    pub direction: String,
    /// The time at which it began.
    pub started: String,
    /// Why it is not finished here.
    pub why: String,
    /// The command that finishes it; empty if none does.
    pub advice: String,
}

/// Why migrations were not, or not all, applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The directory is not in order.
    #[error(transparent)]
    Migrations(#[from] MigrationError),
    /// There is no scratch to replay on, or it cannot be furnished.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// Somebody else is at it.
    #[error("somebody else is applying migrations to this database: {holder}")]
    Busy {
        /// The session that holds the lock.
        holder: String,
    },
    /// Pending migrations that are older than an applied one.
    #[error("{} {} pending, and older than {newest}, which is applied already", names.join(", "), if names.len() == 1 { "is" } else { "are" })]
    OutOfOrder {
        /// The pending ones.
        names: Vec<String>,
        /// The newest applied one: its folder's name, or its version where there is no folder.
        newest: String,
    },
    /// Pending migrations of branches that know nothing of each other.
    #[error("{} are two heads: neither was tried where the other is", heads.join(" and "))]
    TwoHeads {
        /// The last migration of each.
        heads: Vec<String>,
    },
    /// A database that has some of the migrations that were squashed into one.
    #[error("{0}")]
    Halfway(Halfway),
    /// No such version.
    #[error("there is no migration {version}{}", most_like(near))]
    Unknown {
        /// The requested version.
        version: String,
        /// The names that are most like it.
        near: Vec<String>,
    },
    /// More than one.
    #[error("{version} may be any of {}", names.join(", "))]
    Ambiguous {
        /// The requested version.
        version: String,
        /// The names of the matching migrations.
        names: Vec<String>,
    },
    /// More steps than there are.
    #[error("{} asked for, and there {}", were(*asked), only(*there))]
    TooFew {
        /// The number of requested steps.
        asked: usize,
        /// The number of available steps.
        there: usize,
    },
    /// A migration to go back to that is not applied.
    #[error("{name} is not applied, so there is no way back to it")]
    NotApplied {
        /// Its folder's name.
        name: String,
    },
    /// An applied migration whose folder is gone.
    #[error("the database has version {version} applied, and no folder here is of that version")]
    NoFolder {
        /// Its version.
        version: String,
    },
    /// A migration without a way back.
    #[error("{name} has no down.sql")]
    NoDown {
        /// Its folder's name.
        name: String,
    },
    /// A statement failed.
    #[error("{failure}\n  {}", kept(*rolled_back, done))]
    Failed {
        /// Its folder's name.
        name: String,
        /// The failed statement and its error.
        failure: Box<SqlError>,
        /// True if the migration declares that it runs in a transaction.
        in_transaction: bool,
        /// True if all of it was rolled back.
        rolled_back: bool,
        /// The names of those that were run before it and stay.
        done: Vec<String>,
    },
    /// It begins or ends transactions in a way that its record could not follow.
    #[error("{statement}\n  nothing was run")]
    Steers {
        /// Its folder's name.
        name: String,
        /// The effect that the record could not follow.
        why: Steers,
        /// The statement.
        statement: Box<SqlError>,
    },
    /// A statement failed after a COMMIT of the migration's own.
    #[error("{failure}\n  {}", kept_to(*line, done))]
    Partly {
        /// Its folder's name.
        name: String,
        /// The failed statement and its error.
        failure: Box<SqlError>,
        /// The line of the last COMMIT that was reached.
        line: usize,
        /// True if the next run resumes after that COMMIT.
        noted: bool,
        /// The names of those that were run before it and stay.
        done: Vec<String>,
    },
    /// Others had what it needed, each time.
    #[error("{name} did not get its locks, {times} times: it waited for {}\n  {}", holder.as_deref().unwrap_or("somebody who could not be seen"), kept(true, done))]
    Blocked {
        /// Its folder's name.
        name: String,
        /// For what it waited, and who had it, where that was seen.
        holder: Option<String>,
        /// The number of attempts.
        times: u32,
        /// The names of those that were run before it and stay.
        done: Vec<String>,
    },
    /// A time that the server does not take.
    #[error("cannot set {name}: {message}")]
    Timeout {
        /// The setting.
        name: &'static str,
        /// The server's message.
        message: String,
    },
    /// Nothing can be written there.
    #[error("this server takes no writes: {}", if *standby { "it is a standby" } else { "its transactions are read-only" })]
    ReadOnly {
        /// True for a standby, false for a session whose transactions are read-only.
        standby: bool,
    },
    /// A session-level lock is gone in the next statement: a pooler in transaction mode is in between.
    #[error(
        "the lock that keeps others from applying migrations at the same time does not hold from one statement to the next"
    )]
    Pooler,
    /// A statement failed in a rehearsal.
    #[error("{failure}\n  nothing was kept: this was a rehearsal")]
    Rehearsed {
        /// The folder's name.
        name: String,
        /// The failed statement and its error.
        failure: Box<SqlError>,
    },
    /// A deferred constraint does not hold at the end of a migration.
    #[error("{name} could not be committed: {message}")]
    Deferred {
        /// The folder's name.
        name: String,
        /// The server's message.
        message: String,
    },
    /// A statement failed on an empty database that is there to be tried on.
    #[error("the migrations do not replay on an empty database: {failure}{}", lacks.as_ref().map_or_else(String::new, |lacks| format!("\n  {lacks}")))]
    NoReplay {
        /// The folder's name.
        name: String,
        /// The failed statement and its error.
        failure: Box<SqlError>,
        /// The extension that the scratch server lacks for it, with advice.
        lacks: Option<String>,
    },
    /// It ran, and could not be recorded.
    #[error(
        "{name} ran, but could not be recorded: {message}\n  {}",
        if *rolled_back { "it was rolled back as a whole" } else { "it is kept, and the next run begins with a look at what it left" }
    )]
    NotRecorded {
        /// Its folder's name.
        name: String,
        /// True if all of it was rolled back.
        rolled_back: bool,
        /// The server's message.
        message: String,
    },
    /// It cannot be rolled back, and could not be recorded afterwards.
    #[error("{name} could not be recorded once it has run: {message}\n  nothing was run")]
    Unrecordable {
        /// Its folder's name.
        name: String,
        /// The server's message.
        message: String,
    },
    /// The record is there, and this user may not read it.
    #[error("{user} may not read {record}, where it is recorded which migrations are applied")]
    Hidden {
        /// The current user.
        user: String,
        /// The record.
        record: String,
    },
    /// There is more than one record, and each says something else.
    #[error(
        "there is more than one record of applied migrations: {}",
        counted(records, versions)
    )]
    Records {
        /// Their qualified names.
        records: Vec<String>,
        /// The number of versions in each; `None` if this user may not read it.
        versions: Vec<Option<i64>>,
    },
    /// A relation of somebody else's has the record's name, and reading or writing it would run that user's code as ours.
    #[error(
        "{relation} is a {kind} of {owner}, who does not own this database, and it is neither read nor written: \
         its rules, triggers, policies or functions would run as this user"
    )]
    Foreign {
        /// Its qualified name.
        relation: String,
        /// The kind of relation, in Postgres' word.
        kind: String,
        /// The owner of the view.
        owner: String,
    },
    /// There is no place for what has to be written before a migration begins that cannot be rolled back.
    #[error("cannot write {journal}, where it is noted which migration has begun: {message}")]
    NoJournal {
        /// Its qualified name.
        journal: String,
        /// The namespace that it would be in.
        namespace: String,
        /// The server's message.
        message: String,
    },
    /// An earlier run was cut off, and what it left is not for this command to finish.
    #[error(transparent)]
    CutOff(Box<CutOff>),
    /// Something has the record's name and is none.
    #[error("{relation} is there, and is no table in which migrations could be recorded")]
    NoRecord {
        /// The relation of that name.
        relation: String,
    },
    /// The connection ended with it, perhaps before and perhaps after its end was on the server's disk.
    #[error(
        "the connection was lost at the end of {name}: {message}\n  it was applied as a whole or not at all"
    )]
    Lost {
        /// Its folder's name.
        name: String,
        /// The server's message.
        message: String,
    },
    /// The bookkeeping could not be read or written.
    #[error("cannot use the record of applied migrations: {0}")]
    Bookkeeping(String),
}

impl ApplyError {
    /// The statement that is at fault, where it is one.
    #[must_use]
    pub fn statement(&self) -> Option<&SqlError> {
        if let Self::Failed { failure, .. }
        | Self::Partly { failure, .. }
        | Self::Rehearsed { failure, .. }
        | Self::NoReplay { failure, .. }
        | Self::Steers {
            statement: failure, ..
        } = self
        {
            Some(failure)
        } else {
            None
        }
    }

    /// The advice for the user.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let named = self.named_hint().map(Cow::Owned);
        named.or_else(|| self.fixed_hint().map(Cow::Borrowed))
    }

    /// Advice that names objects.
    fn named_hint(&self) -> Option<String> {
        if let Self::Halfway(halfway) = self {
            return Some(halfway.advice.clone());
        }
        if let Self::Hidden { user, record } = self {
            return Some(format!(
                "GRANT SELECT ON {record} TO {}, and USAGE on its namespace; or use another user",
                quoted_ident(user)
            ));
        }
        if let Self::Records { records, versions } = self {
            return Some(drop_one(records, versions));
        }
        if let Self::Foreign { relation, kind, .. } = self {
            let kind = kind.to_uppercase();
            return Some(format!(
                "DROP {kind} {relation}, or where it is right, ALTER {kind} {relation} OWNER TO the owner of the database"
            ));
        }
        if let Self::NoJournal { namespace, .. } = self {
            return Some(format!(
                "a migration outside of a transaction needs it, so that a run that is cut off can be finished: \
                 GRANT CREATE ON SCHEMA {namespace} to this user; where it is there already, its owner can finish that run"
            ));
        }
        if let Self::CutOff(cut) = self {
            return Some(settled(&cut.version, &cut.advice));
        }
        None
    }

    fn fixed_hint(&self) -> Option<&'static str> {
        match self {
            Self::Migrations(error) => error.hint(),
            Self::Busy { .. } => Some("wait for it, or end that session with pg_terminate_backend"),
            Self::OutOfOrder { .. } => Some(
                "`trueup rebase` moves yours after the newest and proves them there; --allow-out-of-order applies them as \
                 they are",
            ),
            Self::TwoHeads { .. } => Some(
                "`trueup rebase` moves yours after the other's; `trueup merge` joins what others have already; \
                 --allow-out-of-order applies them as they are",
            ),
            Self::Unknown { .. } => Some("`history` lists the migrations"),
            Self::Ambiguous { .. } => Some("write more of it"),
            Self::NoFolder { .. } => {
                Some("bring the folder back from another branch, or `stamp` what is really there")
            }
            Self::NoDown { .. } => Some("write one; SELECT 1; is a statement that does nothing"),
            Self::Blocked { .. } => Some(
                "run it again when that session is done, or end it with pg_terminate_backend; --lock-timeout and \
                 --lock-retries say how patient to be",
            ),
            Self::Timeout { .. } => {
                Some("write a number with a unit: 500ms, 5s, 10min; 0 is for ever")
            }
            Self::ReadOnly { .. } => Some(
                "connect to the primary, or set default_transaction_read_only = off for this user",
            ),
            Self::Pooler => Some(
                "a pooler in transaction mode is in between: connect to the server itself, or to the pooler's session mode",
            ),
            Self::Lost { .. } => Some("`trueup status` says whether it was"),
            Self::Unrecordable { .. } => Some(
                "this user needs INSERT and DELETE on the record and its columns as Diesel makes them; or use another user",
            ),
            Self::NotRecorded { .. } => Some(
                "a migration must leave the role, its privileges and the record so that the next statement can write it",
            ),
            Self::Steers { why, .. } => Some(why.hint()),
            Self::Partly { noted: true, .. } => Some(
                "mend it there; the next run goes on behind that COMMIT, as long as what stands before it stays as it is",
            ),
            Self::Partly { .. } => Some(
                "before the next run, take what is kept out of the file or let it be run again (IF NOT EXISTS); or give \
                 each part a folder of its own",
            ),
            Self::NoRecord { .. } => {
                Some("rename it or drop it: Diesel records in a table of that name")
            }
            Self::Failed {
                failure,
                in_transaction,
                ..
            } => hint_of_failed(failure, *in_transaction),
            Self::Rehearsed { failure, .. } if commits_in_code(failure) => Some(COMMITS_IN_CODE),
            Self::NoReplay { failure, .. } if commits_in_code(failure) => Some(
                "mend that migration: what commits in a DO block or a procedure needs a folder of its own, with \
                 run_in_transaction = false in its metadata.toml; no database of yours was touched",
            ),
            Self::NoReplay { failure, .. }
                if failure.message.contains("cannot run inside a transaction") =>
            {
                Some(
                    "mend that migration: such a statement needs a folder of its own, with run_in_transaction = false in its \
                     metadata.toml, since several in one file are one transaction; no database of yours was touched",
                )
            }
            Self::NoReplay { failure, .. }
                if failure.message.contains("security label provider") =>
            {
                Some(
                    "a server that trueup starts itself loads no provider of security labels: give --scratch-url of one that does, or \
                     let the migration label only where a provider is (DO $$ BEGIN SECURITY LABEL …; EXCEPTION WHEN \
                     invalid_parameter_value THEN NULL; END $$) and write exclude = [\"security label *\"] into trueup.toml; no \
                     database of yours was touched",
                )
            }
            Self::NoReplay { .. } => Some(
                "mend that migration, or say below [scratch] in trueup.toml what it presumes of a server: roles, search_path, or \
                 more as SQL in a prelude; no database of yours was touched",
            ),
            Self::TooFew { .. }
            | Self::NotApplied { .. }
            | Self::Rehearsed { .. }
            | Self::Deferred { .. }
            | Self::Halfway(_)
            | Self::Hidden { .. }
            | Self::Records { .. }
            | Self::NoJournal { .. }
            | Self::Foreign { .. }
            | Self::CutOff(_)
            | Self::Scratch(_)
            | Self::Bookkeeping(_) => None,
        }
    }

    /// The names of the migrations that were run before the one that failed, and stay.
    pub(super) fn done(&self) -> &[String] {
        if let Self::Failed { done, .. } | Self::Partly { done, .. } | Self::Blocked { done, .. } =
            self
        {
            done
        } else {
            &[]
        }
    }

    pub(super) fn journal(journal: &impl std::fmt::Display, error: &diesel::result::Error) -> Self {
        if let Failure::DatabaseError(DatabaseErrorKind::ClosedConnection, _) = error {
            return Self::bookkeeping(error);
        }
        let journal = journal.to_string();
        let namespace = journal
            .rsplit_once('.')
            .map_or("", |(namespace, _)| namespace);
        Self::NoJournal {
            namespace: namespace.to_owned(),
            journal,
            message: error.to_string(),
        }
    }

    pub(super) fn bookkeeping(error: impl std::fmt::Display) -> Self {
        Self::Bookkeeping(error.to_string())
    }
}

fn hint_of_failed(failure: &SqlError, in_transaction: bool) -> Option<&'static str> {
    if failure.message.contains("cannot run inside a transaction") {
        return Some(if in_transaction {
            "write run_in_transaction = false into its metadata.toml"
        } else {
            "several statements in one file are one transaction: give each a folder of its own"
        });
    }
    if commits_in_code(failure) {
        return Some(if in_transaction {
            COMMITS_IN_CODE
        } else {
            "several statements in one file are one transaction: give what commits a folder of its own"
        });
    }
    (!in_transaction && failure.message.contains("already exists")).then_some(
        "no run of it was cut off, so that somebody else made this: where it is what the migration makes, `trueup stamp` records \
         it; where it is an INVALID index, DROP INDEX CONCURRENTLY removes it",
    )
}

/// Advice for a migration that is half done.
fn settled(version: &str, advice: &str) -> String {
    let by_hand = format!(
        "finish it or undo it by hand, and say what is so: `trueup stamp {version}` where it is applied now, `trueup stamp` with the \
         version before it (or `base`) where it is not"
    );
    if advice.is_empty() {
        by_hand
    } else {
        format!("{advice}; or {by_hand}")
    }
}

/// The records, each with what it holds.
fn counted(records: &[String], versions: &[Option<i64>]) -> String {
    let each = records.iter().zip(versions).map(|(record, versions)| {
        let holds = match versions {
            None => "not for this user to read".to_owned(),
            Some(0) => "empty".to_owned(),
            Some(1) => "1 version".to_owned(),
            Some(many) => format!("{many} versions"),
        };
        format!("{record} ({holds})")
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// Advice to keep one of them. One that is empty beside one that is not was made by a session with another search path.
fn drop_one(records: &[String], versions: &[Option<i64>]) -> String {
    let pairs = || records.iter().zip(versions);
    let empty: Vec<&str> = pairs()
        .filter(|(_, versions)| **versions == Some(0))
        .map(|(record, _)| record.as_str())
        .collect();
    let drop = if empty.len() + 1 == records.len() {
        format!("DROP TABLE {}, which is empty", empty.join(", "))
    } else {
        "find out which one says what this database has, and DROP TABLE the other".to_owned()
    };
    format!(
        "{drop}; sessions with different search paths made them, and Diesel's own runner makes another one wherever it finds \
         none, so give its sessions the search path that leads to the one that stays"
    )
}

fn were(asked: usize) -> String {
    match asked {
        1 => "one migration was".to_owned(),
        more => format!("{more} migrations were"),
    }
}

fn only(there: usize) -> String {
    match there {
        0 => "is none".to_owned(),
        1 => "is only one".to_owned(),
        more => format!("are only {more}"),
    }
}

fn most_like(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; similar: {}", names.join(", "))
    }
}

/// True if code tried to end the transaction that Postgres runs it in: error 2D000, whose code Diesel does not pass on.
fn commits_in_code(failure: &SqlError) -> bool {
    failure.message.contains("invalid transaction termination")
}

const COMMITS_IN_CODE: &str = "a DO block or a procedure commits only outside of a transaction: give it a folder of its own, \
                               with run_in_transaction = false in its metadata.toml";

fn kept(rolled_back: bool, done: &[String]) -> String {
    let this = if rolled_back {
        "it was rolled back as a whole"
    } else {
        "it does not run in a transaction; what it left, such as an invalid index, the next run looks at first"
    };
    with_those_before(this, done)
}

fn kept_to(line: usize, done: &[String]) -> String {
    let this = format!(
        "what stands before the COMMIT on line {line} is kept, what stands behind it was rolled back, and the record says \
         nothing of either"
    );
    with_those_before(&this, done)
}

fn with_those_before(this: &str, done: &[String]) -> String {
    if done.is_empty() {
        this.to_owned()
    } else {
        format!(
            "{this}; {} before it went through and stay",
            done.join(", ")
        )
    }
}
