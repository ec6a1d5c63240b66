//! Migrations on disk, tried where they stand: after those before them each goes up, comes back to what was there, and goes
//! up again, on copies on the scratch. Whoever wrote them, it is the server that says what they do.

mod raised;
mod walk;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Project,
    migrations::{
        apply::ApplyError,
        folder::{self, Migration, Proved, Reheaded, proved_header, rehead},
    },
    postgres::{catalog, connection::connect},
    prove::{
        agreement::Trials,
        code::{self, Broken, Findings, Suspect, UP, untold},
    },
    source::Side,
    summary::Summary,
};
pub(crate) use raised::raised;
use walk::{Attempt, Care, Walk};

/// A migration that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Its folder's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Tried {
    /// The outcome in words, in several lines if there is more to report.
    #[must_use]
    pub fn says(&self) -> String {
        let Self {
            name,
            version: _,
            outcome,
        } = self;
        match outcome {
            Outcome::Returns => format!("{name} goes up and down"),
            Outcome::Irreversible(why) => format!("{name} is irreversible: {why}"),
            Outcome::Strays(differences) => format!(
                "{name}: down.sql runs and does not lead back to what was there before\n  {}",
                differences.join("\n").replace('\n', "\n  ")
            ),
            Outcome::Broken(fault) => fault.says.clone(),
        }
    }
}

/// The outcome of trying a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "why", rename_all = "snake_case")]
pub enum Outcome {
    /// Down gives what was there before, and up gives the same again.
    Returns,
    /// It has no way back, or says that there is none: in these words.
    Irreversible(String),
    /// The way back runs and leads elsewhere: at most five lines.
    Strays(Vec<String>),
    /// A file of it does not run.
    Broken(Fault),
}

/// A place in a file, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The file's path.
    pub file: String,
    /// The line in it, from 1, where it is known.
    pub line: Option<usize>,
    /// File, line, what the server says, and the statement.
    pub says: String,
}

impl Fault {
    /// The fault of a migration's file that did not run.
    fn of(migration: &Migration, file: &str, error: &ApplyError) -> Self {
        if let Some(failure) = error.statement() {
            return Self {
                file: failure.what.to_string(),
                line: failure.line,
                says: failure.to_string(),
            };
        }
        let path = migration.dir.join(file).display().to_string();
        Self {
            says: format!("{path}: {error}"),
            file: path,
            line: None,
        }
    }
}

impl Attempt {
    /// The outcome, and the sentence for the header.
    fn judged(
        self,
        migration: &Migration,
        is_allowed: &dyn Fn(&Broken) -> bool,
    ) -> (Outcome, Option<String>) {
        let Self {
            outcome,
            sentence,
            findings: Findings { broken, suspects },
            summary: _,
        } = self;
        let suspects = untold(&suspects, &broken);
        let (allowed, refused): (Vec<Broken>, Vec<Broken>) =
            broken.into_iter().partition(is_allowed);
        let Some(sentence) = sentence else {
            return (outcome, None);
        };
        let Some(first) = refused.first() else {
            let fails = code::allowed_to_fail(&allowed);
            return (outcome, Some(sentence + &fails + &suspected(&suspects)));
        };
        let file = migration.dir.join(first.file).display().to_string();
        let listed: Vec<String> = refused.iter().map(|one| format!("- {one}")).collect();
        let says = format!(
            "{file}: code in the database that ran before does not run afterwards: put its new body there, or say \
             --allow {}\n{}",
            code::allowing(&refused),
            listed.join("\n")
        );
        let line = None;
        (Outcome::Broken(Fault { file, line, says }), None)
    }
}

/// The number of suspects that a header names.
const SHOWN: usize = 5;

/// The part of a proof that names code which may fail; empty where there is none.
fn suspected(suspects: &[Suspect]) -> String {
    let shown = suspects.iter().take(SHOWN).map(|one| {
        let way = if one.file == UP { "up" } else { "down" };
        format!("; {way} {}", one.hazard())
    });
    let shown: String = shown.collect();
    match suspects.len().saturating_sub(SHOWN) {
        0 => shown,
        1 => shown + "; and 1 more function",
        more => format!("{shown}; and {more} more functions"),
    }
}

impl Migration {
    /// True if its header holds and says that this code fails.
    fn says_fails(&self, code: &Broken) -> bool {
        let header = self.header.as_ref();
        let header = header.filter(|_| matches!(self.proved(), Proved::Sealed));
        header.is_some_and(|header| code::is_said_to_fail(&header.proof, code))
    }
}

/// The migrations that need not be tried.
#[derive(Clone, Copy)]
pub enum Trust<'a> {
    /// Those that are what was proved, and those that were tried before.
    Seals,
    /// None, and the code around the tables runs too: what ran before may fail where this allows it, or where a header that
    /// holds says so.
    Nothing(&'a dyn Fn(&Broken) -> bool),
}

/// The outcome of trying the migrations of a folder.
#[derive(Debug)]
pub struct Trial {
    /// Those that were not taken on trust, in order.
    pub tried: Vec<Tried>,
    /// All of them replayed, where any had to be tried.
    pub replayed: Option<Side>,
}

/// Tries the migrations that are not trusted.
pub fn try_all(
    project: &Project,
    major: Option<u32>,
    migrations: &[Migration],
    trust: Trust<'_>,
) -> Result<Trial, Error> {
    let memory = match trust {
        Trust::Seals => Trials::of(project, migrations, major),
        Trust::Nothing(_) => None,
    };
    let known = memory.as_ref().map(Trials::recall).unwrap_or_default();
    let is_trusted =
        |one: &Migration| matches!(trust, Trust::Seals) && matches!(one.proved(), Proved::Sealed);
    let mut tried = Vec::new();
    let mut walk: Option<Walk<'_>> = None;
    for (at, migration) in migrations.iter().enumerate() {
        let remembered = memory.as_ref().and_then(|memory| known.get(memory.key(at)));
        let outcome = match remembered {
            _ if is_trusted(migration) => continue,
            Some(outcome) => outcome.clone(),
            None => {
                let walk = match &mut walk {
                    Some(walk) => walk,
                    none => none.insert(Walk::begin(project, project.scratch(major)?)?),
                };
                walk.pass(&migrations[walk.passed()..at])?;
                match trust {
                    Trust::Seals => walk.attempt(migration, Care::Read)?.outcome,
                    Trust::Nothing(is_allowed) => {
                        let is_allowed =
                            |code: &Broken| is_allowed(code) || migration.says_fails(code);
                        let attempt = walk.attempt(migration, Care::Watched)?;
                        attempt.judged(migration, &is_allowed).0
                    }
                }
            }
        };
        tried.push((at, outcome));
    }
    let replayed = match walk {
        None => None,
        Some(mut walk) => {
            walk.pass(&migrations[walk.passed()..])?;
            Some(walk.end()?)
        }
    };
    if let (Some(memory), Some(replayed)) = (&memory, &replayed) {
        let extensions = connect(&replayed.url)
            .ok()
            .and_then(|mut there| catalog::extensions(&mut there));
        if let Some(extensions) = extensions {
            memory.remember(&tried, extensions);
        }
    }
    let named = |(at, outcome): (usize, Outcome)| Tried {
        name: migrations[at].name.clone(),
        version: migrations[at].version.clone(),
        outcome,
    };
    Ok(Trial {
        tried: tried.into_iter().map(named).collect(),
        replayed,
    })
}

/// The outcome of proving migrations.
#[derive(Debug)]
pub struct Proving {
    /// Each, in order.
    pub tried: Vec<Tried>,
    /// The names and header sentences of those that were proved, in order.
    pub sentences: Vec<(String, String)>,
    /// The names of those whose header was written.
    pub written: Vec<String>,
}

/// Proves the migrations of these versions where they stand, and says so in their headers. Code that ran before and does not
/// run afterwards is a fault, unless it is allowed.
pub fn prove(
    project: &Project,
    versions: &[String],
    is_allowed: &dyn Fn(&Broken) -> bool,
) -> Result<Proving, Error> {
    let all = folder::read(&project.migrations)?;
    let mut proving = Proving {
        tried: Vec::new(),
        sentences: Vec::new(),
        written: Vec::new(),
    };
    let mut walk = Walk::begin(project, project.scratch(None)?)?;
    // Those before each, with the headers that they are to have.
    let mut before: Vec<Migration> = Vec::new();
    let mut reheaded = Vec::new();
    for migration in &all {
        if !versions.contains(&migration.version) {
            walk.pass(std::slice::from_ref(migration))?;
            before.push(migration.clone());
            continue;
        }
        let mut attempt = walk.attempt(migration, Care::Watched)?;
        let summary = attempt.summary.take();
        let (outcome, sentence) = attempt.judged(migration, is_allowed);
        let mut now = migration.clone();
        if let Some(sentence) = sentence {
            let kept = migration.header.as_ref().filter(|header| {
                // It may say more than can be found out of the files: what became of rows, say.
                matches!(migration.proved(), Proved::Sealed) && header.is_proved()
            });
            let mut header = proved_header(migration, &before, sentence);
            if let Some(kept) = kept {
                header.proof.clone_from(&kept.proof);
            } else if header.summary.is_empty() {
                let lines = summary.iter().flat_map(Summary::lines);
                let lines = lines.map(|(word, text)| (word.to_owned(), text));
                header.summary.extend(lines);
            }
            proving
                .sentences
                .push((migration.name.clone(), header.proof.join("; ")));
            let new = Reheaded::new(migration, &header);
            if new.up != migration.up {
                now = new.as_migration();
                proving.written.push(migration.name.clone());
                reheaded.push(new);
            }
        }
        before.push(now);
        proving.tried.push(Tried {
            name: migration.name.clone(),
            version: migration.version.clone(),
            outcome,
        });
    }
    rehead(&project.migrations, &reheaded)?;
    Ok(proving)
}
